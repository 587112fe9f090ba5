"""A client looks at the portal as a firm sees it: read only, and kept in the history."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, ViewAs
from delegation.permissions import can_view_as
from delegation.services.decisions import own_path


@transaction.atomic
def open_view_as(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    seen_at: datetime | None,
    at: datetime,
) -> ViewAs | Refusal:
    """Begin to look as the firm of a relationship sees now, or saw at the instant `seen_at`."""
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    about: dict[str, Any] = {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "relationship",
        "object_id": str(relationship.pk),
        "object_label": relationship.provider.name,
    }
    if relationship.client_id != acting_for.pk or not can_view_as(access):
        message = _("Only a Business Account Manager of the client looks at what a firm sees.")
        return refuse(code="not_allowed", message=message, verb="view_as.open", **about)
    if seen_at and seen_at > at:
        message = _("Choose a day before today.")
        return refuse(code="future", message=message, verb="view_as.open", **about)
    opening = ViewAs.objects.create(
        relationship=relationship, opened_by=actor, opened_at=at, seen_at=seen_at or at
    )
    record(
        verb="view_as.open",
        after={"seen_at": opening.seen_at},
        path=own_path(access),
        **about,
    )
    return opening
