"""Which firms act for the business, acted for it, or ask to; and one relationship in words."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from delegation import relationship_lists as lists
from delegation.access import Access
from delegation.entry import enter
from delegation.forms.relationships import RelationshipFilterForm
from delegation.models import RelationshipRequest
from delegation.navigation import relationship_nav, section_nav
from delegation.offers import sent_offers, waiting_offers
from delegation.permissions import (
    can_change_relationship,
    can_create_relationship_offer,
    can_end_relationship,
    can_list_relationships,
    can_resume_relationship,
    can_suspend_relationship,
    can_view_as,
    can_view_relationship_authority,
)
from delegation.relationship_lists import Listing, Search
from delegation.relationships import (
    Line,
    acts,
    in_flight,
    lines_of,
    managed_programs,
    relationship_of,
)
from delegation.renewals import renewable, renewable_keys
from delegation.requests import request_state
from delegation.services.relationships import received_requests
from delegation.terms import CLIENT_LABELS, State, agreed, fingerprint, live_terms, program_label
from pages.rules import rule

MOST_WAITING = 25
"""How many requests that wait stand above the relationships; a page of their own has every one."""


class Received(NamedTuple):
    """A request in the list of those received."""

    waiting: RelationshipRequest
    lines: list[Line]
    state: State
    has_waited: bool
    is_change: bool


@rule(get=can_list_relationships)
def relationship_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """What waits for the person's decision, then the firms that act for the business now."""
    access = enter(request, bn9)
    waiting = received_requests(access).select_related("provider")
    shown = list(waiting.prefetch_related("lines__decided_by")[: MOST_WAITING + 1])
    context = {
        "received": _received(access, shown[:MOST_WAITING]),
        "are_more": len(shown) > MOST_WAITING,
        "offers": sent_offers(access).pending_at(access.at).count(),
        "may_offer": can_create_relationship_offer(access).allowed,
        "nobody": _("No firm acts for this business now.")
        if access.is_bam
        else _("No firm acts on these program accounts now."),
    }
    return _list_page(request, access, "relationship_list", lists.active_relationships, context)


@rule(get=can_list_relationships)
def relationship_ending_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The relationships that end within 90 days, the soonest first."""
    access = enter(request, bn9)
    return _list_page(
        request, access, "relationship_ending_list", lists.relationships_ending_soon, {}
    )


@rule(get=can_list_relationships)
def relationship_ended_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The relationships that have ended or expired."""
    access = enter(request, bn9)
    return _list_page(request, access, "relationship_ended_list", lists.ended_relationships, {})


@rule(get=can_list_relationships)
def received_request_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """Every request that was received, and what became of it."""
    access = enter(request, bn9)
    form, search = _search(request)
    page = lists.received_request_list(access, search, after=request.GET.get("after", ""))
    context = {"search": form, "page": page, "received": _received(access, page.rows)}
    return _page(request, access, "received_request_list", context)


@rule(get=can_list_relationships)
def relationship_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What was agreed with a firm, in words, now and before."""
    access = enter(request, bn9)
    relationship = relationship_of(access, pk)
    if relationship is None:
        raise Http404
    live = live_terms(relationship.terms, access.at)
    is_suspended = bool(live and live[0].relationship.suspended_at)
    lasting = agreed(live, access.at, CLIENT_LABELS)
    over = [row for row in relationship.terms if row not in live]
    renewal = renewable(access, relationship)
    context = {
        "business": access.acting_for,
        "relationship": relationship,
        "in_flight": in_flight(access, relationship.provider),
        "waiting_offers": waiting_offers(access, relationship.provider),
        "may_renew": bool(renewal.terms),
        "why_not_renewed": "" if acts(access, relationship.provider) else renewal.why_not,
        "may_change": bool(can_change_relationship(access, live)),
        "may_suspend": bool(live) and not is_suspended and can_suspend_relationship(access).allowed,
        "may_resume": is_suspended and can_resume_relationship(access).allowed,
        "may_end": can_end_relationship(access, live),
        "may_view_as": can_view_as(access),
        "may_read_authority": can_view_relationship_authority(access),
        "in_force": [] if is_suspended else lasting,
        "suspended": lasting if is_suspended else [],
        "fingerprint": fingerprint(live),
        "history": agreed(over, access.at, CLIENT_LABELS),
        "sections": section_nav(access, "relationship_list"),
    }
    return render(request, "delegation/relationship_detail.html", context)


def _received(access: Access, waiting: list[RelationshipRequest]) -> list[Received]:
    """Requests in words; those that were sent before somebody registered the business have waited.

    The rest of the list learns nothing from that: whoever asked is told the same either way.
    """
    registered = lists.registered_at(access)
    programs = managed_programs(access)
    acting = lists.acting_firms(access, {one.provider_id for one in waiting})
    return [
        Received(
            one,
            lines_of(one, access, programs),
            request_state(one, access.at),
            registered is not None and one.starts_at < registered,
            one.provider_id in acting,
        )
        for one in waiting
    ]


def _search(request: HttpRequest) -> tuple[RelationshipFilterForm, Search]:
    """The search of a list, and what it narrows the list to; one with errors narrows nothing."""
    form = RelationshipFilterForm(request.GET if {"name", "level"} & set(request.GET) else None)
    if not form.is_valid():
        return form, Search()
    return form, Search(form.cleaned_data["name"], form.cleaned_data["level"])


def _list_page(
    request: HttpRequest,
    access: Access,
    name: str,
    find: Callable[..., Listing],
    context: dict[str, Any],
) -> HttpResponse:
    """A page of relationships; the URL name is that of the template too."""
    form, search = _search(request)
    listing = find(access, search, after=request.GET.get("after", ""))
    context |= {
        "search": form,
        "page": listing.page,
        "rows": listing.rows,
        "renewable": renewable_keys(access, listing.rows),
    }
    return _page(request, access, name, context)


def _page(request: HttpRequest, access: Access, name: str, context: dict[str, Any]) -> HttpResponse:
    form = context["search"]
    programs = [] if access.is_bam else managed_programs(access)
    context |= {
        "business": access.acting_for,
        "is_narrowed": form.is_valid() and any(form.cleaned_data.values()),
        "here": name,
        "programs": [program_label(one) for one in programs],
        "sections": section_nav(access, "relationship_list"),
        "parts": relationship_nav(access, name),
    }
    status = 422 if form.errors else 200
    return render(request, f"delegation/{name}.html", context, status=status)
