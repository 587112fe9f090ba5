"""Who of a service provider works for which client: by person, by group, by client group."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from audit.services import business_chain, person_chain
from businesses.models import BusinessAccount
from ccp.seed.groups import DESK
from ccp.seed.world import Client, Firm, World
from delegation.models import (
    Ceiling,
    ClientGroup,
    ClientGroupMember,
    EmployeeGroup,
    StaffAssignment,
)

KINDS = (
    "person",
    "for_a_while",
    "by_client_group",
    "group_to_group",
    "group",
    "nobody",
    "over",
)
"""How the clients of a provider are served, by turns."""


def build(world: World) -> None:
    """Let every provider serve its clients in every way."""
    for firms in world.batches(world.providers, "assignments"):
        for firm in firms:
            if firm.clients:
                _serve(world, firm)


def _serve(world: World, firm: Firm) -> None:
    at = firm.begun_at + timedelta(days=31)
    west = _client_group(world, firm, "West", at)
    night = _client_group(world, firm, "Night", at)
    _assign(world, firm, firm.staff[0], west, at, role=Ceiling.READER)
    _assign(world, firm, firm.groups[DESK], night, at)
    for turn, known in enumerate(firm.clients):
        _serve_one(world, firm, known, KINDS[turn % len(KINDS)], west, night, turn)


def _serve_one(
    world: World,
    firm: Firm,
    known: Client,
    kind: str,
    west: ClientGroup,
    night: ClientGroup,
    turn: int,
) -> None:
    """One client. Who is assigned for a while, or no longer, is among the last of the staff."""
    at = min(known.begun_at, world.at) - timedelta(hours=2)
    client = known.client.account
    person = firm.staff[turn // len(KINDS) % len(firm.staff)]
    if kind == "person":
        _assign(world, firm, person, client, at)
    elif kind == "for_a_while":
        ends_at = world.at + timedelta(days=45)
        _assign(world, firm, person, client, at, role=Ceiling.READER, ends_at=ends_at)
    elif kind == "over":
        _assign(world, firm, person, client, at, ends_at=max(at, world.at - timedelta(days=4)))
    elif kind == "group":
        _assign(world, firm, firm.groups[DESK], client, at)
    elif kind in ("by_client_group", "group_to_group"):
        _put(world, firm, west if kind == "by_client_group" else night, known, at)


def _assign(
    world: World,
    firm: Firm,
    assignee: User | EmployeeGroup,
    target: BusinessAccount | ClientGroup,
    at: datetime,
    *,
    role: Ceiling = Ceiling.EDITOR,
    ends_at: datetime | None = None,
) -> None:
    is_person, is_client = isinstance(assignee, User), isinstance(target, BusinessAccount)
    whom: dict[str, Any] = {
        "person" if is_person else "employee_group": assignee,
        "client" if is_client else "client_group": target,
    }
    assignment = world.add(
        StaffAssignment(
            id=world.uuid(),
            provider=firm.account,
            role=role,
            assigned_by=firm.founder,
            starts_at=at,
            ends_at=ends_at,
            **whom,
        )
    )
    name = assignee.get_full_name() if isinstance(assignee, User) else assignee.name
    chains = [business_chain(firm.bn9)]
    if isinstance(assignee, User):
        chains.append(person_chain(assignee))
    _about(world, firm, assignment, "staff_assignment.create", name, at, chains)
    world.tell(
        "assignments",
        id=str(assignment.pk),
        provider=firm.bn9,
        role=role.value,
        ends_at=ends_at.isoformat() if ends_at else None,
        **{kind: _named(one) for kind, one in whom.items()},
    )


def _named(one: User | EmployeeGroup | BusinessAccount | ClientGroup) -> str:
    """How the told world names somebody: a person by address, a business by number."""
    match one:
        case User():
            return one.email
        case BusinessAccount():
            return one.bn9
        case _:
            return str(one.pk)


def _client_group(world: World, firm: Firm, name: str, at: datetime) -> ClientGroup:
    group = world.add(
        ClientGroup(
            id=world.uuid(),
            provider=firm.account,
            name=f"{name} {firm.marker}",
            created_at=at,
        )
    )
    world.tell("client_groups", id=str(group.pk), provider=firm.bn9, name=group.name)
    chains = [business_chain(firm.bn9)]
    _about(world, firm, group, "client_group.create", group.name, at, chains)
    return group


def _put(world: World, firm: Firm, group: ClientGroup, known: Client, at: datetime) -> None:
    at = max(at, group.created_at)
    world.add(ClientGroupMember(group=group, client=known.client.account, starts_at=at))
    chains, after = [business_chain(firm.bn9)], {"client": known.client.bn9}
    _about(world, firm, group, "client_group.add", group.name, at, chains, after=after)


def _about(
    world: World,
    firm: Firm,
    of: ClientGroup | StaffAssignment,
    verb: str,
    name: str,
    at: datetime,
    chains: list[str],
    **more: Any,
) -> None:
    world.record(
        object_id=of.pk,
        verb=verb,
        at=at,
        actor=firm.founder,
        acting_for=firm.bn9,
        chains=chains,
        object_type="client_order",
        object_label=name,
        path="own:bam",
        **more,
    )
