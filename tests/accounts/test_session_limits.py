"""How long a session lasts, what makes it longer, and how whoever it was learns that it is over.

Each case is a story of one browser without a script; `tests/browser` has the warning.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import end_sessions
from tests.accounts.people import come_in

pytestmark = pytest.mark.usefixtures("idle_limit")

PAGE, FORM = "/en-ca/profile/", "/en-ca/profile/edit/"
STAY, STATUS = "/en-ca/account/session/", "/en-ca/account/session/status/"
SESSIONS = "/en-ca/account/sessions/"
IDLE, LONGEST = 20 * 60, 12 * 60 * 60


def is_signed_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


@pytest.fixture
def browser(person_client: Client, clock: Any) -> Client:
    """A browser in which a person has just opened a page, while the clock stands."""
    assert is_signed_in(person_client)
    return person_client


def set_times(client: Client, times: Any) -> None:
    session = client.session
    session["times"] = times
    session.save()


@pytest.mark.asvs("7.3.1", "7.3.2")
@pytest.mark.parametrize("seconds", [-1, 0, 1], ids=["a second before", "then", "a second after"])
@pytest.mark.parametrize("limit", ["idle", "longest", "shortened"])
def test_a_session_ends_at_the_second(
    browser: Client, clock: Any, settings: Any, at: datetime, limit: str, seconds: int
) -> None:
    """Periods are half-open, and the settings decide."""
    if limit == "idle":
        clock.shift(IDLE + seconds)
    elif limit == "longest":
        clock.shift(LONGEST + seconds)
        set_times(browser, [at.timestamp(), at.timestamp() + LONGEST - 60])
    else:
        settings.SESSION_IDLE_MINUTES, settings.SESSION_LONGEST_HOURS = 90, 1
        clock.shift(60 * 60 + seconds)
    assert is_signed_in(browser) is (seconds < 0)


def page(client: Client) -> None:
    assert is_signed_in(client)


MAKES_LONGER: dict[str, tuple[Callable[[Client], Any], bool]] = {
    "a page": (page, True),
    "a form that is refused": (lambda client: client.post(FORM, {}), True),
    "the page to stay": (lambda client: client.get(STAY), True),
    "its button": (lambda client: client.post(STAY), True),
    "a page that is only looked for": (lambda client: client.head(PAGE), True),
    "the question of an open page": (lambda client: client.get(STATUS), False),
    "a check of the portal's health": (lambda client: client.get("/healthz/"), False),
    "an address that is not there": (lambda client: client.get("/favicon.ico"), False),
    "nothing": (lambda client: None, False),
}


@pytest.mark.parametrize("act", MAKES_LONGER)
def test_what_makes_a_session_longer(browser: Client, clock: Any, act: str) -> None:
    does, makes_longer = MAKES_LONGER[act]
    clock.shift(IDLE - 1)
    does(browser)
    clock.shift(IDLE - 1)
    assert is_signed_in(browser) is makes_longer


def test_a_session_is_written_once_a_minute_and_never_lasts_beyond_its_time(
    browser: Client, clock: Any
) -> None:
    def written() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert is_signed_in(browser)
        return sum("UPDATE" in one["sql"] and "django_session" in one["sql"] for one in asked)

    clock.shift(59)
    assert written() == 0
    clock.shift(1)
    assert [written(), written()] == [1, 0]
    clock.shift(30)
    assert written() == 0
    clock.shift(IDLE - 31)
    assert browser.get(STATUS).json()["seconds"] == 1
    clock.shift(1)
    assert not is_signed_in(browser)


def test_a_session_is_extended_many_times_and_not_beyond_its_longest(
    browser: Client, clock: Any
) -> None:
    extended = 0
    while browser.post(STAY).headers["Location"] == STAY:
        extended += 1
        left = browser.get(STATUS).json()
        assert left["can_be_extended"] is (extended <= 37)
        clock.shift(19 * 60)
    assert extended == 38 and "12 hours at most" in browser.get(PAGE, follow=True).content.decode()


FORGED: dict[str, Any] = {
    "words": "soon",
    "a list of words": ["a", "b"],
    "one moment": [1],
    "beyond every calendar": [1e300, 1e300],
    "nothing": [None, None],
}


@pytest.mark.parametrize("times", FORGED)
def test_times_that_cannot_be_read_were_long_ago(browser: Client, times: str) -> None:
    set_times(browser, FORGED[times])
    assert not is_signed_in(browser)


def test_nothing_that_a_browser_sends_makes_a_session_younger(
    browser: Client, clock: Any, at: datetime
) -> None:
    later = str(at.timestamp() + IDLE)
    browser.cookies["times"] = browser.cookies["session_times"] = later
    browser.cookies["sessionid"]["max-age"] = 10**9
    clock.shift(IDLE)
    sent = {"times": later, "began": later, "seen": later}
    response = browser.post(STAY, sent, headers={"date": "Mon, 23 Nov 2026 15:40:00 GMT"})
    assert response["Location"].startswith("/en-ca/account/login/")
    assert not is_signed_in(browser)


def test_a_moment_to_come_gives_no_more_time(browser: Client, clock: Any, at: datetime) -> None:
    """The clock of another server, or one that was set back."""
    set_times(browser, [at.timestamp(), at.timestamp() + 3 * 60 * 60])
    assert is_signed_in(browser)
    clock.shift(IDLE)
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    ("utc", "said"),
    [
        (datetime(2026, 11, 1, 5, 45, tzinfo=UTC), "1:05 a.m. ET"),
        (datetime(2027, 3, 14, 6, 50, tzinfo=UTC), "3:10 a.m. ET"),
    ],
    ids=["clocks go back", "clocks go forward"],
)
def test_twenty_minutes_are_twenty_minutes_on_the_day_the_clocks_change(
    client: Client, person: User, clock: Any, utc: datetime, said: str
) -> None:
    clock.move_to(utc)
    client.force_login(person)
    shown = client.get(PAGE).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert f"you are signed out at {said}." in shown
    clock.shift(IDLE - 1)
    assert client.get(STATUS).json()["seconds"] == 1
    clock.shift(1)
    assert client.get(STATUS).json() == {"seconds": 0}


# ---------------------------------------------------------------- afterwards


def over(client: Client, clock: Any) -> None:
    clock.shift(IDLE)


def too_long(client: Client, clock: Any) -> None:
    now = datetime.now(UTC).timestamp()
    set_times(client, [now - LONGEST, now])


def ended_elsewhere(client: Client, clock: Any) -> None:
    there = Client()
    there.force_login(User.objects.get())
    assert there.post(SESSIONS).status_code == 302


def disabled(client: Client, clock: Any) -> None:
    User.objects.update(is_active=False)


def off_boarded(client: Client, clock: Any) -> None:
    end_sessions(person=User.objects.get())


def another_password(client: Client, clock: Any) -> None:
    person = User.objects.get()
    person.set_password("spruce-and-birch-81")
    person.save()


ENDS: dict[Callable[[Client, Any], None], tuple[str, str]] = {
    over: ("you opened no page for 20 minutes", "aucune page pendant 20 minutes"),
    too_long: ("a sign-in lasts 12 hours at most", "12 heures au plus"),
    ended_elsewhere: ("this sign-in was ended", "Votre session a été fermée"),
    disabled: ("this sign-in was ended", "Votre session a été fermée"),
    off_boarded: ("this sign-in was ended", "Votre session a été fermée"),
    another_password: ("this sign-in was ended", "Votre session a été fermée"),
}


@pytest.mark.asvs("7.4.1", "14.3.1")
@pytest.mark.parametrize("ends", ENDS, ids=lambda ends: ends.__name__)
def test_whoever_was_signed_in_is_told_why_once_and_the_cookie_is_dead(
    browser: Client, clock: Any, ends: Callable[[Client, Any], None]
) -> None:
    english, french = ENDS[ends]
    cookie = browser.cookies["sessionid"].value
    UserSession.objects.create(
        user=User.objects.get(), session_key=cookie, ip="127.0.0.1", user_agent=""
    )
    ends(browser, clock)

    response = browser.get("/fr-ca/profile/")
    assert response["Location"] == "/fr-ca/account/login/?next=/fr-ca/profile/"
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert french in browser.get(response["Location"]).content.decode()
    told = browser.get(response["Location"])
    assert french not in told.content.decode() and "Clear-Site-Data" not in told
    assert "_auth_user_id" not in browser.session

    replayed = Client()
    replayed.cookies["sessionid"] = cookie
    assert replayed.get(PAGE).status_code == 302
    assert not UserSession.objects.filter(session_key=cookie).exists()
    assert english not in french


def test_signing_in_again_begins_anew(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    cookie = browser.cookies["sessionid"].value
    clock.shift(IDLE)
    assert browser.get(PAGE)["Location"] == f"/en-ca/account/login/?next={PAGE}"
    waiting = browser.cookies["sessionid"].value
    assert come_in(browser, person.email, mailoutbox, PAGE) == PAGE
    clock.shift(IDLE - 1)
    assert is_signed_in(browser)
    now = browser.cookies["sessionid"].value
    assert now not in {cookie, waiting}
    for old in (cookie, waiting):
        assert not Session.objects.filter(session_key=old).exists()


def test_the_time_begins_with_the_sign_in_and_not_with_the_next_page(
    client: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    come_in(client, person.email, mailoutbox)
    clock.shift(IDLE)
    assert not is_signed_in(client)


def test_two_tabs_that_find_the_end_go_on_as_one(browser: Client, clock: Any) -> None:
    other_tab = Client()
    other_tab.cookies["sessionid"] = browser.cookies["sessionid"].value
    clock.shift(IDLE)
    browser.get(STATUS)
    other_tab.get(STATUS)
    assert browser.session["was"] == other_tab.session["was"]
    assert browser.cookies["sessionid"].value == other_tab.cookies["sessionid"].value


@pytest.mark.asvs("7.4.1", "14.3.1")
def test_signing_out_leaves_nothing(browser: Client) -> None:
    cookie = browser.cookies["sessionid"].value
    response = browser.post("/en-ca/account/logout/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert "was" not in browser.session
    replayed = Client()
    replayed.cookies["sessionid"] = cookie
    assert not is_signed_in(replayed)
    assert not SessionStore().exists(cookie)


def test_the_list_of_sessions_has_none_that_are_over(
    client: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    EmailAddress.objects.get_or_create(user=person, email=person.email, verified=True)
    there = Client()
    come_in(there, person.email, mailoutbox)
    clock.shift(IDLE - 1)
    come_in(client, person.email, mailoutbox)
    assert client.get(SESSIONS).content.decode().count('<th scope="row">') == 2
    clock.shift(1)
    assert client.get(SESSIONS).content.decode().count('<th scope="row">') == 1
    assert "no page for 20 minutes" in there.get(PAGE, follow=True).content.decode()


def test_sessions_that_are_over_are_forgotten(
    client: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    come_in(client, person.email, mailoutbox)
    clock.shift(timedelta(hours=23))
    call_command("forget_sessions", verbosity=0)
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 1)
    clock.shift(timedelta(hours=1, seconds=1))
    call_command("forget_sessions", verbosity=0)
    assert (Session.objects.count(), UserSession.objects.count()) == (0, 0)


def test_the_limits_are_those_that_the_pages_and_the_decision_tell(
    settings: Any, idle_limit: int
) -> None:
    told = settings.SESSION_IDLE_MINUTES, settings.SESSION_LONGEST_HOURS
    assert told == (20, 12)
    assert settings.SESSION_WARNING_MINUTES == 3
    assert settings.SESSION_COOKIE_AGE > LONGEST, "Whoever comes back is still known."
