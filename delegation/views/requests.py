"""The pages of a person who asks an employer for access. Nobody else opens them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.employees import Line, lines_of, roles_in_words
from delegation.entry import signed_in
from delegation.forms.employees import AccessRequestCreateForm
from delegation.models import AccessRequest, Decision, Status
from delegation.services.employees import create_access_request, withdraw_access_request
from delegation.views.employees import request_tag, status_of
from pages.once import once
from pages.steady import steady


@dataclass(frozen=True)
class Step:
    """One entry of a request's timeline."""

    title: str
    at: datetime | None
    lines: tuple[Line, ...] = ()
    reason: str = ""


@require_http_methods(["GET", "POST"])
@steady
@once
def access_request_create(request: HttpRequest) -> HttpResponse:
    """Request access to my employer. A registered and an unregistered BN get the same answer."""
    person, at = signed_in(request), timezone.now()
    form = AccessRequestCreateForm(request.POST if request.method == "POST" else None)
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
    return render(request, "delegation/access_request_create.html", context, status=status)


@require_safe
def access_request_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What became of my request, and what happens next."""
    return _status_page(request, pk)


@require_http_methods(["GET", "POST"])
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
    mine = AccessRequest.objects.filter(person=signed_in(request)).prefetch_related(
        "lines__decided_by"
    )
    return get_object_or_404(mine, pk=pk)


def _status_page(
    request: HttpRequest, pk: UUID, *, problem: str = "", status: int = 200
) -> HttpResponse:
    access_request = _my_request(request, pk)
    lines = lines_of(access_request)
    status_now = access_request.status_at(timezone.now())
    is_let_in = any(line.decision is Decision.APPROVED for line in lines)
    context = {
        "access_request": access_request,
        "bn_shown": show_bn9(access_request.bn9),
        # The name of a business is for those whom it let in.
        "business": BusinessAccount.objects.get(bn9=access_request.bn9) if is_let_in else None,
        "state": request_tag(status_now),
        "is_partly_decided": any(line.decision for line in lines),
        "lines": lines,
        "steps": _steps(access_request, lines, status_now),
        "problem": problem,
    }
    return render(request, "delegation/access_request_status.html", context, status=status)


def _steps(access_request: AccessRequest, lines: list[Line], status: Status) -> list[Step]:
    """What happened, newest first, beginning with what is awaited. Managers stay unnamed."""
    steps = [Step(_("Sent"), access_request.starts_at)]
    acts: dict[datetime, list[Line]] = defaultdict(list)
    for line in lines:
        if line.decided_at:
            acts[line.decided_at].append(line)
    for decided_at, act in sorted(acts.items()):
        reason = access_request.decision_reason if decided_at == access_request.decided_at else ""
        steps.append(Step(_title(act), decided_at, tuple(act), reason))
    if status is Status.LAPSED:
        steps.append(Step(_("Lapsed: nobody answered in time"), access_request.closes_at))
    if status is Status.PENDING:
        steps.append(Step(_("Waiting for a manager of the business"), None))
    return steps[::-1]


def _title(lines: Iterable[Line]) -> str:
    """What one act did to the lines that it decided."""
    decisions = {line.decision for line in lines}
    if Decision.WITHDRAWN in decisions:
        return _("Withdrawn by you")
    if decisions == {Decision.APPROVED}:
        return _("Approved by a manager of the business")
    if decisions == {Decision.REJECTED}:
        return _("Rejected by a manager of the business")
    return _("Approved in part by a manager of the business")
