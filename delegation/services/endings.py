"""The end of a business relationship: the client takes back what it gave, the provider leaves.

An end acts at once and keeps every row. What the provider submitted while a program account was in
scope stays readable for its assigned people (the Expired User), nothing else.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipTerms
from delegation.permissions import can_end_relationship, can_leave_relationship
from delegation.services.agreements import span
from delegation.services.decisions import Problem
from delegation.services.parties import (
    access_to,
    lock_relationship,
    record_act,
    refuse_act,
    show_again,
    tell_both,
)
from delegation.terms import extensions, fingerprint, live_terms, program_label

LEAVE = "relationship.leave"

Terms = list[RelationshipTerms]


def end_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    expected_terms: str,
    reason: str,
    at: datetime,
) -> Relationship | Refusal:
    """Take back what was given to a provider: a BAM all of it, a PAM what its programs gave.

    `expected_terms` is the fingerprint of the terms that the form said would end.
    """

    def mine(access: Access, row: Relationship, live: Terms) -> Terms:
        return can_end_relationship(access, live) if row.client_id == acting_for.pk else []

    access = Access(actor, acting_for, at)
    return _end("relationship.end", access, relationship, mine, expected_terms, reason)


def leave_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    expected_terms: str,
    reason: str,
    at: datetime,
) -> Relationship | Refusal:
    """Give back all that a client gave: a provider may leave at any time (invariant 9).

    What it had is not begun again without it: it asks anew.
    """

    def mine(access: Access, row: Relationship, live: Terms) -> Terms:
        is_ours = row.provider_id == acting_for.pk and can_leave_relationship(access).allowed
        return live if is_ours else []

    access = Access(actor, acting_for, at)
    return _end(LEAVE, access, relationship, mine, expected_terms, reason)


@transaction.atomic
def _end(
    verb: str,
    access: Access,
    relationship: Relationship,
    mine: Callable[[Access, Relationship, Terms], Terms],
    expected_terms: str,
    reason: str,
) -> Relationship | Refusal:
    """End the terms that are the actor's to end, and with the last of them the relationship."""
    locked = lock_relationship(relationship)
    access = access_to(locked, access.person, access.acting_for, access.at)
    live = live_terms(locked.terms.select_related("program"), access.at)
    ending = mine(access, locked, live)
    problem = _why_not_ending(live, ending, expected_terms)
    if problem:
        return refuse_act(verb, problem, access, locked)
    _stop(locked, ending, len(ending) == len(live), access, reason)
    if verb == LEAVE:
        pair = Relationship.objects.filter(client=locked.client, provider=locked.provider)
        pair.update(is_left=True)
    is_over = not locked.active_at(access.at)
    tell_both(
        verb,
        access,
        locked,
        "relationship_ended",
        programs=[program_label(row.program) for row in ending if row.program],
        is_over=is_over,
        is_left=verb == LEAVE,
        reason=reason,
    )
    after = {"programs": extensions(ending), "is_over": is_over}
    record_act(verb, access, locked, reason=reason, after=after)
    return locked


def _why_not_ending(live: Terms, ending: Terms, expected_terms: str) -> Problem | None:
    if not live:
        return "already_ended", _("This relationship is over already. Nothing was changed.")
    if not ending:
        return "not_allowed", _("Nothing in this relationship is yours to end.")
    if fingerprint(ending) != expected_terms:
        return "changed", _(
            "What was agreed changed while you had the page open. Nothing was ended. Read it "
            "again, then confirm."
        )
    return None


def _stop(
    relationship: Relationship, ending: Terms, is_all: bool, access: Access, reason: str
) -> None:
    """Close the periods, of the relationship too where nothing is left of it."""
    at = access.at
    rows = relationship.terms.filter(pk__in=[row.pk for row in ending])
    rows.update(ends_at=at, ended_by=access.person)
    if is_all:
        relationship.is_open_ended, relationship.ends_at = False, at
        relationship.ended_by, relationship.end_reason = access.person, reason
    else:
        span(relationship, at)
    relationship.save()
    show_again(relationship, at)
