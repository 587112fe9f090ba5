"""Offers of a business relationship: a client's manager offers, the provider accepts or declines.

An offer is an agreement that waits. Nothing of the business offered to is looked at when it is made
(decision 38), and what was offered is all that can be accepted (decision 42).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.consent import OFFER_VERSION
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Mute,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipTerms,
    Status,
    Visibility,
)
from delegation.models.periods import during
from delegation.models.requests import TRANSITIONS
from delegation.offers import sent_offers
from delegation.permissions import (
    can_accept_relationship_offer,
    can_create_relationship_offer,
    can_decline_relationship_offer,
    can_withdraw_relationship_offer,
)
from delegation.roles import Action
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.agreements import (
    Agreement,
    Rules,
    conclude,
    lock_relationships,
    why_not_period,
    why_not_provider,
    why_not_scope,
    why_not_suspended,
)
from delegation.services.decisions import Problem, close, lock, not_allowed, own_path
from delegation.services.limits import count_relationship_offer
from delegation.services.parties import show_again
from notices.services import notify
from pages.formats import moment

ALREADY_WAITING = gettext_lazy(
    "This business has an offer waiting at this business number already. Whoever manages all that "
    "it offers finds it under Sent requests, and can withdraw it."
)
MUTED = gettext_lazy(
    "This business does not know this firm: its requests are hidden. Show them again first, under "
    "“Muted”."
)
OWN_BUSINESS = gettext_lazy("This is your own business number. Enter that of the firm.")
STANDS_NO_MORE = gettext_lazy(
    "This offer cannot be accepted any more as it was made. Nothing was changed. Ask the client "
    "for a new one."
)


@transaction.atomic
def create_relationship_offer(
    *,
    actor: User,
    acting_for: BusinessAccount,
    provider_bn9: str,
    agreement: Agreement,
    comment: str,
    at: datetime,
) -> RelationshipOffer | Refusal:
    """Offer a BN9 authority. It need not be registered, nor be a service provider: the offer waits.

    It lapses as a request does, and no later than the authority that it offers would end.
    """
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    about = _about(actor, acting_for, acting_for, provider_bn9, at)
    refused = about | {"verb": "relationship_offer.create", "object_type": "business"}
    refused |= {"object_id": provider_bn9, "chains": [business_chain(acting_for.bn9)]}
    too_many = count_relationship_offer(acting_for, refused)
    if too_many:
        return too_many
    access = Access(actor, acting_for, at)
    problem = why_not_offerable(access, provider_bn9, agreement, since=at)
    if problem:
        return refuse(code=problem[0], message=problem[1], **refused)
    offer = offer_of(actor, acting_for, provider_bn9, agreement, comment, at)
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError:
        return refuse(code="already_waiting", message=ALREADY_WAITING, **refused)
    offer.programs.set(agreement.programs)
    extensions = offer.programs.values_list("extension", flat=True)
    record(
        verb="relationship_offer.create",
        after=agreement.recorded(extensions),
        path=own_path(access),
        **about | {"object_id": str(offer.pk)},
    )
    return offer


@transaction.atomic
def accept_relationship_offer(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_offer: RelationshipOffer,
    expected_version: int,
    at: datetime,
) -> Relationship | Refusal:
    """Take what was offered, whole; the terms are those of the person who offered it.

    Whether that person may give it is asked again, now. What was agreed or ended on the same
    program accounts since the offer takes its place.
    """
    client = relationship_offer.client
    locks.lock_rights(client, used=[acting_for])
    locked = lock(relationship_offer)
    _lock_pair(client, acting_for)
    at = not_before(at, business_chain(client.bn9), business_chain(acting_for.bn9))
    access, agreement = Access(actor, acting_for, at), offered_agreement(locked, at)
    problem = why_not_acceptable(access, locked, expected_version)
    if problem:
        return _refuse("relationship_offer.accept", problem, access, locked)
    relationship = conclude(
        begun_by=locked,
        client=client,
        provider=acting_for,
        agreement=agreement,
        agreed_by=locked.offered_by,
        agreed_at=locked.starts_at,
        at=at,
    )
    show_again(relationship, at)
    close(locked, Decision.APPROVED, actor, at)
    _tell_client("relationship_offer_accepted", access, locked, relationship=relationship)
    given = locked.programs.values_list("extension", flat=True)
    told = agreement.recorded(given) | {"is_suspended": relationship.suspended_at is not None}
    _record("relationship_offer.accept", access, locked, after=told)
    return relationship


@transaction.atomic
def decline_relationship_offer(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_offer: RelationshipOffer,
    reason: str,
    expected_version: int,
    at: datetime,
) -> RelationshipOffer | Refusal:
    """Decline an offer whole, with a reason that the client reads."""
    locks.lock_rights(used=[acting_for])
    locked = lock(relationship_offer)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = _why_not_decidable(access, locked, Decision.REJECTED, expected_version)
    if not can_decline_relationship_offer(access, locked):
        problem = not_allowed(acting_for, _("Only a manager of the firm answers this offer."))
    if problem:
        return _refuse("relationship_offer.decline", problem, access, locked)
    locked.reason = reason
    close(locked, Decision.REJECTED, actor, at)
    _tell_client("relationship_offer_declined", access, locked, reason=reason)
    _record("relationship_offer.decline", access, locked, reason=reason)
    return locked


@transaction.atomic
def withdraw_relationship_offer(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_offer: RelationshipOffer,
    at: datetime,
) -> RelationshipOffer | Refusal:
    """Take back an offer of the own business while it waits; nobody is written to."""
    locks.lock_rights(used=[acting_for])
    locked = lock(relationship_offer)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = _why_not_decidable(access, locked, Decision.WITHDRAWN, None)
    is_ours = locked.client_id == acting_for.pk
    if not is_ours or not can_withdraw_relationship_offer(access, locked):
        said = _("Only a manager of all that was offered withdraws this offer.")
        problem = not_allowed(acting_for, said)
    if problem:
        return _refuse("relationship_offer.withdraw", problem, access, locked)
    close(locked, Decision.WITHDRAWN, actor, at)
    _record("relationship_offer.withdraw", access, locked)
    return locked


def lock_offers_to(
    business: BusinessAccount, firm: BusinessAccount, at: datetime
) -> list[RelationshipOffer]:
    """What a business offered a firm and still waits, held; the business row is held before."""
    waiting = RelationshipOffer.objects.pending_at(at).filter(
        client=business, provider_bn9=firm.bn9
    )
    return list(waiting.select_for_update(no_key=True).order_by("pk"))


def withdraw_offers(waiting: Iterable[RelationshipOffer], access: Access) -> None:
    """Take back the offers that are held, to a firm that the business does not know."""
    for offer in waiting:
        close(offer, Decision.WITHDRAWN, access.person, access.at)
        _record("relationship_offer.withdraw", access, offer)


def why_not_offerable(
    access: Access, provider_bn9: str, agreement: Agreement, *, since: datetime
) -> Problem | None:
    """Why the person cannot give this to a number, or nothing: all of it is the client’s to know.

    What was in force with the firm on the same program accounts `since` an instant bars it.
    """
    allowed = can_create_relationship_offer(access)
    if not allowed.allowed:
        return "not_allowed", str(allowed.reason.label)
    if provider_bn9 == access.acting_for.bn9:
        return "own_business", str(OWN_BUSINESS)
    if _muted(access, provider_bn9):
        return "muted", str(MUTED)
    own = {program.extension for program in access.overseen(Action.MANAGE_RELATIONSHIPS)}
    return (
        why_not_scope(access, own, agreement)
        or why_not_period(access.at, agreement)
        or _why_not_new(access.acting_for, provider_bn9, agreement, since)
        or why_not_suspended(access, provider_bn9)
    )


def why_not_acceptable(
    access: Access, offer: RelationshipOffer, expected_version: int | None
) -> Problem | None:
    """Why an offer cannot be accepted now, or nothing: asked for the page and again under lock.

    Of what the client could not give any more, the firm is told that alone.
    """
    if not can_accept_relationship_offer(access, offer):
        said = _("Only a manager of the firm accepts this offer, and never who made it.")
        return not_allowed(access.acting_for, said)
    problem = _why_not_decidable(access, offer, Decision.APPROVED, expected_version)
    if problem:
        return problem
    agreement = offered_agreement(offer, access.at)
    offerer = Access(offer.offered_by, offer.client, access.at)
    stale = why_not_offerable(offerer, offer.provider_bn9, agreement, since=offer.starts_at)
    if stale or _rejected_since(offer) or offer.consent_version != OFFER_VERSION:
        return "stands_no_more", str(STANDS_NO_MORE)
    return why_not_provider(offerer, access.acting_for)


def offered_agreement(offer: RelationshipOffer, at: datetime) -> Agreement:
    """The agreement that an offer is; with future program accounts, on all that are open now."""
    programs = offer.programs.all()
    if offer.covers_future:
        programs = offer.client.programs.exclude(closed_at__lte=at)
    return Agreement(
        level=Level(offer.level),
        programs=frozenset(one.pk for one in programs),
        ceiling=Ceiling(offer.ceiling),
        rules=Rules(
            Visibility(offer.visibility_broker),
            Visibility(offer.visibility_importer),
            Visibility(offer.visibility_other),
        ),
        last_day=offer.last_day,
        covers_future=offer.covers_future,
        open_end_reason=offer.open_end_reason,
        may_submit=offer.may_submit,
        may_pay=offer.may_pay,
        may_see_amounts=offer.may_see_amounts,
        consent_version=offer.consent_version,
    )


def offer_of(
    actor: User,
    client: BusinessAccount,
    provider_bn9: str,
    agreement: Agreement,
    comment: str,
    at: datetime,
) -> RelationshipOffer:
    """An offer of the agreement, not saved and without its program accounts."""
    lapse = at + relativedelta(months=settings.RELATIONSHIP_REQUEST_LAPSE_MONTHS)
    return RelationshipOffer(
        client=client,
        provider_bn9=provider_bn9,
        level=agreement.level,
        covers_future=agreement.covers_future,
        ceiling=agreement.ceiling,
        may_submit=agreement.may_submit,
        may_pay=agreement.may_pay,
        may_see_amounts=agreement.may_see_amounts,
        last_day=agreement.last_day,
        open_end_reason=agreement.open_end_reason,
        comment=comment,
        consent_version=agreement.consent_version,
        offered_by=actor,
        starts_at=at,
        closes_at=min(lapse, agreement.ends_at or lapse),
        **agreement.rules.columns(),
    )


def _why_not_new(
    client: BusinessAccount, provider_bn9: str, agreement: Agreement, since: datetime
) -> Problem | None:
    """Refuse to offer what the firm has already, or had since the offer was made."""
    scope = Q() if agreement.covers_future else Q(program__in=agreement.programs) | Q(program=None)
    lasting = Q(ends_at=None) | Q(ends_at__gt=since)
    lasting &= Q(relationship__ends_at=None) | Q(relationship__ends_at__gt=since)
    pair = {"relationship__client": client, "relationship__provider__bn9": provider_bn9}
    if not RelationshipTerms.objects.filter(scope, lasting, **pair).exists():
        return None
    return "acts_already", _(
        "The firm of this number acts on some of these program accounts already. Change what it "
        "may do there instead, under Manage My Business Relationships."
    )


def _muted(access: Access, provider_bn9: str) -> bool:
    """Whether the client does not know the firm, by its own word."""
    live = Mute.objects.filter(during(access.at), business=access.acting_for)
    return live.filter(provider__bn9=provider_bn9).exists()


def _rejected_since(offer: RelationshipOffer) -> bool:
    """Whether the client rejected a request of the firm after it had made the offer."""
    asked = RelationshipRequest.objects.filter(
        provider__bn9=offer.provider_bn9, client_bn9=offer.client.bn9
    )
    return asked.filter(decision=Decision.REJECTED, decided_at__gte=offer.starts_at).exists()


def _lock_pair(client: BusinessAccount, provider: BusinessAccount) -> None:
    """Hold what else could begin a relationship of the pair, then the relationships themselves."""
    asked = RelationshipRequest.objects.filter(
        provider=provider, client_bn9=client.bn9, decision=""
    )
    list(asked.select_for_update(no_key=True).order_by("pk"))
    lock_relationships(client, provider)


def _why_not_decidable(
    access: Access, offer: RelationshipOffer, decision: Decision, expected_version: int | None
) -> Problem | None:
    """Why the offer cannot be decided so: each side reads of the other what it did, not who."""
    status = offer.status_at(access.at)
    if decision in TRANSITIONS[status]:
        is_stale = expected_version is not None and expected_version != offer.version
        changed = _("This offer changed while you had the page open. Read it again, then decide.")
        return ("changed", changed) if is_stale else None
    words = {
        Status.LAPSED: _("This offer lapsed on %(when)s, unanswered. Nothing was changed."),
        Status.APPROVED: _("This offer was accepted on %(when)s. Nothing was changed."),
        Status.REJECTED: _("This offer was declined on %(when)s. Nothing was changed."),
        Status.WITHDRAWN: _("This offer was withdrawn on %(when)s. Nothing was changed."),
    }
    code = "lapsed" if status is Status.LAPSED else "already_decided"
    return code, words[status] % {"when": moment(offer.closes_at)}


def _tell_client(template: str, access: Access, offer: RelationshipOffer, **told: Any) -> None:
    """Tell the managers of the client, and who offered where that person may still read it."""
    people = {one.pk: one for one in role_service.managers_of(offer.client.bn9, access.at)}
    if sent_offers(Access(offer.offered_by, offer.client, access.at)).filter(pk=offer.pk).exists():
        people[offer.offered_by_id] = offer.offered_by
    for person in people.values():
        notify(
            key=f"{template}:{offer.pk}:{person.pk}",
            template=f"delegation/email/{template}.txt",
            recipient=person,
            context={"offer": offer, "client": offer.client, "firm": access.acting_for, **told},
        )


def _about(
    actor: User, acting_for: BusinessAccount, client: BusinessAccount, provider_bn9: str,
    at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The part of a history event that every act on an offer shares."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(client.bn9), business_chain(provider_bn9)],
        "object_type": "relationship_offer",
        "object_label": show_bn9(provider_bn9),
    }


def _record(verb: str, access: Access, offer: RelationshipOffer, **told: Any) -> None:
    about = _about(access.person, access.acting_for, offer.client, offer.provider_bn9, access.at)
    record(verb=verb, object_id=str(offer.pk), path=own_path(access), **about | told)


def _refuse(verb: str, problem: Problem, access: Access, offer: RelationshipOffer) -> Refusal:
    """A refused attempt is told to the own business alone: it would tell the other one too much."""
    about = _about(access.person, access.acting_for, offer.client, offer.provider_bn9, access.at)
    own = {"chains": [business_chain(access.acting_for.bn9)], "object_id": str(offer.pk)}
    return refuse(code=problem[0], message=problem[1], verb=verb, **about | own)
