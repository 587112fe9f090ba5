"""The last day on which a person used the portal for a business: written by reading, once a day."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import Membership
from tests.delegation.reading import as_, words
from tests.world import World


def home(business: BusinessAccount) -> str:
    return reverse("business_home", kwargs={"bn9": business.bn9})


def used(name: str, business: BusinessAccount, world: World) -> str:
    held = Membership.objects.get(person=world.person(name), business=business)
    return str(held.last_used_on)


def test_reading_notes_the_local_day_once(
    world: World, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    zebra = world.importer("Zebra")
    person = world.employee("Eve", maple, RM0001="reader")
    world.member("Eve", zebra)
    assert used("Eve", maple, world) == "None"

    def writes(method: str = "get") -> int:
        with CaptureQueriesContext(connection) as captured:
            getattr(eve, method)(home(maple))
        told = [query["sql"] for query in captured.captured_queries]
        return sum(one.startswith("UPDATE") and "django_session" not in one for one in told)

    # In Toronto it is still the 23rd.
    clock.move_to(world.at.replace(hour=23, minute=30))
    eve = as_(person)
    assert [writes(), writes()] == [1, 0]
    assert used("Eve", maple, world) == "2026-11-23"
    assert used("Eve", zebra, world) == "None", "An employer learns nothing of work elsewhere."
    clock.shift(timedelta(hours=1))
    assert [writes("post"), writes("head"), writes()] == [0, 1, 0]
    assert used("Eve", maple, world) == "2026-11-24"


@pytest.mark.usefixtures("clock")
def test_managers_read_who_used_the_account_and_who_never_did(
    world: World, maple: BusinessAccount
) -> None:
    eve = world.employee("Eve Early", maple, RM0001="reader")
    boss = as_(world.manager(maple))
    people = reverse("employee_list", kwargs={"bn9": maple.bn9})
    assert "Not yet" in words(boss.get(people))
    as_(eve).get(home(maple))
    page = words(boss.get(people))
    assert "Not yet" not in page and page.count("November 23, 2026") == 2
    membership = eve.memberships.get()
    page = words(boss.get(reverse("employee_detail", args=[maple.bn9, membership.pk])))
    assert "Last used November 23, 2026" in page and "Last sign-in" not in page
