"""Access reviews: once a year a manager looks at every grant and signs what became of each.

A review holds what was there when it was opened, so that what it says never moves with the grants.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from businesses.models import BusinessAccount
from delegation.models.employees import EmployeeGroupMember
from delegation.models.grants import BusinessRole, ProgramRole
from delegation.roles import Role


class ReviewAnswer(models.TextChoices):
    """What shall become of a grant: a draft until it is applied."""

    KEEP = "keep", pgettext_lazy("access review", "Keep")
    REDUCE = "reduce", pgettext_lazy("access review", "Reduce")
    REMOVE = "remove", pgettext_lazy("access review", "Remove")


class ReviewResult(models.TextChoices):
    """What became of a grant. *Changed* is one that was over before its answer was applied."""

    KEPT = "kept", pgettext_lazy("access review", "Kept")
    REDUCED = "reduced", pgettext_lazy("access review", "Reduced")
    REMOVED = "removed", pgettext_lazy("access review", "Removed")
    CHANGED = "changed", _("Ended meanwhile")


class AccessReview(models.Model):
    """One review of a business: open, or signed. What was signed never changes.

    `digest` is over the whole of what was signed; the history of the business holds it too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="access_reviews"
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["business"], condition=Q(signed_at=None), name="one_open_access_review"
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None, digest="")
                | (Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(digest="")),
                name="access_review_signed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business} {self.opened_at:%Y-%m-%d}"


class AccessReviewLine(models.Model):
    """One grant as it was when the review was opened, its answer, and what became of it.

    It is a role of a person, or the person's place in an employee group. `scope` names the program
    account or the group; it is empty for the business as a whole.
    """

    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=201)
    business_role = models.ForeignKey(
        BusinessRole, null=True, on_delete=models.PROTECT, related_name="+"
    )
    program_role = models.ForeignKey(
        ProgramRole, null=True, on_delete=models.PROTECT, related_name="+"
    )
    group_member = models.ForeignKey(
        EmployeeGroupMember, null=True, on_delete=models.PROTECT, related_name="+"
    )
    role = models.CharField(max_length=10, choices=Role, blank=True)
    scope = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    last_used_on = models.DateField(null=True)
    answer = models.CharField(max_length=10, choices=ReviewAnswer, blank=True)
    reduce_to = models.CharField(max_length=10, choices=Role, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    result = models.CharField(max_length=10, choices=ReviewResult, blank=True)
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "position"], name="access_review_line_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(business_role__isnull=False, program_role=None, group_member=None)
                | Q(business_role=None, program_role__isnull=False, group_member=None)
                | Q(business_role=None, program_role=None, group_member__isnull=False),
                name="access_review_line_of_one_grant",
            ),
            models.CheckConstraint(
                condition=Q(answer=ReviewAnswer.REDUCE) ^ Q(reduce_to=""),
                name="access_review_line_reduced_to_a_role",
            ),
            models.CheckConstraint(
                condition=Q(result="", applied_at=None, applied_by=None)
                | (~Q(result="") & Q(applied_at__isnull=False, applied_by__isnull=False)),
                name="access_review_line_applied_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_name}: {self.role} {self.scope}"

    @property
    def grant(self) -> BusinessRole | ProgramRole | EmployeeGroupMember:
        """The row that is looked at, as it is now."""
        found = self.business_role or self.program_role or self.group_member
        if found is None:
            raise ValueError("A line is about one grant.")
        return found
