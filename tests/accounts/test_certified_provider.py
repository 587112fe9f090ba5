"""Signing in and out with a certified OpenID provider, where Node is there to run it.

It is no mock: what the portal asks has to be right for it to answer, and it signs its own tokens.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.accounts.sandbox import LEVEL, asked_of, come_back

PLACE = Path(__file__).parent / "certified"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="needs Node.js and npm"
    ),
]


@pytest.fixture
def issuer(live_server: LiveServer, settings: Any) -> Iterator[str]:
    """The provider, running; the portal knows it as GCKey and waits for it at its live server."""
    with (PLACE / "package.json").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (PLACE / "node_modules").exists():
            subprocess.run(INSTALL, cwd=PLACE, check=True, timeout=120)
    settings.PORTAL_URL = live_server.url
    command = ("node", "provider.js", live_server.url, LEVEL)
    with subprocess.Popen(
        command, cwd=PLACE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        know(settings, address, LEVEL)
        yield address
        process.terminate()


def know(settings: Any, issuer: str, level: str) -> None:
    """The portal takes the provider for GCKey, and asks it for this level of assurance."""
    app = {
        "provider_id": "gckey",
        "name": "GCKey",
        "client_id": "portal",
        "secret": "kept",
        "settings": {"server_url": issuer, "acr": [level]},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "provider_class": "accounts.federation.provider.IdentityProvider",
            "APPS": [app],
        }
    }


class Visitor:
    """Somebody with one browser, whose cookies at the portal and at the provider are apart."""

    def __init__(self, portal: str) -> None:
        self.portal, self.here, self.there = portal, Client(), requests.Session()

    def at_provider(self, address: str, said: dict[str, str] | None = None) -> requests.Response:
        """What the provider shows in the end, or its answer that leads back to the portal."""
        method = "GET" if said is None else "POST"
        answer = self.there.request(method, address, data=said, allow_redirects=False, timeout=10)
        while answer.is_redirect:
            following = urljoin(answer.url, answer.headers["Location"])
            if following.startswith(self.portal):
                break
            answer = self.there.get(following, allow_redirects=False, timeout=10)
        return answer

    def sign_in(self, subject: str = "carol") -> Any:
        """Through the provider and back; the portal's answer."""
        asked = self.here.post("/en-ca/account/sign-in/gckey/")["Location"]
        answer = self.at_provider(self.at_provider(asked).url, {"sub": subject})
        return come_back(self.here, answer.headers["Location"].removeprefix(self.portal))

    def sign_out_there(self, address: str) -> requests.Response:
        """At the provider's own page, by its button."""
        page = self.at_provider(address)
        hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        action = re.search(r'action="([^"]*)"', page.text)
        assert action
        return self.at_provider(action[1], hidden | {"logout": "yes"})

    @property
    def is_known(self) -> bool:
        """Whether the portal still takes the visitor for somebody signed in."""
        return self.here.get("/en-ca/account/sessions/").status_code == 200


@pytest.fixture
def visitor(issuer: str, live_server: LiveServer) -> Visitor:
    return Visitor(live_server.url)


def test_it_signs_in_and_out(visitor: Visitor) -> None:
    assert visitor.sign_in().status_code == 302
    assert User.objects.get().email == "carol@example.ca"

    out = visitor.here.post("/fr-ca/account/logout/")["Location"]
    assert asked_of(out)["id_token_hint"]
    back = visitor.sign_out_there(out).headers["Location"].removeprefix(visitor.portal)

    assert visitor.here.get(back)["Location"] == "/fr-ca/"
    assert not visitor.is_known


def test_who_leaves_it_leaves_the_portal(visitor: Visitor, issuer: str) -> None:
    """The logout token is the provider’s own; another person’s session goes on."""
    visitor.sign_in()
    other = Visitor(visitor.portal)
    other.sign_in("dave")
    assert visitor.is_known and other.is_known

    visitor.sign_out_there(f"{issuer}/session/end")

    assert not visitor.is_known
    assert other.is_known


def test_a_level_that_it_does_not_reach_is_refused(
    visitor: Visitor, issuer: str, settings: Any
) -> None:
    know(settings, issuer, "urn:example:level:3")

    assert visitor.sign_in().status_code == 401
    assert not User.objects.exists()
