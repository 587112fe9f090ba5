"""The history: who did what to what, when, why and by which right.

Rows are only ever added. Each chain (one per business number, one per person) links its events by
hash, so that a changed, missing or inserted event shows; `audit.chain.verify` finds it.
"""

from typing import Any, NoReturn

from django.db import models

GENESIS = "0" * 64


class InsertOnlyError(TypeError):
    """Somebody tried to change or delete history."""


class Chain(models.Model):
    """The head of one chain: the row that is locked while an event is added to it.

    `newest_at` is the latest instant of its events, which is not always that of the last one.
    """

    key = models.CharField(max_length=64, primary_key=True)
    head = models.CharField(max_length=64, default=GENESIS)
    length = models.PositiveBigIntegerField(default=0)
    newest_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key


class InsertOnlyQuerySet(models.QuerySet["Event"]):
    """Refuses in Python what the database's triggers refuse below it."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise InsertOnlyError("History is insert-only.")

    def delete(self) -> NoReturn:
        raise InsertOnlyError("History is insert-only.")


class Event(models.Model):
    """One act, as written in one chain.

    People and objects are named by text and not by key: an event says what was true when it was
    written, whatever becomes of them.
    """

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=255, blank=True)
    acting_for = models.CharField(max_length=9, blank=True)
    verb = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    object_label = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    path = models.TextField(blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = InsertOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "seq"], name="audit_event_once_per_chain"),
        ]
        indexes = [
            models.Index(fields=["actor_id", "at"], name="audit_event_by_actor"),
            models.Index(fields=["object_type", "object_id", "at"], name="audit_event_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.seq} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds the row; a row that exists is refused."""
        if not self._state.adding:
            raise InsertOnlyError("History is insert-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise InsertOnlyError("History is insert-only.")
