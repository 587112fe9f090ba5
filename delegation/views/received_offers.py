"""What clients offer the firm: its managers read, accept or decline it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.services import Refusal
from delegation.access import Access
from delegation.consent import relationship_consent
from delegation.entry import enter_firm, require
from delegation.forms.board import NameFilterForm
from delegation.forms.offers import (
    RelationshipOfferAcceptForm,
    RelationshipOfferDeclineForm,
)
from delegation.models import RelationshipOffer, Status
from delegation.navigation import client_nav, section_nav
from delegation.offers import in_words, received_offer_list, received_offers
from delegation.permissions import (
    can_accept_relationship_offer,
    can_decline_relationship_offer,
    can_list_received_offers,
    can_mute,
)
from delegation.services.offers import (
    accept_relationship_offer,
    decline_relationship_offer,
    why_not_acceptable,
)
from delegation.views.agreements import rights_in_words
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule


@rule(get=can_list_received_offers)
def relationship_offer_received_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """What was offered to the firm, the newest first, and what became of it."""
    access = enter_firm(request, bn9)
    form = NameFilterForm.of(request.GET)
    page = received_offer_list(access, form.text, after=request.GET.get("after", ""))
    context = {
        "search": form,
        "is_narrowed": bool(form.text),
        "page": page,
        "offers": in_words(page.rows, access),
        "parts": client_nav(access, "relationship_offer_received_list"),
    }
    status = 422 if form.errors else 200
    return _page(request, access, "relationship_offer_received_list", context, status)


@rule(get=can_list_received_offers)
def relationship_offer_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What a client offers, with the form to accept it where that can be."""
    access, offer = _enter(request, bn9, pk)
    return _offer_page(request, access, offer, _accept_form(offer))


@rule(get=can_list_received_offers, post=can_accept_relationship_offer)
@once
def relationship_offer_accept(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Take what is offered, whole: from now on the firm acts for the client."""
    access, offer = _enter(request, bn9, pk)
    if request.method != "POST":
        return redirect("relationship_offer_detail", bn9=bn9, pk=pk)
    form = _accept_form(offer, request.POST)
    if _is_open(access, offer) and not form.is_valid():
        return _offer_page(request, access, offer, form, status=422)
    answer = accept_relationship_offer(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_offer=offer,
        expected_version=form.cleaned_data["version"] if form.is_valid() else offer.version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused_page(request, access, pk, answer)
    said = _("%(firm)s acts for %(client)s, %(bn)s, now. Assign the employees who work for it.")
    if answer.suspended_at:
        said = _("%(firm)s has %(client)s, %(bn)s, as a client: suspended until it resumes it.")
    messages.success(request, said % _names(access, offer))
    return redirect("client_detail", bn9=bn9, client_bn9=offer.client.bn9)


@rule(get=can_list_received_offers, post=can_decline_relationship_offer)
@once
def relationship_offer_decline(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Decline an offer with a reason that the client reads."""
    access, offer = _enter(request, bn9, pk)
    if request.method != "POST":
        if not _is_open(access, offer):
            return redirect("relationship_offer_detail", bn9=bn9, pk=pk)
        form = RelationshipOfferDeclineForm(initial={"version": offer.version})
        return _decline_page(request, access, offer, form)
    form = RelationshipOfferDeclineForm(request.POST)
    if _is_open(access, offer) and not form.is_valid():
        return _decline_page(request, access, offer, form, status=422)
    is_valid = form.is_valid()
    answer = decline_relationship_offer(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_offer=offer,
        reason=form.cleaned_data["reason"] if is_valid else "",
        expected_version=form.cleaned_data["version"] if is_valid else offer.version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused_page(request, access, pk, answer)
    said = _("%(firm)s declined the offer of %(client)s, %(bn)s.")
    messages.success(request, said % _names(access, offer))
    return redirect("relationship_offer_received_list", bn9=bn9)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, RelationshipOffer]:
    """The access of a manager of the firm and an offer that it received, or 404."""
    access = enter_firm(request, bn9)
    require(can_list_received_offers(access))
    return access, get_object_or_404(received_offers(access), pk=pk)


def _is_open(access: Access, offer: RelationshipOffer) -> bool:
    """Whether the person can answer the offer now."""
    waits = offer.status_at(access.at) is Status.PENDING
    return waits and can_decline_relationship_offer(access, offer)


def _accept_form(
    offer: RelationshipOffer, data: QueryDict | None = None
) -> RelationshipOfferAcceptForm:
    return RelationshipOfferAcceptForm(data, initial={"version": offer.version})


def _refused_page(request: HttpRequest, access: Access, pk: UUID, refusal: Refusal) -> HttpResponse:
    """The offer as it is by now, and why nothing was done."""
    offer = get_object_or_404(received_offers(access), pk=pk)
    problem, status = str(refusal.message), status_of(refusal)
    form = _accept_form(offer)
    return _offer_page(request, access, offer, form, problem=problem, status=status)


def _offer_page(
    request: HttpRequest,
    access: Access,
    offer: RelationshipOffer,
    form: RelationshipOfferAcceptForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    is_open = _is_open(access, offer)
    barred = why_not_acceptable(access, offer, None) if is_open else None
    is_client = access.clients().filter(pk=offer.client_id).exists()
    [row] = in_words([offer], access)
    context = {
        "row": row,
        "rights": rights_in_words(offer),
        "consent": relationship_consent(offer.consent_version).in_language(get_language() or ""),
        "form": form if is_open and not barred else None,
        "is_open": is_open,
        "may_mute": can_mute(access).allowed and not is_client,
        "is_own": offer.offered_by_id == access.person.pk,
        "barred": barred[1] if barred else "",
        "problem": problem,
    }
    return _offer(request, access, offer, "relationship_offer_detail", context, status)


def _decline_page(
    request: HttpRequest,
    access: Access,
    offer: RelationshipOffer,
    form: RelationshipOfferDeclineForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form}
    return _offer(request, access, offer, "relationship_offer_decline", context, status)


def _offer(
    request: HttpRequest,
    access: Access,
    offer: RelationshipOffer,
    name: str,
    context: dict[str, Any],
    status: int,
) -> HttpResponse:
    context |= {"offer": offer, "client": offer.client}
    return _page(request, access, name, context, status)


def _page(
    request: HttpRequest, access: Access, name: str, context: dict[str, Any], status: int
) -> HttpResponse:
    context |= {"business": access.acting_for, "sections": section_nav(access, "client_list")}
    return render(request, f"delegation/{name}.html", context, status=status)


def _names(access: Access, offer: RelationshipOffer) -> dict[str, str]:
    """Who acts for whom, for the message after an act."""
    client = offer.client
    return {"firm": access.acting_for.name, "client": client.name, "bn": client.bn_shown}
