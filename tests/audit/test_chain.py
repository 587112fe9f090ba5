"""What can be chained, and that a broken chain is found wherever it is broken."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy, override

from accounts.models import Language, User
from audit.chain import Break, event_hash, plain, verify, verify_every
from audit.models import GENESIS, Chain, Event
from audit.services import business_chain, record

CHAIN = business_chain("888316171")


@pytest.fixture
def three_events(db: None, at: datetime) -> list[Event]:
    """A chain of three events."""
    for number in (1, 2, 3):
        with transaction.atomic():
            record(
                verb="business.open",
                at=at + timedelta(hours=number),
                actor=None,
                chains=[CHAIN],
                object_type="business",
                object_id=number,
                object_label="Érablière du Nord",
                after={"amount": Decimal("10.50"), "since": date(2026, 1, 31), "count": number},
            )
    return list(Event.objects.order_by("seq"))


def without_triggers(sql: str) -> None:
    """Run `sql` as somebody could who owns the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        else:
            for name in ("update", "delete", "replace"):
                cursor.execute(f"DROP TRIGGER audit_event_no_{name}")
        cursor.execute(sql)


def test_a_whole_chain_verifies(three_events: list[Event]) -> None:
    assert verify(CHAIN) is None
    assert three_events[0].previous_hash == GENESIS
    assert [event.previous_hash for event in three_events[1:]] == [
        event.hash for event in three_events[:-1]
    ]


def test_the_hash_is_the_same_when_read_back(three_events: list[Event]) -> None:
    assert all(event_hash(event) == event.hash for event in three_events)


CHANGES: dict[str, tuple[str, int, str]] = {
    "the reason": ("UPDATE audit_event SET reason = 'x' WHERE seq = 2", 2, "changed"),
    "the instant": (
        "UPDATE audit_event SET at = '2020-01-01 00:00:00+00:00' WHERE seq = 2",
        2,
        "changed",
    ),
    "what was after": (
        """UPDATE audit_event SET after = '{"count": 9}' WHERE seq = 3""",
        3,
        "changed",
    ),
    "a missing middle": ("DELETE FROM audit_event WHERE seq = 2", 2, "missing"),
    "a missing end": ("DELETE FROM audit_event WHERE seq = 3", 3, "last event"),
    "a missing beginning": ("DELETE FROM audit_event WHERE seq = 1", 1, "missing"),
    "a moved link": (
        "UPDATE audit_event SET previous_hash = 'f' WHERE seq = 3",
        3,
        "does not follow",
    ),
    "a forged head": ("UPDATE audit_chain SET length = 2", 4, "last event"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_tampering_is_found(three_events: list[Event], change: str) -> None:
    sql, seq, problem = CHANGES[change]
    without_triggers(sql)
    found = verify(CHAIN)
    assert isinstance(found, Break)
    assert (found.chain, found.seq) == (CHAIN, seq)
    assert [*verify_every()] == [found]
    assert problem in found.problem


def test_an_inserted_event_is_found(three_events: list[Event]) -> None:
    forged = three_events[2]
    forged.pk, forged.seq, forged._state.adding = None, 4, True
    forged.save()
    found = verify(CHAIN)
    assert found and found.seq == 4


def test_the_command_names_the_broken_chain(three_events: list[Event]) -> None:
    output, errors = StringIO(), StringIO()
    call_command("verify_history", stdout=output, stderr=errors)
    assert output.getvalue() == "1 chains are whole.\n"
    without_triggers("UPDATE audit_event SET verb = 'x' WHERE seq = 2")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("verify_history", stdout=output, stderr=errors)
    assert errors.getvalue() == f"{CHAIN}: event 2: the event was changed\n"


PLAIN: list[tuple[object, object]] = [
    (None, None),
    (True, True),
    (7, 7),
    ("é", "é"),
    (Decimal("1.10"), "1.10"),
    (date(2026, 3, 31), "2026-03-31"),
    (
        datetime(2026, 11, 22, 15, 5, tzinfo=ZoneInfo("America/Toronto")),
        "2026-11-22T20:05:00.000000+00:00",
    ),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Language.FRENCH, "fr-ca"),
    ({"b", "a"}, ["a", "b"]),
    ((1, [2]), [1, [2]]),
    ({1: {"x": Decimal("2")}}, {"1": {"x": "2"}}),
]


@pytest.mark.parametrize(("value", "expected"), PLAIN)
def test_values_become_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
def test_texts_that_wait_for_a_language_are_kept_in_the_source_language(language: str) -> None:
    with override(language):
        assert plain(gettext_lazy("French")) == "French"


@pytest.mark.parametrize("value", [1.5, object(), b"x"])
def test_what_history_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="History cannot hold"):
        plain({"value": value})


def test_every_field_is_hashed(three_events: list[Event]) -> None:
    """A field that is added to the model must be added to the hash."""
    event = three_events[0]
    for field in Event._meta.concrete_fields:
        if field.name in {"id", "hash"}:
            continue
        whole = event_hash(event)
        kept = getattr(event, field.attname)
        other: object = kept + timedelta(1) if field.name == "at" else 5
        setattr(event, field.attname, other)
        assert event_hash(event) != whole, field.name
        setattr(event, field.attname, kept)


type Tamper = Callable[[], object]


@pytest.fixture
def event(three_events: list[Event]) -> Event:
    return three_events[0]


def test_python_refuses_to_change_history(event: Event) -> None:
    attempts: list[Tamper] = [
        event.save,
        event.delete,
        lambda: Event.objects.update(reason="x"),
        lambda: Event.objects.all().delete(),
        lambda: Event.objects.bulk_update([event], ["reason"]),
    ]
    for attempt in attempts:
        with pytest.raises(TypeError, match="insert-only"), transaction.atomic():
            attempt()
    assert verify(CHAIN) is None


REFUSED_SQL = [
    "UPDATE audit_event SET reason = 'x' WHERE seq = 2",
    "UPDATE audit_event SET reason = 'x'",
    "DELETE FROM audit_event WHERE seq = 2",
    "DELETE FROM audit_event",
]
REPLACING_SQL = (
    "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE seq = 2",
    "INSERT INTO audit_event SELECT * FROM audit_event WHERE seq = 2"
    " ON CONFLICT (id) DO UPDATE SET reason = 'x'",
)


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize("sql", REFUSED_SQL)
def test_the_database_refuses_to_change_history(three_events: list[Event], sql: str) -> None:
    with (
        pytest.raises(IntegrityError, match="history is insert-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert verify(CHAIN) is None


def test_the_database_refuses_to_replace_history(three_events: list[Event]) -> None:
    for sql in REPLACING_SQL[connection.vendor == "postgresql" :]:
        with (
            pytest.raises(IntegrityError, match="history is insert-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    assert verify(CHAIN) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_the_tables_are_empty_and_guarded_after_each_test(at: datetime, turn: int) -> None:
    assert not Event.objects.exists()
    assert not Chain.objects.exists()
    with transaction.atomic():
        record(verb="x", at=at, actor=None, chains=["a"], object_type="person", object_id=turn)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event")


def test_a_person_acts_under_the_full_name(db: None, at: datetime) -> None:
    person = User.objects.create(email="ada@example.ca", first_name="Ada", last_name="Okafor")
    with transaction.atomic():
        record(
            verb="x", at=at, actor=person, chains=["a"], object_type="person", object_id=person.pk
        )
    event = Event.objects.get()
    assert (event.actor_id, event.actor_name) == (str(person.pk), "Ada Okafor")
    assert event.at == at.astimezone(UTC)
