"""Nobody learns from the portal whether a business number exists, is registered or has history.

Unknown number, registered number, number without history and wrong answers give the same page
byte for byte, by the same statements, in the same time. Each measure has a control: a copy that
gives itself away and must be caught.
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from businesses.register import LegalEntity
from pages import steady
from registration import services
from registration.evidence import Verdict
from registration.models import Registration
from registration.terms import terms_in_force
from tests.registration.claims import (
    ENTITY,
    PAYMENT,
    fill_in,
    send,
    submit,
)
from tests.registration.test_services import (
    FAILURES,
    registered,
    unknown,
    without_history,
    wrongly_answered,
)
from tests.world import World, next_bn9


@dataclass
class Seen:
    """What a person sees of a claim that failed, without what the person typed or chance made."""

    posted: tuple[int, list[str]]
    got: tuple[int, list[str]]
    page: str
    statements: list[str]


def plain(text: str, registration: Registration) -> str:
    """A text without the number typed, the reference, keys and tokens."""
    for shown in (registration.bn15_shown, registration.bn_shown, registration.bn9):
        text = text.replace(shown, "NUMBER")
    text = text.replace(registration.reference, "REFERENCE").replace(str(registration.pk), "PK")
    return re.sub(r'(name="(?:csrfmiddlewaretoken|form_key)" value=)"[^"]*"', r"\1", text)


def shape(sql: str) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\b\d[\d.]*\b|\"s\d+_x\d+\"|s\d+_x\d+", "?", sql)


def observe(visitor: Client, bn9: str) -> Seen:
    """Claim a number in the browser and note all that comes back."""
    fill_in(visitor, bn9)
    registration = Registration.objects.get(outcome="")
    with CaptureQueriesContext(connection) as queries:
        posted = send(visitor)
        got = visitor.get(posted["Location"])
    return Seen(
        posted=(posted.status_code, sorted(posted.headers)),
        got=(got.status_code, sorted(got.headers)),
        page=plain(got.content.decode(), registration),
        statements=[shape(query["sql"]) for query in queries],
    )


@pytest.mark.parametrize("case", [case for case in FAILURES if case is not unknown])
def test_whatever_fails_looks_like_an_unknown_number(
    visitor: Client, world: World, case: Callable[[World], str]
) -> None:
    expected = observe(visitor, next_bn9())

    seen = observe(visitor, case(world))

    assert seen.page == expected.page
    assert seen == expected


def test_a_copy_that_gives_itself_away_is_caught(
    visitor: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = observe(visitor, next_bn9())

    class Hasty:
        def find(self, bn9: str) -> LegalEntity | None:
            return None

    monkeypatch.setattr(services, "get_register", Hasty)
    seen = observe(visitor, next_bn9())

    assert seen.page == expected.page
    assert seen.statements != expected.statements


# ---------------------------------------------------------------- time

ROUNDS, FEW = 60, 20
SAME = (0.8, 1.25)


def times(
    person: User, numbers: dict[str, str], at: datetime, rounds: int = ROUNDS
) -> dict[str, float]:
    """The median CPU time of a failed claim of each number, tried in random order.

    Every try is two days after the one before it, so that none is locked.
    """
    spent: dict[str, list[float]] = {name: [] for name in numbers}
    for _ in range(rounds):
        for name, bn9 in random.sample(sorted(numbers.items()), len(numbers)):
            at += timedelta(days=2)
            registration = ready(person, bn9, at)
            begun = time.thread_time()
            submit(person, registration, at)
            spent[name].append(time.thread_time() - begun)
    return {name: median(values) for name, values in spent.items()}


def ready(person: User, bn9: str, at: datetime) -> Registration:
    """A complete draft in one statement: right in all but one of two answers."""
    terms = terms_in_force()
    return Registration.objects.create(
        person=person,
        started_at=at,
        updated_at=at,
        bn9=bn9,
        extension="RM0001",
        terms_version=terms.version,
        terms_hash_en=terms.hash_en,
        terms_hash_fr=terms.hash_fr,
        terms_language="en-ca",
        terms_accepted_at=at,
        **ENTITY,
        **PAYMENT,
    )


def ratios(measured: dict[str, float]) -> dict[str, float]:
    """Each time against that of an unknown number."""
    return {name: round(value / measured["unknown"], 2) for name, value in measured.items()}


@pytest.fixture
def numbers(world: World) -> dict[str, str]:
    """A number of each kind whose claim fails."""
    cases = (unknown, registered, without_history, wrongly_answered)
    return {case.__name__: case(world) for case in cases}


@pytest.mark.once
def test_every_failure_takes_the_same_time(
    person: User, numbers: dict[str, str], at: datetime
) -> None:
    measured = ratios(times(person, numbers, at))

    assert all(SAME[0] <= ratio <= SAME[1] for ratio in measured.values()), measured


@pytest.mark.once
def test_a_judgement_that_returns_early_is_caught(
    person: User, numbers: dict[str, str], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = services.judge

    def early(claim: Registration, entity: LegalEntity | None, *, is_registered: bool) -> Verdict:
        if entity is None or is_registered:
            return Verdict(False, ())
        return judge(claim, entity, is_registered=is_registered)

    monkeypatch.setattr(services, "judge", early)
    measured = ratios(times(person, numbers, at, FEW))

    assert measured["without_history"] > SAME[1], measured
    assert SAME[0] <= measured["registered"] <= SAME[1], measured


@pytest.mark.parametrize(
    ("method", "took", "waits"), [("POST", 0.125, 0.375), ("POST", 0.75, 0.0), ("GET", 0.125, None)]
)
def test_an_answer_to_a_post_waits_until_its_moment(
    rf: RequestFactory,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    took: float,
    waits: float | None,
) -> None:
    """However long the register looked: the answer comes when the slowest would have come."""
    clock, waited = [100.0], []
    monkeypatch.setattr(steady, "ANSWER_AFTER", 0.5)
    fake = SimpleNamespace(monotonic=lambda: clock[0], sleep=waited.append)
    monkeypatch.setattr(steady, "time", fake)

    @steady.steady
    def view(request: HttpRequest) -> HttpResponse:
        clock[0] += took
        return HttpResponse("done")

    assert view(rf.generic(method, "/")).content == b"done"
    assert waited == ([] if waits is None else [waits])


def test_the_answer_to_a_claim_is_held_back_after_its_locks_are_gone(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_in(visitor, next_bn9())
    blocks: list[int] = []

    def sleep(seconds: float) -> None:
        assert 0 < seconds <= 60
        blocks.append(len(connection.savepoint_ids))

    monkeypatch.setattr(steady, "ANSWER_AFTER", 60.0)
    monkeypatch.setattr(steady, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    send(visitor, form_key=str(uuid4()))

    assert blocks == [len(connection.savepoint_ids)]
