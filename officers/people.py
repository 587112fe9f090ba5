"""What officers read of the recovery of a user account: how it stands, and whose account it is."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import Membership, Status
from delegation.models.periods import during
from delegation.requests import request_tag
from delegation.terms import State
from officers.models import AccountRecovery


def state_of(recovery: AccountRecovery, at: datetime) -> State:
    """How a recovery stands: waiting, to confirm, stopped by a sign-in, decided or lapsed."""
    status = recovery.status_at(at)
    if was_stopped(recovery, at):
        return State("neutral", pgettext("recovery", "Stopped by a sign-in"), is_over=True)
    if status is not Status.PENDING:
        return request_tag(status)
    if at < recovery.decidable_at:
        return State("info", pgettext("recovery", "Waiting time"), is_over=False)
    return State("warning", _("To confirm"), is_over=False)


def was_stopped(recovery: AccountRecovery, at: datetime) -> bool:
    """Whether a sign-in of the person ended it: one that came before it was decided or lapsed."""
    status, signed_in = recovery.status_at(at), recovery.person.last_login
    in_time = status is Status.PENDING or (signed_in is not None and signed_in < recovery.closes_at)
    return status in (Status.PENDING, Status.LAPSED) and recovery.is_stopped and in_time


@dataclass(frozen=True)
class Standing:
    """Whose account it is: what an officer compares with what the person tells."""

    signed_in_at: datetime | None
    businesses: tuple[BusinessAccount, ...]

    @classmethod
    def of(cls, person: User, at: datetime) -> "Standing":
        """The last sign-in, and the businesses to which the person has access: 1 query."""
        live = Membership.objects.filter(during(at), person=person).select_related("business")
        found = (one.business for one in live.order_by("business__legal_name", "pk"))
        return cls(person.last_login, tuple(found))
