"""The agency's own people: who is an officer now, and for what.

It gives no right in any business. What an officer may do is asked by the rooms above.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import OfficerRole, User


@dataclass(frozen=True)
class Officer:
    """An officer at an instant, with what the agency entrusted to that person."""

    person: User
    kinds: frozenset[OfficerRole.Kind]
    at: datetime


def live_roles(at: datetime) -> QuerySet[OfficerRole]:
    """The officer roles that hold at an instant, of people whose account works."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=at)
    return OfficerRole.objects.filter(lasting, starts_at__lte=at, person__is_active=True)


def officer_of(person: User, at: datetime) -> Officer | None:
    """The person as an officer; nothing where the person is none: 1 query."""
    kinds = live_roles(at).filter(person=person).values_list("kind", flat=True)
    held = frozenset(OfficerRole.Kind(kind) for kind in kinds)
    return Officer(person, held, at) if held else None
