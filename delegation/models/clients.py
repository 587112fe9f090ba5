"""A provider's own order: which of its people work for which of its clients."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from businesses.models import BusinessAccount
from delegation.models.employees import EmployeeGroup
from delegation.models.periods import NoOverlap, Period, ordered_period
from delegation.models.relationships import Ceiling


class ClientGroup(models.Model):
    """Clients of a provider under one name. Expanded when read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="client_groups"
    )
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="client_group_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class ClientGroupMember(Period):
    """A client in a client group."""

    group = models.ForeignKey(ClientGroup, on_delete=models.PROTECT, related_name="members")
    client = models.ForeignKey(BusinessAccount, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            NoOverlap(name="once_in_a_client_group", keys=("group", "client")),
            ordered_period("client_group_member_period_ordered"),
        ]


class StaffAssignment(Period):
    """A person or an employee group of a provider works for a client or a client group."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="staff_assignments"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="assignments"
    )
    employee_group = models.ForeignKey(
        EmployeeGroup, null=True, on_delete=models.PROTECT, related_name="assignments"
    )
    client = models.ForeignKey(
        BusinessAccount, null=True, on_delete=models.PROTECT, related_name="+"
    )
    client_group = models.ForeignKey(
        ClientGroup, null=True, on_delete=models.PROTECT, related_name="assignments"
    )
    role = models.CharField(max_length=6, choices=Ceiling)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            NoOverlap(
                name="one_live_staff_assignment",
                keys=("provider", "person", "employee_group", "client", "client_group"),
            ),
            ordered_period("staff_assignment_period_ordered"),
            models.CheckConstraint(
                condition=Q(person__isnull=True) ^ Q(employee_group__isnull=True),
                name="assignment_of_a_person_or_a_group",
            ),
            models.CheckConstraint(
                condition=Q(client__isnull=True) ^ Q(client_group__isnull=True),
                name="assignment_to_a_client_or_a_group",
            ),
        ]
