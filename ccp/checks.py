"""What production must be before it serves anybody: asked by `check --deploy`, and at every start.

Settings refuse by themselves what is missing (`ccp.settings`); here is what is there and unsafe. A
demand is a rule about the settings, or about what stands in the database.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from accounts.models import User

THIS_MACHINE = {"", "localhost", "127.0.0.1", "::1"}
LEADS_AWAY = {"host", "hostaddr", "service"}
"""Options of a database that lead to another machine, whatever its HOST says."""
OWN = {str(CSP.SELF), str(CSP.NONCE)}
FILES = ("script-src", "style-src", "worker-src", "object-src")
NOTHING = [str(CSP.NONE)]
MANY = 40
"""Bytes that a secret keeps when it is compressed: random ones stay long, repeated ones do not."""

POWERFUL = frozenset(
    "bluetooth camera display-capture geolocation hid microphone midi payment serial usb".split()
)
"""What no page of forms may ask of a browser, whatever else changes."""

PASSKEYS = {"publickey-credentials-create", "publickey-credentials-get"}


@dataclass(frozen=True)
class Demand:
    """What must hold, told of the settings; `says` is what is read where it does not."""

    id: str
    says: str
    is_met: Callable[[Any], bool]


def _has_strict_policy(of: Any) -> bool:
    """Scripts and styles of the portal alone, nothing inline; and no other policy in its place."""
    policy: Mapping[str, Iterable[object]] = of.SECURE_CSP
    said = {name: [str(source) for source in sources] for name, sources in policy.items()}
    files = {"script-src", "style-src", *(name for name in said if name.startswith(FILES))}
    own = all({*said.get(name, "*")} <= OWN for name in files)
    closed = ("default-src", "base-uri", "frame-ancestors")
    loose = {"*", "http:", "https:", str(CSP.UNSAFE_INLINE), str(CSP.UNSAFE_EVAL)}
    is_closed = all(said.get(name) == NOTHING for name in closed) and "form-action" in said
    return own and is_closed and not any(loose & {*sources} for sources in said.values())


def _has_closed_features(of: Any) -> bool:
    policy: Mapping[str, object] = of.PERMISSIONS_POLICY
    return policy.keys() >= POWERFUL and not any(policy[name] for name in {*policy} - PASSKEYS)


def _has_host_cookies(of: Any) -> bool:
    """A name with `__Host-` holds a cookie to this host, all of its paths and TLS."""
    return all(
        getattr(of, f"{cookie}_COOKIE_NAME", "").startswith("__Host-")
        and getattr(of, f"{cookie}_COOKIE_SECURE", False)
        and getattr(of, f"{cookie}_COOKIE_HTTPONLY", False)
        and getattr(of, f"{cookie}_COOKIE_SAMESITE", "Lax") in {"Lax", "Strict"}
        and not getattr(of, f"{cookie}_COOKIE_DOMAIN", None)
        and getattr(of, f"{cookie}_COOKIE_PATH", "/") == "/"
        for cookie in ("SESSION", "CSRF")
    )


def _is_told_tls(of: Any) -> bool:
    """Browsers are told to use TLS alone, for a year at least, and are led there by the setting."""
    year = 365 * 24 * 60 * 60
    return (
        getattr(of, "SECURE_SSL_REDIRECT", False)
        and getattr(of, "SECURE_SSL_HOST", None) == urlsplit(of.PORTAL_URL).netloc
        and getattr(of, "SECURE_HSTS_SECONDS", 0) >= year
        and getattr(of, "SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
    )


def _has_secret(of: Any) -> bool:
    secrets: list[str] = [of.SECRET_KEY, *of.SECRET_KEY_FALLBACKS]
    return all(
        len(secret) >= 50
        and not secret.startswith(("demonstration-only", "django-insecure-"))
        and len(zlib.compress(secret.encode(), 9)) >= MANY
        for secret in secrets
    )


def _has_real_database(of: Any) -> bool:
    return str(of.DATABASES["default"]["ENGINE"]).endswith("postgresql")


def _has_sealed_database(of: Any) -> bool:
    """Beyond this machine the database is reached in TLS, and proves that it is the one named."""
    told = of.DATABASES["default"]
    host = str(told.get("HOST", ""))
    options: Mapping[str, object] = told.get("OPTIONS", {})
    is_here = host in THIS_MACHINE or (host.startswith("/") and "," not in host)
    is_sealed = is_here or options.get("sslmode") in {"verify-ca", "verify-full"}
    return is_sealed and not LEADS_AWAY & {*options} and not of.LIBPQ_LEADS_AWAY


def _has_sealed_mail(of: Any) -> bool:
    options = of.MAILERS["default"].get("OPTIONS", {})
    is_smtp = of.MAILERS["default"]["BACKEND"].endswith("smtp.EmailBackend")
    return is_smtp and bool(options.get("use_tls") or options.get("use_ssl"))


def _has_real_providers(of: Any) -> bool:
    """People sign in with providers that stand elsewhere, and with nothing of the portal's own."""
    issuers = [urlsplit(one["settings"]["server_url"]) for one in of.SIGN_IN_WITH]
    return (
        not of.LOCAL_ACCOUNTS
        and bool(issuers)
        and all(one.scheme == "https" and one.hostname not in THIS_MACHINE for one in issuers)
    )


def _has_own_address(of: Any) -> bool:
    address = urlsplit(of.PORTAL_URL)
    return (
        address.scheme == "https"
        and not (address.path or address.query)
        and address.hostname in of.ALLOWED_HOSTS
        and not any("*" in host or host.startswith(".") for host in of.ALLOWED_HOSTS)
    )


DEMANDS = (
    Demand("ccp.E003", "DEBUG is on.", lambda of: not of.DEBUG),
    Demand("ccp.E004", "SECRET_KEY is short, repeats itself or is public.", _has_secret),
    Demand(
        "ccp.E005",
        "PORTAL_URL must begin with https:// and name one of ALLOWED_HOSTS, which has no wildcard.",
        _has_own_address,
    ),
    Demand("ccp.E006", "SECURE_CSP allows more than the portal's own files.", _has_strict_policy),
    Demand("ccp.E007", "PERMISSIONS_POLICY leaves a powerful feature on.", _has_closed_features),
    Demand(
        "ccp.E008",
        "The cookies of session and form must be __Host-, Secure, HttpOnly and SameSite.",
        _has_host_cookies,
    ),
    Demand("ccp.E009", "Browsers are not held to TLS for a year (HSTS).", _is_told_tls),
    Demand("ccp.E010", "DATABASE_URL must name a PostgreSQL database.", _has_real_database),
    Demand(
        "ccp.E011",
        "DATABASE_URL names another machine without sslmode=verify-full, or in its options; or a "
        "variable of libpq (PGHOST, PGHOSTADDR, PGSERVICE, PGOPTIONS, ...) is set beside it.",
        _has_sealed_database,
    ),
    Demand("ccp.E012", "Mail must go to a mail server, in TLS.", _has_sealed_mail),
    Demand(
        "ccp.E013",
        "An identity provider is on this machine or not https, or passwords are on.",
        _has_real_providers,
    ),
)


def unmet(of: Any) -> list[checks.CheckMessage]:
    """The demands that the settings `of` do not meet."""
    return [checks.Error(one.says, id=one.id) for one in DEMANDS if not one.is_met(of)]


def production_is_safe(**kwargs: Any) -> list[checks.CheckMessage]:
    """The settings are safe for production."""
    return unmet(settings)


def nothing_made_up_is_there(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Nobody of a demonstration is in the database, and no provider that settings do not name."""
    if not databases:
        return []
    found: list[checks.CheckMessage] = []
    if User.objects.filter(email__endswith=".example").exists():
        found.append(checks.Error("People of a demonstration are here.", id="ccp.E014"))
    if SocialApp.objects.exists():
        found.append(
            checks.Error(
                "The database names an identity provider; only settings may.", id="ccp.E015"
            )
        )
    return found


def refuse_unsafe_start() -> None:
    """Raise where production would begin to serve although a check finds an error.

    Whether the database can be asked is part of it: what cannot be known is not taken for safe.
    """
    for tags in ([checks.Tags.security, checks.Tags.urls], [checks.Tags.database]):
        found = checks.run_checks(tags=tags, include_deployment_checks=True, databases=["default"])
        wrong = [str(one) for one in found if one.is_serious() and not one.is_silenced()]
        if wrong:
            raise ImproperlyConfigured("Production does not start:\n" + "\n".join(wrong))
