"""People as these tests need them: signed up, with or without a profile."""

import re
from collections.abc import Sequence
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from accounts.consent import privacy_statement
from accounts.models import Language, User
from accounts.profile import ProfileDetails
from accounts.services import create_profile

PASSWORD = "maple-and-cedar-74"
CODE = re.compile(r"^\s*([A-Z]{4}-[A-Z]{4})\s*$", re.MULTILINE)

DETAILS = ProfileDetails(
    given_name="Ada",
    family_name="Okafor",
    telephone="613-555-0123",
    telephone_extension="42",
    language=Language.ENGLISH,
    notify_by_email=True,
)
FIELDS = {
    "given_name": "Ada",
    "family_name": "Okafor",
    "telephone": "613-555-0123",
    "telephone_extension": "42",
    "language": "en-ca",
    "notify_by_email": "on",
    "consent": "on",
    "statement": privacy_statement().text_hash,
}
"""What the page of the first profile posts."""


def sign_up(email: str = "ada@example.ca", language: Language = Language.ENGLISH) -> User:
    """A person who has signed up and confirmed the address."""
    person = User.objects.create_user(email, PASSWORD, language=language)
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


def give_profile(person: User, at: datetime) -> User:
    """The same person with a profile."""
    create_profile(
        actor=person,
        details=DETAILS,
        statement=privacy_statement(),
        read_in=Language.ENGLISH,
        at=at,
    )
    return User.objects.get(pk=person.pk)


def code_in(mails: Sequence[EmailMessage]) -> str:
    """The code in the newest mail."""
    found = CODE.search(str(mails[-1].body))
    assert found, mails[-1].body
    return found[1]


def come_in(
    client: Client, email: str, mails: Sequence[EmailMessage], next_page: str = "/en-ca/"
) -> str:
    """Sign in with the password and the mailed code; the address that it leads to."""
    known = {"login": email, "password": PASSWORD, "next": next_page}
    response = client.post("/en-ca/account/login/", known)
    response = client.post(response["Location"], {"code": code_in(mails)})
    return str(response["Location"])
