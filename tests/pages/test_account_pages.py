"""The pages of signing in, one after another, each sound HTML in both languages."""

from typing import Any

import html5lib
import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.people import PASSWORD, code_in, sign_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pages.gallery.urls")]


@pytest.fixture(autouse=True)
def fresh_rate_limits(db: None) -> None:
    """The cache table keeps the rate limits of signing in from one test to the next."""
    cache.clear()


@pytest.fixture(params=["en-ca", "fr-ca"])
def root(request: Any) -> str:
    """The beginning of an address, in each language."""
    return f"/{request.param}/account/"


def heading(answer: Any) -> str:
    """The one first heading of a sound page."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
        answer.content.decode()
    )
    (first,) = tree.iter("h1")
    (title,) = tree.iter("title")
    shown = " ".join("".join(first.itertext()).split())
    assert "".join(title.itertext()).startswith(shown)
    return shown


def test_creating_an_account(client: Client, root: str, mailoutbox: list[EmailMessage]) -> None:
    asked = client.get(root + "signup/")
    refused = client.post(root + "signup/", {"email": "x"})
    fields = {"email": "new@example.ca", "password1": PASSWORD, "password2": PASSWORD}
    waiting = client.post(root + "signup/", fields, follow=True)
    wrong = client.post(waiting.request["PATH_INFO"], {"code": "AAAA-AAAA"})

    assert heading(asked) == heading(refused)
    assert "error-summary-title" in refused.content.decode()
    assert "new@example.ca" in waiting.content.decode()
    assert heading(waiting) == heading(wrong)
    assert "error-summary-title" in wrong.content.decode()
    assert (
        client.post(waiting.request["PATH_INFO"], {"code": code_in(mailoutbox)}).status_code == 302
    )


def test_signing_in(client: Client, root: str, mailoutbox: list[EmailMessage]) -> None:
    sign_up("ana@example.ca")
    asked = client.get(root + "login/")
    refused = client.post(root + "login/", {"login": "ana@example.ca", "password": "wrong"})
    known = {"login": "ana@example.ca", "password": PASSWORD}
    waiting = client.post(root + "login/", known, follow=True)

    assert heading(asked) == heading(refused)
    assert "error-summary-title" in refused.content.decode()
    assert heading(waiting) != heading(asked)
    assert (
        client.post(waiting.request["PATH_INFO"], {"code": code_in(mailoutbox)}).status_code == 302
    )


def test_a_forgotten_password(client: Client, root: str, mailoutbox: list[EmailMessage]) -> None:
    sign_up("ana@example.ca")
    asked = client.get(root + "password/reset/")
    waiting = client.post(root + "password/reset/", {"email": "ana@example.ca"}, follow=True)
    chosen = client.post(waiting.request["PATH_INFO"], {"code": code_in(mailoutbox)}, follow=True)
    new = {"password1": "cedar-and-maple-96", "password2": "cedar-and-maple-96"}
    done = client.post(chosen.request["PATH_INFO"], new, follow=True)

    assert len({heading(page) for page in [asked, waiting, chosen]}) == 3
    heading(done)


@pytest.mark.parametrize("page", ["email/", "password/change/", "logout/", "reauthenticate/"])
def test_a_page_of_a_signed_in_person(
    client: Client, root: str, page: str, mailoutbox: list[EmailMessage]
) -> None:
    person = sign_up("ana@example.ca")
    known = {"login": "ana@example.ca", "password": PASSWORD}
    waiting = client.post(root + "login/", known, follow=True)
    client.post(waiting.request["PATH_INFO"], {"code": code_in(mailoutbox)})
    assert client.session["_auth_user_id"] == str(person.pk)

    heading(client.get(root + page, follow=True))
    heading(client.post(root + page, {}, follow=True))


def test_an_address_that_waits_for_its_code(client: Client, root: str, person: User) -> None:
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    EmailAddress.objects.create(user=person, email="next@example.ca", verified=False)
    client.force_login(person)
    page = client.get(root + "email/", follow=True)

    heading(page)


@pytest.mark.parametrize("page", ["inactive/", "password/reset/done/", "confirm-email/"])
def test_a_page_by_itself(client: Client, root: str, page: str) -> None:
    answer = client.get(root + page, follow=True)

    assert answer.status_code in {200, 404}
    heading(answer)


def test_a_person_without_a_password_sets_one(client: Client, root: str, person: User) -> None:
    person.set_unusable_password()
    person.save()
    client.force_login(person)
    answer = client.get(root + "password/set/", follow=True)

    assert answer.status_code == 200
    heading(answer)
