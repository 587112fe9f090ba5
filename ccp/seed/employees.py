"""Memberships, roles and access requests: every state of them, in every firm a few."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models

from accounts.models import User
from audit.services import business_chain, person_chain
from businesses.models import BusinessAccount, ProgramAccount
from ccp.seed import groups
from ccp.seed.world import Firm, World, permission
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    BusinessRole,
    Decision,
    Membership,
    ProgramRole,
)
from delegation.roles import Role

STATES = ("waiting", "lapsed", "rejected", "withdrawn")
LAPSE = timedelta(days=settings.ACCESS_REQUEST_LAPSE_DAYS)

type Asked = tuple[AccessRequest, list[AccessRequestLine]]


def build(world: World) -> None:
    """Let every firm hire the people of its roster, and be asked by somebody else."""
    for firms in world.batches(world.firms, "employees"):
        for firm in firms:
            _staff(world, firm)


def _staff(world: World, firm: Firm) -> None:
    """Everybody of one firm."""
    _join(world, firm, firm.founder, firm.begun_at)
    _make_bam(world, firm, firm.founder, None, firm.begun_at)
    at = firm.begun_at + timedelta(days=3)
    first = firm.programs[0].extension
    wishes: dict[str, dict[str, Role]] = {
        "second": {},
        "pam": {first: Role.PAM},
        "editor": {first: Role.EDITOR, firm.programs[-1].extension: Role.EDITOR},
        "suspended": {first: Role.EDITOR},
        "former": {first: Role.EDITOR},
    }
    for part in firm.people:
        if part not in ("founder", "asking"):
            at += timedelta(hours=world.dice.randrange(2, 40))
            _hire(world, firm, part, wishes.get(part, {first: Role.READER}), at)
    groups.build(world, firm, at + timedelta(days=1))
    if "asking" in firm.people:
        _ask(world, firm)


def _hire(world: World, firm: Firm, part: str, roles: dict[str, Role], at: datetime) -> None:
    """The person asks, and the founder approves: as Business Account Manager without a wish."""
    person, decided_at = firm.people[part], at + timedelta(hours=2)
    asked = _request(world, firm, person, roles, at)
    given = None if roles else Role.BAM
    _approve(world, firm, asked, firm.founder, decided_at, given=given)
    membership = _join(world, firm, person, decided_at)
    if not roles:
        _make_bam(world, firm, person, firm.founder, decided_at)
    granted = [
        _grant(world, firm, person, extension, role, firm.founder, decided_at)
        for extension, role in roles.items()
    ]
    _afterwards(world, firm, part, membership, granted)


def _afterwards(
    world: World, firm: Firm, part: str, membership: Membership, granted: list[ProgramRole]
) -> None:
    """What happened to some of them since."""
    when = world.at - timedelta(days=30 + firm.place % 90)
    if part == "suspended":
        membership.suspended_at = when
        _about(world, firm, membership.person, when, of=membership, verb="membership.suspend")
    if part == "former":
        membership.ends_at, membership.ended_by = when, firm.founder
        membership.end_reason = f"Left the firm ({firm.marker})."
        _about(
            world,
            firm,
            membership.person,
            when,
            of=membership,
            verb="membership.end",
            reason=membership.end_reason,
        )
    is_over = part in ("former", "grouped") or (part == "reader" and firm.place % 4 == 3)
    if is_over:
        _end_roles(world, firm, granted, when, when)
    if part == "reader" and firm.place % 4 == 1:
        _end_roles(world, firm, granted, world.at + timedelta(days=20), when)


def _join(world: World, firm: Firm, person: User, at: datetime) -> Membership:
    return world.add(
        Membership(id=world.uuid(), person=person, business=firm.account, starts_at=at)
    )


def _make_bam(world: World, firm: Firm, person: User, by: User | None, at: datetime) -> None:
    world.add(
        BusinessRole(
            user=person,
            content_object=firm.account,
            permission=permission(BusinessAccount, Role.BAM),
            granted_by=by,
            starts_at=at,
        )
    )


def _grant(
    world: World, firm: Firm, person: User, extension: str, role: Role, by: User, at: datetime
) -> ProgramRole:
    return world.add(
        ProgramRole(
            user=person,
            content_object=firm.program(extension),
            permission=permission(ProgramAccount, role),
            granted_by=by,
            starts_at=at,
        )
    )


def _end_roles(
    world: World, firm: Firm, granted: list[ProgramRole], ends_at: datetime, at: datetime
) -> None:
    for role in granted:
        role.ends_at, role.ended_by = ends_at, firm.founder
        after = {"ends_at": ends_at}
        _about(world, firm, role.user, at, of=role, verb="program_role.end", after=after)


def _about(
    world: World, firm: Firm, person: User, at: datetime, *, of: models.Model, **act: Any
) -> None:
    """Record what the founder did about what a person holds."""
    world.record(
        object_id=of.pk,
        at=at,
        actor=firm.founder,
        acting_for=firm.bn9,
        chains=(business_chain(firm.bn9), person_chain(person)),
        object_type=type(of).__name__.lower(),
        object_label=person.get_full_name(),
        path="own:bam",
        **act,
    )


# ---------------------------------------------------------------- requests


def _request(
    world: World, firm: Firm, person: User, wishes: Mapping[str, Role], at: datetime
) -> Asked:
    asked = world.add(
        AccessRequest(
            id=world.uuid(),
            person=person,
            bn9=firm.bn9,
            note=f"I work on the declarations of the firm ({firm.marker}).",
            starts_at=at,
            closes_at=at + LAPSE,
        )
    )
    every: Mapping[str, Role | str] = wishes or {"": ""}
    lines = [
        world.add(AccessRequestLine(request=asked, extension=extension, wished_role=role))
        for extension, role in every.items()
    ]
    _about_request(world, firm, asked, "create", person, at, after={"wishes": dict(every)})
    return asked, lines


def _approve(
    world: World,
    firm: Firm,
    asked: Asked,
    by: User,
    at: datetime,
    *,
    given: Role | None = None,
    only: str | None = None,
) -> None:
    """Approve the lines of a request as wished or as `given`; or `only` one, the others wait."""
    access_request, lines = asked
    decided = [line for line in lines if only in (None, line.extension)]
    for line in decided:
        line.granted_role = given or line.wished_role
        _decide(line, Decision.APPROVED, by, at)
    access_request.version += 1
    if len(decided) == len(lines):
        _close(access_request, Decision.APPROVED, by, at)
    roles = {line.extension or "business": line.granted_role for line in decided}
    _about_request(world, firm, access_request, "approve", by, at, after={"roles": roles})


def _ask(world: World, firm: Firm) -> None:
    """Somebody from outside asks; what becomes of it depends on the place of the firm."""
    person = firm.people["asking"]
    is_partly = len(firm.programs) > 1 and "pam" in firm.people and firm.place % 8 == 2
    state = "partly" if is_partly else STATES[firm.place // 2 % len(STATES)]
    since = world.at - timedelta(days=100 if state == "lapsed" else 6, hours=firm.place % 50)
    wishes = {program.extension: Role.EDITOR for program in firm.programs[:2]}
    asked = _request(world, firm, person, wishes, since)
    pk = str(asked[0].pk)
    world.tell("access_requests", id=pk, bn9=firm.bn9, email=person.email, state=state)
    at = since + timedelta(days=1)
    if state == "partly":
        pam, first = firm.people["pam"], firm.programs[0].extension
        _approve(world, firm, asked, pam, at, only=first)
        _join(world, firm, person, at)
        _grant(world, firm, person, first, Role.EDITOR, pam, at)
    if state in ("rejected", "withdrawn"):
        _turn_down(world, firm, asked, Decision(state), at)


def _turn_down(world: World, firm: Firm, asked: Asked, decision: Decision, at: datetime) -> None:
    """The founder rejects a request, or the person takes it back."""
    access_request, lines = asked
    is_rejected = decision is Decision.REJECTED
    by = firm.founder if is_rejected else access_request.person
    reason = f"Not known to us ({firm.marker})." if is_rejected else ""
    for line in lines:
        line.reason = reason
        _decide(line, decision, by, at)
    access_request.version += 1
    _close(access_request, decision, by, at)
    verb = "reject" if is_rejected else "withdraw"
    _about_request(world, firm, access_request, verb, by, at, reason=reason)


def _decide(line: AccessRequestLine, decision: Decision, by: User, at: datetime) -> None:
    line.decision, line.decided_at, line.decided_by = decision, at, by


def _close(asked: AccessRequest, decision: Decision, by: User, at: datetime) -> None:
    asked.decision, asked.decided_at, asked.decided_by = decision, at, by
    asked.closes_at = at


def _about_request(
    world: World,
    firm: Firm,
    asked: AccessRequest,
    verb: str,
    by: User,
    at: datetime,
    **more: Any,
) -> None:
    is_asker = by is asked.person
    path = "own:bam" if by is firm.founder else "own:pam"
    world.record(
        object_id=asked.pk,
        verb=f"access_request.{verb}",
        at=at,
        actor=by,
        acting_for="" if is_asker else firm.bn9,
        path="" if is_asker else path,
        chains=(business_chain(firm.bn9), person_chain(asked.person)),
        object_type="access_request",
        object_label=asked.person.get_full_name(),
        **more,
    )
