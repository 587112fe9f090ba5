"""How many requests one person or one firm may send, counted under a lock before anything else.

Nothing here looks at the business asked, so that the answer is the same for every number. A count
that cannot be made fails the act: nobody gets past a limit because it could not be read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, person_chain, refuse
from businesses.models import BusinessAccount
from delegation.models import AccessRequest, RequestTally
from pages.formats import day, start_of_day


@dataclass(frozen=True)
class Counted:
    """How many of the requests wanted may go on, and whether the first was turned away today."""

    allowed: int
    is_first: bool


def opens_again_at(at: datetime) -> datetime:
    """The instant at which a day's limit begins anew: the next midnight in Toronto."""
    return start_of_day(timezone.localdate(at) + timedelta(days=1))


def count(*, asker: str, wanted: int, most: int, at: datetime) -> Counted:
    """Count requests of one asker on one day; its row stays locked until the transaction ends."""
    on = timezone.localdate(at)
    RequestTally.objects.bulk_create([RequestTally(asker=asker, on=on)], ignore_conflicts=True)
    tally = RequestTally.objects.select_for_update().get(asker=asker, on=on)
    allowed = max(0, min(wanted, most - tally.asked))
    is_first = allowed < wanted and not tally.turned_away
    tally.asked += allowed
    tally.turned_away += wanted - allowed
    tally.save(update_fields=["asked", "turned_away"])
    return Counted(allowed, is_first)


def count_access_request(actor: User, bn9: str, at: datetime) -> Refusal | None:
    """Count one access request of a person; the refusal where it is one too many."""
    asker = person_chain(actor)
    counted = count(asker=asker, wanted=1, most=settings.ACCESS_REQUESTS_A_DAY, at=at)
    if not counted.allowed:
        about = {
            "verb": "access_request.create",
            "at": at,
            "actor": actor,
            "chains": [asker],
            "object_type": "business",
            "object_id": bn9,
        }
        return turned_away(counted, about)
    waiting = AccessRequest.objects.pending_at(at).filter(person=actor).count()
    if waiting < settings.ACCESS_REQUESTS_WAITING:
        return None
    message = _(
        "You have %(number)s requests waiting, the most that one person may have. Withdraw one "
        "that you no longer need, or wait for an answer."
    ) % {"number": waiting}
    return Refusal("too_many_waiting", message)


def count_recovery_request(actor: User, bn9: str, about: dict[str, Any]) -> Refusal | None:
    """Count one recovery request of a person for a number: each writes to everybody around it."""
    asker, most = f"recovery:{actor.pk}:{bn9}", settings.RECOVERY_REQUESTS_A_DAY
    counted = count(asker=asker, wanted=1, most=most, at=about["at"])
    return None if counted.allowed else turned_away(counted, about)


def count_relationship_requests(acting_for: BusinessAccount, wanted: int, at: datetime) -> Counted:
    """Count as many relationship requests of a firm."""
    asker, most = business_chain(acting_for.bn9), settings.RELATIONSHIP_REQUESTS_A_DAY
    return count(asker=asker, wanted=wanted, most=most, at=at)


def count_relationship_offer(acting_for: BusinessAccount, about: dict[str, Any]) -> Refusal | None:
    """Count one offer of a business; the refusal where it is one too many."""
    asker, most = f"offers:{acting_for.bn9}", settings.RELATIONSHIP_OFFERS_A_DAY
    counted = count(asker=asker, wanted=1, most=most, at=about["at"])
    return None if counted.allowed else turned_away(counted, about)


def turned_away(counted: Counted, about: dict[str, Any]) -> Refusal:
    """The refusal of one too many; history keeps the first of a day, the tally counts the rest."""
    code, message = why_too_many(about["at"])
    if not counted.is_first:
        return Refusal(code, message)
    return refuse(code=code, message=message, **about)


def why_too_many(at: datetime) -> tuple[str, str]:
    """The code and the words of the refusal of one too many."""
    return "too_many", _(
        "This is more than one account may ask for in a day. Nothing was sent. Try again on "
        "%(day)s: what you entered is below."
    ) % {"day": day(timezone.localdate(opens_again_at(at)))}
