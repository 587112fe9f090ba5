"""Where a person is signed in, and how that ends: by the person, and by the identity provider."""

import time
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.federation.tokens import LOGOUT
from accounts.models import User
from accounts.templatetags.accounts import device
from tests.accounts.people import give_profile
from tests.accounts.sandbox import Claims, Provider, Signer, another_key, id_token_of

SESSIONS = "/en-ca/account/sessions/"


def is_signed_in(client: Client) -> bool:
    return client.get("/en-ca/profile/create/").status_code == 200


def browser(name: str = "Firefox/140.0 (Windows NT 10.0)") -> Client:
    return Client(headers={"user-agent": name})


def signed_in(gckey: Provider, subject: str = "alice", **claims: Any) -> Client:
    """A browser in which somebody came from GCKey, whose token says so besides."""
    gckey.lies.sign = lambda signer, told, header: signer.sign(told | claims)
    client = browser()
    gckey.sign_in(client, subject)
    assert is_signed_in(client)
    return client


@pytest.mark.asvs("7.4.3", "7.5.2")
def test_a_person_sees_where_they_are_signed_in_and_ends_all_but_here(gckey: Provider) -> None:
    here, there = signed_in(gckey), signed_in(gckey)
    somebody_else = signed_in(gckey, "francoise")

    page = here.get(SESSIONS).content.decode()
    assert page.count("Firefox, Windows") == 2 and page.count("This browser") == 1
    here.post(SESSIONS)

    assert is_signed_in(here) and not is_signed_in(there)
    assert is_signed_in(somebody_else)
    assert "You are signed in nowhere else." in here.get(SESSIONS).content.decode()


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36 Edg/120.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Firefox/120.0", "Firefox, Linux"),
        ("curl/8.0", "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_a_device_is_called_what_its_owner_calls_it(user_agent: str, words: str) -> None:
    assert device(user_agent) == words


# ---------------------------------------------------------------- by the provider


def logout_token(provider: Provider, **changed: Any) -> str:
    """What the provider sends when a person left it; None leaves a claim out."""
    now = int(time.time())
    claims: Claims = {
        "iss": provider.issuer,
        "aud": "portal",
        "iat": now,
        "exp": now + 120,
        "jti": str(uuid4()),
        "events": {LOGOUT: {}},
        "sub": "alice",
    }
    return provider.signer.sign(
        {name: one for name, one in (claims | changed).items() if one is not None},
        typ="logout+jwt",
    )


def send(provider: Provider, token: str) -> int:
    """The provider calls, without a browser; the status of the answer."""
    caller = Client(enforce_csrf_checks=True)
    response = caller.post(f"/sign-in/{provider.id}/signed-out/", {"logout_token": token})
    assert "no-store" in response["Cache-Control"]
    return response.status_code


@pytest.mark.asvs("7.6.1")
@pytest.mark.parametrize(
    ("named", "ended"),
    [
        ({}, ["one", "two"]),
        ({"sid": "one"}, ["one"]),
        ({"sub": None, "sid": "two"}, ["two"]),
        ({"sid": "three"}, []),
        ({"sub": "francoise", "sid": "one"}, []),
        ({"sub": "nobody"}, []),
    ],
    ids=["of a person", "of both", "of a session", "of another session", "of others", "of nobody"],
)
def test_a_provider_ends_the_sessions_that_it_vouched_for(
    gckey: Provider, named: dict[str, Any], ended: list[str]
) -> None:
    browsers = {sid: signed_in(gckey, sid=sid) for sid in ("one", "two")}
    browsers["other"] = signed_in(gckey, "francoise", sid="other")

    assert send(gckey, logout_token(gckey, **named)) == 200

    assert [sid for sid, client in browsers.items() if not is_signed_in(client)] == ended


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "another"},
    "no event": {"events": None},
    "another event": {"events": {"https://example/": {}}},
    "an event that is a list": {"events": [LOGOUT]},
    "an event of text": {"events": {LOGOUT: "yes"}},
    "a nonce": {"nonce": "0" * 64},
    "no number": {"jti": None},
    "over": {"exp": 1},
    "no end": {"exp": None},
    "nobody": {"sub": None},
    "nobody's session": {"sub": None, "sid": ""},
    "a session in numbers": {"sid": 7},
}


@pytest.mark.asvs("10.5.5")
@pytest.mark.parametrize("lie", LIES)
def test_a_logout_token_that_lies_ends_nothing(gckey: Provider, lie: str) -> None:
    client = signed_in(gckey)
    assert send(gckey, logout_token(gckey, **LIES[lie])) == 400
    assert is_signed_in(client)


@pytest.mark.asvs("10.5.5")
def test_only_the_provider_ends_a_session_and_once(providers: list[Provider]) -> None:
    gckey, partner = providers
    client = signed_in(gckey)
    token = logout_token(gckey)
    ours = id_token_of(client)
    forged = Signer(another_key()).sign({"iss": gckey.issuer}, kid=gckey.signer.jwk.kid)
    assert {send(gckey, lie) for lie in ("", "x", forged, ours)} == {400}
    assert send(partner, token) == 400
    assert send(partner, logout_token(partner)) == 200, "Of the same subject elsewhere."
    assert is_signed_in(client)

    assert send(gckey, token) == 200
    assert not is_signed_in(client)
    assert send(gckey, token) == 400, "It was used before."
    assert client.get(f"/sign-in/{gckey.id}/signed-out/").status_code == 405


def test_whoever_signs_in_in_place_of_another_leaves_nothing_of_them(
    gckey: Provider, at: datetime
) -> None:
    client = signed_in(gckey, sid="one")
    give_profile(User.objects.get(), at)
    gckey.lies.sign = lambda signer, told, header: signer.sign(told | {"sid": "two"})
    gckey.sign_in(client, "francoise")

    assert User.objects.get(pk=client.session["_auth_user_id"]).email == "fr@example.ca"
    (row,) = UserSession.objects.filter(session_key=client.session.session_key)
    assert row.data == {"provider": "gckey", "sid": "two"}
    assert send(gckey, logout_token(gckey, sub=None, sid="two")) == 200
    assert not is_signed_in(client)


# ---------------------------------------------------------------- out of both

OUT = "/en-ca/account/logout/"


def test_leaving_the_portal_leaves_the_provider_whatever_the_link_says(gckey: Provider) -> None:
    for address in (OUT, f"{OUT}?next=/en-ca/help/roles/"):
        left = signed_in(gckey).post(address)
        assert left["Location"].startswith(f"{gckey.issuer}/oauth2/end_session?id_token_hint=ey")
        assert left["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize(
    ("wanted", "page"),
    [("/en-ca/help/roles/", "/en-ca/help/roles/"), ("https://evil.example/", "/en-ca/")],
)
def test_without_a_provider_the_link_says_where_to_and_never_elsewhere(
    person_client: Client, wanted: str, page: str
) -> None:
    assert person_client.post(OUT, {"next": wanted})["Location"] == page


def test_whoever_cancels_at_the_code_leaves_the_provider_too(gckey: Provider) -> None:
    client = browser()
    gckey.sign_in(client, "unsure")
    assert "identity_provider" in client.session and "_auth_user_id" not in client.session
    left = client.post(OUT, {"next": "/en-ca/account/login/"})
    assert left["Location"].startswith(f"{gckey.issuer}/oauth2/end_session?")
    assert "identity_provider" not in client.session
    assert client.post(OUT)["Location"] == "/en-ca/"
