"""Asking for access and granting it in a browser: without JavaScript, narrow, for everybody."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from businesses.models import BusinessAccount
from delegation.models import AccessRequest
from delegation.roles import Role
from tests.chromium import axe_violations, overflow, sign_in
from tests.conftest import by_night
from tests.world import World, roles_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    """A world of now, committed, as the browser's server sees it."""
    return World(timezone.now())


def pages_of(maple: BusinessAccount, asked: AccessRequest) -> Iterator[tuple[str, str]]:
    """Each page with the person who opens it."""
    account: dict[str, Any] = {"bn9": maple.bn9}
    one = {"bn9": maple.bn9, "pk": asked.pk}
    for name, kwargs in [
        ("home", {}),
        ("business_home", account),
        ("employee_list", account),
        ("access_request_detail", one),
        ("access_request_reject", one),
    ]:
        yield "Maple Imports manager", reverse(name, kwargs=kwargs)
    yield "Eve Early", reverse("first_time_setup")
    yield "Eve Early", reverse("access_request_create")
    yield "Eve Early", reverse("access_request_status", kwargs={"pk": asked.pk})


def test_a_person_asks_and_a_manager_grants_at_320_pixels(
    world: World, new_page: Callable[..., Page], portal: str
) -> None:
    maple = world.importer("Maple Imports")
    eve, manager = (new_page(javascript=False, width=320) for _ in "ab")
    sign_in(eve, world.person("Eve Early"), portal)
    eve.goto("/en-ca/")
    eve.get_by_role("link", name="Request access to my employer").click()
    eve.get_by_label("Business number of my employer").fill(f" {maple.bn_shown} ")
    eve.get_by_label("Justification note").fill("I prepare the declarations.")
    eve.get_by_text("I know which access I need").click()
    eve.get_by_label("Program account 1 (optional)", exact=True).fill("RM 0001")
    eve.get_by_label("Role on program account 1").select_option("Editor")
    assert overflow(eve) <= 0
    eve.get_by_role("button", name="Request access").click()
    expect(eve.get_by_text("Waiting for a manager of the business")).to_be_visible()
    expect(eve.get_by_text("Maple Imports")).to_have_count(0)

    sign_in(manager, world.manager(maple), portal)
    manager.goto("/en-ca/")
    manager.get_by_role("link", name="Manage My Employees").click()
    manager.get_by_role("link", name="Decide on the request of Eve Early").click()
    expect(manager.get_by_label("Editor, RM 0001 Maple Imports 1")).to_be_checked()
    manager.get_by_label("Reader, RM 0002 Maple Imports 2").check()
    manager.get_by_role("button", name="Approve").click()
    expect(manager.get_by_text("From then on Eve Early can do this:")).to_be_visible()
    assert overflow(manager) <= 0
    manager.get_by_role("button", name="Confirm").click()
    expect(manager.get_by_text("You approved the access request of Eve Early")).to_be_visible()
    given = roles_of(maple, world.person("Eve Early"), timezone.now())
    assert given == {"RM0001": Role.EDITOR, "RM0002": Role.READER}
    eve.reload()
    expect(eve.get_by_text("You can now work for Maple Imports")).to_be_visible()


def test_enter_goes_on_and_looks_for_what_was_typed_to_be_found(
    world: World, plain_page: Page, portal: str
) -> None:
    maple = world.importer("Maple Imports", programs=30)
    sign_in(plain_page, world.manager(maple), portal)
    plain_page.goto(reverse("invitation_create", kwargs={"bn9": maple.bn9}))
    email = plain_page.get_by_label("E-mail address")
    email.fill("zoe@example.test")
    email.press("Enter")
    expect(plain_page.get_by_text("Choose a role on at least one program account")).to_be_visible()

    plain_page.get_by_label("Find a program account by its number or name").fill("0028")
    plain_page.get_by_label("Find a program account by its number or name").press("Enter")
    plain_page.get_by_label("Reader, RM 0028 Maple Imports 28").check()
    expect(plain_page.locator(".gcds-error-summary")).to_have_count(0)
    email.press("Enter")
    expect(plain_page.get_by_text("You invite zoe@example.test")).to_be_visible()
    expect(plain_page.get_by_text("RM 0028 Maple Imports 28")).to_be_visible()


@pytest.mark.parametrize("width", [by_night(1280), 320])
def test_the_pages_are_open_to_everybody(
    width: int, world: World, new_page: Callable[..., Page], portal: str
) -> None:
    maple = world.importer("Maple Imports")
    world.employee("Rita Reader", maple, RM0001="reader", RM0002="editor")
    asked = world.access_request("Eve Early", maple, RM0001="editor")
    page = new_page(width=width)
    found = []
    for name, address in pages_of(maple, asked):
        sign_in(page, world.person(name), portal)
        page.goto(address)
        found += [f"{address}: {violation}" for violation in axe_violations(page)]
        found += [f"{address}: {overflow(page)} px too wide"] if overflow(page) > 0 else []
    assert not found, "\n".join(found)
