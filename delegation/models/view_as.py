"""Looks at the portal as a firm sees it: each opening is one row, and one entry of the history."""

import uuid

from django.conf import settings
from django.db import models

from delegation.models.relationships import Relationship


class ViewAs(models.Model):
    """A manager of the client looks at what the firm sees, or saw at an instant before.

    Without a `person` as a manager of the firm does, otherwise as that person of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    relationship = models.ForeignKey(Relationship, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seen_at__lte=models.F("opened_at")),
                name="view_as_looks_at_the_past_or_now",
            )
        ]

    def __str__(self) -> str:
        return f"{self.relationship_id} {self.seen_at}"

    @property
    def is_past(self) -> bool:
        """Whether it shows another instant than that at which it was opened."""
        return self.seen_at < self.opened_at
