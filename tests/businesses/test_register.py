"""The register behind its port: the same work for every number."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from businesses.models import (
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.register import (
    EVIDENCE_LIMIT,
    EntityProgram,
    LegalEntity,
    Payment,
    Statement,
    Transaction,
    get_register,
)
from businesses.register_sandbox import SandboxRegister

DAY = date(2026, 3, 25)


class EmptyRegister:
    """A register that knows nobody."""

    def find(self, bn9: str) -> LegalEntity | None:
        return None


@pytest.fixture
def maple(db: None) -> RegisterEntity:
    """An entity with two program accounts, one of them closed, and one of each evidence."""
    entity = RegisterEntity.objects.create(
        bn9="412703316",
        legal_name="Maple Ridge Furniture Ltd.",
        operating_name="Maple Ridge",
        street="220 Carpenter Crescent",
        city="Kitchener",
        region="ON",
        postal_code="N2G 3W6",
        emails=["accounts@maple.example", "imports@maple.example"],
    )
    row = {"entity": entity, "extension": "RM0001"}
    RegisterProgram.objects.create(
        entity=entity, extension="RM0002", name="Doors", kind="exporter", is_open=False
    )
    RegisterProgram.objects.create(**row, name="Windows")
    RegisterTransaction.objects.create(
        **row, number="13907000000012", accounted_on=DAY, duties_and_taxes=Decimal("0.00")
    )
    RegisterPayment.objects.create(**row, paid_on=DAY, amount=Decimal("12.30"))
    RegisterStatement.objects.create(**row, issued_on=DAY, balance=Decimal("-4.56"))
    return entity


def test_an_entity_comes_with_its_programs_and_evidence(maple: RegisterEntity) -> None:
    assert get_register().find("412703316") == LegalEntity(
        bn9="412703316",
        legal_name="Maple Ridge Furniture Ltd.",
        operating_name="Maple Ridge",
        street="220 Carpenter Crescent",
        city="Kitchener",
        region="ON",
        postal_code="N2G 3W6",
        country="CA",
        emails=("accounts@maple.example", "imports@maple.example"),
        provider_type="none",
        programs=(
            EntityProgram("RM0001", "Windows", "importer", True),
            EntityProgram("RM0002", "Doors", "exporter", False),
        ),
        transactions=(Transaction("RM0001", "13907000000012", DAY, Decimal("0.00")),),
        payments=(Payment("RM0001", DAY, Decimal("12.30")),),
        statements=(Statement("RM0001", DAY, Decimal("-4.56")),),
    )


def test_an_unknown_number_is_nobody(maple: RegisterEntity) -> None:
    assert get_register().find("888316171") is None


def test_every_number_costs_the_same_statements(maple: RegisterEntity) -> None:
    RegisterEntity.objects.create(bn9="611402835", legal_name="Without history")
    statements = {}
    for bn9 in ("412703316", "611402835", "888316171"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            get_register().find(bn9)
        statements[bn9] = [query["sql"].replace(bn9, "?") for query in asked]
    known, without_history, unknown = statements.values()
    assert known == without_history == unknown
    assert len(known) == 5


@pytest.mark.parametrize("kind", ["transactions", "payments", "statements"])
def test_one_kind_of_evidence_is_history(maple: RegisterEntity, kind: str) -> None:
    others = {"transactions", "payments", "statements"} - {kind}
    for other in others:
        getattr(maple, other).all().delete()
    found = get_register().find(maple.bn9)
    assert found is not None
    assert found.has_history
    getattr(maple, kind).all().delete()
    found = get_register().find(maple.bn9)
    assert found is not None
    assert not found.has_history


def test_the_newest_evidence_is_kept_and_the_work_is_bounded(maple: RegisterEntity) -> None:
    RegisterPayment.objects.bulk_create(
        RegisterPayment(
            entity=maple,
            extension="RM0001",
            paid_on=DAY - timedelta(days=age),
            amount=Decimal(age),
        )
        for age in range(1, EVIDENCE_LIMIT + 5)
    )
    found = get_register().find(maple.bn9)
    assert found is not None
    assert len(found.payments) == EVIDENCE_LIMIT
    assert found.payments[0].paid_on == DAY
    assert min(payment.paid_on for payment in found.payments) == DAY - timedelta(days=999)


def test_a_setting_names_the_register(settings: Settings) -> None:
    assert isinstance(get_register(), SandboxRegister)
    settings.REGISTER = "tests.businesses.test_register.EmptyRegister"
    assert get_register().find("888316171") is None
    assert not isinstance(get_register(), SandboxRegister)


def test_rows_say_what_they_are(maple: RegisterEntity) -> None:
    assert str(maple) == "Maple Ridge Furniture Ltd. (412703316)"
    assert str(maple.programs.get(extension="RM0001")) == "412703316RM0001"
    assert str(maple.transactions.get()) == "13907000000012"
    assert str(maple.payments.get()) == "412703316RM0001 2026-03-25 12.30"
    assert str(maple.statements.get()) == "412703316RM0001 2026-03-25"
