"""Files of relationship requests: every row is kept, so that nothing is lost on the way."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from businesses.models import BusinessAccount
from delegation.models.relationships import RelationshipRequest


class RequestBatch(models.Model):
    """A file of a firm: read and checked at once, sent row by row once a manager confirmed it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="request_batches"
    )
    name = models.CharField(max_length=100)
    is_legacy = models.BooleanField(default=False)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None, confirmed_by=None)
                | models.Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="request_batch_confirmed_whole",
            )
        ]
        indexes = [
            models.Index(fields=["provider", "-uploaded_at"], name="request_batches_of_a_firm")
        ]

    def __str__(self) -> str:
        return self.name


class RequestBatchRow(models.Model):
    """One row of a file, by its number in the spreadsheet.

    `cells` are what the file says, `wish` what was read from them, `problems` why it is not sent,
    in each language of the portal.
    """

    class State(models.TextChoices):
        READY = "ready", pgettext_lazy("row of a file", "Can be sent")
        WRONG = "wrong", pgettext_lazy("row of a file", "To correct")
        WAITING = "waiting", pgettext_lazy("row of a file", "Already waiting")
        SENT = "sent", pgettext_lazy("row of a file", "Sent")
        REFUSED = "refused", pgettext_lazy("row of a file", "Not sent")

    batch = models.ForeignKey(
        RequestBatch, on_delete=models.PROTECT, related_name="rows", db_index=False
    )
    number = models.PositiveIntegerField()
    client_bn9 = models.CharField(max_length=9, blank=True)
    cells = models.JSONField()
    wish = models.JSONField(null=True)
    problems = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State)
    request = models.ForeignKey(
        RelationshipRequest, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="one_row_of_a_number"),
            models.CheckConstraint(
                condition=models.Q(state="sent", request__isnull=False)
                | (~models.Q(state="sent") & models.Q(request=None)),
                name="a_row_sent_has_its_request",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "state", "number"], name="rows_of_a_batch_by_state")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.number}"
