"""The pages as a browser shows them: accessible, in the window, quiet."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tests.chromium import axe_violations, overflow, press, sign_in
from tests.conftest import by_night

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.pages.gallery.urls")]

ALBUM = os.environ.get("ALBUM")
"""A folder to keep pictures in, for whoever looks after the look."""


def check(page: Page, name: str) -> None:
    """Hold what `page` shows to the rules in a wide and in a narrow window."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        if ALBUM:
            page.screenshot(path=Path(ALBUM) / f"{name}-{width}.png", full_page=True)
        assert overflow(page) == 0
        assert axe_violations(page) == []


@pytest.mark.parametrize("name", ["form", "list", by_night("detail")])
def test_a_page_of_every_component(page: Page, portal: str, person: User, name: str) -> None:
    sign_in(page, person, portal)
    page.goto(f"/gallery/{name}/")

    check(page, name)


def test_a_refused_form(page: Page, portal: str, person: User) -> None:
    sign_in(page, person, portal)
    page.goto("/gallery/form/")
    page.get_by_label("Employer’s business number").fill("12\u202e3")
    press(page.get_by_role("button", name="Request access"))

    assert page.evaluate("document.activeElement.className").startswith("gcds-error-summary")
    check(page, "form-errors")
    page.get_by_role("link", name="The text held characters").click()
    assert page.evaluate("document.activeElement.id") == "id_ask-bn9"


@pytest.mark.parametrize("address", [by_night("en-ca/account/login"), "fr-ca/account/login"])
def test_a_page_before_signing_in(page: Page, address: str) -> None:
    page.goto(f"/{address}/")
    check(page, address.replace("/", "-"))
    press(page.get_by_role("button").first)

    check(page, f"{address.replace('/', '-')}-refused")


@pytest.mark.parametrize("name", ["email", by_night("password/change")])
def test_a_page_of_the_account(page: Page, portal: str, person: User, name: str) -> None:
    sign_in(page, person, portal)
    page.goto(f"/en-ca/account/{name}/")

    check(page, name.replace("/", "-"))


def test_without_scripts_a_form_is_sent_and_refused(
    plain_page: Page, portal: str, person: User
) -> None:
    sign_in(plain_page, person, portal)
    plain_page.goto("/gallery/form/")
    press(plain_page.get_by_role("button", name="Request access"))

    assert plain_page.get_by_role("heading", name="There are").is_visible()


def test_the_second_click_sends_nothing(page: Page, portal: str, person: User) -> None:
    sign_in(page, person, portal)
    page.goto("/gallery/form/")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.evaluate(
        "() => { const b = document.querySelector('.button--role-primary'); b.click(); b.click(); }"
    )
    page.get_by_role("heading", name="There are").wait_for()

    assert len(sent) == 1
