"""The wizard in Chromium: every page in every state, in both languages, wide and narrow."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from registration.models import Outcome, Registration
from tests.browser.looks import wrongs
from tests.chromium import press, sign_in
from tests.conftest import by_night
from tests.registration.claims import ENTITY, claim, put_on_file
from tests.world import World


@pytest.fixture
def world(transactional_db: None) -> World:
    """Businesses and people of today: a browser lives by the clock on the wall."""
    return World(timezone.now())


class Walk:
    """A person who fills in pages and looks at each."""

    def __init__(self, page: Page, language: str) -> None:
        self.page, self.language = page, language

    def look(self, state: str) -> None:
        """Nothing is wrong with the page as it is now."""
        found = wrongs(self.page, self.language)
        assert not found, f"{state}:\n" + "\n".join(found)

    def go_on(self, **typed: str) -> None:
        """Fill in the fields and press the one primary button."""
        for name, text in typed.items():
            field = self.page.locator(f"#id_{name}")
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)
        press(self.page.locator("main button.button--role-primary"))

    def follow(self, ending: str) -> None:
        """Follow the first link whose address ends so."""
        press(self.page.locator(f'main a[href$="{ending}"]').first)


@pytest.mark.parametrize("language", [by_night("en-ca"), by_night("fr-ca")])
def test_every_page_of_a_registration(
    new_page: Callable[..., Page],
    portal: str,
    world: World,
    person: User,
    language: str,
) -> None:
    bn9 = put_on_file(emails=["finance@prairie.example"])
    world.relationship_request(world.broker("ITN Logistics"), bn9)
    page = new_page()
    sign_in(page, person, portal)
    page.goto(f"/{language}/register/")
    walk = Walk(page, language)

    fail_once(walk, bn9)
    ask_for_a_review(walk)
    succeed(walk)

    outcomes = Registration.objects.order_by("started_at").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.IN_REVIEW, Outcome.REGISTERED]


def fail_once(walk: Walk, bn9: str) -> None:
    """Every step, with its errors, up to a failure."""
    walk.look("start")
    walk.go_on()
    walk.look("number")
    walk.go_on(bn9="888316172", extension="")
    walk.look("number-errors")
    walk.go_on(bn9=f"{bn9[:5]} {bn9[5:]} RM 0001", extension="")
    walk.look("entity")
    walk.go_on(**ENTITY | {"legal_name": "", "postal_code": "12"})
    walk.look("entity-errors")
    walk.go_on(**ENTITY | {"legal_name": "Prairie Moon"})
    walk.look("questions")
    walk.go_on(payment_on="2024-08-31", statement_balance="0.00")
    walk.look("questions-errors")
    walk.go_on(payment_amount="7205.19", statement_on="2024-09-25", statement_balance="9.99")
    walk.look("terms")
    walk.go_on()
    walk.look("terms-error")
    walk.page.locator('label[for="id_accepted"]').click()
    walk.go_on()
    walk.look("review")
    walk.go_on()
    walk.look("outcome")


def ask_for_a_review(walk: Walk) -> None:
    walk.follow("/review-request/")
    walk.look("review-request")
    walk.go_on()
    walk.look("review-request-error")
    walk.go_on(note="Prairie Sun, Saskatoon.")
    walk.look("in-review")


def succeed(walk: Walk) -> None:
    """Again, with the right answers and one change from the review."""
    press(walk.page.locator('main form[action$="/register/"] button'))
    walk.go_on(
        payment_on="2024-08-31",
        payment_amount="7205.19",
        statement_on="2024-09-25",
        statement_balance="18 425,38 $",
    )
    walk.follow("#id_legal_name")
    walk.go_on(legal_name="Prairie Sun Foods Inc.")
    walk.look("review-again")
    walk.go_on()
    walk.look("receipt")
    press(walk.page.locator("main form button.button-link"))
    walk.look("receipt-put-off")


def test_the_page_when_no_try_is_left(page: Page, portal: str, world: World, person: User) -> None:
    bn9 = put_on_file()
    for _ in range(3):
        claim(person, bn9, world.at, legal_name="Wrong")
    locked = claim(person, bn9, world.at)
    sign_in(page, person, portal)

    page.goto(f"/en-ca/register/{locked.pk}/")

    Walk(page, "en-ca").look("locked")
