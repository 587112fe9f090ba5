"""Transactions in Chromium: found, opened and corrected without JavaScript; accessible pages."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from delegation.models import Visibility
from delegation.services.agreements import Rules
from tests.chromium import axe_violations, overflow, press, sign_in
from tests.conftest import by_night
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


@pytest.mark.parametrize(("width", "language"), [by_night(1280, "en-ca"), (320, "fr-ca")])
def test_the_pages_are_accessible_and_fit(
    new_page: NewPage,
    portal: str,
    world: World,
    declaration: Declaration,
    width: int,
    language: str,
) -> None:
    maple, itn = declaration.owner, world.people["ITN manager"].memberships.get().business
    listed = url("declaration_list", maple, language=language)
    detail = url("declaration_detail", maple, declaration, language)
    form = url("correction_create", maple, declaration, language)
    manager, ben = world.manager(maple), world.person("Ben")
    page, found = new_page(width=width), []
    for person, address in [
        (manager, listed),
        (manager, f"{listed}?number=1&last_day=1"),
        (manager, f"{listed}?number={'1' * 14}"),
        (manager, f"{detail}?version=1"),
        (ben, url("declaration_list", itn, language=language)),
        (ben, url("declaration_detail", itn, declaration, language)),
        (manager, form),
    ]:
        sign_in(page, person, portal)
        page.goto(address)
        found += [f"{address}: {violation}" for violation in axe_violations(page)]
        found += [f"{address}: {overflow(page)} px too wide"] if overflow(page) else []
    press(page.locator("main form button"))
    expect(page.locator(".gcds-error-summary")).to_be_visible()

    assert found + axe_violations(page) == []
    assert overflow(page) == 0
