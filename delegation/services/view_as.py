"""A client looks at the portal as a firm sees it: read only, and kept in the history."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.known_people import people_known
from delegation.models import Relationship, ViewAs
from delegation.permissions import can_view_as
from delegation.services import locks
from delegation.services.decisions import Problem, own_path


@transaction.atomic
def open_view_as(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    person: User | None = None,
    seen_at: datetime | None,
    at: datetime,
) -> ViewAs | Refusal:
    """Begin to look as the firm of a relationship sees now, or saw at the instant `seen_at`.

    As a `person` of the firm only where the client knows that person by name.
    """
    locks.lock_rights(used=[acting_for])
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
    problem = _why_not(access, relationship, person, seen_at)
    if problem:
        return refuse(code=problem[0], message=problem[1], verb="view_as.open", **about)
    opening = ViewAs.objects.create(
        relationship=relationship,
        person=person,
        opened_by=actor,
        opened_at=at,
        seen_at=seen_at or at,
    )
    named = {"person": person.get_full_name()} if person else {}
    record(
        verb="view_as.open",
        after={"seen_at": opening.seen_at, **named},
        path=own_path(access),
        **about,
    )
    return opening


def _why_not(
    access: Access, relationship: Relationship, person: User | None, seen_at: datetime | None
) -> Problem | None:
    if relationship.client_id != access.acting_for.pk or not can_view_as(access):
        said = _("Only a Business Account Manager of the client looks at what a firm sees.")
        return "not_allowed", said
    if seen_at and seen_at > access.at:
        return "future", _("Choose a day before today.")
    if person and person not in people_known(relationship, access.at):
        return "unknown_person", _("Choose somebody of this list.")
    return None
