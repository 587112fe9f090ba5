"""Renewal: what a firm may do goes on until a later day, the same or less of it, never more."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipTerms
from delegation.models.periods import during
from delegation.permissions import can_renew_relationship
from delegation.services.agreements import (
    continued,
    recorded_terms,
    span,
    why_not_last_day,
    why_not_provider,
)
from delegation.services.decisions import Problem
from delegation.services.parties import (
    access_to,
    lock_relationship,
    record_act,
    refuse_act,
    show_again,
    tell_both,
)
from delegation.terms import extensions, fingerprint, programs_in_words, renewable_terms
from pages.formats import end_of_day

VERB = "relationship.renew"

Terms = list[RelationshipTerms]


@dataclass(frozen=True)
class Renewal:
    """Until which local day, and which of the terms by extension: "" names those of all programs.

    Terms that last as long already stay as they are.
    """

    last_day: date
    extensions: frozenset[str]

    @property
    def ends_at(self) -> datetime:
        """The first instant after the last day."""
        return end_of_day(self.last_day)

    def chosen(self, terms: Terms) -> Terms:
        """Those of the terms that it makes last longer."""
        return [
            row
            for row in terms
            if extensions([row])[0] in self.extensions
            and row.effective_end is not None
            and row.effective_end < self.ends_at
        ]


@transaction.atomic
def renew_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    renewal: Renewal,
    expected_terms: str,
    at: datetime,
) -> Relationship | Refusal:
    """Let terms that a manager of the client may renew go on; what is over begins again.

    `expected_terms` is the fingerprint of the terms that the person could renew when the page was
    made. A relationship that was suspended stays so.
    """
    locked = lock_relationship(relationship)
    access = access_to(locked, actor, acting_for, at)
    mine = _renewable(access, locked)
    chosen = renewal.chosen(mine)
    problem = (
        why_not_left(locked)
        or _why_over(locked, mine, access)
        or why_not_provider(access, locked.provider)
        or why_not_renewal(renewal, chosen, access.at)
        or _why_stale(mine, expected_terms)
    )
    if problem:
        return refuse_act(VERB, problem, access, locked)
    lasting = locked if locked.active_at(access.at) else _begin_again(locked, renewal, access)
    _renew(lasting, chosen, renewal.ends_at, access)
    about = {"programs": programs_in_words(chosen), "until": renewal.last_day}
    tell_both(VERB, access, lasting, "relationship_renewed", **about)
    after = {"programs": extensions(chosen), "last_day": renewal.last_day}
    record_act(VERB, access, lasting, before={"terms": recorded_terms(chosen)}, after=after)
    return lasting


def why_not_left(relationship: Relationship) -> Problem | None:
    """Refuse to bind a firm again that left: it says itself that it acts for the client."""
    if not relationship.is_left:
        return None
    said = _(
        "%(firm)s left this relationship, so it is not renewed without it. Offer the firm a "
        "relationship, or ask it to send you a request."
    )
    return "left", said % {"firm": relationship.provider.name}


def why_not_renewal(renewal: Renewal, chosen: Terms, at: datetime) -> Problem | None:
    """Refuse a last day out of bounds, and a renewal that makes nothing last longer."""
    if not renewal.extensions:
        return "no_programs", _("Choose at least one program account.")
    problem = why_not_last_day(at, renewal.last_day)
    if problem or chosen:
        return problem
    return "not_later", _("Choose a later day: until this one the authority lasts already.")


def _renewable(access: Access, relationship: Relationship) -> Terms:
    if relationship.client_id != access.acting_for.pk:
        return []
    terms = relationship.terms.select_related("program", "relationship")
    return can_renew_relationship(access, renewable_terms(terms, access.at))


def _why_over(relationship: Relationship, mine: Terms, access: Access) -> Problem | None:
    """Refuse what is not the actor's to renew, and what lasts again by now."""
    if not mine:
        return "not_allowed", _("Nothing in this relationship is yours to renew.")
    pair = Relationship.objects.filter(client=relationship.client, provider=relationship.provider)
    if pair.filter(during(access.at)).exclude(pk=relationship.pk).exists():
        return "already_active", _("This firm acts for you again already. Nothing was changed.")
    return None


def _why_stale(mine: Terms, expected_terms: str) -> Problem | None:
    """Refuse what the page did not show; what lasts as long already is told before."""
    if fingerprint(mine) != expected_terms:
        return "changed", _(
            "What was agreed changed while you had the page open. Nothing was renewed. Read it "
            "again, then confirm."
        )
    return None


def _begin_again(over: Relationship, renewal: Renewal, access: Access) -> Relationship:
    """A new relationship of the pair, after the one that is over."""
    return Relationship.objects.create(
        client=over.client,
        provider=over.provider,
        starts_at=access.at,
        ends_at=renewal.ends_at,
        suspended_at=access.at if over.suspended_at else None,
        request=over.request,
        offer=over.offer,
    )


def _renew(relationship: Relationship, chosen: Terms, ends_at: datetime, access: Access) -> None:
    """Close what goes on and open the same until the new end."""
    replaced = relationship.terms.filter(pk__in=[row.pk for row in chosen])
    replaced.update(ends_at=access.at)
    RelationshipTerms.objects.bulk_create(
        continued(
            terms=row,
            relationship=relationship,
            agreed_by=access.person,
            at=access.at,
            ends_at=ends_at,
        )
        for row in chosen
    )
    span(relationship, access.at)
    relationship.save()
    show_again(relationship, access.at)
