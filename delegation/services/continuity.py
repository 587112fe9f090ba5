"""Succession: name, remove, claim, stop, take over. Nothing of it happens by a job.

Each act holds the business row first, as whoever takes over becomes one of its managers.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Grant, Membership, Succession, SuccessionStatus
from delegation.models.continuity import SUCCESSOR, TRANSITIONS
from delegation.models.periods import during
from delegation.permissions import (
    can_claim_succession,
    can_nominate_successor,
    can_remove_successor,
    can_stop_succession,
    can_take_over_succession,
)
from delegation.reasons import Reason
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.announcements import announce
from delegation.services.decisions import Problem, not_allowed, own_path
from pages.formats import moment

REMINDED = (timedelta(days=7), timedelta(days=1))
"""How long before the end of a waiting period everybody is told once more."""


@transaction.atomic
def nominate_successor(
    *, actor: User, acting_for: BusinessAccount, person: User, at: datetime
) -> Succession | Refusal:
    """Name an employee as the successor of the business: one at a time, and no manager."""
    locks.lock_rights(acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    named = Succession(business=acting_for, person=person, named_by=actor, starts_at=at)
    problem = _why_not_nameable(access, person)
    if problem:
        return _refuse("nominate", problem, access, named)
    named.save(force_insert=True)
    _tell("nominate", access, named)
    _record("nominate", access, named, own_path(access))
    return named


@transaction.atomic
def remove_successor(
    *,
    actor: User,
    acting_for: BusinessAccount,
    succession: Succession,
    expected_version: int,
    at: datetime,
) -> Succession | Refusal:
    """Take a nomination back, or give it up as the successor, whatever came of it so far."""
    access, locked = _lock(actor, acting_for, succession, at)
    is_allowed = can_remove_successor(access, locked)
    target = SuccessionStatus.REMOVED
    problem = _why_not(access, locked, target, expected_version, is_allowed=is_allowed)
    if problem:
        return _refuse("remove", problem, access, locked)
    _close(locked, target, access)
    _tell("remove", access, locked)
    path = own_path(access) if can_stop_succession(access).allowed else SUCCESSOR
    _record("remove", access, locked, path)
    return locked


@transaction.atomic
def claim_succession(
    *,
    actor: User,
    acting_for: BusinessAccount,
    succession: Succession,
    reason: str,
    expected_version: int,
    at: datetime,
) -> Succession | Refusal:
    """Begin the waiting period, in which any manager can stop it; everybody is told."""
    access, locked = _lock(actor, acting_for, succession, at)
    is_allowed = can_claim_succession(access, locked)
    target = SuccessionStatus.CLAIMED
    problem = _why_not(
        access, locked, target, expected_version, is_allowed=is_allowed
    ) or _why_not_successor(access, locked)
    if problem:
        return _refuse("claim", problem, access, locked)
    locked.claimed_at, locked.reason = access.at, reason
    locked.ready_at = access.at + timedelta(days=settings.SUCCESSION_WAITING_DAYS)
    locked.ends_at = locked.ready_at + timedelta(days=settings.SUCCESSION_TAKE_OVER_DAYS)
    locked.version += 1
    locked.save()
    _tell("claim", access, locked)
    _record("claim", access, locked, SUCCESSOR, reason)
    return locked


@transaction.atomic
def stop_succession(
    *,
    actor: User,
    acting_for: BusinessAccount,
    succession: Succession,
    reason: str,
    expected_version: int,
    at: datetime,
) -> Succession | Refusal:
    """Stop what was claimed, until the very moment of taking over. The nomination ends with it."""
    access, locked = _lock(actor, acting_for, succession, at)
    is_allowed = can_stop_succession(access).allowed
    target = SuccessionStatus.STOPPED
    problem = _why_not(access, locked, target, expected_version, is_allowed=is_allowed)
    if problem:
        return _refuse("stop", problem, access, locked)
    _close(locked, target, access, reason)
    _tell("stop", access, locked)
    _record("stop", access, locked, own_path(access), reason)
    return locked


@transaction.atomic
def take_over_succession(
    *,
    actor: User,
    acting_for: BusinessAccount,
    succession: Succession,
    expected_version: int,
    at: datetime,
) -> Succession | Refusal:
    """Become manager, once the waiting period is over and nobody stopped it."""
    access, locked = _lock(actor, acting_for, succession, at)
    is_allowed = can_take_over_succession(access, locked)
    target = SuccessionStatus.TAKEN_OVER
    problem = _why_not(
        access, locked, target, expected_version, is_allowed=is_allowed
    ) or _why_not_successor(access, locked)
    if problem:
        return _refuse("take_over", problem, access, locked)
    _close(locked, target, access)
    role_service.grant_business_role(
        person=actor,
        business=acting_for,
        granted_by=None,
        at=access.at,
        source=Grant.Source.SUCCESSION,
    )
    _tell("take_over", access, locked)
    _record("take_over", access, locked, SUCCESSOR)
    return locked


def remove_former_successor(*, access: Access, person: User) -> None:
    """Close the nomination of somebody whose membership ends: it never outlives that.

    A part of ending the membership, which asks the rights and holds the business row.
    """
    rows = Succession.objects.select_for_update(no_key=True)
    live = rows.filter(during(access.at), business=access.acting_for, person=person).first()
    if live:
        _close(live, SuccessionStatus.REMOVED, access)
        _tell("remove", access, live)
        _record("remove", access, live, SUCCESSOR if person == access.person else own_path(access))


def remind_of_successions(*, at: datetime) -> int:
    """Tell everybody of the claims whose waiting period ends soon, once for each boundary.

    Gives how many claims wait. `send_due_notices` asks it; no access depends on it.
    """
    waiting = Succession.objects.filter(
        during(at), outcome="", ready_at__gt=at, ready_at__lte=at + max(REMINDED)
    )
    rows = list(waiting.select_related("business", "person", "named_by").order_by("ready_at", "pk"))
    for row in rows:
        left = row.ready_at - at if row.ready_at else timedelta()
        boundary = min(one for one in REMINDED if left <= one)
        _announce("remind", row, row.person, at, f"{row.pk}:{boundary.days}")
    return len(rows)


def lock(succession: Succession) -> Succession:
    """The succession as it is now, held until the transaction ends."""
    return Succession.objects.select_for_update(no_key=True).get(pk=succession.pk)


def _lock(
    actor: User, acting_for: BusinessAccount, succession: Succession, at: datetime
) -> tuple[Access, Succession]:
    """Who acts, and on what, once the managers of the business hold still."""
    locks.lock_rights(acting_for)
    locked = lock(succession)
    at = not_before(at, business_chain(acting_for.bn9))
    return Access(actor, acting_for, at), locked


def _why_not(
    access: Access,
    succession: Succession,
    target: SuccessionStatus,
    expected_version: int,
    *,
    is_allowed: bool,
) -> Problem | None:
    """Why the locked succession cannot become `target` by this person now, or nothing."""
    if not is_allowed or succession.business_id != access.acting_for.pk:
        return not_allowed(access.acting_for, _("You cannot do this with the succession."))
    status = succession.status_at(access.at)
    if target not in TRANSITIONS[status]:
        return _wrong_state(succession, status)
    if succession.version != expected_version:
        return "changed", _(
            "The succession changed while you had the page open. Nothing was done. Read it again."
        )
    return None


def _wrong_state(succession: Succession, status: SuccessionStatus) -> Problem:
    when = moment(succession.ends_at) if succession.ends_at else ""
    if status is SuccessionStatus.CLAIMED and succession.ready_at:
        words = _("The waiting period lasts until %(when)s. Nothing was changed.")
        return "still_waiting", words % {"when": moment(succession.ready_at)}
    if status in (SuccessionStatus.NAMED, SuccessionStatus.READY):
        return "not_claimed", _("This is not possible now. Nothing was changed.")
    words = _("The succession ended on %(when)s: %(status)s. Nothing was changed.")
    return "already_closed", words % {"when": when, "status": status.label}


def _why_not_nameable(access: Access, person: User) -> Problem | None:
    if not can_nominate_successor(access).allowed:
        return not_allowed(access.acting_for, _("You cannot name a successor."))
    live = Succession.objects.filter(during(access.at), business=access.acting_for)
    if live.exists():
        return "already_named", _("A successor is named already. Remove that nomination first.")
    return _why_not_eligible(Access(person, access.acting_for, access.at))


def _why_not_eligible(theirs: Access) -> Problem | None:
    """Only an employee whose access works, and who is no manager yet, succeeds."""
    if not theirs.person.is_active or theirs.own.membership is not Reason.ALLOWED:
        return "not_employee", _("Only an employee whose access works now can be successor.")
    if theirs.is_bam:
        return "is_manager", _("This person is a Business Account Manager already.")
    return None


def _why_not_successor(theirs: Access, succession: Succession) -> Problem | None:
    """Nobody succeeds by a nomination that is older than the access the person has now."""
    problem = _why_not_eligible(theirs)
    held = Membership.objects.filter(
        during(theirs.at), person=theirs.person, business=theirs.acting_for
    )
    if problem or held.filter(starts_at__lte=succession.starts_at).exists():
        return problem
    return "joined_later", _(
        "You were named before your access began anew. Ask a manager to name you again."
    )


def _close(
    succession: Succession, outcome: SuccessionStatus, access: Access, reason: str = ""
) -> None:
    succession.outcome, succession.outcome_reason = outcome, reason
    succession.closed_by, succession.ends_at = access.person, access.at
    succession.version += 1
    succession.save()


def _tell(step: str, access: Access, succession: Succession) -> None:
    key = f"{succession.pk}:{succession.version}"
    _announce(step, succession, access.person, access.at, key)


def _announce(step: str, succession: Succession, actor: User, at: datetime, key: str) -> None:
    announce(
        key=f"succession_{step}:{key}",
        template="succession",
        business=succession.business,
        also=[succession.person],
        context={"step": step, "succession": succession, "actor": actor},
        at=at,
    )


def _about(access: Access, succession: Succession) -> dict[str, Any]:
    """The part of a history event that every act on a succession shares."""
    return {
        "at": access.at,
        "actor": access.person,
        "acting_for": access.acting_for.bn9,
        "chains": [business_chain(access.acting_for.bn9), person_chain(succession.person)],
        "object_type": "succession",
        "object_id": str(succession.pk),
        "object_label": succession.person.get_full_name(),
    }


def _record(step: str, access: Access, succession: Succession, path: str, reason: str = "") -> None:
    after = {"ready_at": succession.ready_at, "ends_at": succession.ends_at}
    about = _about(access, succession)
    record(verb=f"succession.{step}", after=after, path=path, reason=reason, **about)


def _refuse(step: str, problem: Problem, access: Access, succession: Succession) -> Refusal:
    code, message = problem
    about = _about(access, succession)
    return refuse(code=code, message=message, verb=f"succession.{step}", **about)
