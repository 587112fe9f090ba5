"""How events are chained by hash, and how a broken chain is found.

The hash of an event covers every field of it and the hash before it, written as canonical JSON:
keys sorted, no spaces, UTF-8. Values are made plain first, so that what the database gives back
hashes as what was written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import override

from audit.models import GENESIS, Chain, Event

type Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]

HASHED_TEXTS = (
    "actor_id",
    "actor_name",
    "acting_for",
    "verb",
    "object_type",
    "object_id",
    "object_label",
    "reason",
    "path",
    "request_id",
    "previous_hash",
)


def moment(at: datetime) -> str:
    """An instant as text, always in UTC: `2026-11-22T20:05:00.000000+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def plain(value: object) -> Plain:
    """`value` in the few types that JSON and both databases keep exactly.

    Texts that wait for a language are written as in the source, sets in order. A float is refused:
    an amount is a `Decimal`.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case Promise():
            with override(None):
                return str(value)
        case Decimal() | UUID():
            return str(value)
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=json.dumps)
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"History cannot hold a {type(value).__name__}.")


def event_hash(event: Event) -> str:
    """SHA-256, in hexadecimal, over all that the event says and the hash before it."""
    fields: dict[str, Plain] = {name: getattr(event, name) for name in HASHED_TEXTS}
    fields |= {
        "chain": event.chain_id,
        "seq": event.seq,
        "at": moment(event.at),
        "before": event.before,
        "after": event.after,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Break:
    """The first place where a chain is not what was written: `seq` counts from 1."""

    chain: str
    seq: int
    problem: str


def verify(chain_key: str) -> Break | None:
    """The first broken link of a chain, found by computing every hash again; None if whole."""
    head = Chain.objects.get(pk=chain_key)
    return _first_break(head, Event.objects.filter(chain=head).order_by("seq").iterator())


def verify_every() -> Iterator[Break | None]:
    """What `verify` says of each chain, with all events read as one long list, a part at a time.

    A chain that was written to meanwhile looks broken: it is asked about again, by itself.
    """
    events = groupby(Event.objects.order_by("chain", "seq").iterator(), key=attrgetter("chain_id"))
    chain, linked = next(events, ("", iter(())))
    for head in Chain.objects.order_by("pk").iterator():
        is_next = head.pk == chain
        broken = _first_break(head, linked if is_next else iter(()))
        yield broken and verify(head.pk)
        if is_next:
            chain, linked = next(events, ("", iter(())))


def _first_break(head: Chain, events: Iterator[Event]) -> Break | None:
    previous, seq = GENESIS, 0
    for event in events:
        seq += 1
        if event.seq != seq:
            return Break(head.pk, seq, "an event is missing")
        if event.previous_hash != previous:
            return Break(head.pk, seq, "the event does not follow the one before it")
        if event.hash != event_hash(event):
            return Break(head.pk, seq, "the event was changed")
        previous = event.hash
    if (head.length, head.head) != (seq, previous):
        return Break(head.pk, seq + 1, "the last event is not the one the chain ended with")
    return None
