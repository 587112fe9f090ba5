"""The outbox: every mail is a row before it is a mail, so that none is lost and none is doubled."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Notice(models.Model):
    """One mail, rendered when its occasion arose and sent after that transaction committed.

    `key` names the subject, the kind and the boundary it is about: a second notice with the same
    key is not written, so each is sent once. It holds no address, and neither does `last_error`.
    `sealed` is what only its reader may know: enciphered until it is sent, then forgotten, while
    the body holds a mark in its place.
    """

    key = models.CharField(max_length=255, unique=True)
    template = models.CharField(max_length=255)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="notices",
    )
    address = models.EmailField(max_length=254)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    sealed = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["attempts", "id"],
                name="notices_notice_unsent",
                condition=models.Q(sent_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.key
