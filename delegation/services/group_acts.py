"""What every act on a group has in common: how history names it, and why it cannot be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount, ProgramGroup
from delegation.access import Access, Decision
from delegation.models import EmployeeGroup
from delegation.services import locks
from delegation.services.decisions import Problem, not_allowed

type AnyGroup = EmployeeGroup | ProgramGroup


@dataclass(frozen=True)
class GroupAct:
    """An act on a group: what it is, by whom and when. A group that is about to be has no key."""

    verb: str
    access: Access
    name: str
    pk: object = ""

    def done(self, *, person: User | None = None, path: str = "own:bam", **change: Any) -> None:
        """Write it into the history of the business, and into that of the person it is about."""
        record(verb=self.verb, path=path, **self._about(person), **change)

    def refused(self, problem: Problem, *, person: User | None = None) -> Refusal:
        """Write that it was refused, and say why."""
        code, message = problem
        return refuse(code=code, message=message, verb=self.verb, **self._about(person))

    def _about(self, person: User | None) -> dict[str, Any]:
        bn9 = self.access.acting_for.bn9
        chains = [business_chain(bn9), *([person_chain(person)] if person else [])]
        return {
            "at": self.access.at,
            "actor": self.access.person,
            "acting_for": bn9,
            "chains": chains,
            "object_type": self.verb.partition(".")[0],
            "object_id": str(self.pk),
            "object_label": self.name,
        }


def act_on(
    verb: str, actor: User, acting_for: BusinessAccount, group: AnyGroup, at: datetime
) -> GroupAct:
    """An act on a group that is there."""
    return GroupAct(verb, Access(actor, acting_for, at), group.name, group.pk)


def hold[Group: (EmployeeGroup, ProgramGroup)](
    *, group: Group, at: datetime
) -> tuple[Group, datetime]:
    """The group as it is now, held, and the instant at which whoever waited for it acts."""
    locks.lock_rights(group.business)
    locked = locks.lock_group(group)
    return locked, not_before(at, business_chain(locked.business.bn9))


def why_not_changeable(access: Access, group: AnyGroup, allowed: Decision) -> Problem | None:
    """Why nothing can be changed about the locked group, whatever is chosen."""
    if not allowed.allowed or group.business_id != access.acting_for.pk:
        return not_yours(access)
    if group.archived_at is not None:
        return "archived", _("This group is archived. Nothing was changed.")
    return None


def not_yours(access: Access) -> Problem:
    """The refusal of what a person may not do with groups."""
    return not_allowed(access.acting_for, _("You cannot change this group."))


def own_right(access: Access) -> Problem:
    """The refusal to give through a group that the actor is in: nobody changes the own right."""
    words = _("You are in this group yourself. Another Business Account Manager can change it.")
    return not_allowed(access.acting_for, words)


NAME_TAKEN = "name_taken"


def name_taken() -> Problem:
    """The refusal of a name that another group has."""
    return NAME_TAKEN, _("There is a group of this name already.")
