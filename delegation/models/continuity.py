"""Who steps in where nobody manages a business any more: a successor, named beforehand.

The successor has no right from being named. Whoever claims waits, so that every manager and every
address on file can object, and takes over by an act of the own after that.
"""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from businesses.models import BusinessAccount
from delegation.models.periods import NoOverlap, Period, ordered_period


class SuccessionStatus(models.TextChoices):
    """What a succession is now. The first three and *lapsed* are answers by the clock."""

    NAMED = "named", _("Named")
    CLAIMED = "claimed", _("Waiting period")
    READY = "ready", _("Ready to take over")
    REMOVED = "removed", _("Removed")
    STOPPED = "stopped", _("Stopped")
    TAKEN_OVER = "taken_over", _("Taken over")
    LAPSED = "lapsed", _("Lapsed")


SUCCESSOR = "successor"
"""The path of what somebody does as successor: no role gives it."""

OUTCOMES = (SuccessionStatus.REMOVED, SuccessionStatus.STOPPED, SuccessionStatus.TAKEN_OVER)
"""How people close a succession: the only ones that are stored."""

TRANSITIONS: dict[SuccessionStatus, frozenset[SuccessionStatus]] = {
    SuccessionStatus.NAMED: frozenset({SuccessionStatus.CLAIMED, SuccessionStatus.REMOVED}),
    SuccessionStatus.CLAIMED: frozenset({SuccessionStatus.STOPPED, SuccessionStatus.REMOVED}),
    SuccessionStatus.READY: frozenset(
        {SuccessionStatus.TAKEN_OVER, SuccessionStatus.STOPPED, SuccessionStatus.REMOVED}
    ),
    SuccessionStatus.REMOVED: frozenset(),
    SuccessionStatus.STOPPED: frozenset(),
    SuccessionStatus.TAKEN_OVER: frozenset(),
    SuccessionStatus.LAPSED: frozenset(),
}
"""What people can make of a succession. Time makes *ready* of a claim, and *lapsed* of both."""


class Succession(Period):
    """A person who may become manager of a business, in `[starts_at, ends_at)`.

    Without an end until somebody claims; then `ready_at` ends the waiting period and `ends_at` is
    the lapse. Whoever closes it moves `ends_at` to that instant. `reason` is that of the claim,
    `outcome_reason` that of the end. `version` counts every change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="successions"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="successions"
    )
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(
        max_length=10, blank=True, choices=[(one.value, one.label) for one in OUTCOMES]
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome_reason = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_successor", keys=("business",)),
            ordered_period("succession_period_ordered"),
            models.CheckConstraint(
                condition=Q(claimed_at=None, ready_at=None)
                | Q(
                    claimed_at__isnull=False,
                    ready_at__isnull=False,
                    claimed_at__gte=F("starts_at"),
                    ready_at__gt=F("claimed_at"),
                ),
                name="succession_claimed_whole",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", closed_by=None)
                | (~Q(outcome="") & Q(closed_by__isnull=False, ends_at__isnull=False)),
                name="succession_closed_whole",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="taken_over")
                | Q(ready_at__isnull=False, ready_at__lte=F("ends_at")),
                name="succession_waits_before_it_is_taken_over",
            ),
        ]

    def status_at(self, at: datetime) -> SuccessionStatus:
        """The status at an instant."""
        if self.outcome:
            return SuccessionStatus(self.outcome)
        if self.ends_at is not None and self.ends_at <= at:
            return SuccessionStatus.LAPSED
        if self.ready_at is None:
            return SuccessionStatus.NAMED
        return SuccessionStatus.CLAIMED if at < self.ready_at else SuccessionStatus.READY
