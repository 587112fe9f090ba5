"""Writing history."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max
from django.db.transaction import TransactionManagementError
from django.utils.functional import Promise
from django.utils.timezone import is_naive

from audit.chain import event_hash, plain
from audit.models import Chain, Event
from audit.request_id import request_id
from audit.verbs import REFUSED

log = logging.getLogger(__name__)


class Person(Protocol):
    """Who acts: a user, as far as history needs to know one."""

    pk: int

    def get_full_name(self) -> str: ...


@dataclass(frozen=True)
class Refusal:
    """The answer of a service that refused a sensitive act.

    It is returned and not raised, so that the event of the refusal commits.
    """

    code: str
    message: str | Promise


def business_chain(bn9: str) -> str:
    """The chain of a business number, whether it is registered or not."""
    return f"business:{bn9}"


def person_chain(person: Person) -> str:
    """The chain of a person."""
    return f"person:{person.pk}"


def not_before(at: datetime, *chains: str) -> datetime:
    """The instant of an act that waited for a lock: `at`, or the newest event of its chains.

    Whoever waits read the clock before, and what ended meanwhile must count as ended. Asked once
    the lock is held; what held it has committed its event by then.
    """
    newest = Chain.objects.filter(pk__in=chains).aggregate(Max("newest_at"))["newest_at__max"]
    return max(at, newest or at)


def record(
    *,
    verb: str,
    at: datetime,
    actor: Person | None,
    acting_for: str = "",
    chains: Collection[str],
    object_type: str,
    object_id: int | str,
    object_label: str | Promise = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    path: str = "",
) -> None:
    """Adds one event to each chain, within the transaction of the act itself.

    `actor` is None for the system. An act of two parties names two chains; their heads are locked
    in the order of their keys, so that no two acts wait for one another.
    """
    act = {
        "verb": verb,
        "at": at,
        "actor": actor,
        "acting_for": acting_for,
        "chains": chains,
        "object_type": object_type,
        "object_id": object_id,
        "object_label": object_label,
        "before": before,
        "after": after,
        "reason": reason,
        "path": path,
    }
    record_all([act])


def record_all(acts: Collection[Mapping[str, Any]]) -> None:
    """Adds the events of many acts within one transaction, in the order in which they happened.

    Each act holds the arguments of `record`. The heads of all chains are locked first.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("An event is written in the transaction of its act.")
    if any(is_naive(act["at"]) for act in acts):
        raise ValueError("An event needs the time zone of its instant.")
    wanted = [key for act in acts for key in act["chains"]]
    heads = {head.pk: head for head in _locked_heads(wanted)}
    Event.objects.bulk_create(chained(acts, heads))
    # The heads exist and are locked: this writes them in one plain statement, however many.
    Chain.objects.bulk_create(
        heads.values(),
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["head", "length", "newest_at"],
    )


def hold_chains(*chains: str) -> None:
    """Holds the heads of chains, in key order, for a transaction that does several acts.

    After every row that the acts change: whoever holds a head waits for nothing else (decision 45).
    """
    _locked_heads(chains)


def chained(acts: Iterable[Mapping[str, Any]], heads: dict[str, Chain]) -> Iterator[Event]:
    """The events of many acts, linked but not yet written, for chains that begin with them.

    Each act holds the arguments of `record`, and they come in the order in which they happened.
    The caller writes the events, and afterwards the heads, which are collected in `heads`.
    """
    for act in acts:
        said = _said(**{name: value for name, value in act.items() if name != "chains"})
        for key in sorted(set(act["chains"])):
            yield _extend(heads.setdefault(key, Chain(key=key)), Event(**said))


def refuse(
    *,
    code: str,
    message: str | Promise,
    verb: str,
    at: datetime,
    actor: Person | None,
    acting_for: str = "",
    chains: Collection[str],
    object_type: str,
    object_id: int | str,
    object_label: str | Promise = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    path: str = "",
) -> Refusal:
    """Records that `verb` was refused, with `code` as the reason, and returns the refusal."""
    act = {
        "verb": verb,
        "at": at,
        "actor": actor,
        "acting_for": acting_for,
        "chains": chains,
        "object_type": object_type,
        "object_id": object_id,
        "object_label": object_label,
        "before": before,
        "after": after,
        "path": path,
    }
    record_all([refused(code, act)])
    log.warning("Refused %s: %s", verb, code)
    return Refusal(code, message)


def refused(code: str, act: Mapping[str, Any]) -> dict[str, Any]:
    """The refusal of an act with `code` as the reason, as `record_all` takes it."""
    return {**act, "verb": act["verb"] + REFUSED, "reason": code}


def _said(
    *,
    verb: str,
    at: datetime,
    actor: Person | None,
    acting_for: str = "",
    object_type: str,
    object_id: int | str,
    object_label: str | Promise = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    path: str = "",
) -> dict[str, Any]:
    """What an event says, whichever chain it stands in."""
    return {
        "at": at,
        "actor_id": str(actor.pk) if actor else "",
        "actor_name": actor.get_full_name() if actor else "",
        "acting_for": acting_for,
        "verb": verb,
        "object_type": object_type,
        "object_id": str(object_id),
        "object_label": plain(object_label),
        "before": plain(before),
        "after": plain(after),
        "reason": reason,
        "path": path,
        "request_id": request_id.get(),
    }


def _locked_heads(keys: Collection[str]) -> list[Chain]:
    """The heads of the chains, locked in key order; a new chain gets its head first."""
    wanted = sorted(set(keys))
    if not wanted:
        raise ValueError("An event belongs to at least one chain.")
    Chain.objects.bulk_create([Chain(key=key) for key in wanted], ignore_conflicts=True)
    return list(Chain.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))


def _extend(head: Chain, event: Event) -> Event:
    event.chain = head
    event.seq = head.length + 1
    event.previous_hash = head.head
    event.hash = event_hash(event)
    head.length, head.head = event.seq, event.hash
    head.newest_at = max(event.at, head.newest_at or event.at)
    return event
