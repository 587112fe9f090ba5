"""A registration, the tries it costs, and the review that somebody can ask for."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Language
from businesses.bn import BN9_PATTERN, EXTENSION_PATTERN, show_bn9, show_bn15
from businesses.models import BusinessAccount
from pages.formats import end_of_day

KEPT = timedelta(days=30)
"""For how long a draft is kept after the day on which its person last saved it."""

ANSWERS = (
    "transaction_number",
    "transaction_total",
    "payment_on",
    "payment_amount",
    "statement_on",
    "statement_balance",
)
"""The columns that hold answers to security questions. They are emptied when a draft closes."""

ENTITY = (
    "legal_name",
    "operating_name",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
)
"""The columns of the legal entity as the person stated it."""

ACCEPTANCE = (
    "terms_version",
    "terms_hash_en",
    "terms_hash_fr",
    "terms_language",
    "terms_accepted_at",
)
"""The columns that say which terms were accepted, in which language and when."""

ENTERED = ("bn9", "extension", *ENTITY, *ANSWERS, "has_no_records", *ACCEPTANCE)
"""The columns that hold what a person entered."""

_NO_ANSWERS = Q(
    transaction_number="",
    transaction_total=None,
    payment_on=None,
    payment_amount=None,
    statement_on=None,
    statement_balance=None,
)


class ClaimedNumber(models.Model):
    """A business number that somebody tried to register, whether it exists or not.

    Its row is locked while tries are counted and judged: of all the claims of one number, one is
    looked at at a time.
    """

    bn9 = models.CharField(max_length=9, primary_key=True)

    def __str__(self) -> str:
        return self.bn9


class Outcome(models.TextChoices):
    """How a registration ended. An open draft has none."""

    REGISTERED = "registered", _("Registered")
    FAILED = "failed", _("Not registered")
    LOCKED = "locked", _("No tries left")
    IN_REVIEW = "in_review", _("In review")


TRANSITIONS: dict[str, frozenset[Outcome]] = {
    "": frozenset({Outcome.REGISTERED, Outcome.FAILED, Outcome.LOCKED}),
    Outcome.REGISTERED: frozenset(),
    Outcome.FAILED: frozenset({Outcome.IN_REVIEW}),
    Outcome.LOCKED: frozenset({Outcome.IN_REVIEW}),
    Outcome.IN_REVIEW: frozenset(),
}
"""What can follow: a draft is judged once, and what failed can be reviewed."""


class Registration(models.Model):
    """A person's claim of a business: a draft kept here until it is judged, once.

    What the person states stays; the answers to security questions do not outlast the judgement.
    Of a draft that is never submitted nothing stays: past `kept_until` it is empty by the clock,
    and `forget_drafts` empties its columns.
    `evidence` then names the kinds of answers that were right. It is for those who review a claim
    and is never shown to the person. `version` counts every change of the draft.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="registrations"
    )
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    bn9 = models.CharField(_("Business number"), max_length=9, blank=True)
    extension = models.CharField(_("Program account"), max_length=6, blank=True)

    legal_name = models.CharField(_("Legal name"), max_length=175, blank=True)
    operating_name = models.CharField(_("Operating name"), max_length=175, blank=True)
    street = models.CharField(_("Street address"), max_length=200, blank=True)
    city = models.CharField(_("City"), max_length=100, blank=True)
    region = models.CharField(_("Province, territory or state"), max_length=100, blank=True)
    postal_code = models.CharField(_("Postal code"), max_length=20, blank=True)
    country = models.CharField(_("Country"), max_length=2, blank=True)

    transaction_number = models.CharField(_("Transaction number"), max_length=14, blank=True)
    transaction_total = models.DecimalField(
        _("Total duties and taxes"), max_digits=14, decimal_places=2, null=True
    )
    payment_on = models.DateField(_("Payment date"), null=True)
    payment_amount = models.DecimalField(
        _("Payment amount"), max_digits=14, decimal_places=2, null=True
    )
    statement_on = models.DateField(_("Statement date"), null=True)
    statement_balance = models.DecimalField(
        _("Statement balance"), max_digits=14, decimal_places=2, null=True
    )
    has_no_records = models.BooleanField(default=False)

    terms_version = models.CharField(max_length=20, blank=True)
    terms_hash_en = models.CharField(max_length=64, blank=True)
    terms_hash_fr = models.CharField(max_length=64, blank=True)
    terms_language = models.CharField(max_length=5, choices=Language, blank=True)
    terms_accepted_at = models.DateTimeField(null=True)

    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    submitted_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=list)
    business = models.OneToOneField(
        BusinessAccount, on_delete=models.PROTECT, null=True, related_name="registration"
    )
    second_manager_declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(outcome=""),
                name="registration_one_open_draft_per_person",
            ),
            models.CheckConstraint(
                condition=Q(outcome="") | _NO_ANSWERS, name="registration_closed_keeps_no_answers"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", submitted_at=None)
                | (
                    Q(outcome__in=Outcome.values, submitted_at__isnull=False)
                    & ~Q(bn9="")
                    & ~Q(extension="")
                    & ~Q(legal_name="")
                    & ~Q(terms_version="")
                ),
                name="registration_closed_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.REGISTERED, business__isnull=False)
                | (~Q(outcome=Outcome.REGISTERED) & Q(business=None)),
                name="registration_has_a_business_if_registered",
            ),
            models.CheckConstraint(
                condition=Q(bn9="", extension="")
                | Q(bn9__regex=BN9_PATTERN, extension__regex=EXTENSION_PATTERN),
                name="registration_program_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    terms_version="",
                    terms_hash_en="",
                    terms_hash_fr="",
                    terms_language="",
                    terms_accepted_at=None,
                )
                | (
                    Q(terms_language__in=Language.values, terms_accepted_at__isnull=False)
                    & ~Q(terms_version="")
                    & ~Q(terms_hash_en="")
                    & ~Q(terms_hash_fr="")
                ),
                name="registration_acceptance_is_whole",
            ),
        ]
        indexes = [models.Index(fields=["person", "outcome"], name="registration_by_person")]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """The number by which people ask about a registration: `REG-3F2A-91C0-77BD`."""
        text = self.id.hex[:12].upper()
        return f"REG-{text[:4]}-{text[4:8]}-{text[8:]}"

    @property
    def bn_shown(self) -> str:
        """The business number as people read it."""
        return show_bn9(self.bn9)

    @property
    def bn15_shown(self) -> str:
        """The program account number as people read it."""
        return show_bn15(self.bn9, self.extension)

    @property
    def is_answered(self) -> bool:
        """Whether a security question is answered, or the person says there is nothing to ask."""
        return self.has_no_records or any(getattr(self, name) for name in ANSWERS)

    @property
    def kept_until(self) -> date:
        """The last day on which a draft is kept."""
        return timezone.localdate(self.updated_at) + KEPT

    def is_past(self, at: datetime) -> bool:
        """Whether this is a draft that was not submitted in time."""
        return not self.outcome and end_of_day(self.kept_until) <= at

    def close(self, outcome: Outcome, at: datetime) -> None:
        """End the draft and let go of the answers."""
        self.outcome = outcome
        self.submitted_at = at
        self._empty(ANSWERS)

    def forget(self) -> None:
        """Let go of all that the person entered."""
        self._empty(ENTERED)

    def _empty(self, names: Iterable[str]) -> None:
        for name, nothing in blank(names).items():
            setattr(self, name, nothing)


def blank(names: Iterable[str]) -> dict[str, Any]:
    """These columns of a registration as they are before anything is entered."""
    untouched = Registration()
    return {name: getattr(untouched, name) for name in names}


class Attempt(models.Model):
    """One try: a registration that was judged."""

    registration = models.OneToOneField(Registration, on_delete=models.PROTECT)
    number = models.ForeignKey(ClaimedNumber, on_delete=models.PROTECT, db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["number", "at"], name="registration_attempt_recent")]

    def __str__(self) -> str:
        return f"{self.number_id} {self.at:%Y-%m-%d %H:%M}"


class ReviewRequest(models.Model):
    """A person asks the agency to look at a registration that did not succeed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.OneToOneField(
        Registration, on_delete=models.PROTECT, related_name="review_request"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    bn9 = models.CharField(max_length=9)
    note = models.CharField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "bn9"], name="one_review_request_per_person_and_number"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="review_request_has_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.bn9} {self.at:%Y-%m-%d}"
