"""Program-account groups: program accounts over which one role is given.

Whoever changes a group holds its row. A program account that leaves it, and the group that is
archived, end at once what came through them.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup, ProgramGroupMember
from delegation.access import Access
from delegation.models import GroupProgramGroupRole
from delegation.models.periods import during
from delegation.permissions import can_manage_groups, can_reduce_groups
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
def create_program_group(
    *, actor: User, acting_for: BusinessAccount, name: str, at: datetime
) -> ProgramGroup | Refusal:
    """Make an empty program-account group. Its name is unique among those in use."""
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    act = GroupAct("program_group.create", Access(actor, acting_for, at), name)
    if not can_manage_groups(act.access).allowed:
        return act.refused(not_yours(act.access))
    group = _named(ProgramGroup(business=acting_for), name)
    if group is None:
        return act.refused(name_taken())
    act_on(act.verb, actor, acting_for, group, at).done()
    return group


@transaction.atomic
def rename_program_group(
    *, actor: User, acting_for: BusinessAccount, group: ProgramGroup, name: str, at: datetime
) -> ProgramGroup | Refusal:
    """Give a group another name; nobody gains or loses anything by it."""
    locked, at = hold(group=group, at=at)
    act = act_on("program_group.rename", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_manage_groups(act.access))
    before = locked.name
    if not problem and _named(locked, name) is None:
        problem = name_taken()
    if problem:
        return act.refused(problem)
    act.done(before={"name": before}, after={"name": name})
    return locked


@transaction.atomic
def add_programs_to_group(
    *,
    actor: User,
    acting_for: BusinessAccount,
    group: ProgramGroup,
    programs: Sequence[ProgramAccount],
    at: datetime,
) -> list[ProgramGroupMember] | Refusal:
    """Put program accounts into a group, all or none: who has a role over it has it there too."""
    locked, at = hold(group=group, at=at)
    act = act_on("program_group.add", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_manage_groups(act.access))
    problem = problem or _why_not_addable(act.access, locked, programs)
    if problem:
        return act.refused(problem)
    return [_put_into_group(act, locked, program) for program in programs]


@transaction.atomic
def remove_program_from_group(
    *, actor: User, acting_for: BusinessAccount, member: ProgramGroupMember, at: datetime
) -> ProgramGroupMember | Refusal:
    """Take a program account out of a group; the roles over the group end there at once."""
    locked, at = hold(group=member.group, at=at)
    act = act_on("program_group.remove", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_reduce_groups(act.access))
    row = ProgramGroupMember.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not problem and row.ends_at is not None:
        problem = "already_ended", _("This program account is not in the group any more.")
    if problem:
        return act.refused(problem)
    row.ends_at = at
    row.save()
    act.done(before={"program": str(member.program)})
    return row


@transaction.atomic
def archive_program_group(
    *, actor: User, acting_for: BusinessAccount, group: ProgramGroup, at: datetime
) -> ProgramGroup | Refusal:
    """Give up a group: everything that was granted over it ends at once."""
    locked, at = hold(group=group, at=at)
    act = act_on("program_group.archive", actor, acting_for, locked, at)
    problem = why_not_changeable(act.access, locked, can_reduce_groups(act.access))
    if problem:
        return act.refused(problem)
    role_service.end_program_group(group=locked, ended_by=actor, at=at)
    locked.archived_at = at
    locked.save()
    act.done()
    return locked


def is_inside(access: Access, group: ProgramGroup) -> bool:
    """Whether the person is in an employee group that holds a role over the group."""
    members = "group__employee_group__members__"
    held = GroupProgramGroupRole.objects.filter(
        during(access.at), during(access.at, members), content_object=group
    )
    return held.filter(**{f"{members}person": access.person}).exists()


def _put_into_group(
    act: GroupAct, group: ProgramGroup, program: ProgramAccount
) -> ProgramGroupMember:
    """Put a program account into a group that is held, once."""
    live = ProgramGroupMember.objects.filter(during(act.access.at), group=group, program=program)
    if row := live.first():
        return row
    row = ProgramGroupMember.objects.create(group=group, program=program, starts_at=act.access.at)
    act.done(after={"program": str(program)})
    return row


def _why_not_addable(
    access: Access, group: ProgramGroup, programs: Sequence[ProgramAccount]
) -> Problem | None:
    if any(program.business_id != access.acting_for.pk for program in programs):
        return not_yours(access)
    if is_inside(access, group):
        return own_right(access)
    return why_closed(access, programs)


def _named(group: ProgramGroup, name: str) -> ProgramGroup | None:
    """The group, saved under the name; nothing where another one in use has it."""
    before, group.name = group.name, name
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        group.name = before
        return None
    return group
