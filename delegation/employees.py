"""What the pages about the people of a business read: who works there, by which right, who asks.

A Business Account Manager reads about everybody, a Program Account Manager about those who reach
its program accounts. However many people there are, the number of queries stays the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.held_rights import Right, rights_by, rights_to_begin, sources_of
from delegation.models import (
    AccessRequest,
    ClientGroup,
    Decision,
    EmployeeGroup,
    Membership,
    ProgramRole,
    StaffAssignment,
)
from delegation.models.mutes import muted
from delegation.models.periods import during, not_suspended
from delegation.roles import PROGRAM_ROLES, SENTENCES, Action, Role, grantable_by
from delegation.standing import assigned_to
from delegation.terms import extension_label, program_label
from pages.paging import Page, page_by_key

PEOPLE = 25
"""How many people one page lists."""


class RoleWords(NamedTuple):
    """A role and the sentence that says what it may do."""

    label: str | Promise
    sentence: str | Promise


@dataclass(frozen=True)
class Line:
    """One line of an access request in words; without a `program` the managers choose."""

    program: str
    wished: str
    granted: str
    decision: Decision | None
    decided_at: datetime | None
    decided_by: User | None
    reason: str


@dataclass(frozen=True)
class Employee:
    """A person who belongs to a business, with the rights that the reader may know of.

    `coming` are those that were given and begin later.
    """

    pk: UUID
    person: User
    rights: tuple[Right, ...]
    coming: tuple[Right, ...]
    is_suspended: bool
    last_used_on: date | None


@dataclass(frozen=True)
class Standing:
    """A business that a person belongs to, with the rights held there."""

    business: BusinessAccount
    rights: tuple[Right, ...]
    is_suspended: bool


def managed_programs(access: Access) -> list[ProgramAccount]:
    """The program accounts whose people the person manages: a BAM's are all of the business."""
    return access.overseen(Action.MANAGE_EMPLOYEES)


def labels_managed(access: Access) -> list[str]:
    """What a PAM manages, as its pages say it; a BAM manages everything, which needs no word."""
    return [program_label(program) for program in _part_managed(access) or ()]


def grantable_programs(access: Access) -> list[ProgramAccount]:
    """The open program accounts on which the person grants roles."""
    return access.programs(Action.MANAGE_EMPLOYEES)


def grantable_roles(access: Access, program: ProgramAccount) -> list[Role]:
    """The roles in reach of the person on a program account."""
    return [role for role in grantable_by(access.role_on(program)) if role in PROGRAM_ROLES]


def people_page(access: Access, *, named: str, after: str) -> Page[User]:
    """A page of those who belong to the business acted for, by name."""
    everybody = User.objects.filter(pk__in=members_of(access, named=named).values("person"))
    key = ("last_name", "first_name", "id")
    return page_by_key(everybody, key=key, after=after, size=PEOPLE, is_ascending=True)


def employees_of(access: Access, people: Collection[User]) -> list[Employee]:
    """What people of the business acted for hold there, in their order."""
    keys, only = {one.pk for one in people}, _part_managed(access)
    sources = sources_of([access.acting_for.pk], access.at, only=only)
    rights, coming = defaultdict[int, list[Right]](list), defaultdict[int, list[Right]](list)
    for person_id, _business, right in rights_by(keys, sources):
        rights[person_id].append(right)
    for person_id, right in rights_to_begin(keys, access.acting_for, access.at, only=only):
        coming[person_id].append(right)
    members = members_of(access, named="").filter(person__in=keys)
    memberships = {one.person_id: one for one in members}
    return [
        Employee(
            memberships[person.pk].pk,
            person,
            tuple(rights[person.pk]),
            tuple(coming[person.pk]),
            is_suspended=memberships[person.pk].is_suspended_at(access.at),
            last_used_on=memberships[person.pk].last_used_on,
        )
        for person in people
    ]


def members_of(access: Access, *, named: str) -> QuerySet[Membership]:
    """Who belongs to the business acted for now and whom the reader may know of, by words."""
    members = Membership.objects.filter(during(access.at), business=access.acting_for)
    if not access.is_bam:
        managed = managed_programs(access)
        sources = sources_of([access.acting_for.pk], access.at, only=managed)
        members = members.filter(reduce(or_, (source.reached for source in sources)))
    for word in named.split():
        members = members.filter(
            Q(person__first_name__icontains=word)
            | Q(person__last_name__icontains=word)
            | Q(person__email__icontains=word)
        )
    return members


def member_of(access: Access, pk: UUID) -> Membership | None:
    """Somebody's belonging to the business acted for; nothing where its reader may not know of it.

    A BAM reads about everybody who ever belonged, a PAM about those who hold or held a role on its
    program accounts, everybody about oneself.
    """
    members = Membership.objects.filter(business=access.acting_for).select_related(
        "person", "business"
    )
    if not access.is_bam:
        programs = managed_programs(access)
        sources = sources_of([access.acting_for.pk] if programs else [], access.at, only=programs)
        known = reduce(or_, (source.reached for source in sources))
        held = ProgramRole.objects.filter(content_object__in=programs).values("user")
        members = members.filter(known | Q(person__in=held) | Q(person=access.person))
    return members.filter(pk=pk).first()


def people_with_a_role(program: ProgramAccount, at: datetime) -> QuerySet[User]:
    """Who belongs to the business of a program account and holds a role that reaches it."""
    sources = sources_of([program.business_id], at, only=[program])
    members = Membership.objects.filter(
        during(at),
        not_suspended(at),
        reduce(or_, (source.reached for source in sources)),
        business=program.business_id,
    )
    return User.objects.filter(is_active=True, pk__in=members.values("person"))


def rights_of(person: User, access: Access) -> list[Right]:
    """What a person holds now in the business acted for, as far as the reader may know."""
    only = None if person == access.person else _part_managed(access)
    sources = sources_of([access.acting_for.pk], access.at, only=only)
    return [right for _person, _business, right in rights_by({person.pk}, sources)]


def rights_to_come(person: User, access: Access) -> list[Right]:
    """What was given to a person directly and begins later, as far as the reader may know."""
    only = None if person == access.person else _part_managed(access)
    found = rights_to_begin({person.pk}, access.acting_for, access.at, only=only)
    return [right for _person, right in found]


def groups_of(person: User, access: Access) -> list[str]:
    """The employee groups of the business acted for that a person is in, by name."""
    groups = EmployeeGroup.objects.filter(
        during(access.at, "members__"), business=access.acting_for, members__person=person
    )
    return list(groups.order_by("name").values_list("name", flat=True))


def clients_worked_for(person: User, access: Access) -> tuple[list[str], int]:
    """The clients and client groups of the firm acted for that a person is assigned to, alone or
    by an employee group: the first by name, client groups before clients, and how many besides.
    """
    held = assigned_to([person.pk], access.acting_for.pk, access.at)
    rows = StaffAssignment.objects.filter(held)
    groups = ClientGroup.objects.filter(pk__in=rows.values("client_group")).order_by("name", "pk")
    clients = BusinessAccount.objects.filter(pk__in=rows.values("client"))
    named = [*groups[:PEOPLE], *clients.order_by("legal_name", "pk")[:PEOPLE]]
    more = groups.count() + clients.count() - PEOPLE
    return [str(one) for one in named[:PEOPLE]], max(more, 0)


def standings_of(memberships: Iterable[Membership], person: User, at: datetime) -> list[Standing]:
    """What a person holds in each business of its `memberships`; nothing where suspended."""
    shown = list(memberships)
    working = [one.business_id for one in shown if not one.is_suspended_at(at)]
    rights: dict[int, list[Right]] = defaultdict(list)
    for _person, business_id, right in rights_by({person.pk}, sources_of(working, at)):
        rights[business_id].append(right)
    return [
        Standing(one.business, tuple(rights[one.business_id]), one.is_suspended_at(at))
        for one in shown
    ]


def readable_requests(access: Access) -> QuerySet[AccessRequest]:
    """Requests to the business acted for, of any state: all for a BAM, by program for a PAM."""
    every = AccessRequest.objects.filter(bn9=access.acting_for.bn9).select_related(
        "person", "decided_by"
    )
    if access.is_bam:
        return every
    extensions = [program.extension for program in managed_programs(access)]
    return every.filter(lines__extension__in=extensions).distinct()


def requests_to_decide(access: Access) -> QuerySet[AccessRequest]:
    """What waits for the person's decision, the longest first; who is muted does not show."""
    waiting = (
        AccessRequest.objects.pending_at(access.at)
        .filter(~muted(access.at, "bn9", "person"), bn9=access.acting_for.bn9)
        .exclude(person=access.person)
        .order_by("starts_at", "id")
    )
    if access.is_bam:
        return waiting
    extensions = [program.extension for program in managed_programs(access)]
    return waiting.filter(lines__extension__in=extensions, lines__decision="").distinct()


def lines_of(access_request: AccessRequest, reader: Access | None = None) -> list[Line]:
    """The lines of a request by program: all for its asker and for a BAM, a PAM's own for a PAM."""
    lines = sorted(access_request.lines.all(), key=lambda line: line.extension)
    if reader and not reader.is_bam:
        managed = {program.extension for program in managed_programs(reader)}
        lines = [line for line in lines if line.extension in managed]
    return [
        Line(
            program=extension_label(line.extension) if line.extension else "",
            wished=str(Role(line.wished_role).label) if line.wished_role else "",
            granted=str(Role(line.granted_role).label) if line.granted_role else "",
            decision=Decision(line.decision) if line.decision else None,
            decided_at=line.decided_at,
            decided_by=line.decided_by,
            reason=line.reason,
        )
        for line in lines
    ]


def roles_in_words() -> list[RoleWords]:
    """Each role with what it may do, for the help on pages."""
    return [RoleWords(role.label, SENTENCES[role]) for role in Role]


def _part_managed(access: Access) -> list[ProgramAccount] | None:
    """The program accounts that a PAM manages; for a BAM, who manages all, none are named."""
    return None if access.is_bam else managed_programs(access)
