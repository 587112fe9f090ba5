"""Business relationships: a provider asks, the client's managers approve or reject."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.consent import relationship_consent
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    Visibility,
)
from delegation.models.periods import during
from delegation.permissions import (
    can_approve_relationship_request,
    can_reject_relationship_request,
    can_request_relationship,
    can_withdraw_relationship_request,
    grantable_ceilings,
)
from delegation.roles import Action
from delegation.services import roles as role_service
from delegation.services.decisions import (
    Problem,
    close,
    close_if_decided,
    decide_line,
    lock,
    not_allowed,
    own_path,
    tell_managers,
    why_closed,
    why_not_decidable,
    why_not_yours,
)
from notices.services import notify
from pages.formats import day, end_of_day


@dataclass(frozen=True)
class Rules:
    """The three visibility rules, by who submitted a record."""

    broker: Visibility = Visibility.VIEW
    importer: Visibility = Visibility.NONE
    other: Visibility = Visibility.NONE

    def columns(self) -> dict[str, Visibility]:
        """The rules as columns of requests and terms."""
        return {
            "visibility_broker": self.broker,
            "visibility_importer": self.importer,
            "visibility_other": self.other,
        }


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


@dataclass(frozen=True)
class Agreement:
    """What a client's manager agrees to.

    `programs` are primary keys of the client's program accounts; at the business level it is
    every one, and `covers_future` includes those opened later. `last_day` is a local day whose
    end is the end of the authority; an open end has none, and a written reason instead.
    """

    level: Level
    programs: frozenset[int]
    ceiling: Ceiling
    rules: Rules
    last_day: date | None
    covers_future: bool = False
    open_end_reason: str = ""
    may_submit: bool = True
    may_pay: bool = False
    may_see_amounts: bool = False

    @property
    def ends_at(self) -> datetime | None:
        """The first instant after the last day; none for an open end."""
        return end_of_day(self.last_day) if self.last_day else None

    def recorded(self, extensions: Iterable[str]) -> dict[str, Any]:
        """What history keeps of the agreement; `extensions` are those of its programs."""
        return {
            "level": self.level,
            "programs": sorted(extensions),
            "covers_future": self.covers_future,
            "ceiling": self.ceiling,
            "last_day": self.last_day,
            "open_end_reason": self.open_end_reason,
            **self.rules.columns(),
        }


def default_last_day(today: date) -> date:
    """The last day that an approval proposes: two years from today, by settings."""
    return today + relativedelta(years=settings.RELATIONSHIP_DEFAULT_YEARS)


@transaction.atomic
def create_relationship_request(
    *, actor: User, acting_for: BusinessAccount, client_bn9: str, wish: Wish, at: datetime
) -> RelationshipRequest | Refusal:
    """Ask a BN9 for authority as a service provider. The BN need not be registered.

    The request waits, and the answer never tells whether somebody can see it.
    """
    problem = _why_not_askable(Access(actor, acting_for, at), client_bn9)
    if problem:
        return _refuse_create(actor, acting_for, client_bn9, at, problem)
    waiting = RelationshipRequest(
        provider=acting_for,
        client_bn9=client_bn9,
        direction=RelationshipRequest.Direction.ASKED,
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
    try:
        with transaction.atomic():
            waiting.save(force_insert=True)
    except IntegrityError:
        message = _("Your firm already has a request waiting for this business number.")
        return _refuse_create(actor, acting_for, client_bn9, at, ("already_waiting", message))
    extensions = wish.extensions if wish.level == Level.PROGRAM else ("",)
    RelationshipRequestLine.objects.bulk_create(
        RelationshipRequestLine(request=waiting, extension=extension) for extension in extensions
    )
    tell_managers("relationship_request", client_bn9, at)
    record(
        verb="relationship_request.create",
        after={"level": wish.level, "programs": list(extensions), **wish.rules.columns()},
        path="own:bam",
        **_about(actor, acting_for, waiting, at),
    )
    return waiting


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
    old ones for the program accounts concerned.
    """
    locked = lock(relationship_request)
    lock_relationships(acting_for, locked.provider)
    at = not_before(at, business_chain(acting_for.bn9))
    access = Access(actor, acting_for, at)
    problem = why_not_approvable(access, locked, agreement, expected_version)
    if problem:
        return _refuse_decision(
            "relationship_request.approve", problem, actor, acting_for, locked, at
        )
    programs = [
        program for program in acting_for.programs.all() if program.pk in agreement.programs
    ]
    lines = can_approve_relationship_request(access, locked)
    relationship = _open_relationship(locked, acting_for, agreement, at)
    _agree(relationship, agreement, programs, actor, at)
    agreed = {program.extension for program in programs}
    for line in lines:
        approved = line.extension == "" or line.extension in agreed
        decide_line(line, Decision.APPROVED if approved else Decision.REJECTED, actor, at)
    close_if_decided(locked, actor, at)
    _told(locked, acting_for, "relationship_request_approved", at, agreement=agreement)
    record(
        verb="relationship_request.approve",
        after=agreement.recorded(agreed),
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


def lock_relationships(client: BusinessAccount, provider: BusinessAccount) -> list[Relationship]:
    """What relationships the pair has or had, held until the transaction ends.

    So none ends while something is agreed in it, nor the other way round.
    """
    rows = Relationship.objects.select_for_update(no_key=True, of=("self",))
    pair = rows.filter(client=client, provider=provider).select_related("client", "provider")
    return list(pair.order_by("pk"))


def span(relationship: Relationship, at: datetime) -> None:
    """Let the relationship last as long as the longest of its terms in force."""
    ends = list(relationship.terms.filter(during(at)).values_list("ends_at", flat=True))
    dated = [end for end in ends if end is not None]
    relationship.is_open_ended = len(dated) < len(ends)
    relationship.ends_at = None if relationship.is_open_ended else max(dated)


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
        or why_not_provider(access, relationship_request)
        or _why_not_scope(access, lines, agreement)
        or _why_not_period(access.at, agreement)
        or _why_not_over_business_terms(access, relationship_request, agreement)
    )


def received_requests(access: Access) -> QuerySet[RelationshipRequest]:
    """The requests to the business acted for that wait for the person's decision."""
    waiting = RelationshipRequest.objects.pending_at(access.at).filter(
        client_bn9=access.acting_for.bn9
    )
    if access.is_bam:
        return waiting.order_by("starts_at", "id")
    extensions = [program.extension for program in access.overseen(Action.MANAGE_RELATIONSHIPS)]
    mine = waiting.filter(lines__extension__in=extensions, lines__decision="")
    return mine.distinct().order_by("starts_at", "id")


def _why_not_askable(access: Access, client_bn9: str) -> Problem | None:
    decision = can_request_relationship(access)
    if not decision.allowed:
        return "not_allowed", str(decision.reason.label)
    if not access.is_provider:
        return "not_a_provider", _("Only a service provider can request a business relationship.")
    if client_bn9 == access.acting_for.bn9:
        return "own_business", _("This is your own business number. Enter your client’s.")
    return None


def why_not_provider(access: Access, relationship_request: RelationshipRequest) -> Problem | None:
    """Why nothing can be given to this firm now, whatever is chosen."""
    provider = relationship_request.provider
    if provider.status != BusinessAccount.Status.ACTIVE:
        return "provider_not_active", _("The business account of this firm is not active.")
    if provider.provider_type == BusinessAccount.ProviderType.NONE:
        return "not_a_provider", _("This firm is no longer a service provider.")
    if relationship_request.provider_id == access.acting_for.pk:
        return "own_business", _("A business cannot have a relationship with itself.")
    return None


def _why_not_over_business_terms(
    access: Access, relationship_request: RelationshipRequest, agreement: Agreement
) -> Problem | None:
    """A PAM does not touch what a BAM agreed for the whole business (invariant 2)."""
    touched = RelationshipTerms.objects.filter(
        during(access.at),
        Q(program__in=agreement.programs) | Q(program=None),
        relationship__client=access.acting_for,
        relationship__provider=relationship_request.provider_id,
        level=Level.BUSINESS,
    )
    if access.is_bam or not touched.exists():
        return None
    return "business_terms", _(
        "A Business Account Manager agreed to business management with this service provider. "
        "Only a Business Account Manager changes that."
    )


def _why_not_scope(
    access: Access, lines: Iterable[RelationshipRequestLine], agreement: Agreement
) -> Problem | None:
    """Refuse what is empty, of another business, or above the actor's own right."""
    known = {program.pk: program for program in access.overseen(Action.MANAGE_RELATIONSHIPS)}
    if not agreement.programs and not agreement.covers_future:
        return "no_programs", _("Choose at least one program account.")
    if not agreement.programs <= set(known) or agreement.ceiling not in grantable_ceilings(access):
        return "above_own_right", _("You cannot grant more than your own role allows.")
    closed = why_closed(access, [known[pk] for pk in sorted(agreement.programs)])
    if closed:
        return closed
    if agreement.covers_future and agreement.level != Level.BUSINESS:
        return "future_of_a_part", _(
            "Only business management can include program accounts opened later."
        )
    if access.is_bam:
        return None
    asked = {line.extension for line in lines}
    if agreement.level == Level.BUSINESS or agreement.covers_future:
        return "above_own_right", _("Only a Business Account Manager grants business management.")
    if not all(known[pk].extension in asked for pk in agreement.programs):
        return "not_asked", _("As a Program Account Manager, grant only what was asked for.")
    return None


def _why_not_period(at: datetime, agreement: Agreement) -> Problem | None:
    today = timezone.localdate(at)
    if agreement.last_day is None:
        if agreement.open_end_reason:
            return None
        return "open_end_reason", _("Write why this relationship needs no expiry date.")
    if agreement.last_day < today:
        return "expiry_past", _("The expiry date cannot be before today.")
    cap = today + relativedelta(years=settings.RELATIONSHIP_CAP_YEARS)
    if agreement.last_day > cap:
        return "expiry_cap", _("The expiry date can be %(cap)s at the latest.") % {"cap": day(cap)}
    return None


def _open_relationship(
    waiting: RelationshipRequest, client: BusinessAccount, agreement: Agreement, at: datetime
) -> Relationship:
    """The live relationship of the pair, or a new one."""
    pair = {"client": client, "provider": waiting.provider}
    live = Relationship.objects.filter(during(at), **pair).first()
    return live or Relationship.objects.create(
        **pair,
        starts_at=at,
        ends_at=agreement.ends_at,
        is_open_ended=agreement.last_day is None,
        open_end_reason=agreement.open_end_reason,
        request=waiting,
    )


def _agree(
    relationship: Relationship,
    agreement: Agreement,
    programs: list[ProgramAccount],
    actor: User,
    at: datetime,
) -> None:
    """Write the terms: one row for all programs with the future ones, else one for each program.

    Terms in force for the same programs end now, so that on each exactly the new ones hold.
    """
    scopes: list[ProgramAccount | None] = [None] if agreement.covers_future else list(programs)
    in_force = relationship.terms.filter(during(at))
    if agreement.covers_future:
        in_force.update(ends_at=at)
    else:
        _take_out(in_force.filter(program=None).first(), programs, at)
        in_force.filter(program__in=programs).update(ends_at=at)
    RelationshipTerms.objects.bulk_create(
        terms_of(
            relationship=relationship, program=program, agreement=agreement, agreed_by=actor, at=at
        )
        for program in scopes
    )
    span(relationship, at)
    if agreement.last_day is None or not relationship.is_open_ended:
        relationship.open_end_reason = agreement.open_end_reason
    relationship.save()


def terms_of(
    *,
    relationship: Relationship,
    program: ProgramAccount | None,
    agreement: Agreement,
    agreed_by: User,
    at: datetime,
) -> RelationshipTerms:
    """What was agreed on a program account, or on all of them, from `at` on; not saved."""
    consent = relationship_consent()
    return RelationshipTerms(
        relationship=relationship,
        program=program,
        level=agreement.level,
        ceiling=agreement.ceiling,
        may_submit=agreement.may_submit,
        may_pay=agreement.may_pay,
        may_see_amounts=agreement.may_see_amounts,
        consent_version=consent.version,
        consent_hash_en=consent.hash_en,
        consent_hash_fr=consent.hash_fr,
        agreed_by=agreed_by,
        starts_at=at,
        ends_at=agreement.ends_at,
        **agreement.rules.columns(),
    )


def _take_out(
    whole: RelationshipTerms | None, programs: list[ProgramAccount], at: datetime
) -> None:
    """Let terms for all programs go on for the others alone, as they were agreed."""
    if whole is None:
        return
    others = whole.relationship.client.programs.exclude(pk__in=[one.pk for one in programs])
    until = whole.ends_at
    whole.ends_at = at
    whole.save()
    for program in others.order_by("extension"):
        whole.pk, whole._state.adding = None, True
        whole.program, whole.starts_at, whole.ends_at = program, at, until
        whole.save(force_insert=True)


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


def _refuse_create(
    actor: User,
    acting_for: BusinessAccount,
    client_bn9: str,
    at: datetime,
    problem: Problem,
) -> Refusal:
    code, message = problem
    return refuse(
        code=code,
        message=message,
        verb="relationship_request.create",
        at=at,
        actor=actor,
        acting_for=acting_for.bn9,
        chains=[business_chain(acting_for.bn9)],
        object_type="business",
        object_id=client_bn9,
    )
