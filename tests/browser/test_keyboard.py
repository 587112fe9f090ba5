"""A broker's request is approved with the keys Tab, Space and Enter alone."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page

from delegation.models import Relationship
from tests.chromium import sign_in
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]

FOCUS_IS_SEEN = """() => {
  const here = document.activeElement;
  if (here === document.body) return true;
  const drawn = [getComputedStyle(here), getComputedStyle(here.labels?.[0] ?? here, "::before")];
  return drawn.some(one => one.outlineStyle !== "none" || one.boxShadow !== "none");
}"""
MOST_STOPS = 80


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus; at every stop on the way the focus is seen."""
    for _stop in range(MOST_STOPS):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {target}")


def press_enter(page: Page) -> None:
    """Press Enter and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<a href='/' style='outline: none'>One</a>", "One"),
        ("<a href='/' tabindex='-1'>Two</a>", "does not reach"),
    ],
)
def test_a_lost_focus_and_a_link_out_of_reach_are_seen(page: Page, body: str, message: str) -> None:
    page.set_content(body)

    with pytest.raises(AssertionError, match=message):
        tab_to(page, page.get_by_role("link"))


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_request_is_approved_by_keyboard(
    new_page: Callable[..., Page], portal: str, world: World, javascript: bool
) -> None:
    client, provider = world.importer("Maple Ridge"), world.broker("ITN")
    waiting = world.relationship_request(provider, client)
    page = new_page(javascript=javascript)
    sign_in(page, world.manager(client), portal)
    page.goto(reverse("relationship_list", kwargs={"bn9": client.bn9}))

    tab_to(page, page.locator(f'main a[href$="/requests/{waiting.pk}/"]'))
    press_enter(page)
    tab_to(page, page.get_by_label("I have read this text"))
    tab_to(page, page.get_by_role("button", name="Approve"))
    press_enter(page)

    summary = page.locator(".gcds-error-summary")
    assert summary.evaluate("one => one === document.activeElement")
    tab_to(page, summary.get_by_role("link"))
    page.keyboard.press("Enter")
    consent = page.get_by_label("I have read this text")
    assert consent.evaluate("one => one === document.activeElement")
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Approve"))
    press_enter(page)
    tab_to(page, page.get_by_role("button", name="Confirm"))
    press_enter(page)

    assert Relationship.objects.filter(client=client, provider=provider).exists()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_the_first_key_skips_to_the_content(
    new_page: Callable[..., Page], javascript: bool
) -> None:
    page = new_page(javascript=javascript)
    page.goto("/en-ca/")

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    assert skip.evaluate("one => one === document.activeElement")
    assert skip.evaluate("one => one.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('main') !== null")
