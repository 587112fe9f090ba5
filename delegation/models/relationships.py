"""Authority between businesses: requests, relationships and what was agreed in them."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from businesses.models import BusinessAccount, ProgramAccount
from delegation.models.periods import NoOverlap, Period, Suspendable, ordered_period
from delegation.models.requests import Request, RequestLine, decided_whole
from delegation.roles import Role


class Level(models.TextChoices):
    """How wide a relationship is."""

    BUSINESS = "business", _("Business management")
    PROGRAM = "program", _("Program management")


class Visibility(models.TextChoices):
    """What a provider may do with the records of one kind of submitter."""

    NONE = "none", pgettext_lazy("visibility", "None")
    VIEW = "view", _("View")
    EDIT = "edit", _("View and edit")


class Ceiling(models.TextChoices):
    """The most that a provider's people may do in a program account."""

    PAM = "pam", _("As a Program Account Manager")
    EDITOR = "editor", _("As an Editor")
    READER = "reader", _("As a Reader")


class VisibilityRules(models.Model):
    """The three visibility rules, by who submitted the record."""

    visibility_broker = models.CharField(
        _("Submitted by the customs broker"),
        max_length=4,
        choices=[
            (Visibility.VIEW, Visibility.VIEW.label),
            (Visibility.EDIT, Visibility.EDIT.label),
        ],
        default=Visibility.VIEW,
    )
    visibility_importer = models.CharField(
        _("Submitted by you (the importer)"),
        max_length=4,
        choices=Visibility,
        default=Visibility.NONE,
    )
    visibility_other = models.CharField(
        _("Submitted by other business"),
        max_length=4,
        choices=Visibility,
        default=Visibility.NONE,
    )

    class Meta:
        abstract = True

    def visibility_of(self, submitter_id: int, *, provider_id: int, client_id: int) -> Visibility:
        """The right that the rules give over what the business `submitter_id` submitted."""
        rule = self.rule_for(submitter_id, provider_id=provider_id, client_id=client_id)
        return Visibility(getattr(self, rule))

    @staticmethod
    def rule_for(submitter_id: int, *, provider_id: int, client_id: int) -> str:
        """The name of the rule for what the business `submitter_id` submitted."""
        if submitter_id == provider_id:
            return "visibility_broker"
        if submitter_id == client_id:
            return "visibility_importer"
        return "visibility_other"


NUDGE_AFTER = timedelta(days=7)
"""How long after it was sent, or last nudged, a request can be nudged."""


class RelationshipRequest(VisibilityRules, Request):
    """A provider asks a BN9, registered or not, for authority."""

    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="requests_as_provider"
    )
    client_bn9 = models.CharField(max_length=9)
    level = models.CharField(max_length=8, choices=Level)
    covers_future = models.BooleanField(default=False)
    ceiling = models.CharField(max_length=6, choices=Ceiling, default=Ceiling.EDITOR)
    wished_last_day = models.DateField(null=True)
    comment = models.CharField(max_length=500, blank=True)
    nudged_at = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            NoOverlap(
                name="one_live_relationship_request",
                keys=("provider", "client_bn9"),
                end="closes_at",
            ),
            ordered_period("relationship_request_period_ordered", "closes_at"),
            decided_whole("relationship_request_decided_whole"),
        ]
        indexes = [
            models.Index(
                fields=["client_bn9", "decision", "closes_at"], name="relationship_request_queue"
            ),
            # What a provider waits for, in the order of the pages of its list.
            models.Index(
                "provider",
                "decision",
                F("starts_at").desc(),
                F("id").desc(),
                name="relationship_request_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} - {self.client_bn9}"

    @property
    def nudgeable_from(self) -> datetime:
        """The instant from which the request, while it waits, can be nudged."""
        return (self.nudged_at or self.starts_at) + NUDGE_AFTER


class RelationshipRequestLine(RequestLine):
    """One program account that the request names, or the whole business."""

    request = models.ForeignKey(RelationshipRequest, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "extension"], name="one_relationship_request_line_per_program"
            ),
            decided_whole("relationship_request_line_decided_whole"),
        ]


class Relationship(Suspendable):
    """A client's authority for a provider, from an instant to another or to no end at all."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="relationships_as_client"
    )
    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="relationships_as_provider"
    )
    is_open_ended = models.BooleanField(default=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.CharField(max_length=500, blank=True)
    is_left = models.BooleanField(
        default=False,
        help_text="The provider left since: it acts again only by a new request or offer.",
    )
    request = models.ForeignKey(
        RelationshipRequest, null=True, on_delete=models.PROTECT, related_name="relationships"
    )
    offer = models.ForeignKey(
        "delegation.RelationshipOffer",
        null=True,
        on_delete=models.PROTECT,
        related_name="relationships",
    )

    class Meta:
        constraints = [
            NoOverlap(name="one_live_relationship_per_pair", keys=("client", "provider")),
            ordered_period("relationship_period_ordered"),
            models.CheckConstraint(
                condition=~Q(client=F("provider")), name="client_differs_from_provider"
            ),
            models.CheckConstraint(
                condition=Q(is_open_ended=True, ends_at=None)
                | Q(is_open_ended=False, ends_at__isnull=False),
                name="open_end_is_a_choice",
            ),
            models.CheckConstraint(
                condition=Q(request__isnull=False, offer=None)
                | Q(request=None, offer__isnull=False),
                name="begun_by_a_request_or_an_offer",
            ),
        ]
        indexes = [
            # A provider's list of clients is a range of one of these, in the order of its pages.
            models.Index(
                "provider", F("starts_at").desc(), F("id").desc(), name="relationship_provider_new"
            ),
            models.Index(fields=["provider", "ends_at", "id"], name="relationship_provider_end"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} - {self.provider_id}"


class RelationshipTerms(VisibilityRules, Period):
    """What was agreed for one program account, or for all of them, present and future.

    Immutable but for its end: a change closes the row and opens another. Its authority lasts as
    long as both its own period and that of the relationship.
    """

    relationship = models.ForeignKey(Relationship, on_delete=models.PROTECT, related_name="terms")
    program = models.ForeignKey(
        ProgramAccount,
        null=True,
        on_delete=models.PROTECT,
        related_name="relationship_terms",
        help_text="Empty: every program account of the client, present and future.",
    )
    level = models.CharField(max_length=8, choices=Level)
    ceiling = models.CharField(max_length=6, choices=Ceiling)
    may_submit = models.BooleanField(default=True)
    may_pay = models.BooleanField(default=False)
    may_see_amounts = models.BooleanField(default=False)
    consent_version = models.CharField(max_length=20)
    consent_hash_en = models.CharField(max_length=64)
    consent_hash_fr = models.CharField(max_length=64)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    agreed_at = models.DateTimeField(
        help_text="Earlier than they start where they are what is left of wider ones."
    )
    open_end_reason = models.CharField(
        max_length=500, blank=True, help_text="Why they were agreed without an end, if they were."
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: they end by their date, or other terms took their place.",
    )

    class Meta:
        constraints = [
            NoOverlap(name="one_live_terms_per_program", keys=("relationship", "program")),
            ordered_period("relationship_terms_period_ordered"),
            models.CheckConstraint(
                condition=~Q(visibility_broker=Visibility.NONE), name="own_submissions_stay_visible"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=False) | ~Q(open_end_reason=""),
                name="open_terms_say_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.relationship_id} {self.program_id or 'all'}"

    @property
    def effective_start(self) -> datetime:
        """When both the terms and the relationship have begun."""
        return max(self.starts_at, self.relationship.starts_at)

    @property
    def effective_end(self) -> datetime | None:
        """When the terms or the relationship end, whichever comes first."""
        ends = [end for end in (self.ends_at, self.relationship.ends_at) if end is not None]
        return min(ends, default=None)

    def covers(self, program_id: int) -> bool:
        """Say whether the terms speak of this program account of the client."""
        return self.program_id is None or self.program_id == program_id

    def in_force_at(self, at: datetime) -> bool:
        """Say whether the terms give authority at an instant."""
        return (
            self.active_at(at)
            and self.relationship.active_at(at)
            and not self.relationship.is_suspended_at(at)
        )

    @property
    def ceiling_role(self) -> Role:
        """The ceiling as a role."""
        return Role(self.ceiling)
