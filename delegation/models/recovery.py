"""Recovery of a business that no manager is left in: asked for, proposed, confirmed.

Two officers of the agency decide: one proposes a person, another confirms. Neither belongs to the
business nor asked for anything of it.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from delegation.models.periods import NoOverlap, ordered_period
from delegation.models.requests import Request, decided_whole


class RecoveryRequest(Request):
    """Somebody asks the agency to give a business a manager again.

    The number may or may not be registered: who is not let in yet must not learn it. `finding` is
    what the first officer found, `reason` why it was rejected.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recovery_requests"
    )
    bn9 = models.CharField(max_length=9)
    statement = models.CharField(max_length=1000)
    proposed = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_recovery_request", keys=("person", "bn9"), end="closes_at"),
            ordered_period("recovery_request_period_ordered", "closes_at"),
            decided_whole("recovery_request_decided_whole"),
            models.CheckConstraint(
                condition=Q(proposed=None, proposed_by=None, proposed_at=None)
                | Q(
                    proposed__isnull=False,
                    proposed_by__isnull=False,
                    proposed_at__isnull=False,
                ),
                name="recovery_request_proposed_whole",
            ),
            models.CheckConstraint(
                condition=~Q(decision="approved")
                | (Q(proposed_by__isnull=False) & ~Q(proposed_by=F("decided_by"))),
                name="recovery_needs_two_officers",
            ),
        ]
        indexes = [models.Index(fields=["decision", "starts_at"], name="recovery_request_queue")]
