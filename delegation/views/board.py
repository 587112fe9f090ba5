"""The provider's clients as one list, the readiness board, and the requests that the firm sent."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.bn import show_bn9
from delegation.access import Access
from delegation.board import Row, View, board, every_row, views_for
from delegation.clients import names_of_clients, sent_request_list
from delegation.entry import enter_firm
from delegation.forms.board import ClientFilterForm, NameFilterForm
from delegation.models import RelationshipRequest, Status
from delegation.navigation import client_nav, section_nav
from delegation.offers import offers_to_answer
from delegation.permissions import (
    can_assign_staff,
    can_list_clients,
    can_list_relationship_requests,
    can_nudge_relationship_request,
    can_request_relationship,
    can_withdraw_relationship_request,
)
from delegation.reasons import Reason
from delegation.relationships import lines_of
from delegation.requests import request_state
from delegation.terms import State
from pages.csv_file import Value, stream_csv
from pages.formats import day, last_day, moment
from pages.rules import rule

MOST_OFFERS = 100
"""Up to how many offers that wait are counted."""


class Sent(NamedTuple):
    """A request that the firm sent, in the list; `name` is that of a client of the firm."""

    pk: UUID
    bn: str
    name: str
    asked: list[str]
    sent_at: object
    state: State
    next: str
    may_nudge: bool
    may_withdraw: bool


@rule(get=can_list_clients)
def client_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The readiness board: the clients that the person may know of, and a manager's requests."""
    access = enter_firm(request, bn9)
    form = ClientFilterForm(request.GET, access=access)
    context: dict[str, Any] = {
        "business": access.acting_for,
        "form": form,
        "page": None,
        "clients": [],
        "is_managers": can_list_relationship_requests(access).allowed,
        "view": View.ALL,
        "is_narrowed": form.is_narrowed,
        "only_past": "" if access.is_provider else Reason.NOT_A_PROVIDER.label,
        "may_request": can_request_relationship(access).allowed,
        "offers": offers_to_answer(access)[:MOST_OFFERS].count(),
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "client_list"),
    }
    if form.is_valid():
        wanted = form.wanted()
        found = board(access, wanted, after=request.GET.get("after", ""))
        context |= {"page": found.page, "clients": found.rows, "view": wanted.view}
    unassigned = context["view"] is View.UNASSIGNED
    context["may_pick"] = unassigned and can_assign_staff(access).allowed
    context["views"] = _views(access, context["view"])
    status = 200 if form.is_valid() else 422
    return render(request, "delegation/client_list.html", context, status=status)


@rule(get=can_list_clients)
def client_export(request: HttpRequest, bn9: str) -> HttpResponseBase:
    """The same clients as a file, every page of them."""
    access = enter_firm(request, bn9)
    form = ClientFilterForm(request.GET, access=access)
    if not form.is_valid():
        return redirect("client_list", bn9=bn9)
    is_managers = can_list_relationship_requests(access).allowed
    name = _("clients-%(bn)s") % {"bn": bn9}
    rows = (_cells(row, is_managers=is_managers) for row in every_row(access, form.wanted()))
    return stream_csv(name, _header(is_managers=is_managers), rows)


@rule(get=can_list_relationship_requests)
def relationship_request_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The requests that the firm sent, the newest first, what became of each and what is next."""
    access = enter_firm(request, bn9)
    form = NameFilterForm.of(request.GET)
    page = sent_request_list(access, form.text, after=request.GET.get("after", ""))
    names = names_of_clients(access, {one.client_bn9 for one in page.rows})
    context = {
        "business": access.acting_for,
        "search": form,
        "is_narrowed": bool(form.text),
        "page": page,
        "requests": [_sent(one, access, names.get(one.client_bn9, "")) for one in page.rows],
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "relationship_request_list"),
    }
    status = 422 if form.errors else 200
    return render(request, "delegation/relationship_request_list.html", context, status=status)


def _views(access: Access, shown: View) -> list[dict[str, object]]:
    """The views as doors: label, address and whether it is the one shown."""
    url = reverse("client_list", kwargs={"bn9": access.acting_for.bn9})
    return [
        {"label": view.label, "url": f"{url}?view={view}", "is_current": view is shown}
        for view in views_for(access)
    ]


def _sent(waiting: RelationshipRequest, access: Access, name: str) -> Sent:
    state = request_state(waiting, access.at)
    is_due = waiting.nudgeable_from <= access.at
    return Sent(
        pk=waiting.pk,
        bn=show_bn9(waiting.client_bn9),
        name=name,
        asked=[line.label for line in lines_of(waiting, access)],
        sent_at=waiting.starts_at,
        state=state,
        next=_next(waiting, access),
        may_nudge=not state.is_over and is_due and can_nudge_relationship_request(access).allowed,
        may_withdraw=not state.is_over and can_withdraw_relationship_request(access).allowed,
    )


def _next(waiting: RelationshipRequest, access: Access) -> str:
    """Who has to do something; of what is over, when it was closed."""
    if waiting.status_at(access.at) is not Status.PENDING:
        return _("Closed on %(when)s.") % {"when": moment(waiting.closes_at)}
    lapse = day(last_day(waiting.closes_at))
    if waiting.nudgeable_from <= access.at:
        return _("The client decides. Unanswered, it lapses after %(lapse)s.") % {"lapse": lapse}
    said = _("The client decides; you can remind it from %(on)s. It lapses after %(lapse)s.")
    return said % {"on": day(timezone.localdate(waiting.nudgeable_from)), "lapse": lapse}


def _header(*, is_managers: bool) -> list[Value]:
    """The first line of the file; what only managers read stands last."""
    everybody = [
        _("Business number"), _("Client"), _("Operating name"), _("State"), _("Detail"),
        _("May do"), _("Program accounts"), _("Visibility Rules"),
    ]  # fmt: skip
    return [*everybody, _("Assigned"), _("Missing")] if is_managers else [*everybody]


def _cells(row: Row, *, is_managers: bool) -> Iterator[Value]:
    yield from (row.bn9, row.name, row.operating_name, row.state.label, row.state.detail)
    yield from (_joined(row.may_do), _joined(row.programs))
    yield _joined(f"{label}: {rule}" for label, rule in row.rules)
    if is_managers:
        yield from (row.people, _joined(step.words for step in row.missing))


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)
