"""What every test has: a strict critic, a clock, and a browser that fails on what it is told.

An undefined template variable and any warning are failures by `pyproject.toml`; here the network
is closed but for this machine, Hypothesis has its profiles, and tests that need PostgreSQL or
Chromium are skipped where it is missing.
"""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from accounts.second_factor.proof import PROVEN
from businesses.models import BusinessAccount
from ccp import settings as portal_settings
from delegation import prepared
from pages import steady
from tests.world import World

pytest_plugins = ["tests.chromium"]

# Queries leave much that refers to itself: to look for it seldom saves a tenth of the time.
gc.set_threshold(200_000, 50, 50)

# ---------------------------------------------------------------- how much is tried

PATIENT = {
    "deadline": None,
    "print_blob": True,
    # Shrinking a history of database acts takes minutes and teaches little.
    "phases": [hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate],
    "suppress_health_check": [
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.too_slow,
    ],
}
hypothesis.settings.register_profile("ci", max_examples=100, **PATIENT)
hypothesis.settings.register_profile("nightly", max_examples=10_000, **PATIENT)
NIGHTLY = os.environ.get("NIGHTLY") == "1"
hypothesis.settings.load_profile("nightly" if NIGHTLY else "ci")


def by_night(*values: object) -> object:
    """A case that takes long and says little that another case does not."""
    return pytest.param(*values, marks=pytest.mark.nightly)


# ---------------------------------------------------------------- where it is tried


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what states only PostgreSQL's behaviour elsewhere, and what takes long by day.

    What a page says is the same on every database: tests in modules of pages are marked so. What
    alone takes longest begins first, so that no process waits for it in the end.
    """
    missing = set()
    if connection.vendor != "postgresql":
        missing.add(("postgres", "needs PostgreSQL: set DATABASE_URL"))
    if not NIGHTLY:
        missing.add(("nightly", "takes long: ./run test --nightly"))
    for item in items:
        if item.path.stem.endswith(("page", "pages")):
            item.add_marker(pytest.mark.once)
        for marker, reason in missing:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


class NetworkUsed(RuntimeError):
    """A test tried to reach another machine."""


def refuse_elsewhere(address: object) -> None:
    """Raise `NetworkUsed` unless `address` is of this machine (a path, localhost, loopback)."""
    if not isinstance(address, tuple):
        return
    host = str(address[0])
    if host != "localhost" and not ip_address(host).is_loopback:
        raise NetworkUsed(f"a test tried to reach {host}")


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """Let no test reach another machine."""

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: object) -> Any:
            refuse_elsewhere(address)
            return method(self, address)

        return connect

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", watched(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", watched(socket.socket.connect_ex))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_kept_of_a_mutant() -> None:
    """Where mutmut breaks the decision on purpose, no query outlives the copy that built it."""
    if "MUTANT_UNDER_TEST" in os.environ:
        built = getattr(prepared.built, "__wrapped__", prepared.built)
        prepared.built = built


# ---------------------------------------------------------------- a database to empty


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let a test that commits be cleaned up after on SQLite.

    PostgreSQL empties tables by TRUNCATE, which insert-only triggers on rows do not see; SQLite
    deletes row by row, so the triggers are taken away for the flush and put back as they were.
    """
    if connection.vendor != "sqlite":
        yield
        return
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_past_triggers(self: BaseDatabaseOperations, statements: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _definition in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(self, statements)
            for _name, definition in triggers:
                cursor.execute(definition)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", flush_past_triggers)
        yield


# ---------------------------------------------------------------- a clock

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=ZoneInfo("America/Toronto"))


@pytest.fixture
def at() -> datetime:
    """The moment at which a test acts: Monday, November 23, 2026, 10:30 a.m. in Toronto."""
    return NOW


@pytest.fixture
def clock(at: datetime) -> Iterator[time_machine.Traveller]:
    """The clock of the process, standing at `at`; `clock.move_to(...)` and `clock.shift(...)`."""
    with time_machine.travel(at, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def idle_limit(settings: Any) -> int:
    """Sessions end where nobody opens a page, as in the portal itself; after how many seconds."""
    settings.SESSION_IDLE_MINUTES = portal_settings.SESSION_IDLE_MINUTES
    return portal_settings.SESSION_IDLE_MINUTES * 60


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for an answer that is held back; those of the waiting say so."""
    monkeypatch.setattr(steady, "ANSWER_AFTER", 0.0)


@pytest.fixture(scope="session", autouse=True)
def signed_in_by_all_that_it_takes() -> Iterator[None]:
    """Whom a test lets in without the pages of signing in has proved who they are, as there."""
    force_login = Client.force_login

    def with_proof(self: Client, user: User, backend: str | None = None) -> None:
        force_login(self, user, backend)
        session = self.session
        session[PROVEN] = timezone.now().timestamp()
        session.save()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "force_login", with_proof)
        yield


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """A test begins in the default language: the last page of another leaves its own behind."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def world(db: None, at: datetime) -> World:
    """Businesses and people that a test names as it goes."""
    return World(at)


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    """An importer."""
    return world.importer("Maple")


@pytest.fixture
def itn(world: World) -> BusinessAccount:
    """A customs broker."""
    return world.broker("ITN")
