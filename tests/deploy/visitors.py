"""People of a made-up world who sign in through the proxy of a portal on this machine."""

import re
from email import message_from_bytes, policy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from deploy.place import Place

CODE = re.compile(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", re.MULTILINE)
SIGN_IN = "/en-ca/account/login/"


class Speaking(HTTPAdapter):
    """Connections from one address of this machine: limits count by address."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **more: Any) -> None:
        super().init_poolmanager(*sizes, source_address=(self.address, 0), **more)


def browser(place: Place, address: str = "127.0.0.1") -> requests.Session:
    """A browser that trusts the authority of the place, and comes from its page of signing in."""
    session = requests.Session()
    session.mount(place.address, Speaking(address))
    session.trust_env, session.verify = False, str(place.ca)
    session.headers["Referer"] = place.address + SIGN_IN
    return session


def send(visitor: requests.Session, page: str, **fields: str) -> requests.Response:
    """Fill in the form of a page."""
    return visitor.post(page, {"csrfmiddlewaretoken": token(visitor, page), **fields})


def token(visitor: requests.Session, page: str) -> str:
    """The token of a form."""
    [found, *_] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', visitor.get(page).text)
    return str(found)


def sign_in(
    place: Place, visitor: requests.Session, email: str, password: str
) -> requests.Response:
    """Sign in with the password and the code that comes by mail; the page that follows."""
    asked = send(visitor, place.address + SIGN_IN, login=email, password=password)
    assert asked.status_code == 200 and "code" in asked.url
    return send(visitor, asked.url, code=_code_in(place))


def _code_in(place: Place) -> str:
    """The code in the newest mail."""
    newest = max(place.mail.iterdir(), key=lambda mail: mail.stat().st_mtime_ns)
    mail = message_from_bytes(newest.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    found = CODE.search(body.get_content())
    assert found
    return found[1]
