"""Muting whoever a business does not know: it sees nothing more of them, and they learn nothing.

History is the muting business's own: no event is written in the chain of whoever is muted, and
nothing that they can open reads a mute.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import (
    Refusal,
    business_chain,
    hold_chains,
    not_before,
    record,
    refuse,
)
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    Membership,
    Mute,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
)
from delegation.models.periods import during
from delegation.permissions import can_mute
from delegation.services import locks
from delegation.services.decisions import Problem, not_allowed
from delegation.services.offers import lock_offers_to, withdraw_offers


@transaction.atomic
def mute_firm(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_request: RelationshipRequest,
    report: str,
    at: datetime,
) -> Mute | Refusal:
    """Mute the firm that sent a request. With a `report` the officers of the agency read of it."""
    firm, asked_bn9 = relationship_request.provider, relationship_request.client_bn9
    return _mute_business(actor, acting_for, firm, asked_bn9, report, at)


@transaction.atomic
def mute_client(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_offer: RelationshipOffer,
    report: str,
    at: datetime,
) -> Mute | Refusal:
    """Mute the business that made an offer, as a firm that sent a request is muted."""
    client, asked_bn9 = relationship_offer.client, relationship_offer.provider_bn9
    return _mute_business(actor, acting_for, client, asked_bn9, report, at)


@transaction.atomic
def mute_person(
    *,
    actor: User,
    acting_for: BusinessAccount,
    access_request: AccessRequest,
    report: str,
    at: datetime,
) -> Mute | Refusal:
    """Mute the person who asked for access. With a `report` the officers read of it."""
    locks.lock_rights(acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    person = access_request.person
    problem = _why_not(actor, acting_for, access_request.bn9, at)
    works = Membership.objects.filter(during(at), business=acting_for, person=person)
    if not problem and works.exists():
        problem = (
            "works_here",
            _("This person belongs to the business, so it is not unknown. Reject the request."),
        )
    return _mute(actor, acting_for, {"person": person}, person.get_full_name(), problem, report, at)


@transaction.atomic
def end_mute(
    *, actor: User, acting_for: BusinessAccount, mute: Mute, at: datetime
) -> Mute | Refusal:
    """Show the requests of a firm or a person again, those that still wait included."""
    locks.lock_rights(acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    locked = Mute.objects.select_related("provider", "person").get(pk=mute.pk)
    problem = _why_not(actor, acting_for, locked.business.bn9, at)
    if not problem and not locked.active_at(at):
        problem = "already_ended", _("These requests are shown already. Nothing was changed.")
    name = locked.provider.name if locked.provider else str(locked.person)
    about = _about(actor, acting_for, name, str(locked.pk), at) | {"verb": "mute.end"}
    if problem:
        return refuse(code=problem[0], message=problem[1], **about)
    locked.ends_at, locked.ended_by = at, actor
    locked.save(update_fields=["ends_at", "ended_by"])
    record(path="own:bam", **about)
    return locked


def _mute_business(
    actor: User,
    acting_for: BusinessAccount,
    other: BusinessAccount,
    asked_bn9: str,
    report: str,
    at: datetime,
) -> Mute | Refusal:
    """Mute a business that is unknown, and withdraw what it was offered: that is held before."""
    locks.lock_rights(acting_for)
    waiting = lock_offers_to(acting_for, other, at)
    if waiting:
        hold_chains(business_chain(acting_for.bn9), business_chain(other.bn9))
    at = not_before(at, business_chain(acting_for.bn9))
    problem = _why_not(actor, acting_for, asked_bn9, at) or _why_known(acting_for, other, at)
    muted = _mute(actor, acting_for, {"provider": other}, other.name, problem, report, at)
    if isinstance(muted, Mute):
        withdraw_offers(waiting, Access(actor, acting_for, at))
    return muted


def _why_known(acting_for: BusinessAccount, other: BusinessAccount, at: datetime) -> Problem | None:
    """Why a business is not unknown: one of the two acts for the other."""
    live = Relationship.objects.filter(during(at))
    if live.filter(client=acting_for, provider=other).exists():
        return "acts_for_you", _(
            "This firm acts for this business, so it is not unknown. End the relationship first."
        )
    if live.filter(client=other, provider=acting_for).exists():
        return "is_a_client", _(
            "Your firm acts for this business, so it is not unknown. Leave the client first."
        )
    return None


def _mute(
    actor: User,
    acting_for: BusinessAccount,
    whom: dict[str, Any],
    name: str,
    problem: Problem | None,
    report: str,
    at: datetime,
) -> Mute | Refusal:
    live = Mute.objects.filter(during(at), business=acting_for, **whom)
    if not problem and live.exists():
        problem = "already_muted", _("The requests are hidden already. Nothing was changed.")
    mute = Mute(business=acting_for, muted_by=actor, report=report, starts_at=at, **whom)
    about = _about(actor, acting_for, name, str(mute.pk), at) | {"verb": "mute.create"}
    if problem:
        return refuse(code=problem[0], message=problem[1], **about)
    mute.save(force_insert=True)
    record(path="own:bam", after={"is_reported": bool(report)}, reason=report, **about)
    return mute


def _why_not(
    actor: User, acting_for: BusinessAccount, asked_bn9: str, at: datetime
) -> Problem | None:
    decision = can_mute(Access(actor, acting_for, at))
    if asked_bn9 == acting_for.bn9 and decision.allowed:
        return None
    return not_allowed(acting_for, _("Only a Business Account Manager mutes firms and people."))


def _about(
    actor: User, acting_for: BusinessAccount, name: str, pk: str, at: datetime
) -> dict[str, Any]:
    """The part of a history event that every act on a mute shares: one chain, the own."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "mute",
        "object_id": pk,
        "object_label": name,
    }
