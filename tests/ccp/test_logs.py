"""The log says what happened and names nobody; nor do addresses, and subjects of mails."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.consent import privacy_statement
from accounts.models import User
from accounts.services import create_profile
from audit.services import person_chain, refuse
from ccp.logs import JsonLines
from delegation.models import CalendarFeed
from delegation.services.feeds import token_hash
from tests.accounts.people import DETAILS, FIELDS, PASSWORD, code_in, sign_up
from tests.accounts.test_sign_in import CONFIRM_ADDRESS, CONFIRM_SIGN_IN, SIGN_IN, SIGN_UP
from tests.world import World

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("clock")]

CANARIES = {
    "given name": "Zyxgiven",
    "family name": "Zyxfamily",
    "e-mail address": "zyxmail",
    "telephone": "555-7193",
    "extension": "71937",
    "password": "zyx-password-74",
    "note": "zyxnote",
    "answer": "7193.71",
    "token of a feed": "zyxtokenoffeed",
    "token of an invitation": "zyxtokenofinvitation",
    "search": "zyxsearch",
    "client": "zyxbrowser",
    "cookie": "zyxcookie",
    "fault": "zyxfault",
}
"""What stands nowhere else, one for each field that is about a person and each secret."""


class Log:
    """What the log holds since it was opened, and the same as other writers would write it."""

    def __init__(self) -> None:
        self.text, self.plain = io.StringIO(), io.StringIO()
        self.handlers = [logging.StreamHandler(self.text), logging.StreamHandler(self.plain)]
        self.handlers[0].setFormatter(JsonLines())
        self.handlers[1].setFormatter(logging.Formatter("%(message)s %(request)s"))
        self.handlers[1].addFilter(lambda one: setattr(one, "request", "") or True)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def since(self, act: Callable[[], object]) -> list[dict[str, Any]]:
        """The lines that an act leaves."""
        before = len(self.lines)
        act()
        return self.lines[before:]


@pytest.fixture
def log(db: None) -> Iterator[Log]:
    cache.clear()
    opened, root, known = Log(), logging.getLogger(), logging.getLogger("accounts")
    known.setLevel(logging.INFO)  # as the settings say, whatever another test left
    for handler in opened.handlers:
        root.addHandler(handler)
    yield opened
    for handler in opened.handlers:
        root.removeHandler(handler)


def visitor(**told: Any) -> Client:
    client = Client(headers={"user-agent": "zyxbrowser"}, raise_request_exception=False, **told)
    client.cookies["other"] = "zyxcookie"
    return client


def walk(world: World, mails: list[EmailMessage]) -> Iterator[HttpResponse]:
    """A person full of canaries signs up, goes about, errs and is refused."""
    email, password = "zyxmail@example.test", CANARIES["password"]
    maple, new = world.importer("Maple"), visitor()
    yield new.post(SIGN_UP, {"email": email, "password1": password, "password2": "x"})
    yield new.post(SIGN_UP, {"email": email, "password1": password, "password2": password})
    yield new.post(CONFIRM_ADDRESS, {"code": "ZYXX-XXXX"})
    yield new.post(CONFIRM_ADDRESS, {"code": code_in(mails)})
    about = FIELDS | {"given_name": "Zyxgiven", "family_name": "Zyxfamily"}
    about |= {"telephone": "613-555-7193", "telephone_extension": "71937"}
    for wrong in ({"telephone": "zyx"}, {"consent": ""}, {}):
        yield new.post("/en-ca/profile/create/", about | wrong)
    yield new.get("/en-ca/profile/")
    ask = {"bn9": maple.bn9, "note": 'zyxnote\r\n{"at": 1}\x1b[31m', "extension_1": "RM0001"}
    for note in (ask, ask | {"note": "zyxnote", "role_1": "reader"}, ask | {"bn9": "zyxnote"}):
        yield new.post(reverse("access_request_create"), note)
    answers = {"bn9": "439051277", "transaction_total": "7193.71", "legal_name": "Zyxfamily"}
    for step in ("business-number", "legal-entity", "security-questions"):
        yield new.post(reverse("registration_step", args=[step]), answers)
    for path in (
        "/calendar/zyxtokenoffeed.ics",
        "/en-ca/invitations/open/zyxtokenofinvitation/",
        "/en-ca/invitations/follow/",
        "/en-ca/zyxsearch/?q=zyxsearch&email=zyxmail",
        f"/en-ca/businesses/{maple.bn9}/?q=zyxsearch",
        "/planted/breaks/?q=zyxfault",
        "/planted/trusts/?page=zyxfault",
    ):
        yield new.get(path)
    manager = visitor()
    manager.force_login(world.manager(maple))
    for page in ("employee_list", "access_request_list", "activity_list"):
        yield manager.get(reverse(page, kwargs={"bn9": maple.bn9}))
    yield new.post("/en-ca/account/logout/")
    yield new.post(SIGN_IN, {"login": email, "password": "zyx-password-74x"})
    yield new.post(SIGN_IN, {"login": email, "password": password, "next": "//zyxsearch"})
    yield new.post(CONFIRM_SIGN_IN, {"code": "ZYXX-XXXX"})
    yield visitor(enforce_csrf_checks=True).post(SIGN_IN, {"login": email, "password": password})
    yield visitor().get("/en-ca/", headers={"host": "zyxsearch.example"})
    yield visitor().get("/en-ca/account/login/", headers={"referer": "https://zyxsearch.example/"})


def told(canaries: dict[str, str], text: str) -> list[str]:
    """The canaries that stand in a text, by what they are."""
    return [name for name, canary in canaries.items() if canary.lower() in text.lower()]


def addresses(answer: HttpResponse) -> str:
    """Every address that an answer leads to, but the one that was typed, in either language."""
    page = "" if getattr(answer, "streaming", False) else answer.content.decode(errors="replace")
    found = [
        answer.headers.get("Location", ""),
        *re.findall(r'(?:href|action|src)="([^"]*)"', page),
    ]
    typed = answer.wsgi_request.get_full_path()  # type: ignore[attr-defined]
    return "\n".join(one for one in map(unescape, found) if one[6:] != typed[6:])


@pytest.mark.asvs("10.1.1", "14.2.1", "14.2.4", "16.2.5")
def test_no_canary_gets_out(
    world: World, settings: Any, log: Log, mailoutbox: list[EmailMessage]
) -> None:
    settings.ROOT_URLCONF = "tests.ccp.planted"
    CalendarFeed.objects.create(
        person=world.person("Liam"),
        business=world.importer("Maple"),
        starts_at=world.at,
        token_hash=token_hash("zyxtokenoffeed"),
    )
    statuses, led = set(), []
    for answer in walk(world, mailoutbox):
        statuses.add(answer.status_code)
        led.append(addresses(answer))

    assert {200, 302, 400, 403, 404, 422, 500} <= statuses, statuses
    written = log.text.getvalue()
    assert told(CANARIES, written) == []
    assert told(CANARIES, "\n".join(led)) == []
    assert told(CANARIES, "\n".join(mail.subject for mail in mailoutbox)) == []
    person = User.objects.get(email="zyxmail@example.test")
    assert person.profile.telephone == "613-555-7193", "The canaries were there to be told."
    pages = {line.get("page") for line in log.lines}
    assert {"planted_breaks", "calendar_feed_read"} <= pages
    # The control: the same records, written as they come, tell some of them.
    assert len(told(CANARIES, log.plain.getvalue())) >= 3
    assert told(CANARIES, "GET /calendar/zyxtokenoffeed.ics") == ["token of a feed"]


@pytest.mark.asvs("16.4.1")
def test_what_is_written_is_one_line_whatever_stands_in_it() -> None:
    evil = 'x"}\r\n{"event": "forged"}\x1b[31m\u2028\x85\x00'
    for name in ("accounts.sign_in", "django.request"):
        record = logging.LogRecord(name, logging.WARNING, "f", 1, "said %s", (evil,), None)
        line = JsonLines().format(record)
        assert line.isprintable() and line.isascii() and len(line.splitlines()) == 1
        assert json.loads(line)["event"] == name
        assert ("said" in json.loads(line)) is (name == "accounts.sign_in")


@pytest.mark.asvs("16.2.1", "16.2.2", "16.3.4", "16.5.1")
def test_a_fault_says_where_and_quotes_nobody(settings: Any, log: Log) -> None:
    settings.ROOT_URLCONF = "tests.ccp.planted"
    answer = visitor().get("/planted/trusts/?page=zyxfault")
    (line,) = log.lines
    assert line["error"] == "ValueError" and line["status"] == 500
    assert re.fullmatch(r"tests/ccp/planted\.py:\d+ trusts", line["in"][-1])
    assert line["request"] == answer["X-Request-Id"] and line["at"].endswith("+00:00")
    assert (line["method"], line["page"]) == ("GET", "planted_trusts")


def security_acts(world: World) -> dict[str, tuple[Callable[[], object], str, str]]:
    """What each line of security is left by: the act, the event, and a word of what it says."""
    maple, at = world.importer("Maple"), world.at
    reader = visitor()
    reader.force_login(world.employee("Rea", maple, RM0001="reader"))
    ada = sign_up()
    create_profile(
        actor=ada, details=DETAILS, statement=privacy_statement(), read_in=DETAILS.language, at=at
    )
    known = {"login": ada.email, "password": PASSWORD}
    signing = visitor()

    def sign_in_wrongly() -> None:
        visitor().post(SIGN_IN, known | {"password": "x" * 14})

    def wrong_code() -> None:
        signing.post(SIGN_IN, known)
        signing.post(CONFIRM_SIGN_IN, {"code": "BBBB-BBBB"})

    def refused() -> None:
        refuse(
            code="not_yours", message="", verb="relationship.end", at=at, actor=ada,
            chains=[person_chain(ada)], object_type="relationship", object_id=1,
        )  # fmt: skip

    def of_another_site() -> None:
        reader.post("/en-ca/profile/edit/", headers={"Sec-Fetch-Site": "cross-site"})

    def by_provider() -> None:
        visitor().get("/sign-in/gckey/callback/")

    people = reverse("employee_list", kwargs={"bn9": maple.bn9})
    return {
        "a wrong password": (sign_in_wrongly, "accounts.sign_in", "email_password_mismatch"),
        "a wrong code": (wrong_code, "accounts.sign_in", "incorrect_code"),
        "a refused act": (refused, "audit.services", "relationship.end: not_yours"),
        "a page that is not for the reader": (lambda: reader.get(people), "django.request", ""),
        "a form without its token": (
            lambda: visitor(enforce_csrf_checks=True).post(SIGN_IN, known),
            "django.security.csrf",
            "",
        ),
        "a form of another site": (of_another_site, "django.security.csrf", ""),
        "a host that is not ours": (
            lambda: visitor().get("/en-ca/", headers={"host": "x.example"}),
            "django.security.DisallowedHost",
            "",
        ),
        "signing out": (lambda: reader.post("/en-ca/account/logout/"), "accounts.sign_in", "out"),
        "an answer of nobody": (by_provider, "accounts.sign_in", "not begun here"),
    }


@pytest.mark.asvs("16.2.1", "16.2.4", "16.3.1", "16.3.2", "16.3.3")
def test_each_event_of_security_leaves_one_line(world: World, settings: Any, log: Log) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = _providers()
    wrong = []
    for name, (act, event, word) in security_acts(world).items():
        lines = log.since(act)
        left = [line.get("said", "") for line in lines if line["event"] == event]
        if len(left) != 1 or word not in left[0]:
            wrong.append(f"{name}: {lines}")
    assert not wrong, "\n".join(wrong)


def _providers() -> dict[str, Any]:
    return {
        "openid_connect": {
            "provider_class": "accounts.federation.provider.IdentityProvider",
            "APPS": [
                {
                    "provider_id": "gckey",
                    "name": "gckey",
                    "client_id": "portal",
                    "secret": "kept",
                    "settings": {"server_url": "https://gckey.example", "acr": ["level-2"]},
                }
            ],
        }
    }


@pytest.mark.asvs("16.3.1", "16.3.3")
def test_signing_in_and_a_limit_leave_a_line(
    world: World, log: Log, mailoutbox: list[EmailMessage]
) -> None:
    ada, client = world.owns(world.person("Ada")), visitor()
    ada.set_password(PASSWORD)
    ada.save()
    EmailAddress.objects.update(primary=True)

    def sign_in() -> None:
        client.post(SIGN_IN, {"login": ada.email, "password": PASSWORD})
        client.post(CONFIRM_SIGN_IN, {"code": code_in(mailoutbox)})

    (line,) = log.since(sign_in)
    assert (line["said"], line["level"]) == (f"Signed in: {ada.pk} by password", "info")

    lines = log.since(lambda: [visitor().post(SIGN_UP, {}) for _ in range(21)])
    assert [line["status"] for line in lines] == [429]


@pytest.mark.asvs("16.2.3")
def test_the_log_has_one_place_to_go(settings: Any) -> None:
    said = settings.LOGGING
    assert [*said["handlers"]] == ["console"]
    assert all(one.get("handlers", []) in ([], ["console"]) for one in said["loggers"].values())
    assert not logging.getLogger("django").handlers
    assert not logging.getLogger("django.server").handlers
