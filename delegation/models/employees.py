"""A business and its own people: memberships, employee groups, access requests."""

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from businesses.models import BusinessAccount
from delegation.models.periods import NoOverlap, Period, Suspendable, ordered_period
from delegation.models.requests import Request, RequestLine, decided_whole
from delegation.roles import Role


class Membership(Suspendable):
    """A person belongs to a business. It gives no right by itself; without it no role works.

    `last_used_on` is the last local day on which the person used the portal for this business.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    business = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="memberships"
    )
    last_used_on = models.DateField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_membership", keys=("person", "business")),
            ordered_period("membership_period_ordered"),
        ]


class EmployeeGroup(models.Model):
    """Employees who share roles. Its rows are expanded when read: leaving it ends them at once.

    `auth_group` carries the guardian rows and says nothing by its name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="employee_groups"
    )
    name = models.CharField(max_length=100)
    auth_group = models.OneToOneField(
        Group, on_delete=models.PROTECT, related_name="employee_group"
    )
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["business", "name"], name="employee_group_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class EmployeeGroupMember(Period):
    """A person in an employee group."""

    group = models.ForeignKey(EmployeeGroup, on_delete=models.PROTECT, related_name="members")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="employee_groups"
    )

    class Meta:
        constraints = [
            NoOverlap(name="once_in_an_employee_group", keys=("group", "person")),
            ordered_period("employee_group_member_period_ordered"),
        ]


class AccessRequest(Request):
    """A person asks an employer for access. The employer's BN may or may not be registered."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_requests"
    )
    bn9 = models.CharField(max_length=9)
    note = models.CharField(max_length=500)

    class Meta:
        constraints = [
            NoOverlap(name="one_live_access_request", keys=("person", "bn9"), end="closes_at"),
            ordered_period("access_request_period_ordered", "closes_at"),
            decided_whole("access_request_decided_whole"),
        ]
        indexes = [
            models.Index(fields=["bn9", "decision", "closes_at"], name="access_request_queue")
        ]


class AccessRequestLine(RequestLine):
    """The wish for one program account, or for whatever the managers find right."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="lines")
    wished_role = models.CharField(max_length=10, choices=Role, blank=True)
    granted_role = models.CharField(max_length=10, choices=Role, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "extension"], name="one_access_request_line_per_program"
            ),
            decided_whole("access_request_line_decided_whole"),
        ]
