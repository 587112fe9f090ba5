"""The pages of somebody who asks the agency to give a business a manager again."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.services import Refusal
from businesses.bn import show_bn9
from delegation.entry import signed_in
from delegation.forms.recovery import RecoveryRequestForm
from delegation.models import RecoveryRequest, Status
from delegation.permissions import (
    can_create_recovery_request,
    can_view_recovery_request,
    can_withdraw_recovery_request,
)
from delegation.requests import State, request_tag
from delegation.services.recovery import (
    create_recovery_request,
    withdraw_recovery_request,
)
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule
from pages.steady import steady


@rule(get=can_create_recovery_request, post=can_create_recovery_request)
@steady
@once
def recovery_request_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Ask for recovery. Whoever cannot ask, for this number or any other, finds nothing here."""
    person, at = signed_in(request), timezone.now()
    if not can_create_recovery_request(person, bn9, at):
        raise Http404
    waiting = RecoveryRequest.objects.pending_at(at).filter(person=person, bn9=bn9).first()
    if waiting and request.method != "POST":
        return redirect("recovery_request_status", pk=waiting.pk)
    form = RecoveryRequestForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        statement = form.cleaned_data["statement"]
        answer = create_recovery_request(actor=person, bn9=bn9, statement=statement, at=at)
        if not isinstance(answer, Refusal):
            messages.success(request, _("Your request has been sent to the agency."))
            return redirect("recovery_request_status", pk=answer.pk)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    context = {"form": form, "bn9": bn9, "bn_shown": show_bn9(bn9)}
    return render(request, "delegation/recovery_request_create.html", context, status=status)


@rule(get=can_view_recovery_request)
def recovery_request_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What became of my request."""
    return _status_page(request, _mine(request, pk))


@rule(post=can_withdraw_recovery_request)
@once
def recovery_request_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take my request back."""
    asked = _mine(request, pk)
    answer = withdraw_recovery_request(
        actor=signed_in(request), recovery_request=asked, at=timezone.now()
    )
    if isinstance(answer, Refusal):
        return _status_page(request, asked, str(answer.message), status_of(answer))
    messages.success(request, _("You withdrew your request for recovery."))
    return redirect("recovery_request_status", pk=pk)


def _mine(request: HttpRequest, pk: UUID) -> RecoveryRequest:
    """A request of the signed-in person; that of anybody else does not exist."""
    asked = get_object_or_404(RecoveryRequest, pk=pk)
    if not can_view_recovery_request(signed_in(request), asked):
        raise Http404
    return asked


def _closed() -> State:
    return State("neutral", pgettext("request", "Closed"), is_over=True)


def _status_page(
    request: HttpRequest, asked: RecoveryRequest, problem: str = "", status: int = 200
) -> HttpResponse:
    asked.refresh_from_db()
    now = asked.status_at(timezone.now())
    is_approved = now is Status.APPROVED
    is_mine = is_approved and asked.proposed_id == asked.person_id
    # That somebody else became manager is the business's own matter.
    state = request_tag(now) if is_mine or not is_approved else _closed()
    context = {
        "asked": asked,
        "bn_shown": show_bn9(asked.bn9),
        "state": state,
        "is_mine": is_mine,
        "is_for_another": is_approved and not is_mine,
        "problem": problem,
    }
    return render(request, "delegation/recovery_request_status.html", context, status=status)
