"""Offer a relationship to a firm by its number: the client's pages, which know nothing of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn9
from delegation.access import Access
from delegation.consent import OFFER_VERSION, relationship_consent
from delegation.entry import enter, require_any
from delegation.forms.board import NameFilterForm
from delegation.forms.offers import RelationshipOfferCreateForm
from delegation.forms.programs import SHOWN
from delegation.models import Ceiling, Level, RelationshipOffer
from delegation.navigation import relationship_nav, section_nav
from delegation.offers import in_words, sent_offer_list, sent_offers
from delegation.permissions import (
    can_create_relationship_offer,
    can_list_relationships,
    can_withdraw_relationship_offer,
    grantable_ceilings,
)
from delegation.relationships import managed_programs, offer_in_words
from delegation.roles import Action
from delegation.services.agreements import Agreement, default_last_day, is_suspended
from delegation.services.offers import (
    create_relationship_offer,
    why_not_offerable,
    withdraw_relationship_offer,
)
from delegation.terms import program_label
from delegation.views.agreements import (
    agreement_from,
    opened_as_chosen,
    opened_by,
    rights_in_words,
)
from delegation.views.employees import status_of
from delegation.views.limits import with_retry
from delegation.views.relationships import FIELDS
from pages.once import once
from pages.preview import is_confirmed, is_confirming, previewed
from pages.rules import rule
from pages.steady import steady

NUMBER = "provider_bn9"
ABOUT = FIELDS | dict.fromkeys(("own_business", "already_waiting", "acts_already", "muted"), NUMBER)
"""The field that each refusal of an offer is about."""


@rule(get=can_create_relationship_offer, post=can_create_relationship_offer)
@steady
@once
def relationship_offer_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Say in one sentence what will be offered, and once that is confirmed, offer it."""
    access = enter(request, bn9)
    form = _form(access, request)
    if form.is_finding:
        return _form_page(request, access, form.unjudged())
    if not form.is_valid() or "change" in request.POST:
        return _form_page(request, access, form)
    agreement, number = agreement_from(access, form), form.cleaned_data[NUMBER]
    problem = why_not_offerable(access, number, agreement, since=access.at)
    if problem and not is_confirming(request):
        form.add_error(ABOUT.get(problem[0]), problem[1])
        return _form_page(request, access, form)
    preview = _preview(access, agreement, number, form.cleaned_data["comment"])
    if problem is None and not is_confirmed(request, preview):
        return _preview_page(request, access, form, preview, agreement)
    answer = create_relationship_offer(
        actor=access.person,
        acting_for=access.acting_for,
        provider_bn9=number,
        agreement=agreement,
        comment=form.cleaned_data["comment"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        form.add_error(ABOUT.get(answer.code), str(answer.message))
        page = _form_page(request, access, form, status=status_of(answer))
        return with_retry(page, access.at)
    messages.success(request, _("Your offer has been made. Nothing is given until it is accepted."))
    return redirect("relationship_offer_status", bn9=bn9, pk=answer.pk)


@rule(get=can_list_relationships)
def relationship_offer_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """What the business has offered, the newest first, what became of it and what is next."""
    return _list_page(request, enter(request, bn9))


@rule(get=can_list_relationships)
def relationship_offer_status(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What was offered to a business number, and what became of it."""
    access, offer = _enter(request, bn9, pk)
    return _status_page(request, access, offer)


@rule(post=can_withdraw_relationship_offer)
@once
def relationship_offer_withdraw(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Take back an offer that waits."""
    access, offer = _enter(request, bn9, pk)
    answer = withdraw_relationship_offer(
        actor=access.person, acting_for=access.acting_for, relationship_offer=offer, at=access.at
    )
    if isinstance(answer, Refusal):
        offer = get_object_or_404(sent_offers(access), pk=pk)
        problem, status = str(answer.message), status_of(answer)
        return _status_page(request, access, offer, problem=problem, status=status)
    said = _("The offer to %(bn)s has been withdrawn. Nothing was given.")
    messages.success(request, said % {"bn": show_bn9(offer.provider_bn9)})
    return redirect("relationship_offer_status", bn9=bn9, pk=pk)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, RelationshipOffer]:
    """The access of a manager and an offer of the business that it may read, or 404."""
    access = enter(request, bn9)
    require_any(can_list_relationships(access))
    return access, get_object_or_404(sent_offers(access), pk=pk)


def _form(access: Access, request: HttpRequest) -> RelationshipOfferCreateForm:
    """The form, with what is usual: of few program accounts every one is ticked."""
    programs = access.programs(Action.MANAGE_RELATIONSHIPS)
    data: QueryDict | None = request.POST if request.method == "POST" else None
    return RelationshipOfferCreateForm(
        data,
        programs=[(one.extension, program_label(one)) for one in programs],
        ceilings=grantable_ceilings(access),
        may_give_whole=access.is_bam,
        initial={
            NUMBER: request.GET.get(NUMBER, ""),
            "consent_version": OFFER_VERSION,
            "level": Level.PROGRAM,
            "programs": [one.extension for one in programs] if len(programs) <= SHOWN else [],
            "ceiling": Ceiling.EDITOR,
            "rights": ["may_submit"],
            "last_day": default_last_day(timezone.localdate(access.at)),
        },
    )


def _form_page(
    request: HttpRequest, access: Access, form: RelationshipOfferCreateForm, *, status: int = 0
) -> HttpResponse:
    consent = relationship_consent(OFFER_VERSION)
    context = {
        "form": form,
        "consent": consent.in_language(get_language() or ""),
        "consent_version": consent.version,
        # How much the firm submitted itself would tell who it is.
        "opens": opened_by(access, form, None) | {"visibility_broker": ""},
    }
    shown = status or (422 if form.errors else 200)
    return _page(request, access, "relationship_offer_create", context, shown)


def _preview(access: Access, agreement: Agreement, number: str, comment: str) -> dict[str, Any]:
    """What will be offered, in one sentence, before anything is."""
    return {
        "sentence": offer_in_words(
            agreement,
            client=access.acting_for,
            provider_bn9=number,
            programs=managed_programs(access),
        ),
        "rights": rights_in_words(agreement),
        "open_end_reason": agreement.open_end_reason,
        "comment": comment,
        "is_suspended": is_suspended(access.acting_for, number),
    }


def _preview_page(
    request: HttpRequest,
    access: Access,
    form: RelationshipOfferCreateForm,
    preview: dict[str, Any],
    agreement: Agreement,
) -> HttpResponse:
    """The preview, and whether it differs from the one that was confirmed."""
    opens = opened_as_chosen(access, agreement, None)[1:]
    context = {"form": form, "opens": opens, **previewed(request, preview)}
    status = 409 if context["has_changed"] else 200
    return _page(request, access, "relationship_offer_confirm", context, status)


def _list_page(request: HttpRequest, access: Access) -> HttpResponse:
    form = NameFilterForm.of(request.GET)
    page = sent_offer_list(access, form.text, after=request.GET.get("after", ""))
    context = {
        "search": form,
        "is_narrowed": bool(form.text),
        "page": page,
        "offers": [
            (row, not row.state.is_over and can_withdraw_relationship_offer(access, row.offer))
            for row in in_words(page.rows, access)
        ],
        "may_offer": can_create_relationship_offer(access).allowed,
        "parts": relationship_nav(access, "relationship_offer_list"),
    }
    status = 422 if form.errors else 200
    return _page(request, access, "relationship_offer_list", context, status)


def _status_page(
    request: HttpRequest,
    access: Access,
    offer: RelationshipOffer,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    [row] = in_words([offer], access)
    context = {
        "row": row,
        "offer": offer,
        "rights": rights_in_words(offer),
        "problem": problem,
        "may_withdraw": not row.state.is_over and can_withdraw_relationship_offer(access, offer),
        "may_offer": can_create_relationship_offer(access).allowed,
    }
    return _page(request, access, "relationship_offer_status", context, status)


def _page(
    request: HttpRequest, access: Access, name: str, context: dict[str, Any], status: int
) -> HttpResponse:
    context |= {
        "business": access.acting_for,
        "sections": section_nav(access, "relationship_list"),
    }
    return render(request, f"delegation/{name}.html", context, status=status)
