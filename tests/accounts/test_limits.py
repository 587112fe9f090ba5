"""How often one may try to sign in: counted out of reach, and refused where it cannot be counted.

The limits are django-allauth's, of an address (10 wrong passwords a minute) and of an account (5 in
five minutes), kept in the table of the cache.
"""

from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.people import PASSWORD

SIGN_IN = "/en-ca/account/login/"
RIGHT = {"login": "ada@example.ca", "password": PASSWORD}
WRONG = RIGHT | {"password": "x" * 14}

pytestmark = pytest.mark.once


def is_let_on(browser: Client, **said: Any) -> bool:
    """Whether the right password is taken, and a code sent."""
    return browser.post(SIGN_IN, RIGHT, **said).status_code == 302


def try_often(browser: Client, times: int) -> None:
    for _ in range(times):
        browser.post(SIGN_IN, WRONG)


@pytest.mark.asvs("2.3.2", "2.4.1", "6.3.1")
@pytest.mark.parametrize(("most", "holds"), [(None, True), (300, False)])
def test_nobody_pushes_a_limit_out_of_the_table(
    client: Client, person: User, settings: Any, most: int | None, holds: bool
) -> None:
    """What strangers make the portal remember takes no limit away; a small table, as is usual,
    would forget it."""
    if most:
        told = settings.CACHES["default"] | {"OPTIONS": {"MAX_ENTRIES": most}}
        settings.CACHES = {"default": told}
    try_often(client, 5)
    assert not is_let_on(client)

    for one in range(400):
        cache.set(f"z{one}", one, 3600)

    assert is_let_on(client) is not holds


@pytest.mark.asvs("4.1.3", "15.3.4")
@pytest.mark.parametrize(
    ("proxies", "heard", "holds"),
    [(0, "{}", True), (1, "{}, 192.0.2.7", True), (2, "{}, 192.0.2.7, 192.0.2.8", True)]
    + [(1, "{}", False)],
    ids=["no proxy", "one proxy", "two proxies", "the control: a proxy that is not there"],
)
def test_an_address_that_a_visitor_invents_dodges_no_limit(
    client: Client, person: User, settings: Any, proxies: int, heard: str, holds: bool
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    for one in range(10):
        told = {
            "X-Forwarded-For": heard.format(f"198.51.100.{one}"),
            "X-Real-IP": f"203.0.113.{one}",
        }
        client.post(SIGN_IN, {"login": f"{one}@example.ca", "password": "x" * 14}, headers=told)

    told = {"X-Forwarded-For": heard.format("198.51.100.99")}

    assert is_let_on(client, headers=told) is not holds


@pytest.mark.asvs("16.5.3")
def test_where_tries_cannot_be_counted_nobody_is_let_on(
    client: Client, person: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allauth.core.internal.ratelimit.CACHE_LOCK_WAIT_TIMEOUT", 0)
    monkeypatch.setattr(DatabaseCache, "_base_set", lambda *told: False)
    assert not is_let_on(client)
    assert not mailoutbox
    monkeypatch.undo()
    assert is_let_on(client)


@pytest.mark.asvs("2.4.1")
def test_whoever_goes_to_a_provider_too_often_is_told_to_wait(client: Client, gckey: Any) -> None:
    for _ in range(30):
        assert client.post("/fr-ca/account/sign-in/gckey/").status_code == 302
    response = client.post("/fr-ca/account/sign-in/gckey/")
    assert (response.status_code, response["Retry-After"]) == (429, "300")
    assert "Trop de tentatives" in response.content.decode()
