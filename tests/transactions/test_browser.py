"""Transactions in Chromium: found, opened and corrected without JavaScript; accessible pages."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from delegation.models import Visibility
from delegation.services.relationships import Rules
from tests.chromium import axe_violations, overflow, sign_in
from tests.transactions.factories import change, declare
from tests.transactions.pages import url
from tests.world import World
from transactions.models import Declaration

pytestmark = pytest.mark.django_db(transaction=True)

type NewPage = Callable[..., Page]


@pytest.fixture
def world() -> World:
    """A world of now, committed, as the browser's server sees it."""
    return World(timezone.now())


@pytest.fixture
def declaration(world: World) -> Declaration:
    """A declaration that ITN submitted for Maple, who changed it again out of ITN's sight."""
    with transaction.atomic():
        maple, itn = world.importer("Maple"), world.broker("ITN")
        world.relationship(maple, itn, rules=Rules(broker=Visibility.EDIT))
        world.assign("Ben", itn, maple)
        many = [{}, {"hs_code": "4418213000", "description": "Pine doors", "origin": "CL"}]
        declaration = declare(world.program(maple), world.at, submitter=itn, lines=many)
        change(declaration, maple, world.at, lines=many)
        declare(world.program(maple), world.at, submitter=itn)
    return declaration


def test_a_correction_without_javascript(
    plain_page: Page, portal: str, world: World, declaration: Declaration
) -> None:
    page, maple = plain_page, declaration.owner
    sign_in(page, world.manager(maple), portal)
    page.goto(url("declaration_list", maple))
    page.get_by_label("Transaction number").fill(declaration.number)
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=f"{declaration.number}00002").click()
    page.get_by_role("link", name="Correct this declaration").click()
    page.get_by_label("Line 2, Customs duty").fill("$1,080.5")
    page.get_by_label("Reason for the correction").select_option("rate")
    page.get_by_role("button", name="Submit the correction").click()
    expect(page.get_by_role("link", name="Remarks: Write what was wrong.")).to_be_visible()
    expect(page.get_by_label("Line 2, Customs duty")).to_have_value("$1,080.5")
    page.get_by_label("Remarks").fill("The tariff says otherwise.")
    page.get_by_role("button", name="Submit the correction").click()
    expect(page.get_by_text(f"Version 3 of declaration {declaration.number}")).to_be_visible()

    assert declaration.versions.get(number=3).duties == Decimal("1175.50")


@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
@pytest.mark.parametrize("width", [1280, 320])
def test_the_pages_are_accessible_and_fit(
    new_page: NewPage,
    portal: str,
    world: World,
    declaration: Declaration,
    width: int,
    language: str,
) -> None:
    maple, itn = declaration.owner, world.people["ITN manager"].memberships.get().business
    page, broker = new_page(width=width), new_page(width=width)
    sign_in(page, world.manager(maple), portal)
    sign_in(broker, world.person("Ben"), portal)
    addresses = [
        (page, url("declaration_list", maple, language=language)),
        (page, url("declaration_list", maple, language=language) + "?number=1&last_day=1"),
        (page, url("declaration_list", maple, language=language) + "?number=" + "1" * 14),
        (page, url("declaration_detail", maple, declaration, language)),
        (page, url("declaration_detail", maple, declaration, language) + "?version=1"),
        (page, url("correction_create", maple, declaration, language)),
        (broker, url("declaration_list", itn, language=language)),
        (broker, url("declaration_detail", itn, declaration, language)),
    ]
    for visitor, address in addresses:
        visitor.goto(address)
        assert axe_violations(visitor) == [], address
        assert overflow(visitor) == 0, address
    page.goto(url("correction_create", maple, declaration, language))
    page.locator("main form button").click()
    expect(page.locator(".gcds-error-summary")).to_be_visible()
    assert axe_violations(page) == []
    assert overflow(page) == 0
