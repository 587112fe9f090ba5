"""Taking rights away: end or suspend a membership, end a role, set its last instant; and resuming.

Every path that may lower the number of Business Account Managers goes through `_take`, which
holds the business row: of two managers who leave in the same instant one is refused (invariant 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import end_sessions
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.models import AccessRequest, BusinessRole, Membership, ProgramRole
from delegation.permissions import (
    can_end_membership,
    can_end_role,
    can_resume_membership,
    can_suspend_membership,
)
from delegation.roles import Role
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.continuity import remove_former_successor
from delegation.services.decisions import Problem, not_allowed, own_path
from notices.services import notify
from pages.formats import last_day

Row = Membership | BusinessRole | ProgramRole


@dataclass(frozen=True)
class _Act:
    """What is done to a row: how history calls it, the mail that tells the person, the change.

    The change says why it cannot be, or nothing.
    """

    verb: str
    mail: str
    change: Callable[[Any, datetime], Problem | None]
    reason: str = ""


def end_membership(
    *, actor: User, acting_for: BusinessAccount, membership: Membership, reason: str, at: datetime
) -> Row | Refusal:
    """Off-board a person, or leave: every right in the business ends with the membership.

    A nomination as successor ends too.
    So does every session of somebody whom another off-boards. Whoever also works elsewhere signs in
    again; whoever leaves goes on with the session.
    """

    def end(row: Membership, at: datetime) -> Problem | None:
        row.ends_at, row.ended_by, row.end_reason = at, actor, reason
        role_service.end_all(person=row.person, business=row.business, ended_by=actor, at=at)
        if row.person_id != actor.pk:
            end_sessions(person=row.person)
        # Whoever has the form of a waiting request open decides it on what is true now.
        waiting = AccessRequest.objects.pending_at(at).filter(person=row.person)
        waiting.filter(bn9=row.business.bn9).update(version=F("version") + 1)
        # Last, as it writes history: whoever holds the end of a history waits for nothing else.
        remove_former_successor(access=Access(actor, acting_for, at), person=row.person)
        return None

    act = _Act("membership.end", "membership_ended", end, reason)
    return _take(act, actor, acting_for, membership, at)


def suspend_membership(
    *, actor: User, acting_for: BusinessAccount, membership: Membership, reason: str, at: datetime
) -> Row | Refusal:
    """Stop another person's rights in the business for a while; nothing is lost."""

    def suspend(row: Membership, at: datetime) -> Problem | None:
        if not can_suspend_membership(Access(actor, acting_for, at), row.person):
            return _not_allowed()
        if row.suspended_at is not None:
            return "already_suspended", _("This access is suspended already. Nothing was changed.")
        row.suspended_at = at
        return None

    act = _Act("membership.suspend", "membership_suspended", suspend, reason)
    return _take(act, actor, acting_for, membership, at)


def resume_membership(
    *, actor: User, acting_for: BusinessAccount, membership: Membership, at: datetime
) -> Row | Refusal:
    """Give back what a suspension stopped, as it is by now. Nobody resumes the own access."""

    def resume(row: Membership, at: datetime) -> Problem | None:
        if not can_resume_membership(Access(actor, acting_for, at), row.person):
            return not_allowed(acting_for, _("You cannot change this access."))
        if row.suspended_at is None:
            return "not_suspended", _("This access is not suspended. Nothing was changed.")
        row.suspended_at = None
        return None

    act = _Act("membership.resume", "membership_resumed", resume)
    return _take(act, actor, acting_for, membership, at)


def end_business_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    role: BusinessRole,
    at: datetime,
    ends_at: datetime | None = None,
) -> Row | Refusal:
    """End a BAM's role now, or set the instant, sooner than before, at which it will end."""
    act = _Act("business_role.end", "role_ended", _ending(actor, ends_at))
    return _take(act, actor, acting_for, role, at)


def end_program_role(
    *,
    actor: User,
    acting_for: BusinessAccount,
    role: ProgramRole,
    at: datetime,
    ends_at: datetime | None = None,
) -> Row | Refusal:
    """End a role on a program account now, or set the instant, sooner than before, of its end."""
    act = _Act("program_role.end", "role_ended", _ending(actor, ends_at))
    return _take(act, actor, acting_for, role, at)


def _ending(
    actor: User, ends_at: datetime | None
) -> Callable[[BusinessRole | ProgramRole, datetime], Problem | None]:
    """Let a role end. That never rewrites the past, and never lengthens what somebody holds."""

    def end(row: BusinessRole | ProgramRole, at: datetime) -> Problem | None:
        end = max(ends_at or at, row.starts_at)
        if ends_at is not None and ends_at < at:
            return "ends_in_the_past", _("The last day cannot be before today.")
        if row.ends_at is not None and end > row.ends_at:
            return "not_sooner", _("This role ends sooner already. Choose an earlier last day.")
        row.ends_at, row.ended_by = end, actor
        return None

    return end


@transaction.atomic
def _take(
    act: _Act, actor: User, acting_for: BusinessAccount, row: Row, at: datetime
) -> Row | Refusal:
    """Change a locked row, unless it is not the actor's to change or takes the last manager."""
    locked = _lock(row, acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    person, scope = _whose(locked)
    about: dict[str, Any] = {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9), person_chain(person)],
        "object_type": type(row).__name__.lower(),
        "object_id": str(row.pk),
        "object_label": person.get_full_name(),
    }
    access = Access(actor, acting_for, at)
    problem = _why_not_takeable(access, locked, person, scope)
    # Giving up one's own needs no role.
    path = "own" if person == actor else own_path(access)
    problem = problem or _change(locked, act, acting_for, at)
    if problem:
        return refuse(code=problem[0], message=problem[1], verb=act.verb, **about)
    _tell(person, act, locked, acting_for, at)
    after = {"ends_at": locked.ends_at, "target": "" if scope == acting_for else str(scope)}
    record(verb=act.verb, reason=act.reason, after=after, path=path, **about)
    return locked


def _lock(row: Row, business: BusinessAccount) -> Row:
    """The row as it is now, held; before it what else may change with it, in its order."""
    locks.lock_rights(business)
    person, _scope = _whose(row)
    locks.lock_requests([person], business)
    pk: Any = row.pk
    return type(row)._default_manager.select_for_update(no_key=True).get(pk=pk)


def _change(row: Row, act: _Act, business: BusinessAccount, at: datetime) -> Problem | None:
    """Change the row and save it, or undo it all and say why."""
    before = role_service.lasting_managers(business, at)
    with transaction.atomic():
        problem = act.change(row, at)
        if problem is None:
            row.save()
            problem = why_last_manager(business, before, at)
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
        return _not_allowed()
    if isinstance(row, Membership):
        is_allowed = can_end_membership(access, person)
    else:
        is_allowed = can_end_role(access, person, scope, Role(row.role))
    if not is_allowed:
        return _not_allowed()
    if row.is_over_at(access.at):
        return "already_ended", _("This access is over already. Nothing was changed.")
    return None


def _not_allowed() -> Problem:
    return "not_allowed", _("You cannot change this access.")


def why_last_manager(business: BusinessAccount, before: set[int], at: datetime) -> Problem | None:
    """An active business always keeps a BAM without an end date whose person is active."""
    if before and not role_service.lasting_managers(business, at):
        return "last_manager", _(
            "This is the last Business Account Manager of %(business)s, %(bn)s. "
            "Name another one first."
        ) % {"business": business.name, "bn": business.bn_shown}
    return None


def _tell(person: User, act: _Act, row: Row, business: BusinessAccount, at: datetime) -> None:
    """Tell the person, who may not be the one who acted, what became of the access."""
    notify(
        key=f"{act.verb}:{row.pk}:{at.isoformat()}",
        template=f"delegation/email/{act.mail}.txt",
        recipient=person,
        context={
            "business": business,
            "program": row.content_object if isinstance(row, ProgramRole) else None,
            "role": "" if isinstance(row, Membership) else Role(row.role),
            "last_day": last_day(row.ends_at) if row.ends_at else None,
            "is_over": not row.active_at(at),
            "reason": act.reason,
        },
    )
