"""The continuity page: what a manager, a successor and anybody else of the business reads."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import Membership, Succession
from tests.delegation.reading import as_, words
from tests.delegation.successors import claimed, named
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def url(business: BusinessAccount) -> str:
    return reverse("continuity_detail", kwargs={"bn9": business.bn9})


def act(name: str, row: Succession) -> str:
    return reverse(name, kwargs={"bn9": row.business.bn9, "pk": row.pk})


@pytest.fixture
def eve(world: World, maple: BusinessAccount) -> User:
    return world.employee("Eve", maple, RM0001="reader")


def test_a_manager_names_an_employee(world: World, maple: BusinessAccount, eve: User) -> None:
    browser = as_(world.manager(maple))
    assert "Name a second Business Account Manager" in words(browser.get(url(maple)))
    member = Membership.objects.get(person=eve)
    parts = {"bn9": maple.bn9, "pk": member.pk}
    name = reverse("successor_nominate", kwargs=parts)
    assert name in browser.get(reverse("employee_detail", kwargs=parts)).content.decode()
    assert "This gives no right" in words(browser.get(name))

    answer = browser.post(name, follow=True)

    assert "Eve is named as successor of Maple" in words(answer)
    assert "Begin the waiting period" not in words(answer)
    assert browser.post(name).status_code == 409


def test_a_successor_claims_with_a_reason(world: World, maple: BusinessAccount, eve: User) -> None:
    row, browser = named(world, maple, eve), as_(eve)
    assert "Begin the waiting period" in words(browser.get(url(maple)))
    refused = browser.post(act("succession_claim", row), {"version": 1, "reason": " "})
    assert refused.status_code == 422 and "Write why the business needs you now." in words(refused)

    claim = browser.post(act("succession_claim", row), {"version": 1, "reason": "Gone"})

    assert claim.status_code == 302
    page = words(browser.get(url(maple)))
    assert "Waiting period" in page and "December 7, 2026" in page and "Take over" not in page
    early = browser.post(act("succession_take_over", row), {"version": 2})
    assert early.status_code == 409 and "The waiting period lasts until" in words(early)


def test_a_manager_stops_with_one_click(world: World, maple: BusinessAccount, eve: User) -> None:
    row, browser = claimed(world, maple, eve), as_(world.manager(maple))
    assert "Stop the succession" in words(browser.get(url(maple)))
    begun = "Eve asked to become Business Account Manager"
    for name in ("business_home", "employee_list"):
        assert begun in words(browser.get(reverse(name, kwargs={"bn9": maple.bn9})))
    assert begun not in words(as_(eve).get(reverse("business_home", kwargs={"bn9": maple.bn9})))
    answer = browser.post(act("succession_stop", row), {"version": 2}, follow=True)
    assert "You stopped the succession of Eve in Maple" in words(answer)
    assert "Stopped" in words(as_(eve).get(url(maple)))
    home = reverse("business_home", kwargs={"bn9": maple.bn9})
    assert begun not in words(browser.get(home))


def test_after_the_waiting_period_the_successor_takes_over(
    world: World, maple: BusinessAccount, eve: User, clock: time_machine.Traveller
) -> None:
    row = claimed(world, maple, eve)
    clock.move_to(world.at + timedelta(days=14))
    browser = as_(eve)
    assert "Take over" in words(browser.get(url(maple)))
    browser.post(act("succession_take_over", row), {"version": 2})
    page = words(browser.get(url(maple)))
    assert "The business can rely on 2 managers" in page and "You are now Business" in page


def test_others_learn_that_a_successor_is_named_and_not_who(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    named(world, maple, eve)
    page = words(as_(world.employee("Rea", maple, RM0001="reader")).get(url(maple)))
    assert "A successor is named." in page and "Eve" not in page
    assert "Maple manager" in page
