"""Recovery of a business by two officers: one proposes a person, another confirms.

Only a business that nobody manages is recovered, at the request of somebody who has to do with it,
and as an officer proposes who still is one: all asked again at the confirmation, while the business
row is held.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.officers import Officer, officer_of
from audit.services import Refusal, business_chain, not_before, record
from businesses.models import BusinessAccount
from delegation.models import Decision, Grant, Membership, RecoveryRequest
from delegation.models.periods import during
from delegation.permissions import is_still_concerned
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, close, lock, why_not_decidable
from delegation.services.recovery import about_recovery, refuse_recovery, tell_of_recovery
from delegation.standing import PathKind
from officers.permissions import (
    can_confirm_recovery,
    can_propose_recovery,
    can_reject_recovery,
    is_involved,
)


@transaction.atomic
def propose_recovery(
    *,
    actor: User,
    recovery_request: RecoveryRequest,
    person: User,
    finding: str,
    expected_version: int,
    at: datetime,
) -> RecoveryRequest | Refusal:
    """Propose who should manage the business, as the first officer. A new proposal replaces one."""
    business, locked, at = _lock(recovery_request, at)
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_propose_recovery(officer, locked)
    problem = (
        _why_not_theirs(officer, locked, is_allowed=is_allowed)
        or why_not_decidable(locked, Decision.APPROVED, expected_version, at)
        or why_not_recoverable(business, at)
        or _why_not_asked(locked, at)
        or _why_not_person(business, locked, person, at)
    )
    if problem:
        return refuse_recovery("recovery_request.propose", *problem, actor, locked, at)
    locked.proposed, locked.proposed_by, locked.proposed_at = person, actor, at
    locked.finding = finding
    locked.version += 1
    locked.save()
    tell_of_recovery("proposed", locked, at)
    _record("propose", actor, locked, at, finding)
    return locked


@transaction.atomic
def confirm_recovery(
    *, actor: User, recovery_request: RecoveryRequest, expected_version: int, at: datetime
) -> RecoveryRequest | Refusal:
    """Make the proposed person manager, as the second officer."""
    business, locked, at = _lock(recovery_request, at)
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_confirm_recovery(officer, locked)
    problem = (
        _why_not_theirs(officer, locked, is_allowed=is_allowed)
        or why_not_decidable(locked, Decision.APPROVED, expected_version, at)
        or why_not_recoverable(business, at)
        or _why_not_asked(locked, at)
        or _why_not_person(business, locked, locked.proposed, at)
        or _why_not_proposed(locked, at)
    )
    if problem:
        return refuse_recovery("recovery_request.confirm", *problem, actor, locked, at)
    _give(business, locked.proposed, actor, at)
    close(locked, Decision.APPROVED, actor, at)
    tell_of_recovery("confirmed", locked, at)
    _record("confirm", actor, locked, at)
    return locked


@transaction.atomic
def reject_recovery(
    *,
    actor: User,
    recovery_request: RecoveryRequest,
    reason: str,
    expected_version: int,
    at: datetime,
) -> RecoveryRequest | Refusal:
    """Reject the request, proposed or not, with a reason that its asker reads. One officer can."""
    _business, locked, at = _lock(recovery_request, at)
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_reject_recovery(officer, locked)
    problem = _why_not_theirs(officer, locked, is_allowed=is_allowed) or why_not_decidable(
        locked, Decision.REJECTED, expected_version, at
    )
    if problem:
        return refuse_recovery("recovery_request.reject", *problem, actor, locked, at)
    locked.reason = reason
    close(locked, Decision.REJECTED, actor, at)
    tell_of_recovery("rejected", locked, at)
    _record("reject", actor, locked, at, reason)
    return locked


def _give(business: BusinessAccount | None, person: User | None, actor: User, at: datetime) -> None:
    """Let the person in and make it manager."""
    if business is None or person is None:
        raise ValueError("What can be confirmed names a business and a person.")
    role_service.join(person=person, business=business, at=at)
    source = Grant.Source.RECOVERY
    role_service.grant_business_role(
        person=person, business=business, granted_by=actor, at=at, source=source
    )


def why_not_recoverable(business: BusinessAccount | None, at: datetime) -> Problem | None:
    """Why a business cannot be recovered now: it is none that works, or somebody manages it."""
    if business is None or business.status != BusinessAccount.Status.ACTIVE:
        return "not_registered", _("No active business account has this number.")
    if role_service.managers_of(business.bn9, at):
        return "has_manager", _("The business has a manager who can act. Nothing was changed.")
    return None


def _why_not_asked(asked: RecoveryRequest, at: datetime) -> Problem | None:
    if is_still_concerned(asked, at):
        return None
    return "not_concerned", _(
        "The person who asked has nothing to do with the business any more. Reject the request."
    )


def _why_not_proposed(asked: RecoveryRequest, at: datetime) -> Problem | None:
    """Who proposed counts as the first of two officers only while that person could propose."""
    proposer = officer_of(asked.proposed_by, at) if asked.proposed_by else None
    if proposer and can_propose_recovery(proposer, asked):
        return None
    return "proposer_gone", _(
        "Who proposed this person can no longer decide on this business. Propose somebody anew; "
        "another officer then confirms."
    )


def _lock(
    recovery_request: RecoveryRequest, at: datetime
) -> tuple[BusinessAccount | None, RecoveryRequest, datetime]:
    """The business, whose managers hold still, and the request; the instant once both are held."""
    business = BusinessAccount.objects.filter(bn9=recovery_request.bn9).first()
    if business:
        locks.lock_rights(business)
    locked = lock(recovery_request)
    return business, locked, not_before(at, business_chain(locked.bn9))


def _why_not_theirs(
    officer: Officer | None, asked: RecoveryRequest, *, is_allowed: bool
) -> Problem | None:
    if is_allowed:
        return None
    if officer and asked.proposed_by_id == officer.person.pk:
        return "same_officer", _("You proposed this person. Another officer confirms.")
    if officer and is_involved(officer.person, asked):
        return "involved", _("You have to do with this business. Other officers decide.")
    return "not_allowed", _("Only an officer for recovery decides this.")


def _why_not_person(
    business: BusinessAccount | None, asked: RecoveryRequest, person: User | None, at: datetime
) -> Problem | None:
    """Only an employee whose access works without an end, or who asked, becomes manager."""
    if business is None or person is None:
        return "not_proposed", _("Nobody is proposed yet. Nothing was changed.")
    member = Membership.objects.filter(during(at), person=person, business=business).first()
    is_working = member is not None and member.suspended_at is None and member.ends_at is None
    may_join = member is None and person.pk == asked.person_id
    if person.is_active and (is_working or may_join):
        return None
    return "not_eligible", _(
        "Propose an employee whose access works without an end date, or the person who asked."
    )


def _record(step: str, actor: User, asked: RecoveryRequest, at: datetime, reason: str = "") -> None:
    after = {"target": asked.proposed.get_full_name() if asked.proposed else ""}
    about = about_recovery(actor, asked, at)
    verb = f"recovery_request.{step}"
    record(verb=verb, after=after, reason=reason, path=str(PathKind.OFFICER), **about)
