"""Whoever asks learns nothing of the business asked: not from the page, the statements or the time.

A number that nobody registered, a registered one, one that muted the asker, and one at which many
others wait and ran into limits give the same page byte for byte, by the same statements, in the
same time. Each measure has a control: a copy that gives itself away and must be caught.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.services import record_all
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.consent import OFFER_VERSION
from delegation.models import Mute
from delegation.services import employees, offers, relationships
from delegation.services.digests import tell_what_waits
from tests.conftest import by_night
from tests.delegation.reading import as_, confirm
from tests.world import World, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CASES = ("unregistered", "registered", "muted", "busy")


@dataclass(frozen=True)
class Asker:
    """Somebody who asks, by which form, what is entered, and a number of each kind."""

    browser: Client
    form: str
    lists: str
    field: str
    entered: dict[str, str]
    kwargs: dict[str, str]
    numbers: dict[str, str]

    has_preview: bool = False

    def post(self, case: str) -> Any:
        """Send the form to the number of a kind; where there is a preview, what it carries too."""
        address = reverse(self.form, kwargs=self.kwargs)
        filled = {self.field: self.numbers[case], **self.entered}
        if self.has_preview:
            return confirm(self.browser, address, filled)
        return self.browser.post(address, filled)


@dataclass
class Seen:
    """All that comes back, without the number typed and what chance made."""

    statuses: list[int]
    headers: list[list[str]]
    pages: list[str]
    statements: list[str]


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens, so that each try begins at the same place."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def shape(sql: str) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\b\d[\d.]*\b|\"s\d+_x\d+\"|s\d+_x\d+", "?", sql)


def plain(text: str, bn9: str, pk: str) -> str:
    for shown in (show_bn9(bn9), bn9):
        text = text.replace(shown, "NUMBER")
    text = text.replace(pk, "PK")
    return re.sub(r'(name="(?:csrfmiddlewaretoken|form_key)" value=)"[^"]*"', r"\1", text)


def observe(asker: Asker, case: str) -> Seen:
    """Ask the number of a kind, open the request and the list of requests; then ask again."""
    with undone(), CaptureQueriesContext(connection) as queries:
        posted = asker.post(case)
        answers = [
            posted,
            asker.browser.get(posted["Location"]),
            asker.browser.get(reverse(asker.lists, kwargs=asker.kwargs)),
            asker.post(case),
        ]
    [pk] = re.findall(r"[0-9a-f-]{36}", posted["Location"])
    return Seen(
        statuses=[answer.status_code for answer in answers],
        headers=[sorted(answer.headers) for answer in answers],
        pages=[plain(answer.content.decode(), asker.numbers[case], pk) for answer in answers],
        statements=[shape(query["sql"]) for query in queries],
    )


@pytest.fixture
def employee(world: World) -> Asker:
    """Eve, who asks for access."""
    before, eve = world.earlier(days=3), world.person("Eve Early")
    maple, cedar, busy = (before.importer(name) for name in ("Maple", "Cedar", "Busy"))
    mute(before, cedar, person=eve)
    for number in range(12):
        before.access_request(f"Person {number}", busy)
        world.access_request(f"Late {number}", busy)
    world.access_request("Una", next_bn9())
    return Asker(
        browser=as_(eve),
        form="access_request_create",
        lists="first_time_setup",
        field="bn9",
        entered={"note": "I prepare the declarations."},
        kwargs={},
        numbers=numbers(maple, cedar, busy),
    )


@pytest.fixture
def firm(world: World) -> Asker:
    """ITN's manager, who asks for clients."""
    before = world.earlier(days=3)
    maple, cedar, busy = (before.importer(name) for name in ("Maple", "Cedar", "Busy"))
    itn = before.broker("ITN")
    mute(before, cedar, provider=itn)
    for number in range(6):
        world.relationship_request(before.broker(f"Firm {number}"), busy)
    return Asker(
        browser=as_(world.manager(itn)),
        form="relationship_request_create",
        lists="relationship_request_list",
        field="client_bn9",
        entered={
            "level": "business",
            "ceiling": "editor",
            "visibility_broker": "view",
            "visibility_importer": "none",
            "visibility_other": "none",
        },
        kwargs={"bn9": itn.bn9},
        numbers=numbers(maple, cedar, busy),
    )


@pytest.fixture
def client(world: World) -> Asker:
    """Alder's manager, who offers: to a firm, to one that muted Alder, to an importer."""
    before = world.earlier(days=3)
    north, south = before.broker("North"), before.broker("South")
    alder, importer = before.importer("Alder"), before.importer("Maple")
    mute(before, south, provider=alder)
    for number in range(3):
        world.offer(before.importer(f"Client {number}"), importer.bn9)
    rules = dict.fromkeys(("visibility_importer", "visibility_other"), "view")
    return Asker(
        browser=as_(world.manager(alder)),
        form="relationship_offer_create",
        lists="relationship_offer_list",
        field="provider_bn9",
        entered={
            "consent_version": OFFER_VERSION,
            "level": "business",
            "ceiling": "editor",
            "end": "date",
            "last_day": "2027-03-31",
            "visibility_broker": "view",
            "consent": "on",
            **rules,
        },
        kwargs={"bn9": alder.bn9},
        numbers=numbers(north, south, importer),
        has_preview=True,
    )


def mute(world: World, business: BusinessAccount, **whom: Any) -> None:
    """As if the business had muted somebody who asked it before."""
    boss = world.manager(business)
    Mute.objects.create(business=business, muted_by=boss, starts_at=world.at, **whom)


def numbers(*registered: BusinessAccount) -> dict[str, str]:
    """A number of each kind; all but the first are registered."""
    return dict(zip(CASES, (next_bn9(), *(one.bn9 for one in registered)), strict=True))


@pytest.fixture(params=["employee", "firm", by_night("client")])
def asker(request: pytest.FixtureRequest) -> Asker:
    """Each of those who ask or offer."""
    found: Asker = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("asker", ["employee", "firm", "client"], indirect=True)
def test_every_number_gives_the_same_pages_by_the_same_statements(asker: Asker) -> None:
    """Sent, opened, listed, and refused because it waits already."""
    asker.browser.get(reverse(asker.lists, kwargs=asker.kwargs))
    expected = observe(asker, "unregistered")

    assert expected.statuses == [302, 200, 200, 409]
    for case in CASES[1:]:
        seen = observe(asker, case)
        assert seen.pages == expected.pages, case
        assert seen == expected, case


def test_a_copy_that_gives_itself_away_is_caught(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: managers are looked up and written to as the request is sent."""
    asker.browser.get(reverse(asker.lists, kwargs=asker.kwargs))
    expected = observe(asker, "unregistered")
    told = hasty(monkeypatch)

    seen = observe(asker, "registered")

    assert told and seen.pages == expected.pages
    assert seen.statements != expected.statements


def hasty(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each request tell the managers by itself, which returns early where there are none."""
    told: list[str] = []

    def recorded(**act: Any) -> None:
        record_all([act])
        if not act["verb"].endswith(("_request.create", "_offer.create")):
            return
        asked = -1 if act["verb"] == "relationship_offer.create" else 0
        bn9 = act["chains"][asked].removeprefix("business:")
        if BusinessAccount.objects.filter(bn9=bn9).exists():
            told.append(bn9)
            tell_what_waits(at=act["at"])

    monkeypatch.setattr(employees, "record", recorded)
    monkeypatch.setattr(relationships, "record", recorded)
    monkeypatch.setattr(offers, "record", recorded)
    return told


# ---------------------------------------------------------------- time

FEW, MANY = 20, 500
WIDE, NARROW = (0.15, 0.85), (0.4, 0.6)


def spent(asker: Asker, case: str) -> float:
    """The CPU time of one request, from its arrival to its answer."""
    with undone():
        begun = time.thread_time()
        answer = asker.post(case)
        took = time.thread_time() - begun
        assert answer.status_code == 302
    return took


def auc(asker: Asker, case: str, rounds: int) -> float:
    """How often a registered number takes longer than one that is not: a half tells nothing."""
    times: dict[str, list[float]] = {"unregistered": [], case: []}
    for one in times:
        spent(asker, one)
    for _ in range(rounds):
        for one in random.sample(sorted(times), 2):
            times[one].append(spent(asker, one))
    pairs = [(a > b) + (a == b) / 2 for a in times[case] for b in times["unregistered"]]
    return sum(pairs) / len(pairs)


@pytest.mark.once
@pytest.mark.parametrize(
    ("case", "rounds", "between"),
    [
        ("registered", FEW, WIDE),
        by_night("registered", MANY, NARROW),
        by_night("registered", MANY, NARROW),
        by_night("muted", MANY, NARROW),
        by_night("busy", MANY, NARROW),
    ],
)
def test_every_number_takes_the_same_time(
    asker: Asker, case: str, rounds: int, between: tuple[float, float]
) -> None:
    """Measured without the pause that pages/steady.py adds. Few rounds vary much, many little."""
    found = round(auc(asker, case, rounds), 3)

    print(f"{asker.form}, {case}, {rounds} rounds: {found}")
    assert between[0] <= found <= between[1]


@pytest.mark.once
def test_an_answer_that_returns_early_is_caught(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty(monkeypatch)
    found = round(auc(asker, "registered", FEW // 2), 3)

    print(f"{asker.form}, {FEW // 2} rounds, early return: {found}")
    assert found > 0.7
