"""Invitations: a manager offers an address access that is set beforehand; its person answers once.

The link that a mail carries is a secret of its reader. Of it only the digest is stored; a new link
takes the place of the old one.
"""

import hashlib
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Language
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models.employees import EmployeeGroup
from delegation.models.periods import NoOverlap, ordered_period
from delegation.models.requests import RequestQuerySet, decided_whole
from delegation.roles import PROGRAM_ROLES, Role


class InvitationStatus(models.TextChoices):
    """What an invitation is now. *Waiting* and *lapsed* are answers by the clock, never stored."""

    WAITING = "waiting", _("Waiting")
    LAPSED = "lapsed", _("Lapsed")
    ACCEPTED = "accepted", pgettext_lazy("invitation", "Accepted")
    DECLINED = "declined", _("Declined")
    REVOKED = "revoked", _("Revoked")


ENDS = (InvitationStatus.ACCEPTED, InvitationStatus.DECLINED, InvitationStatus.REVOKED)
"""How an invitation is closed by somebody."""

TRANSITIONS: dict[InvitationStatus, frozenset[InvitationStatus]] = {
    InvitationStatus.WAITING: frozenset({InvitationStatus.WAITING, *ENDS}),
    InvitationStatus.LAPSED: frozenset({InvitationStatus.WAITING}),
    InvitationStatus.ACCEPTED: frozenset(),
    InvitationStatus.DECLINED: frozenset(),
    InvitationStatus.REVOKED: frozenset(),
}
"""Sent again, an invitation waits anew; once answered or revoked, it is closed for good."""


def digest_of(token: str) -> str:
    """What is stored of the secret of a link: SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


class Invitation(models.Model):
    """An offer of access to whoever signs in with a verified address.

    It waits in `[starts_at, closes_at)`; `closes_at` starts as the lapse instant and moves to the
    answer. `invited_by` is who invited, or sent it last: that person stands for what it gives, and
    must still be able to give it when it is accepted. `version` counts every change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=5, choices=Language)
    message = models.CharField(max_length=500, blank=True)
    makes_bam = models.BooleanField(default=False)
    groups = models.ManyToManyField(EmployeeGroup, related_name="+")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    token_digest = models.CharField(max_length=64, unique=True)
    version = models.PositiveIntegerField(default=1)
    decision = models.CharField(
        max_length=10, choices=[(end.value, end.label) for end in ENDS], blank=True
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            NoOverlap(name="one_live_invitation", keys=("business", "email"), end="closes_at"),
            ordered_period("invitation_period_ordered", "closes_at"),
            decided_whole("invitation_decided_whole"),
            models.CheckConstraint(
                condition=Q(decision__in=["", *ENDS]), name="invitation_decision_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["email"], name="invitation_by_address"),
            models.Index(fields=["business", "starts_at", "id"], name="invitation_list"),
        ]

    def __str__(self) -> str:
        return self.email

    def status_at(self, at: datetime) -> InvitationStatus:
        """The status at an instant; equal to the queries of `RequestQuerySet`."""
        if self.decision:
            return InvitationStatus(self.decision)
        return InvitationStatus.WAITING if at < self.closes_at else InvitationStatus.LAPSED

    def grants(self) -> list[tuple[BusinessAccount | ProgramAccount, Role]]:
        """What it gives: a role on the business, or one on each program account, by extension."""
        if self.makes_bam:
            return [(self.business, Role.BAM)]
        lines = sorted(self.lines.all(), key=lambda line: line.program.extension)
        return [(line.program, Role(line.role)) for line in lines]


class InvitationLine(models.Model):
    """A role that an invitation gives on a program account."""

    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="lines")
    program = models.ForeignKey(ProgramAccount, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(
        max_length=10, choices=[(one.value, one.label) for one in PROGRAM_ROLES]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "program"], name="one_invitation_line_per_program"
            ),
            models.CheckConstraint(
                condition=Q(role__in=PROGRAM_ROLES), name="invitation_role_is_of_a_program"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.role}"


class InvitationMail(models.Model):
    """A mail with a link to an invitation: how often, when and by whom it was sent."""

    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="mails")
    business = models.ForeignKey(BusinessAccount, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["business", "sent_at"], name="invitation_mail_of_a_day")]

    def __str__(self) -> str:
        return f"{self.invitation}: {self.sent_at}"
