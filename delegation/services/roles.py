"""The role service: the only place that writes roles and memberships.

Its callers record the act that they belong to; nothing here is an act of its own. Whatever may
lower the number of Business Account Managers first holds the business row (`locks`).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup, ProgramGroupMember
from delegation.models import (
    BusinessRole,
    EmployeeGroup,
    EmployeeGroupMember,
    Grant,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
    ProgramRole,
    StaffAssignment,
)
from delegation.models.periods import during
from delegation.roles import PROGRAM_ROLES, Role


class Term(NamedTuple):
    """When a role begins, at once where `starts_at` is empty, and when it ends, if ever."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


FROM_NOW_ON = Term()


def replaced_by(
    person: User, programs: Iterable[ProgramAccount], begins: datetime
) -> dict[int, list[ProgramRole]]:
    """The direct roles that last beyond an instant, by program account: a new one ends them."""
    found = replaced_among([person.pk], programs, begins)
    return {program: rows for (_person, program), rows in found.items()}


def replaced_among(
    people: Collection[int], programs: Iterable[ProgramAccount], begins: datetime
) -> dict[tuple[int, int], list[ProgramRole]]:
    """The same for many people, by person and program account: 1 query."""
    rows = ProgramRole.objects.filter(user__in=people, content_object__in=list(programs))
    found: dict[tuple[int, int], list[ProgramRole]] = {}
    for row in rows.select_related("permission").order_by("starts_at"):
        if not row.is_over_at(begins):
            found.setdefault((row.user_id, row.content_object_id), []).append(row)
    return found


def join(*, person: User, business: BusinessAccount, at: datetime) -> Membership:
    """The live membership of a person in a business, begun now where there is none."""
    live = Membership.objects.filter(during(at), person=person, business=business).first()
    return live or Membership.objects.create(person=person, business=business, starts_at=at)


def note_use(*, membership: Membership, at: datetime) -> None:
    """Keep the local day on which a person last used the portal for a business: written once a day.

    The one write of a page that is only read, and no act: history knows nothing of it.
    """
    today = timezone.localdate(at)
    if membership.last_used_on is None or membership.last_used_on < today:
        earlier = Q(last_used_on=None) | Q(last_used_on__lt=today)
        Membership.objects.filter(earlier, pk=membership.pk).update(last_used_on=today)


def grant_business_role(
    *,
    person: User,
    business: BusinessAccount,
    granted_by: User | None,
    at: datetime,
    source: Grant.Source = Grant.Source.DIRECT,
    term: Term = FROM_NOW_ON,
) -> BusinessRole:
    """Make a person Business Account Manager: from now on and without an end, or for a term."""
    held = BusinessRole.objects.filter(user=person, content_object=business)
    role = BusinessRole(
        user=person,
        content_object=business,
        permission=_permission(BusinessAccount, Role.BAM),
        granted_by=granted_by,
        source=source,
    )
    return _grant(role, held, term, at)


def grant_program_role(
    *,
    person: User,
    program: ProgramAccount,
    role: Role,
    granted_by: User,
    at: datetime,
    term: Term = FROM_NOW_ON,
) -> ProgramRole:
    """Give a person a role on a program account, in place of another held there directly."""
    held = ProgramRole.objects.filter(user=person, content_object=program)
    row = ProgramRole(
        user=person,
        content_object=program,
        permission=_permission(ProgramAccount, role),
        granted_by=granted_by,
    )
    return _grant(row, held, term, at)


def _grant[R: (BusinessRole, ProgramRole)](
    role: R, held: QuerySet[R], term: Term, at: datetime
) -> R:
    """Let a role begin in place of what is held from then on, or is to begin later; once."""
    begins = max(term.starts_at or at, at)
    beyond = held.filter(Q(ends_at=None) | Q(ends_at__gt=begins))
    same = beyond.filter(
        permission=role.permission, starts_at__lte=begins, ends_at=term.ends_at
    ).first()
    end = Greatest("starts_at", Value(begins, DateTimeField()))
    others = beyond.exclude(pk=same.pk) if same else beyond
    others.update(ends_at=end, ended_by=role.granted_by)
    if same:
        return same
    role.starts_at, role.ends_at = begins, term.ends_at
    role.granted_at = at if begins > at else None
    role.save(force_insert=True)
    return role


def grant_group_role(
    *,
    group: EmployeeGroup,
    scope: ProgramAccount | ProgramGroup,
    role: Role,
    granted_by: User,
    at: datetime,
) -> GroupProgramRole | GroupProgramGroupRole:
    """Give an employee group a role on a program account or on a program-account group."""
    table = GroupProgramRole if isinstance(scope, ProgramAccount) else GroupProgramGroupRole
    live = table.objects.filter(during(at), group=group.auth_group, content_object=scope)
    live.update(ends_at=at, ended_by=granted_by)
    return table.objects.create(
        group=group.auth_group,
        content_object=scope,
        permission=_permission(type(scope), role),
        starts_at=at,
        granted_by=granted_by,
        source=Grant.Source.GROUP,
    )


def end_all(*, person: User, business: BusinessAccount, ended_by: User, at: datetime) -> None:
    """End all that a person holds in a business: who joins again begins with nothing."""
    lasting, end = _lasting(at)
    roles = (
        BusinessRole.objects.filter(lasting, user=person, content_object=business),
        ProgramRole.objects.filter(lasting, user=person, content_object__business=business),
    )
    for held in roles:
        held.update(ends_at=end, ended_by=ended_by)
    groups = EmployeeGroupMember.objects.filter(lasting, person=person, group__business=business)
    groups.update(ends_at=end)
    StaffAssignment.objects.filter(lasting, person=person, provider=business).update(ends_at=end)


def end_group_role(
    *, role: GroupProgramRole | GroupProgramGroupRole, ended_by: User, at: datetime
) -> None:
    """End a role of an employee group."""
    role.ends_at, role.ended_by = at, ended_by
    role.save()


def end_employee_group(*, group: EmployeeGroup, ended_by: User, at: datetime) -> None:
    """End all that an employee group holds, and who is in it."""
    lasting, end = _lasting(at)
    for table in (GroupProgramRole, GroupProgramGroupRole):
        held = table.objects.filter(lasting, group=group.auth_group)
        held.update(ends_at=end, ended_by=ended_by)
    EmployeeGroupMember.objects.filter(lasting, group=group).update(ends_at=end)
    StaffAssignment.objects.filter(lasting, employee_group=group).update(ends_at=end)


def end_program_group(*, group: ProgramGroup, ended_by: User, at: datetime) -> None:
    """End all that is held over a program-account group, and what is in it."""
    lasting, end = _lasting(at)
    held = GroupProgramGroupRole.objects.filter(lasting, content_object=group)
    held.update(ends_at=end, ended_by=ended_by)
    ProgramGroupMember.objects.filter(lasting, group=group).update(ends_at=end)


def managers_of(business_bn9: str, at: datetime) -> list[User]:
    """The live, active Business Account Managers of a BN9; none where it is not registered."""
    roles = BusinessRole.objects.filter(
        during(at), user=OuterRef("pk"), content_object__bn9=business_bn9
    )
    members = Membership.objects.filter(
        during(at),
        person=OuterRef("pk"),
        business__bn9=business_bn9,
        suspended_at__isnull=True,
    )
    people = User.objects.filter(Exists(roles), Exists(members), is_active=True)
    return list(people.order_by("pk"))


def is_manager_of(person: User, business_bn9: str, at: datetime) -> bool:
    """Say whether the person is a live, active Business Account Manager of a BN9."""
    roles = BusinessRole.objects.filter(during(at), content_object__bn9=business_bn9)
    members = Membership.objects.filter(
        during(at), person=person, business__bn9=business_bn9, suspended_at__isnull=True
    )
    return person.is_active and roles.filter(Exists(members), user=person).exists()


def lasting_managers(business: BusinessAccount, at: datetime) -> set[int]:
    """The people (by pk) whom an active business may rely on: live BAMs without any end in sight.

    Neither the grant nor the membership has an end date, and the person is active.
    """
    grants = BusinessRole.objects.filter(
        content_object=business, starts_at__lte=at, ends_at__isnull=True, user__is_active=True
    )
    members = Membership.objects.filter(
        business=business, starts_at__lte=at, ends_at__isnull=True, suspended_at__isnull=True
    )
    people = grants.filter(user__in=members.values("person"))
    return set(people.values_list("user", flat=True))


def _lasting(at: datetime) -> tuple[Q, Greatest]:
    """The rows that last beyond an instant, and how they end there: never before they start."""
    return Q(ends_at=None) | Q(ends_at__gt=at), Greatest("starts_at", Value(at, DateTimeField()))


def _permission(model: type, role: Role) -> Permission:
    if model is not BusinessAccount and role not in PROGRAM_ROLES:
        raise ValueError(f"{role} is not held on a {model.__name__}.")
    content_type = ContentType.objects.get_for_model(model)
    return Permission.objects.get(content_type=content_type, codename=role.value)
