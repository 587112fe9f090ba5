"""The effect of an act in words: sentences with exact numbers, and a line for the first people.

However many people and scopes there are, a page names a few and counts all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.effects import CLIENTS, PROGRAMS, Change, Outcome, Touched
from delegation.holdings import DIRECT, exactly
from delegation.models import EmployeeGroup
from delegation.roles import Role
from delegation.terms import program_label
from pages.formats import whole

MOST_PEOPLE = 25
"""How many people a page names."""

MOST_SCOPES = 3
"""How many program accounts or clients are named; more of them are counted."""


class Row(NamedTuple):
    """What becomes of one person, line by line."""

    name: str
    note: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    keeps: tuple[str, ...]


class Effect(NamedTuple):
    """What an act changes, as a page shows it. `total` counts everybody whom it touches."""

    sentences: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    digest: str

    @property
    def columns(self) -> dict[str, bool]:
        """Which columns of the table hold anything."""
        return {name: any(getattr(row, name) for row in self.rows) for name in Row._fields[2:]}

    @property
    def are_more(self) -> bool:
        return self.total > len(self.rows)


def effect_of(outcome: Outcome, business: BusinessAccount) -> Effect:
    """An outcome in words: 4 queries at most."""
    people = User.objects.filter(pk__in=[one.key for one in outcome.touched])
    by_name = people.order_by("last_name", "first_name", "pk")
    names = {one.pk: one.get_full_name() for one in by_name}
    order = {key: number for number, key in enumerate(names)}
    touched = sorted(outcome.touched, key=lambda one: order[one.key])
    words = _Words(outcome, business)
    return Effect(
        sentences=tuple(_sentences(touched, names, words)),
        rows=tuple(_row(one, names[one.key], words) for one in touched[:MOST_PEOPLE]),
        total=len(touched),
        digest=outcome.digest,
    )


class _Words:
    """What the scopes and the groups of a business are called."""

    def __init__(self, outcome: Outcome, business: BusinessAccount) -> None:
        self.outcome, self.business = outcome, business

    @cached_property
    def programs(self) -> dict[int, str]:
        return {one.pk: program_label(one) for one in self.business.programs.all()}

    @cached_property
    def clients(self) -> dict[int, str]:
        """The first clients: only few are ever named, and those that are not are counted."""
        rows = BusinessAccount.objects.filter(pk__in=self.outcome.clients.keys[:100])
        return {row.pk: row.name for row in rows}

    @cached_property
    def groups(self) -> dict[int, str]:
        groups = EmployeeGroup.objects.filter(business=self.business)
        return dict(groups.values_list("auth_group", "name"))

    def where(self, kind: str, scopes: int) -> str:
        """Some scopes: named where they are few, else counted."""
        is_client = kind == CLIENTS.name
        found, names = self.outcome.programs, self.programs
        if is_client:
            found, names = self.outcome.clients, self.clients
        if scopes.bit_count() <= MOST_SCOPES:
            labels = [names.get(key, "") for key in found.among(scopes)]
            if all(labels):
                return ", ".join(labels)
        return counted(kind, scopes.bit_count())


def counted(kind: str, count: int) -> str:
    """A number of program accounts, or of clients."""
    number = {"count": whole(count)}
    if kind == CLIENTS.name:
        return ngettext("%(count)s client", "%(count)s clients", count) % number
    return ngettext("%(count)s program account", "%(count)s program accounts", count) % number


# ---------------------------------------------------------------- sentences


def _sentences(touched: Sequence[Touched], names: dict[int, str], words: _Words) -> Iterator[str]:
    """Everybody, counted: what changes for how many, and for whom nothing does."""
    counting = [one for one in touched if one.is_counted]
    if not any(one.changes[kind] for one in counting for kind in one.changes):
        yield _("Nobody gains or loses any access now.")
    for kind in (PROGRAMS.name, CLIENTS.name):
        alike: dict[tuple[Role | None, Role | None], list[tuple[int, int]]] = defaultdict(list)
        for one in counting:
            for change in one.changes[kind]:
                alike[change.before, change.after].append((one.key, change.scopes))
        for before, after in sorted(alike, key=_rank, reverse=True):
            found = alike[before, after]
            people = [key for key, _scopes in found]
            where = _where(kind, [scopes for _key, scopes in found], words)
            yield _said(kind, before, after, len(people)) % {
                "who": _who(people, names),
                "where": where,
                "role": after.label if after else "",
                "before": before.label if before else "",
            }
    yield from _exceptions(touched, names, words)


def _rank(pair: tuple[Role | None, Role | None]) -> tuple[int, int]:
    """What is gained comes before what is lost, and the higher role first."""
    before, after = (role.rank if role else 0 for role in pair)
    return after - before, after


def _who(people: Sequence[int], names: dict[int, str]) -> str:
    if len(people) == 1:
        return names[people[0]]
    return ngettext("%(count)s person", "%(count)s people", len(people)) % {
        "count": whole(len(people))
    }


def _where(kind: str, each: Sequence[int], words: _Words) -> str:
    """The scopes of several people: by name where all have the same few, else how many."""
    if len(set(each)) == 1:
        return words.where(kind, each[0])
    least, most = (pick(one.bit_count() for one in each) for pick in (min, max))
    if least == most:
        said = _("%(scopes)s each")
        return said % {"scopes": counted(kind, most)}
    said = _("%(least)s to %(scopes)s each")
    return said % {"least": whole(least), "scopes": counted(kind, most)}


def _said(kind: str, before: Role | None, after: Role | None, people: int) -> str:
    """The sentence of one kind of change."""
    if kind == CLIENTS.name:
        return _said_of_clients(before, after, people)
    if before is None:
        return ngettext(
            "%(who)s gains the role %(role)s on %(where)s.",
            "%(who)s gain the role %(role)s on %(where)s.",
            people,
        )
    if after is None:
        return ngettext(
            "%(who)s loses the role %(before)s on %(where)s.",
            "%(who)s lose the role %(before)s on %(where)s.",
            people,
        )
    return ngettext(
        "%(who)s has the role %(role)s instead of %(before)s on %(where)s.",
        "%(who)s have the role %(role)s instead of %(before)s on %(where)s.",
        people,
    )


def _said_of_clients(before: Role | None, after: Role | None, people: int) -> str:
    if before is None:
        return ngettext(
            "%(who)s begins to work for %(where)s, with the role %(role)s at most.",
            "%(who)s begin to work for %(where)s, with the role %(role)s at most.",
            people,
        )
    if after is None:
        return ngettext(
            "%(who)s no longer works for %(where)s.",
            "%(who)s no longer work for %(where)s.",
            people,
        )
    return ngettext(
        "%(who)s works with the role %(role)s at most instead of %(before)s for %(where)s.",
        "%(who)s work with the role %(role)s at most instead of %(before)s for %(where)s.",
        people,
    )


def _exceptions(touched: Iterable[Touched], names: dict[int, str], words: _Words) -> Iterator[str]:
    """Those for whom less changes than the act says, and why."""
    every = list(touched)
    managers = [one.key for one in every if one.is_manager]
    idle = [one.key for one in every if one.is_idle and not one.is_manager]
    keeping = [one for one in every if one.is_counted and any(one.kept.values())]
    if len(keeping) == 1:
        lines = [line for kind in keeping[0].kept for line in _kept(kind, keeping[0], words)]
        said = _("%(who)s keeps this: %(what)s.")
        yield said % {"who": names[keeping[0].key], "what": "; ".join(lines)}
    elif keeping:
        said = _("%(who)s keep roles that they also hold in another way.")
        yield said % {"who": _who([one.key for one in keeping], names)}
    if managers:
        said = ngettext(
            "%(who)s reaches everything as a Business Account Manager.",
            "%(who)s reach everything as Business Account Managers.",
            len(managers),
        )
        yield said % {"who": _who(managers, names)}
    if idle:
        said = ngettext(
            "%(who)s is suspended or disabled and has no access until that is over.",
            "%(who)s are suspended or disabled and have no access until that is over.",
            len(idle),
        )
        yield said % {"who": _who(idle, names)}


# ---------------------------------------------------------------- one person


def _row(one: Touched, name: str, words: _Words) -> Row:
    if one.is_manager:
        return Row(name, "", (), (), (_("Everything, as a Business Account Manager"),))
    gains, loses, keeps = list[str](), list[str](), list[str]()
    for kind, changes in one.changes.items():
        for change in changes:
            (gains if change.is_gain else loses).append(_line(kind, change, words))
        keeps += _kept(kind, one, words)
    note = _("Suspended or disabled") if one.is_idle else ""
    return Row(name, note, tuple(gains), tuple(loses), tuple(keeps))


def _line(kind: str, change: Change, words: _Words) -> str:
    """One change of one person, in the column of gains or of losses."""
    about = {
        "role": str((change.after or change.before or Role.READER).label),
        "before": str(change.before.label) if change.before else "",
        "where": words.where(kind, change.scopes),
    }
    is_other = change.before is not None and change.after is not None
    if kind == CLIENTS.name:
        if is_other:
            return _("Work for %(where)s: %(role)s at most instead of %(before)s") % about
        return _("Work for %(where)s: %(role)s at most") % about
    if is_other:
        return _("%(role)s instead of %(before)s on %(where)s") % about
    return _("%(role)s on %(where)s") % about


def _kept(kind: str, one: Touched, words: _Words) -> Iterator[str]:
    """What stays as it is, by role, and where it comes from: directly, else through which group."""
    holding = one.after[kind]
    sources = sorted(holding.by_source, key=lambda source: (source != DIRECT, source))
    for role, best in exactly(holding.best).items():
        left = best & one.kept[kind]
        for source in sources:
            here = left & exactly(holding.by_source[source])[role]
            left &= ~here
            if here:
                yield _kept_line(kind, role, words.where(kind, here), words.groups.get(source, ""))


def _kept_line(kind: str, role: Role, where: str, group: str) -> str:
    about = {"role": str(role.label), "where": where, "group": group}
    if kind == CLIENTS.name:
        if group:
            return _("Work for %(where)s: %(role)s at most, through the group %(group)s") % about
        return _("Work for %(where)s: %(role)s at most, assigned directly") % about
    if group:
        return _("%(role)s on %(where)s, through the group %(group)s") % about
    return _("%(role)s on %(where)s, held directly") % about
