"""Offers of a relationship in words, as the client that made them and the firm read them.

The client reads of a number that has not accepted nothing but what it wrote itself: no name, and
no search by one. Who of the other side acted is told to neither.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.looking_for import named, numbered
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    RelationshipOffer,
    Status,
)
from delegation.models.mutes import muted
from delegation.models.requests import RequestQuerySet
from delegation.permissions import can_list_received_offers
from delegation.relationships import managed_programs
from delegation.requests import TAGS
from delegation.terms import (
    CLIENT_LABELS,
    PROVIDER_LABELS,
    State,
    Words,
    program_label,
    rules_in_words,
    until,
)
from pages.formats import end_of_day, moment
from pages.paging import Page, page_by_key

LABELS: dict[Status, Words] = {
    Status.PENDING: gettext_lazy("Waiting"),
    Status.LAPSED: gettext_lazy("Lapsed"),
    Status.APPROVED: pgettext_lazy("offer", "Accepted"),
    Status.REJECTED: pgettext_lazy("offer", "Declined"),
    Status.WITHDRAWN: gettext_lazy("Withdrawn"),
}
"""What an offer is called by what became of it."""


@dataclass(frozen=True)
class Offered:
    """An offer in words. `firm` is empty until it accepted, `next` once the offer is over."""

    offer: RelationshipOffer
    bn: str
    firm: str
    state: State
    level: str
    ceiling: str
    programs: tuple[str, ...]
    rules: tuple[tuple[Words, str], ...]
    until: str
    next: str
    outcome: str


def sent_offers(access: Access) -> RequestQuerySet:
    """What the business offered: to a BAM all of it, to a PAM what is on its program accounts."""
    every = RelationshipOffer.objects.filter(client=access.acting_for)
    if not access.is_bam:
        mine = RelationshipOffer.programs.through.objects.filter(
            relationshipoffer=OuterRef("pk"), programaccount__in=managed_programs(access)
        )
        every = every.filter(Exists(mine), level=Level.PROGRAM)
    return every.select_related("client", "offered_by", "decided_by").prefetch_related("programs")


def waiting_offers(access: Access, provider: BusinessAccount) -> RequestQuerySet:
    """What the business offered this firm and the firm may still accept."""
    return sent_offers(access).pending_at(access.at).filter(provider_bn9=provider.bn9)


def received_offers(access: Access) -> RequestQuerySet:
    """What was offered to the firm, but for what nobody answered of a business that it muted."""
    unseen = Q(muted(access.at, "provider_bn9", "provider", "client"), decision="")
    every = RelationshipOffer.objects.filter(provider_bn9=access.acting_for.bn9).exclude(unseen)
    return every.select_related("client", "offered_by", "decided_by").prefetch_related("programs")


def offers_to_answer(access: Access) -> RequestQuerySet:
    """The offers that wait for the person's answer: none that the person made for a client."""
    if not can_list_received_offers(access).allowed:
        return RelationshipOffer.objects.none()
    return received_offers(access).pending_at(access.at).exclude(offered_by=access.person)


def sent_offer_list(access: Access, text: str, *, after: str = "") -> Page[RelationshipOffer]:
    """A page of what was offered, the newest first; a firm is found by name once it accepted."""
    rows = sent_offers(access)
    if text:
        firms = BusinessAccount.objects.filter(named("", text), bn9=OuterRef("provider_bn9"))
        known = Q(Exists(firms), decision=Decision.APPROVED)
        rows = rows.filter(known | numbered("provider_bn9", text))
    return page_by_key(rows, key=("starts_at", "id"), after=after)


def received_offer_list(access: Access, text: str, *, after: str = "") -> Page[RelationshipOffer]:
    """A page of what was received, the newest first."""
    rows = received_offers(access)
    if text:
        rows = rows.filter(named("client__", text) | numbered("client__bn9", text))
    return page_by_key(rows, key=("starts_at", "id"), after=after)


def in_words(offers: Iterable[RelationshipOffer], access: Access) -> list[Offered]:
    """Offers as their reader may know them: 1 query, and 1 more for a PAM, however many."""
    rows = list(offers)
    accepted = {one.provider_bn9 for one in rows if one.decision == Decision.APPROVED}
    firms = BusinessAccount.objects.filter(bn9__in=accepted).values_list("bn9", "legal_name")
    names, mine = dict(firms), {one.pk for one in managed_programs(access)}
    return [_in_words(one, access, names.get(one.provider_bn9, ""), mine) for one in rows]


def _in_words(
    offer: RelationshipOffer, access: Access, firm: str, mine: Collection[int]
) -> Offered:
    is_client = offer.client_id == access.acting_for.pk
    status = offer.status_at(access.at)
    return Offered(
        offer=offer,
        bn=show_bn9(offer.provider_bn9),
        firm=firm if offer.decision == Decision.APPROVED else "",
        state=State(TAGS[status], str(LABELS[status]), is_over=status is not Status.PENDING),
        level=str(Level(offer.level).label),
        ceiling=str(Ceiling(offer.ceiling).label),
        programs=_programs(offer, None if access.is_bam or not is_client else mine),
        rules=rules_in_words(offer, CLIENT_LABELS if is_client else PROVIDER_LABELS),
        until=capfirst(until(end_of_day(offer.last_day) if offer.last_day else None)),
        next=_next(offer, status, is_client=is_client),
        outcome=_outcome(offer, status, is_client=is_client),
    )


def _programs(offer: RelationshipOffer, mine: Collection[int] | None) -> tuple[str, ...]:
    """The program accounts by name; of those, where `mine` is given, the reader's."""
    if offer.covers_future:
        return (_("All program accounts, those opened later included"),)
    shown = [one for one in offer.programs.all() if mine is None or one.pk in mine]
    return tuple(sorted(program_label(one) for one in shown))


def _next(offer: RelationshipOffer, status: Status, *, is_client: bool) -> str:
    """Who has to do something, and until when."""
    if status is not Status.PENDING:
        return ""
    when = {"when": moment(offer.closes_at)}
    if is_client:
        return _("The firm decides. Unanswered, the offer lapses on %(when)s.") % when
    return _("Your firm decides. Unanswered, the offer lapses on %(when)s.") % when


def _outcome(offer: RelationshipOffer, status: Status, *, is_client: bool) -> str:
    """What became of an offer; a person is named to the own side alone."""
    if status is Status.PENDING:
        return ""
    own = {
        Status.APPROVED: _("Accepted by %(name)s on %(when)s."),
        Status.REJECTED: _("Declined by %(name)s on %(when)s."),
        Status.WITHDRAWN: _("Withdrawn by %(name)s on %(when)s."),
    }
    others = {
        Status.APPROVED: _("Accepted by the firm on %(when)s."),
        Status.REJECTED: _("Declined by the firm on %(when)s."),
        Status.WITHDRAWN: _("Withdrawn by the client on %(when)s."),
        Status.LAPSED: _("Lapsed on %(when)s: nobody had answered."),
    }
    words = own if is_client == (status is Status.WITHDRAWN) else others
    name = offer.decided_by.get_full_name() if offer.decided_by else ""
    return words.get(status, others[status]) % {"name": name, "when": moment(offer.closes_at)}
