"""A client suspends the authority of a firm, at once, and resumes it as it was."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship
from delegation.permissions import can_resume_relationship, can_suspend_relationship
from delegation.services.decisions import Problem, not_allowed
from delegation.services.parties import (
    access_to,
    lock_relationship,
    record_act,
    refuse_act,
    show_again,
    tell_both,
)
from delegation.terms import fingerprint, live_terms

SUSPEND, RESUME = "relationship.suspend", "relationship.resume"


@transaction.atomic
def suspend_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    reason: str,
    at: datetime,
) -> Relationship | Refusal:
    """Stop the authority of a firm, whole and at once; what it submitted itself stays readable."""
    locked = lock_relationship(relationship)
    access = access_to(locked, actor, acting_for, at)
    problem = _why_not(access, locked, can_suspend_relationship(access).allowed)
    if problem is None and locked.suspended_at:
        problem = "already_suspended", _("This relationship is suspended already.")
    if problem:
        return refuse_act(SUSPEND, problem, access, locked)
    return _set(SUSPEND, locked, access, reason)


@transaction.atomic
def resume_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    expected_terms: str,
    at: datetime,
) -> Relationship | Refusal:
    """Let a firm act again under the terms that are agreed, never under others.

    `expected_terms` is the fingerprint of the live terms that the page showed.
    """
    locked = lock_relationship(relationship)
    access = access_to(locked, actor, acting_for, at)
    problem = _why_not(access, locked, can_resume_relationship(access).allowed)
    if problem is None and locked.suspended_at is None:
        problem = "not_suspended", _("This relationship is not suspended.")
    live = live_terms(locked.terms.select_related("relationship"), access.at)
    if problem is None and fingerprint(live) != expected_terms:
        problem = (
            "changed",
            _(
                "What was agreed changed while you had the page open. Nothing was resumed. Read it "
                "again, then confirm."
            ),
        )
    if problem:
        return refuse_act(RESUME, problem, access, locked)
    return _set(RESUME, locked, access, "")


def _why_not(access: Access, relationship: Relationship, is_allowed: bool) -> Problem | None:
    if relationship.client_id != access.acting_for.pk or not is_allowed:
        words = _("Only a Business Account Manager suspends and resumes a relationship.")
        return not_allowed(access.acting_for, words)
    if not relationship.active_at(access.at):
        return "already_ended", _("This relationship is over already. Nothing was changed.")
    return None


def _set(verb: str, relationship: Relationship, access: Access, reason: str) -> Relationship:
    relationship.suspended_at = access.at if verb == SUSPEND else None
    relationship.save()
    show_again(relationship, access.at)
    about = {"is_suspended": verb == SUSPEND, "reason": reason}
    tell_both(verb, access, relationship, "relationship_suspended", **about)
    record_act(verb, access, relationship, reason=reason)
    return relationship
