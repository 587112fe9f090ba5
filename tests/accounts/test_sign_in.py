"""Signing up, signing in and what can go wrong, with the codes of the mails."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.test import Client

from accounts.mailed_codes import digest_of
from accounts.models import Language, User
from audit.models import Event
from tests.accounts.people import CODE, PASSWORD, code_in, sign_up

SIGN_UP, SIGN_IN = "/en-ca/account/signup/", "/en-ca/account/login/"
CONFIRM_ADDRESS, CONFIRM_SIGN_IN = (
    "/en-ca/account/confirm-email/",
    "/en-ca/account/login/code/confirm/",
)
CREATE = "/en-ca/profile/create/"

NEW = {"email": "Bo@Example.ca", "password1": PASSWORD, "password2": PASSWORD}
KNOWN = {"login": "ada@example.ca", "password": PASSWORD}


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_signing_up_asks_for_one_code_and_then_the_profile(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    response = client.post(SIGN_UP, NEW)
    assert response["Location"] == CONFIRM_ADDRESS
    assert not is_signed_in(client)
    (mail,) = mailoutbox
    assert mail.to == ["bo@example.ca"]
    assert client.get(CONFIRM_ADDRESS).status_code == 200

    response = client.post(CONFIRM_ADDRESS, {"code": code_in(mailoutbox), "action": "verify"})
    assert response["Location"] == "/en-ca/"
    assert is_signed_in(client)
    assert client.get("/en-ca/")["Location"].startswith(CREATE)
    assert len(mailoutbox) == 1
    person = User.objects.get()
    assert person.email == "bo@example.ca"
    assert "bo" not in person.username
    assert EmailAddress.objects.get(user=person).verified


def test_a_person_is_written_to_in_the_language_of_the_sign_up(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    client.post("/fr-ca/account/signup/", NEW)
    assert User.objects.get().language == Language.FRENCH


@pytest.mark.asvs("6.6.3")
def test_a_wrong_code_is_refused_three_times(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    client.post(SIGN_UP, NEW)
    right = code_in(mailoutbox)
    for _ in range(2):
        response = client.post(CONFIRM_ADDRESS, {"code": "BBBB-BBBB"})
        assert response.status_code in {200, 422}
        assert response.context["verify_form"].errors
    assert client.post(CONFIRM_ADDRESS, {"code": "BBBB-BBBB"})["Location"] == SIGN_IN
    client.post(CONFIRM_ADDRESS, {"code": right})
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "not an address"},
        {"email": ""},
        {"password1": "short", "password2": "short"},
        {"password1": "password1234", "password2": "password1234"},
        {"password1": "bo@example.ca", "password2": "bo@example.ca"},
        {"password2": "something-else-9"},
    ],
)
def test_a_bad_sign_up_is_refused(client: Client, fields: dict[str, str]) -> None:
    response = client.post(SIGN_UP, NEW | fields)
    assert response.status_code in {200, 422}
    assert response.context["form"].errors
    assert not User.objects.exists()


def test_a_known_address_gets_the_same_page_and_another_mail(
    newcomer: User, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.PORTAL_URL = "https://portal.example"
    pages = []
    for email in (newcomer.email, "nobody@example.ca"):
        client = Client(headers={"host": "localhost"})
        answer = client.post(SIGN_UP, NEW | {"email": email})
        page = client.get(CONFIRM_ADDRESS).content.decode().replace(email, "")
        pages.append((answer.status_code, answer["Location"], without_keys(page)))
    assert pages[0] == pages[1]
    known, unknown = mailoutbox
    assert "https://portal.example/en-ca/account/password/reset/" in known.body
    assert "localhost" not in known.body
    assert User.objects.filter(email=newcomer.email).count() == 1


def without_keys(page: str) -> str:
    """A page without what differs each time it is made."""
    return re.sub(r'(csrfmiddlewaretoken|form_key)" value="[^"]+"', "", page)


def test_two_sign_ups_in_one_instant_make_one_person(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*args: object, **kwargs: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(User, "save", lose)
    response = client.post(SIGN_UP, NEW)
    assert (response.status_code, response["Location"]) == (302, CONFIRM_ADDRESS)


def test_signing_in_asks_for_the_password_and_a_code(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    response = client.post(SIGN_IN, KNOWN | {"next": "/en-ca/profile/"})
    assert response["Location"] == CONFIRM_SIGN_IN
    assert not is_signed_in(client)
    assert client.get(CONFIRM_SIGN_IN).status_code == 200
    response = client.post(CONFIRM_SIGN_IN, {"code": code_in(mailoutbox)})
    assert response["Location"] == "/en-ca/profile/"
    assert is_signed_in(client)
    assert client.session.get_expire_at_browser_close()
    assert client.get("/en-ca/profile/").status_code == 200


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f" {code.replace('-', ' ')} ", lambda code: code]
)
def test_a_code_may_be_typed_as_people_type(
    client: Client,
    person: User,
    mailoutbox: list[EmailMessage],
    typed: Callable[[str], str],
) -> None:
    client.post(SIGN_IN, KNOWN)
    client.post(CONFIRM_SIGN_IN, {"code": typed(code_in(mailoutbox))})
    assert is_signed_in(client)


@pytest.mark.asvs("6.5.1", "6.6.2")
def test_a_code_works_once_and_for_its_own_browser(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    client.post(SIGN_IN, KNOWN)
    code = code_in(mailoutbox)
    stranger = Client()
    stranger.post(SIGN_IN, KNOWN)
    stranger.post(CONFIRM_SIGN_IN, {"code": code})
    assert not is_signed_in(stranger)
    client.post(CONFIRM_SIGN_IN, {"code": code})
    assert is_signed_in(client)
    client.post("/en-ca/account/logout/")
    client.post(CONFIRM_SIGN_IN, {"code": code})
    assert not is_signed_in(client)


@pytest.mark.asvs("6.5.5")
def test_a_code_lasts_ten_minutes(
    client: Client, person: User, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    client.post(SIGN_IN, KNOWN)
    clock.shift(10 * 60 + 1)
    client.post(CONFIRM_SIGN_IN, {"code": code_in(mailoutbox)})
    assert not is_signed_in(client)


@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize(("seconds", "is_in"), [(10 * 60, True), (10 * 60 + 1, False)])
def test_the_code_that_proves_an_address_lasts_as_long(
    client: Client, mailoutbox: list[EmailMessage], clock: Any, seconds: int, is_in: bool
) -> None:
    client.post(SIGN_UP, NEW)
    clock.shift(seconds)
    client.post(CONFIRM_ADDRESS, {"code": code_in(mailoutbox), "action": "verify"})
    assert is_signed_in(client) is is_in


def test_a_wrong_password_and_an_unknown_address_read_the_same(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    answers = [
        client.post(SIGN_IN, KNOWN | wrong)
        for wrong in ({"password": "x" * 14}, {"login": "nobody@example.ca"})
    ]
    assert answers[0].context["form"].errors == answers[1].context["form"].errors
    assert not mailoutbox


@pytest.mark.asvs("6.3.1")
def test_many_wrong_passwords_are_stopped(client: Client, person: User) -> None:
    for _ in range(5):
        client.post(SIGN_IN, KNOWN | {"password": "x" * 14})
    response = client.post(SIGN_IN, KNOWN)
    assert "Location" not in response


def test_nobody_is_led_elsewhere_by_signing_in(
    client: Client, person: User, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    client.post(SIGN_IN, KNOWN | {"next": "https://other.example/"})
    response = client.post(CONFIRM_SIGN_IN, {"code": code_in(mailoutbox)})
    assert response["Location"] == "/en-ca/"


def test_somebody_disabled_does_not_get_in(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    client.force_login(person)
    User.objects.update(is_active=False)
    assert client.get("/en-ca/profile/").status_code == 302
    client.post(SIGN_IN, KNOWN)
    assert not mailoutbox


def test_mails_about_signing_in_are_in_the_language_of_their_reader(
    client: Client, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up("rene@example.ca", Language.FRENCH)
    sign_up("ada@example.ca", Language.ENGLISH)
    client.post(SIGN_IN, KNOWN | {"login": "rene@example.ca"})
    Client().post("/fr-ca/account/login/", KNOWN)
    french, english = mailoutbox
    assert french.subject != english.subject


@pytest.mark.asvs("16.5.2")
def test_a_mail_that_fails_is_said_and_leaves_the_page_standing(
    client: Client, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refuse)
    response = client.post(SIGN_IN, KNOWN)
    assert response["Location"] == CONFIRM_SIGN_IN
    texts = [str(message) for message in get_messages(response.wsgi_request)]
    assert any("could not send you an e-mail" in text for text in texts)


def test_a_forgotten_password_is_set_again_by_code(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    response = client.post("/en-ca/account/password/reset/", {"email": person.email})
    assert client.get(response["Location"]).status_code == 200
    response = client.post(response["Location"], {"code": code_in(mailoutbox)})
    assert client.get(response["Location"]).status_code == 200
    again = {"password1": "spruce-and-birch-81", "password2": "spruce-and-birch-81"}
    response = client.post(response["Location"], again)
    assert client.get(response["Location"]).status_code == 200
    person.refresh_from_db()
    assert person.check_password("spruce-and-birch-81")


@pytest.mark.asvs("6.4.3")
def test_an_address_that_nobody_proved_resets_no_password(
    person: User, person_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    """Proposed in place of another, or claimed in a sign-up: answered as one that nobody has."""
    change = {"email": "proposed@other.example", "action_add": ""}
    person_client.post("/en-ca/account/email/", change)
    Client().post(SIGN_UP, NEW | {"email": "claimed@other.example"})
    said = {}
    for email in ("proposed@other.example", "claimed@other.example", "nobody@other.example"):
        visitor = Client()
        answer = visitor.post("/en-ca/account/password/reset/", {"email": email}, follow=True)
        page = without_keys(answer.content.decode())
        mail = f"{mailoutbox[-1].subject} {mailoutbox[-1].body}"
        confirming = visitor.post(answer.request["PATH_INFO"], {"code": "AAAA-AAAA"})
        said[email] = (
            [*answer.redirect_chain, page.replace(email, "")],
            mail.replace(email, ""),
            (confirming.status_code, "is not right" in confirming.content.decode()),
        )
        assert mailoutbox[-1].to == [email]
        assert not CODE.search(mail)
    assert said["proposed@other.example"] == said["nobody@other.example"]
    assert said["claimed@other.example"] == said["nobody@other.example"]


def test_an_address_is_changed_by_code_and_the_old_one_is_told(
    person_client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    change = {"email": "ada@other.example", "action_add": ""}
    response = person_client.post("/en-ca/account/email/", change)
    assert response["Location"] == CONFIRM_ADDRESS
    (mail,) = mailoutbox
    assert mail.to == ["ada@other.example"]
    assert User.objects.get(pk=person.pk).email == "ada@example.ca", "Until it is confirmed."
    person_client.post(CONFIRM_ADDRESS, {"code": code_in(mailoutbox)})
    assert User.objects.get(pk=person.pk).email == "ada@other.example"
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["ada@other.example"]
    assert mailoutbox[-1].to == ["ada@example.ca"]
    assert "If this was not you" in str(mailoutbox[-1].body)
    assert Event.objects.get(verb="profile.change_email").before == {"email": "ada@example.ca"}


def test_no_session_holds_a_code_that_was_mailed(
    person: User, person_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    """Whichever page mails it, and once it is sent anew: what is kept is a digest with a key."""
    newcomer, visitor = Client(), Client()
    steps = (
        (newcomer, SIGN_UP, NEW),
        (newcomer, CONFIRM_ADDRESS, {"action": "resend"}),
        (visitor, SIGN_IN, KNOWN),
        (visitor, CONFIRM_SIGN_IN, {"action": "resend"}),
        (Client(), "/en-ca/account/password/reset/", {"email": person.email}),
        (person_client, "/en-ca/account/email/", {"email": "ada@new.example", "action_add": ""}),
    )
    codes = []
    for client, page, posted in steps:
        cache.clear()  # the page may be asked at once
        client.post(page, posted)
        codes.append(code_in(mailoutbox))
        kept = client.session
        row = str(Session.objects.get(session_key=kept.session_key).get_decoded())
        assert digest_of(codes[-1]) in row, "Where it is kept is looked at."
        folded = row.upper().replace("-", "")
        assert not [code for code in codes if code.replace("-", "") in folded]
    assert len({*codes}) == len(mailoutbox) == len(steps)


def test_signing_out_needs_a_post(person_client: Client) -> None:
    assert person_client.get("/en-ca/account/logout/").status_code == 200
    assert is_signed_in(person_client)
    assert person_client.post("/en-ca/account/logout/")["Location"] == "/en-ca/"
    assert not is_signed_in(person_client)
