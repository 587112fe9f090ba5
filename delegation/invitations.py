"""Invitations in words, and which of them somebody may know of."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.sign_in import verified_addresses
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.employees import managed_programs
from delegation.groups import roles_through, work_of
from delegation.models import EmployeeGroup, Invitation, InvitationLine, InvitationStatus
from delegation.roles import SENTENCES, Role
from delegation.terms import State, extension_label, program_label

TAGS = {
    InvitationStatus.WAITING: "warning",
    InvitationStatus.LAPSED: "neutral",
    InvitationStatus.ACCEPTED: "success",
    InvitationStatus.DECLINED: "danger",
    InvitationStatus.REVOKED: "neutral",
}
"""The kind of status tag of an invitation."""

NAMED = 20
"""How many of the program accounts that a group reaches are named."""


class Gift(NamedTuple):
    """A role or a group that is offered, in words: where, which, and what it allows."""

    where: str
    role: str
    sentence: str


def gifts(
    given: Iterable[tuple[BusinessAccount | ProgramAccount, Role]],
    groups: Iterable[EmployeeGroup] = (),
    at: datetime | None = None,
) -> list[Gift]:
    """What is offered, role by role and group by group.

    With an instant, what each group gives then: a few queries for each.
    """
    return [
        *_roles(given),
        *(
            Gift(
                _("Employee group"),
                group.name,
                _through(group, at) if at else "",
            )
            for group in groups
        ),
    ]


def _through(group: EmployeeGroup, at: datetime) -> str:
    """What comes through a group as long as somebody is in it."""
    shared = sorted(roles_through(group, at).items())
    said = [
        _("%(program)s: %(role)s") % {"program": extension_label(one), "role": role.label}
        for one, role in shared[:NAMED]
    ]
    if len(shared) > NAMED:
        more = len(shared) - NAMED
        words = ngettext(
            "and %(count)s more program account", "and %(count)s more program accounts", more
        )
        said.append(words % {"count": more})
    if clients := work_of(group, at).count():
        words = ngettext(
            "Work for %(count)s client or client group",
            "Work for %(count)s clients or client groups",
            clients,
        )
        said.append(words % {"count": clients})
    if not said:
        return _("Nothing yet: the group has no role.")
    held = _("As long as the person is in it: %(roles)s.")
    return held % {"roles": "; ".join(said)}


def _roles(given: Iterable[tuple[BusinessAccount | ProgramAccount, Role]]) -> list[Gift]:
    return [
        Gift(
            program_label(scope)
            if isinstance(scope, ProgramAccount)
            else _("Every program account, present and future"),
            str(role.label),
            str(SENTENCES[role]),
        )
        for scope, role in given
    ]


def invitation_state(invitation: Invitation, at: datetime) -> State:
    """The status of an invitation as a tag."""
    status = invitation.status_at(at)
    return State(TAGS[status], str(status.label), is_over=status is not InvitationStatus.WAITING)


def readable_invitations(access: Access) -> QuerySet[Invitation]:
    """The invitations of the business: all for a BAM, a PAM's are those on its programs alone."""
    every = Invitation.objects.filter(business=access.acting_for).select_related(
        "business", "invited_by", "decided_by"
    )
    every = every.prefetch_related("lines__program", "groups")
    if access.is_bam:
        return every
    elsewhere = InvitationLine.objects.exclude(program__in=managed_programs(access))
    mine = every.filter(makes_bam=False, groups=None)
    return mine.exclude(pk__in=elsewhere.values("invitation"))


def invitations_for(person: User, at: datetime) -> QuerySet[Invitation]:
    """The invitations that wait for a verified address of the person, the newest first."""
    waiting = Invitation.objects.pending_at(at).filter(email__in=verified_addresses(person))
    named = waiting.select_related("business", "invited_by").prefetch_related(
        "lines__program", "groups"
    )
    return named.order_by("-starts_at", "id")
