"""The key of a session: drawn here, new at each sign-in, and worth nothing once it is over."""

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.people import code_in
from tests.accounts.test_sign_in import CONFIRM_SIGN_IN, KNOWN, SIGN_IN

pytestmark = pytest.mark.once

MADE_UP = "a" * 32


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def sign_in(client: Client, mails: list[EmailMessage]) -> None:
    client.post(SIGN_IN, KNOWN)
    client.post(CONFIRM_SIGN_IN, {"code": code_in(mails)})


def is_signed_in(client: Client) -> bool:
    return client.get("/en-ca/profile/").status_code == 200


@pytest.mark.asvs("7.2.1", "7.2.2", "7.2.3", "7.2.4")
def test_a_key_is_drawn_here_and_anew_at_each_sign_in(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    """Whoever gives somebody else a key beforehand, made up or their own, gains nothing."""
    client.cookies[settings.SESSION_COOKIE_NAME] = MADE_UP
    client.post(SIGN_IN, KNOWN)
    before = key_of(client)
    assert before != MADE_UP and not Session.objects.filter(pk=MADE_UP).exists()
    client.post(CONFIRM_SIGN_IN, {"code": code_in(mailoutbox)})

    after, planted = key_of(client), Client()
    assert after != before and len(after) == 32
    planted.cookies[settings.SESSION_COOKIE_NAME] = before
    assert is_signed_in(client) and not is_signed_in(planted)
    client.post("/en-ca/account/logout/")
    sign_in(client, mailoutbox)
    assert key_of(client) not in {after, before}


@pytest.mark.asvs("7.4.1")
def test_a_key_is_worth_nothing_after_signing_out(
    client: Client, person: User, mailoutbox: list[EmailMessage]
) -> None:
    sign_in(client, mailoutbox)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key_of(client)
    assert is_signed_in(thief), "The control: while it lasts, the key is the session."
    client.post("/en-ca/account/logout/")
    assert not is_signed_in(thief)


@pytest.mark.asvs("7.4.4")
def test_every_page_of_a_person_lets_them_sign_out(person_client: Client) -> None:
    for language in ("en-ca", "fr-ca"):
        for page in ("profile/", "setup/", "account/sessions/", "requests/new/", "nothing/"):
            body = person_client.get(f"/{language}/{page}").content.decode()
            assert f'action="/{language}/account/logout/"' in body, page
