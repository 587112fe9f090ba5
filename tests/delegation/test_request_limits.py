"""Nobody floods the portal with requests, and managers read of what waits once a day."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.models import AccessRequest, RelationshipRequest, RequestTally
from delegation.services.digests import tell_what_waits
from delegation.services.employees import create_access_request, withdraw_access_request
from tests.delegation.reading import as_, words
from tests.world import World, done, next_bn9

SECONDS_TO_READ = 20
NOTE = "I prepare the declarations."


def ask(browser: Client, bn9: str) -> Any:
    return browser.post(reverse("access_request_create"), {"bn9": bn9, "note": NOTE})


@pytest.mark.asvs("2.3.2", "2.4.1")
@pytest.mark.usefixtures("clock")
def test_a_person_who_asks_too_often_reads_when_to_try_again(
    world: World, maple: BusinessAccount, settings: Any
) -> None:
    """The same page for a registered number and for one that nobody registered."""
    settings.ACCESS_REQUESTS_A_DAY = 2
    browser = as_(world.person("Eve"))
    assert [ask(browser, next_bn9()).status_code for _ in range(2)] == [302, 302]

    answers = [ask(browser, bn9) for bn9 in (maple.bn9, next_bn9())]

    for answer in answers:
        assert answer.status_code == 429
        assert answer["Retry-After"] == str(13 * 3600 + 1800 + 1)
        assert "Nothing was sent. Try again on November 24, 2026" in words(answer)
        assert answer.context["form"]["note"].value() == NOTE
    assert AccessRequest.objects.count() == 2
    assert Event.objects.filter(verb="access_request.create.refused").count() == 1
    tally = RequestTally.objects.get()
    assert (tally.asked, tally.turned_away) == (2, 2)
    world.later(days=1).access_request("Eve", maple)


def test_a_person_has_a_number_of_requests_waiting_at_most(world: World, settings: Any) -> None:
    settings.ACCESS_REQUESTS_WAITING = 1
    first, eve = world.access_request("Eve", next_bn9()), world.person("Eve")
    about = {"actor": eve, "note": NOTE, "wishes": {}, "at": world.at}

    refused = create_access_request(bn9=next_bn9(), **about)

    assert isinstance(refused, Refusal) and refused.code == "too_many_waiting"
    done(withdraw_access_request(actor=eve, access_request=first, at=world.at))
    done(create_access_request(bn9=next_bn9(), **about))


@pytest.mark.asvs("2.3.2")
@pytest.mark.usefixtures("clock")
def test_a_firm_that_asks_too_often_loses_nothing_that_it_entered(
    world: World, maple: BusinessAccount, itn: BusinessAccount, settings: Any
) -> None:
    settings.RELATIONSHIP_REQUESTS_A_DAY = 1
    world.relationship_request(itn, next_bn9())
    entered = {
        "client_bn9": maple.bn9,
        "level": "business",
        "ceiling": "editor",
        "visibility_broker": "view",
        "visibility_importer": "none",
        "visibility_other": "none",
        "comment": "We clear your goods.",
    }

    address = reverse("relationship_request_create", kwargs={"bn9": itn.bn9})
    answer = as_(world.manager(itn)).post(address, entered)

    assert answer.status_code == 429
    assert "Try again on November 24, 2026" in words(answer)
    assert answer.context["form"]["comment"].value() == "We clear your goods."
    assert RelationshipRequest.objects.count() == 1


class Together:
    """The tally without its lock: whoever has read it waits until the other has read it too."""

    def __init__(self) -> None:
        self.read = Barrier(2)

    def get(self, **which: Any) -> RequestTally:
        row = RequestTally.objects.get(**which)
        self.read.wait(SECONDS_TO_READ)
        return row


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, pytest.param(False, marks=pytest.mark.postgres)])
def test_requests_at_once_are_counted_one_by_one(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    """Two ask at once where one more may: without the lock, the control, both go through."""
    settings.ACCESS_REQUESTS_A_DAY = 2
    eve = world.person("Eve")
    world.access_request("Eve", next_bn9())
    numbers = [next_bn9() for _ in range(2)]
    if not is_locked:
        together = Together()
        monkeypatch.setattr(RequestTally.objects, "select_for_update", lambda: together)

    def work(bn9: str) -> None:
        try:
            create_access_request(actor=eve, bn9=bn9, note=NOTE, wishes={}, at=world.at)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, numbers))

    assert AccessRequest.objects.count() == (2 if is_locked else 3)


# ---------------------------------------------------------------- digests


@pytest.mark.usefixtures("clock")
def test_a_digest_says_what_waits_and_since_when(
    world: World, maple: BusinessAccount, django_capture_on_commit_callbacks: Any
) -> None:
    """Sent by the command, once; a request itself sends nothing."""
    world.earlier(days=3).access_request("Ana", maple)
    world.access_request("Eve", maple)
    mail.outbox.clear()

    with django_capture_on_commit_callbacks(execute=True):
        call_command("send_due_notices")
        call_command("send_due_notices")

    [letter] = mail.outbox
    assert letter.subject == "2 access requests are waiting for you"
    assert "2 are new since the last message." in letter.body
    assert "- waiting since November 20, 2026, lapses after January 19, 2027" in letter.body
    assert "Ana" not in letter.body


def test_the_next_digest_comes_another_day_and_only_for_something_new(
    world: World, maple: BusinessAccount
) -> None:
    def told(days: int) -> int:
        return tell_what_waits(at=world.later(days=days).at)

    world.access_request("Ana", maple)
    assert [told(0), told(0), told(1), told(2)] == [1, 0, 0, 0]
    world.later(days=2).access_request("Eve", maple)
    assert [told(2), told(3)] == [1, 0]
    world.later(days=3).access_request("Zoe", maple)
    world.later(days=3).access_request("Ben", maple)
    assert [told(3), told(4)] == [1, 0]
    world.later(days=4, hours=1).access_request("Una", maple)
    world.later(days=4, hours=2).relationship_request(world.broker("ITN"), maple)
    assert [told(4), told(5)] == [0, 2]


def test_a_request_that_was_first_is_told_of_once_the_business_is_registered(
    world: World,
) -> None:
    bn9 = next_bn9()
    world.access_request("Ana", bn9)
    assert tell_what_waits(at=world.at) == 0

    world.importer("Maple", bn9=bn9)

    assert tell_what_waits(at=world.at) == 1
