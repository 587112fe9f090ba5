"""The end of a business relationship: the client takes back what it gave, the provider leaves.

An end acts at once and keeps every row. What the provider submitted while a program account was in
scope stays readable for its assigned people (the Expired User), nothing else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipRequest, RelationshipTerms
from delegation.permissions import can_end_relationship, can_leave_relationship
from delegation.services import roles as role_service
from delegation.services.agreements import lock_relationships, span
from delegation.services.decisions import Problem, own_path
from delegation.terms import fingerprint, live_terms, program_label
from notices.services import notify

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
    """Give back all that a client gave: a provider may leave at any time (invariant 9)."""

    def mine(access: Access, row: Relationship, live: Terms) -> Terms:
        is_ours = row.provider_id == acting_for.pk and can_leave_relationship(access).allowed
        return live if is_ours else []

    access = Access(actor, acting_for, at)
    return _end("relationship.leave", access, relationship, mine, expected_terms, reason)


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
    locked = _lock(relationship)
    chains = [business_chain(one.bn9) for one in (locked.client, locked.provider)]
    access = Access(access.person, access.acting_for, not_before(access.at, *chains))
    live = live_terms(locked.terms.select_related("program"), access.at)
    ending = mine(access, locked, live)
    problem = _why_not_ending(live, ending, expected_terms)
    if problem:
        # A refused attempt is told to the own business alone.
        return refuse(
            code=problem[0],
            message=problem[1],
            chains=[business_chain(access.acting_for.bn9)],
            **_about(verb, access, locked),
        )
    _stop(locked, ending, len(ending) == len(live), access, reason)
    _tell(verb, locked, ending, access, reason)
    record(
        chains=chains,
        reason=reason,
        after={"programs": _extensions(ending), "is_over": not locked.active_at(access.at)},
        path=own_path(access),
        **_about(verb, access, locked),
    )
    return locked


def _lock(relationship: Relationship) -> Relationship:
    """The relationship as it is now, held; before it what else an approval changes, in its order.

    Whoever has the form of a waiting request of the firm open decides it on what is true then.
    """
    client, provider = relationship.client, relationship.provider
    waiting = RelationshipRequest.objects.filter(
        provider=provider, client_bn9=client.bn9, decision=""
    )
    list(waiting.select_for_update(no_key=True).order_by("pk"))
    [row] = [row for row in lock_relationships(client, provider) if row.pk == relationship.pk]
    return row


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
    waiting = RelationshipRequest.objects.pending_at(at).filter(
        provider=relationship.provider, client_bn9=relationship.client.bn9
    )
    waiting.update(version=F("version") + 1)


def _tell(
    verb: str, relationship: Relationship, ending: Terms, access: Access, reason: str
) -> None:
    """Tell the managers of both sides. Who of the other side acted is its own."""
    client, provider = relationship.client, relationship.provider
    is_over = not relationship.active_at(access.at)
    for business in (client, provider):
        for manager in role_service.managers_of(business.bn9, access.at):
            notify(
                key=f"{verb}:{relationship.pk}:{access.at.isoformat()}:{business.bn9}:{manager.pk}",
                template="delegation/email/relationship_ended.txt",
                recipient=manager,
                context={
                    "client": client,
                    "provider": provider,
                    "relationship": relationship,
                    "programs": [program_label(row.program) for row in ending if row.program],
                    "is_over": is_over,
                    "is_left": verb == "relationship.leave",
                    "is_client": business == client,
                    "reason": reason,
                },
            )


def _extensions(terms: Terms) -> list[str]:
    """The program accounts of the terms by extension, as history keeps them; "" for all of them."""
    return sorted(row.program.extension if row.program else "" for row in terms)


def _about(verb: str, access: Access, relationship: Relationship) -> dict[str, Any]:
    """The part of a history event that an end and a refused one share."""
    return {
        "verb": verb,
        "at": access.at,
        "actor": access.person,
        "acting_for": access.acting_for.bn9,
        "object_type": "relationship",
        "object_id": str(relationship.pk),
        "object_label": relationship.provider.name,
    }
