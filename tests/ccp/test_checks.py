"""Production refuses to begin where it would be unsafe: each demand is seen to be unmet."""

import runpy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import dj_database_url
import pytest
from allauth.socialaccount.models import SocialApp
from django.core.exceptions import ImproperlyConfigured

from ccp.checks import DEMANDS, nothing_made_up_is_there, refuse_unsafe_start, unmet
from tests.accounts.people import sign_up
from tests.ccp.production import ENVIRONMENT, production

pytestmark = pytest.mark.once

type Breaks = Callable[[dict[str, Any]], object]


def says(setting: str, value: object) -> Breaks:
    return lambda of: of.update({setting: value})


def csp(**directives: list[str]) -> Breaks:
    said = {name.replace("_", "-"): sources for name, sources in directives.items()}
    return lambda of: of.update(SECURE_CSP=of["SECURE_CSP"] | said)


def without_csp(directive: str) -> Breaks:
    return lambda of: of["SECURE_CSP"].pop(directive)


def database(**told: Any) -> Breaks:
    return lambda of: of["DATABASES"]["default"].update(told)


def reached(url: str) -> Breaks:
    return lambda of: of["DATABASES"].update(default=dj_database_url.parse(url))


def provider(**told: Any) -> Breaks:
    return lambda of: of["SIGN_IN_WITH"][0]["settings"].update(told)


LEADING_AWAY = [
    "postgres://portal@/portal?host=db.example",
    "postgres://portal@localhost/portal?hostaddr=192.0.2.7",
    "postgres://portal@/portal?service=far",
    "postgres://portal@db.example/portal?sslmode=verify-full&hostaddr=192.0.2.7",
    "postgres://portal@%2Frun%2Fpostgresql,db.example/portal",
]
"""Databases on other machines that look as if they were here, or as if they proved who they are."""

UNSAFE: list[tuple[str, Breaks]] = [
    ("ccp.E003", says("DEBUG", True)),
    ("ccp.E004", says("SECRET_KEY", "short")),
    ("ccp.E004", says("SECRET_KEY", "demonstration-only-" + "0" * 40)),
    ("ccp.E004", says("SECRET_KEY", "0123456789abcdef" * 8)),
    ("ccp.E004", says("SECRET_KEY_FALLBACKS", ["short"])),
    ("ccp.E005", says("PORTAL_URL", "http://portal.example")),
    ("ccp.E005", says("ALLOWED_HOSTS", ["other.example"])),
    ("ccp.E005", says("PORTAL_URL", "https://portal.example/under")),
    ("ccp.E005", says("ALLOWED_HOSTS", ["portal.example", "*"])),
    ("ccp.E005", says("ALLOWED_HOSTS", ["portal.example", ".example"])),
    ("ccp.E006", csp(script_src=["'self'", "'unsafe-inline'"])),
    ("ccp.E006", csp(script_src=["'self'", "'unsafe-eval'"])),
    ("ccp.E006", csp(script_src=["https://cdn.example"])),
    ("ccp.E006", csp(style_src=["'self'", "'unsafe-inline'"])),
    ("ccp.E006", csp(img_src=["*"])),
    ("ccp.E006", csp(script_src_elem=["https://cdn.example"])),
    ("ccp.E006", csp(worker_src=["data:"])),
    ("ccp.E006", csp(default_src=["'self'"])),
    ("ccp.E006", csp(frame_ancestors=["'self'"])),
    ("ccp.E006", without_csp("script-src")),
    ("ccp.E006", without_csp("base-uri")),
    ("ccp.E006", without_csp("form-action")),
    ("ccp.E007", says("PERMISSIONS_POLICY", {})),
    ("ccp.E007", lambda of: of["PERMISSIONS_POLICY"].update(camera=["self"])),
    ("ccp.E008", says("SESSION_COOKIE_NAME", "sessionid")),
    ("ccp.E008", says("SESSION_COOKIE_SECURE", False)),
    ("ccp.E008", says("SESSION_COOKIE_SAMESITE", "None")),
    ("ccp.E008", says("SESSION_COOKIE_DOMAIN", "example")),
    ("ccp.E008", says("CSRF_COOKIE_HTTPONLY", False)),
    ("ccp.E008", says("CSRF_COOKIE_NAME", "csrftoken")),
    ("ccp.E009", says("SECURE_HSTS_SECONDS", 3600)),
    ("ccp.E009", says("SECURE_SSL_REDIRECT", False)),
    ("ccp.E009", says("SECURE_SSL_HOST", None)),
    ("ccp.E010", database(ENGINE="django.db.backends.sqlite3")),
    ("ccp.E011", database(OPTIONS={})),
    ("ccp.E011", database(OPTIONS={"sslmode": "require"})),
    *(("ccp.E011", reached(url)) for url in LEADING_AWAY),
    ("ccp.E012", says("MAILERS", {"default": {"BACKEND": "x.smtp.EmailBackend"}})),
    ("ccp.E012", lambda of: of["MAILERS"]["default"].update(BACKEND="console.EmailBackend")),
    ("ccp.E013", provider(server_url="http://gckey.example")),
    ("ccp.E013", provider(server_url="https://localhost:18000")),
    ("ccp.E013", says("SIGN_IN_WITH", [])),
    ("ccp.E013", says("LOCAL_ACCOUNTS", True)),
]


def found(of: dict[str, Any]) -> set[str | None]:
    return {one.id for one in unmet(SimpleNamespace(**of))}


@pytest.mark.asvs(
    "3.3.1", "3.3.2", "3.3.3", "3.3.4", "12.3.1", "12.3.2", "12.3.3", "13.4.2", "15.2.3"
)
def test_each_demand_is_seen_to_be_unmet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(production(monkeypatch)) == set(), "Production as it is told to be."
    here = "postgres://portal@localhost/portal"
    assert found(production(monkeypatch, DATABASE_URL=here)) == set()
    for name in ("PGHOSTADDR", "PGSERVICE", "PGOPTIONS"):
        assert found(production(monkeypatch, **{name: "elsewhere"})) == {"ccp.E011"}, name
    for number, (wanted, breaks) in enumerate(UNSAFE):
        of = production(monkeypatch)
        breaks(of)
        assert found(of) == {wanted}, f"line {number} of the table"
    assert {one.id for one in DEMANDS} == {wanted for wanted, _ in UNSAFE}


@pytest.mark.asvs("13.3.1", "13.4.2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in ENVIRONMENT if name not in {"PORTAL_PROFILE", "DATABASE_URL"}),
        ("DEBUG", "1"),
        ("PORTAL_PROFILE", "staging"),
        ("GCKEY_ISSUER", "http://gckey.example"),
        ("IDENTITY_PROVIDER_ORIGINS", "http://gckey.example"),
        ("TRUSTED_PROXIES", "many"),
    ],
)
def test_settings_refuse_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured):
        production(monkeypatch, **{name: value})


LOOPBACK = {
    "PORTAL_PROFILE": "loopback",
    "PORTAL_URL": "https://localhost:8443",
    "ALLOWED_HOSTS": "localhost",
    "DATABASE_URL": "postgres://portal@localhost:8445/portal",
    "MAIL_FOLDER": "mail",
}


def test_on_loopback_all_is_as_in_production_but_for_who_signs_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped, here = production(monkeypatch), production(monkeypatch, **LOOPBACK)
    differing = {name for name in shipped if shipped[name] != here[name]}
    assert differing == {
        "PROFILE", "IS_PRODUCTION", "IS_LOOPBACK", "LOCAL_ACCOUNTS",
        "PORTAL_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SECURE_SSL_HOST", "DATABASES",
        "MAIL_BACKEND", "MAIL_OPTIONS", "MAILERS", "SILENCED_SYSTEM_CHECKS",
    }  # fmt: skip
    assert found(here) == {"ccp.E012", "ccp.E013"} <= {*here["SILENCED_SYSTEM_CHECKS"]}
    elsewhere = {
        "PORTAL_URL": "https://portal.example",
        "ALLOWED_HOSTS": "localhost,portal.example",
        "DATABASE_URL": "postgres://portal@db.example/portal?sslmode=verify-full",
        "MAIL_FOLDER": "",
        "SECRET_KEY": "",
        "DEBUG": "1",
        "PGHOSTADDR": "203.0.113.1",
    }
    away = [("DATABASE_URL", url) for url in LEADING_AWAY]
    for name, value in [*elsewhere.items(), *away]:
        with pytest.raises(ImproperlyConfigured):
            production(monkeypatch, **LOOPBACK | {name: value})


@pytest.mark.asvs("6.3.2", "13.2.3")
def test_nobody_made_up_is_in_the_database_of_production(db: None) -> None:
    assert nothing_made_up_is_there(databases=["default"]) == []
    sign_up("olivia.bennett@demo.example")
    SocialApp.objects.create(provider="openid_connect", client_id="x", name="x")

    ids = {one.id for one in nothing_made_up_is_there(databases=["default"])}

    assert ids == {"ccp.E014", "ccp.E015"}


@pytest.mark.asvs("13.4.2", "15.2.3")
def test_nothing_is_served_where_a_check_finds_an_error(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings of a test, which production would be ashamed of; then a database that lies."""
    door = settings.BASE_DIR / "ccp" / "wsgi.py"
    assert callable(runpy.run_path(str(door))["application"])
    settings.IS_SHIPPED = True
    with pytest.raises(ImproperlyConfigured, match=r"ccp\.E008"):
        runpy.run_path(str(door))

    monkeypatch.setattr("ccp.checks.DEMANDS", ())
    sign_up("olivia.bennett@demo.example")
    with pytest.raises(ImproperlyConfigured, match=r"ccp\.E014"):
        refuse_unsafe_start()
