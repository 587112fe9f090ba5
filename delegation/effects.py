"""What an act changes for people: who gains what, who loses it, who keeps it in another way.

The act itself is done, what people reach before and after it is compared, and unless it is to be
kept it is undone: what a preview says is what the act does.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from django.db import transaction

from audit.services import Refusal, business_chain, not_before
from delegation.access import Access
from delegation.holdings import NOTHING, Holding, Reach, Scopes, exactly, reach_of
from delegation.roles import Role
from delegation.services import locks


class Kind(NamedTuple):
    """A kind of scope, and what people hold on it."""

    name: str
    of: Callable[[Reach], Mapping[int, Holding]]


PROGRAMS = Kind("programs", lambda reach: reach.programs)
CLIENTS = Kind("clients", lambda reach: reach.clients)


class Change(NamedTuple):
    """The best role on some scopes, before and after; without one there was, or is, none."""

    before: Role | None
    after: Role | None
    scopes: int

    @property
    def is_gain(self) -> bool:
        return (self.after.rank if self.after else 0) > (self.before.rank if self.before else 0)


@dataclass(frozen=True)
class Touched:
    """One person whom an act touches, with what changes and what stays, by kind of scope.

    `kept` are the scopes on which the act takes or gives something without changing the best
    role; `after` says where what stays comes from. Nothing changes for a manager, who reaches
    everything, and for somebody who is suspended or disabled only once that is over.
    """

    key: int
    changes: Mapping[str, tuple[Change, ...]]
    kept: Mapping[str, int]
    after: Mapping[str, Holding]
    is_manager: bool
    is_idle: bool

    @property
    def is_counted(self) -> bool:
        return not self.is_manager and not self.is_idle


class Outcome(NamedTuple):
    """Everybody whom an act touches, and the scopes that their bits stand for."""

    touched: tuple[Touched, ...]
    programs: Scopes
    clients: Scopes

    @property
    def digest(self) -> str:
        """What stands for all of it, whether a page names it or not."""
        told = [
            (
                one.key,
                one.is_manager,
                one.is_idle,
                sorted(one.changes.items()),
                sorted(one.kept.items()),
            )
            for one in self.touched
        ]
        scopes = (self.programs.keys, self.clients.keys)
        return sha256(repr((told, scopes)).encode()).hexdigest()


def try_out[Answer](
    access: Access,
    act: Callable[[], Answer | Refusal],
    *,
    concerned: Callable[[], Collection[int]],
    keep: Callable[[Answer | Refusal, Outcome], bool],
) -> tuple[Answer | Refusal, Outcome]:
    """Do an act, see what it changes for the people it concerns, and undo it unless to be kept.

    `concerned` gives their keys; it holds whatever the act changes.
    """
    business, chain = access.acting_for, business_chain(access.acting_for.bn9)
    every = business.programs.order_by("extension").values_list("pk", flat=True)
    programs, clients = Scopes(every), Scopes()

    def reach(people: Collection[int]) -> Reach:
        at = not_before(access.at, chain)
        return reach_of(people, business, at, programs=programs, clients=clients)

    with transaction.atomic():
        locks.lock_rights(business)
        people = concerned()
        before = reach(people)
        answer = act()
        outcome = Outcome(tuple(_touched(before, reach(people))), programs, clients)
        transaction.set_rollback(not keep(answer, outcome))
    return answer, outcome


def _touched(before: Reach, after: Reach) -> Iterator[Touched]:
    """Those to whom the act gives or takes something, though they may have it in another way."""
    for person in sorted({*before.programs, *after.programs}):
        changes, kept, holdings = {}, {}, {}
        for kind in (PROGRAMS, CLIENTS):
            old = kind.of(before).get(person, Holding())
            new = kind.of(after).get(person, Holding())
            changes[kind.name] = tuple(_changes(old, new))
            changed = sum(one.scopes for one in changes[kind.name])
            kept[kind.name] = _moved(old, new) & new.best[0] & ~changed
            holdings[kind.name] = new
        if any(changes.values()) or any(kept.values()):
            is_manager = person in after.managers
            yield Touched(person, changes, kept, holdings, is_manager, person in after.idle)


def _changes(old: Holding, new: Holding) -> Iterator[Change]:
    """Where the best role is another one, by what it was and what it is."""
    if old.best == new.best:
        return
    before, after = exactly(old.best), exactly(new.best)
    for was, had in (*before.items(), (None, ~old.best[0])):
        for now, has in (*after.items(), (None, ~new.best[0])):
            scopes = had & has
            if was != now and scopes:
                yield Change(was, now, scopes)


def _moved(old: Holding, new: Holding) -> int:
    """The scopes on which any source gives something else than before."""
    moved = 0
    for source in {*old.by_source, *new.by_source}:
        one, two = old.by_source.get(source, NOTHING), new.by_source.get(source, NOTHING)
        for a, b in zip(one, two, strict=True):
            moved |= a ^ b
    return moved
