"""The end of a session as a person sees it: a warning, more time, and nothing written is lost."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.people import PASSWORD, code_in, give_profile, sign_up
from tests.chromium import axe_violations, overflow, press, sign_in
from tests.conftest import by_night

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("idle_limit")]

EDIT = "/en-ca/profile/edit/"


@pytest.fixture
def person(db: None, at: datetime) -> User:
    cache.clear()
    return give_profile(sign_up(), at)


def pass_time(clock: Any, *pages: Page, seconds: int) -> None:
    """Let time pass for the server and for the pages, whose timers then go off."""
    clock.shift(seconds)
    for page in pages:
        page.clock.fast_forward(seconds * 1000)


def come_in(page: Page, mails: list[EmailMessage]) -> None:
    page.locator("[name=login]").fill("ada@example.ca")
    page.locator("[name=password]").fill(PASSWORD)
    press(page.get_by_role("button", name="Sign in", exact=True))
    page.locator("[name=code]").fill(code_in(mails))
    press(page.get_by_role("button", name="Confirm"))


def test_a_warning_more_time_and_a_form_that_outlives_its_session(
    new_page: Callable[..., Page], portal: str, person: User, clock: Any,
    mailoutbox: list[EmailMessage],
) -> None:  # fmt: skip
    page = new_page()
    sign_in(page, person, portal)
    other = page.context.new_page()
    for tab in (page, other):
        tab.clock.install()
        tab.goto(EDIT)
    dialog, elsewhere = (tab.get_by_role("dialog") for tab in (page, other))
    page.get_by_label("Family name").fill("O’Hara and sons")

    pass_time(clock, page, other, seconds=17 * 60 - 1)
    expect(dialog).to_be_hidden()
    pass_time(clock, page, other, seconds=2)
    expect(dialog).to_be_visible()
    expect(elsewhere).to_be_visible()
    expect(dialog).to_contain_text("you are signed out at 10:50")
    stay = dialog.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    assert not axe_violations(page)

    stay.press("Enter")
    expect(dialog).to_be_hidden()
    expect(elsewhere).to_be_hidden()
    expect(page.get_by_label("Family name")).to_have_value("O’Hara and sons")

    other.close()
    with page.expect_navigation(url="**/account/login/**"):
        pass_time(clock, page, seconds=20 * 60)
    expect(page.get_by_role("status")).to_contain_text("you opened no page for 20 minutes")
    expect(page.get_by_role("status")).to_contain_text("What you wrote is kept")
    assert "Hara" not in page.content()

    come_in(page, mailoutbox)
    press(page.get_by_role("button", name="Open the page, filled in"))
    expect(page.get_by_label("Family name")).to_have_value("O’Hara and sons")
    person.refresh_from_db()
    assert person.last_name == "Okafor"
    press(page.locator("main").get_by_role("button").first)
    person.refresh_from_db()
    assert person.last_name == "O’Hara and sons"


@pytest.mark.parametrize("language", [by_night("en-ca"), by_night("fr-ca")])
def test_before_the_longest_end_there_is_no_more_time_and_that_is_said(
    new_page: Callable[..., Page], portal: str, person: User, clock: Any, language: str
) -> None:
    page = new_page(width=320)
    sign_in(page, person, portal)
    page.clock.install()
    address = f"/{language}/profile/"
    page.goto(address)
    for _ in range(38):
        clock.shift(18 * 60 + 30)
        page.goto(address)
    pass_time(clock, page, seconds=15 * 60)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("12 h" if language == "en-ca" else "12 heures")
    assert dialog.get_by_role("button").count() == 1
    assert overflow(page) == 0 and not axe_violations(page)
    dialog.get_by_role("button").click()
    expect(dialog).to_be_hidden()
    with page.expect_navigation(url="**/account/login/**"):
        pass_time(clock, page, seconds=3 * 60)


@pytest.mark.parametrize("javascript", [by_night(False)])
def test_without_a_script_each_page_says_until_when_and_leads_to_more_time(
    new_page: Callable[..., Page], portal: str, person: User, clock: Any, javascript: bool,
    mailoutbox: list[EmailMessage],
) -> None:  # fmt: skip
    page = new_page(javascript=javascript, width=320)
    sign_in(page, person, portal)
    page.goto(EDIT)
    expect(page.get_by_role("contentinfo")).to_contain_text("you are signed out at 10:50")
    page.get_by_label("Family name").fill("O’Hara and sons")
    clock.shift(19 * 60)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Stay signed in").click()
    expect(opened.value.get_by_role("main")).to_contain_text("you are signed out at 11:09")
    assert overflow(opened.value) == 0
    clock.shift(20 * 60)
    press(page.locator("main").get_by_role("button").first)
    come_in(page, mailoutbox)
    press(page.get_by_role("button", name="Open the page, filled in"))
    expect(page.get_by_label("Family name")).to_have_value("O’Hara and sons")
