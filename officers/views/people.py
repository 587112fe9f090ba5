"""The recovery of user accounts at the desk: propose, read, confirm, reject."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.officers import Officer
from accounts.second_factor.proof import require_proof
from accounts.sign_in import free_address
from audit.services import Refusal
from delegation.forms.employees import DecisionForm
from delegation.models import Status
from delegation.views.employees import status_of
from officers.entry import enter_desk, require_officer
from officers.forms import AccountRecoveryProposeForm, AccountRecoveryRejectForm
from officers.models import AccountRecovery
from officers.people import Standing, state_of, was_stopped
from officers.permissions import (
    can_confirm_account_recovery,
    can_reject_account_recovery,
    can_view_recovery,
)
from officers.services.people import (
    confirm_account_recovery,
    propose_account_recovery,
    reject_account_recovery,
)
from pages.once import once
from pages.rules import rule

NOT_THEIRS = frozenset({"near", "same_officer"})
"""The refusals of an officer who is the wrong one for this person."""

STATE_CODES = frozenset(
    {"disabled", "never_used", "is_officer", "email_taken", "stopped", "too_early", "proposer_gone"}
)
"""The refusals for what is so with the account, whoever decides."""


@rule(get=can_view_recovery, post=can_view_recovery)
@once
def account_recovery_propose(request: HttpRequest) -> HttpResponse:
    """Propose to recover the user account of a person whom I made sure of."""
    officer = enter_desk(request)
    require_officer(can_view_recovery(officer))
    form = AccountRecoveryProposeForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        require_proof(request)
        answer = _propose(officer, form)
        if isinstance(answer, AccountRecovery):
            messages.success(request, _("You proposed it. A second officer decides."))
            return redirect("account_recovery_review", pk=answer.pk)
        status = answer
    return render(request, "officers/account_recovery_propose.html", {"form": form}, status=status)


def _propose(officer: Officer, form: AccountRecoveryProposeForm) -> AccountRecovery | int:
    """What was proposed; where it was not, the form says why and the answer has this status."""
    entered = dict(form.cleaned_data)
    person = User.objects.filter(email__iexact=entered.pop("known_email")).first()
    if person is None:
        form.add_error("known_email", _("Nobody has this e-mail address here."))
        return 422
    free_address(entered["email"])
    answer = propose_account_recovery(actor=officer.person, person=person, at=officer.at, **entered)
    if not isinstance(answer, Refusal):
        return answer
    field = "email" if answer.code == "email_taken" else "known_email"
    form.add_error(field, str(answer.message))
    return _status_of(answer)


@rule(get=can_view_recovery)
def account_recovery_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was proposed for a person, by whom and why, and from when on it can be confirmed."""
    officer, recovery = _enter(request, pk)
    return _page(request, officer, recovery)


@rule(post=can_confirm_account_recovery)
@once
def account_recovery_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirm what another officer proposed: old factors go, codes go to the address named."""
    officer, recovery = _enter(request, pk)
    form = DecisionForm(request.POST)
    if form.is_valid():
        require_proof(request)
        free_address(recovery.email)
    return _decide(request, officer, recovery, form, confirm_account_recovery)


@rule(post=can_reject_account_recovery)
@once
def account_recovery_reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Reject the recovery of a user account."""
    officer, recovery = _enter(request, pk)
    form = AccountRecoveryRejectForm(request.POST)
    return _decide(request, officer, recovery, form, reject_account_recovery)


def _enter(request: HttpRequest, pk: UUID) -> tuple[Officer, AccountRecovery]:
    officer = enter_desk(request)
    require_officer(can_view_recovery(officer))
    every = AccountRecovery.objects.select_related("person", "proposed_by", "decided_by")
    return officer, get_object_or_404(every, pk=pk)


def _decide(
    request: HttpRequest,
    officer: Officer,
    recovery: AccountRecovery,
    form: DecisionForm,
    service: Callable[..., AccountRecovery | Refusal],
) -> HttpResponse:
    """Decide what the form showed; where that cannot be, show it as it is now."""
    if not form.is_valid():
        return _page(request, officer, recovery, form=form, status=422)
    entered = dict(form.cleaned_data)
    answer = service(
        actor=officer.person,
        account_recovery=recovery,
        expected_version=entered.pop("version"),
        at=officer.at,
        **entered,
    )
    if isinstance(answer, Refusal):
        recovery = _enter(request, recovery.pk)[1]
        said, status = str(answer.message), _status_of(answer)
        return _page(request, officer, recovery, problem=said, status=status)
    messages.success(request, _("Your decision is done."))
    return redirect("account_recovery_review", pk=recovery.pk)


def _status_of(refusal: Refusal) -> int:
    if refusal.code in NOT_THEIRS:
        return 403
    return 409 if refusal.code in STATE_CODES else status_of(refusal)


def _page(
    request: HttpRequest,
    officer: Officer,
    recovery: AccountRecovery,
    *,
    form: DecisionForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The recovery as it stands, with the form that was refused, or why an act was."""
    is_open = recovery.status_at(officer.at) is Status.PENDING and not recovery.is_stopped
    is_mine = is_open and can_reject_account_recovery(officer, recovery)
    may_confirm = is_mine and can_confirm_account_recovery(officer, recovery)
    is_refused = isinstance(form, AccountRecoveryRejectForm)
    context = {
        "recovery": recovery,
        "person": recovery.person,
        # What was examined may tell of papers and of health: no colleague of the person reads it.
        "finding": recovery.finding if can_reject_account_recovery(officer, recovery) else "",
        "state": state_of(recovery, officer.at),
        "was_stopped": was_stopped(recovery, officer.at),
        "standing": Standing.of(recovery.person, officer.at),
        "form": form,
        "reject": (form if is_refused else AccountRecoveryRejectForm()) if is_mine else None,
        "may_confirm": may_confirm and officer.at >= recovery.decidable_at,
        "waits": may_confirm and officer.at < recovery.decidable_at,
        "is_barred": is_open and not is_mine,
        "is_proposer": is_open and recovery.proposed_by_id == officer.person.pk,
        "problem": problem,
    }
    return render(request, "officers/account_recovery_review.html", context, status=status)
