"""Employee groups with roles on a program account or on a group of them, and service desks."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import User
from audit.services import business_chain
from businesses.models import ProgramAccount, ProgramGroup, ProgramGroupMember
from ccp.seed.world import Firm, World, permission
from delegation.models import (
    EmployeeGroup,
    EmployeeGroupMember,
    Grant,
    GroupProgramGroupRole,
    GroupProgramRole,
)
from delegation.roles import Role

TEAM, DESK = "Declarations", "Night desk"


def build(world: World, firm: Firm, at: datetime) -> None:
    """The group of a firm that has one, and the night desk of every service provider."""
    if "grouped" in firm.people:
        _team(world, firm, at)
    if firm.is_provider:
        desk = _group(world, firm, DESK, at)
        for person in firm.staff[1:3]:
            _put(world, firm, desk, person, at)


def _team(world: World, firm: Firm, at: datetime) -> None:
    """Editors of the program account, or of all of them by a program-account group."""
    team = _group(world, firm, TEAM, at)
    place = _put(world, firm, team, firm.people["grouped"], at)
    grant: dict[str, Any] = {
        "group": team.auth_group,
        "granted_by": firm.founder,
        "source": Grant.Source.GROUP,
        "starts_at": at,
    }
    role: GroupProgramRole | GroupProgramGroupRole
    if len(firm.programs) == 1:
        editor = permission(ProgramAccount, Role.EDITOR)
        role = GroupProgramRole(content_object=firm.programs[0], permission=editor, **grant)
    else:
        every = world.add(ProgramGroup(business=firm.account, name=f"All {firm.marker}"))
        for program in firm.programs:
            world.add(ProgramGroupMember(group=every, program=program, starts_at=at))
        editor = permission(ProgramGroup, Role.EDITOR)
        role = GroupProgramGroupRole(content_object=every, permission=editor, **grant)
    world.add(role)
    _about(world, firm, team, "grant", at, after={"role": Role.EDITOR.value})
    if firm.place % 18 == 0:
        _archive(world, firm, team, place, role)


def _archive(
    world: World,
    firm: Firm,
    team: EmployeeGroup,
    place: EmployeeGroupMember,
    role: GroupProgramRole | GroupProgramGroupRole,
) -> None:
    """Give up a group three days ago; who was in it and what it held end with it."""
    then = world.at - timedelta(days=3)
    team.archived_at = place.ends_at = role.ends_at = then
    role.ended_by = firm.founder
    _about(world, firm, team, "archive", then)


def _group(world: World, firm: Firm, name: str, at: datetime) -> EmployeeGroup:
    group = world.add(
        EmployeeGroup(
            id=world.uuid(),
            business=firm.account,
            name=f"{name} {firm.marker}",
            auth_group=world.add(Group(name=f"employee-group-{world.uuid().hex}")),
            created_at=at,
        )
    )
    firm.groups[name] = group
    world.tell("employee_groups", id=str(group.pk), bn9=firm.bn9, name=group.name)
    _about(world, firm, group, "create", at)
    return group


def _put(
    world: World, firm: Firm, group: EmployeeGroup, person: User, at: datetime
) -> EmployeeGroupMember:
    place = world.add(EmployeeGroupMember(group=group, person=person, starts_at=at))
    _about(world, firm, group, "add", at, after={"person": person.get_full_name()})
    return place


def _about(
    world: World, firm: Firm, group: EmployeeGroup, verb: str, at: datetime, **more: Any
) -> None:
    world.record(
        object_id=group.pk,
        verb=f"employee_group.{verb}",
        at=at,
        actor=firm.founder,
        acting_for=firm.bn9,
        chains=(business_chain(firm.bn9),),
        object_type="employee_group",
        object_label=group.name,
        path="own:bam",
        **more,
    )
