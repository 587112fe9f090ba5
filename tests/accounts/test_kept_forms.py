"""A form that is sent when its session is over: kept for whoever wrote it, and never acted on."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings as portal_settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import User
from accounts.second_factor.factors import app_code
from accounts.services import end_sessions
from accounts.sessions.kept import MOST_CHARACTERS, NEVER_KEPT
from ccp.protection import SECRETS
from pages.once import drawn_key
from tests.accounts.factors import CODES, LIST, add_app, add_passkey, codes_on, now
from tests.accounts.people import PASSWORD, come_in, give_profile, sign_up
from tests.accounts.sandbox import Provider
from tests.conftest import by_night

pytestmark = pytest.mark.usefixtures("idle_limit")

EDIT, KEPT = "/en-ca/profile/edit/", "/en-ca/account/kept-form/"
LEFT = "/en-ca/account/kept-form/create/"
TO_SIGN_IN = f"/en-ca/account/login/?next={KEPT}"
OWN, FOREIGN = "http://testserver", "https://evil.example"
IDLE = 20 * 60
WROTE = {
    "given_name": "Zoë<b>",
    "family_name": "O’Hara and sons",
    "telephone": "613-555-0199",
    "telephone_extension": "",
    "language": "fr-ca",
}


def wrote(person: User | None = None, **changed: str) -> dict[str, str]:
    """What a person, the first of the test, sends from a page of the portal."""
    person = person or User.objects.order_by("pk").first()
    return WROTE | changed | {"form_key": str(drawn_key(person.pk if person else None))}


@pytest.fixture(autouse=True)
def portal_of_tests(settings: Any) -> None:
    """The portal is where the test client says that it is."""
    settings.PORTAL_URL = OWN


@pytest.fixture
def browser(clock: Any, person_client: Client) -> Client:
    """A browser in which a person has opened the page of a form, while the clock stands."""
    assert person_client.get(EDIT).status_code == 200
    return person_client


def shown(client: Client, page: str = KEPT) -> str:
    response = client.get(page)
    assert response.status_code == 200, response
    return response.content.decode()


def is_kept(client: Client) -> bool:
    return "<h1>What you wrote is kept" in shown(client)


def value(page: str, name: str) -> str:
    """What an input of the page holds."""
    [tag] = re.findall(rf"<input[^>]*name=\"{name}\"[^>]*>", page)
    found = re.search(r'value="([^"]*)"', tag)
    return found[1] if found else ""


def idle(client: Client, clock: Any) -> None:
    clock.shift(IDLE)


def found_over_by_another_tab(client: Client, clock: Any) -> None:
    clock.shift(IDLE)
    client.get("/en-ca/profile/")


def ended_elsewhere(client: Client, clock: Any) -> None:
    key = client.session.session_key
    person = User.objects.get()
    UserSession.objects.create(user=person, session_key=key, ip="127.0.0.1", user_agent="")
    there = Client()
    there.force_login(User.objects.get())
    there.post("/en-ca/account/sessions/")


def off_boarded(client: Client, clock: Any) -> None:
    end_sessions(person=User.objects.get())


ENDS: list[Callable[[Client, Any], None]] = [
    idle, found_over_by_another_tab, ended_elsewhere, off_boarded,
]  # fmt: skip


@pytest.mark.parametrize("ends", ENDS, ids=lambda ends: ends.__name__)
def test_what_was_sent_too_late_is_there_after_signing_in_again(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage],
    ends: Callable[[Client, Any], None],
) -> None:  # fmt: skip
    old_key = value(shown(browser, EDIT), "form_key")
    ends(browser, clock)

    response = browser.post(EDIT, wrote())
    assert response["Location"] == TO_SIGN_IN
    said = browser.get(TO_SIGN_IN).content.decode()
    assert "What you wrote is kept" in said
    assert come_in(browser, person.email, mailoutbox, KEPT) == KEPT
    page = shown(browser)
    assert EDIT in page and "O’Hara and sons" in page and "Zoë" not in page

    assert browser.post(KEPT)["Location"] == EDIT
    page = shown(browser, EDIT)
    assert value(page, "given_name") == "Zoë&lt;b&gt;"
    assert value(page, "telephone") == "613-555-0199"
    assert value(page, "telephone_extension") == ""
    assert re.search(r'value="fr-ca"[^>]* checked', page)
    assert not re.search(r'name="notify_by_email"[^>]* checked', page)
    assert value(page, "form_key") not in {old_key, ""}
    person.refresh_from_db()
    assert person.last_name == "Okafor", "Nothing was done without a click."

    assert browser.post(EDIT, wrote())["Location"] == "/fr-ca/profile/"
    person.refresh_from_db()
    assert person.last_name == "O’Hara and sons"
    assert not is_kept(browser)


def test_another_person_never_sees_it(
    browser: Client, person: User, clock: Any, at: datetime, mailoutbox: list[EmailMessage]
) -> None:
    give_profile(sign_up("bo@example.ca"), at)
    clock.shift(IDLE)
    browser.post(EDIT, wrote())
    come_in(browser, "bo@example.ca", mailoutbox, KEPT)
    page = shown(browser)
    assert "Nothing is kept" in page and "O’Hara" not in page
    assert "kept_form" not in browser.session
    assert "O’Hara" not in shown(browser, EDIT)
    assert "Nothing is kept" in browser.post(KEPT).content.decode()

    browser.post("/en-ca/account/logout/")
    come_in(browser, person.email, mailoutbox, KEPT)
    assert not is_kept(browser)


def test_it_is_kept_for_whom_its_page_was_made(
    browser: Client, person: User, clock: Any, at: datetime, mailoutbox: list[EmailMessage]
) -> None:
    """Neither the next person at the desk nor whoever sits there meanwhile puts words in a form."""
    eve = give_profile(sign_up("eve@example.ca"), at)
    clock.shift(IDLE)
    browser.post(EDIT, wrote(eve))
    browser.post(EDIT, WROTE)
    come_in(browser, person.email, mailoutbox)
    assert not is_kept(browser)

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(eve)
    left_open = wrote(person) | {"csrfmiddlewaretoken": "from the page of somebody else"}
    assert strict.post(EDIT, left_open, headers={"origin": OWN}).status_code == 403
    assert not is_kept(strict)


@pytest.mark.parametrize("seconds", [-1, 0], ids=["a second before", "then"])
def test_it_is_kept_for_an_hour(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage], seconds: int
) -> None:
    clock.shift(IDLE)
    browser.post(EDIT, wrote())
    clock.shift(60 * 60 + seconds)
    come_in(browser, person.email, mailoutbox, KEPT)
    assert is_kept(browser) is (seconds < 0)


def test_it_lies_sealed_and_without_what_must_not_be_kept(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    clock.shift(IDLE)
    secrets = {
        "password": "canary one", "new_password2": "canary one", "code": "canary one",
        "link": "canary one", "consent": "canary one",
        "csrfmiddlewaretoken": "canary one", "seal": "canary one", "reset_token": "canary one",
        "file": SimpleUploadedFile("canary.txt", b"canary two"), "reason_code": "canary three",
    }  # fmt: skip
    browser.post(EDIT, wrote() | secrets)
    row = Session.objects.get(session_key=browser.session.session_key)
    assert "canary" not in str(row.get_decoded()) and "O’Hara" not in str(row.get_decoded())
    assert "canary" not in str(browser.cookies)
    come_in(browser, person.email, mailoutbox, KEPT)
    page = shown(browser)
    assert "canary three" in page and "Files are not kept" in page
    assert "canary one" not in page and "canary two" not in page


def forms_of(base: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    """Every form that pages have: to read the addresses makes them all."""
    assert get_resolver().url_patterns
    for one in base.__subclasses__():
        yield one
        yield from forms_of(one)


def left_open(found: Iterable[type[forms.BaseForm]]) -> set[str]:
    """The secret fields that would be kept: passwords, codes, keys, what proves a claim."""
    every = [name for names in SECRETS.values() for name in names.split()]
    answers = {name.split(".")[-1] for name in every if name.startswith("registration.")}
    fields = [pair for one in found for pair in getattr(one, "base_fields", {}).items()]
    secret = {
        name
        for name, field in fields
        if isinstance(field.widget, forms.PasswordInput)
        or field.widget.attrs.get("autocomplete") == "one-time-code"
        or "data-passkey" in field.widget.attrs
        or name in answers
    }
    return {name for name in secret if not NEVER_KEPT.fullmatch(name)}


def test_no_secret_field_of_any_form_is_kept() -> None:
    class Sample(forms.Form):
        pin = forms.CharField(widget=forms.PasswordInput)
        statement_balance = forms.CharField()

    assert left_open([Sample]) == {"pin"}
    found = {one for one in forms_of() if one is not Sample}
    assert len(found) > 50
    assert left_open(found) == set()


def test_of_two_the_later_is_kept_and_it_can_be_forgotten(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    clock.shift(IDLE)
    browser.post(EDIT, wrote() | {"family_name": "The first one"})
    browser.post(EDIT, wrote() | {"family_name": "The second one"})
    come_in(browser, person.email, mailoutbox, KEPT)
    page = shown(browser)
    assert "The second one" in page and "The first one" not in page
    assert browser.post(KEPT, {"discard": "yes"})["Location"] == "/en-ca/"
    assert not is_kept(browser)


def test_it_outlives_a_second_end(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    clock.shift(IDLE)
    browser.post(EDIT, wrote())
    come_in(browser, person.email, mailoutbox, KEPT)
    clock.shift(IDLE)
    assert browser.get(KEPT)["Location"] == TO_SIGN_IN
    come_in(browser, person.email, mailoutbox, KEPT)
    assert is_kept(browser)


def nobody(client: Client, clock: Any) -> None:
    client.cookies.clear()


def signed_out(client: Client, clock: Any) -> None:
    client.post("/en-ca/account/logout/")


def forged_cookie(client: Client, clock: Any) -> None:
    client.cookies["sessionid"] = "0" * 32


@pytest.mark.parametrize("before", [nobody, signed_out, forged_cookie])
def test_of_whoever_was_not_signed_in_nothing_is_kept(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage], before: Any
) -> None:
    before(browser, clock)
    response = browser.post(EDIT, wrote())
    assert response["Location"] == f"/en-ca/account/login/?next={EDIT}"
    assert "kept_form" not in browser.session
    come_in(browser, person.email, mailoutbox)
    assert not is_kept(browser)


def test_what_is_too_long_is_not_kept_and_that_is_said(browser: Client, clock: Any) -> None:
    clock.shift(IDLE)
    response = browser.post(EDIT, wrote() | {"given_name": "x" * MOST_CHARACTERS})
    assert response["Location"] == f"/en-ca/account/login/?next={EDIT}"
    assert "could not be kept" in browser.get(response["Location"]).content.decode()


# ---------------------------------------------------------------- another site


@pytest.fixture
def strict(person: User, clock: Any) -> Client:
    """A browser that is held to the protection against forgery."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.get(EDIT).status_code == 200
    return client


@pytest.mark.parametrize(
    ("sent", "is_kept_then"),
    [
        ({}, False),
        ({"origin": FOREIGN}, False),
        ({"origin": "null"}, False),
        ({"origin": OWN, "sec-fetch-site": "cross-site"}, False),
        ({"referer": FOREIGN + "/"}, False),
        ({"origin": OWN, "sec-fetch-site": "same-origin"}, True),
        ({"origin": OWN}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_over", [True, False], ids=["over", "signed in"])
@pytest.mark.parametrize("address", [EDIT, by_night(LEFT)])
def test_no_other_site_leaves_a_form_here(
    strict: Client, clock: Any, sent: dict[str, str], is_kept_then: bool, is_over: bool,
    address: str,
) -> None:  # fmt: skip
    """Without the right token nothing is done, and only a page of the portal is listened to."""
    clock.shift(IDLE if is_over else 0)
    response = strict.post(address, wrote() | {"kept_page": EDIT}, headers=sent)
    assert response.status_code == 403
    assert ("kept_form" in strict.session) is is_kept_then
    assert ("What you wrote is kept" in response.content.decode()) is is_kept_then


def test_a_page_from_before_the_sign_in_in_another_tab_loses_nothing(
    strict: Client, clock: Any, person: User
) -> None:
    old = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown(strict, EDIT))
    assert old
    strict.cookies["csrftoken"] = "a" * 32  # as a sign-in in another tab draws a new one
    response = strict.post(EDIT, wrote() | {"csrfmiddlewaretoken": old[1]}, headers={"origin": OWN})
    assert response.status_code == 403
    assert KEPT in response.content.decode() and "Nothing was done" in response.content.decode()
    assert is_kept(strict)
    person.refresh_from_db()
    assert person.last_name == "Okafor"


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        (f"{OWN}/en-ca/profile/", "/en-ca/profile/"),
        (f"{OWN}/en-ca/profile/?a=1#b", "/en-ca/profile/?a=1"),
        ("", None),
        (f"{FOREIGN}/en-ca/profile/", None),
        (f"{OWN}//evil.example/en-ca/profile/", None),
        (f"{OWN}/\\evil.example/", None),
        (f"{OWN}/nowhere/", None),
        (f"{OWN}/en-ca/account/logout/", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_button_leads_back_to_the_page_on_which_it_stood(
    browser: Client, clock: Any, mailoutbox: list[EmailMessage], referer: str, page: str | None
) -> None:
    """What is only posted to cannot be opened; nothing leads away from the portal."""
    clock.shift(IDLE)
    address = reverse("recovery_request_withdraw", args=[UUID(int=1)])
    response = browser.post(address, wrote(note="Enough of it"), headers={"referer": referer})
    login = "/en-ca/account/login/"
    assert response["Location"] == (TO_SIGN_IN if page else f"{login}?next=/en-ca/")
    if page:
        come_in(browser, "ada@example.ca", mailoutbox, KEPT)
        assert browser.post(KEPT)["Location"] == page


# ---------------------------------------------------------------- ways in


def test_it_is_there_for_whoever_comes_back_by_a_provider(
    gckey: Provider, client: Client, clock: Any, at: datetime
) -> None:
    gckey.sign_in(client, "francoise")
    give_profile(User.objects.get(), at)
    client.get(EDIT)
    clock.shift(IDLE)
    assert client.post(EDIT, wrote())["Location"] == TO_SIGN_IN
    assert gckey.sign_in(client, "francoise", KEPT)["Location"] == KEPT.replace("en-ca", "fr-ca")
    assert client.post(KEPT.replace("en-ca", "fr-ca"))["Location"] == EDIT.replace("en", "fr", 1)
    page = shown(client, EDIT.replace("en-ca", "fr-ca"))
    assert value(page, "family_name") == "O’Hara and sons"


type Prove = Callable[[Any], dict[str, str]]


def by_app(client: Client, clock: Any) -> Prove:
    secret = add_app(client, clock)
    return lambda page: {"otp": app_code(secret, now())}


def by_recovery_code(client: Client, clock: Any) -> Prove:
    add_app(client, clock)
    codes = iter(codes_on(client.get(CODES)))
    return lambda page: {"otp": next(codes)}


def by_passkey(client: Client, clock: Any) -> Prove:
    device = add_passkey(client)
    return lambda page: {"passkey": device.use(page.context["options"])}


@pytest.mark.parametrize("way", [by_app, by_recovery_code, by_passkey])
def test_it_is_there_past_a_second_factor(
    browser: Client, person: User, clock: Any, way: Callable[[Client, Any], Prove]
) -> None:
    """Also what another tab sends while the factor is asked for, and after a wrong answer."""
    prove, by_factor = way(browser, clock), "/en-ca/account/prove/"
    clock.shift(IDLE)
    browser.post(EDIT, wrote(family_name="The first one"))
    known = {"login": person.email, "password": PASSWORD, "next": KEPT}
    assert browser.post("/en-ca/account/login/", known)["Location"] == by_factor
    assert browser.post(EDIT, wrote())["Location"] == TO_SIGN_IN
    asked = browser.post(by_factor, {"otp": "wrong"})
    assert asked.status_code == 422

    assert browser.post(by_factor, prove(asked))["Location"] == KEPT

    assert browser.post(KEPT)["Location"] == EDIT
    assert value(shown(browser, EDIT), "family_name") == "O’Hara and sons"


def test_what_waited_for_a_proof_is_there_past_the_end_of_the_session(
    browser: Client, person: User, clock: Any
) -> None:
    prove = by_passkey(browser, clock)
    rename = browser.get(LIST).context["rows"][0]["factor"].pk
    page = f"{LIST}{rename}/rename/"
    posted = {"name": "My green key", "form_key": wrote(person)["form_key"]}
    clock.shift(16 * 60)
    asked = browser.post(page, posted)
    assert "Confirm that it is you" in asked.content.decode()
    clock.shift(IDLE)
    assert browser.post(page, posted | prove(asked))["Location"] == TO_SIGN_IN
    known = {"login": person.email, "password": PASSWORD, "next": KEPT}
    asked = browser.get(browser.post("/en-ca/account/login/", known)["Location"])
    assert browser.post(asked.request["PATH_INFO"], prove(asked))["Location"] == KEPT
    assert browser.post(KEPT)["Location"] == page
    assert value(shown(browser, page), "name") == "My green key"


def test_a_deep_link_is_followed_past_the_provider_and_the_first_profile(
    gckey: Provider, client: Client, clock: Any
) -> None:
    wanted = f"{EDIT}?from=mail"
    asked = client.get(wanted)["Location"]
    assert asked.endswith("?next=/en-ca/profile/edit/%3Ffrom%3Dmail")
    assert gckey.sign_in(client, "alice", wanted)["Location"] == wanted
    creating = client.get(wanted)["Location"]
    assert creating.startswith("/en-ca/profile/create/?next=")
    page = shown(client, creating)
    assert value(page, "next") == wanted


# ---------------------------------------------------------------- left by the script


def test_what_stands_on_a_page_is_kept_and_not_acted_on(
    browser: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    left = wrote() | {"kept_page": f"{EDIT}?a=1"}
    assert browser.post(LEFT, left)["Location"] == KEPT, "The session may last after all."
    assert is_kept(browser)
    clock.shift(IDLE)
    assert browser.post(LEFT, left)["Location"] == TO_SIGN_IN
    come_in(browser, person.email, mailoutbox, KEPT)
    assert browser.post(KEPT)["Location"] == f"{EDIT}?a=1"
    page = shown(browser, f"{EDIT}?a=1")
    assert value(page, "family_name") == "O’Hara and sons"
    assert value(shown(browser, EDIT), "family_name") == "Okafor", "Another page is left alone."
    person.refresh_from_db()
    assert person.last_name == "Okafor"


def test_the_script_of_nobody_keeps_nothing(client: Client, db: None) -> None:
    response = client.post(LEFT, wrote() | {"kept_page": "https://evil.example/"})
    assert response["Location"] == "/en-ca/account/login/?next=/en-ca/"
    assert "kept_form" not in client.session
    assert portal_settings.KEPT_FORM_MINUTES == 60
