"""What must never be true of business and program accounts, tried against the database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import ProtectedError

from businesses.models import (
    BusinessAccount,
    ProgramAccount,
    ProgramGroup,
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
DAY = AT.date()


def a_business(**facts: Any) -> BusinessAccount:
    known = {"bn9": "888316171", "legal_name": "Integral Transportation Networks Corp."}
    return BusinessAccount.objects.create(**(known | facts))


def a_program(business: BusinessAccount, **facts: Any) -> ProgramAccount:
    known = {"business": business, "extension": "RM0001", "opened_at": AT}
    return ProgramAccount.objects.create(**(known | facts))


def an_entity() -> RegisterEntity:
    return RegisterEntity.objects.create(bn9="888316171", legal_name="Integral")


def refused(constraint: str, make: Callable[..., object], **facts: Any) -> None:
    """The database refuses the row by that constraint (SQLite names columns, not indexes)."""
    with pytest.raises(IntegrityError) as wrong, transaction.atomic():
        make(**facts)
    assert constraint in str(wrong.value) or "UNIQUE constraint failed" in str(wrong.value)


@pytest.mark.parametrize("bn9", ["", "88831617", "8883161711", "88831617A", "888316171\n", "٨" * 9])
def test_a_business_number_is_nine_digits(bn9: str) -> None:
    # PostgreSQL refuses a tenth character before it looks at the rule.
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        a_business(bn9=bn9)
    assert not BusinessAccount.objects.exists()


def test_a_business_number_has_one_account() -> None:
    a_business()
    refused("businesses_businessaccount_bn9", a_business, legal_name="Another")
    assert BusinessAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"legal_name": ""}, "business_has_a_legal_name"),
        ({"provider_type": "carrier"}, "business_provider_type_is_known"),
        ({"status": "open"}, "business_status_is_known"),
    ],
)
def test_a_business_is_of_known_kinds(facts: dict[str, Any], constraint: str) -> None:
    refused(constraint, a_business, **facts)


@pytest.mark.parametrize(
    "extension", ["", "RM001", "RT0001", "rm0001", "0001", "RM000A", "RM001\n"]
)
def test_an_extension_is_rm_and_four_digits(extension: str) -> None:
    refused(
        "program_extension_is_rm_and_four_digits",
        lambda **facts: a_program(a_business(), **facts),
        extension=extension,
    )


def test_an_extension_is_used_once_in_a_business_and_again_in_another() -> None:
    business = a_business()
    a_program(business)
    refused("program_extension_once_per_business", lambda: a_program(business))
    a_program(a_business(bn9="611402835", legal_name="Courtage Saint-Laurent inc."))


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"kind": "carrier"}, "program_kind_is_known"),
        ({"closed_at": AT - timedelta(microseconds=1)}, "program_closes_after_it_opens"),
    ],
)
def test_a_program_is_of_a_known_kind_and_closes_after_it_opens(
    facts: dict[str, Any], constraint: str
) -> None:
    refused(constraint, lambda **facts: a_program(a_business(), **facts), **facts)


@pytest.mark.parametrize(
    ("model", "rule", "constraint"),
    [
        (
            BusinessAccount,
            models.Q(provider_type__in=BusinessAccount.ProviderType.values),
            "business_provider_type_is_known",
        ),
        (
            BusinessAccount,
            models.Q(status__in=BusinessAccount.Status.values),
            "business_status_is_known",
        ),
        (ProgramAccount, models.Q(kind__in=ProgramAccount.Kind.values), "program_kind_is_known"),
    ],
)
def test_the_database_knows_every_choice(
    model: type[models.Model], rule: models.Q, constraint: str
) -> None:
    [check] = [check for check in model._meta.constraints if check.name == constraint]
    assert isinstance(check, models.CheckConstraint)
    assert check.condition == rule


def test_a_group_name_is_used_once_while_live() -> None:
    business = a_business()
    old = ProgramGroup.objects.create(business=business, name="Ontario")
    refused(
        "program_group_name_once_while_live",
        ProgramGroup.objects.create,
        business=business,
        name="ONTARIO",
    )
    old.archived_at = AT
    old.save()
    ProgramGroup.objects.create(business=business, name="ontario")
    other = a_business(bn9="611402835", legal_name="Courtage Saint-Laurent inc.")
    ProgramGroup.objects.create(business=other, name="Ontario")


def test_a_business_with_programs_is_never_deleted() -> None:
    business = a_business()
    a_program(business)
    with pytest.raises(ProtectedError):
        business.delete()


def test_numbers_are_shown_in_groups() -> None:
    program = a_program(a_business(), name="ITN Logistics")
    assert program.business.bn_shown == "88831 6171"
    assert program.bn15 == "888316171RM0001"
    assert program.bn15_shown == "88831 6171 RM 0001"
    assert program.business.name == "Integral Transportation Networks Corp."
    assert str(program) == "88831 6171 RM 0001 ITN Logistics"
    assert str(program.business) == "Integral Transportation Networks Corp. (88831 6171)"
    assert str(ProgramGroup(name="Ontario")) == "Ontario"


def test_a_program_is_open_from_its_first_instant_until_its_last() -> None:
    closing = AT + timedelta(days=1)
    program = a_program(a_business(), closed_at=closing)
    tick = timedelta(microseconds=1)
    assert not program.is_open_at(AT - tick)
    assert program.is_open_at(AT)
    assert program.is_open_at(closing - tick)
    assert not program.is_open_at(closing)
    assert ProgramAccount(opened_at=AT).is_open_at(closing)
    assert not ProgramAccount(opened_at=AT, closed_at=AT).is_open_at(AT)


def test_only_the_four_roles_are_permissions() -> None:
    roles = {
        model: [codename for codename, _name in model._meta.permissions]
        for model in (BusinessAccount, ProgramAccount, ProgramGroup, RegisterEntity)
    }
    assert roles == {
        BusinessAccount: ["bam"],
        ProgramAccount: ["pam", "editor", "reader"],
        ProgramGroup: ["pam", "editor", "reader"],
        RegisterEntity: [],
    }
    assert not any(model._meta.default_permissions for model in roles)


@pytest.mark.parametrize(
    ("make", "facts", "constraint"),
    [
        (RegisterProgram, {"extension": "RT0001"}, "register_extension_is_rm_and_four_digits"),
        (
            RegisterTransaction,
            {"number": "1234567890123", "accounted_on": DAY, "duties_and_taxes": 0},
            "register_transaction_number_is_fourteen_digits",
        ),
        (
            RegisterTransaction,
            {"number": "12345678901234", "accounted_on": DAY, "duties_and_taxes": Decimal("-0.01")},
            "register_duties_and_taxes_not_negative",
        ),
        (RegisterPayment, {"paid_on": DAY, "amount": 0}, "register_payment_is_positive"),
    ],
)
def test_the_register_keeps_its_shape(
    make: type[models.Model], facts: dict[str, Any], constraint: str
) -> None:
    known = {"entity": an_entity(), "extension": "RM0001"}
    refused(constraint, make._default_manager.create, **(known | facts))


@pytest.mark.parametrize(
    ("make", "facts", "constraint"),
    [
        (RegisterProgram, {}, "register_extension_once_per_entity"),
        (
            RegisterTransaction,
            {"number": "12345678901234", "accounted_on": DAY, "duties_and_taxes": 0},
            "businesses_registertransaction_number",
        ),
        (RegisterPayment, {"paid_on": DAY, "amount": 1}, "register_payment_once"),
        (RegisterStatement, {"issued_on": DAY, "balance": 0}, "register_statement_once"),
    ],
)
def test_the_register_holds_nothing_twice(
    make: type[models.Model], facts: dict[str, Any], constraint: str
) -> None:
    known = {"entity": an_entity(), "extension": "RM0001"} | facts
    make._default_manager.create(**known)
    refused(constraint, make._default_manager.create, **known)


def test_the_register_holds_nine_digits() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RegisterEntity.objects.create(bn9="88831617", legal_name="Integral")
