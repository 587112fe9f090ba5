"""Telling managers what waits for them: one message a day at most, and only when something is new.

A request writes no mail itself. Whoever asks must not learn from the time of an answer whether the
number is registered, so what there is to tell is found out later, by `send_due_notices`.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.models import AccessRequest, RelationshipOffer, RelationshipRequest
from delegation.models.mutes import muted
from delegation.services.roles import managers_of
from notices.services import notify
from pages.formats import last_day

type Waiting = AccessRequest | RelationshipRequest | RelationshipOffer

LISTED = 10
"""How many requests a message lists; of the others it says how many there are."""


class Kind(NamedTuple):
    """A kind of request, and its columns of the business asked and of the asker.

    `muted_as` is what a mute calls the asker; `among` are the businesses that are told.
    """

    name: str
    model: type[AccessRequest] | type[RelationshipRequest] | type[RelationshipOffer]
    column: str
    asker: str
    muted_as: str
    among: Q = Q()


KINDS = (
    Kind("access_request", AccessRequest, "bn9", "person", "person"),
    Kind("relationship_request", RelationshipRequest, "client_bn9", "provider", "provider"),
    Kind(
        "relationship_offer",
        RelationshipOffer,
        "provider_bn9",
        "client",
        "provider",
        ~Q(provider_type=BusinessAccount.ProviderType.NONE),
    ),
)


def tell_what_waits(*, at: datetime) -> int:
    """Write the digests that are due now and tell how many: late or twice, none is written twice.

    One tells of everything that waits at a business, once something came that none told of yet.
    """
    return sum(_tell(kind, bn9, at) for kind in KINDS for bn9 in _numbers_to_tell(kind, at))


def _shown(kind: Kind, at: datetime) -> QuerySet[Any]:
    """What waits and is shown to managers: not what somebody muted asks."""
    unseen = muted(at, kind.column, kind.muted_as, kind.asker)
    return kind.model._default_manager.pending_at(at).filter(~unseen)


def _numbers_to_tell(kind: Kind, at: datetime) -> list[str]:
    """The active businesses at which something waits that no digest told of."""
    active = BusinessAccount.objects.filter(
        kind.among, bn9=OuterRef(kind.column), status=BusinessAccount.Status.ACTIVE
    )
    untold = _shown(kind, at).filter(Exists(active), told_at=None)
    return sorted(set(untold.values_list(kind.column, flat=True)))


@transaction.atomic
def _tell(kind: Kind, bn9: str, at: datetime) -> bool:
    """Tell the managers of one business; nothing where they were told today already."""
    BusinessAccount.objects.select_for_update(no_key=True).get(bn9=bn9)
    every = kind.model._default_manager.filter(**{kind.column: bn9})
    last_told: datetime | None = every.aggregate(Max("told_at"))["told_at__max"]
    today = timezone.localdate(at)
    managers = managers_of(bn9, at)
    if not managers or (last_told and timezone.localdate(last_told) >= today):
        return False
    shown = _shown(kind, at).filter(**{kind.column: bn9})
    waiting: list[Waiting] = list(shown.order_by("starts_at", "pk"))
    for manager in managers:
        notify(
            key=f"{kind.name}s_waiting:{bn9}:{manager.pk}:{today}",
            template=f"delegation/email/{kind.name}_waiting.txt",
            recipient=manager,
            context=_told(bn9, waiting),
        )
    every.filter(pk__in=[one.pk for one in waiting]).update(told_at=at)
    return True


def _told(bn9: str, waiting: list[Waiting]) -> dict[str, object]:
    """What a message says: how many wait, how many of them are new, and since when each waits."""
    return {
        "bn9": bn9,
        "bn": show_bn9(bn9),
        "number": len(waiting),
        "new": sum(one.told_at is None for one in waiting),
        "listed": [
            (timezone.localdate(one.starts_at), last_day(one.closes_at)) for one in waiting[:LISTED]
        ],
        "others": max(0, len(waiting) - LISTED),
    }
