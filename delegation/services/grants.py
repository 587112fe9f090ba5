"""Giving roles to a person who belongs to the business: higher, lower, from a day, until a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.models import BusinessRole, Membership, ProgramRole
from delegation.permissions import can_change_role, can_end_role, can_grant_role
from delegation.roles import Role
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, not_allowed, own_path, why_closed
from delegation.services.employees import WHOLE, why_not_person
from delegation.services.rights import why_last_manager
from delegation.services.roles import FROM_NOW_ON, Term
from delegation.terms import extension_label
from notices.services import notify
from pages.formats import EASTERN, last_day


@dataclass(frozen=True)
class RoleChange:
    """A role for a term: on program accounts (by pk), or, where it is BAM, on the business."""

    role: Role
    programs: frozenset[int] = frozenset()
    term: Term = FROM_NOW_ON

    @property
    def makes_bam(self) -> bool:
        return self.role is Role.BAM

    def begins(self, at: datetime) -> datetime:
        """When it begins, changed at an instant: then, or on a later day."""
        return max(self.term.starts_at or at, at)

    def named(self, business: BusinessAccount) -> list[ProgramAccount]:
        """The program accounts of the business among those named."""
        wanted = frozenset[int]() if self.makes_bam else self.programs
        return [one for one in business.programs.order_by("extension") if one.pk in wanted]


@transaction.atomic
def change_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    membership: Membership,
    change: RoleChange,
    at: datetime,
) -> Membership | Refusal:
    """Give a person a role in place of what is held directly on the same scope from then on.

    What is held until then stays until then; what ended stays in the rows.
    """
    person = membership.person
    locks.lock_rights(acting_for)
    locks.lock_memberships([person], acting_for)
    locks.lock_roles([person], acting_for)
    locked = Membership.objects.select_related("person").get(pk=membership.pk)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    programs = change.named(acting_for)
    before = _replaced(acting_for, person, change, programs, at)
    problem = _why_not_changeable(access, locked, change, programs) or _change(
        actor, acting_for, person, change, programs, at
    )
    about: dict[str, Any] = {
        "verb": "role.change",
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9), person_chain(person)],
        "object_type": "membership",
        "object_id": str(locked.pk),
        "object_label": person.get_full_name(),
    }
    if problem:
        return refuse(code=problem[0], message=problem[1], **about)
    _tell(locked, acting_for, change, programs, at)
    record(
        before={"roles": before},
        after={"roles": dict.fromkeys(before, change.role.value), **change.term._asdict()},
        path=own_path(access),
        **about,
    )
    return locked


def _why_not_changeable(
    access: Access, membership: Membership, change: RoleChange, programs: list[ProgramAccount]
) -> Problem | None:
    person, business = membership.person, access.acting_for
    if membership.business_id != business.pk or not can_change_role(access, person):
        return not_allowed(business, _("You cannot change the roles of this person."))
    if not membership.active_at(access.at):
        return "already_ended", _("This access is over already. Nothing was changed.")
    barred = why_not_person(access, person) or why_closed(access, programs)
    if barred:
        return barred
    if not programs and not change.makes_bam:
        return "nothing_granted", _("Choose at least one program account.")
    begins = change.begins(access.at)
    if change.term.ends_at is not None and change.term.ends_at <= begins:
        return "ends_before_it_begins", _("The last day cannot be before the first day.")
    scopes = [business] if change.makes_bam else programs
    may_grant = all(can_grant_role(access, scope, change.role) for scope in scopes)
    if not may_grant or not _may_replace(access, person, programs, begins):
        return "above_own_right", _("You cannot grant more than your own role allows.")
    return None


def _replaced(
    business: BusinessAccount,
    person: User,
    change: RoleChange,
    programs: list[ProgramAccount],
    at: datetime,
) -> dict[str, list[dict[str, Any]]]:
    """What is held directly on the same scopes once it begins or later, as history keeps it."""
    held = role_service.replaced_by(person, programs, change.begins(at))
    found: dict[str, Iterable[BusinessRole | ProgramRole]] = {
        one.extension: held.get(one.pk, ()) for one in programs
    }
    if change.makes_bam:
        rows = BusinessRole.objects.filter(user=person, content_object=business)
        found[WHOLE] = [row for row in rows if not row.is_over_at(change.begins(at))]
    return {
        scope: [
            {"role": row.role, "starts_at": row.starts_at, "ends_at": row.ends_at} for row in rows
        ]
        for scope, rows in found.items()
    }


def _may_replace(
    access: Access, person: User, programs: list[ProgramAccount], begins: datetime
) -> bool:
    """What the new role takes the place of, now or later, is the actor's to take."""
    beyond = role_service.replaced_by(person, programs, begins)
    return all(
        can_end_role(access, person, program, Role(row.role))
        for program in programs
        for row in beyond.get(program.pk, ())
    )


def _change(
    actor: User,
    business: BusinessAccount,
    person: User,
    change: RoleChange,
    programs: list[ProgramAccount],
    at: datetime,
) -> Problem | None:
    """Write the roles, or undo it and say why: an end date may take the last lasting manager."""
    before = role_service.lasting_managers(business, at)
    given: dict[str, Any] = {"person": person, "granted_by": actor, "at": at, "term": change.term}
    with transaction.atomic():
        if change.makes_bam:
            role_service.grant_business_role(business=business, **given)
        for program in programs:
            role_service.grant_program_role(program=program, role=change.role, **given)
        problem = why_last_manager(business, before, at)
        transaction.set_rollback(problem is not None)
    return problem


def _tell(
    membership: Membership,
    business: BusinessAccount,
    change: RoleChange,
    programs: list[ProgramAccount],
    at: datetime,
) -> None:
    """Tell the person, who never is the one who acted, what the new role is and when it holds."""
    starts_at, ends_at = change.term
    begins_later = starts_at is not None and starts_at > at
    notify(
        key=f"role_changed:{membership.pk}:{at.isoformat()}",
        template="delegation/email/role_changed.txt",
        recipient=membership.person,
        context={
            "business": business,
            "role": change.role,
            "scopes": [extension_label(one.extension) for one in programs],
            "first_day": starts_at.astimezone(EASTERN).date()
            if starts_at and begins_later
            else None,
            "last_day": last_day(ends_at) if ends_at else None,
        },
    )
