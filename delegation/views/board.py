"""The provider's clients as one list, the readiness board, and the requests that the firm sent."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.bn import show_bn9
from delegation.access import Access
from delegation.board import Row, View, board, every_row, views_for
from delegation.clients import sent_requests
from delegation.entry import enter_firm
from delegation.forms.board import ClientFilterForm
from delegation.models import RelationshipRequest
from delegation.navigation import client_nav, section_nav
from delegation.permissions import (
    can_assign_staff,
    can_list_clients,
    can_list_relationship_requests,
    can_request_relationship,
)
from delegation.reasons import Reason
from delegation.relationships import lines_of
from delegation.requests import request_state
from delegation.terms import State
from pages.csv_file import Value, stream_csv
from pages.paging import page_by_key
from pages.rules import rule


class Sent(NamedTuple):
    """A request that the firm sent, in the list."""

    pk: UUID
    bn: str
    asked: list[str]
    sent_at: object
    state: State


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
    """The requests that the firm sent, whatever became of them, the newest first."""
    access = enter_firm(request, bn9)
    page = page_by_key(
        sent_requests(access), key=("starts_at", "id"), after=request.GET.get("after", "")
    )
    context = {
        "business": access.acting_for,
        "page": page,
        "requests": [_sent(one, access) for one in page.rows],
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "relationship_request_list"),
    }
    return render(request, "delegation/relationship_request_list.html", context)


def _views(access: Access, shown: View) -> list[dict[str, object]]:
    """The views as doors: label, address and whether it is the one shown."""
    url = reverse("client_list", kwargs={"bn9": access.acting_for.bn9})
    return [
        {"label": view.label, "url": f"{url}?view={view}", "is_current": view is shown}
        for view in views_for(access)
    ]


def _sent(waiting: RelationshipRequest, access: Access) -> Sent:
    return Sent(
        pk=waiting.pk,
        bn=show_bn9(waiting.client_bn9),
        asked=[line.label for line in lines_of(waiting, access)],
        sent_at=waiting.starts_at,
        state=request_state(waiting, access.at),
    )


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
