"""What was agreed changes: the client widens or narrows it, the firm gives some of it back."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipTerms, Visibility
from delegation.models.periods import during
from delegation.permissions import can_change_relationship, can_leave_relationship
from delegation.services.agreements import (
    Agreement,
    Rules,
    agree,
    recorded_terms,
    span,
    why_not_over_business_terms,
    why_not_period,
    why_not_provider,
    why_not_scope,
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
from delegation.terms import extensions, fingerprint, live_terms

CHANGE, NARROW = "relationship.change", "relationship.narrow"
ORDER = tuple(Visibility)
"""The visibility rules from the least to the most."""

Terms = list[RelationshipTerms]


@dataclass(frozen=True)
class Narrowing:
    """What a firm keeps: of the terms by extension ("" are those of all programs), at most so."""

    extensions: frozenset[str]
    rules: Rules

    def keeps(self, row: RelationshipTerms) -> bool:
        """Whether the firm keeps anything of these terms."""
        return extensions([row])[0] in self.extensions

    def rules_of(self, row: RelationshipTerms) -> dict[str, Visibility]:
        """The lesser of what was agreed and what the firm keeps, for each rule."""
        return {
            name: min(Visibility(getattr(row, name)), most, key=ORDER.index)
            for name, most in self.rules.columns().items()
        }

    def touches(self, row: RelationshipTerms) -> bool:
        """Whether these terms become less."""
        kept = self.rules_of(row)
        return not self.keeps(row) or any(getattr(row, name) != kept[name] for name in kept)


@transaction.atomic
def change_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    agreement: Agreement,
    keeps_others: bool,
    expected_terms: str,
    at: datetime,
) -> Relationship | Refusal:
    """Put new terms in the place of those that the actor may change, at once.

    On the program accounts of the agreement the new terms hold; on the others the firm keeps what
    it has, or loses it. `expected_terms` is the fingerprint of what the page showed as changing.
    """
    locked = lock_relationship(relationship)
    access = access_to(locked, actor, acting_for, at)
    live = _live(access, locked)
    mine = can_change_relationship(access, live) if locked.client_id == acting_for.pk else []
    problem = _why_stale(live, mine, expected_terms) or why_not_changeable(
        access, locked, mine, agreement
    )
    if problem:
        return refuse_act(CHANGE, problem, access, locked)
    before = recorded_terms(mine)
    programs = [one for one in acting_for.programs.all() if one.pk in agreement.programs]
    if not (keeps_others or agreement.covers_future):
        lost = [row.pk for row in mine if row.program_id not in agreement.programs]
        locked.terms.filter(pk__in=lost).update(ends_at=access.at, ended_by=actor)
    agree(locked, agreement, programs, actor, access.at)
    show_again(locked, access.at)
    tell_both(CHANGE, access, locked, "relationship_changed", is_by_firm=False)
    told = agreement.recorded(one.extension for one in programs) | {"keeps_others": keeps_others}
    record_act(CHANGE, access, locked, before={"terms": before}, after=told)
    return locked


@transaction.atomic
def narrow_relationship(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    narrowing: Narrowing,
    expected_terms: str,
    at: datetime,
) -> Relationship | Refusal:
    """Give back some of what the client gave, at once: a firm narrows, it never widens.

    What is kept stays agreed to by whoever of the client agreed to it.
    """
    locked = lock_relationship(relationship)
    access = access_to(locked, actor, acting_for, at)
    is_ours = locked.provider_id == acting_for.pk and can_leave_relationship(access).allowed
    live = _live(access, locked)
    mine = live if is_ours else []
    problem = _why_stale(live, mine, expected_terms) or why_not_narrower(narrowing, mine)
    if problem:
        return refuse_act(NARROW, problem, access, locked)
    touched = [row for row in mine if narrowing.touches(row)]
    locked.terms.filter(pk__in=[row.pk for row in touched]).update(
        ends_at=access.at, ended_by=actor
    )
    RelationshipTerms.objects.bulk_create(
        _narrowed(row, narrowing, access.at) for row in touched if narrowing.keeps(row)
    )
    span(locked, access.at)
    locked.save()
    show_again(locked, access.at)
    tell_both(NARROW, access, locked, "relationship_changed", is_by_firm=True)
    record_act(
        NARROW,
        access,
        locked,
        before={"terms": recorded_terms(mine)},
        after={"terms": recorded_terms(_live(access, locked))},
    )
    return locked


def why_not_changeable(
    access: Access, relationship: Relationship, mine: Terms, agreement: Agreement
) -> Problem | None:
    """Why this cannot be agreed now, or nothing: asked before the confirmation and under lock."""
    return (
        why_not_provider(access, relationship.provider)
        or why_not_scope(access, extensions(mine), agreement)
        or why_not_period(access.at, agreement)
        or why_not_over_business_terms(access, relationship.provider, agreement)
    )


def why_not_narrower(narrowing: Narrowing, mine: Terms) -> Problem | None:
    """Refuse to give back nothing, and to give back everything: that is to leave."""
    if not any(narrowing.keeps(row) for row in mine):
        return "no_programs", _(
            "Keep at least one program account. To give back everything, leave the client."
        )
    if not any(narrowing.touches(row) for row in mine):
        return "not_narrower", _("This is what your firm may do today. Nothing was changed.")
    return None


def _live(access: Access, relationship: Relationship) -> Terms:
    terms = relationship.terms.filter(during(access.at)).select_related("program", "relationship")
    return live_terms(terms, access.at)


def _why_stale(live: Terms, mine: Terms, expected_terms: str) -> Problem | None:
    """Refuse what is over by now, what is not the actor's to change, and what no page showed."""
    if not live:
        return "already_ended", _("This relationship is over already. Nothing was changed.")
    if not mine:
        return "not_allowed", _("Nothing in this relationship is yours to change.")
    if fingerprint(mine) != expected_terms:
        return "changed", _(
            "What was agreed changed while you had the page open. Nothing was changed by you. "
            "Read it again, then confirm."
        )
    return None


def _narrowed(row: RelationshipTerms, narrowing: Narrowing, at: datetime) -> RelationshipTerms:
    """The same terms from `at` on, with what is left of their rules; not saved."""
    rules = narrowing.rules_of(row)
    kept = {
        field.attname: getattr(row, field.attname)
        for field in RelationshipTerms._meta.concrete_fields
        if field.attname not in {"id", "starts_at", "ended_by_id", *rules}
    }
    return RelationshipTerms(**kept, **rules, starts_at=at)
