"""One declaration: its facts, its lines, its visible versions, and what the reader can do."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from businesses.models import BusinessAccount
from delegation.models import Visibility
from delegation.services.agreements import Rules
from tests.transactions.factories import change, declare
from tests.transactions.pages import url, visitor, words
from tests.world import World
from transactions.models import Declaration

VIEW, EDIT = Visibility.VIEW, Visibility.EDIT


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands, so that relationships of the world are in force."""


@pytest.fixture
def declaration(world: World, maple: BusinessAccount) -> Declaration:
    return declare(
        world.program(maple),
        world.at,
        lines=[
            {},
            {
                "hs_code": "4418213000",
                "description": "Pine doors",
                "origin": "CN",
                "tariff_treatment": "31",
                "quantity": Decimal("1250.5"),
                "unit": "MTK",
                "sima": Decimal("12.34"),
            },
        ],
    )


def test_the_page_says_what_was_declared(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    response = visitor(world.manager(maple)).get(url("declaration_detail", maple, declaration))
    text = words(response)

    assert response.status_code == 200
    for said in (
        f"{declaration.number}00001",
        f"{maple.bn_shown} RM 0001",
        "AB, after release on minimum documentation",
        "November 1, 2026",
        "Saigon Timber Works",
        "4418.21.30.00",
        "31, European Union (CETA)",
        "2, Most-Favoured-Nation",
        "1,250.5 MTK",
        "$12.34",
        "Totals $2,000.00 $190.00 $12.34 $0.00 $109.50",
        "Total duties and taxes $311.84",
        "Version 1 On this page November 23, 2026, 10:30 a.m. ET",
        "Maple You, the importer Received by file. Total duties and taxes: $311.84.",
    ):
        assert said in text, said


def test_the_page_in_french_writes_days_and_amounts_as_french_does(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    address = url("declaration_detail", maple, declaration, language="fr-ca")
    text = words(visitor(world.manager(maple)).get(address))

    for said in ("1er novembre 2026", "2 000,00 $", "1 250,5 MTK", "23 novembre 2026 à 10 h 30"):
        assert said in text, said


def test_the_timeline_says_who_when_why_and_by_which_right(
    world: World,
    clock: time_machine.Traveller,
    maple: BusinessAccount,
    itn: BusinessAccount,
    declaration: Declaration,
) -> None:
    world.relationship(maple, itn, rules=Rules(EDIT, EDIT, EDIT))
    relationship = "3f1c0e6e-0000-4000-8000-000000000000"
    change(
        declaration,
        itn,
        world.at + timedelta(hours=5),
        submitted_by=world.manager(itn),
        acting_under=f"provider:editor:{relationship}",
        remarks="Freight was counted twice.",
    )
    change(declaration, maple, world.at, submitted_by=world.manager(maple))
    change(
        declaration,
        maple,
        world.at,
        submitted_by=world.manager(maple),
        acting_under="own:pam:group",
    )
    clock.shift(timedelta(hours=6))
    text = words(visitor(world.manager(maple)).get(url("declaration_detail", maple, declaration)))

    assert "Version 2 November 23, 2026, 3:30 p.m. ET · ITN manager ITN Other business" in text
    assert "As Editor, under the business relationship." in text
    assert "Reason: Value for duty. Freight was counted twice." in text
    assert "As Editor of the importer." in text
    assert "As Program Account Manager of the importer, through an employee group." in text
    assert relationship not in text
    assert text.index("Version 4 On this page") < text.index("Version 3 ")
    broker = words(visitor(world.manager(itn)).get(url("declaration_detail", itn, declaration)))
    assert "ITN Your firm" in broker and "Maple The importer" in broker


def test_an_older_version_is_shown_by_its_number(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    change(declaration, maple, world.at, lines=[{"description": "Oak stools"}])
    visit = visitor(world.manager(maple))
    page = url("declaration_detail", maple, declaration)

    assert "Oak stools" in words(visit.get(page))
    older = words(visit.get(page, {"version": "1"}))
    assert "Pine doors" in older and "Oak stools" not in older
    assert "This is version 1. A newer one replaced it." in older
    for number in ("3", "0", "01", "x", "-1", "9" * 400):
        assert visit.get(page, {"version": number}).status_code == 404


@pytest.mark.asvs("8.2.3", "15.3.1")
def test_a_hidden_version_is_nowhere_on_the_page(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn, rules=Rules(broker=EDIT))
    world.assign("Ben", itn, maple)
    declaration = declare(world.program(maple), world.at, submitter=itn)
    change(declaration, maple, world.at, lines=[{"description": "Walnut desks"}], remarks="Secret")
    visit = visitor(world.person("Ben"))
    page = url("declaration_detail", itn, declaration)
    text = words(visit.get(page))

    assert "Changed by another party" in text
    assert "You cannot correct this declaration. Another party changed it" in text
    assert "Oak dining tables" in text
    for hidden in ("Walnut desks", "Secret", "Version 2"):
        assert hidden not in text
    assert visit.get(page, {"version": "2"}).status_code == 404
    assert visit.get(url("correction_create", itn, declaration)).status_code == 403


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(broker=VIEW), "let your firm view this record, not change it."),
        (Rules(broker=EDIT), None),
    ],
)
def test_the_button_stands_where_it_works_else_the_reason(
    world: World, maple: BusinessAccount, itn: BusinessAccount, rules: Rules, reason: str | None
) -> None:
    world.relationship(maple, itn, rules=rules)
    declaration = declare(world.program(maple), world.at, submitter=itn)
    visit = visitor(world.manager(itn))
    response = visit.get(url("declaration_detail", itn, declaration))
    form = visit.get(url("correction_create", itn, declaration))

    assert ("Correct this declaration" in words(response)) is (reason is None)
    assert form.status_code == (403 if reason else 200)
    if reason:
        assert reason in words(response)


def test_a_reader_reads_why_there_is_no_correction(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.employee("Rita", maple, RM0001="reader"))
    text = words(visit.get(url("declaration_detail", maple, declaration)))

    assert "You cannot correct this declaration. Your role does not include this." in text
    refused = visit.get(url("correction_create", maple, declaration))
    assert refused.status_code == 403
    assert "Your role does not include this." in words(refused)


def test_an_expired_user_reads_that_it_is_over(
    world: World, maple: BusinessAccount, itn: BusinessAccount, clock: time_machine.Traveller
) -> None:
    world.relationship(maple, itn, rules=Rules(broker=EDIT))
    declaration = declare(world.program(maple), world.at, submitter=itn)
    clock.shift(timedelta(days=90))
    text = words(visitor(world.manager(itn)).get(url("declaration_detail", itn, declaration)))

    assert "You cannot correct this declaration. The business relationship is over." in text


# ---------------------------------------------------------------- who gets 404


def test_foreign_and_absent_are_the_same_404(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    fir = world.importer("Fir")
    world.relationship(fir, itn)
    page = url("declaration_detail", maple, declaration)
    of_client = url("declaration_detail", itn, declaration)
    absent = page.replace(declaration.number, "9" * 14)
    other_program = page.replace("RM0001", "RM0002")
    wrong = [page.replace(declaration.number, bad) for bad in ("x", "1" * 19, "%00", "٣" * 14)]

    for person, addresses in {
        "Stranger": [page],
        "Fir manager": [page, page.replace(maple.bn9, fir.bn9)],
        "ITN manager": [page, of_client, of_client.replace(maple.bn9, fir.bn9)],
        "Maple manager": [absent, other_program, *wrong],
    }.items():
        visit = visitor(world.person(person))
        for address in addresses:
            for suffix in ("", "correct/"):
                assert visit.get(address + suffix).status_code == 404, (person, address)


def test_a_declaration_not_yet_opened_by_a_rule_is_404(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    world.relationship(maple, itn, rules=Rules(broker=EDIT))

    response = visitor(world.manager(itn)).get(url("declaration_detail", itn, declaration))

    assert response.status_code == 404


def test_nobody_reads_without_signing_in(
    client: Client, maple: BusinessAccount, declaration: Declaration
) -> None:
    assert client.get(url("declaration_detail", maple, declaration)).status_code == 302
