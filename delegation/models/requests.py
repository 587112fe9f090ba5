"""What all requests have in common: they wait, are decided once, or lapse."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Decision(models.TextChoices):
    """How a request, or one line of it, was decided."""

    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Status(models.TextChoices):
    """What a request is now. *Pending* and *lapsed* are answers by the clock, never stored."""

    PENDING = "pending", _("Pending")
    LAPSED = "lapsed", _("Lapsed")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


TRANSITIONS: dict[Status, frozenset[Decision]] = {
    Status.PENDING: frozenset(Decision),
    Status.LAPSED: frozenset(),
    Status.APPROVED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.WITHDRAWN: frozenset(),
}
"""The decisions that are possible in each status: only what waits can be decided, once."""


class RequestQuerySet(models.QuerySet):
    """Requests by what the clock says of them."""

    def pending_at(self, at: datetime) -> "RequestQuerySet":
        return self.filter(starts_at__lte=at, decision="", closes_at__gt=at)

    def lapsed_at(self, at: datetime) -> "RequestQuerySet":
        return self.filter(decision="", closes_at__lte=at)


class Request(models.Model):
    """A question that waits in `[starts_at, closes_at)`.

    `closes_at` starts as the lapse instant and moves to the decision, so that a live request
    bars a second one while a lapsed or decided one never does. `version` counts every change: a
    decision names the version that its form showed. `told_at` is when a digest told the managers
    that it waits.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    starts_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    told_at = models.DateTimeField(null=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        abstract = True

    def status_at(self, at: datetime) -> Status:
        """The status at an instant; equal to the queries of `RequestQuerySet`."""
        if self.decision:
            return Status(self.decision)
        return Status.PENDING if at < self.closes_at else Status.LAPSED


def decided_whole(name: str) -> models.CheckConstraint:
    """The constraint that a decision, its instant and its person are all there or all missing."""
    return models.CheckConstraint(
        condition=Q(decision="", decided_at=None, decided_by=None)
        | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
        name=name,
    )


class RequestLine(models.Model):
    """One line of a request: a program account, or the whole business where `extension` is empty.

    Each line is decided once: the whole business by a BAM, a program by a BAM or its PAM. Whoever
    rejects it writes the `reason` that the asker reads.
    """

    extension = models.CharField(max_length=6, blank=True)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True
