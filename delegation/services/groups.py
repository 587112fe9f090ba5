"""Employee groups: people who share roles on program accounts, and work for clients.

Whoever changes a group holds its row: of an addition and an archiving in the same instant, the
one that comes second is told. Leaving and archiving end at once whatever came through the group.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup
from delegation.access import Access
from delegation.models import (
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
)
from delegation.models.periods import during
from delegation.permissions import (
    can_manage_groups,
    can_reduce_groups,
    can_remove_employee_from_group,
)
from delegation.roles import Role
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, why_closed
from delegation.services.group_acts import (
    GroupAct,
    act_on,
    hold,
    name_taken,
    not_yours,
    own_right,
    why_not_changeable,
)


@transaction.atomic
def create_employee_group(
    *, actor: User, acting_for: BusinessAccount, name: str, at: datetime
) -> EmployeeGroup | Refusal:
    """Make an empty employee group. Its name is unique in the business, archived ones included."""
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    act = GroupAct("employee_group.create", Access(actor, acting_for, at), name)
    if not can_manage_groups(act.access).allowed:
        return act.refused(not_yours(act.access))
    if _is_taken(acting_for, name):
        return act.refused(name_taken())
    group = EmployeeGroup(business=acting_for, name=name, created_at=at)
    try:
        with transaction.atomic():
            group.auth_group = Group.objects.create(name=f"employee-group-{uuid4().hex}")
            group.save(force_insert=True)
    except IntegrityError:
        return act.refused(name_taken())
    act_on(act.verb, actor, acting_for, group, at).done()
    return group


@transaction.atomic
def rename_employee_group(
    *, actor: User, acting_for: BusinessAccount, group: EmployeeGroup, name: str, at: datetime
) -> EmployeeGroup | Refusal:
    """Give a group another name; nobody gains or loses anything by it."""
    locked, at = hold(group=group, at=at)
    act = act_on("employee_group.rename", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_manage_groups(act.access))
    if not problem and _is_taken(acting_for, name, but=locked):
        problem = name_taken()
    if problem:
        return act.refused(problem)
    before, locked.name = locked.name, name
    try:
        with transaction.atomic():
            locked.save()
    except IntegrityError:
        return act.refused(name_taken())
    act.done(before={"name": before}, after={"name": name})
    return locked


@transaction.atomic
def add_employees_to_group(
    *,
    actor: User,
    acting_for: BusinessAccount,
    group: EmployeeGroup,
    people: Sequence[User],
    at: datetime,
) -> list[EmployeeGroupMember] | Refusal:
    """Put employees into a group, all of them or nobody; what the group holds is theirs at once."""
    locked = locks.lock_joining(people, group)
    at = not_before(at, business_chain(locked.business.bn9))
    act = act_on("employee_group.add", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_manage_groups(act.access))
    problem = problem or _why_not_addable(act.access, people)
    if problem:
        return act.refused(problem)
    return [put_into_group(act.access, locked, person) for person in people]


@transaction.atomic
def remove_employee_from_group(
    *, actor: User, acting_for: BusinessAccount, member: EmployeeGroupMember, at: datetime
) -> EmployeeGroupMember | Refusal:
    """Take an employee out of a group, or leave it; what came through it ends at once."""
    locked = locks.lock_joining([member.person], member.group)
    at = not_before(at, business_chain(locked.business.bn9))
    act = act_on("employee_group.remove", actor, acting_for, locked, at)
    row = EmployeeGroupMember.objects.get(pk=member.pk)
    ours = locked.business_id == acting_for.pk
    problem: Problem | None = None
    if not ours or not can_remove_employee_from_group(act.access, member.person):
        problem = not_yours(act.access)
    elif not row.active_at(at):
        problem = "already_ended", _("This person is not in the group any more.")
    if problem:
        return act.refused(problem, person=member.person)
    row.ends_at = at
    row.save()
    path = "own" if member.person == actor else "own:bam"
    act.done(person=member.person, path=path, before={"person": member.person.get_full_name()})
    return row


@transaction.atomic
def grant_employee_group_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    group: EmployeeGroup,
    scope: ProgramAccount | ProgramGroup,
    role: Role,
    at: datetime,
) -> EmployeeGroup | Refusal:
    """Give a group PAM or lower on a program account or a program-account group."""
    locked, at = hold(group=group, at=at)
    if isinstance(scope, ProgramGroup):
        scope = locks.lock_group(scope)
    act = act_on("employee_group.grant", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_manage_groups(act.access))
    problem = problem or _why_not_grantable(act.access, locked, scope, role)
    if problem:
        return act.refused(problem)
    role_service.grant_group_role(group=locked, scope=scope, role=role, granted_by=actor, at=at)
    act.done(after={"scope": str(scope), "role": role.value})
    return locked


@transaction.atomic
def end_employee_group_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    role: GroupProgramRole | GroupProgramGroupRole,
    at: datetime,
) -> EmployeeGroup | Refusal:
    """End a role of a group: whoever has it through the group alone loses it at once."""
    locked, at = hold(group=role.group.employee_group, at=at)
    act = act_on("employee_group.role_end", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_reduce_groups(act.access))
    row = type(role)._default_manager.select_for_update(no_key=True).get(pk=role.pk)
    if not problem and not row.active_at(at):
        problem = "already_ended", _("This role is over already. Nothing was changed.")
    if problem:
        return act.refused(problem)
    role_service.end_group_role(role=row, ended_by=actor, at=at)
    act.done(before={"scope": str(row.content_object), "role": row.role})
    return locked


@transaction.atomic
def archive_employee_group(
    *, actor: User, acting_for: BusinessAccount, group: EmployeeGroup, at: datetime
) -> EmployeeGroup | Refusal:
    """Give up a group: its memberships, its roles and its work for clients end at once."""
    locked, at = hold(group=group, at=at)
    act = act_on("employee_group.archive", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_reduce_groups(act.access))
    if problem:
        return act.refused(problem)
    role_service.end_employee_group(group=locked, ended_by=actor, at=at)
    locked.archived_at = at
    locked.save()
    act.done()
    return locked


def put_into_group(access: Access, group: EmployeeGroup, person: User) -> EmployeeGroupMember:
    """Put a person into a group that is held, once; the caller has asked whether that may be."""
    member, is_new = join_group(group=group, person=person, at=access.at)
    if is_new:
        act = GroupAct("employee_group.add", access, group.name, group.pk)
        act.done(person=person, after={"person": person.get_full_name()})
    return member


def join_group(
    *, group: EmployeeGroup, person: User, at: datetime
) -> tuple[EmployeeGroupMember, bool]:
    """The place of a person in a group that is held, and whether it is new."""
    live = EmployeeGroupMember.objects.filter(during(at), group=group, person=person)
    if member := live.first():
        return member, False
    return EmployeeGroupMember.objects.create(group=group, person=person, starts_at=at), True


def _why_not_addable(access: Access, people: Sequence[User]) -> Problem | None:
    """Why people cannot be put into groups of the business, by the first who cannot."""
    if access.person in people:
        return own_right(access)
    members = Membership.objects.filter(
        during(access.at), business=access.acting_for, person__in=people
    )
    employees = set(members.values_list("person", flat=True))
    for person in people:
        if person.pk not in employees:
            said = _("%(name)s is no employee of the business. Nobody was added.")
            return "not_allowed", said % {"name": person.get_full_name()}
    return None


def _why_not_grantable(
    access: Access, group: EmployeeGroup, scope: ProgramAccount | ProgramGroup, role: Role
) -> Problem | None:
    if group.members.filter(during(access.at), person=access.person).exists():
        return own_right(access)
    if scope.business_id != access.acting_for.pk or role is Role.BAM:
        return not_yours(access)
    if isinstance(scope, ProgramAccount):
        return why_closed(access, [scope])
    if scope.archived_at is not None:
        return "archived", _("This group is archived. Nothing was changed.")
    return None


def _is_taken(business: BusinessAccount, name: str, but: EmployeeGroup | None = None) -> bool:
    named = EmployeeGroup.objects.filter(business=business, name__iexact=name)
    return (named.exclude(pk=but.pk) if but else named).exists()
