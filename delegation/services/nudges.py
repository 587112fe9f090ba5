"""Reminding a client of a request that waits: once a week at most, whoever it is.

A nudge writes no mail. The next digest tells the managers of the request again, as of a new one, so
that a nudge says the same and takes as long whether or not anybody is registered.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Decision, RelationshipRequest
from delegation.permissions import can_nudge_relationship_request
from delegation.services import locks
from delegation.services.decisions import Problem, lock, not_allowed, why_not_decidable
from pages.formats import moment


@transaction.atomic
def nudge_relationship_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_request: RelationshipRequest,
    at: datetime,
) -> RelationshipRequest | Refusal:
    """Let the managers of the client, where there are any, be told again that a request waits."""
    locks.lock_rights(used=[acting_for])
    locked = lock(relationship_request)
    own = business_chain(acting_for.bn9)
    at = not_before(at, own)
    about: dict[str, Any] = {
        "verb": "relationship_request.nudge",
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "object_type": "relationship_request",
        "object_id": str(locked.pk),
        "object_label": locked.provider.name,
    }
    problem = _why_not(Access(actor, acting_for, at), locked)
    if problem:
        return refuse(code=problem[0], message=problem[1], chains=[own], **about)
    locked.nudged_at, locked.told_at = at, None
    locked.save()
    record(chains=[own, business_chain(locked.client_bn9)], path="own:bam", **about)
    return locked


def _why_not(access: Access, waiting: RelationshipRequest) -> Problem | None:
    is_ours = waiting.provider_id == access.acting_for.pk
    if not is_ours or not can_nudge_relationship_request(access).allowed:
        said = _("Only a manager of the firm that asked can remind the client.")
        return not_allowed(access.acting_for, said)
    over = why_not_decidable(waiting, Decision.WITHDRAWN, None, access.at)
    if over or access.at >= waiting.nudgeable_from:
        return over
    when = moment(waiting.nudgeable_from)
    return "too_soon", _("You can remind the client again from %(when)s.") % {"when": when}
