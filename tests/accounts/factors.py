"""Second factors as these tests need them: an app, and a device that keeps a passkey."""

import hashlib
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from accounts.second_factor.factors import app_code

LIST = "/en-ca/account/second-factor/"
ADD_APP, ADD_PASSKEY = f"{LIST}app/add/", f"{LIST}passkeys/add/"
CODES = "/en-ca/account/recovery-codes/"
STEP = timedelta(seconds=30)

FLAG = AuthenticatorData.FLAG
SEEN = FLAG.UP | FLAG.UV
"""Its person was there, and opened it."""


class Device:
    """Makes a passkey for the page that adds one and uses it for the page that asks for it, as a
    browser does (WebAuthn, ES256)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)

    def make(self, options: dict[str, Any]) -> str:
        """The answer to a page that adds a passkey."""
        asked = options["publicKey"]
        public = ES256.from_cryptography_key(self.key.public_key())
        made = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        found = _data(asked["rp"]["id"], SEEN | FLAG.AT, made)
        attested = bytes(AttestationObject.create("none", found, {}))
        said = bytes(_said(CollectedClientData.TYPE.CREATE, asked, asked["rp"]["id"]))
        return self._answer(clientDataJSON=said, attestationObject=attested)

    def use(self, options: dict[str, Any]) -> str:
        """The answer to a page that asks for a passkey."""
        asked = options["publicKey"]
        found = bytes(_data(asked["rpId"], SEEN))
        said = _said(CollectedClientData.TYPE.GET, asked, asked["rpId"])
        signed = self.key.sign(found + said.hash, ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=bytes(said), authenticatorData=found, signature=signed)

    def _answer(self, **response: bytes) -> str:
        own = websafe_encode(self.id)
        told = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": told})


def _data(host: str, flags: FLAG, made: bytes = b"") -> AuthenticatorData:
    return AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), flags, 0, made)


def _said(kind: str, asked: dict[str, Any], host: str) -> CollectedClientData:
    return CollectedClientData.create(kind, asked["challenge"], f"https://{host}")


def add_app(client: Client, clock: Any) -> str:
    """Add an authenticator app as its page says; the key that the app has then."""
    page = client.get(ADD_APP).content.decode()
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found
    secret = found[1].replace(" ", "")
    response = client.post(ADD_APP, {"code": app_code(secret, now())})
    assert response["Location"] == CODES
    clock.shift(STEP)
    return secret


def add_passkey(client: Client) -> Device:
    """Add a passkey as its page says; the device that keeps it."""
    device = Device()
    made = device.make(client.get(ADD_PASSKEY).context["options"])
    response = client.post(ADD_PASSKEY, {"name": "Blue key", "credential": made})
    assert response["Location"] == CODES
    return device


def now() -> datetime:
    return datetime.now().astimezone()


def codes_on(page: Any) -> list[str]:
    return re.findall(r"<li>(\d{4} \d{4} \d{4})</li>", page.content.decode())
