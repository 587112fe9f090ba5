"""What somebody held who left a business: from where, since when and until when.

For whoever hands over the work, and for whoever must show later what was taken back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import (
    BusinessRole,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
    ProgramRole,
    StaffAssignment,
)
from delegation.models.periods import Period
from delegation.roles import Role
from delegation.standing import earliest
from delegation.terms import program_label

type Told = tuple[str, str, User | None]
"""What was held, on what, and who gave it."""


@dataclass(frozen=True)
class Possession:
    """Something that a person held; without a `scope` on the whole business.

    `group` is the employee group that it came through, `given_by` who gave it where that is known.
    """

    what: str
    scope: str
    group: str
    given_by: User | None
    since: datetime
    until: datetime
    was_held_to_the_end: bool


def possessions(membership: Membership) -> list[Possession]:
    """All that a person held in the time of a membership that is over: those held last come first.

    However much that is, the number of queries stays the same.
    """
    if membership.ends_at is None:
        raise ValueError("Nobody left yet.")
    person, business = membership.person, membership.business
    within = _within(membership.starts_at, membership.ends_at)
    groups = EmployeeGroupMember.objects.filter(within, person=person, group__business=business)
    found = [
        *_roles(person, business, within, membership.ends_at),
        *_by_groups(groups.select_related("group"), within, membership.ends_at),
        *(
            _held(what, scope, "", given_by, (row,), membership.ends_at)
            for row in _assignments(within, person=person, provider=business)
            for what, scope, given_by in [_work(row)]
        ),
    ]
    return sorted(found, key=lambda one: (not one.was_held_to_the_end, one.scope, one.since))


def _within(start: datetime, end: datetime) -> Q:
    """The rows whose period meets that of a membership, and holds anything at all."""
    lasts = Q(ends_at=None) | (Q(ends_at__gt=F("starts_at")) & Q(ends_at__gt=start))
    return lasts & Q(starts_at__lt=end)


def _roles(
    person: User, business: BusinessAccount, within: Q, end: datetime
) -> Iterator[Possession]:
    rows: dict[Any, Any] = {
        BusinessRole: {"content_object": business},
        ProgramRole: {"content_object__business": business},
    }
    for table, scope in rows.items():
        held = table.objects.filter(within, user=person, **scope)
        for row in held.select_related("permission", "granted_by", "content_object"):
            label = program_label(row.content_object) if table is ProgramRole else ""
            yield _held(str(Role(row.role).label), label, "", row.granted_by, (row,), end)


def _by_groups(
    memberships: Iterable[EmployeeGroupMember], within: Q, end: datetime
) -> Iterator[Possession]:
    belongs = list(memberships)
    shared = list(_of_groups([one.group_id for one in belongs], within))
    for member in belongs:
        for group_id, row, (what, scope, given_by) in shared:
            last, first = earliest(member.ends_at, row.ends_at), member.starts_at
            meets = last is None or max(first, row.starts_at) < last
            if group_id == member.group_id and meets:
                yield _held(what, scope, member.group.name, given_by, (row, member), end)


def _of_groups(groups: list[UUID], within: Q) -> Iterator[tuple[UUID, Period, Told]]:
    """What employee groups held, roles and work: which group, the row, and how it is told."""
    tables: tuple[Any, ...] = (GroupProgramRole, GroupProgramGroupRole)
    for table in tables:
        held = table.objects.filter(within, group__employee_group__in=groups)
        named = held.select_related("permission", "granted_by", "content_object")
        for row in named.annotate(employee_group=F("group__employee_group")):
            is_program = table is GroupProgramRole
            scope = program_label(row.content_object) if is_program else row.content_object.name
            yield row.employee_group, row, (str(Role(row.role).label), scope, row.granted_by)
    for assignment in _assignments(within, employee_group__in=groups):
        if assignment.employee_group_id:
            yield assignment.employee_group_id, assignment, _work(assignment)


def _assignments(within: Q, **whose: Any) -> QuerySet[StaffAssignment]:
    rows = StaffAssignment.objects.filter(within, **whose)
    return rows.select_related("client", "client_group", "assigned_by")


def _work(row: StaffAssignment) -> Told:
    """What somebody was assigned to, as it is told."""
    return str(row.get_role_display()), str(row.client or row.client_group), row.assigned_by


def _held(
    what: str,
    scope: str,
    group: str,
    given_by: User | None,
    periods: Iterable[Period],
    end: datetime,
) -> Possession:
    """What was held while all of the periods lasted, at most until the departure."""
    rows = list(periods)
    until = earliest(end, *(row.ends_at for row in rows)) or end
    since = max(row.starts_at for row in rows)
    return Possession(what, scope, group, given_by, since, until, until >= end)
