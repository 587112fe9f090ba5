"""Role assignments: the guardian row is the role.

Rows of django-guardian's direct-key tables, with a period, who granted them and where they come
from. guardian's uniqueness and its deletion would lose history, so both are replaced: ended rows
stay, live ones of one person and scope never overlap, and only `services/roles.py` writes here.
"""

from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.managers import GroupObjectPermissionManager, UserObjectPermissionManager
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup
from delegation.models.periods import NoOverlap, Period, PeriodQuerySet, ordered_period


class RoleWritesElsewhere(Exception):
    """Raised when guardian's own shortcuts try to write a role without period and history."""


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise RoleWritesElsewhere("Roles are granted and ended by delegation/services/roles.py alone.")


class _NoShortcuts:
    """guardian's ways to write, all closed."""

    assign = assign_perm = assign_perm_to_many = bulk_assign_perm = staticmethod(_refuse)
    remove_perm = remove_perm_from_many = bulk_remove_perm = staticmethod(_refuse)


class UserRoleManager(
    _NoShortcuts,
    UserObjectPermissionManager.from_queryset(PeriodQuerySet),  # type: ignore[misc]
):
    """Roles of people; read through `access.py`."""


class GroupRoleManager(
    _NoShortcuts,
    GroupObjectPermissionManager.from_queryset(PeriodQuerySet),  # type: ignore[misc]
):
    """Roles of employee groups; read through `access.py`."""


class Grant(Period):
    """Who granted a role, from when to when, and where it comes from.

    `granted_at` is the instant of granting where the role begins later.
    """

    class Source(models.TextChoices):
        DIRECT = "direct", _("Direct")
        GROUP = "group", _("Employee group")
        RECOVERY = "recovery", _("Recovery")
        SUCCESSION = "succession", _("Succession")

    permission = models.ForeignKey(Permission, on_delete=models.PROTECT, related_name="+")
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    granted_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.DIRECT)

    class Meta:
        abstract = True

    @property
    def role(self) -> str:
        """The role: the codename of the permission."""
        return self.permission.codename


class UserGrant(Grant, UserObjectPermissionBase):
    """A role of a person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = UserRoleManager()  # type: ignore[misc]

    class Meta:
        abstract = True


class GroupGrant(Grant, GroupObjectPermissionBase):
    """A role of an employee group."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    objects = GroupRoleManager()  # type: ignore[misc]

    class Meta:
        abstract = True


class BusinessRole(UserGrant):
    """A Business Account Manager of a business."""

    content_object = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="role_rows"
    )

    class Meta:
        constraints = [
            NoOverlap(
                name="one_live_role_per_person_and_business", keys=("user", "content_object")
            ),
            ordered_period("business_role_period_ordered"),
        ]


class ProgramRole(UserGrant):
    """A PAM, Editor or Reader of a program account."""

    content_object = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="role_rows"
    )

    class Meta:
        constraints = [
            NoOverlap(name="one_live_role_per_person_and_program", keys=("user", "content_object")),
            ordered_period("program_role_period_ordered"),
        ]


class GroupProgramRole(GroupGrant):
    """The role of an employee group on a program account."""

    content_object = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="group_role_rows"
    )

    class Meta:
        constraints = [
            NoOverlap(name="one_live_role_per_group_and_program", keys=("group", "content_object")),
            ordered_period("group_program_role_period_ordered"),
        ]


class GroupProgramGroupRole(GroupGrant):
    """The role of an employee group on every program account of a program-account group."""

    content_object = models.ForeignKey(
        ProgramGroup, on_delete=models.PROTECT, related_name="group_role_rows"
    )

    class Meta:
        constraints = [
            NoOverlap(
                name="one_live_role_per_group_and_program_group", keys=("group", "content_object")
            ),
            ordered_period("group_program_group_role_period_ordered"),
        ]
