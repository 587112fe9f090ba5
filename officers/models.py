"""What officers decide about people: the recovery of a user account."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from delegation.models.periods import NoOverlap, ordered_period
from delegation.models.requests import Request, decided_whole


class AccountRecovery(Request):
    """A way back for a person who can prove nothing any more: one officer proposes, one decides.

    Codes then go to `email`, which may be the address that they went to before. `finding` is how
    the first officer made sure who the person is, `reason` why it was rejected. A sign-in of the
    person stops it: that is an answer, never stored.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="account_recoveries"
    )
    email = models.EmailField(max_length=254)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    finding = models.CharField(max_length=500)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_account_recovery", keys=("person",), end="closes_at"),
            ordered_period("account_recovery_period_ordered", "closes_at"),
            decided_whole("account_recovery_decided_whole"),
            models.CheckConstraint(
                condition=~Q(decision="approved") | ~Q(proposed_by=F("decided_by")),
                name="account_recovery_needs_two_officers",
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("person"))
                & (Q(decided_by=None) | ~Q(decided_by=F("person"))),
                name="account_recovery_of_another",
            ),
        ]
        indexes = [models.Index(fields=["decision", "starts_at"], name="account_recovery_queue")]

    @property
    def decidable_at(self) -> datetime:
        """From when on a second officer may confirm it: until then the person can stop it."""
        return self.starts_at + timedelta(hours=settings.ACCOUNT_RECOVERY_WAITING_HOURS)

    @property
    def is_stopped(self) -> bool:
        """Whether the person signed in since it was proposed, and so needs no recovery."""
        signed_in = self.person.last_login
        return signed_in is not None and signed_in >= self.starts_at
