"""Access requests of employees: ask, approve, reject, withdraw."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import (
    Refusal,
    business_chain,
    not_before,
    person_chain,
    record,
    refuse,
)
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.groups import roles_through
from delegation.models import AccessRequest, AccessRequestLine, Decision, EmployeeGroup
from delegation.models.periods import during
from delegation.permissions import (
    can_approve_access_request,
    can_end_role,
    can_grant_role,
    can_manage_groups,
    can_reject_access_request,
    can_withdraw_access_request,
)
from delegation.roles import Action, Role, strongest
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.decisions import (
    Problem,
    close,
    close_if_decided,
    decide_line,
    lock,
    own_path,
    why_closed,
    why_not_decidable,
    why_not_yours,
)
from delegation.services.group_acts import why_not_changeable
from delegation.services.groups import put_into_group
from delegation.services.limits import count_access_request
from delegation.terms import extension_label
from notices.services import notify

WHOLE = "business"
"""What history calls the scope of a role on the whole business."""


@dataclass(frozen=True)
class Grants:
    """What an approval gives: the whole business, or a role for each program account (by pk).

    Beside those roles, or instead of them, the person may be put into an employee group.
    """

    make_bam: bool = False
    programs: Mapping[int, Role] | None = None
    group: EmployeeGroup | None = None

    def named(self, business: BusinessAccount) -> dict[ProgramAccount, Role]:
        """The program accounts of the business among those granted, with their roles."""
        wanted = {} if self.make_bam else dict(self.programs or {})
        return {
            program: wanted[program.pk]
            for program in business.programs.order_by("extension")
            if program.pk in wanted
        }


@transaction.atomic
def create_access_request(
    *, actor: User, bn9: str, note: str, wishes: Mapping[str, Role], at: datetime
) -> AccessRequest | Refusal:
    """Ask the employer `bn9` for access; `wishes` maps RM extensions to roles, or is empty.

    The answer is the same whether or not the BN is registered. A second request waits for the
    first one to be decided or to lapse. How many one person may send is counted first; nothing of
    the business asked is looked at (decision 38).
    """
    limited = count_access_request(actor, bn9, at)
    if limited:
        return limited
    if role_service.is_manager_of(actor, bn9, at):
        return _refuse_create(
            actor, bn9, at, "own_business", _("You already manage this business account.")
        )
    access_request = AccessRequest(
        person=actor,
        bn9=bn9,
        note=note,
        starts_at=at,
        closes_at=at + timedelta(days=settings.ACCESS_REQUEST_LAPSE_DAYS),
    )
    try:
        with transaction.atomic():
            access_request.save(force_insert=True)
    except IntegrityError:
        message = _(
            "You already have a request waiting for this business number. Withdraw it first if "
            "you want to ask for something else."
        )
        return _refuse_create(actor, bn9, at, "already_waiting", message)
    lines: Mapping[str, Role | str] = wishes or {"": ""}
    AccessRequestLine.objects.bulk_create(
        AccessRequestLine(request=access_request, extension=extension, wished_role=role)
        for extension, role in lines.items()
    )
    record(
        verb="access_request.create",
        after={"note": note, "wishes": {key: str(role) for key, role in lines.items()}},
        **_about(actor, access_request, at),
    )
    return access_request


@transaction.atomic
def approve_access_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    access_request: AccessRequest,
    grants: Grants,
    expected_version: int,
    at: datetime,
) -> AccessRequest | Refusal:
    """Decide every open line that the actor may decide, and grant the roles.

    A BAM decides the whole request: a wished program without a role is rejected, one that was not
    wished is added. A PAM decides the lines of its own programs; the others go on waiting.
    """
    locks.lock_rights(acting_for)
    locked = lock(access_request)
    locks.lock_memberships([locked.person], acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    lines = can_approve_access_request(access, locked)
    if grants.group:
        grants = replace(grants, group=locks.lock_group(grants.group))
    given = grants.named(acting_for)
    problem = (
        why_not_decidable(locked, Decision.APPROVED, expected_version, at)
        or why_not_yours(access, locked, lines, Action.MANAGE_EMPLOYEES)
        or _why_not_grantable(access, locked, lines, grants, given)
    )
    if problem:
        return _refuse_decision("access_request.approve", problem, actor, acting_for, locked, at)
    shown = _grant(locked.person, acting_for, grants, given, actor, at)
    _decide_lines(locked, lines, grants, given, actor, at)
    close_if_decided(locked, actor, at)
    in_words = [(_named(scope), Role(role).label) for scope, role in shown.items()]
    _told(locked, acting_for, "access_request_approved", at, given=in_words, group=grants.group)
    if grants.group:
        put_into_group(access, grants.group, locked.person)
    record(
        verb="access_request.approve",
        after={"roles": shown, "group": grants.group.name if grants.group else ""},
        path=own_path(access),
        **_about(actor, locked, at, acting_for),
    )
    return locked


@transaction.atomic
def reject_access_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    access_request: AccessRequest,
    reason: str,
    expected_version: int,
    at: datetime,
) -> AccessRequest | Refusal:
    """Reject every open line that the actor may decide, with a reason that the person reads."""
    locks.lock_rights(used=[acting_for])
    locked = lock(access_request)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    lines = can_reject_access_request(access, locked)
    problem = why_not_decidable(locked, Decision.REJECTED, expected_version, at) or why_not_yours(
        access, locked, lines, Action.MANAGE_EMPLOYEES
    )
    if problem:
        return _refuse_decision("access_request.reject", problem, actor, acting_for, locked, at)
    for line in lines:
        decide_line(line, Decision.REJECTED, actor, at, reason)
    close_if_decided(locked, actor, at)
    _told(locked, acting_for, "access_request_rejected", at, reason=reason)
    record(
        verb="access_request.reject",
        reason=reason,
        path=own_path(access),
        **_about(actor, locked, at, acting_for),
    )
    return locked


@transaction.atomic
def withdraw_access_request(
    *, actor: User, access_request: AccessRequest, at: datetime
) -> AccessRequest | Refusal:
    """Take back one's own request while any of it waits."""
    locked = lock(access_request)
    problem = why_not_decidable(locked, Decision.WITHDRAWN, None, at)
    if not can_withdraw_access_request(actor, locked):
        problem = "not_yours", _("Only the person who asked can withdraw this request.")
    if problem:
        return _refuse_decision("access_request.withdraw", problem, actor, None, locked, at)
    open_lines = locked.lines.filter(decision="")
    open_lines.update(decision=Decision.WITHDRAWN, decided_at=at, decided_by=actor)
    close(locked, Decision.WITHDRAWN, actor, at)
    record(verb="access_request.withdraw", **_about(actor, locked, at))
    return locked


def _grant(
    person: User,
    business: BusinessAccount,
    grants: Grants,
    given: Mapping[ProgramAccount, Role],
    actor: User,
    at: datetime,
) -> dict[str, str]:
    """Let the person in with what was granted; roles by extension, or of the business."""
    role_service.join(person=person, business=business, at=at)
    if grants.make_bam:
        role_service.grant_business_role(person=person, business=business, granted_by=actor, at=at)
        return {WHOLE: Role.BAM.value}
    for program, role in given.items():
        role_service.grant_program_role(
            person=person, program=program, role=role, granted_by=actor, at=at
        )
    return {program.extension: role.value for program, role in given.items()}


def _named(scope: str) -> str:
    """A program account by its extension; nothing for the whole business."""
    return "" if scope == WHOLE else extension_label(scope)


def _why_not_grantable(
    access: Access,
    access_request: AccessRequest,
    lines: list[AccessRequestLine],
    grants: Grants,
    given: Mapping[ProgramAccount, Role],
) -> Problem | None:
    barred = why_not_person(access, access_request.person) or why_closed(access, given)
    if barred:
        return barred
    if not grants.make_bam and not given and not grants.group:
        return "nothing_granted", _(
            "Choose a role on at least one program account, or reject the request."
        )
    grantable = all(can_grant_role(access, program, role) for program, role in given.items())
    if grants.make_bam:
        grantable = can_grant_role(access, access.acting_for, Role.BAM)
    if not grantable or not _can_replace(access, access_request.person, given):
        return "above_own_right", _("You cannot grant more than your own role allows.")
    wished = {line.extension for line in lines}
    if not access.is_bam and not all(program.extension in wished for program in given):
        return "not_asked", _("As a Program Account Manager, grant only what was asked for.")
    if grants.group:
        return why_not_changeable(access, grants.group, can_manage_groups(access))
    return None


def why_not_person(access: Access, person: User) -> Problem | None:
    """Why nothing can be given to this person now, whatever is chosen."""
    held = person.memberships.filter(during(access.at), business=access.acting_for)
    return why_barred(person, is_suspended=held.exclude(suspended_at=None).exists())


def why_barred(person: User, *, is_suspended: bool) -> Problem | None:
    """Why nothing can be given to a person who is disabled, or suspended in the business."""
    if not person.is_active:
        return "person_disabled", _("The user account of this person is disabled.")
    if is_suspended:
        return "membership_suspended", _("This person’s access to the business is suspended.")
    return None


def _can_replace(access: Access, person: User, programs: Collection[ProgramAccount]) -> bool:
    """What the new roles take the place of, now or later, is the actor's to take."""
    beyond = role_service.replaced_by(person, programs, access.at)
    return all(
        can_end_role(access, person, program, Role(row.role))
        for program in programs
        for row in beyond.get(program.pk, ())
    )


def _decide_lines(
    access_request: AccessRequest,
    lines: list[AccessRequestLine],
    grants: Grants,
    given: Mapping[ProgramAccount, Role],
    actor: User,
    at: datetime,
) -> None:
    """Decide the lines once each: approved where something was granted for them, else rejected.

    What comes through a group is granted too.
    """
    roles = {program.extension: role for program, role in given.items()}
    shared = roles_through(grants.group, at) if grants.group else {}
    whole = Role.BAM if grants.make_bam else None
    for line in lines:
        granted = whole or strongest(roles.pop(line.extension, None), shared.get(line.extension))
        approved = granted or (line.extension == "" and (given or grants.group))
        line.granted_role = granted or ""
        decide_line(line, Decision.APPROVED if approved else Decision.REJECTED, actor, at)
    AccessRequestLine.objects.bulk_create(
        AccessRequestLine(
            request=access_request,
            extension=extension,
            granted_role=role,
            decision=Decision.APPROVED,
            decided_at=at,
            decided_by=actor,
        )
        for extension, role in roles.items()
    )


def _told(
    access_request: AccessRequest,
    business: BusinessAccount,
    template: str,
    at: datetime,
    **context: Any,
) -> None:
    notify(
        key=f"{template}:{access_request.pk}:{access_request.version}",
        template=f"delegation/email/{template}.txt",
        recipient=access_request.person,
        context={"access_request": access_request, "business": business, **context},
    )


def _about(
    actor: User,
    access_request: AccessRequest,
    at: datetime,
    acting_for: BusinessAccount | None = None,
) -> dict[str, Any]:
    """The part of a history event that every act on an access request shares."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9 if acting_for else "",
        "chains": [business_chain(access_request.bn9), person_chain(access_request.person)],
        "object_type": "access_request",
        "object_id": str(access_request.pk),
        "object_label": access_request.person.get_full_name(),
    }


def _refuse_decision(
    verb: str,
    problem: Problem,
    actor: User,
    acting_for: BusinessAccount | None,
    access_request: AccessRequest,
    at: datetime,
) -> Refusal:
    code, message = problem
    return refuse(
        code=code, message=message, verb=verb, **_about(actor, access_request, at, acting_for)
    )


def _refuse_create(actor: User, bn9: str, at: datetime, code: str, message: str) -> Refusal:
    return refuse(
        code=code,
        message=message,
        verb="access_request.create",
        at=at,
        actor=actor,
        chains=[person_chain(actor)],
        object_type="business",
        object_id=bn9,
    )
