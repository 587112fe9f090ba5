"""An identity provider that can lie: a live sandbox whose answers a test changes on their way."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import joserfc.jwk
import jwt
import oidc_provider_mock
import requests
from django.core import mail
from django.test import Client
from oidc_provider_mock import User as Subject

from accounts.federation.provider import SEALED
from ccp.sandbox import serving
from pages.cipher import cipher
from tests.accounts.people import code_in

LEVEL = "urn:example:level:2"

PEOPLE: dict[str, dict[str, object]] = {
    "alice": {
        "email": "Alice@Example.ca",
        "email_verified": True,
        "given_name": "Alice",
        "family_name": "Gagnon",
        "acr": LEVEL,
        "locale": "en-CA",
    },
    "nobody's mail": {"acr": LEVEL},
    "francoise": {
        "acr": LEVEL,
        "locale": "fr_CA",
        "email": "fr@example.ca",
        "email_verified": True,
    },
    "unsure": {"acr": LEVEL, "email": "unsure@example.ca", "email_verified": "true"},
    "low": {"acr": "urn:example:level:1", "email": "low@example.ca", "email_verified": True},
}
"""Who can be chosen at every provider."""

type Claims = dict[str, Any]
type Sign = Callable[["Signer", Claims, dict[str, Any]], str]


@dataclass
class Signer:
    """The provider's key pair, as a test that forges tokens needs it."""

    jwk: Any

    @property
    def private(self) -> bytes:
        return bytes(self.jwk.as_pem(private=True))

    @property
    def public(self) -> bytes:
        return bytes(self.jwk.as_pem(private=False))

    def sign(self, claims: Claims, **header: Any) -> str:
        """A token by the provider's own key."""
        return jwt.encode(claims, self.private, "RS256", headers={"kid": self.jwk.kid, **header})


@dataclass
class Lies:
    """What the provider says instead of the truth, until they are taken back."""

    sign: Sign | None = None
    tokens: Callable[[dict[str, Any]], Any] | None = None
    userinfo: Callable[[dict[str, Any]], Any] | None = None
    metadata: Callable[[dict[str, Any]], Any] | None = None
    broken: set[str] = field(default_factory=set)


class Provider:
    """A running provider: its issuer, its lies, and the way through it."""

    def __init__(self, provider_id: str, people: Mapping[str, Mapping[str, object]]) -> None:
        self.id, self.lies, self.issuer, self.signer = provider_id, Lies(), "", Signer(None)
        self.asked: list[str] = []
        subjects = [Subject(sub=sub, claims=dict(claims)) for sub, claims in people.items()]
        self.app = oidc_provider_mock.app(user_claims=subjects)
        self.app.after_request(self._lie)

    def _lie(self, response: flask.Response) -> flask.Response:
        path = flask.request.path
        self.asked.append(path)
        self.signer = Signer(flask.g.oidc_provider_mock_storage.jwk)
        if path in self.lies.broken:
            return flask.make_response("out of order", 500)
        if response.status_code != 200 or not response.is_json:
            return response
        said: Any = response.get_json()
        if path == "/oauth2/token":
            if self.lies.sign:
                token = said["id_token"]
                claims = jwt.decode(token, options={"verify_signature": False})
                header = jwt.get_unverified_header(token)
                said["id_token"] = self.lies.sign(self.signer, claims, header)
            if self.lies.tokens:
                said = self.lies.tokens(said)
        elif path == "/.well-known/openid-configuration" and self.lies.metadata:
            said = self.lies.metadata(said)
        elif path == "/userinfo" and self.lies.userinfo:
            said = self.lies.userinfo(said)
        response.set_data(said if isinstance(said, str) else flask.json.dumps(said))
        return response

    # ------------------------------------------------------------ the way through

    def begin(self, client: Client, back_to: str = "", page: str = "en-ca") -> str:
        """Press the button of the sign-in page; the address at the provider that it leads to."""
        response = client.post(
            f"/{page}/account/sign-in/{self.id}/", {"next": back_to} if back_to else {}
        )
        assert response.status_code == 302, response.content
        return str(response["Location"])

    def agree(self, asked: str, subject: str = "alice") -> str:
        """Choose somebody at the provider; the path of the portal that it leads back to."""
        answer = requests.post(asked, {"sub": subject}, allow_redirects=False, timeout=5)
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, client: Client, subject: str = "alice", back_to: str = "") -> Any:
        """All of it; the answer to the last step."""
        return come_back(client, self.agree(self.begin(client, back_to), subject))


def come_back(client: Client, way_back: str) -> Any:
    """Come back from a provider, and enter the code that is mailed to who has no second factor."""
    response = client.get(way_back)
    if response.headers.get("Location", "").endswith("/account/login/code/confirm/"):
        return client.post(response["Location"], {"code": code_in(mail.outbox)})
    return response


def asked_of(address: str) -> dict[str, str]:
    """What a sign-in asks of the provider, by parameter."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def id_token_of(client: Client) -> str:
    """The ID token of the sign-in, which the session keeps sealed."""
    sealed = client.session["identity_provider"]["id_token"]
    return cipher(SEALED).decrypt(sealed.encode()).decode()


def another_key() -> Any:
    """A key that the provider never had."""
    return joserfc.jwk.RSAKey.generate_key(2048, private=True)


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """The provider at an address of this machine, and its issuer by that address."""
    with serving(provider.app) as issuer:
        provider.issuer = issuer
        requests.get(f"{issuer}/jwks", timeout=5)
        yield provider
