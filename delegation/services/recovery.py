"""Asking the agency to recover a business, and taking that back. Officers decide, elsewhere."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, person_chain, record, refuse
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.models import Decision, Membership, RecoveryRequest
from delegation.models.periods import during
from delegation.permissions import can_create_recovery_request, can_withdraw_recovery_request
from delegation.services.announcements import announce
from delegation.services.decisions import close, lock, why_not_decidable
from delegation.services.limits import count_recovery_request
from delegation.services.roles import managers_of
from notices.services import notify


@transaction.atomic
def create_recovery_request(
    *, actor: User, bn9: str, statement: str, at: datetime
) -> RecoveryRequest | Refusal:
    """Ask the agency for a manager. An employee is told at once where one is left."""
    asked = RecoveryRequest(
        person=actor,
        bn9=bn9,
        statement=statement,
        starts_at=at,
        closes_at=at + timedelta(days=settings.RECOVERY_REQUEST_LAPSE_DAYS),
    )
    verb = "recovery_request.create"
    if not can_create_recovery_request(actor, bn9, at):
        return refuse_recovery(verb, "not_allowed", _("You cannot ask for this."), actor, asked, at)
    limited = count_recovery_request(actor, bn9, {"verb": verb, **about_recovery(actor, asked, at)})
    if limited:
        return limited
    business = BusinessAccount.objects.filter(bn9=bn9).first()
    if business and _is_employee(actor, business, at) and managers_of(bn9, at):
        words = _("The business still has a Business Account Manager. Ask that person.")
        return refuse_recovery(verb, "has_manager", words, actor, asked, at)
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError:
        words = _("You already asked for this. Withdraw that request first.")
        return refuse_recovery(verb, "already_waiting", words, actor, asked, at)
    record(verb=verb, after={"statement": statement}, **about_recovery(actor, asked, at))
    return asked


@transaction.atomic
def withdraw_recovery_request(
    *, actor: User, recovery_request: RecoveryRequest, at: datetime
) -> RecoveryRequest | Refusal:
    """Take one's own request back while no officer decided it."""
    locked = lock(recovery_request)
    verb = "recovery_request.withdraw"
    problem = why_not_decidable(locked, Decision.WITHDRAWN, None, at)
    if not can_withdraw_recovery_request(actor, locked):
        problem = "not_allowed", _("Only the person who asked can withdraw this request.")
    if problem:
        return refuse_recovery(verb, *problem, actor, locked, at)
    close(locked, Decision.WITHDRAWN, actor, at)
    record(verb=verb, **about_recovery(actor, locked, at))
    return locked


def tell_what_was_asked(*, at: datetime) -> int:
    """Tell everybody around a business of what was asked and taken back; gives how much waits.

    Not in the act itself: who is not let in must not learn from the time of an answer whether the
    number is registered. `send_due_notices` asks it; each is told once, and of what was taken back
    only where it had been told of.
    """
    recent = at - timedelta(days=settings.RECOVERY_REQUEST_LAPSE_DAYS)
    waiting = list(RecoveryRequest.objects.pending_at(at).order_by("starts_at", "pk"))
    taken_back = RecoveryRequest.objects.filter(
        decision=Decision.WITHDRAWN, decided_at__gt=recent, decided_at__lte=at
    ).exclude(told_at=None)
    for asked in waiting:
        tell_of_recovery("asked", asked, at)
        RecoveryRequest.objects.filter(pk=asked.pk, told_at=None).update(told_at=at)
    for asked in taken_back.order_by("decided_at", "pk"):
        tell_of_recovery("withdrawn", asked, at)
    return len(waiting)


def tell_of_recovery(step: str, asked: RecoveryRequest, at: datetime) -> None:
    """Write to everybody around the business, where it is registered, and to whoever asked.

    Whoever asked reads that officers look at it, and that it is decided: the same whether or not
    the number is registered, and nothing of who was proposed.
    """
    business = BusinessAccount.objects.filter(bn9=asked.bn9).first()
    proposal = asked.proposed_at if step == "proposed" else ""
    key = f"recovery_{step}:{asked.pk}:{proposal}"
    named = asked.proposed if asked.proposed != asked.person else None
    known = [named] if named and business and _is_employee(named, business, at) else []
    if business:
        announce(
            key=key,
            template="recovery",
            business=business,
            also=known,
            context={"step": step, "asked": asked},
            at=at,
        )
    if step != "proposed":
        notify(
            key=f"{key}:{asked.person.pk}",
            template="delegation/email/recovery_asker.txt",
            recipient=asked.person,
            context={"step": step, "asked": asked, "bn": show_bn9(asked.bn9)},
        )


def about_recovery(actor: User, asked: RecoveryRequest, at: datetime) -> dict[str, Any]:
    """The part of a history event that every act on a recovery request shares."""
    people = [one for one in (asked.person, asked.proposed) if one]
    return {
        "at": at,
        "actor": actor,
        "chains": [business_chain(asked.bn9), *(person_chain(one) for one in people)],
        "object_type": "recovery_request",
        "object_id": str(asked.pk),
        "object_label": show_bn9(asked.bn9),
    }


def refuse_recovery(
    verb: str, code: str, message: str, actor: User, asked: RecoveryRequest, at: datetime
) -> Refusal:
    """Record and return the refusal of an act on a recovery request."""
    return refuse(code=code, message=message, verb=verb, **about_recovery(actor, asked, at))


def _is_employee(person: User, business: BusinessAccount, at: datetime) -> bool:
    return Membership.objects.filter(during(at), person=person, business=business).exists()
