"""One row per form that took effect."""

from django.conf import settings
from django.db import models


class Submission(models.Model):
    """A posted form that took effect, found again when the same form is posted twice."""

    key = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    digest = models.CharField(max_length=64)
    outcome = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key", "digest"], name="submission_once"),
        ]

    def __str__(self) -> str:
        return str(self.key)
