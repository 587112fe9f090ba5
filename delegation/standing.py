"""What people hold: membership and roles in a business, and assignments to its clients.

Many people cost as many queries as one, so that a page about many people can ask the one decision
about each of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce

from accounts.models import OfficerRole
from accounts.officers import live_roles
from delegation import prepared
from delegation.models.clients import StaffAssignment
from delegation.models.employees import Membership
from delegation.models.grants import (
    BusinessRole,
    GroupProgramGroupRole,
    GroupProgramRole,
    ProgramRole,
)
from delegation.models.lookups import Lookup
from delegation.models.periods import during, in_use, not_suspended
from delegation.models.relationships import Relationship, RelationshipTerms
from delegation.reasons import Reason
from delegation.roles import Role


class PathKind(StrEnum):
    """How a right comes about."""

    OWN = "own"
    PROVIDER = "provider"
    RESIDUAL = "residual"
    OFFICER = "officer"


@dataclass(frozen=True)
class Assignment:
    """What a provider lets one of its people do for a client, and by which groups if by any.

    A Business Account Manager of the provider has one to every client, which no row says.
    """

    role: Role
    until: datetime | None
    employee_group: str = ""
    client_group: str = ""
    is_managers: bool = False


@dataclass(frozen=True)
class Path:
    """One way in which a person reaches an object, until an instant (none: no end).

    `group` is the employee group of a role; a path through a relationship has terms and an
    assignment.
    """

    kind: PathKind
    role: Role
    until: datetime | None
    source: str
    group: str = ""
    terms: RelationshipTerms | None = None
    assignment: Assignment | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.role}:{self.source}"


@dataclass(frozen=True)
class OwnRoles:
    """A person's standing in one business: live membership and live roles, each as a path.

    `has_clients` says that the business acts for others, or has done so.
    """

    membership: Reason
    bam: Path | None
    programs: Mapping[int, tuple[Path, ...]]
    until: datetime | None = None
    has_clients: bool = False

    def on(self, program_id: int) -> tuple[Path, ...]:
        """The paths to one program account of the business. A BAM reaches every one."""
        own = self.programs.get(program_id, ())
        return (self.bam, *own) if self.bam else own


def earliest(*ends: datetime | None) -> datetime | None:
    """The first of several ends, where an absent one never comes."""
    return min((end for end in ends if end is not None), default=None)


# ---------------------------------------------------------------- roles in the own business


class _Row(NamedTuple):
    """A live row of membership or role; of a role by group, the group and its member's end.

    The scope of a membership is 1 in a business that ever had a client, else 0.
    """

    kind: str
    person_id: int
    business_id: int
    scope_id: int
    word: str
    group: str
    ends_at: datetime | None
    group_ends_at: datetime | None


NO_GROUP = (Value(""), F("ends_at"), Cast(Value(None), models.DateTimeField()))
"""The last columns of a row that comes by no employee group."""


def own_roles(
    people: Collection[int], businesses: Collection[int], at: datetime
) -> dict[tuple[int, int], OwnRoles]:
    """The standing of each person in each business, by both keys: 1 query for all of them."""
    found: dict[tuple[int, int], list[_Row]] = defaultdict(list)
    for row in map(_Row._make, prepared.rows(_own_rows, people, businesses, at)):
        found[row.person_id, row.business_id].append(row)
    return {
        (person, business): _standing(found.get((person, business), []))
        for person in people
        for business in businesses
    }


def _standing(rows: Iterable[_Row]) -> OwnRoles:
    rows = list(rows)
    member = next((row for row in rows if row.kind == "member"), None)
    if member is None:
        return OwnRoles(Reason.NO_MEMBERSHIP, None, {})
    if member.word != Reason.ALLOWED:
        return OwnRoles(Reason(member.word), None, {})
    bam: Path | None = None
    programs: dict[int, tuple[Path, ...]] = {}
    for row in rows:
        if row.kind == "member":
            continue
        until = earliest(row.ends_at, row.group_ends_at, member.ends_at)
        source = "group" if row.kind == "group" else "direct"
        path = Path(PathKind.OWN, Role(row.word), until, source, row.group)
        if row.kind == "business":
            bam = path
        else:
            programs[row.scope_id] = (*programs.get(row.scope_id, ()), path)
    return OwnRoles(Reason.ALLOWED, bam, programs, member.ends_at, bool(member.scope_id))


def _own_rows(
    people: Collection[int], businesses: Collection[int], at: datetime
) -> QuerySet[Membership, tuple[object, ...]]:
    live = during(at)
    standing = Case(
        When(not_suspended(at), then=Value(Reason.ALLOWED.value)),
        default=Value(Reason.MEMBERSHIP_SUSPENDED.value),
    )
    had = Relationship.objects.filter(provider=OuterRef("business_id"))
    has_clients = Case(When(Exists(had), then=Value(1)), default=Value(0))
    member = Membership.objects.filter(
        live, person__in=people, business__in=businesses
    ).values_list(
        Value("member"), F("person_id"), F("business_id"), has_clients, standing, *NO_GROUP
    )
    business = BusinessRole.objects.filter(
        live, user__in=people, content_object__in=businesses
    ).values_list(
        Value("business"),
        F("user_id"),
        F("content_object_id"),
        F("content_object_id"),
        F("permission__codename"),
        *NO_GROUP,
    )
    program = ProgramRole.objects.filter(
        live, user__in=people, content_object__business__in=businesses
    ).values_list(
        Value("program"),
        F("user_id"),
        F("content_object__business_id"),
        F("content_object_id"),
        F("permission__codename"),
        *NO_GROUP,
    )
    return member.union(business, program, *_group_rows(people, businesses, at), all=True)


def _group_rows(
    people: Collection[int], businesses: Collection[int], at: datetime
) -> tuple[QuerySet[GroupProgramRole], QuerySet[GroupProgramGroupRole]]:
    """The same of what comes by employee group: on programs, and on groups of programs."""
    members = "group__employee_group__members__"
    theirs = during(at) & in_use(at, "group__employee_group__")
    theirs &= Q(
        content_object__business__in=businesses,
        group__employee_group__business=F("content_object__business"),
        **{f"{members}person__in": people},
    )
    theirs &= during(at, members)

    def columns(scope: str) -> tuple[Value | F, ...]:
        return (
            Value("group"),
            F(f"{members}person_id"),
            F("content_object__business_id"),
            F(scope),
            F("permission__codename"),
            F("group__employee_group__name"),
            F("ends_at"),
            F(f"{members}ends_at"),
        )

    on_program = GroupProgramRole.objects.filter(theirs).values_list(*columns("content_object_id"))
    on_program_group = GroupProgramGroupRole.objects.filter(
        theirs,
        during(at, "content_object__members__"),
        in_use(at, "content_object__"),
    ).values_list(*columns("content_object__members__program_id"))
    return on_program, on_program_group


# ---------------------------------------------------------------- officers of the agency


def live_lookup(person_id: int, business_id: int, at: datetime) -> Lookup | None:
    """The look-up by which an officer reads a business at an instant: 1 query."""
    names = [field.attname for field in Lookup._meta.concrete_fields]
    rows = prepared.rows(_lookup_rows, [person_id], [business_id], at)
    return next((Lookup.from_db(DEFAULT_DB_ALIAS, names, row) for row in rows), None)


def _lookup_rows(
    people: Collection[int], businesses: Collection[int], at: datetime
) -> QuerySet[Lookup]:
    entrusted = live_roles(at).filter(person=OuterRef("officer"), kind=OfficerRole.Kind.LOOKUPS)
    return Lookup.objects.filter(
        during(at), Exists(entrusted), officer__in=people, business__in=businesses
    )


def lookup_until(lookup: Lookup, at: datetime) -> datetime | None:
    """When the officer stops reading by a look-up: with it, or with the role before it: 1 query."""
    entrusted = live_roles(at).filter(person=lookup.officer_id, kind=OfficerRole.Kind.LOOKUPS)
    return earliest(lookup.ends_at, *entrusted.values_list("ends_at", flat=True))


# ---------------------------------------------------------------- work for clients


def assigned_to(people: Collection[int], provider_id: int, at: datetime) -> Q:
    """The condition of live assignments of the people, in person or by employee group."""
    by_group = Q(employee_group__members__person__in=people) & during(
        at, "employee_group__members__"
    )
    by_group &= in_use(at, "employee_group__")
    return (
        Q(provider=provider_id)
        & during(at)
        & (Q(person__in=people) | (Q(employee_group__isnull=False) & by_group))
    )


def assignments(
    people: Collection[int], provider_id: int, client_id: int, at: datetime
) -> dict[int, tuple[Assignment, ...]]:
    """The live assignments of the people to a client, by person, the best first: 1 query."""
    held: dict[int, list[Assignment]] = defaultdict(list)
    rows = prepared.rows(_assignment_rows, people, [provider_id, client_id], at)
    for person_id, role, employee_group, client_group, *ends in rows:
        held[person_id].append(
            Assignment(Role(role), earliest(*ends), employee_group or "", client_group or "")
        )
    return {
        person_id: tuple(sorted(found, key=lambda one: one.role.rank, reverse=True))
        for person_id, found in held.items()
    }


def _assignment_rows(
    people: Collection[int], parties: Collection[int], at: datetime
) -> QuerySet[StaffAssignment, tuple[object, ...]]:
    """Live assignments of the people of the first party, the provider, to the second, a client."""
    provider_id, client_id = parties
    return StaffAssignment.objects.filter(
        assigned_to(people, provider_id, at), _to_client(at, client_id)
    ).values_list(
        Coalesce("person_id", "employee_group__members__person_id"),
        "role",
        "employee_group__name",
        "client_group__name",
        "ends_at",
        "employee_group__members__ends_at",
        "client_group__members__ends_at",
    )


def managers_assignment(own: OwnRoles) -> tuple[Assignment, ...]:
    """A provider's BAM counts as assigned to every client; nobody else does without a row."""
    return (Assignment(Role.PAM, own.bam.until, is_managers=True),) if own.bam else ()


def _to_client(at: datetime, client_id: int) -> Q:
    """Assignments to one client, by itself or by a client group that holds it now."""
    by_group = Q(client_group__members__client=client_id) & during(at, "client_group__members__")
    by_group &= in_use(at, "client_group__")
    return Q(client=client_id) | (Q(client_group__isnull=False) & by_group)
