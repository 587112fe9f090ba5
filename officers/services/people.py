"""Recovery of a user account by two officers: one proposes it for a person, another confirms.

For whoever signs in as always and then can prove nothing: no passkey, no app, no recovery code, no
mail (decision 62). What the person signs in with first stays as it is, so that two officers who
were deceived still let nobody in. All that allowed the proposal is asked again at the confirmation.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.letters import addresses_of, key_of
from accounts.models import User
from accounts.officers import Officer, live_roles, officer_of
from accounts.own_acts import locked
from accounts.services import replace_ways_to_prove
from audit.services import Refusal, business_chain, not_before, person_chain, record, refuse
from businesses.models import BusinessAccount
from delegation.models import Decision, Membership
from delegation.models.periods import during
from delegation.services.announcements import announce
from delegation.services.decisions import Problem, close, lock, why_not_decidable
from delegation.services.feeds import end_feeds
from delegation.services.roles import managers_of
from delegation.standing import PathKind
from notices.services import notify
from officers.models import AccountRecovery
from officers.permissions import (
    can_confirm_account_recovery,
    can_propose_account_recovery,
    can_reject_account_recovery,
    is_near,
)
from pages.formats import moment


@transaction.atomic
def propose_account_recovery(
    *, actor: User, person: User, email: str, finding: str, at: datetime
) -> AccountRecovery | Refusal:
    """Propose to send the codes of a person elsewhere, as the first officer."""
    row = locked(person)
    at = not_before(at, person_chain(row))
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_propose_account_recovery(officer, row)
    problem = (
        _why_not_theirs(officer, row, is_allowed=is_allowed)
        or _why_not_person(row, at)
        or _why_not_address(row, email)
        or _why_waiting(row, at)
    )
    if problem:
        return _refused("propose", problem, actor, row, at)
    account_recovery = AccountRecovery.objects.create(
        person=row,
        email=email.lower(),
        proposed_by=actor,
        finding=finding,
        starts_at=at,
        closes_at=at + timedelta(days=settings.ACCOUNT_RECOVERY_LAPSE_DAYS),
    )
    reached = {*addresses_of(row), account_recovery.email}
    _tell("proposed", account_recovery, row, reached, at)
    record(**_about("propose", actor, row, at))
    return account_recovery


@transaction.atomic
def confirm_account_recovery(
    *, actor: User, account_recovery: AccountRecovery, expected_version: int, at: datetime
) -> AccountRecovery | Refusal:
    """Take away what the person lost and send codes to the address proposed, as the second."""
    person, waiting, at = _lock(account_recovery, at)
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_confirm_account_recovery(officer, waiting)
    problem = (
        _why_not_theirs(officer, person, is_allowed=is_allowed)
        or why_not_decidable(waiting, Decision.APPROVED, expected_version, at)
        or _why_not_now(waiting, at)
        or _why_not_person(person, at)
        or _why_not_address(person, waiting.email)
    )
    if problem:
        return _refused("confirm", problem, actor, person, at)
    reached, before = {*addresses_of(person), waiting.email}, person.email
    try:
        with transaction.atomic():
            end_feeds(person=person, at=at)
            replace_ways_to_prove(person=person, email=waiting.email)
    except IntegrityError:
        return _refused("confirm", _taken(), actor, person, at)
    close(waiting, Decision.APPROVED, actor, at)
    _tell("confirmed", waiting, person, reached, at)
    changed: dict[str, Any] = {"before": {"email": before}, "after": {"email": waiting.email}}
    record(**_about("confirm", actor, person, at) | changed)
    return waiting


@transaction.atomic
def reject_account_recovery(
    *,
    actor: User,
    account_recovery: AccountRecovery,
    reason: str,
    expected_version: int,
    at: datetime,
) -> AccountRecovery | Refusal:
    """Reject what was proposed, with a reason that the person reads; who proposed it can too."""
    person, waiting, at = _lock(account_recovery, at)
    officer = officer_of(actor, at)
    is_allowed = officer is not None and can_reject_account_recovery(officer, waiting)
    problem = _why_not_theirs(officer, person, is_allowed=is_allowed) or why_not_decidable(
        waiting, Decision.REJECTED, expected_version, at
    )
    if problem:
        return _refused("reject", problem, actor, person, at)
    waiting.reason = reason
    close(waiting, Decision.REJECTED, actor, at)
    _tell("rejected", waiting, person, {*addresses_of(person), waiting.email}, at)
    record(**_about("reject", actor, person, at))
    return waiting


# ---------------------------------------------------------------- why not


def _why_not_theirs(officer: Officer | None, person: User, *, is_allowed: bool) -> Problem | None:
    if is_allowed:
        return None
    if officer and is_near(officer.person, person):
        return "near", _("You have to do with this person. Other officers decide.")
    if officer and can_propose_account_recovery(officer, person):
        return "same_officer", _("You proposed this. Another officer confirms.")
    return "not_allowed", _("Only an officer for recovery decides this.")


def _why_not_person(person: User, at: datetime) -> Problem | None:
    """Only an account that works and was used; one of an officer opens the desk itself."""
    if not person.is_active:
        return "disabled", _("The user account of this person is disabled.")
    if live_roles(at).filter(person=person).exists():
        return "is_officer", _(
            "This person is an officer of the agency. Those who run the portal end that role first."
        )
    if person.last_login is None:
        return "never_used", _(
            "Nobody ever signed in to this account: there is nothing to recover."
        )
    return None


def _why_not_address(person: User, email: str) -> Problem | None:
    others = User.objects.filter(email__iexact=email).exclude(pk=person.pk)
    proved = EmailAddress.objects.filter(email__iexact=email, verified=True).exclude(user=person)
    return _taken() if others.exists() or proved.exists() else None


def _taken() -> Problem:
    return "email_taken", _("Another account uses this e-mail address.")


def _why_waiting(person: User, at: datetime) -> Problem | None:
    """Whether something is proposed already. What was stopped makes room for a new proposal."""
    for waiting in AccountRecovery.objects.pending_at(at).filter(person=person):
        if not waiting.is_stopped:
            return "already_waiting", _(
                "The recovery of this account is proposed already. It is on the desk."
            )
        AccountRecovery.objects.filter(pk=waiting.pk).update(closes_at=at)
    return None


def _why_not_now(waiting: AccountRecovery, at: datetime) -> Problem | None:
    """The person did not sign in since, had the time to, and who proposed still could."""
    if waiting.is_stopped:
        return "stopped", _(
            "The person signed in since this was proposed. Nothing was changed, and nothing is "
            "needed."
        )
    if at < waiting.decidable_at:
        when = moment(waiting.decidable_at)
        return "too_early", _("This can be confirmed from %(when)s on. Nothing was changed.") % {
            "when": when
        }
    proposer = officer_of(waiting.proposed_by, at)
    if proposer is None or not can_propose_account_recovery(proposer, waiting.person):
        return "proposer_gone", _(
            "Who proposed this can no longer decide it. Reject it; another officer proposes anew."
        )
    return None


# ---------------------------------------------------------------- what each act ends with


def _lock(
    account_recovery: AccountRecovery, at: datetime
) -> tuple[User, AccountRecovery, datetime]:
    """The person, whom no sign-in changes meanwhile, and what is decided; the instant then."""
    person = locked(account_recovery.person)
    waiting = lock(account_recovery)
    waiting.person = person
    return person, waiting, not_before(at, person_chain(person))


def _refused(step: str, problem: Problem, actor: User, person: User, at: datetime) -> Refusal:
    """Record a refusal in the history of the person alone."""
    code, message = problem
    about = _about(step, actor, person, at) | {"chains": [person_chain(person)]}
    return refuse(code=code, message=message, **about)


def _about(step: str, actor: User, person: User, at: datetime) -> dict[str, Any]:
    """The event of an act, for the person and for the businesses whose managers must see it.

    How it was made sure who the person is stays with the officers.
    """
    employers = [business_chain(one.bn9) for one in _employers(person, at)]
    return {
        "verb": f"account_recovery.{step}",
        "at": at,
        "actor": actor,
        "chains": [person_chain(person), *employers],
        "object_type": "person",
        "object_id": person.pk,
        "object_label": person.get_full_name(),
        "path": str(PathKind.OFFICER),
    }


def _employers(person: User, at: datetime) -> list[BusinessAccount]:
    live = Membership.objects.filter(during(at), person=person)
    return list(BusinessAccount.objects.filter(pk__in=live.values("business")).order_by("bn9"))


def _tell(
    step: str, waiting: AccountRecovery, person: User, addresses: Collection[str], at: datetime
) -> None:
    """Write to the person, where codes went and where they go, and to the managers around.

    Where the person manages the business, its addresses on file read it too (decision 30). Why it
    was rejected is not for an address that nobody proved.
    """
    key = f"account_recovery_{step}:{waiting.pk}"
    context = {"step": step, "recovery": waiting}
    own = addresses_of(person)
    for address in sorted(addresses):
        notify(
            key=f"{key}:{key_of(address)}",
            template="officers/email/account_recovery.txt",
            recipient=person,
            address=address,
            context=context | {"reason": waiting.reason if address in own else ""},
        )
    for business in _employers(person, at):
        announce(
            key=f"{key}:{business.bn9}",
            template="account_recovery",
            business=business,
            also=[],
            context=context,
            at=at,
            on_file=person in managers_of(business.bn9, at),
        )
