"""Invitations of employees: send, send again, revoke, accept, decline.

Accepting asks everything again under the lock, for whoever invited: nobody is given by a link what
the inviter could not give by hand at that instant (invariant 2).
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.sign_in import verified_addresses
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.invitations import readable_invitations
from delegation.models import (
    EmployeeGroup,
    Invitation,
    InvitationLine,
    InvitationMail,
    InvitationStatus,
)
from delegation.models.invitations import TRANSITIONS, digest_of
from delegation.permissions import (
    can_answer_invitation,
    can_create_invitation,
    can_grant_role,
    can_manage_groups,
    can_resend_invitation,
    can_revoke_invitation,
)
from delegation.roles import Role
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, not_allowed, own_path, why_closed
from delegation.services.employees import WHOLE, Grants, why_not_person
from delegation.services.group_acts import why_not_changeable
from delegation.services.groups import join_group
from notices.services import notify
from pages.formats import moment

DAY = timedelta(days=1)

type Scope = BusinessAccount | ProgramAccount


@dataclass(frozen=True)
class Offer:
    """What is offered to whom, in which language, with a word from the inviter."""

    email: str
    language: str
    message: str
    grants: Grants
    groups: tuple[EmployeeGroup, ...] = ()

    def given(self, business: BusinessAccount) -> list[tuple[Scope, Role]]:
        """The roles by where they are held."""
        if self.grants.make_bam:
            return [(business, Role.BAM)]
        return list(self.grants.named(business).items())


@transaction.atomic
def create_invitation(
    *, actor: User, acting_for: BusinessAccount, offer: Offer, at: datetime
) -> Invitation | Refusal:
    """Invite whoever owns an address; the link goes to that address and is kept nowhere."""
    business = _hold(acting_for)
    at = not_before(at, business_chain(business.bn9))
    access, given = Access(actor, business, at), offer.given(business)
    invitation = Invitation(
        business=business,
        email=offer.email,
        language=offer.language,
        message=offer.message,
        makes_bam=offer.grants.make_bam,
        invited_by=actor,
        starts_at=at,
        closes_at=_lapses(at),
    )
    groups = locks.lock_groups(offer.groups)
    problem = _why_not_offered(access, given, groups) or _why_not_sent(access, invitation)
    if problem:
        return _refuse("invitation.create", problem, actor, invitation, at)
    token = _new_link(invitation)
    invitation.save(force_insert=True)
    if not invitation.makes_bam:
        InvitationLine.objects.bulk_create(
            InvitationLine(invitation=invitation, program=scope, role=role)
            for scope, role in given
            if isinstance(scope, ProgramAccount)
        )
        invitation.groups.set(groups)
    _send(invitation, given, groups, token, actor, at)
    _record("invitation.create", actor, invitation, at, access, roles=_shown(given, groups))
    return invitation


@transaction.atomic
def resend_invitation(
    *,
    actor: User,
    acting_for: BusinessAccount,
    invitation: Invitation,
    expected_version: int,
    at: datetime,
) -> Invitation | Refusal:
    """Send a new link, for as long as the first one: the old one is dead, and the actor stands
    for what it gives."""
    business = _hold(acting_for)
    locked = _lock(invitation)
    at = not_before(at, business_chain(business.bn9))
    access, given = Access(actor, business, at), locked.grants()
    groups = locks.lock_groups(locked.groups.all())
    problem = (
        _why_foreign(access, locked)
        or _why_not(locked, InvitationStatus.WAITING, expected_version, at)
        or (None if can_resend_invitation(access, locked) else _above())
        or _why_not_offered(access, given, groups)
        or _why_not_sent(access, locked)
    )
    if problem:
        return _refuse("invitation.resend", problem, actor, locked, at)
    token = _new_link(locked)
    if locked.status_at(at) is InvitationStatus.LAPSED:
        # It waits anew: another may have waited, and been closed, since it lapsed.
        locked.starts_at = at
    locked.invited_by, locked.closes_at = actor, _lapses(at)
    locked.version += 1
    locked.save()
    _send(locked, given, groups, token, actor, at)
    _record("invitation.resend", actor, locked, at, access)
    return locked


@transaction.atomic
def revoke_invitation(
    *,
    actor: User,
    acting_for: BusinessAccount,
    invitation: Invitation,
    expected_version: int,
    at: datetime,
) -> Invitation | Refusal:
    """Take an invitation back while it waits: its link is dead at once."""
    business = _hold(acting_for)
    locked = _lock(invitation)
    at = not_before(at, business_chain(business.bn9))
    access = Access(actor, business, at)
    is_allowed = can_revoke_invitation(access, locked)
    problem = (
        _why_foreign(access, locked)
        or (None if is_allowed else not_allowed(business, _("You cannot revoke this invitation.")))
        or _why_not(locked, InvitationStatus.REVOKED, expected_version, at)
    )
    if problem:
        return _refuse("invitation.revoke", problem, actor, locked, at)
    _close(locked, InvitationStatus.REVOKED, actor, at)
    _record("invitation.revoke", actor, locked, at, access)
    return locked


@transaction.atomic
def accept_invitation(
    *, actor: User, invitation: Invitation, expected_version: int, at: datetime
) -> Invitation | Refusal:
    """Let the invited person in, with what was offered and what the inviter may still give.

    A role that the person holds already is never lowered.
    """
    business = _hold(invitation.business)
    locked = _lock(invitation)
    locks.lock_memberships([actor], business)
    groups = locks.lock_groups(locked.groups.all())
    at = not_before(at, business_chain(business.bn9), person_chain(actor))
    problem = (
        _why_not_theirs(actor, locked)
        or _why_not(locked, InvitationStatus.ACCEPTED, expected_version, at)
        or why_not_acceptable(locked, actor, at)
    )
    if problem:
        return _refuse("invitation.accept", problem, actor, locked, at, invited=actor)
    given = _grant(locked, actor, at)
    joined = [one for one in groups if join_group(group=one, person=actor, at=at)[1]]
    _close(locked, InvitationStatus.ACCEPTED, actor, at)
    _tell(locked, actor, "invitation_accepted", at, given, joined)
    inviter = Access(locked.invited_by, business, at)
    shown = _shown(given, joined)
    _record("invitation.accept", actor, locked, at, inviter, invited=actor, roles=shown)
    return locked


@transaction.atomic
def decline_invitation(
    *, actor: User, invitation: Invitation, expected_version: int, at: datetime
) -> Invitation | Refusal:
    """Close an invitation without taking anything; the inviter is told."""
    business = _hold(invitation.business)
    locked = _lock(invitation)
    at = not_before(at, business_chain(business.bn9), person_chain(actor))
    problem = _why_not_theirs(actor, locked) or _why_not(
        locked, InvitationStatus.DECLINED, expected_version, at
    )
    if problem:
        return _refuse("invitation.decline", problem, actor, locked, at, invited=actor)
    _close(locked, InvitationStatus.DECLINED, actor, at)
    _tell(locked, actor, "invitation_declined", at, ())
    inviter = Access(locked.invited_by, business, at)
    _record("invitation.decline", actor, locked, at, inviter, invited=actor)
    return locked


def why_not_acceptable(invitation: Invitation, person: User, at: datetime) -> Problem | None:
    """Why nothing can come of an invitation now, for its person to read: whom to ask instead."""
    inviter = Access(invitation.invited_by, invitation.business, at)
    if person == invitation.invited_by:
        return "own_invitation", _(
            "You sent this invitation yourself. Nobody changes the own role."
        )
    groups = list(invitation.groups.all())
    problem = _why_not_offered(inviter, invitation.grants(), groups)
    if problem is None and not invitation.invited_by.is_active:
        problem = _above()
    problem = problem or why_not_person(inviter, person)
    if problem is None:
        return None
    said = _(
        "This invitation can no longer be accepted: what it offers cannot be given at present. "
        "Ask %(name)s or another manager of %(business)s for a new one."
    )
    about = {
        "name": invitation.invited_by.get_full_name(),
        "business": invitation.business.name,
    }
    return problem[0], said % about


# ---------------------------------------------------------------- what bars an act


def _hold(business: BusinessAccount) -> BusinessAccount:
    """The business as it is now, held: its managers change one act at a time, and so does this."""
    locks.lock_rights(business)
    return BusinessAccount.objects.get(pk=business.pk)


def _lock(invitation: Invitation) -> Invitation:
    """The invitation as it is now, held until the transaction ends."""
    rows = Invitation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("business", "invited_by").get(pk=invitation.pk)


def _why_foreign(access: Access, invitation: Invitation) -> Problem | None:
    if invitation.business_id == access.acting_for.pk:
        return None
    return "not_allowed", _("This invitation is of another business.")


def _why_not(
    invitation: Invitation, after: InvitationStatus, expected_version: int, at: datetime
) -> Problem | None:
    """Why the locked invitation cannot become so now, or was changed since its page was read."""
    status = invitation.status_at(at)
    if after not in TRANSITIONS[status]:
        return _already(invitation, status)
    if invitation.version != expected_version:
        return "changed", _(
            "This invitation changed while you had the page open. Nothing was done. Read it again."
        )
    return None


def _already(invitation: Invitation, status: InvitationStatus) -> Problem:
    """What became of it, and when: what the loser of a race reads."""
    words = {
        InvitationStatus.LAPSED: _("This invitation lapsed on %(when)s. Nothing was changed."),
        InvitationStatus.ACCEPTED: _("This invitation was accepted on %(when)s."),
        InvitationStatus.DECLINED: _("This invitation was declined on %(when)s."),
        InvitationStatus.REVOKED: _("This invitation was revoked on %(when)s."),
    }
    code = "lapsed" if status is InvitationStatus.LAPSED else "already_decided"
    return code, words[status] % {"when": moment(invitation.decided_at or invitation.closes_at)}


def _why_not_theirs(person: User, invitation: Invitation) -> Problem | None:
    if can_answer_invitation(person, invitation):
        return None
    return "not_yours", _("This invitation is addressed to somebody else.")


def _why_not_offered(
    access: Access, given: Iterable[tuple[Scope, Role]], groups: Sequence[EmployeeGroup]
) -> Problem | None:
    """Why the person of `access` cannot give this now."""
    given = list(given)
    if not given and not groups:
        return "nothing_granted", _(
            "Choose a role on at least one program account, or an employee group."
        )
    if not can_create_invitation(access).allowed:
        return not_allowed(access.acting_for, _("You cannot invite anybody to this business."))
    programs = [scope for scope, _role in given if isinstance(scope, ProgramAccount)]
    closed = why_closed(access, programs)
    if closed:
        return closed
    for group in groups:
        if barred := why_not_changeable(access, group, can_manage_groups(access)):
            return barred
    return None if all(can_grant_role(access, *one) for one in given) else _above()


def _above() -> Problem:
    return "above_own_right", _("You cannot grant more than your own role allows.")


def _why_not_sent(access: Access, invitation: Invitation) -> Problem | None:
    """Why no mail goes to this address now. The business row is held, so the count is sound."""
    if invitation.email in {access.person.email.lower(), *verified_addresses(access.person)}:
        return "own_invitation", _("This is your own address. Nobody changes the own role.")
    live = Invitation.objects.pending_at(access.at).filter(
        business=access.acting_for, email=invitation.email
    )
    if live.exclude(pk=invitation.pk).exists():
        return "already_waiting", _(
            "An invitation to this address is waiting already. Revoke it first if you want to "
            "offer something else."
        )
    mails = InvitationMail.objects.filter(
        business=access.acting_for, sent_at__gt=access.at - DAY, sent_at__lte=access.at
    )
    if mails.count() >= settings.INVITATIONS_PER_DAY:
        return "too_many", _(
            "%(number)d invitations were sent for this business in the last 24 hours. That is the "
            "most for one day. Send the others tomorrow."
        ) % {"number": settings.INVITATIONS_PER_DAY}
    return None


# ---------------------------------------------------------------- what an act does


def _lapses(at: datetime) -> datetime:
    return at + timedelta(days=settings.INVITATION_LAPSE_DAYS)


def _new_link(invitation: Invitation) -> str:
    """The secret of a new link, in place of the old one."""
    token = secrets.token_urlsafe(32)
    invitation.token_digest = digest_of(token)
    return token


def _send(
    invitation: Invitation,
    given: Iterable[tuple[Scope, Role]],
    groups: Sequence[EmployeeGroup],
    token: str,
    actor: User,
    at: datetime,
) -> None:
    """Write to the address, in the language that the inviter chose; only the mail has the link."""
    InvitationMail.objects.create(
        invitation=invitation, business=invitation.business, sent_at=at, sent_by=actor
    )
    notify(
        key=f"invitation:{invitation.pk}:{invitation.version}",
        template="delegation/email/invitation.txt",
        address=invitation.email,
        language=invitation.language,
        context={
            "invitation": invitation,
            "inviter": actor,
            "given": list(given),
            "groups": groups,
        },
        secret=token,
    )


def _grant(invitation: Invitation, person: User, at: datetime) -> list[tuple[Scope, Role]]:
    """Let the person in with what is more than the person holds, by the right of the inviter.

    Gives what of the offer was given.
    """
    inviter = invitation.invited_by
    given: list[tuple[Scope, Role]] = []
    role_service.join(person=person, business=invitation.business, at=at)
    for scope, role in invitation.grants():
        if isinstance(scope, BusinessAccount):
            role_service.grant_business_role(
                person=person, business=scope, granted_by=inviter, at=at
            )
            given.append((scope, role))
            continue
        lasting = role_service.replaced_by(person, [scope], at).get(scope.pk, [])
        if all(Role(held.role).rank <= role.rank for held in lasting):
            role_service.grant_program_role(
                person=person, program=scope, role=role, granted_by=inviter, at=at
            )
            given.append((scope, role))
    return given


def _close(invitation: Invitation, decision: InvitationStatus, actor: User, at: datetime) -> None:
    """Decide it for good: it stops waiting at this instant."""
    invitation.decision = decision
    invitation.decided_at, invitation.decided_by, invitation.closes_at = at, actor, at
    invitation.version += 1
    invitation.save()


def _tell(
    invitation: Invitation,
    person: User,
    template: str,
    at: datetime,
    given: Iterable[tuple[Scope, Role]],
    joined: Sequence[EmployeeGroup] = (),
) -> None:
    """Tell the inviter what became of it, who still may read it; of an acceptance every manager."""
    inviter = Access(invitation.invited_by, invitation.business, at)
    still_reads = readable_invitations(inviter).filter(pk=invitation.pk).exists()
    told = {invitation.invited_by} if still_reads else set()
    if template == "invitation_accepted":
        told |= {*role_service.managers_of(invitation.business.bn9, at)}
    for reader in sorted(told - {person}, key=lambda one: one.pk):
        notify(
            key=f"{template}:{invitation.pk}:{reader.pk}",
            template=f"delegation/email/{template}.txt",
            recipient=reader,
            context={
                "invitation": invitation,
                "person": person,
                "given": given,
                "groups": joined,
            },
        )


# ---------------------------------------------------------------- history


def _shown(
    given: Iterable[tuple[Scope, Role]], groups: Sequence[EmployeeGroup]
) -> dict[str, object]:
    """Roles by extension, or of the business, and groups by name, as history keeps them."""
    roles = {
        scope.extension if isinstance(scope, ProgramAccount) else WHOLE: role.value
        for scope, role in given
    }
    return {"roles": roles, **({"groups": [one.name for one in groups]} if groups else {})}


def _about(
    actor: User, invitation: Invitation, at: datetime, invited: User | None
) -> dict[str, Any]:
    """The part of an event that every act shares. The invited person acts for no business yet."""
    bn9 = invitation.business.bn9
    chains = [business_chain(bn9), *([person_chain(invited)] if invited else [])]
    return {
        "at": at,
        "actor": actor,
        "acting_for": "" if invited else bn9,
        "chains": chains,
        "object_type": "invitation",
        "object_id": str(invitation.pk),
        "object_label": invitation.email,
    }


def _record(
    verb: str,
    actor: User,
    invitation: Invitation,
    at: datetime,
    access: Access,
    *,
    invited: User | None = None,
    roles: dict[str, object] | None = None,
) -> None:
    """What happened; what an acceptance gives is given by the right of whoever invited."""
    after: dict[str, object] = {"closes_at": invitation.closes_at, **(roles or {})}
    path = own_path(access)
    if invited:
        after |= {"invited_by": invitation.invited_by.get_full_name(), "by_right": path}
        path = f"invitation:{invitation.pk}"
    record(verb=verb, after=after, path=path, **_about(actor, invitation, at, invited))


def _refuse(
    verb: str,
    problem: Problem,
    actor: User,
    invitation: Invitation,
    at: datetime,
    *,
    invited: User | None = None,
) -> Refusal:
    """The refusal, in history. A stranger's attempt is of the stranger's history alone."""
    about = _about(actor, invitation, at, invited)
    if invited and problem[0] == "not_yours":
        about |= {"chains": [person_chain(invited)], "object_label": ""}
    return refuse(code=problem[0], message=problem[1], verb=verb, **about)
