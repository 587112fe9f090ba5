"""The end of a business relationship: the client’s page, and the provider’s to leave a client."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.clients import Client, clients_of
from delegation.entry import client_of, enter, require_any
from delegation.forms.endings import RelationshipEndForm
from delegation.models import Relationship, RelationshipTerms
from delegation.navigation import section_nav
from delegation.offers import waiting_offers
from delegation.permissions import (
    can_end_relationship,
    can_leave_relationship,
    can_list_relationships,
)
from delegation.relationships import Given, in_flight, relationship_of
from delegation.services.endings import end_relationship, leave_relationship
from delegation.terms import fingerprint, live_terms, programs_in_words
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule

Terms = list[RelationshipTerms]


@rule(get=can_end_relationship, post=can_end_relationship)
@once
def relationship_end(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what stops and what the firm keeps, and once that is confirmed, end it."""
    access = enter(request, bn9)
    given, ending = _given(access, pk)
    require_any(ending or given.state.is_over)
    if request.method != "POST" and not ending:
        return redirect("relationship_detail", bn9=bn9, pk=pk)
    form = RelationshipEndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _end_page(request, access, given, ending, form)
    answer = _act(end_relationship, access, given.terms, form)
    if isinstance(answer, Refusal):
        form.add_error(None, str(answer.message))
        return _end_page(request, access, *_given(access, pk), form, status=status_of(answer))
    messages.success(request, _ended(answer, access, given.provider, ending))
    return redirect("relationship_detail", bn9=bn9, pk=pk)


@rule(get=can_leave_relationship, post=can_leave_relationship)
@once
def relationship_leave(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """Say what the firm gives back and what it keeps, and once that is confirmed, leave."""
    access = enter(request, bn9)
    client, ending = _client(access, client_bn9)
    if request.method != "POST" and not ending:
        return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)
    form = RelationshipEndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _leave_page(request, access, client, ending, form)
    answer = _act(leave_relationship, access, client.terms, form)
    if isinstance(answer, Refusal):
        form.add_error(None, str(answer.message))
        page = (request, access, *_client(access, client_bn9), form)
        return _leave_page(*page, status=status_of(answer))
    said = _("%(firm)s no longer acts for %(business)s, %(bn)s.")
    messages.success(request, said % _names(access.acting_for, client.business))
    return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)


def _given(access: Access, pk: UUID) -> tuple[Given, Terms]:
    """A relationship of the client, and what of it the person may end."""
    require_any(can_list_relationships(access))
    given = relationship_of(access, pk)
    if given is None:
        raise Http404
    return given, can_end_relationship(access, live_terms(given.terms, access.at))


def _client(access: Access, client_bn9: str) -> tuple[Client, Terms]:
    """A client of the firm, and what the firm holds there."""
    [known] = clients_of(access, [client_of(access, client_bn9)])
    return known, live_terms(known.terms, access.at)


def _act(
    end: Callable[..., Relationship | Refusal],
    access: Access,
    terms: Iterable[RelationshipTerms],
    form: RelationshipEndForm,
) -> Relationship | Refusal:
    """End the relationship that the terms belong to, the newest where a pair had several."""
    newest = max(terms, key=lambda row: row.relationship.starts_at)
    return end(
        actor=access.person,
        acting_for=access.acting_for,
        relationship=newest.relationship,
        expected_terms=form.cleaned_data["terms"],
        reason=form.cleaned_data["reason"],
        at=access.at,
    )


def _end_page(
    request: HttpRequest,
    access: Access,
    given: Given,
    ending: Terms,
    form: RelationshipEndForm,
    *,
    status: int = 422,
) -> HttpResponse:
    context = {
        "relationship": given,
        "provider": given.provider,
        "in_flight": in_flight(access, given.provider),
        "waiting_offers": waiting_offers(access, given.provider),
        "is_part": given.lasts_elsewhere or len(ending) < len(live_terms(given.terms, access.at)),
        "sections": section_nav(access, "relationship_list"),
    }
    template = "delegation/relationship_end.html"
    return _page(request, template, access, ending, form, context, status)


def _leave_page(
    request: HttpRequest,
    access: Access,
    client: Client,
    ending: Terms,
    form: RelationshipEndForm,
    *,
    status: int = 422,
) -> HttpResponse:
    context = {"client": client.business, "sections": section_nav(access, "client_list")}
    template = "delegation/relationship_leave.html"
    return _page(request, template, access, ending, form, context, status)


def _page(
    request: HttpRequest,
    template: str,
    access: Access,
    ending: Terms,
    form: RelationshipEndForm,
    context: dict[str, Any],
    status: int,
) -> HttpResponse:
    """A page that says what ends; its form carries which terms those are."""
    context |= {
        "business": access.acting_for,
        "form": form,
        "programs": programs_in_words(ending),
        "fingerprint": fingerprint(ending) if ending else "",
    }
    return render(request, template, context, status=status if form.is_bound else 200)


def _ended(
    relationship: Relationship, access: Access, provider: BusinessAccount, terms: Terms
) -> str:
    """What an end by the client ended: all, or the terms of some program accounts."""
    said = _("The authority of %(firm)s to act for %(business)s, %(bn)s, has ended.")
    # Who ended a relationship is written with the last of its terms alone.
    if relationship.ended_by_id is None:
        said = _(
            "The authority of %(firm)s to act for %(business)s, %(bn)s, has ended on these "
            "program accounts: %(programs)s."
        )
    programs = ", ".join(programs_in_words(terms))
    return said % (_names(provider, access.acting_for) | {"programs": programs})


def _names(firm: BusinessAccount, client: BusinessAccount) -> dict[str, str]:
    """Who acted for whom, for the message after an end."""
    return {"firm": firm.name, "business": client.name, "bn": client.bn_shown}
