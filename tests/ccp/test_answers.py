"""What every answer says to the browser, whatever its status and whoever gives it."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from delegation.models import CalendarFeed
from delegation.services.feeds import token_hash
from tests.ccp.production import production
from tests.registration.claims import claim
from tests.world import World, next_bn9

pytestmark = pytest.mark.once

type Ask = Callable[[], HttpResponse]

HOST = {"host": "portal.example"}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
SAID = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
}
FRONT = (
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "pages.not_kept.NotKeptMiddleware",
)
NOT_SAID = ("Server", "X-Powered-By", "Access-Control-Allow-Origin")


def wrongs(answer: HttpResponse, *, is_kept: bool = False) -> list[str]:
    """What is wrong with what an answer says of itself; `is_kept` for what a browser may keep."""
    said = answer.headers
    body = b"" if getattr(answer, "streaming", False) else answer.content
    kind = said.get("Content-Type", "")
    policy = set(said.get("Content-Security-Policy", "").split("; "))
    right = {
        **{name: said.get(name) == value for name, value in SAID.items()},
        "Content-Security-Policy": policy >= POLICY and "unsafe" not in " ".join(policy),
        "Referrer-Policy": said.get("Referrer-Policy") in {"same-origin", "no-referrer"},
        "Permissions-Policy": "camera=()" in said.get("Permissions-Policy", ""),
        "Cache-Control": is_kept or "no-store" in said.get("Cache-Control", ""),
        "Content-Type": not (body and kind.startswith("text/")) or "charset=utf-8" in kind,
        **{name: name not in said for name in NOT_SAID},
        **{f"cookie {name}": is_closed(one) for name, one in answer.cookies.items() if one.value},
    }
    return [name for name, is_right in right.items() if not is_right]


def is_closed(cookie: Any) -> bool:
    """Whether a cookie is the portal's alone, sent in TLS, and out of the reach of scripts."""
    return (
        cookie.key.startswith("__Host-")
        and cookie["secure"]
        and cookie["httponly"]
        and cookie["samesite"] == "Lax"
        and (cookie["path"], cookie["domain"]) == ("/", "")
    )


@pytest.fixture
def as_in_production(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What production says to browsers, in the process of the tests."""
    read = production(monkeypatch)
    ours = ("SECURE_", "SESSION_COOKIE", "CSRF_COOKIE", "PORTAL_URL", "ALLOWED_HOSTS")
    for name, value in read.items():
        if name.startswith(ours):
            setattr(settings, name, value)
    settings.CSRF_TRUSTED_ORIGINS = read["CSRF_TRUSTED_ORIGINS"]
    settings.SOCIALACCOUNT_PROVIDERS = read["SOCIALACCOUNT_PROVIDERS"]
    settings.ROOT_URLCONF = "tests.ccp.planted"
    cache.clear()


def visitor(**told: Any) -> Client:
    return Client(headers=HOST, raise_request_exception=False, **told)


def every_answer(world: World) -> dict[str, tuple[int, Ask]]:
    """One answer of each kind that the portal gives: its name, its status, and how to have it."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    manager, reader, orphan = visitor(), visitor(), visitor()
    manager.force_login(world.manager(maple))
    reader.force_login(world.employee("Rea", maple, RM0001="reader"))
    orphan.force_login(world.person("Liam"))
    lead = visitor()
    lead.force_login(world.manager(itn))
    anybody, token = visitor(), "secret-of-a-feed"
    CalendarFeed.objects.create(
        person=world.manager(maple),
        business=maple,
        starts_at=world.at,
        token_hash=token_hash(token),
    )
    said = {"secure": True}
    page = reverse("profile_edit")
    of = {"bn9": maple.bn9}
    feed = f"/calendar/{token}.ics"
    known = {**said, "headers": {"If-None-Match": "-"}}

    def again() -> HttpResponse:
        known["headers"] = {"If-None-Match": anybody.get(feed, **said)["ETag"]}
        return anybody.get(feed, **known)

    def too_often() -> HttpResponse:
        sign_up = reverse("account_signup")
        return [anybody.post(sign_up, {}, **said) for _ in range(21)][-1]

    def decided() -> HttpResponse:
        row = claim(world.person("Olga"), next_bn9(), world.at)
        return orphan.get(reverse("registration_outcome", kwargs={"pk": row.pk}), **said)

    return {
        "a page": (200, lambda: anybody.get("/fr-ca/", **said)),
        "a page of a person": (
            200,
            lambda: manager.get(reverse("business_home", kwargs=of), **said),
        ),
        "a form": (200, lambda: anybody.get(reverse("account_login"), **said)),
        "for monitors": (200, lambda: anybody.get("/healthz/", **said)),
        "a table to download": (
            200,
            lambda: lead.get(
                reverse("relationship_request_export", kwargs={"bn9": itn.bn9}), **said
            ),
        ),
        "nothing new": (304, again),
        "to TLS": (301, lambda: anybody.get("/en-ca/")),
        "for monitors, without TLS": (200, lambda: anybody.get("/healthz/")),
        "to sign in": (302, lambda: anybody.get(page, **said)),
        "a foreign host": (400, lambda: visitor().get("/en-ca/", **said, headers={"host": "x.y"})),
        "fields without end": (
            413,
            lambda: lead.post(page, {str(one): "" for one in range(2001)}, **said),
        ),
        "a sign-out that nobody signed": (
            400,
            lambda: anybody.post("/sign-in/gckey/signed-out/", {"logout_token": "x"}, **said),
        ),
        "back from nowhere": (401, lambda: anybody.get("/sign-in/gckey/callback/", **said)),
        "no token": (
            403,
            lambda: visitor(enforce_csrf_checks=True).post(page, {}, **said),
        ),
        "of another site": (
            403,
            lambda: anybody.post(page, {}, **said, headers={"Sec-Fetch-Site": "cross-site"}),
        ),
        "not allowed": (403, lambda: reader.get(reverse("employee_list", kwargs=of), **said)),
        "absent": (404, lambda: anybody.get("/en-ca/nothing/", **said)),
        "somebody else's": (404, decided),
        "no such method here": (405, lambda: anybody.post("/healthz/", **said)),
        "no such method": (405, lambda: anybody.trace("/en-ca/", **said)),
        "an unknown method": (405, lambda: anybody.generic("PURGE", "/en-ca/", **said)),
        "a body without end": (
            413,
            lambda: anybody.post(page, {}, **said, CONTENT_LENGTH=str(6 * 1024 * 1024)),
        ),
        "wrong answers": (422, lambda: manager.post(page, {}, **said)),
        "too often": (429, too_often),
        "out": (302, lambda: orphan.post(reverse("account_logout"), **said)),
        "a fault": (500, lambda: anybody.get("/planted/breaks/", **said)),
    }


@pytest.mark.asvs(
    "3.3.1",
    "3.3.2",
    "3.3.3",
    "3.3.4",
    "3.4.1",
    "3.4.2",
    "3.4.3",
    "3.4.4",
    "3.4.5",
    "3.4.6",
    "3.5.1",
    "4.1.1",
    "4.1.2",
    "13.4.4",
    "14.3.2",
)
@pytest.mark.usefixtures("as_in_production", "clock")
def test_every_status_says_what_a_browser_must_know(world: World) -> None:
    wrong = []
    for name, (status, ask) in every_answer(world).items():
        answer = ask()
        if answer.status_code != status:
            wrong.append(f"{name}: {answer.status_code}")
        is_plain = name in {"to TLS", "for monitors, without TLS"}
        wrong += [
            f"{name}: {one}"
            for one in wrongs(answer, is_kept=status == 304)
            if not (is_plain and one.startswith(("Strict-Transport", "Cache-Control")))
        ]
        if answer.headers.get("Location", "/").startswith("http"):
            wrong += [name] * (not answer["Location"].startswith("https://portal.example/"))
    for path in ("/static/portal.css", "/static/portal.js"):
        with closing(visitor().get(path, secure=True)) as file:
            wrong += [f"{path}: {one}" for one in wrongs(file, is_kept=True)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.asvs("3.4.3", "3.4.4", "3.4.6")
@pytest.mark.usefixtures("as_in_production")
def test_what_is_not_said_is_seen(settings: Any) -> None:
    """The control: without any one part of the front, a page is found wanting."""
    assert wrongs(visitor().get("/nothing/", secure=True)) == []
    whole = settings.MIDDLEWARE
    for part in FRONT:
        settings.MIDDLEWARE = [one for one in whole if one != part]
        assert wrongs(visitor().get("/nothing/", secure=True)), part
    settings.MIDDLEWARE, settings.SESSION_COOKIE_NAME = whole, "sessionid"
    somebody = visitor()
    assert wrongs(somebody.post("/en-ca/account/sign-in/gckey/", secure=True))
