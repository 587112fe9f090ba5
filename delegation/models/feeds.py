"""Calendar feeds: secret addresses at which a program reads what ends, without signing in."""

from django.conf import settings
from django.db import models

from businesses.models import BusinessAccount
from delegation.models.periods import NoOverlap, Period, ordered_period


class CalendarFeed(Period):
    """A person's link to the calendar of a business. Only the hash of its secret is kept."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    business = models.ForeignKey(BusinessAccount, on_delete=models.PROTECT, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_calendar_feed", keys=("person", "business")),
            ordered_period("calendar_feed_period_ordered"),
        ]
