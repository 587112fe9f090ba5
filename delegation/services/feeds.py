"""Personal calendar links: made, replaced and ended by the person alone."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import CalendarFeed
from delegation.models.periods import during
from delegation.permissions import can_list_relationships, can_view_calendar
from delegation.services import locks
from delegation.services.decisions import own_path


def token_hash(token: str) -> str:
    """What is kept of the secret of a link, which is long and random: SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


@transaction.atomic
def create_calendar_feed(
    *, actor: User, acting_for: BusinessAccount, token: str, at: datetime
) -> CalendarFeed | Refusal:
    """Make the person's link, in place of the one before. The same secret again changes nothing."""
    locks.lock_rights(used=[acting_for])
    locks.lock_memberships([actor], acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    if not can_view_calendar(access):
        message = _("The calendar of this business does not open for you.")
        return refuse(
            code="not_allowed",
            message=message,
            verb="calendar_feed.create",
            **_about(actor, acting_for, "", at),
        )
    same = CalendarFeed.objects.filter(token_hash=token_hash(token)).first()
    if same and same.active_at(at):
        return same
    if same:
        message = _("This form was used before, and its link was ended since. Nothing was changed.")
        return refuse(
            code="changed",
            message=message,
            verb="calendar_feed.create",
            **_about(actor, acting_for, same.pk, at),
        )
    _live(actor, acting_for, at).update(ends_at=at)
    feed = CalendarFeed.objects.create(
        person=actor, business=acting_for, token_hash=token_hash(token), starts_at=at
    )
    record(
        verb="calendar_feed.create",
        path=_path(access),
        **_about(actor, acting_for, feed.pk, at),
    )
    return feed


@transaction.atomic
def end_calendar_feed(*, actor: User, acting_for: BusinessAccount, at: datetime) -> bool:
    """End the person's link at once; say whether there was one."""
    locks.lock_rights(used=[acting_for])
    locks.lock_memberships([actor], acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    feed = _live(actor, acting_for, at).first()
    if feed is None:
        return False
    feed.ends_at = at
    feed.save()
    path = _path(Access(actor, acting_for, at))
    record(verb="calendar_feed.end", path=path, **_about(actor, acting_for, feed.pk, at))
    return True


def end_feeds(*, person: User, at: datetime) -> None:
    """End every link of a person, whoever may know it. History names the act of the caller."""
    live = CalendarFeed.objects.filter(person=person).exclude(ends_at__lte=at)
    live.update(ends_at=Greatest("starts_at", Value(at)))


def _path(access: Access) -> str:
    """The right by which the calendar opens: a role, or to belong to a firm."""
    return own_path(access) if can_list_relationships(access) else "own:member"


def _live(actor: User, acting_for: BusinessAccount, at: datetime) -> Any:
    return CalendarFeed.objects.filter(during(at), person=actor, business=acting_for)


def _about(
    actor: User, acting_for: BusinessAccount, feed: int | str, at: datetime
) -> dict[str, Any]:
    """The part of a history event that both acts share."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "calendar_feed",
        "object_id": feed,
    }
