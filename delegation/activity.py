"""The history of a business as its managers read it: who did what, for whom, by which right."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit.models import Event
from audit.services import business_chain
from audit.verbs import REFUSED, sentence
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipOffer, RelationshipRequest
from delegation.models.continuity import SUCCESSOR
from delegation.offers import received_offers
from delegation.roles import Role
from delegation.standing import PathKind

SHOWN = 16
"""How much of the hash of an entry the page shows: enough to compare with a document."""


@dataclass(frozen=True)
class Act:
    """One event in words."""

    sentence: str
    about: str
    who: str
    at: datetime
    acting_for: str
    right: str
    reason: str
    number: int
    hash: str


def events_of(business: BusinessAccount) -> QuerySet[Event]:
    """The events of the chain of a business."""
    return Event.objects.filter(chain=business_chain(business.bn9))


def acts(events: Sequence[Event], access: Access) -> list[Act]:
    """The events in words; two queries name the businesses and the clients in them."""
    own = access.acting_for.bn9
    numbers = {event.acting_for for event in events} - {"", own}
    names = {**_names(access, numbers), own: str(access.acting_for)}
    about = _clients(events, own)
    return [
        Act(
            sentence=sentence(event),
            about=about.get(event.object_id) or str((event.after or {}).get("target", "")),
            who=_who(event, own, names),
            at=event.at,
            acting_for=names[own] if event.acting_for == own else "",
            right=right_in_words(event.path),
            # Of a refusal the reason is a code.
            reason="" if event.verb.endswith(REFUSED) else event.reason,
            number=event.seq,
            hash=event.hash[:SHOWN],
        )
        for event in events
    ]


def _who(event: Event, own: str, names: Mapping[str, str]) -> str:
    """The person who acted; of another business itself alone, for who works there is its own."""
    if event.acting_for not in ("", own):
        return names.get(event.acting_for, show_bn9(event.acting_for))
    return event.actor_name or _("The portal")


def _names(access: Access, numbers: Collection[str]) -> dict[str, str]:
    """The businesses that the pages of the business acted for name, by number: 1 query.

    Whoever asks for a relationship or offers one says who it is; whoever was asked stays a number
    until it agrees.
    """
    own = access.acting_for
    asked = RelationshipRequest.objects.filter(client_bn9=own.bn9, provider=OuterRef("pk"))
    offered = received_offers(access).filter(client=OuterRef("pk"))
    agreed = Relationship.objects.filter(
        Q(client=own, provider=OuterRef("pk")) | Q(provider=own, client=OuterRef("pk"))
    )
    known = Exists(agreed) | Exists(asked) | Exists(offered)
    return {one.bn9: str(one) for one in BusinessAccount.objects.filter(known, bn9__in=numbers)}


def _clients(events: Sequence[Event], own: str) -> dict[str, str]:
    """The client of each relationship, request for one and offer of the business `own`."""
    about = [one.object_id for one in events if one.object_type.startswith("relationship")]
    asked = RelationshipRequest.objects.filter(pk__in=about).exclude(client_bn9=own)
    given = Relationship.objects.filter(pk__in=about).exclude(client__bn9=own)
    offered = RelationshipOffer.objects.filter(pk__in=about).exclude(client__bn9=own)
    numbers = asked.values_list("pk", "client_bn9").union(
        given.values_list("pk", "client__bn9"), offered.values_list("pk", "client__bn9")
    )
    return {str(pk): _("Client: %(bn)s") % {"bn": show_bn9(bn9)} for pk, bn9 in numbers}


def right_in_words(path: str) -> str:
    """The right that a path of the access decision names; nothing where none was needed."""
    if path == SUCCESSOR:
        return _("Named successor")
    if path == PathKind.OFFICER:
        return _("Officer of the agency")
    kind, _sep, rest = path.partition(":")
    role = rest.partition(":")[0]
    if role not in Role:
        return ""
    words = {
        PathKind.OWN: _("%(role)s of the business"),
        PathKind.PROVIDER: _("%(role)s at most, by a business relationship"),
        PathKind.RESIDUAL: _("%(role)s of what the firm submitted itself"),
    }
    return words[PathKind(kind)] % {"role": Role(role).label}
