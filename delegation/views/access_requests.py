"""Access requests in a list, and several of them decided at once, each by itself."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from audit.services import Refusal
from delegation.access import Access
from delegation.access_requests import AsWished, as_wished, requests_in
from delegation.employees import Line, lines_of, readable_requests
from delegation.entry import enter
from delegation.forms.access_requests import (
    AT_ONCE,
    NOT_THERE,
    AccessRequestFilterForm,
    ChosenForm,
    ReasonForm,
)
from delegation.models import AccessRequest, Decision, Status
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import can_approve_access_request, can_list_access_requests
from delegation.requests import Stage, request_state
from delegation.services.employees import approve_access_request, reject_access_request
from delegation.services.locks import lock_rights
from delegation.terms import State
from delegation.views.employees import age_of
from pages.once import once_each
from pages.paging import page_by_key
from pages.preview import is_confirming, seal
from pages.results import Result, keep, kept
from pages.rules import rule

type Decide = Callable[[AsWished], AccessRequest | Refusal]


class Listed(NamedTuple):
    """A request in the list; `is_mine` where the reader decides some of it now."""

    access_request: AccessRequest
    age: str
    lines: list[Line]
    state: State
    is_mine: bool


class Chosen(NamedTuple):
    """A request in a preview: what it shows, and the seal that its confirmation brings back."""

    shown: dict[str, Any]
    seal: str


@rule(get=can_list_access_requests)
def access_request_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The requests of one stage, those that wait longest first; what waits can be ticked."""
    return _list_page(request, enter(request, bn9))


@rule(get=can_list_access_requests, post=can_list_access_requests)
@once_each
def access_requests_approve(request: HttpRequest, bn9: str) -> HttpResponse:
    """Say in words what each of the people would get, and once confirmed, give it to each."""
    access = enter(request, bn9)
    if request.method != "POST":
        return redirect("access_request_list", bn9=bn9)
    choice, chosen = _chosen(request, access)
    if choice.errors:
        return _list_page(request, access, choice)

    def approve(one: AsWished) -> AccessRequest | Refusal:
        return approve_access_request(
            actor=access.person,
            acting_for=access.acting_for,
            access_request=one.access_request,
            grants=one.grants,
            expected_version=one.access_request.version,
            at=access.at,
        )

    if is_confirming(request):
        return _decided(request, access, chosen, approve, Decision.APPROVED)
    able, unable = ([one for one in chosen if bool(one.why_not) is no] for no in (False, True))
    context = {"chosen": _sealed(request, able), "left_out": [one.shown() for one in unable]}
    return _page(request, "delegation/access_requests_approve.html", access, context)


@rule(get=can_list_access_requests, post=can_list_access_requests)
@once_each
def access_requests_reject(request: HttpRequest, bn9: str) -> HttpResponse:
    """Reject each of the requests with one reason that all of the people read."""
    access = enter(request, bn9)
    if request.method != "POST":
        return redirect("access_request_list", bn9=bn9)
    choice, chosen = _chosen(request, access)
    if choice.errors:
        return _list_page(request, access, choice)
    form = ReasonForm(request.POST if is_confirming(request) else None)

    def reject(one: AsWished) -> AccessRequest | Refusal:
        return reject_access_request(
            actor=access.person,
            acting_for=access.acting_for,
            access_request=one.access_request,
            reason=form.cleaned_data["reason"],
            expected_version=one.access_request.version,
            at=access.at,
        )

    if form.is_valid():
        return _decided(request, access, chosen, reject, Decision.REJECTED)
    mine = [one for one in chosen if _is_mine(access, one.access_request)]
    context = {
        "chosen": _sealed(request, mine),
        "left_out": [one.shown() for one in chosen if one not in mine],
        "form": form,
    }
    template, status = "delegation/access_requests_reject.html", 422 if form.is_bound else 200
    return _page(request, template, access, context, status)


@rule(get=can_list_access_requests)
def access_request_results(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What became of each request that was decided at once, to the person who decided."""
    access = enter(request, bn9)
    results = kept(request, str(pk))
    if not results:
        raise Http404
    template = "delegation/access_request_results.html"
    return _page(request, template, access, {"results": results})


def _list_page(
    request: HttpRequest, access: Access, choice: ChosenForm | None = None
) -> HttpResponse:
    search = AccessRequestFilterForm(request.GET if request.GET else None)
    stage = search.stage_chosen()
    found = search.cleaned_data if search.is_bound and search.is_valid() else {}
    page = page_by_key(
        requests_in(
            access,
            stage,
            named=found.get("name", ""),
            extension=found.get("program", ""),
            role=found.get("role", ""),
        ).prefetch_related("lines__decided_by"),
        key=("starts_at", "id"),
        after=request.GET.get("after", ""),
        size=AT_ONCE,
        is_ascending=stage is Stage.WAITING,
    )
    context = {
        "search": search,
        "is_waiting": stage is Stage.WAITING,
        "nothing": _("No request has lapsed.")
        if stage is Stage.LAPSED
        else _("No request has been decided yet."),
        "is_filtered": any(found.get(name) for name in ("name", "program", "role")),
        "page": page,
        "listed": [_listed(access, one) for one in page.rows],
        "choice": choice,
    }
    status = 422 if search.errors or choice else 200
    return _page(request, "delegation/access_request_list.html", access, context, status)


def _listed(access: Access, one: AccessRequest) -> Listed:
    return Listed(
        one,
        age_of(one, access.at),
        lines_of(one, access),
        request_state(one, access.at),
        _is_mine(access, one),
    )


def _is_mine(access: Access, one: AccessRequest) -> bool:
    """Whether the person decides some of the request now."""
    waits = one.status_at(access.at) is Status.PENDING
    return waits and bool(can_approve_access_request(access, one))


def _chosen(request: HttpRequest, access: Access) -> tuple[ChosenForm, list[AsWished]]:
    """The requests that were ticked and that the reader may know of, as they are now."""
    form = ChosenForm(request.POST)
    keys = form.cleaned_data["chosen"] if form.is_valid() else []
    chosen = _as_now(access, keys)
    if keys and not chosen:
        form.add_error("chosen", NOT_THERE)
    return form, chosen


def _as_now(access: Access, keys: Sequence[UUID]) -> list[AsWished]:
    """The requests that the reader may know of, in this order, as they are now."""
    found = readable_requests(access).filter(pk__in=keys).prefetch_related("lines__decided_by")
    by_key = {one.pk: one for one in found}
    return as_wished(access, [by_key[pk] for pk in keys if pk in by_key])


def _sealed(request: HttpRequest, chosen: list[AsWished]) -> list[Chosen]:
    """What the preview shows of each, and the seal that its confirmation brings back."""
    return [Chosen(one.shown(), seal(request, one.shown())) for one in chosen]


def _decided(
    request: HttpRequest, access: Access, chosen: list[AsWished], decide: Decide, wanted: Decision
) -> HttpResponse:
    """Decide each by itself, in the order shown, and tell what became of it."""
    results = [_decide(request, access, one, decide, wanted) for one in chosen]
    return redirect("access_request_results", bn9=access.acting_for.bn9, pk=keep(request, results))


@transaction.atomic
def _decide(
    request: HttpRequest, access: Access, one: AsWished, decide: Decide, wanted: Decision
) -> Result:
    """Decide one request if it would still give what the preview showed."""
    lock_rights(access.acting_for)
    one = next(iter(_as_now(access, [one.access_request.pk])), one)
    waiting = one.access_request
    if waiting.decision == wanted and waiting.decided_by_id == access.person.pk:
        # The same form a second time: what it asked for is done.
        return Result(one.name, is_done=True, message=str(request_state(waiting, access.at).label))
    is_open = waiting.status_at(access.at) is Status.PENDING
    if is_open and request.POST.get(f"seal_{waiting.pk}") != seal(request, one.shown()):
        return Result(
            one.name,
            is_done=False,
            message=_("This request changed while you had the page open. Nothing was decided."),
        )
    answer = decide(one)
    if isinstance(answer, Refusal):
        return Result(one.name, is_done=False, message=str(answer.message))
    return Result(one.name, is_done=True, message=_told(one, wanted))


def _told(one: AsWished, decision: Decision) -> str:
    """What a decision gave, for the page of results."""
    if decision is Decision.REJECTED:
        said = _("Rejected. The person reads your reason.")
    else:
        given = [
            _("%(program)s: %(role)s") % {"program": each.program, "role": each.role}
            for each in one.given
        ]
        said = "; ".join(given)
    return f"{said} {_('The rest goes on waiting for other managers.')}" if one.rest_waits else said


def _page(
    request: HttpRequest, template: str, access: Access, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page about several requests, with what each of them shows."""
    context |= {
        "business": access.acting_for,
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "access_request_list"),
    }
    return render(request, template, context, status=status)
