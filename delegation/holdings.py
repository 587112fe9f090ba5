"""What many people reach in one business, compactly: their best role on each scope.

The answer is that of `Access.role_on`, and for a service provider of `Access.client`, for
thousands of people and hundreds of scopes in the same few queries: a bit stands for a scope, and
what a group holds is read once for all of its members. A property test keeps both answers equal.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, reduce

from django.db.models import F, Q

from businesses.models import BusinessAccount
from delegation.models.clients import StaffAssignment
from delegation.models.employees import EmployeeGroupMember, Membership
from delegation.models.grants import (
    BusinessRole,
    GroupProgramGroupRole,
    GroupProgramRole,
    ProgramRole,
)
from delegation.models.periods import during, in_use, not_suspended
from delegation.roles import Role

LADDER = (Role.READER, Role.EDITOR, Role.PAM)
"""The roles that are held on a scope, lowest first."""

type Levels = tuple[int, ...]
"""For each role of the ladder the scopes, a bit each, on which it or a higher one is held."""

NOTHING: Levels = (0,) * len(LADDER)
DIRECT = 0
"""The source of what a person holds without a group; other sources are keys of `auth.Group`."""


def together(levels: Iterable[Levels]) -> Levels:
    """The best of several."""
    return reduce(
        lambda one, two: tuple(a | b for a, b in zip(one, two, strict=True)), levels, NOTHING
    )


def exactly(levels: Levels) -> dict[Role, int]:
    """The scopes on which each role is the best one."""
    higher = (*levels[1:], 0)
    return {role: mine & ~more for role, mine, more in zip(LADDER, levels, higher, strict=True)}


class Scopes:
    """The scopes that bits stand for, in the order in which they are first met."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self.keys: list[int] = []
        self._bits: dict[int, int] = {}
        for key in keys:
            self.bit(key)

    def bit(self, key: int) -> int:
        """The bit of a scope."""
        if key not in self._bits:
            self._bits[key] = 1 << len(self.keys)
            self.keys.append(key)
        return self._bits[key]

    def among(self, mask: int) -> Iterator[int]:
        """The keys of the scopes in a mask, in their order."""
        while mask:
            lowest = mask & -mask
            yield self.keys[lowest.bit_length() - 1]
            mask ^= lowest


@dataclass(frozen=True)
class Holding:
    """What one person holds on scopes of one kind, by where it comes from."""

    by_source: Mapping[int, Levels] = field(default_factory=dict)

    @cached_property
    def best(self) -> Levels:
        return together(self.by_source.values())


@dataclass(frozen=True)
class Reach:
    """What people reach at an instant, on program accounts and, of a provider, for clients.

    Managers reach everything. Whoever is idle reaches nothing while suspended or disabled; what
    is told of them is what they reach once that is over.
    """

    managers: frozenset[int]
    idle: frozenset[int]
    programs: Mapping[int, Holding]
    clients: Mapping[int, Holding]


class _Tally:
    """Collects roles on scopes, by owner: a person and a source, or a group."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._levels: dict[int, list[int]] = defaultdict(lambda: [*NOTHING])

    def add(self, owner: int, scope: int, role: str) -> None:
        bit = self._scopes.bit(scope)
        for rung in range(LADDER.index(Role(role)) + 1):
            self._levels[owner][rung] |= bit

    def of(self, owner: int) -> Levels:
        return tuple(self._levels[owner]) if owner in self._levels else NOTHING

    def taken(self) -> dict[int, Levels]:
        return {owner: tuple(levels) for owner, levels in self._levels.items()}


def reach_of(
    people: Collection[int],
    business: BusinessAccount,
    at: datetime,
    *,
    programs: Scopes,
    clients: Scopes,
) -> Reach:
    """What the people, by key, reach in the business: 7 queries, however many they are."""
    live = during(at)
    members = Membership.objects.filter(live, business=business, person__in=people)
    able = dict(members.values_list("person", "person__is_active"))
    stopped = set(members.exclude(not_suspended(at)).values_list("person", flat=True))
    managers = BusinessRole.objects.filter(live, content_object=business, user__in=able)
    places: dict[int, list[int]] = defaultdict(list)
    belongs = EmployeeGroupMember.objects.filter(
        live, in_use(at, "group__"), group__business=business, person__in=able
    )
    for person, group in belongs.values_list("person", "group__auth_group").order_by("group"):
        places[person].append(group)
    groups = {group for held in places.values() for group in held}
    return Reach(
        managers=frozenset(managers.values_list("user", flat=True)),
        idle=frozenset(stopped | {person for person, is_active in able.items() if not is_active}),
        programs=_on_programs(able, groups, places, business, at, programs),
        clients=_for_clients(able, groups, places, business, at, clients),
    )


def _on_programs(
    people: Collection[int],
    groups: Collection[int],
    places: Mapping[int, list[int]],
    business: BusinessAccount,
    at: datetime,
    scopes: Scopes,
) -> dict[int, Holding]:
    own, shared, live = _Tally(scopes), _Tally(scopes), during(at)
    direct = ProgramRole.objects.filter(live, content_object__business=business, user__in=people)
    for row in direct.values_list("user", "content_object", "permission__codename"):
        own.add(*row)
    on_programs = GroupProgramRole.objects.filter(
        live, content_object__business=business, group__in=groups
    ).values_list("group", "content_object", "permission__codename")
    over_groups = GroupProgramGroupRole.objects.filter(
        live,
        during(at, "content_object__members__"),
        in_use(at, "content_object__"),
        content_object__business=business,
        group__in=groups,
    ).values_list("group", "content_object__members__program", "permission__codename")
    for row in on_programs.union(over_groups, all=True):
        shared.add(*row)
    return _holdings(people, own, shared, places)


def _for_clients(
    people: Collection[int],
    groups: Collection[int],
    places: Mapping[int, list[int]],
    business: BusinessAccount,
    at: datetime,
    scopes: Scopes,
) -> dict[int, Holding]:
    own, shared = _Tally(scopes), _Tally(scopes)
    listed = in_use(at, "client_group__") & during(at, "client_group__members__")
    rows = StaffAssignment.objects.filter(
        during(at),
        Q(client__isnull=False) | (Q(client_group__isnull=False) & listed),
        Q(person__in=people) | Q(employee_group__auth_group__in=groups),
        provider=business,
    ).values_list(
        "person",
        "employee_group__auth_group",
        "client",
        F("client_group__members__client"),
        "role",
    )
    for person, group, client, listed_client, role in rows.order_by("starts_at", "pk"):
        tally, owner = (own, person) if person else (shared, group)
        tally.add(owner, client or listed_client, role)
    return _holdings(people, own, shared, places)


def _holdings(
    people: Collection[int], own: _Tally, shared: _Tally, places: Mapping[int, list[int]]
) -> dict[int, Holding]:
    """What each person holds: the own, and what the groups that the person is in hold."""
    of_groups = shared.taken()
    found = {}
    for person in people:
        held = {group: of_groups[group] for group in places.get(person, ()) if group in of_groups}
        if any(direct := own.of(person)):
            held[DIRECT] = direct
        found[person] = Holding(held)
    return found
