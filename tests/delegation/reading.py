"""Pages as a signed-in person reads them."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User


def as_(person: User) -> Client:
    """A browser in which the person is signed in."""
    client = Client()
    person.refresh_from_db(fields=["sessions_ended"])
    client.force_login(person)
    return client


def words(response: HttpResponse) -> str:
    """The text of a page as it is read."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def confirm(browser: Client, url: str, data: Mapping[str, Any]) -> HttpResponse:
    """Post a form, then what its preview carries: the answer to the confirmation."""
    preview = browser.post(url, data)
    shown = preview.context or {}
    return browser.post(url, {**data, "confirm": "yes", "seal": shown.get("seal", "")})


def queries(browser: Client, url: str) -> int:
    """How many queries a page costs on another visit of the day: the first notes the day."""
    browser.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)
