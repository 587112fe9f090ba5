"""What each role may do: one table, in words.

The help page, the "can / cannot" list and the access decision all read this table. Who holds a
role and until when is in `models/grants.py`; whether it reaches an object now is in `access.py`.
Source: CCP user roles (BAM, PAM, Editor, Reader) as published for importers.
"""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The four roles of an employee, highest first; each value is its permission's codename."""

    BAM = "bam", _("Business Account Manager")
    PAM = "pam", _("Program Account Manager")
    EDITOR = "editor", _("Editor")
    READER = "reader", _("Reader")

    @property
    def rank(self) -> int:
        """How much the role may do: a higher rank includes every lower one."""
        return len(Role) - list(Role).index(self)


PROGRAM_ROLES = (Role.PAM, Role.EDITOR, Role.READER)
"""The roles that are held on a program account. BAM is held on the business alone."""


def weakest(*roles: Role) -> Role:
    """The weakest link of a chain."""
    return min(roles, key=lambda role: role.rank)


def strongest(*roles: Role | None) -> Role | None:
    """The best of several paths, or nothing where there is none."""
    return max((role for role in roles if role), key=lambda role: role.rank, default=None)


class Action(models.TextChoices):
    """What can be done with a business, a program account or a record of it."""

    VIEW_TRANSACTIONS = "view_transactions", _("View all transactions of the program")
    EDIT_TRANSACTIONS = (
        "edit_transactions",
        _("Create and edit transactions of the program: declarations, corrections, adjustments"),
    )
    PAY = "pay", _("Make payments for the program")
    MANAGE_EMPLOYEES = (
        "manage_employees",
        _("Approve access requests of employees and grant roles"),
    )
    MANAGE_RELATIONSHIPS = (
        "manage_relationships",
        _("Approve, change and end business relationships with service providers"),
    )
    MANAGE_CLIENTS = (
        "manage_clients",
        _("Request relationships with clients and assign employees to them"),
    )
    MANAGE_BUSINESS = "manage_business", _("Manage the business account and its program accounts")
    VIEW_ACTIVITY = "view_activity", _("View the activity of the business")


_READER = frozenset({Action.VIEW_TRANSACTIONS})
_EDITOR = _READER | {Action.EDIT_TRANSACTIONS, Action.PAY}
_PAM = _EDITOR | {Action.MANAGE_EMPLOYEES, Action.MANAGE_RELATIONSHIPS}

TABLE: dict[Role, frozenset[Action]] = {
    Role.BAM: frozenset(Action),
    Role.PAM: _PAM,
    Role.EDITOR: _EDITOR,
    Role.READER: _READER,
}

SENTENCES: dict[Role, str | Promise] = {
    Role.BAM: _(
        "Manages the business and every program account, present and future: details, employees, "
        "relationships, all transactions and payments."
    ),
    Role.PAM: _(
        "Creates, edits and views everything of a program account, grants employees access to it "
        "and decides program-level relationships for it."
    ),
    Role.EDITOR: _("Creates, edits and views all transactions of a program account, and pays."),
    Role.READER: _("Views all transactions of a program account."),
}

READ_ONLY = frozenset({Action.VIEW_TRANSACTIONS, Action.VIEW_ACTIVITY})
"""What remains in a business that is not active, and of it in a program account that is closed."""

THROUGH_A_RELATIONSHIP = frozenset({Action.VIEW_TRANSACTIONS, Action.EDIT_TRANSACTIONS, Action.PAY})
"""What a service provider can ever do for a client: it works for it, it never manages it."""


def may(role: Role | None, action: Action) -> bool:
    """Say whether the role includes the action."""
    return role is not None and action in TABLE[role]


def grantable_by(role: Role | None) -> tuple[Role, ...]:
    """The roles that somebody with `role` on a scope may grant there, highest first.

    Nobody grants above their own right, and a PAM makes neither a BAM nor a PAM.
    """
    if role is Role.BAM:
        return tuple(Role)
    if role is Role.PAM:
        return (Role.EDITOR, Role.READER)
    return ()
