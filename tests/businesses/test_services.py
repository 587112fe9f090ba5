"""Opening a business account, and linking what the register gains later."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection

from businesses.models import BusinessAccount, ProgramAccount
from businesses.register import EntityProgram, LegalEntity, Statement
from businesses.services import link_new_programs, open_business

AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
WINDOWS = EntityProgram("RM0001", "Maple Ridge Windows", "importer", True)
DOORS = EntityProgram("RM0002", "Maple Ridge Doors", "exporter", True)
OUTLET = EntityProgram("RM0003", "Maple Ridge Outlet", "importer", False)


def an_entity(**facts: Any) -> LegalEntity:
    known = {
        "bn9": "412703316",
        "legal_name": "Maple Ridge Furniture Ltd.",
        "operating_name": "Maple Ridge",
        "street": "220 Carpenter Crescent",
        "city": "Kitchener",
        "region": "ON",
        "postal_code": "N2G 3W6",
        "country": "CA",
        "emails": ("accounts@maple.example", "imports@maple.example"),
        "provider_type": "none",
        "programs": (WINDOWS, DOORS, OUTLET),
        "transactions": (),
        "payments": (),
        "statements": (Statement("RM0001", date(2026, 3, 25), Decimal("10.00")),),
    }
    return LegalEntity(**(known | facts))


@pytest.mark.django_db
def test_a_business_opens_with_what_the_register_holds() -> None:
    business = open_business(entity=an_entity(), at=AT)
    business.refresh_from_db()
    assert business.bn9 == "412703316"
    assert business.legal_name == "Maple Ridge Furniture Ltd."
    assert business.operating_name == "Maple Ridge"
    assert (business.street, business.city) == ("220 Carpenter Crescent", "Kitchener")
    assert (business.region, business.postal_code, business.country) == ("ON", "N2G 3W6", "CA")
    assert business.email == "accounts@maple.example"
    assert business.provider_type == BusinessAccount.ProviderType.NONE
    assert business.status == BusinessAccount.Status.ACTIVE


@pytest.mark.django_db
def test_every_program_account_is_linked_and_a_closed_one_is_never_open() -> None:
    business = open_business(entity=an_entity(), at=AT)
    programs = business.programs.order_by("extension")
    assert [(p.extension, p.name, p.kind, p.is_open_at(AT)) for p in programs] == [
        ("RM0001", "Maple Ridge Windows", "importer", True),
        ("RM0002", "Maple Ridge Doors", "exporter", True),
        ("RM0003", "Maple Ridge Outlet", "importer", False),
    ]


@pytest.mark.django_db
def test_a_business_without_an_address_on_file_has_none_here() -> None:
    assert open_business(entity=an_entity(emails=()), at=AT).email == ""


@pytest.mark.django_db
def test_a_business_number_opens_once() -> None:
    open_business(entity=an_entity(), at=AT)
    with pytest.raises(IntegrityError):
        open_business(entity=an_entity(legal_name="Another"), at=AT)
    assert BusinessAccount.objects.get().legal_name == "Maple Ridge Furniture Ltd."
    assert ProgramAccount.objects.count() == 3


@pytest.mark.asvs("2.3.4")
@pytest.mark.django_db(transaction=True)
def test_of_several_claims_at_once_one_wins() -> None:
    outcomes: list[str] = []
    start = Barrier(4)

    def claim() -> None:
        start.wait()
        try:
            open_business(entity=an_entity(), at=AT)
            outcomes.append("opened")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["opened", "refused", "refused", "refused"]
    assert ProgramAccount.objects.count() == 3


@pytest.mark.django_db
def test_programs_that_the_register_gains_are_linked_once() -> None:
    business = open_business(entity=an_entity(programs=(WINDOWS,)), at=AT)
    later = AT + timedelta(days=30)
    linked = link_new_programs(
        business=business, entity=an_entity(programs=(DOORS, WINDOWS)), at=later
    )
    assert [(program.extension, program.opened_at) for program in linked] == [("RM0002", later)]
    assert all(program.pk for program in linked)
    assert link_new_programs(business=business, entity=an_entity(), at=later)[0].name.endswith(
        "Outlet"
    )
    assert link_new_programs(business=business, entity=an_entity(), at=later) == []
    assert business.programs.count() == 3


@pytest.mark.django_db
def test_a_program_already_here_keeps_its_own_name_and_dates() -> None:
    business = open_business(entity=an_entity(programs=(WINDOWS,)), at=AT)
    business.programs.update(name="Our windows", closed_at=AT + timedelta(days=1))
    link_new_programs(business=business, entity=an_entity(), at=AT + timedelta(days=30))
    windows = business.programs.get(extension="RM0001")
    assert (windows.name, windows.closed_at) == ("Our windows", AT + timedelta(days=1))


@pytest.mark.django_db
def test_programs_of_another_business_are_never_linked() -> None:
    business = open_business(entity=an_entity(programs=()), at=AT)
    with pytest.raises(ValueError, match="not this business"):
        link_new_programs(business=business, entity=an_entity(bn9="888316171"), at=AT)
    assert not business.programs.exists()
