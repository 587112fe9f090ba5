"""The officers' desk: what waits, and the recovery of a business."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.officers import Officer
from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.forms.employees import DecisionForm
from delegation.models import AccessRequest, Lookup, Membership, RecoveryRequest, Status
from delegation.models.periods import during
from delegation.requests import request_tag
from delegation.services.roles import managers_of
from delegation.views.employees import status_of
from officers.entry import enter_desk, require_officer
from officers.forms import RecoveryProposeForm, RecoveryRejectForm
from officers.models import AccountRecovery
from officers.people import state_of
from officers.permissions import (
    can_confirm_recovery,
    can_open_lookup,
    can_propose_recovery,
    can_reject_recovery,
    can_view_desk,
    can_view_recovery,
    can_view_registration_reviews,
)
from officers.services.recovery import confirm_recovery, propose_recovery, reject_recovery
from pages.once import once
from pages.paging import page_by_key
from pages.rules import rule
from registration.models import ReviewRequest

MOST = 100
"""How many people, and how many registration reviews, the desk lists, the oldest first."""


@rule(get=can_view_desk)
def officer_desk(request: HttpRequest) -> HttpResponse:
    """What waits for the officer, the oldest first."""
    officer = enter_desk(request)
    context: dict[str, Any] = {"page": None, "people": None, "reviews": None, "lookups": None}
    if can_view_recovery(officer):
        waiting = RecoveryRequest.objects.pending_at(officer.at).select_related("person")
        context["page"] = page_by_key(
            waiting,
            key=("starts_at", "id"),
            after=request.GET.get("after", ""),
            is_ascending=True,
        )
        context["waiting"] = [(one, show_bn9(one.bn9)) for one in context["page"].rows]
        proposed = AccountRecovery.objects.pending_at(officer.at).select_related("person")
        context["people"] = [
            (one, state_of(one, officer.at)) for one in proposed.order_by("starts_at", "pk")[:MOST]
        ]
    if can_view_registration_reviews(officer):
        asked = ReviewRequest.objects.select_related("person", "registration").order_by("at", "pk")
        context["reviews"] = [(one, show_bn9(one.bn9)) for one in asked[:MOST]]
    if can_open_lookup(officer):
        live = Lookup.objects.filter(during(officer.at), officer=officer.person)
        context["lookups"] = list(live.select_related("business").order_by("ends_at", "pk"))
    return render(request, "officers/desk.html", context)


STATE_CODES = frozenset(
    {"has_manager", "not_concerned", "not_eligible", "not_proposed", "proposer_gone"}
)
"""The refusals for what is so with the business or the people, whoever decides."""


@rule(get=can_view_recovery)
def recovery_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A request for recovery: who asks, what the portal knows, what was proposed."""
    officer, asked = _enter(request, pk)
    return _page(request, officer, asked)


@rule(post=can_propose_recovery)
@once
def recovery_propose(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Propose who should manage the business."""
    officer, asked = _enter(request, pk)
    form = RecoveryProposeForm(request.POST)
    if not form.is_valid():
        return _page(request, officer, asked, form=form, status=422)
    require_proof(request)
    person = User.objects.filter(email__iexact=form.cleaned_data["email"]).first()
    if person is None:
        form.add_error("email", _("Nobody has this e-mail address here."))
        return _page(request, officer, asked, form=form, status=422)
    answer = propose_recovery(
        actor=officer.person,
        recovery_request=asked,
        person=person,
        finding=form.cleaned_data["finding"],
        expected_version=form.cleaned_data["version"],
        at=officer.at,
    )
    if isinstance(answer, Refusal) and answer.code == "not_eligible":
        form.add_error("email", str(answer.message))
        return _page(request, officer, asked, form=form, status=422)
    said = _("You proposed %(name)s. A second officer decides.") % {"name": person.get_full_name()}
    return _answered(request, officer, asked, answer, said)


@rule(post=can_confirm_recovery)
@once
def recovery_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirm what another officer proposed."""
    officer, asked = _enter(request, pk)
    require_proof(request)
    return _decide(request, officer, asked, DecisionForm(request.POST), confirm_recovery)


@rule(post=can_reject_recovery)
@once
def recovery_reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Reject a request for recovery."""
    officer, asked = _enter(request, pk)
    return _decide(request, officer, asked, RecoveryRejectForm(request.POST), reject_recovery)


def _enter(request: HttpRequest, pk: UUID) -> tuple[Officer, RecoveryRequest]:
    officer = enter_desk(request)
    require_officer(can_view_recovery(officer))
    every = RecoveryRequest.objects.select_related("person", "proposed", "proposed_by")
    return officer, get_object_or_404(every.select_related("decided_by"), pk=pk)


def _decide(
    request: HttpRequest,
    officer: Officer,
    asked: RecoveryRequest,
    form: DecisionForm,
    service: Callable[..., RecoveryRequest | Refusal],
) -> HttpResponse:
    """Decide what the form showed; where that cannot be, show the request as it is now."""
    if not form.is_valid():
        return _page(request, officer, asked, form=form, status=422)
    entered = dict(form.cleaned_data)
    answer = service(
        actor=officer.person,
        recovery_request=asked,
        expected_version=entered.pop("version"),
        at=officer.at,
        **entered,
    )
    return _answered(request, officer, asked, answer, _("Your decision is done."))


def _answered(
    request: HttpRequest,
    officer: Officer,
    asked: RecoveryRequest,
    answer: RecoveryRequest | Refusal,
    said: str,
) -> HttpResponse:
    if isinstance(answer, Refusal):
        asked = _enter(request, asked.pk)[1]
        return _page(
            request, officer, asked, problem=str(answer.message), status=_status_of(answer)
        )
    messages.success(request, said)
    return redirect("recovery_review", pk=asked.pk)


def _status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal at the desk."""
    if refusal.code in ("same_officer", "involved"):
        return 403
    if refusal.code in STATE_CODES:
        return 409
    return status_of(refusal)


def _page(
    request: HttpRequest,
    officer: Officer,
    asked: RecoveryRequest,
    *,
    form: DecisionForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The request as it stands, with the form that was refused, or why an act was."""
    now = asked.status_at(officer.at)
    is_waiting = now is Status.PENDING
    is_mine = is_waiting and can_propose_recovery(officer, asked)
    business = BusinessAccount.objects.filter(bn9=asked.bn9).first()
    context = {
        "asked": asked,
        "bn_shown": show_bn9(asked.bn9),
        "state": request_tag(now),
        "business": business,
        "managers": managers_of(asked.bn9, officer.at),
        "standing": _standing(asked, officer),
        "form": form,
        "propose": _fresh(form, RecoveryProposeForm, asked) if is_mine else None,
        "reject": _fresh(form, RecoveryRejectForm, asked) if is_mine else None,
        "may_confirm": is_mine
        and asked.proposed_at is not None
        and can_confirm_recovery(officer, asked),
        "is_barred": is_waiting and not is_mine,
        "is_proposer": is_waiting and asked.proposed_by_id == officer.person.pk,
        "problem": problem,
        "desk_url": reverse("officer_desk"),
    }
    return render(request, "officers/recovery_review.html", context, status=status)


def _standing(asked: RecoveryRequest, officer: Officer) -> str:
    """How the person who asks stands to the business."""
    members = Membership.objects.filter(during(officer.at), person=asked.person)
    member = members.filter(business__bn9=asked.bn9).first()
    if member:
        return _("Access suspended") if member.suspended_at else _("Employee of the business")
    waiting = AccessRequest.objects.pending_at(officer.at).filter(
        person=asked.person, bn9=asked.bn9
    )
    if waiting.exists():
        return _("Asked for access, and nobody answered")
    return _("Does not belong to the business")


def _fresh(
    form: DecisionForm | None, form_class: type[DecisionForm], asked: RecoveryRequest
) -> DecisionForm:
    """The form that was refused, where it is this one, else a new one."""
    if isinstance(form, form_class):
        return form
    return form_class(initial={"email": asked.person.email})
