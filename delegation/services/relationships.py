"""Business relationships: a provider asks, the client's managers approve or reject."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
)
from delegation.models.mutes import muted
from delegation.permissions import (
    can_approve_relationship_request,
    can_reject_relationship_request,
    can_request_relationship,
    can_withdraw_relationship_request,
)
from delegation.roles import Action
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.agreements import (
    Agreement,
    Rules,
    conclude,
    lock_relationships,
    why_not_over_business_terms,
    why_not_period,
    why_not_provider,
    why_not_scope,
    why_not_suspended,
    why_not_wished,
)
from delegation.services.decisions import (
    Problem,
    close,
    close_if_decided,
    decide_line,
    lock,
    not_allowed,
    own_path,
    why_not_decidable,
    why_not_yours,
)
from delegation.services.limits import count_relationship_requests, turned_away
from notices.services import notify

ALREADY_WAITING = gettext_lazy("Your firm already has a request waiting for this business number.")
OWN_BUSINESS = gettext_lazy("This is your own business number. Enter your client’s.")


@dataclass(frozen=True)
class Wish:
    """What a provider asks for. `extensions` is empty for the whole business."""

    level: Level
    extensions: tuple[str, ...] = ()
    covers_future: bool = False
    ceiling: Ceiling = Ceiling.EDITOR
    rules: Rules = Rules()
    last_day: date | None = None
    comment: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The extensions that are decided one by one; of the whole business there is one line."""
        return self.extensions if self.level == Level.PROGRAM else ("",)


@transaction.atomic
def create_relationship_request(
    *, actor: User, acting_for: BusinessAccount, client_bn9: str, wish: Wish, at: datetime
) -> RelationshipRequest | Refusal:
    """Ask a BN9 for authority as a service provider. The BN need not be registered.

    The request waits, and the answer never tells whether somebody can see it: how many one firm
    may send is counted first, and nothing of the client is looked at (decision 38).
    """
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    about_refused = about_refused_creation(actor, acting_for, client_bn9, at)
    counted = count_relationship_requests(acting_for, 1, at)
    if not counted.allowed:
        return turned_away(counted, about_refused)
    problem = why_not_askable(Access(actor, acting_for, at), client_bn9)
    if problem:
        code, message = problem
        return refuse(code=code, message=message, **about_refused)
    waiting = new_request(actor, acting_for, client_bn9, wish, at)
    try:
        with transaction.atomic():
            waiting.save(force_insert=True)
    except IntegrityError:
        return refuse(code="already_waiting", message=ALREADY_WAITING, **about_refused)
    RelationshipRequestLine.objects.bulk_create(new_lines(waiting, wish))
    record(**about_creation(actor, acting_for, waiting, wish, at))
    return waiting


def new_request(
    actor: User, acting_for: BusinessAccount, client_bn9: str, wish: Wish, at: datetime
) -> RelationshipRequest:
    """What a firm asks of a number, not saved."""
    return RelationshipRequest(
        provider=acting_for,
        client_bn9=client_bn9,
        level=wish.level,
        covers_future=wish.covers_future,
        ceiling=wish.ceiling,
        wished_last_day=wish.last_day,
        comment=wish.comment,
        requested_by=actor,
        starts_at=at,
        closes_at=at + relativedelta(months=settings.RELATIONSHIP_REQUEST_LAPSE_MONTHS),
        **wish.rules.columns(),
    )


def new_lines(waiting: RelationshipRequest, wish: Wish) -> list[RelationshipRequestLine]:
    """The lines of a request, not saved."""
    return [RelationshipRequestLine(request=waiting, extension=one) for one in wish.lines]


@transaction.atomic
def approve_relationship_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_request: RelationshipRequest,
    agreement: Agreement,
    expected_version: int,
    at: datetime,
) -> Relationship | Refusal:
    """Give the provider the authority agreed, and close the lines decided by it.

    A BAM decides every line. A PAM decides the lines of its own programs, at the program level
    and at most as Editor. With a relationship already live, the new terms take the place of the
    old ones for the program accounts concerned. A firm that is suspended stays so.
    """
    locks.lock_rights(acting_for, used=[relationship_request.provider])
    locked = lock(relationship_request)
    lock_relationships(acting_for, locked.provider)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = why_not_approvable(access, locked, agreement, expected_version)
    if problem:
        return _refuse_decision(
            "relationship_request.approve", problem, actor, acting_for, locked, at
        )
    lines = can_approve_relationship_request(access, locked)
    sides = {"client": acting_for, "provider": locked.provider}
    relationship = conclude(
        begun_by=locked, agreement=agreement, agreed_by=actor, agreed_at=at, at=at, **sides
    )
    programs = acting_for.programs.filter(pk__in=agreement.programs)
    given = set(programs.values_list("extension", flat=True))
    for line in lines:
        approved = line.extension == "" or line.extension in given
        decide_line(line, Decision.APPROVED if approved else Decision.REJECTED, actor, at)
    close_if_decided(locked, actor, at)
    is_suspended = relationship.suspended_at is not None
    about = {"agreement": agreement, "is_suspended": is_suspended}
    _told(locked, acting_for, "relationship_request_approved", at, **about)
    record(
        verb="relationship_request.approve",
        after=agreement.recorded(given) | {"is_suspended": is_suspended},
        path=own_path(access),
        **_about(actor, acting_for, locked, at),
    )
    return relationship


@transaction.atomic
def reject_relationship_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_request: RelationshipRequest,
    reason: str,
    expected_version: int,
    at: datetime,
) -> RelationshipRequest | Refusal:
    """Reject every open line that the actor may decide, with a reason that the firm reads."""
    locks.lock_rights(used=[acting_for])
    locked = lock(relationship_request)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    lines = can_reject_relationship_request(access, locked)
    problem = why_not_decidable(locked, Decision.REJECTED, expected_version, at) or why_not_yours(
        access, locked, lines, Action.MANAGE_RELATIONSHIPS
    )
    if problem:
        return _refuse_decision(
            "relationship_request.reject", problem, actor, acting_for, locked, at
        )
    for line in lines:
        decide_line(line, Decision.REJECTED, actor, at, reason)
    close_if_decided(locked, actor, at)
    _told(locked, acting_for, "relationship_request_rejected", at, reason=reason)
    record(
        verb="relationship_request.reject",
        reason=reason,
        path=own_path(access),
        **_about(actor, acting_for, locked, at),
    )
    return locked


@transaction.atomic
def withdraw_relationship_request(
    *,
    actor: User,
    acting_for: BusinessAccount,
    relationship_request: RelationshipRequest,
    at: datetime,
) -> RelationshipRequest | Refusal:
    """Take back a request of one's own firm while any of it waits."""
    locks.lock_rights(used=[acting_for])
    locked = lock(relationship_request)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = why_not_decidable(locked, Decision.WITHDRAWN, None, at)
    if locked.provider_id != acting_for.pk or not can_withdraw_relationship_request(access).allowed:
        problem = not_allowed(
            acting_for, _("Only a manager of the firm that asked can withdraw this request.")
        )
    if problem:
        return _refuse_decision(
            "relationship_request.withdraw", problem, actor, acting_for, locked, at
        )
    for line in locked.lines.filter(decision=""):
        decide_line(line, Decision.WITHDRAWN, actor, at)
    close(locked, Decision.WITHDRAWN, actor, at)
    record(
        verb="relationship_request.withdraw",
        path="own:bam",
        **_about(actor, acting_for, locked, at),
    )
    return locked


def why_not_approvable(
    access: Access,
    relationship_request: RelationshipRequest,
    agreement: Agreement,
    expected_version: int,
) -> Problem | None:
    """Why this cannot be agreed now, or nothing: asked before the confirmation and under lock."""
    lines = can_approve_relationship_request(access, relationship_request)
    return (
        why_not_decidable(relationship_request, Decision.APPROVED, expected_version, access.at)
        or why_not_yours(access, relationship_request, lines, Action.MANAGE_RELATIONSHIPS)
        or why_not_provider(access, relationship_request.provider)
        or why_not_wished(relationship_request, access.acting_for)
        or why_not_suspended(access, relationship_request.provider.bn9)
        or why_not_scope(access, {line.extension for line in lines}, agreement)
        or why_not_period(access.at, agreement)
        or why_not_over_business_terms(access, relationship_request.provider, agreement)
    )


def received_requests(access: Access) -> QuerySet[RelationshipRequest]:
    """The requests that wait for the person's decision; those of a muted firm do not show.

    Nor does what the person asked for, at another firm.
    """
    waiting = (
        RelationshipRequest.objects.pending_at(access.at)
        .filter(~muted(access.at, "client_bn9", "provider"), client_bn9=access.acting_for.bn9)
        .exclude(requested_by=access.person)
    )
    if access.is_bam:
        return waiting.order_by("starts_at", "id")
    extensions = [program.extension for program in access.overseen(Action.MANAGE_RELATIONSHIPS)]
    mine = waiting.filter(lines__extension__in=extensions, lines__decision="")
    return mine.distinct().order_by("starts_at", "id")


def why_not_askable(access: Access, client_bn9: str) -> Problem | None:
    decision = can_request_relationship(access)
    if not decision.allowed:
        return "not_allowed", str(decision.reason.label)
    if not access.is_provider:
        return "not_a_provider", _("Only a service provider can request a business relationship.")
    if client_bn9 == access.acting_for.bn9:
        return "own_business", str(OWN_BUSINESS)
    return None


def _told(
    waiting: RelationshipRequest,
    client: BusinessAccount,
    template: str,
    at: datetime,
    **context: Any,
) -> None:
    """Tell those who manage the firm now, whoever asked at the time."""
    for manager in role_service.managers_of(waiting.provider.bn9, at):
        notify(
            key=f"{template}:{waiting.pk}:{waiting.version}:{manager.pk}",
            template=f"delegation/email/{template}.txt",
            recipient=manager,
            context={"relationship_request": waiting, "client": client, **context},
        )


def _about(
    actor: User, acting_for: BusinessAccount, waiting: RelationshipRequest, at: datetime
) -> dict[str, Any]:
    """The part of a history event that every act on a relationship request shares."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(waiting.client_bn9), business_chain(waiting.provider.bn9)],
        "object_type": "relationship_request",
        "object_id": str(waiting.pk),
        "object_label": waiting.provider.name,
    }


def _refuse_decision(
    verb: str,
    problem: Problem,
    actor: User,
    acting_for: BusinessAccount,
    waiting: RelationshipRequest,
    at: datetime,
) -> Refusal:
    """A refused attempt is told to the own business alone: it would tell the other one too much."""
    code, message = problem
    about = _about(actor, acting_for, waiting, at) | {"chains": [business_chain(acting_for.bn9)]}
    return refuse(code=code, message=message, verb=verb, **about)


def about_creation(
    actor: User,
    acting_for: BusinessAccount,
    waiting: RelationshipRequest,
    wish: Wish,
    at: datetime,
) -> dict[str, Any]:
    """What history says of a request that was sent."""
    return {
        "verb": "relationship_request.create",
        "after": {"level": wish.level, "programs": list(wish.lines), **wish.rules.columns()},
        "path": "own:bam",
        **_about(actor, acting_for, waiting, at),
    }


def about_refused_creation(
    actor: User, acting_for: BusinessAccount, client_bn9: str, at: datetime
) -> dict[str, Any]:
    """What history says of a request that was not sent: to the firm alone."""
    return {
        "verb": "relationship_request.create",
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
        "object_type": "business",
        "object_id": client_bn9,
    }
