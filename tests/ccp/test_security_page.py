"""`docs/security.md` has the numbers that the code has, and what it lists is what there is."""

import re
from importlib import import_module
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from ccp.routes import WITH_PASSWORD, every_route
from pages.rules import anyone
from tests import house

pytestmark = pytest.mark.once

PAGE = (house.ROOT / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \|", re.MULTILINE)


def value_of(name: str) -> Any:
    """What the code has under a dotted name."""
    place, _, last = name.rpartition(".")
    return getattr(settings if place == "settings" else import_module(place), last)


def said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else ", ".join(value)


def stale(page: str) -> list[str]:
    """The rows whose number is not that of the code."""
    rows = [(name, told.strip()) for name, told in ROW.findall(page) if not name.islower()]
    rows = [(name, told) for name, told in rows if name.rpartition(".")[2].isupper()]
    return [
        f"{name}: {told}" for name, told in rows if "." in name and told != said(value_of(name))
    ]


@pytest.mark.asvs("6.1.1", "7.1.1", "11.1.1", "11.1.2", "11.6.1")
@pytest.mark.usefixtures("idle_limit")
def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert stale(PAGE) == []
    assert len([name for name, _ in ROW.findall(PAGE) if name.rpartition(".")[2].isupper()]) > 18
    assert stale(PAGE.replace("| 10,000 |", "| 10,001 |")) == [
        "settings.RELATIONSHIP_REQUESTS_A_DAY: 10,001"
    ]


@pytest.mark.asvs("16.1.1")
def test_every_logger_of_the_house_is_in_the_inventory() -> None:
    writes = {
        ".".join(path.with_suffix("").parts)
        for path in house.modules()
        if "getLogger(__name__)" in house.read(path)
    } - {"ccp.sandbox"}  # never in production
    assert writes and {name for name in writes if f"`{name}`" not in PAGE} == set()


@pytest.mark.asvs("13.1.1")
def test_every_way_out_is_listed() -> None:
    """The modules that can reach another machine are those of the page's list."""
    ways = {"requests", "urllib.request", "smtplib", "socket", "http.client", "jwt"}
    found = {
        path.parts[0] + "/" + path.parts[1]
        for path in house.modules()
        for way in ways
        if re.search(rf"^(import|from) {re.escape(way)}\b", house.read(path), re.MULTILINE)
    }
    assert found == {"accounts/sign_in.py", "accounts/federation"}
    for listed in ("DATABASE_URL", "MAIL_HOST", "GCKEY_ISSUER", "SIGN_IN_PARTNER_ISSUER"):
        assert listed in PAGE


@pytest.mark.asvs("6.3.4")
def test_every_way_in_is_listed() -> None:
    """What opens to anybody: pages of sign-in, and few others that know nobody."""
    open_to_all = {route.name for route in every_route() if anyone in route.rules.values()}
    beyond_sign_in = {
        name
        for name in open_to_all - WITH_PASSWORD
        if not name.startswith(("account_", "mfa_", "socialaccount_", "identity_provider_"))
    }
    assert beyond_sign_in == {
        "health", "home", "signed_out", "calendar_feed_read", "help_roles", "invitation_open",
        "session_status", "kept_form_create", "second_factor_help",
    }  # fmt: skip
    assert not [name for name in get_resolver().reverse_dict if "admin" in str(name)]


@pytest.mark.asvs("6.5.4")
def test_a_mailed_code_cannot_be_guessed() -> None:
    codes = {get_adapter().generate_login_code().plain for _ in range(200)}
    letters = {letter for code in codes for letter in code} - {"-"}
    assert len(codes) == 200 and all(len(code) == 9 for code in codes)
    assert len(letters) ** 8 > 2**30


@pytest.mark.asvs("13.4.1", "13.4.3", "13.4.5")
def test_what_is_no_page_is_not_there(db: None, client: Client) -> None:
    for path in (
        "/.git/config", "/.git/HEAD", "/.env", "/.svn/entries", "/static/", "/static/gcds/",
        "/static/../ccp/settings.py", "/static/%2e%2e/manage.py", "/admin/", "/metrics", "/docs/",
        "/api/", "/server-status", "/debug/", "/__debug__/", "/swagger.json", "/manage.py",
        "/db.sqlite3", "/var/portal.sqlite3", "/phpinfo.php", "/backup.zip", "/.well-known/",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
