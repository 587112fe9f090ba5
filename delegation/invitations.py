"""Invitations in words, and which of them somebody may know of."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.sign_in import verified_addresses
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.employees import managed_programs
from delegation.models import Invitation, InvitationLine, InvitationStatus
from delegation.roles import SENTENCES, Role
from delegation.terms import State, program_label

TAGS = {
    InvitationStatus.WAITING: "warning",
    InvitationStatus.LAPSED: "neutral",
    InvitationStatus.ACCEPTED: "success",
    InvitationStatus.DECLINED: "danger",
    InvitationStatus.REVOKED: "neutral",
}
"""The kind of status tag of an invitation."""


class Gift(NamedTuple):
    """A role that is offered, in words: where, which, and what it allows."""

    where: str
    role: str
    sentence: str


def gifts(given: Iterable[tuple[BusinessAccount | ProgramAccount, Role]]) -> list[Gift]:
    """What is offered, role by role."""
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
    every = every.prefetch_related("lines__program")
    if access.is_bam:
        return every
    elsewhere = InvitationLine.objects.exclude(program__in=managed_programs(access))
    return every.filter(makes_bam=False).exclude(pk__in=elsewhere.values("invitation"))


def invitations_for(person: User, at: datetime) -> QuerySet[Invitation]:
    """The invitations that wait for a verified address of the person, the newest first."""
    waiting = Invitation.objects.pending_at(at).filter(email__in=verified_addresses(person))
    named = waiting.select_related("business", "invited_by").prefetch_related("lines__program")
    return named.order_by("-starts_at", "id")
