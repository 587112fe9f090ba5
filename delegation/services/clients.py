"""A provider's own order: client groups, and who of its people works for which client."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    Ceiling,
    ClientGroup,
    ClientGroupMember,
    EmployeeGroup,
    Membership,
    StaffAssignment,
)
from delegation.models.periods import during
from delegation.permissions import can_assign_staff, can_end_staff_assignment
from delegation.services import locks
from delegation.services.decisions import Problem, not_allowed
from delegation.services.group_acts import name_taken


@transaction.atomic
def create_client_group(
    *, actor: User, acting_for: BusinessAccount, name: str, at: datetime
) -> ClientGroup | Refusal:
    """Make an empty client group. Its name is unique in the firm, archived ones included."""
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    if not can_assign_staff(Access(actor, acting_for, at)).allowed:
        return _refuse("client_group.create", _not_allowed(acting_for), actor, acting_for, name, at)
    group = ClientGroup(provider=acting_for, name=name, created_at=at)
    if not _saved(group):
        return _refuse("client_group.create", name_taken(), actor, acting_for, name, at)
    record(verb="client_group.create", **_about(actor, acting_for, group.name, group.pk, at))
    return group


@transaction.atomic
def rename_client_group(
    *, actor: User, acting_for: BusinessAccount, group: ClientGroup, name: str, at: datetime
) -> ClientGroup | Refusal:
    """Give a group another name. Who is in it, and who is assigned to it, stays."""
    locks.lock_rights(used=[acting_for])
    locked = _lock_group(group)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = _why_not_changeable(access, locked, may=can_assign_staff(access).allowed)
    before, locked.name = locked.name, name
    if problem is None and not _saved(locked):
        problem = name_taken()
    if problem:
        return _refuse("client_group.rename", problem, actor, acting_for, before, at)
    record(
        verb="client_group.rename",
        before={"name": before},
        **_about(actor, acting_for, name, locked.pk, at),
    )
    return locked


@transaction.atomic
def archive_client_group(
    *, actor: User, acting_for: BusinessAccount, group: ClientGroup, at: datetime
) -> ClientGroup | Refusal:
    """Archive a group: whoever worked for its clients through it stops at once."""
    locks.lock_rights(acting_for)
    locked = _lock_group(group)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    may = can_end_staff_assignment(access).allowed
    problem = _why_not_changeable(access, locked, may=may)
    if problem:
        return _refuse("client_group.archive", problem, actor, acting_for, locked.name, at)
    locked.archived_at = at
    locked.save()
    ended = locked.assignments.filter(during(at)).update(ends_at=at)
    left = locked.members.filter(during(at)).update(ends_at=at)
    record(
        verb="client_group.archive",
        after={"clients": left, "assignments": ended},
        **_about(actor, acting_for, locked.name, locked.pk, at),
    )
    return locked


@transaction.atomic
def add_client_to_group(
    *,
    actor: User,
    acting_for: BusinessAccount,
    group: ClientGroup,
    client: BusinessAccount,
    at: datetime,
) -> ClientGroupMember | Refusal:
    """Put a client into a group; whoever is assigned to the group works for it at once."""
    locks.lock_rights(acting_for)
    locked = _lock_group(group)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    known = access.clients().filter(pk=client.pk).exists()
    may = can_assign_staff(access).allowed and known
    problem = _why_not_changeable(access, locked, may=may)
    if problem:
        return _refuse("client_group.add", problem, actor, acting_for, locked.name, at)
    member = ClientGroupMember.objects.filter(during(at), group=locked, client=client).first()
    if member is None:
        member = ClientGroupMember.objects.create(group=locked, client=client, starts_at=at)
        record(
            verb="client_group.add",
            after={"client": client.bn9},
            **_about(actor, acting_for, locked.name, locked.pk, at),
        )
    return member


@transaction.atomic
def remove_client_from_group(
    *,
    actor: User,
    acting_for: BusinessAccount,
    group: ClientGroup,
    client: BusinessAccount,
    at: datetime,
) -> ClientGroupMember | Refusal:
    """Take a client out of a group: whoever worked for it through the group stops at once."""
    locks.lock_rights(acting_for)
    locked = _lock_group(group)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    may = can_end_staff_assignment(access).allowed
    problem = _why_not_changeable(access, locked, may=may)
    member = locked.members.filter(during(at), client=client).first()
    if problem is None and member is None:
        problem = "already_ended", _("This client is not in the group. Nothing was changed.")
    if problem or member is None:
        why = problem or _not_allowed(acting_for)
        return _refuse("client_group.remove", why, actor, acting_for, locked.name, at)
    member.ends_at = at
    member.save()
    record(
        verb="client_group.remove",
        after={"client": client.bn9},
        **_about(actor, acting_for, locked.name, locked.pk, at),
    )
    return member


@transaction.atomic
def create_staff_assignment(
    *,
    actor: User,
    acting_for: BusinessAccount,
    assignee: User | EmployeeGroup,
    target: BusinessAccount | ClientGroup,
    role: Ceiling,
    at: datetime,
    ends_at: datetime | None = None,
) -> StaffAssignment | Refusal:
    """Assign a person or an employee group of the provider to a client or a client group.

    An assignment gives at most what the client's terms allow. The firm's BAMs need none, and give
    none to themselves, by a group neither.
    """
    locks.lock_rights(acting_for)
    assignee, target = _held(assignee, target, acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = _why_not_assignable(access, assignee, target, ends_at)
    if problem:
        return _refuse("staff_assignment.create", problem, actor, acting_for, _name(assignee), at)
    columns: dict[str, Any] = {
        "person" if isinstance(assignee, User) else "employee_group": assignee,
        "client" if isinstance(target, BusinessAccount) else "client_group": target,
    }
    columns |= {"provider": acting_for, "role": role, "assigned_by": actor}
    try:
        with transaction.atomic():
            assignment = StaffAssignment.objects.create(starts_at=at, ends_at=ends_at, **columns)
    except IntegrityError:
        problem = "already_assigned", _("This assignment exists already.")
        return _refuse("staff_assignment.create", problem, actor, acting_for, _name(assignee), at)
    _record_assignment("staff_assignment.create", assignment, actor, at)
    return assignment


@transaction.atomic
def change_staff_assignment(
    *,
    actor: User,
    acting_for: BusinessAccount,
    assignment: StaffAssignment,
    role: Ceiling,
    at: datetime,
    ends_at: datetime | None = None,
) -> StaffAssignment | Refusal:
    """Let an assignment go on with another role or last day: it ends, and a new one begins."""
    locks.lock_rights(acting_for)
    assignee, target = _held(*_parties(assignment), acting_for)
    locked = StaffAssignment.objects.select_for_update(no_key=True).get(pk=assignment.pk)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = _why_not_assignable(access, assignee, target, ends_at) or _why_over(locked, at)
    if locked.provider_id != acting_for.pk:
        problem = _not_allowed(acting_for)
    if problem:
        return _refuse("staff_assignment.change", problem, actor, acting_for, _name(assignee), at)
    before = {"role": locked.role, "ends_at": locked.ends_at}
    locked.ends_at = at
    locked.save()
    locked.pk, locked._state.adding = uuid4(), True
    locked.starts_at, locked.ends_at = at, ends_at
    locked.role, locked.assigned_by = role, actor
    locked.save(force_insert=True)
    _record_assignment("staff_assignment.change", locked, actor, at, before)
    return locked


@transaction.atomic
def end_staff_assignment(
    *, actor: User, acting_for: BusinessAccount, assignment: StaffAssignment, at: datetime
) -> StaffAssignment | Refusal:
    """End an assignment at once."""
    locks.lock_rights(acting_for)
    locked = StaffAssignment.objects.select_for_update(no_key=True).get(pk=assignment.pk)
    at = not_before(at, business_chain(acting_for.bn9))
    assignee = locked.person or locked.employee_group
    allowed = can_end_staff_assignment(Access(actor, acting_for, at)).allowed
    problem: Problem | None = None
    if not allowed or locked.provider_id != acting_for.pk:
        problem = "not_allowed", _("You cannot assign employees here.")
    else:
        problem = _why_over(locked, at)
    if problem:
        return _refuse("staff_assignment.end", problem, actor, acting_for, _name(assignee), at)
    before = {"role": locked.role, "ends_at": locked.ends_at}
    locked.ends_at = at
    locked.save()
    _record_assignment("staff_assignment.end", locked, actor, at, before)
    return locked


def assignable_people(provider: BusinessAccount, at: datetime) -> list[User]:
    """The provider's own people whom its BAM can assign, by name."""
    members = Membership.objects.filter(during(at), business=provider, suspended_at__isnull=True)
    people = User.objects.filter(pk__in=members.values("person"), is_active=True)
    return list(people.order_by("last_name", "first_name", "pk"))


def _why_not_assignable(
    access: Access,
    assignee: User | EmployeeGroup,
    target: BusinessAccount | ClientGroup,
    ends_at: datetime | None,
) -> Problem | None:
    if not can_assign_staff(access).allowed:
        return _not_allowed(access.acting_for)
    if isinstance(assignee, User):
        ours = assignee in assignable_people(access.acting_for, access.at)
        is_own = assignee == access.person
    else:
        ours = assignee.business_id == access.acting_for.pk and assignee.archived_at is None
        is_own = assignee.members.filter(during(access.at), person=access.person).exists()
    if is_own:
        return "own_assignment", _(
            "As a manager you reach every client; you cannot assign yourself."
        )
    if isinstance(target, BusinessAccount):
        known = access.clients().filter(pk=target.pk).exists()
    else:
        known = target.provider_id == access.acting_for.pk and target.archived_at is None
    if not ours or not known:
        return _not_allowed(access.acting_for)
    if ends_at is not None and ends_at <= access.at:
        return "ends_in_the_past", _("The last day cannot be before today.")
    return None


def _parties(
    assignment: StaffAssignment,
) -> tuple[User | EmployeeGroup, BusinessAccount | ClientGroup]:
    """Who works for what: the database keeps exactly one of each kind."""
    assignee = assignment.person or assignment.employee_group
    target = assignment.client or assignment.client_group
    if assignee is None or target is None:
        raise ValueError("An assignment names who works, and for what.")
    return assignee, target


def _held(
    assignee: User | EmployeeGroup,
    target: BusinessAccount | ClientGroup,
    acting_for: BusinessAccount,
) -> tuple[User | EmployeeGroup, BusinessAccount | ClientGroup]:
    """Both sides of an assignment as they are now, held where they can end."""
    if isinstance(assignee, User):
        locks.lock_memberships([assignee], acting_for)
    else:
        assignee = locks.lock_group(assignee)
    return assignee, _lock_group(target) if isinstance(target, ClientGroup) else target


def _record_assignment(
    verb: str,
    row: StaffAssignment,
    actor: User,
    at: datetime,
    before: dict[str, Any] | None = None,
) -> None:
    """Tell the history of the firm, and that of the person where it is one."""
    assignee, target = _parties(row)
    about = _about(actor, row.provider, _name(assignee), row.pk, at)
    if isinstance(assignee, User):
        about["chains"].append(person_chain(assignee))
    after = {"target": str(target), "role": str(row.role), "ends_at": row.ends_at}
    record(verb=verb, before=before, after=after, **about)


def _why_over(assignment: StaffAssignment, at: datetime) -> Problem | None:
    if assignment.active_at(at):
        return None
    return "already_ended", _("This assignment is over already. Nothing was changed.")


def _lock_group(group: ClientGroup) -> ClientGroup:
    """The group as it is now, held: what it holds changes one act at a time."""
    return ClientGroup.objects.select_for_update(no_key=True).get(pk=group.pk)


def _why_not_changeable(access: Access, group: ClientGroup, *, may: bool) -> Problem | None:
    if not may or group.provider_id != access.acting_for.pk:
        return _not_allowed(access.acting_for)
    if group.archived_at is not None:
        return "archived", _("This group is archived. Nothing was changed.")
    return None


def _saved(group: ClientGroup) -> bool:
    """Save a group, unless another of the firm has its name."""
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        return False
    return True


def _not_allowed(acting_for: BusinessAccount) -> Problem:
    return not_allowed(acting_for, _("You cannot assign employees here."))


def _name(assignee: User | EmployeeGroup | None) -> str:
    return assignee.get_full_name() if isinstance(assignee, User) else str(assignee)


def _about(
    actor: User, acting_for: BusinessAccount, name: str, pk: object, at: datetime
) -> dict[str, Any]:
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "client_order",
        "object_id": str(pk),
        "object_label": name,
        "path": "own:bam",
    }


def _refuse(
    verb: str, problem: Problem, actor: User, acting_for: BusinessAccount, name: str, at: datetime
) -> Refusal:
    code, message = problem
    return refuse(code=code, message=message, verb=verb, **_about(actor, acting_for, name, "", at))
