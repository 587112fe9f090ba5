"""What an officer of the agency may read of a business for a while, with the purpose recorded."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from businesses.models import BusinessAccount
from delegation.models.periods import NoOverlap, Period, ordered_period


class Lookup(Period):
    """An officer looks at a business, in `[starts_at, ends_at)`, for the written purpose."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lookups"
    )
    business = models.ForeignKey(BusinessAccount, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=500)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_lookup", keys=("officer", "business")),
            ordered_period("lookup_period_ordered"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=False) & ~Q(purpose=""),
                name="lookup_has_a_purpose_and_an_end",
            ),
        ]
