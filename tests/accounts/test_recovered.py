"""Whoever lost every factor: what the pages say, and the way back in after the recovery."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import OfficerRole, User
from accounts.services import grant_officer_role
from officers.models import AccountRecovery
from officers.services.people import confirm_account_recovery, propose_account_recovery
from tests.accounts.factors import add_app
from tests.accounts.people import PASSWORD, code_in, give_profile, sign_up
from tests.accounts.sandbox import Provider
from tests.accounts.test_second_factor import BY_FACTOR, SIGN_IN, begin, is_signed_in
from tests.world import done

pytestmark = pytest.mark.usefixtures("clock")

HELP, CONFIRM = "/en-ca/account/second-factor/help/", "/en-ca/account/confirm-email/"
NEW = "ada@home.example"
WAITING = timedelta(hours=72)


def officer(name: str, at: datetime) -> User:
    person = sign_up(f"{name}@agency.example")
    given = {"kind": OfficerRole.Kind.RECOVERY, "given_by": "Root", "at": at}
    done(grant_officer_role(person=person, **given))
    return person


def proposed(person: User, at: datetime) -> AccountRecovery:
    about = {"email": NEW, "finding": "Passport seen.", "at": at}
    return done(propose_account_recovery(actor=officer("olga", at), person=person, **about))


def confirmed(row: AccountRecovery, at: datetime) -> None:
    about = {"expected_version": 1, "at": at}
    done(confirm_account_recovery(actor=officer("omar", at), account_recovery=row, **about))


@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
def test_the_page_that_asks_says_what_to_do_who_can_use_none(
    person_client: Client, person: User, clock: Any, language: str
) -> None:
    """In the middle of a sign-in, with a factor or a mailed code, and signed in."""
    mailed = begin(person)
    assert HELP in mailed.get("/en-ca/account/login/code/confirm/").content.decode()
    assert 'href="/en-ca/account/login/code/confirm/"' in mailed.get(HELP).content.decode()
    add_app(person_client, clock)
    stopped = begin(person)
    assert HELP in stopped.get(BY_FACTOR).content.decode()
    here = HELP.replace("en-ca", language)
    assert f'href="/{language}/account/prove/"' in stopped.get(here).content.decode()
    assert "72" in stopped.get(here).content.decode()
    clock.shift(timedelta(hours=1))
    secret_page = person_client.get("/en-ca/account/reauthenticate/").content.decode()
    assert HELP in secret_page and person_client.get(HELP).status_code == 200
    assert Client().get(HELP).status_code == 200


@pytest.mark.asvs("6.4.3")
def test_who_is_recovered_comes_in_by_the_new_address_alone(
    person_client: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    add_app(person_client, clock)
    row = proposed(person, datetime.now().astimezone())
    clock.shift(WAITING)
    confirmed(row, datetime.now().astimezone())

    assert person_client.get("/en-ca/profile/")["Location"].startswith(SIGN_IN)
    old = begin(person)
    assert not is_signed_in(old), "The old address is none any more."
    visitor = Client()
    answer = visitor.post(SIGN_IN, {"login": NEW, "password": PASSWORD})
    assert answer["Location"] == CONFIRM and mailoutbox[-1].to == [NEW]
    visitor.post(CONFIRM, {"code": code_in(mailoutbox)})
    assert is_signed_in(visitor)
    assert EmailAddress.objects.get(user=person).verified


def test_who_comes_from_a_provider_is_recovered_too(
    gckey: Provider, clock: Any, mailoutbox: list[EmailMessage], at: datetime
) -> None:
    client = Client()
    gckey.sign_in(client)
    person = give_profile(User.objects.get(), at)
    add_app(client, clock)
    row = proposed(person, datetime.now().astimezone())
    clock.shift(WAITING)
    confirmed(row, datetime.now().astimezone())

    visitor = Client()
    answer = visitor.get(gckey.agree(gckey.begin(visitor)))
    assert answer["Location"] == CONFIRM and mailoutbox[-1].to == [NEW]
    visitor.post(CONFIRM, {"code": code_in(mailoutbox)})
    assert visitor.session["_auth_user_id"] == str(person.pk)
    assert User.objects.get(pk=person.pk).email == NEW


def test_a_sign_in_that_had_begun_ends_with_the_recovery(
    person_client: Client, person: User, clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    """Whoever holds the old mailbox does not come in by a code that was sent to it before."""
    clock.shift(1)
    row = proposed(person, datetime.now().astimezone())
    clock.shift(WAITING)
    waiting = begin(person)
    assert mailoutbox[-1].to == ["ada@example.ca"]
    old = code_in(mailoutbox)
    confirmed(row, datetime.now().astimezone())
    answer = waiting.post("/en-ca/account/login/code/confirm/", {"code": old})
    assert answer["Location"] == CONFIRM
    answer = waiting.post(CONFIRM, {"code": code_in(mailoutbox)})
    assert answer["Location"] == SIGN_IN and not is_signed_in(waiting)
    assert not EmailAddress.objects.filter(user=person, verified=True).exists()
