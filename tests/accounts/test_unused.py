"""Profiles that nobody uses: warned of at 150 and 170 days, used again from 180 on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import Language, User
from accounts.unused import warn_of_unused
from audit.models import Event
from notices.services import send_due
from tests.accounts.people import PASSWORD, code_in, give_profile, sign_up

LEAP_DAY = datetime(2028, 2, 29, 17, 0, tzinfo=UTC)


@pytest.fixture(params=[None, LEAP_DAY], ids=["any day", "February 29"])
def used_at(request: pytest.FixtureRequest, person: User, at: datetime) -> datetime:
    """When the person signed in last: the time that goes by is the same, whatever its days."""
    since: datetime = request.param or at.astimezone(UTC)
    User.objects.filter(pk=person.pk).update(last_login=since)
    return since


def test_a_person_is_warned_once_at_each_boundary(used_at: datetime) -> None:
    second = timedelta(seconds=1)
    told = [
        warn_of_unused(at=used_at + timedelta(days=days) + offset)
        for days in (150, 170, 180)
        for offset in (-second, 0 * second, second)
    ]
    assert told == [0, 1, 0, 0, 1, 0, 0, 0, 0]


def test_whoever_is_late_tells_the_nearest_boundary_alone(used_at: datetime) -> None:
    assert warn_of_unused(at=used_at + timedelta(days=175)) == 1
    assert warn_of_unused(at=used_at + timedelta(days=176)) == 0
    send_due()
    assert mail.outbox[-1].subject == "Your profile has not been used for a while"


def test_only_who_could_sign_in_is_written_to_and_in_their_language(
    person: User, at: datetime
) -> None:
    long_ago = at - timedelta(days=151)
    newcomer = sign_up("new@example.ca")
    french = give_profile(sign_up("rene@example.ca", Language.FRENCH), at)
    User.objects.filter(pk=french.pk).update(language=Language.FRENCH, date_joined=long_ago)
    gone = give_profile(sign_up("gone@example.ca"), at)
    User.objects.filter(pk__in=[newcomer.pk, gone.pk, person.pk]).update(last_login=long_ago)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert warn_of_unused(at=at) == 2
    send_due()
    assert {one.to[0] for one in mail.outbox} == {"rene@example.ca", person.email}
    assert len({one.subject for one in mail.outbox}) == 2


@pytest.mark.parametrize(("seconds", "is_told"), [(-1, False), (0, True), (1, True)])
def test_a_second_factor_makes_an_unused_profile_active_again(
    clock: Any,
    person: User,
    at: datetime,
    mailoutbox: list[EmailMessage],
    seconds: int,
    is_told: bool,
) -> None:
    User.objects.filter(pk=person.pk).update(last_login=at)
    clock.shift(timedelta(days=180, seconds=seconds))
    client = Client()
    sent = client.post("/en-ca/account/login/", {"login": person.email, "password": PASSWORD})
    assert not Event.objects.filter(verb="profile.reactivate").exists(), "A password is not enough."
    page = client.post(sent["Location"], {"code": code_in(mailoutbox)}, follow=True)
    assert ("It is active again." in page.content.decode()) is is_told
    assert Event.objects.filter(verb="profile.reactivate").exists() is is_told
