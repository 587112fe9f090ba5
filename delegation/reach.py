"""Which clients the people of a provider work for, asked so that 20,000 clients cost what 20 do.

`Access.clients` says it as one condition for any number of them. Here the same is said of one
column of a list: whoever works for few clients starts from those, whoever works for many is
looked up row by row of the list. What a person's groups are is read first, so that no question
depends on how many colleagues there are.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from delegation.access import NEVER, Access
from delegation.models import (
    ClientGroup,
    ClientGroupMember,
    EmployeeGroupMember,
    Membership,
    RelationshipTerms,
    StaffAssignment,
)
from delegation.models.periods import during, in_use, not_suspended
from delegation.reasons import Reason

FEW = 500
"""How many keys a list starts from at most; with more it is walked in its order."""


def known_to(access: Access, column: str = "client") -> Q:
    """The condition that a column holds a client of which the person may know.

    Equal to `Access.clients`. A manager knows every client; at most 4 queries for others.
    """
    if access.own.membership is not Reason.ALLOWED:
        return NEVER
    begun = RelationshipTerms.objects.filter(
        relationship__client=OuterRef(column),
        relationship__provider=access.acting_for,
        starts_at__lte=access.at,
    )
    return Q(Exists(begun)) & works_for(access, column)


def works_for(access: Access, column: str) -> Q:
    """The condition that the person is assigned, alone or with others, to what a column holds.

    A manager works for every client: there it is none.
    """
    if access.own.membership is not Reason.ALLOWED:
        return NEVER
    if access.is_bam:
        return Q()
    groups = EmployeeGroupMember.objects.filter(
        during(access.at), in_use(access.at, "group__"), person=access.person
    )
    mine = StaffAssignment.objects.filter(
        during(access.at), Q(provider=access.acting_for), theirs([access.person.pk], keys(groups))
    )
    my_groups = _live_groups(mine, access)
    inside = ClientGroupMember.objects.filter(during(access.at), group__in=my_groups)
    direct, grouped = few_of(mine, "client"), few_of(inside, "client")
    if max(len(direct), len(grouped)) <= FEW:
        return Q(**{f"{column}__in": {*direct, *grouped}})
    return Q(Exists(mine.filter(client=OuterRef(column)))) | Q(
        Exists(inside.filter(client=OuterRef(column)))
    )


def _live_groups(mine: QuerySet[StaffAssignment], access: Access) -> Any:
    """The client groups of the assignments: their keys, and where they are many the question."""
    groups = ClientGroup.objects.filter(in_use(access.at))
    few = few_of(mine, "client_group")
    if len(few) <= FEW:
        return list(groups.filter(pk__in=few).values_list("pk", flat=True))
    return Subquery(groups.filter(pk__in=mine.values("client_group")).values("pk"))


def in_group(access: Access, group: UUID, column: str = "client") -> Q:
    """The condition that a column holds a client that stands in a client group of the firm."""
    inside = ClientGroupMember.objects.filter(
        during(access.at), group=group, group__provider=access.acting_for
    )
    few = few_of(inside, "client")
    if len(few) <= FEW:
        return Q(**{f"{column}__in": few})
    return Q(Exists(inside.filter(client=OuterRef(column))))


def theirs(people: Collection[int], groups: Collection[UUID]) -> Q:
    """Assignments of people, or of employee groups."""
    return Q(person__in=people) | Q(employee_group__in=groups)


def keys(members: QuerySet[EmployeeGroupMember]) -> list[UUID]:
    """The groups of members."""
    return list(members.values_list("group", flat=True))


def few_of(rows: QuerySet, column: str) -> list[Any]:
    """The first values of a column, one more than few where there are more."""
    filled = rows.filter(**{f"{column}__isnull": False})
    return list(filled.values_list(column, flat=True)[: FEW + 1])


# ---------------------------------------------------------------- the firm's own people


@dataclass(frozen=True)
class Staff:
    """The people of a firm who can work for clients, and who of them is in which group.

    `client_groups` names those assigned to a client group.
    """

    access: Access
    people: frozenset[int]
    groups: Mapping[UUID, frozenset[int]]
    client_groups: Mapping[UUID, frozenset[int]]

    def by_client(self, clients: Collection[int]) -> dict[int, set[int]]:
        """Who is assigned to each of the clients: 2 queries for all of them."""
        found: dict[int, set[int]] = {client: set() for client in clients}
        direct = _assignments(self.access).filter(client__in=clients)
        for client, person, group in direct.values_list("client", "person", "employee_group"):
            found[client] |= self.named(person, group)
        inside = ClientGroupMember.objects.filter(
            during(self.access.at), group__in=[*self.client_groups], client__in=clients
        )
        for client, of in inside.values_list("client", "group"):
            found[client] |= self.client_groups[of]
        return found

    def named(self, person: int | None, group: UUID | None) -> frozenset[int]:
        """Who is meant by the two columns of an assignment."""
        if group:
            return self.groups.get(group, frozenset())
        return self.people & {person} if person else frozenset()

    def nobody_works_for(self, column: str = "client") -> Q:
        """The condition that nobody is assigned to the client that a column holds."""
        manned = [group for group, people in self.groups.items() if people]
        direct = _assignments(self.access).filter(
            theirs(self.people, manned), client=OuterRef(column)
        )
        inside = ClientGroupMember.objects.filter(
            during(self.access.at),
            group__in=[group for group, people in self.client_groups.items() if people],
            client=OuterRef(column),
        )
        return ~Q(Exists(direct)) & ~Q(Exists(inside))


def staff_of(access: Access) -> Staff:
    """The people of the firm acted for: 3 queries."""
    firm, at = access.acting_for, access.at
    belong = Membership.objects.filter(
        during(at), not_suspended(at), business=firm, person__is_active=True
    )
    people = frozenset(belong.values_list("person", flat=True))
    groups: dict[UUID, set[int]] = defaultdict(set)
    members = EmployeeGroupMember.objects.filter(
        during(at), in_use(at, "group__"), group__business=firm
    )
    for group, person in members.values_list("group", "person"):
        groups[group] |= people & {person}
    staff = Staff(access, people, {key: frozenset(one) for key, one in groups.items()}, {})
    assigned: dict[UUID, set[int]] = defaultdict(set)
    to_groups = _assignments(access).filter(
        in_use(at, "client_group__"), client_group__isnull=False
    )
    for of, one, group in to_groups.values_list("client_group", "person", "employee_group"):
        assigned[of] |= staff.named(one, group)
    by_group = {key: frozenset(one) for key, one in assigned.items()}
    return Staff(access, people, staff.groups, by_group)


def _assignments(access: Access) -> QuerySet[StaffAssignment]:
    """The live assignments of the firm."""
    return StaffAssignment.objects.filter(during(access.at), provider=access.acting_for)
