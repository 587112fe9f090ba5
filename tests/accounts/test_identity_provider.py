"""Signing in with a live identity provider: one that tells the truth, and one that lies."""

import base64
import hmac
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.federation.tokens import SKEW, Issuer, id_claims, identity, keys_at
from accounts.models import Language, SpentToken, User
from accounts.sign_in import AnswerRefused
from ccp import settings as portal_settings
from ccp.routes import WITH_PASSWORD
from tests.accounts.people import PASSWORD, code_in, give_profile, sign_up
from tests.accounts.sandbox import (
    LEVEL,
    Claims,
    Lies,
    Provider,
    Signer,
    another_key,
    asked_of,
    come_back,
    id_token_of,
)
from tests.conftest import by_night


def who(client: Client) -> str:
    """The e-mail address of whoever is signed in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).email if key else ""


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "///evil.example",
    "http:evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "\n//evil.example",
    "https://localhost@evil.example/",
    "https://evil.example\\@localhost/",
    "//evil.example/..;/en-ca/",
    "https://localhost.evil.example",
    "ftp://localhost/",
    "//localhost:1/",
    "https://[::1]/",
    "//%65vil.example",
    "\x00//evil.example",
]


# ---------------------------------------------------------------- the truth


@pytest.mark.asvs("10.5.2")
def test_a_person_signs_in_comes_back_and_is_known_again(
    client: Client, provider: Provider
) -> None:
    response = provider.sign_in(client, back_to="/en-ca/profile/")

    assert (response.status_code, response["Location"]) == (302, "/en-ca/profile/")
    assert who(client) == "alice@example.ca"
    known = SocialAccount.objects.get()
    assert (known.provider, known.uid) == (provider.id, identity(provider.issuer, "alice"))
    assert known.extra_data == {}, "Nothing more of the person is kept."
    assert "alice" not in known.user.username
    provider.sign_in(Client())
    assert User.objects.count() == 1


@pytest.mark.asvs("10.1.2")
def test_what_is_asked_is_the_same_for_everybody(client: Client, gckey: Provider) -> None:
    """Neither a link nor a form field changes what the portal asks of a provider."""
    extra = "?auth_params=acr_values%3Dlow&scope=admin&process=connect&prompt=none"
    asked = asked_of(
        client.post(f"/en-ca/account/sign-in/gckey/{extra}", {"action": "rerequest"})["Location"]
    )

    assert {name: asked[name] for name in ("acr_values", "prompt", "max_age")} == {
        "acr_values": LEVEL,
        "prompt": "login",
        "max_age": "0",
    }
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) == 64 and asked["ui_locales"].startswith("en-CA")
    assert asked["redirect_uri"].endswith("/sign-in/gckey/callback/")
    again = asked_of(client.post("/en-ca/account/sign-in/gckey/")["Location"])
    assert not {again[name] for name in ("state", "nonce", "code_challenge")} & {*asked.values()}


def test_the_way_back_is_the_portal_s_own_whatever_host_was_named(
    gckey: Provider, settings: Any
) -> None:
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = "https://portal.example", ["*"]
    client = Client(headers={"host": "evil.example"})

    asked = asked_of(gckey.begin(client))

    assert asked["redirect_uri"] == "https://portal.example/sign-in/gckey/callback/"


@pytest.mark.parametrize("back_to", [*ELSEWHERE[:4], *map(by_night, ELSEWHERE[4:])])
def test_nobody_is_sent_elsewhere(client: Client, gckey: Provider, back_to: str) -> None:
    assert gckey.sign_in(client, back_to=back_to)["Location"] == "/en-ca/"


@pytest.mark.asvs("3.5.1", "7.6.2")
def test_a_sign_in_is_a_post(client: Client, gckey: Provider) -> None:
    """No link of a stranger begins one."""
    assert client.get("/en-ca/account/sign-in/gckey/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/en-ca/account/sign-in/gckey/").status_code == 403
    assert client.post("/en-ca/account/sign-in/another/").status_code == 404


def test_the_language_chosen_at_the_provider_is_kept(client: Client, gckey: Provider) -> None:
    assert asked_of(gckey.begin(client, page="fr-ca"))["ui_locales"] == "fr-CA fr en"
    response = gckey.sign_in(client, "francoise", back_to="/en-ca/profile/")
    assert response["Location"] == "/fr-ca/profile/"
    assert User.objects.get().language == Language.FRENCH


def test_who_comes_without_an_address_is_asked_for_one(
    client: Client, gckey: Provider, mailoutbox: list[EmailMessage]
) -> None:
    page = gckey.sign_in(client, "nobody's mail", back_to="/en-ca/profile/")
    assert page["Location"] == "/en-ca/account/first-sign-in/"
    assert client.get(page["Location"]).status_code == 200
    again = client.post(page["Location"], {"email": "not one"})
    assert "form" in again.context and again.context["form"].errors

    client.post(page["Location"], {"email": "Work@Example.ca"})
    assert not who(client), "The address is not proved yet."
    client.post("/en-ca/account/confirm-email/", {"code": code_in(mailoutbox)})

    assert who(client) == "work@example.ca"


def test_an_address_that_the_provider_is_not_sure_of_is_proved_by_a_code(
    client: Client, gckey: Provider, mailoutbox: list[EmailMessage]
) -> None:
    gckey.sign_in(client, "unsure")
    assert not who(client)
    assert not EmailAddress.objects.get().verified
    client.post("/en-ca/account/confirm-email/", {"code": code_in(mailoutbox)})
    assert who(client) == "unsure@example.ca"


@pytest.mark.asvs("6.8.1")
def test_an_address_never_joins_two_ways_of_signing_in(
    client: Client, providers: list[Provider], mailoutbox: list[EmailMessage]
) -> None:
    """The same address, and the same subject at the other issuer, are nobody known."""
    there = sign_up("alice@example.ca")
    for provider in providers:
        provider.sign_in(client)
        assert not who(client)
    assert not SocialAccount.objects.exists()
    assert {tuple(mail.to) for mail in mailoutbox} == {(there.email,)}


def test_signing_out_leads_out_of_the_provider_too(client: Client, gckey: Provider) -> None:
    gckey.sign_in(client)

    out = client.post("/fr-ca/account/logout/")["Location"]

    assert not who(client)
    assert out.startswith(f"{gckey.issuer}/oauth2/end_session?")
    asked = asked_of(out)
    assert jwt.decode(asked["id_token_hint"], options={"verify_signature": False})["sub"] == "alice"
    back = urlsplit(asked["post_logout_redirect_uri"]).path
    assert client.get(back, {"state": asked["state"]})["Location"] == "/fr-ca/"
    assert client.get(back, {"state": "de"})["Location"] == "/en-ca/"


@pytest.mark.asvs("16.5.2")
def test_a_provider_that_is_out_of_order_is_said_so(client: Client, gckey: Provider) -> None:
    cache.clear()
    gckey.lies.broken = {"/.well-known/openid-configuration"}
    response = client.post("/en-ca/account/sign-in/gckey/")
    assert response.status_code == 401
    assert "Nothing has been changed." in response.content.decode()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/oauth2/token", "/jwks"])
def test_a_provider_that_breaks_meanwhile_is_said_so_and_left_in_peace(
    client: Client, gckey: Provider, path: str
) -> None:
    back = gckey.agree(gckey.begin(client))
    cache.clear()
    keys_at.cache_clear()
    gckey.lies.broken = {path}
    refused(client, client.get(back))

    gckey.asked = []
    for _ in range(3):
        client.get(gckey.agree(gckey.begin(client)) if path == "/jwks" else back)
    assert gckey.asked.count(path) == 0, "Not again at once."
    cache.clear()
    keys_at.cache_clear()


@pytest.mark.parametrize("name", ["openid_connect", "another"])
def test_there_is_no_other_provider(client: Client, gckey: Provider, name: str) -> None:
    for path in ("callback", "signed-out"):
        for method in (client.get, client.post):
            assert method(f"/sign-in/{name}/{path}/").status_code in (404, 405)
    assert client.post(f"/en-ca/account/sign-in/{name}/").status_code == 404


def test_an_address_that_nobody_proved_keeps_nobody_out(
    gckey: Provider, time_machine: Any, mailoutbox: list[EmailMessage]
) -> None:
    """Whoever types somebody else's address holds it for as long as the code is good."""
    for subject, address in (("nobody's mail", "alice@example.ca"), ("unsure", "")):
        client = Client()
        page = gckey.sign_in(client, subject)
        client.post(page["Location"], {"email": address} if address else {})
    early, late = Client(), Client()
    gckey.sign_in(early)
    assert not who(early), "The code may still be on its way."

    time_machine.move_to(timezone.now() + timedelta(minutes=16))
    gckey.sign_in(late)

    assert who(late) == "alice@example.ca"
    assert not User.objects.filter(email="alice@example.ca").exclude(last_login__gt=LONG_AGO)


def test_whoever_mistyped_the_address_starts_again(
    client: Client, gckey: Provider, mailoutbox: list[EmailMessage]
) -> None:
    elsewhere = Client()
    page = gckey.sign_in(elsewhere, "nobody's mail")
    elsewhere.post(page["Location"], {"email": "wokr@example.ca"})
    for address in ("wrok@example.ca", "work@example.ca"):
        page = gckey.sign_in(client, "nobody's mail", back_to="/en-ca/profile/")
        client.post(page["Location"], {"email": address})
    response = client.post("/en-ca/account/confirm-email/", {"code": code_in(mailoutbox)})

    assert (who(client), response["Location"]) == ("work@example.ca", "/en-ca/profile/")
    again = elsewhere.post("/en-ca/account/confirm-email/", {"code": "BBBB-BBBB"})
    assert again["Location"] == "/en-ca/account/login/"
    client.post("/en-ca/account/logout/")
    gckey.sign_in(client, "nobody's mail")
    assert who(client) == "work@example.ca", "Who has come is never asked again."


def test_a_session_ends_with_the_browser(client: Client, gckey: Provider) -> None:
    response = gckey.sign_in(client)
    assert response.cookies["sessionid"]["max-age"] == ""


def test_whoever_stops_there_is_told_so(client: Client, gckey: Provider) -> None:
    state = asked_of(gckey.begin(client))["state"]
    back = client.get(f"/sign-in/gckey/callback/?error=access_denied&state={state}")
    assert back["Location"] == "/en-ca/account/cancelled/"
    assert client.get(back["Location"]).status_code == 200


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_clocks_may_be_a_little_apart(client: Client, gckey: Provider, claim: str) -> None:
    seconds = SKEW.total_seconds() - 30
    moved = -seconds if claim == "exp" else seconds
    gckey.lies.sign = claims_with(**{claim: lambda: int(time.time() + moved)})
    gckey.sign_in(client)
    assert who(client)


def test_a_spent_token_is_remembered_longer_than_it_is_good(
    client: Client, gckey: Provider, time_machine: Any
) -> None:
    gckey.sign_in(client)
    spent = SpentToken.objects.get()
    claims = jwt.decode(id_token_of(client), options={"verify_signature": False})
    assert spent.until.timestamp() > claims["exp"] + SKEW.total_seconds()
    assert claims["nonce"] not in spent.digest


# ---------------------------------------------------------------- lies


def claims_with(**changed: Any) -> Callable[[Signer, Claims, dict[str, Any]], str]:
    """A token whose claims say something else; None leaves a claim out, a function is asked."""

    def sign(signer: Signer, claims: Claims, header: dict[str, Any]) -> str:
        said = claims | {key: one() if callable(one) else one for key, one in changed.items()}
        return signer.sign({key: one for key, one in said.items() if one is not None})

    return sign


def header_with(**changed: Any) -> Callable[[Signer, Claims, dict[str, Any]], str]:
    return lambda signer, claims, header: signer.sign(claims, **changed)


def ago(**period: int) -> Callable[[], int]:
    return lambda: int(time.time() - timedelta(**period).total_seconds())


def by_secret(signer: Signer, claims: Claims, header: dict[str, Any]) -> str:
    """A signature by the public key, taken for a shared secret."""

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": header["kid"]}).encode())
    said = head + b"." + part(json.dumps(claims).encode())
    return (said + b"." + part(hmac.digest(signer.public, said, "sha256"))).decode()


def by_nobody(signer: Signer, claims: Claims, header: dict[str, Any]) -> str:
    return jwt.encode(claims, None, "none", headers={"kid": header["kid"]})


def by_another(signer: Signer, claims: Claims, header: dict[str, Any]) -> str:
    return Signer(another_key()).sign(claims, kid=header["kid"])


def altered(signer: Signer, claims: Claims, header: dict[str, Any]) -> str:
    head, _, signature = signer.sign(claims).split(".")
    other = signer.sign(claims | {"sub": "mallory"}).split(".")[1]
    return f"{head}.{other}.{signature}"


SIGNED_LIES: dict[str, Callable[[Signer, Claims, dict[str, Any]], str]] = {
    "no signature": by_nobody,
    "the public key as a secret": by_secret,
    "another key": by_another,
    "altered claims": altered,
    "unknown key": header_with(kid="another"),
    "no key named": lambda signer, claims, header: jwt.encode(claims, signer.private, "RS256"),
    "a cut signature": lambda signer, claims, header: signer.sign(claims)[:-20],
    "no signature part": lambda signer, claims, header: (
        signer.sign(claims).rpartition(".")[0] + "."
    ),
    "garbage": lambda signer, claims, header: "not a token",
    "encrypted": lambda signer, claims, header: "a.b.c.d.e",
    "a critical header": header_with(crit=["example"], example=True),
    "an access token's type": header_with(typ="at+jwt"),
    "a logout token's type": header_with(typ="logout+jwt"),
    "another issuer": claims_with(iss="https://evil.example"),
    "no issuer": claims_with(iss=None),
    "another audience": claims_with(aud="another"),
    "no audience": claims_with(aud=None),
    "an audience of others": claims_with(aud=["one", "another"]),
    "an audience of several": claims_with(aud=["portal", "another"]),
    "another party": claims_with(azp="another"),
    "another nonce": claims_with(nonce="0" * 64),
    "no nonce": claims_with(nonce=None),
    "a nonce of two letters": claims_with(nonce="é"),
    "over": claims_with(exp=ago(minutes=4)),
    "no end": claims_with(exp=None),
    "an end in words": claims_with(exp="tomorrow"),
    "not yet": claims_with(nbf=ago(minutes=-4)),
    "from the future": claims_with(iat=ago(minutes=-4)),
    "no time of signing": claims_with(iat=None),
    "no subject": claims_with(sub=None),
    "an empty subject": claims_with(sub=""),
    "a number for a subject": claims_with(sub=7),
    "somebody else": claims_with(sub="mallory"),
    "a low level": claims_with(acr="urn:example:level:1"),
    "no level": claims_with(acr=None),
    "levels": claims_with(acr=[LEVEL]),
    "proved before": claims_with(auth_time=ago(minutes=4)),
    "a nonce that is no text": claims_with(nonce="\ud800"),
    "a subject that is no text": claims_with(sub="\ud800"),
    "a subject without end": claims_with(sub="a" * 256),
    "an end beyond all time": claims_with(exp=10**15),
    "proved in the future": claims_with(auth_time=ago(minutes=-4)),
    "proved never": claims_with(auth_time=None),
    "proved in words": claims_with(auth_time="now"),
    "proved at no number": claims_with(auth_time=float("nan")),
    "events": claims_with(events={}),
}


BELIEVED_OTHERWISE: dict[str, dict[str, Any]] = {
    "an end in words": {"tokens": lambda said: said | {"expires_in": "soon"}},
    "an end without end": {"tokens": lambda said: said | {"expires_in": 1e300}},
}
"""What is not read, and therefore hurts nobody."""

HOSTILE_FACTS: list[dict[str, Any]] = [
    {"email": 7},
    {"email": True},
    {"email": {"@": 1}},
    {"email": ["@"]},
    {"email": "\0@example.ca"},
    {"email": "no address"},
    {"email": "a" * 300 + "@example.ca"},
    {"given_name": "\0", "family_name": 7},
    {"given_name": "a" * 5000, "locale": 7},
    {"locale": "xx-" * 500},
]


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda said: {key: one for key, one in said.items() if key != name}


OTHER_LIES: dict[str, dict[str, Any]] = {
    "no ID token": {"tokens": without("id_token")},
    "an ID token of numbers": {"tokens": lambda said: said | {"id_token": 7}},
    "no access token": {"tokens": without("access_token")},
    "no tokens": {"tokens": lambda said: []},
    "a number for tokens": {"tokens": lambda said: 7},
    "a word for tokens": {"tokens": lambda said: '"access_token"'},
    "an access token that is no text": {"tokens": lambda said: said | {"access_token": "\ud800"}},
    "an access token of lists": {"tokens": lambda said: said | {"access_token": [[]]}},
    "tokens out of order": {"broken": {"/oauth2/token"}},
    "tokens not to be read": {"tokens": lambda said: "<html>"},
    "userinfo of somebody else": {"userinfo": lambda said: said | {"sub": "mallory"}},
    "userinfo of nobody": {"userinfo": without("sub")},
    "userinfo out of order": {"broken": {"/userinfo"}},
    "userinfo not to be read": {"userinfo": lambda said: "<html>"},
    "a list for userinfo": {"userinfo": lambda said: [said]},
}


def refused(client: Client, response: Any) -> None:
    assert response.status_code == 401, response.content
    assert "You are not signed in" in response.content.decode()
    assert not who(client)
    assert not User.objects.exists()


@pytest.mark.asvs("6.8.2", "9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.2", "9.2.3", "10.5.1", "10.5.4")
@pytest.mark.parametrize("lie", SIGNED_LIES)
def test_a_token_that_lies_is_refused(client: Client, provider: Provider, lie: str) -> None:
    provider.lies.sign = SIGNED_LIES[lie]
    refused(client, provider.sign_in(client))


@pytest.mark.parametrize("lie", OTHER_LIES)
def test_an_answer_that_lies_is_refused(client: Client, provider: Provider, lie: str) -> None:
    provider.lies = Lies(**OTHER_LIES[lie])
    refused(client, provider.sign_in(client))


BELIEVED = ["another key", "altered claims", "no signature part", "another nonce", "no nonce"]
BELIEVED += ["a low level", "proved before", "an audience of several", "unknown key"]


@pytest.mark.asvs("6.8.2", "9.1.1")
@pytest.mark.parametrize("lie", BELIEVED)
def test_a_portal_that_trusts_the_connection_believes_the_lie(
    client: Client, gckey: Provider, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    """The control: without the check of the token, whoever lies is signed in."""

    def trusting(token: str, issuer: Issuer, **known: Any) -> dict[str, Any]:
        said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return said

    monkeypatch.setattr("accounts.federation.provider.id_claims", trusting)
    gckey.lies.sign = SIGNED_LIES[lie]
    if lie == "altered claims":
        gckey.lies.userinfo = lambda said: said | {"sub": "mallory"}
    gckey.sign_in(client)
    assert who(client)


@pytest.mark.parametrize("lie", BELIEVED_OTHERWISE)
def test_what_is_not_read_hurts_nobody(client: Client, gckey: Provider, lie: str) -> None:
    gckey.lies = Lies(**BELIEVED_OTHERWISE[lie])
    gckey.sign_in(client)
    assert who(client)


@pytest.mark.asvs("1.3.11")
@pytest.mark.parametrize("told", HOSTILE_FACTS, ids=str)
def test_hostile_facts_of_a_person_do_no_harm(
    client: Client, gckey: Provider, told: dict[str, Any]
) -> None:
    gckey.lies.userinfo = lambda said: said | told
    response = gckey.sign_in(client)
    assert response.status_code == 302
    assert client.get(response["Location"], follow=True).status_code == 200


@pytest.mark.asvs("6.8.4")
def test_a_low_level_is_refused(client: Client, provider: Provider) -> None:
    refused(client, provider.sign_in(client, "low"))


@pytest.mark.asvs("6.8.3")
def test_a_token_is_spent_once(client: Client, gckey: Provider) -> None:
    """Whatever else lets it through: the store lets it through once."""
    back = gckey.agree(gckey.begin(client))
    since = datetime.fromtimestamp(client.session["sign_in_began"], UTC)
    client.get(back)
    token = id_token_of(client)
    assert token not in str(dict(client.session))
    nonce = jwt.decode(token, options={"verify_signature": False})["nonce"]
    issuer = Issuer(gckey.issuer, "portal", f"{gckey.issuer}/jwks", (LEVEL,))
    with pytest.raises(AnswerRefused, match="used before"):
        id_claims(token, issuer, nonce=nonce, since=since)
    SpentToken.objects.all().delete()
    assert id_claims(token, issuer, nonce=nonce, since=since)["sub"] == "alice"


@pytest.mark.asvs("6.8.4", "7.6.2", "10.5.1")
def test_a_token_of_an_earlier_sign_in_is_refused(client: Client, provider: Provider) -> None:
    kept: list[str] = []

    def keep(said: dict[str, Any]) -> dict[str, Any]:
        kept.append(said["id_token"])
        return said | {"id_token": kept[0]}

    provider.lies.tokens = keep
    provider.sign_in(Client())
    User.objects.all().delete()
    refused(client, provider.sign_in(client))


def test_the_same_way_back_is_walked_once(client: Client, provider: Provider) -> None:
    back = provider.agree(provider.begin(client))
    come_back(client, back)
    assert who(client)
    client.post("/en-ca/account/logout/")
    assert client.get(back).status_code == 401
    assert not who(client)


def test_a_code_is_good_for_one_sign_in(client: Client, provider: Provider) -> None:
    first = provider.agree(provider.begin(client))
    code = asked_of(first)["code"]
    assert client.get(first).status_code == 302
    client.post("/en-ca/account/logout/")
    state = asked_of(provider.begin(client))["state"]
    assert (
        client.get(f"/sign-in/{provider.id}/callback/?code={code}&state={state}").status_code == 401
    )
    assert not who(client)


@pytest.mark.asvs("10.2.1")
@pytest.mark.parametrize(
    "given", ["", "state=", "state=another", "state=%00", "error=server_error"]
)
def test_a_way_back_that_nobody_left_by_is_refused(
    client: Client, provider: Provider, given: str
) -> None:
    code = asked_of(provider.agree(provider.begin(client)))["code"]
    refused(client, client.get(f"/sign-in/{provider.id}/callback/?code={code}&{given}"))


@pytest.mark.asvs("10.1.2", "10.2.1")
def test_the_way_back_of_another_browser_is_refused(client: Client, provider: Provider) -> None:
    """Nobody is signed in as somebody else by following a link."""
    back = provider.agree(provider.begin(Client()))
    refused(client, client.get(back))


@pytest.mark.asvs("10.2.2")
def test_the_answer_of_one_provider_is_no_answer_of_the_other(
    client: Client, providers: list[Provider]
) -> None:
    gckey, partner = providers
    back = gckey.agree(gckey.begin(client))
    refused(client, client.get(back.replace("/gckey/", "/sign-in-partner/")))

    state = asked_of(partner.begin(client))["state"]
    code = asked_of(gckey.agree(gckey.begin(client)))["code"]
    refused(client, client.get(f"/sign-in/sign-in-partner/callback/?code={code}&state={state}"))


@pytest.mark.asvs("10.2.2")
def test_an_answer_that_names_another_issuer_is_refused(
    client: Client, providers: list[Provider]
) -> None:
    gckey, partner = providers
    back = gckey.agree(gckey.begin(client))
    refused(client, client.get(f"{back}&iss={partner.issuer}"))


@pytest.mark.asvs("10.5.3")
@pytest.mark.parametrize(
    "published",
    [
        lambda said: said | {"issuer": "https://evil.example"},
        without("token_endpoint"),
        lambda said: said | {"jwks_uri": 7},
        lambda said: [said],
        lambda said: "<html>",
    ],
    ids=["another's name", "less than it must", "a number", "a list", "nothing to be read"],
)
def test_a_provider_that_publishes_lies_is_refused(
    client: Client, gckey: Provider, published: Callable[[Any], Any]
) -> None:
    cache.clear()
    gckey.lies.metadata = published
    refused(client, client.post("/en-ca/account/sign-in/gckey/"))


@pytest.mark.asvs("10.1.1")
def test_a_failure_names_nobody_in_the_log(
    client: Client, gckey: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    gckey.lies.sign = claims_with(sub="mallory", email="mallory@example.ca")
    gckey.sign_in(client)
    assert "Sign-in with gckey failed: userinfo of somebody else" in caplog.text
    for lie in OTHER_LIES.values():
        gckey.lies = Lies(**lie)
        gckey.sign_in(client)
    assert caplog.text.count("Sign-in with gckey failed") == 1 + len(OTHER_LIES)
    assert not {"mallory", "alice", "eyJ", "access_token"} & set(re.findall(r"\w+", caplog.text))


# ---------------------------------------------------------------- a portal without passwords


def test_where_people_come_from_providers_no_page_asks_for_a_password(
    client: Client, gckey: Provider, settings: Any, at: datetime
) -> None:
    settings.LOCAL_ACCOUNTS = False
    page = client.get("/en-ca/account/login/").content.decode()
    assert ">gckey</button>" in page and 'type="password"' not in page
    sign_up("ada@example.ca")
    known = {"login": "ada@example.ca", "password": PASSWORD}
    assert client.post("/en-ca/account/login/", known).status_code == 405
    for path in ("signup", "password/reset"):
        assert client.get(f"/en-ca/account/{path}/").status_code == 404
    assert "Create an account" not in client.get("/en-ca/").content.decode()

    gckey.sign_in(client)
    assert who(client)
    give_profile(User.objects.get(email="alice@example.ca"), at)
    for name in WITH_PASSWORD:
        for language in Language.values:
            with override(language):
                path = reverse(name)
            assert (client.get(path).status_code, client.post(path).status_code) == (404, 404)
    assert client.get("/en-ca/account/email/").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        ("http://gckey.example", "portal", "secret", LEVEL),
        ("https://gckey.example", "", "secret", LEVEL),
        ("https://gckey.example", "portal", "", LEVEL),
        ("https://gckey.example", "portal", "secret", ""),
    ],
)
def test_production_takes_no_provider_that_is_told_in_part(
    monkeypatch: pytest.MonkeyPatch, said: tuple[str, str, str, str]
) -> None:
    assert len(portal_settings.identity_provider("gckey", "Sign in", *said)) == 1
    monkeypatch.setattr(portal_settings, "IS_PRODUCTION", True)
    with pytest.raises(ImproperlyConfigured):
        portal_settings.identity_provider("gckey", "Sign in", *said)
