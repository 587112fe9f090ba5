"""I do not know this business or this person: hide what they ask and offer, and show it again."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.employees import readable_requests as readable_access_requests
from delegation.entry import enter, enter_firm
from delegation.forms.mutes import MuteForm
from delegation.models import AccessRequest, Mute, RelationshipOffer, RelationshipRequest
from delegation.models.periods import during
from delegation.navigation import relationship_nav, section_nav
from delegation.offers import received_offers
from delegation.permissions import can_mute
from delegation.relationships import readable_requests
from delegation.services.mutes import end_mute, mute_client, mute_firm, mute_person
from delegation.views.employees import status_of
from pages.once import once
from pages.paging import page_by_key
from pages.rules import rule

FIRM, CLIENT, PERSON = "firm", "client", "person"
"""Whom a page mutes: who sent a request to act, who made an offer, who asked for access."""


class Muted(NamedTuple):
    """A business or a person that is muted, and how many requests and offers wait unseen."""

    mute: Mute
    name: str
    detail: str
    waiting: int


@rule(get=can_mute, post=can_mute)
@once
def firm_mute(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Hide what a firm asks, now and later."""
    access = enter(request, bn9)
    waiting = get_object_or_404(readable_requests(access), pk=pk)
    page = _page_of(FIRM, waiting.provider, pk)
    return _mute(request, access, page, partial(mute_firm, relationship_request=waiting))


@rule(get=can_mute, post=can_mute)
@once
def client_mute(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Hide what a business offers the firm, now and later."""
    access = enter_firm(request, bn9)
    offer = get_object_or_404(received_offers(access), pk=pk)
    page = _page_of(CLIENT, offer.client, pk)
    return _mute(request, access, page, partial(mute_client, relationship_offer=offer))


@rule(get=can_mute, post=can_mute)
@once
def person_mute(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Hide what a person asks, now and later."""
    access = enter(request, bn9)
    waiting = get_object_or_404(readable_access_requests(access), pk=pk)
    page = {
        "name": waiting.person.get_full_name(),
        "detail": waiting.person.email,
        "back": ("access_request_detail", pk),
        "section": "employee_list",
        "kind": PERSON,
    }
    return _mute(request, access, page, partial(mute_person, access_request=waiting))


@rule(get=can_mute)
def mute_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The businesses and people that are muted, the latest first, and what of theirs waits."""
    return _list_page(request, enter(request, bn9))


@rule(post=can_mute)
@once
def mute_end(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Show what a firm or a person asks again."""
    access = enter(request, bn9)
    mute = get_object_or_404(Mute, business=access.acting_for, pk=pk)
    answer = end_mute(actor=access.person, acting_for=access.acting_for, mute=mute, at=access.at)
    if isinstance(answer, Refusal):
        return _list_page(request, access, problem=str(answer.message), status=status_of(answer))
    said = _("What %(name)s asks is shown to %(business)s, %(bn)s, again.")
    messages.success(request, said % _names(access, _name(answer)))
    return redirect("mute_list", bn9=bn9)


def _page_of(kind: str, business: BusinessAccount, pk: UUID) -> dict[str, Any]:
    """What the page says of a business that is to be muted, and where it leads back."""
    back, section = {
        FIRM: ("relationship_request_detail", "relationship_list"),
        CLIENT: ("relationship_offer_detail", "client_list"),
    }[kind]
    return {
        "name": business.name,
        "detail": business.bn_shown,
        "back": (back, pk),
        "section": section,
        "kind": kind,
    }


def _mute(
    request: HttpRequest,
    access: Access,
    page: dict[str, Any],
    act: Callable[..., Mute | Refusal],
) -> HttpResponse:
    """The form; once it is sent, the list, or the form with the reason why nothing was done."""
    form = MuteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _mute_page(request, access, form, page)
    answer = act(
        actor=access.person,
        acting_for=access.acting_for,
        report=form.cleaned_data["report"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        form.add_error(None, str(answer.message))
        return _mute_page(request, access, form, page, status=status_of(answer))
    said = _("Requests of %(name)s are hidden from %(business)s, %(bn)s. They learn nothing of it.")
    if page["kind"] != PERSON:
        said = _(
            "Requests and offers of %(name)s are hidden from %(business)s, %(bn)s. They learn "
            "nothing of it."
        )
    messages.success(request, said % _names(access, page["name"]))
    return redirect("mute_list", bn9=access.acting_for.bn9)


def _mute_page(
    request: HttpRequest,
    access: Access,
    form: MuteForm,
    page: dict[str, Any],
    *,
    status: int = 0,
) -> HttpResponse:
    route, pk = page["back"]
    context = page | {
        "business": access.acting_for,
        "form": form,
        "back_route": route,
        "back_pk": pk,
        "sections": section_nav(access, page["section"]),
    }
    shown = status or (422 if form.is_bound else 200)
    return render(request, "delegation/mute_create.html", context, status=shown)


def _list_page(
    request: HttpRequest, access: Access, *, problem: str = "", status: int = 200
) -> HttpResponse:
    live = Mute.objects.filter(during(access.at), business=access.acting_for)
    page = page_by_key(
        live.select_related("provider", "person", "muted_by"),
        key=("starts_at", "id"),
        after=request.GET.get("after", ""),
    )
    context = {
        "business": access.acting_for,
        "page": page,
        "muted": _with_waiting(access, page.rows),
        "problem": problem,
        "sections": section_nav(access, "relationship_list"),
        "parts": relationship_nav(access, "mute_list"),
    }
    return render(request, "delegation/mute_list.html", context, status=status)


def _with_waiting(access: Access, mutes: list[Mute]) -> list[Muted]:
    """Each with the number of what waits unseen: three queries, however many."""
    businesses = [one.provider_id for one in mutes]
    firms = RelationshipRequest.objects.pending_at(access.at).filter(
        client_bn9=access.acting_for.bn9, provider__in=businesses
    )
    clients = RelationshipOffer.objects.pending_at(access.at).filter(
        provider_bn9=access.acting_for.bn9, client__in=businesses
    )
    people = AccessRequest.objects.pending_at(access.at).filter(
        bn9=access.acting_for.bn9, person__in=[one.person_id for one in mutes]
    )
    of_firms = [
        *firms.values_list("provider", flat=True),
        *clients.values_list("client", flat=True),
    ]
    of_people = list(people.values_list("person", flat=True))
    return [
        Muted(
            one,
            _name(one),
            one.provider.bn_shown if one.provider else one.person.email if one.person else "",
            of_firms.count(one.provider_id) + of_people.count(one.person_id),
        )
        for one in mutes
    ]


def _name(mute: Mute) -> str:
    if mute.provider:
        return mute.provider.name
    return mute.person.get_full_name() if mute.person else ""


def _names(access: Access, name: str) -> dict[str, str]:
    """Who is muted by whom, for the message after an act."""
    business = access.acting_for
    return {"name": name, "business": business.name, "bn": business.bn_shown}
