"""Firms and people whose requests a business does not want to see."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from businesses.models import BusinessAccount
from delegation.models.periods import NoOverlap, Period, during, ordered_period


class Mute(Period):
    """A firm or a person is unknown to a business: what it asks stays out of sight meanwhile.

    Nothing of it is told to whoever is muted. A report is kept for the officers of the agency.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(BusinessAccount, on_delete=models.PROTECT, related_name="mutes")
    provider = models.ForeignKey(
        BusinessAccount, null=True, on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    muted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    report = models.CharField(
        max_length=500, blank=True, help_text="What officers read. Empty: not reported."
    )

    class Meta:
        constraints = [
            NoOverlap(name="one_live_mute", keys=("business", "provider", "person")),
            ordered_period("mute_period_ordered"),
            models.CheckConstraint(
                condition=Q(provider__isnull=True, person__isnull=False)
                | Q(provider__isnull=False, person__isnull=True),
                name="a_mute_is_of_a_firm_or_a_person",
            ),
        ]
        indexes = [
            # What officers read of all businesses, in the order of their page.
            models.Index(
                F("starts_at").desc(),
                F("id").desc(),
                condition=~Q(report=""),
                name="reports_by_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business_id} - {self.provider_id or self.person_id}"


def muted(at: datetime, business: str, asker: str, column: str = "") -> Exists:
    """The condition that a request is of somebody muted: by its columns of the BN and the asker.

    `asker` is what a mute calls the asker, `column` what the request does where it differs.
    """
    return Exists(
        Mute.objects.filter(
            during(at), business__bn9=OuterRef(business), **{asker: OuterRef(column or asker)}
        )
    )
