"""Many requests at once are what one by one would be: rows, history, counts and refusals."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import services as history
from audit.chain import verify
from audit.models import Chain, Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.forms.clients import RelationshipRequestCreateForm
from delegation.models import (
    Ceiling,
    Level,
    RelationshipRequest,
    RelationshipRequestLine,
    RequestBatch,
    RequestBatchRow,
    RequestTally,
    Visibility,
)
from delegation.request_file import check
from delegation.services import batches, bulk
from delegation.services.agreements import Rules
from delegation.services.batches import create_request_batch, send_request_batch
from delegation.services.bulk import Asked, create_relationship_requests
from delegation.services.relationships import Wish, create_relationship_request
from pages.csv_file import Line
from tests.world import World, done, next_bn9

State = RequestBatchRow.State
type Way = Callable[[list[Asked]], list[RelationshipRequest | Refusal]]


class Undone(Exception):
    """Takes back what was tried."""


@pytest.fixture
def itn(world: World) -> BusinessAccount:
    """A customs broker of long standing."""
    return world.earlier(days=600).broker("ITN")


# ---------------------------------------------------------------- bulk against single

WISHES = st.builds(
    Wish,
    level=st.sampled_from(Level),
    extensions=st.sampled_from([("RM0001",), ("RM0002", "RM0001")]),
    covers_future=st.booleans(),
    ceiling=st.sampled_from(Ceiling),
    rules=st.builds(
        Rules,
        broker=st.sampled_from([Visibility.VIEW, Visibility.EDIT]),
        importer=st.sampled_from(Visibility),
        other=st.sampled_from(Visibility),
    ),
    last_day=st.sampled_from([None, date(2027, 3, 31)]),
    comment=st.sampled_from(["", "=1+1", "We clear your goods."]),
)


def written(way: Way, asked: list[Asked], context: AbstractContextManager[Any]) -> dict[str, Any]:
    """Everything that a way of asking writes and answers, without the keys that chance makes."""
    found: dict[str, Any] = {}
    try:
        with transaction.atomic(), context:
            answers = way(asked)
            keys = {
                str(one.pk): f"request of {one.client_bn9}"
                for one in answers
                if isinstance(one, RelationshipRequest)
            }
            found["answers"] = [
                (one.code, str(one.message)) if isinstance(one, Refusal) else keys[str(one.pk)]
                for one in answers
            ]
            found |= tables(keys)
            found["broken"] = [verify(key) for key in Chain.objects.values_list("pk", flat=True)]
            raise Undone
    except Undone:
        return found


def tables(keys: dict[str, str]) -> dict[str, Any]:
    lines = RelationshipRequestLine.objects.values_list("request__client_bn9", "extension")
    events = Event.objects.values().order_by("chain", "seq")
    hidden = {"id", "hash", "previous_hash", "object_id"}
    return {
        "requests": sorted(
            ({k: v for k, v in row.items() if k != "id"} for row in _rows(RelationshipRequest)),
            key=repr,
        ),
        "lines": sorted(lines),
        "tallies": list(RequestTally.objects.values("asker", "on", "asked", "turned_away")),
        "heads": list(Chain.objects.order_by("pk").values_list("pk", "length", "newest_at")),
        "events": [
            {k: v for k, v in row.items() if k not in hidden}
            | {"object": keys.get(row["object_id"], row["object_id"])}
            for row in events
        ],
    }


def _rows(model: Any) -> list[dict[str, Any]]:
    return list(model.objects.values())


@pytest.fixture
def ways(world: World, itn: BusinessAccount) -> tuple[Way, Way]:
    """One by one, and all at once."""
    about = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}

    def single(asked: list[Asked]) -> list[RelationshipRequest | Refusal]:
        return [
            create_relationship_request(client_bn9=one.client_bn9, wish=one.wish, **about)
            for one in asked
        ]

    def together(asked: list[Asked]) -> list[RelationshipRequest | Refusal]:
        return create_relationship_requests(asked=asked, **about)

    return single, together


@pytest.fixture
def numbers(world: World, maple: BusinessAccount, itn: BusinessAccount) -> list[str]:
    """Registered, unregistered, one's own, one that waits already, one whose request lapsed."""
    waiting, lapsed = next_bn9(), next_bn9()
    world.earlier(days=500).relationship_request(itn, lapsed)
    world.earlier(days=2).relationship_request(itn, waiting)
    return [maple.bn9, next_bn9(), next_bn9(), itn.bn9, waiting, lapsed]


@settings(max_examples=25)
@given(data=st.data())
def test_at_once_is_one_by_one(
    ways: tuple[Way, Way], numbers: list[str], settings: Any, data: st.DataObject
) -> None:
    """Whatever is asked, in whatever order, twice or past the limit of the day."""
    settings.RELATIONSHIP_REQUESTS_A_DAY = data.draw(st.integers(1, 7))
    asked = data.draw(st.lists(st.builds(Asked, st.sampled_from(numbers), WISHES), max_size=6))
    single, together = ways

    expected = written(single, asked, nullcontext())
    found = written(together, asked, nullcontext())

    assert found == expected
    assert not any(found["broken"])


def test_a_bulk_that_leaves_something_out_is_caught(
    ways: tuple[Way, Way], numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the client's chain, the count or the rows before, the two differ."""
    single, together = ways
    asked = [Asked(numbers[0], Wish(Level.BUSINESS)), Asked(numbers[0], Wish(Level.BUSINESS))]
    expected = written(single, asked, nullcontext())
    assert written(together, asked, nullcontext()) == expected

    def half(acts: list[dict[str, Any]]) -> None:
        history.record_all([{**act, "chains": act["chains"][-1:]} for act in acts])

    counted = bulk.count_relationship_requests
    for name, defect in {
        "record_all": half,
        "count_relationship_requests": lambda firm, wanted, at: counted(firm, wanted - 1, at),
        "new_lines": lambda waiting, wish: [],
    }.items():
        with monkeypatch.context() as patch:
            patch.setattr(bulk, name, defect)
            assert written(together, asked, nullcontext()) != expected, name


# ---------------------------------------------------------------- files


def cells(*numbers: str) -> list[Line]:
    return [Line(row, {"client_bn9": bn9}) for row, bn9 in enumerate(numbers, 2)]


def states(batch: Any) -> list[str]:
    return list(batch.rows.order_by("number").values_list("state", flat=True))


@pytest.fixture
def keep(world: World, itn: BusinessAccount) -> Callable[..., Any]:
    """Keep a file with a row for each number, as ITN's manager at an instant of the world."""

    def kept(*numbers: str, days: int = 0) -> Any:
        then = world.later(days=days).at
        return create_request_batch(
            actor=world.manager(itn),
            acting_for=itn,
            name="clients.csv",
            is_legacy=False,
            rows=check(cells(*numbers), itn, then),
            at=then,
        )

    return kept


@pytest.fixture
def send(world: World, itn: BusinessAccount) -> Callable[..., Any]:
    """Send the next part of a file, as ITN's manager at an instant of the world."""

    def sent(batch: Any, days: int = 0) -> Any:
        return send_request_batch(
            actor=world.manager(itn), acting_for=itn, batch=batch, at=world.later(days=days).at
        )

    return sent


def test_a_file_is_sent_in_parts_and_goes_on_where_it_stopped(
    keep: Any, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that breaks down is not there at all; the next one begins with its rows."""
    monkeypatch.setattr("delegation.services.batches.A_PART", 2)
    batch = keep(*(next_bn9() for _ in range(5)))
    assert RelationshipRequest.objects.count() == 0

    send(batch)
    assert states(batch) == [State.SENT] * 2 + [State.READY] * 3
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError), transaction.atomic():
        patch.setattr(bulk, "record_all", lambda acts: 1 / 0)
        send(batch)
    assert RelationshipRequest.objects.count() == 2
    send(batch)
    send(batch)
    send(batch)

    assert states(batch) == [State.SENT] * 5
    assert RelationshipRequest.objects.count() == 5
    assert Event.objects.filter(verb="request_batch.send").count() == 1


def test_the_same_file_twice_changes_nothing(keep: Any, send: Any) -> None:
    """Whether it is checked before or after the first one was sent."""
    numbers = [next_bn9() for _ in range(3)]
    first, early = keep(*numbers), keep(*numbers)
    send(first)
    late = keep(*numbers)

    send(early)

    assert states(late) == states(early) == [State.WAITING] * 3
    said = early.rows.first().problems["en-ca"]
    assert said == ["Your firm already has a request waiting for this business number."]
    assert RelationshipRequest.objects.count() == 3


def test_rows_are_judged_again_when_they_are_sent(
    world: World, itn: BusinessAccount, keep: Any, send: Any, settings: Any
) -> None:
    """The day went by, the limit of the day is reached, the person is no manager any more."""
    settings.RELATIONSHIP_REQUESTS_A_DAY = 2
    batch = done(
        create_request_batch(
            actor=world.manager(itn),
            acting_for=itn,
            name="clients.csv",
            is_legacy=False,
            rows=check(
                [
                    Line(2, {"client_bn9": next_bn9(), "last_day": "2026-11-24"}),
                    *(Line(row, {"client_bn9": next_bn9()}) for row in range(3, 6)),
                ],
                itn,
                world.at,
            ),
            at=world.at,
        )
    )

    done(send(batch, days=2))
    assert states(batch) == [State.REFUSED, State.SENT, State.SENT, State.READY]
    refusal = send(batch, days=2)
    assert isinstance(refusal, Refusal) and refusal.code == "too_many"
    done(send(batch, days=3))
    assert states(batch)[-1] == State.SENT
    left = keep(next_bn9(), days=3)
    itn.provider_type = BusinessAccount.ProviderType.NONE
    itn.save()
    refusal = send(left, days=3)
    assert isinstance(refusal, Refusal) and refusal.code == "not_a_provider"
    assert states(left) == [State.READY]


def test_a_registered_number_reads_as_any_other(
    world: World, maple: BusinessAccount, keep: Any, send: Any
) -> None:
    batch = keep(maple.bn9, next_bn9())
    send(batch)

    one, other = batch.rows.order_by("number").values("state", "problems", "wish")

    assert one == other


def test_words_of_both_languages_are_read(world: World, itn: BusinessAccount) -> None:
    """What a row leaves empty is what the form of a single request proposes."""
    rows = [
        {"level": "Programme", "extensions": "RM 0001 0002", "ceiling": "lecture"},
        {"level": "business", "covers_future": "Oui", "ceiling": "PAM"},
        {"extensions": "rm0001; RM0003", "visibility_importer": "Consulter et modifier"},
        {"visibility_other": "view", "last_day": "2027-03-31", "comment": "=1+1"},
    ]

    read = check(
        [Line(2 + n, {"client_bn9": next_bn9(), **row}) for n, row in enumerate(rows)],
        itn,
        world.at,
    )

    assert [row.problems for row in read] == [{}] * 4
    assert [row.asked.wish for row in read if row.asked] == [
        Wish(Level.PROGRAM, ("RM0001", "RM0002"), ceiling=Ceiling.READER),
        Wish(Level.BUSINESS, covers_future=True, ceiling=Ceiling.PAM),
        Wish(Level.PROGRAM, ("RM0001", "RM0003"), rules=Rules(importer=Visibility.EDIT)),
        Wish(
            Level.BUSINESS,
            rules=Rules(other=Visibility.VIEW),
            last_day=date(2027, 3, 31),
            comment="=1+1",
        ),
    ]


WRONG = [
    ({"client_bn9": "123456789"}, "Business number: This is not a valid business number."),
    ({"client_bn9": ""}, "Business number: "),
    ({"level": "everything"}, "Level: “everything” is none of these: business, program."),
    ({"ceiling": "boss"}, "Highest role: “boss” is none of these: PAM, editor, reader."),
    ({"visibility_broker": "none"}, "“none” is none of these: view, edit."),
    ({"covers_future": "maybe"}, "Future program accounts: “maybe” is none of these: yes, no."),
    ({"level": "program"}, "Program accounts: Name at least one program account."),
    ({"extensions": "RT0001"}, "Program accounts: “RT0001” is no import-export account."),
    ({"extensions": "RM0001", "covers_future": "yes"}, "Future program accounts: Only business"),
    ({"last_day": "31/03/2027"}, "Last day: Enter a day as year-month-day"),
    ({"last_day": "2026-11-22"}, "Last day: The last day cannot be before today."),
    ({"last_day": "2099-12-31"}, "Last day: The last day can be November 23, 2031 at the latest."),
    ({"comment": "x" * 501}, "Comment: "),
    ({"comment": "a\x07b"}, "Comment: "),
    ({"ceiling": "reader", "visibility_other": "edit"}, "A Reader cannot edit."),
]


def test_each_wrong_row_says_what_to_correct_in_both_languages(
    world: World, itn: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And costs what a right one does: one form is asked, and not one for each language."""
    asked, ask = [], RelationshipRequestCreateForm.full_clean
    monkeypatch.setattr(
        RelationshipRequestCreateForm, "full_clean", lambda form: (asked.append(form), ask(form))
    )
    for row, said in WRONG:
        [read] = check([Line(7, {"client_bn9": next_bn9(), **row})], itn, world.at)

        assert read.state == State.WRONG and read.number == 7, row
        english, french = read.problems["en-ca"], read.problems["fr-ca"]
        assert said in english[0], read.problems
        assert len(english) == len(french) and not {*english} & {*french}, read.problems
        assert not any(word in " ".join(french) for word in (" the ", "November")), french
    assert len(asked) == len(WRONG)


def test_a_number_that_stands_twice_and_ones_own_are_told(
    world: World, itn: BusinessAccount, django_assert_num_queries: Any
) -> None:
    bn9 = next_bn9()
    with django_assert_num_queries(1):
        read = check(cells(bn9, itn.bn9, bn9, next_bn9()), itn, world.at)

    assert [row.state for row in read] == [State.READY, State.WRONG, State.WRONG, State.READY]
    assert read[1].problems["en-ca"] == ["This is your own business number. Enter your client’s."]
    assert read[2].problems["en-ca"] == ["Row 2 asks this business number already."]


SECONDS_TO_READ = 20


class Together:
    """A file without its lock: whoever has read its rows waits until the other has too."""

    def __init__(self) -> None:
        self.read, self.asked_by = Barrier(2), batches._asked

    def get(self, **which: Any) -> RequestBatch:
        return RequestBatch.objects.get(**which)

    def asked(self, row: RequestBatchRow) -> Asked:
        if row == row.batch.rows.order_by("number").first():
            self.read.wait(SECONDS_TO_READ)
        return self.asked_by(row)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_a_part_waits_for_a_colleague_who_sends_it(
    world: World, monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    """Two managers press the button at once: each row is sent once, and nobody is told otherwise.

    Without the lock, the control, one finds that all of it waits at the clients already.
    """
    with transaction.atomic():
        itn = world.broker("ITN")
    numbers = [next_bn9() for _ in range(20)]
    batch = done(
        create_request_batch(
            actor=world.manager(itn),
            acting_for=itn,
            name="clients.csv",
            is_legacy=False,
            rows=check(cells(*numbers), itn, world.at),
            at=world.at + timedelta(seconds=1),
        )
    )

    if not is_locked:
        together = Together()
        monkeypatch.setattr(RequestBatch.objects, "select_for_update", lambda **_how: together)
        monkeypatch.setattr("delegation.services.batches._asked", together.asked)

    def work(_: int) -> None:
        try:
            send_request_batch(actor=world.manager(itn), acting_for=itn, batch=batch, at=world.at)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    assert states(batch) == [State.SENT if is_locked else State.WAITING] * 20
    assert RelationshipRequest.objects.count() == 20
    assert verify(business_chain(itn.bn9)) is None
