"""The pages of a person who asks an employer for access. Nobody else opens them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.employees import lines_of, roles_in_words
from delegation.entry import signed_in
from delegation.forms.employees import AccessRequestCreateForm
from delegation.models import AccessRequest
from delegation.permissions import (
    can_create_recovery_request,
    can_view_access_request,
    can_withdraw_access_request,
)
from delegation.requests import Titles, is_approved, request_state, steps_of
from delegation.services.employees import create_access_request, withdraw_access_request
from delegation.views.employees import status_of
from delegation.views.limits import with_retry
from pages.once import once
from pages.rules import any_person, rule
from pages.steady import steady

TITLES = Titles(
    sent=gettext_lazy("Sent"),
    waiting=gettext_lazy("Waiting for a manager of the business"),
    approved=gettext_lazy("Approved by a manager of the business"),
    in_part=gettext_lazy("Approved in part by a manager of the business"),
    rejected=gettext_lazy("Rejected by a manager of the business"),
    withdrawn=gettext_lazy("Withdrawn by you"),
    lapsed=gettext_lazy("Lapsed: nobody answered in time"),
)
"""What happens to an access request, as its asker reads it. Managers stay unnamed."""


@rule(get=any_person, post=any_person)
@steady
@once
def access_request_create(request: HttpRequest) -> HttpResponse:
    """Request access to my employer. A registered and an unregistered BN get the same answer."""
    person, at = signed_in(request), timezone.now()
    known = {name: request.GET.get(name, "") for name in ("bn9", "extension_1", "role_1")}
    form = AccessRequestCreateForm(
        request.POST if request.method == "POST" else None, initial=known
    )
    status, waiting = 422 if form.is_bound else 200, None
    if form.is_valid():
        answer = create_access_request(
            actor=person,
            bn9=form.cleaned_data["bn9"],
            note=form.cleaned_data["note"],
            wishes=form.wishes(),
            at=at,
        )
        if not isinstance(answer, Refusal):
            messages.success(request, _("Your request has been sent."))
            return redirect("access_request_status", pk=answer.pk)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
        mine = AccessRequest.objects.pending_at(at).filter(person=person)
        waiting = mine.filter(bn9=form.cleaned_data["bn9"]).first()
    context = {"form": form, "waiting": waiting, "roles": roles_in_words()}
    response = render(request, "delegation/access_request_create.html", context, status=status)
    return with_retry(response, at)


@rule(get=can_view_access_request)
def access_request_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What became of my request, and what happens next."""
    return _status_page(request, pk)


@rule(get=can_view_access_request, post=can_withdraw_access_request)
@once
def access_request_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take my request back."""
    access_request = _my_request(request, pk)
    if request.method == "POST":
        answer = withdraw_access_request(
            actor=signed_in(request), access_request=access_request, at=timezone.now()
        )
        if isinstance(answer, Refusal):
            problem = _("This request is closed already. Nothing was changed.")
            return _status_page(request, pk, problem=problem, status=status_of(answer))
        messages.success(
            request,
            _("You withdrew your request to business number %(bn)s.")
            % {"bn": show_bn9(access_request.bn9)},
        )
    return redirect("access_request_status", pk=pk)


def _my_request(request: HttpRequest, pk: UUID) -> AccessRequest:
    """A request of the signed-in person; that of anybody else does not exist."""
    every = AccessRequest.objects.prefetch_related("lines__decided_by")
    access_request = get_object_or_404(every, pk=pk)
    if not can_view_access_request(signed_in(request), access_request):
        raise Http404
    return access_request


def _status_page(
    request: HttpRequest, pk: UUID, *, problem: str = "", status: int = 200
) -> HttpResponse:
    access_request, at = _my_request(request, pk), timezone.now()
    lines = lines_of(access_request)
    is_let_in = is_approved(lines)
    context = {
        "access_request": access_request,
        "bn_shown": show_bn9(access_request.bn9),
        # The name of a business is for those whom it let in.
        "business": BusinessAccount.objects.get(bn9=access_request.bn9) if is_let_in else None,
        "state": request_state(access_request, at),
        "is_partly_decided": any(line.decision for line in lines),
        "lines": lines,
        "may_ask_recovery": can_create_recovery_request(
            access_request.person, access_request.bn9, at
        ),
        "steps": steps_of(access_request, lines, TITLES, at),
        "problem": problem,
    }
    return render(request, "delegation/access_request_status.html", context, status=status)
