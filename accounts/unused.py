"""Profiles that nobody uses: warned of in time, and used again after a second factor.

What counts is the last sign-in, compared when it is read: no job changes a profile.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.own_acts import own_event
from audit.services import record
from notices.models import Notice
from notices.services import Letter, notify_all


def last_used_at(person: User) -> datetime:
    """When a person signed in last; whoever never did counts from the beginning."""
    return person.last_login or person.date_joined


def is_unused(person: User, at: datetime) -> bool:
    """Whether a profile counts as unused: from the instant on at which its time is over."""
    return at >= last_used_at(person) + timedelta(days=settings.UNUSED_DAYS)


@transaction.atomic
def reactivate_profile(*, actor: User, at: datetime) -> None:
    """Note that a profile that counted as unused is used again: a second factor proved whose."""
    record(**own_event("profile.reactivate", actor, at))


def warn_of_unused(*, at: datetime) -> int:
    """Warn each person once at each boundary that was reached; tells how many letters there are.

    Whoever is late tells the nearest boundary alone, and nothing once the time is over.
    """
    at = at.astimezone(UTC)  # a day is 24 hours here, also where the clock of a place changes
    first = at - timedelta(days=min(settings.UNUSED_WARNING_DAYS))
    over = at - timedelta(days=settings.UNUSED_DAYS)
    quiet = User.objects.alias(used=Coalesce("last_login", "date_joined")).filter(
        used__lte=first, used__gt=over, is_active=True, profile__isnull=False
    )
    letters = {(letter := _letter(person, at)).key: letter for person in quiet.order_by("pk")}
    for key in Notice.objects.filter(key__in=letters).values_list("key", flat=True):
        letters.pop(key, None)
    notify_all(letters.values())
    return len(letters)


def _letter(person: User, at: datetime) -> Letter:
    since = last_used_at(person)
    days = max(days for days in settings.UNUSED_WARNING_DAYS if at >= since + timedelta(days=days))
    return Letter(
        key=f"profile-unused:{person.pk}:{since.timestamp():.0f}:{days}",
        template="accounts/email/profile_unused.txt",
        recipient=person,
        context={"since": since, "ends_at": since + timedelta(days=settings.UNUSED_DAYS)},
    )
