"""Look-ups: an officer reads a business for a while, and the business can read why."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.officers import officer_of
from audit.services import Refusal, business_chain, person_chain, record, refuse
from businesses.models import BusinessAccount
from delegation.models import Lookup, Membership
from delegation.models.periods import during
from delegation.services.decisions import Problem
from delegation.standing import PathKind
from officers.permissions import can_open_lookup


@transaction.atomic
def open_lookup(*, actor: User, bn9: str, purpose: str, at: datetime) -> Lookup | Refusal:
    """Open a business to an officer's eyes. A live look-up of the same business ends with it."""
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    business = _openable(actor, bn9, at)
    about = _about(actor, bn9, at)
    if isinstance(business, tuple):
        code, message = business
        return refuse(code=code, message=message, verb="lookup.open", **about)
    live = Lookup.objects.filter(during(at), officer=actor, business=business)
    live.update(ends_at=at)
    lookup = Lookup.objects.create(
        officer=actor,
        business=business,
        purpose=purpose,
        starts_at=at,
        ends_at=at + timedelta(minutes=settings.LOOKUP_MINUTES),
    )
    after = {"ends_at": lookup.ends_at}
    record(verb="lookup.open", after=after, reason=purpose, path=str(PathKind.OFFICER), **about)
    return lookup


@transaction.atomic
def end_lookup(*, actor: User, lookup: Lookup, at: datetime) -> Lookup | Refusal:
    """End one's own look-up before its time."""
    rows = Lookup.objects.select_for_update(no_key=True)
    locked = rows.get(pk=lookup.pk)
    about = _about(actor, lookup.business.bn9, at)
    if locked.officer_id != actor.pk or not locked.active_at(at):
        message = _("This look-up is over already.")
        return refuse(code="already_ended", message=message, verb="lookup.end", **about)
    locked.ends_at = at
    locked.save()
    record(verb="lookup.end", path=str(PathKind.OFFICER), **about)
    return locked


def _openable(actor: User, bn9: str, at: datetime) -> BusinessAccount | Problem:
    """The business to look at, or why the person cannot look."""
    officer = officer_of(actor, at)
    if officer is None or not can_open_lookup(officer):
        return "not_allowed", _("Only an officer for look-ups can look.")
    business = BusinessAccount.objects.filter(bn9=bn9).first()
    if business is None:
        return "not_registered", _("Nobody registered this number.")
    if Membership.objects.filter(person=actor, business=business).exists():
        return "involved", _("You have to do with this business. Another officer can look.")
    return business


def _about(actor: User, bn9: str, at: datetime) -> dict[str, Any]:
    """The part of a history event that every act on a look-up shares."""
    return {
        "at": at,
        "actor": actor,
        "chains": [business_chain(bn9), person_chain(actor)],
        "object_type": "lookup",
        "object_id": bn9,
    }
