"""What the pages about groups read: who and what is in them, and what is given through them.

Lists are paged, and cost the same number of queries however much there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import User
from businesses.bn import compact
from businesses.models import ProgramAccount, ProgramGroup, ProgramGroupMember
from delegation.access import Access
from delegation.models import (
    Ceiling,
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
    StaffAssignment,
)
from delegation.models.periods import during, in_use
from delegation.permissions import can_manage_groups
from delegation.roles import Role, strongest
from delegation.terms import program_label

MOST = 50
"""How many roles over program-account groups, and how many clients, one page names."""

type GroupRole = GroupProgramRole | GroupProgramGroupRole


@dataclass(frozen=True)
class GivenRole:
    """A role of an employee group: on a program account, or over a group of them."""

    pk: int
    role: str
    scope: str
    group: EmployeeGroup
    program_group: ProgramGroup | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Place:
    """A person in an employee group. `membership` is the key of the person's own page."""

    pk: int
    person: User
    membership: UUID | None
    is_suspended: bool
    since: datetime


@dataclass(frozen=True)
class Work:
    """A client, or a group of clients, that the people of an employee group work for."""

    name: str
    role: str
    since: datetime
    until: datetime | None


# Employee groups


def employee_groups(access: Access, *, archived: bool, named: str = "") -> QuerySet[EmployeeGroup]:
    """The employee groups of the business, each with how many `people` and `roles` it has."""
    live = during(access.at)
    groups = EmployeeGroup.objects.filter(business=access.acting_for, name__icontains=named)
    own = "group__employee_group"
    return groups.filter(archived_at__isnull=not archived).annotate(
        people=_count(EmployeeGroupMember.objects.filter(live), "group"),
        roles=_count(GroupProgramRole.objects.filter(live), own)
        + _count(GroupProgramGroupRole.objects.filter(live), own),
    )


def groups_to_join(access: Access) -> list[EmployeeGroup]:
    """The employee groups into which the person may put others, by name."""
    if not can_manage_groups(access).allowed:
        return []
    groups = EmployeeGroup.objects.filter(business=access.acting_for, archived_at=None)
    return list(groups.order_by("name"))


def members_of(group: EmployeeGroup, at: datetime) -> QuerySet[EmployeeGroupMember]:
    """Who is in an employee group now."""
    return EmployeeGroupMember.objects.filter(during(at), group=group).select_related("person")


def people_in(group: EmployeeGroup, at: datetime) -> set[int]:
    """The keys of the people in an employee group."""
    return set(members_of(group, at).values_list("person", flat=True))


def places(rows: Iterable[EmployeeGroupMember], access: Access) -> list[Place]:
    """Some rows of an employee group with the page of each person: 1 query."""
    shown = list(rows)
    belongs = Membership.objects.filter(
        during(access.at),
        business=access.acting_for,
        person__in=[row.person_id for row in shown],
    )
    by_person = {row.person_id: row for row in belongs}
    return [
        Place(
            row.pk,
            row.person,
            by_person[row.person_id].pk if row.person_id in by_person else None,
            row.person_id in by_person and by_person[row.person_id].is_suspended_at(access.at),
            row.starts_at,
        )
        for row in shown
    ]


def employees_named(access: Access, named: str) -> QuerySet[Membership]:
    """Whoever belongs to the business and can be put into its groups, by name."""
    rows = Membership.objects.filter(
        during(access.at), by_person(named), business=access.acting_for
    ).exclude(person=access.person)
    by_name = ("person__last_name", "person__first_name", "person_id")
    return rows.select_related("person").order_by(*by_name)


def by_person(named: str) -> Q:
    """The condition that each word stands in the name or the e-mail address of `person`."""
    words = [
        Q(person__first_name__icontains=word)
        | Q(person__last_name__icontains=word)
        | Q(person__email__icontains=word)
        for word in named.split()
    ]
    return reduce(and_, words, Q())


def roles_on_programs(group: EmployeeGroup, at: datetime, named: str = "") -> QuerySet:
    """What an employee group holds on program accounts, one by one."""
    rows = GroupProgramRole.objects.filter(
        during(at), by_program("content_object", named), group=group.auth_group
    )
    return rows.select_related("content_object", "permission", "group__employee_group")


def roles_over_groups(group: EmployeeGroup, at: datetime) -> QuerySet[GroupProgramGroupRole]:
    """What an employee group holds over program-account groups."""
    rows = GroupProgramGroupRole.objects.filter(during(at), group=group.auth_group)
    named = rows.select_related("content_object", "permission", "group__employee_group")
    return named.order_by("content_object__name", "pk")


def roles_through(group: EmployeeGroup, at: datetime) -> dict[str, Role]:
    """The best role that a group gives on each program account, by extension: 2 queries."""
    over = GroupProgramGroupRole.objects.filter(
        during(at),
        during(at, "content_object__members__"),
        in_use(at, "content_object__"),
        group=group.auth_group,
    ).values_list("content_object__members__program__extension", "permission__codename")
    single = roles_on_programs(group, at).values_list(
        "content_object__extension", "permission__codename"
    )
    best: dict[str, Role] = {}
    for extension, role in [*over, *single]:
        best[extension] = strongest(best.get(extension), Role(role)) or Role(role)
    return best


def given(rows: Iterable[GroupRole]) -> list[GivenRole]:
    """Roles of employee groups in words."""
    return [
        GivenRole(
            pk=row.pk,
            role=str(Role(row.role).label),
            scope=scope_label(row.content_object),
            group=row.group.employee_group,
            program_group=row.content_object if isinstance(row, GroupProgramGroupRole) else None,
            since=row.starts_at,
            until=row.ends_at,
        )
        for row in rows
    ]


def scope_label(scope: ProgramAccount | ProgramGroup) -> str:
    """A program account by its extension and name, a group of them by its name."""
    return program_label(scope) if isinstance(scope, ProgramAccount) else scope.name


def scope_in_words(scope: ProgramAccount | ProgramGroup) -> str:
    """The same in a sentence, which says what a role over a group reaches."""
    if isinstance(scope, ProgramAccount):
        return program_label(scope)
    return _("every program account of the group %(name)s") % {"name": scope.name}


def work_of(group: EmployeeGroup, at: datetime) -> QuerySet[StaffAssignment]:
    """Whom the people of an employee group work for."""
    rows = StaffAssignment.objects.filter(during(at), employee_group=group)
    return rows.select_related("client", "client_group").order_by("starts_at", "pk")


def work_in_words(rows: Iterable[StaffAssignment]) -> list[Work]:
    """Assignments of an employee group in words."""
    return [
        Work(
            str(row.client or row.client_group),
            str(Ceiling(row.role).label),
            row.starts_at,
            row.ends_at,
        )
        for row in rows
    ]


def groups_joined(person: User, access: Access) -> QuerySet[EmployeeGroupMember]:
    """The employee groups of the business that a person is in, by name."""
    rows = EmployeeGroupMember.objects.filter(
        during(access.at), person=person, group__business=access.acting_for
    )
    return rows.select_related("group").order_by("group__name")


# Program-account groups


def program_groups(access: Access, *, archived: bool, named: str = "") -> QuerySet[ProgramGroup]:
    """The program-account groups, each with its number of `programs` and of `roles` over it."""
    live = during(access.at)
    groups = ProgramGroup.objects.filter(business=access.acting_for, name__icontains=named)
    return groups.filter(archived_at__isnull=not archived).annotate(
        programs=_count(ProgramGroupMember.objects.filter(live), "group"),
        roles=_count(GroupProgramGroupRole.objects.filter(live), "content_object"),
    )


def programs_of(group: ProgramGroup, at: datetime, named: str = "") -> QuerySet[ProgramGroupMember]:
    """What stands in a program-account group now."""
    rows = ProgramGroupMember.objects.filter(during(at), by_program("program", named), group=group)
    return rows.select_related("program")


def programs_named(access: Access, group: ProgramGroup, named: str) -> QuerySet[ProgramAccount]:
    """The open program accounts of the business that can go into a group, by extension."""
    inside = ProgramGroupMember.objects.filter(during(access.at), group=group)
    rows = ProgramAccount.objects.filter(by_program("", named), business=access.acting_for)
    is_open = Q(closed_at=None) | Q(closed_at__gt=access.at)
    return rows.filter(is_open).exclude(pk__in=inside.values("program")).order_by("extension")


def roles_over(group: ProgramGroup, at: datetime) -> QuerySet[GroupProgramGroupRole]:
    """Which employee groups hold a role over a program-account group."""
    rows = GroupProgramGroupRole.objects.filter(during(at), content_object=group)
    named = rows.select_related("content_object", "permission", "group__employee_group")
    return named.order_by("group__employee_group__name", "pk")


def people_over(group: ProgramGroup, at: datetime) -> set[int]:
    """The keys of the people who hold a role over a program-account group."""
    over = GroupProgramGroupRole.objects.filter(during(at), content_object=group)
    rows = EmployeeGroupMember.objects.filter(
        during(at), group__auth_group__in=over.values("group")
    )
    return set(rows.values_list("person", flat=True))


def by_program(path: str, named: str) -> Q:
    """The condition that the program account at `path` has this name or extension."""
    prefix = f"{path}__" if path else ""
    number = Q(**{f"{prefix}extension__icontains": compact(named)}) if named else Q()
    return Q(**{f"{prefix}name__icontains": named}) | number if named else Q()


def _count(rows: QuerySet, column: str) -> Coalesce:
    """How many of the rows have the outer row in a column."""
    of_outer = rows.filter(**{column: OuterRef("pk")}).order_by().values(column)
    counted = of_outer.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
