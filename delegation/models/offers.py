"""Offers: an agreement of a client's manager that waits until the provider accepts it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from businesses.models import BusinessAccount, ProgramAccount
from delegation.models.periods import NoOverlap, ordered_period
from delegation.models.relationships import Ceiling, Level, Visibility, VisibilityRules
from delegation.models.requests import Decision, Request, decided_whole


class RelationshipOffer(VisibilityRules, Request):
    """What a client offers a BN9, registered or not: nothing of it can be changed, only answered.

    A provider takes it whole or declines it whole. `programs` are those of the day of the offer;
    with `covers_future` it is every one, present and future.
    """

    client = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="relationship_offers"
    )
    provider_bn9 = models.CharField(max_length=9)
    level = models.CharField(max_length=8, choices=Level)
    programs = models.ManyToManyField(ProgramAccount, related_name="+")
    covers_future = models.BooleanField(default=False)
    ceiling = models.CharField(max_length=6, choices=Ceiling)
    may_submit = models.BooleanField(default=True)
    may_pay = models.BooleanField(default=False)
    may_see_amounts = models.BooleanField(default=False)
    last_day = models.DateField(null=True)
    open_end_reason = models.CharField(max_length=500, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    consent_version = models.CharField(max_length=20)
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why the provider declined it: the client reads it."
    )

    class Meta:
        constraints = [
            NoOverlap(
                name="one_live_relationship_offer",
                keys=("client", "provider_bn9"),
                end="closes_at",
            ),
            ordered_period("relationship_offer_period_ordered", "closes_at"),
            decided_whole("relationship_offer_decided_whole"),
            models.CheckConstraint(
                condition=Q(last_day=None) & ~Q(open_end_reason="")
                | Q(last_day__isnull=False, open_end_reason=""),
                name="relationship_offer_open_end_is_a_choice",
            ),
            models.CheckConstraint(
                condition=~Q(visibility_broker=Visibility.NONE),
                name="offered_own_submissions_stay_visible",
            ),
            models.CheckConstraint(
                condition=Q(reason="") | Q(decision=Decision.REJECTED),
                name="only_a_declined_offer_has_a_reason",
            ),
        ]
        indexes = [
            # What a provider received, and what a client sent, in the order of their pages.
            models.Index(
                "provider_bn9", F("starts_at").desc(), F("id").desc(), name="offers_received"
            ),
            models.Index("client", F("starts_at").desc(), F("id").desc(), name="offers_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} - {self.provider_bn9}"
