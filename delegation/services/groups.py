"""Employee groups: people who share roles on program accounts."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup
from delegation.access import Access
from delegation.models import EmployeeGroup, EmployeeGroupMember, Membership
from delegation.models.periods import during
from delegation.permissions import can_manage_groups
from delegation.roles import Role
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, not_allowed


@transaction.atomic
def create_employee_group(
    *, actor: User, acting_for: BusinessAccount, name: str, at: datetime
) -> EmployeeGroup | Refusal:
    """Make an empty employee group. Its name is unique in the business, archived ones included."""
    if not can_manage_groups(Access(actor, acting_for, at)).allowed:
        return _refuse("employee_group.create", actor, acting_for, name, at)
    if EmployeeGroup.objects.filter(business=acting_for, name=name).exists():
        taken = "name_taken", _("There is a group of this name already.")
        return _refuse("employee_group.create", actor, acting_for, name, at, taken)
    group = EmployeeGroup.objects.create(
        business=acting_for,
        name=name,
        auth_group=Group.objects.create(name=f"employee-group-{uuid4().hex}"),
        created_at=at,
    )
    record(verb="employee_group.create", **_about(actor, acting_for, group.name, group.pk, at))
    return group


@transaction.atomic
def add_employee_to_group(
    *, actor: User, acting_for: BusinessAccount, group: EmployeeGroup, person: User, at: datetime
) -> EmployeeGroupMember | Refusal:
    """Put an employee into a group; what the group holds is theirs at once."""
    role_service.lock_membership(person, acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    belongs = Membership.objects.filter(during(at), person=person, business=acting_for).exists()
    allowed = can_manage_groups(Access(actor, acting_for, at)).allowed
    if not allowed or not belongs or group.business_id != acting_for.pk or person == actor:
        return _refuse("employee_group.add", actor, acting_for, group.name, at)
    member = EmployeeGroupMember.objects.filter(during(at), group=group, person=person).first()
    if member is None:
        member = EmployeeGroupMember.objects.create(group=group, person=person, starts_at=at)
        record(
            verb="employee_group.add",
            after={"person": person.get_full_name()},
            **_about(actor, acting_for, group.name, group.pk, at),
        )
    return member


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
    allowed = can_manage_groups(Access(actor, acting_for, at)).allowed
    ours = group.business_id == scope.business_id == acting_for.pk
    mine = group.members.filter(during(at), person=actor).exists()
    if not allowed or not ours or mine or role is Role.BAM:
        return _refuse("employee_group.grant", actor, acting_for, group.name, at)
    role_service.grant_group_role(group=group, scope=scope, role=role, granted_by=actor, at=at)
    record(
        verb="employee_group.grant",
        after={"scope": str(scope), "role": role.value},
        **_about(actor, acting_for, group.name, group.pk, at),
    )
    return group


def _about(
    actor: User, acting_for: BusinessAccount, name: str, pk: object, at: datetime
) -> dict[str, Any]:
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "employee_group",
        "object_id": str(pk),
        "object_label": name,
        "path": "own:bam",
    }


def _refuse(
    verb: str,
    actor: User,
    acting_for: BusinessAccount,
    name: str,
    at: datetime,
    problem: Problem | None = None,
) -> Refusal:
    code, message = problem or not_allowed(acting_for, _("You cannot change this group."))
    return refuse(
        code=code,
        message=message,
        verb=verb,
        **_about(actor, acting_for, name, "", at),
    )
