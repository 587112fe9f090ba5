"""Taking rights away: end or suspend a membership, end a role, set its last instant.

Every path that may lower the number of Business Account Managers goes through `_take`, which
holds the business row: of two managers who leave in the same instant one is refused (invariant 1).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.models import AccessRequest, BusinessRole, Membership, ProgramRole
from delegation.permissions import can_end_role
from delegation.services import roles as role_service
from delegation.services.decisions import Problem, own_path

Row = Membership | BusinessRole | ProgramRole


def end_membership(
    *, actor: User, acting_for: BusinessAccount, membership: Membership, reason: str, at: datetime
) -> Row | Refusal:
    """Off-board a person, or leave: every right in the business ends with the membership."""

    def end(row: Membership) -> None:
        row.ends_at, row.ended_by, row.end_reason = at, actor, reason
        role_service.end_all(person=row.person, business=row.business, ended_by=actor, at=at)
        # Whoever has the form of a waiting request open decides it on what is true now.
        asked = AccessRequest.objects.filter(person=row.person, bn9=row.business.bn9)
        asked.pending_at(at).update(version=F("version") + 1)

    return _take("membership.end", actor, acting_for, membership, end, at, reason)


def suspend_membership(
    *, actor: User, acting_for: BusinessAccount, membership: Membership, reason: str, at: datetime
) -> Row | Refusal:
    """Stop a person's rights in the business for a while; nothing is lost."""

    def suspend(row: Membership) -> None:
        row.suspended_at = at

    return _take("membership.suspend", actor, acting_for, membership, suspend, at, reason)


def end_business_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    role: BusinessRole,
    at: datetime,
    ends_at: datetime | None = None,
) -> Row | Refusal:
    """End a BAM's role now, or set the instant, sooner than before, at which it will end."""

    def end(row: BusinessRole) -> None:
        row.ends_at, row.ended_by = ends_at or at, actor

    return _take("business_role.end", actor, acting_for, role, end, at)


def end_program_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    role: ProgramRole,
    at: datetime,
    ends_at: datetime | None = None,
) -> Row | Refusal:
    """End a role on a program account now, or set the instant, sooner than before, of its end."""

    def end(row: ProgramRole) -> None:
        row.ends_at, row.ended_by = ends_at or at, actor

    return _take("program_role.end", actor, acting_for, role, end, at)


@transaction.atomic
def _take(
    verb: str,
    actor: User,
    acting_for: BusinessAccount,
    row: Row,
    change: Callable[[Any], None],
    at: datetime,
    reason: str = "",
) -> Row | Refusal:
    """Change a locked row, unless it is not the actor's to change or takes the last manager."""
    role_service.lock_managers(acting_for)
    pk: Any = row.pk
    locked = type(row)._default_manager.select_for_update(no_key=True).get(pk=pk)
    at = not_before(at, business_chain(acting_for.bn9))
    person, scope = _whose(locked)
    about: dict[str, Any] = {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9), person_chain(person)],
        "object_type": type(row).__name__.lower(),
        "object_id": str(pk),
        "object_label": person.get_full_name(),
    }
    access = Access(actor, acting_for, at)
    problem = _why_not_takeable(access, locked, person, scope)
    # Giving up one's own needs no role.
    path = "own" if person == actor else own_path(access)
    problem = problem or _change(locked, change, acting_for, at)
    if problem:
        return refuse(code=problem[0], message=problem[1], verb=verb, **about)
    after = {"ends_at": locked.ends_at, "scope": str(scope)}
    record(verb=verb, reason=reason, after=after, path=path, **about)
    return locked


def _change(
    row: Row, change: Callable[[Any], None], business: BusinessAccount, at: datetime
) -> Problem | None:
    """Change the row and save it, or undo it all and say why."""
    until, before = row.ends_at, role_service.lasting_managers(business, at)
    with transaction.atomic():
        change(row)
        problem = _why_not_sooner(until, row.ends_at, at)
        if problem is None:
            row.save()
            problem = _why_last_manager(business, before, at)
        transaction.set_rollback(problem is not None)
    return problem


def _whose(row: Row) -> tuple[User, BusinessAccount | ProgramAccount]:
    if isinstance(row, Membership):
        return row.person, row.business
    return row.user, row.content_object


def _why_not_takeable(
    access: Access, row: Row, person: User, scope: BusinessAccount | ProgramAccount
) -> Problem | None:
    business = scope if isinstance(scope, BusinessAccount) else scope.business
    if business.pk != access.acting_for.pk:
        return "not_allowed", _("You cannot change this access.")
    role = getattr(row, "role", None)
    if person != access.person and not can_end_role(access, scope, role):
        return "not_allowed", _("You cannot change this access.")
    if not row.active_at(access.at):
        return "already_ended", _("This access is over already. Nothing was changed.")
    return None


def _why_not_sooner(until: datetime | None, end: datetime | None, at: datetime) -> Problem | None:
    """Taking never rewrites the past, and never lengthens what somebody holds."""
    if end is not None and end < at:
        return "ends_in_the_past", _("The last day cannot be before today.")
    if until is not None and (end is None or end > until):
        return "not_allowed", _("You cannot change this access.")
    return None


def _why_last_manager(business: BusinessAccount, before: set[int], at: datetime) -> Problem | None:
    """An active business always keeps a BAM without an end date whose person is active."""
    if before and not role_service.lasting_managers(business, at):
        return "last_manager", _(
            "This is the last Business Account Manager of %(business)s. Name another one first."
        ) % {"business": business.name}
    return None
