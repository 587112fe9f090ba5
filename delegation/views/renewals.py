"""Renewal of what firms may do: of one relationship, and of several at once."""

from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from audit.services import Refusal
from delegation.access import Access
from delegation.consent import relationship_consent
from delegation.entry import enter, require_any
from delegation.forms.renewals import WHOLE, RelationshipRenewForm, SeveralRenewForm
from delegation.models import Relationship
from delegation.navigation import relationship_nav, section_nav
from delegation.permissions import can_list_relationships, can_renew_relationship
from delegation.relationships import given_of, relationship_of
from delegation.renewals import Renewable, renewable, renewal_in_words
from delegation.services.agreements import default_last_day, why_not_provider
from delegation.services.decisions import Problem
from delegation.services.renewals import Renewal, renew_relationship, why_not_renewal
from delegation.terms import CLIENT_LABELS, agreed, renewable_terms, until
from delegation.views.employees import status_of
from pages.formats import end_of_day
from pages.once import once, once_each
from pages.preview import is_confirmed, is_confirming, previewed
from pages.results import Result
from pages.rules import rule

FIELDS = {"expiry_past": "last_day", "expiry_cap": "last_day", "not_later": "last_day"}
NOTHING = gettext_lazy("Nothing in this relationship can be renewed now.")
MOST = 100
"""How many relationships are renewed at once."""


@rule(get=can_renew_relationship, post=can_renew_relationship)
@once
def relationship_renew(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say in one sentence what goes on until when, and once that is confirmed, renew it."""
    access = enter(request, bn9)
    one = _find(access, pk)
    if not one.terms:
        messages.warning(request, one.why_not or NOTHING)
        return redirect("relationship_detail", bn9=bn9, pk=pk)
    form = _form(access, one, request)
    if form.is_finding:
        return _form_page(request, access, one, form.unjudged(), status=200)
    if not form.is_valid():
        return _form_page(request, access, one, form, status=422)
    if "change" in request.POST:
        return _form_page(request, access, one, form, status=200)
    renewal = _renewal(form)
    problem = _why_not(access, one, renewal)
    if problem:
        form.add_error(FIELDS.get(problem[0]), problem[1])
        return _form_page(request, access, one, form, status=422)
    preview = {"sentence": renewal_in_words(access, one, renewal), "fingerprint": one.fingerprint}
    if not is_confirmed(request, preview):
        return _preview_page(request, access, one, form, preview)
    answer = _renew(access, one, renewal, one.fingerprint)
    if isinstance(answer, Refusal):
        form.add_error(FIELDS.get(answer.code), str(answer.message))
        return _form_page(request, access, _find(access, pk), form, status=status_of(answer))
    said = _("The authority of %(firm)s to act for %(business)s, %(bn)s, was renewed %(until)s.")
    messages.success(request, said % (_names(access, one) | {"until": until(renewal.ends_at)}))
    return redirect("relationship_detail", bn9=bn9, pk=answer.pk)


@rule(post=can_list_relationships)
@once_each
def relationship_renew_several(request: HttpRequest, bn9: str) -> HttpResponse:
    """Say what goes on for each firm that was ticked; once confirmed, renew one after the other."""
    access = enter(request, bn9)
    chosen = _ticked(access, request)
    if not chosen:
        messages.warning(request, _("Tick at least one relationship to renew."))
        return redirect("relationship_ending_list", bn9=bn9)
    form = SeveralRenewForm(request.POST if "last_day" in request.POST else _defaults(access))
    context: dict[str, Any] = {"form": form, "chosen": chosen}
    if not form.is_valid():
        return _page(request, access, "relationship_renew_several", context, 422)
    last_day = form.cleaned_data["last_day"]
    if is_confirming(request):
        context["results"] = [_result(request, access, one, last_day) for one in chosen]
        return _page(request, access, "relationship_renew_results", context, 200)
    context["rows"] = [(one, *_said(access, one, last_day)) for one in chosen]
    context["until"] = until(end_of_day(last_day))
    return _page(request, access, "relationship_renew_several", context, 200)


def _find(access: Access, pk: UUID) -> Renewable:
    """A relationship of the client, and what of it the person may renew."""
    require_any(can_list_relationships(access))
    given = relationship_of(access, pk)
    if given is None:
        raise Http404
    one = renewable(access, given)
    is_nothing_left = not renewable_terms(given.terms, access.at)
    require_any(one.terms or one.why_not or is_nothing_left, access)
    return one


def _ticked(access: Access, request: HttpRequest) -> list[Renewable]:
    """The relationships that were ticked in a list, by the name of the firm."""
    keys = set()
    for text in request.POST.getlist("relationship")[:MOST]:
        with suppress(ValueError):
            keys.add(UUID(text))
    found = sorted(given_of(access, keys), key=lambda one: one.provider.legal_name)
    return [renewable(access, one) for one in found]


def _defaults(access: Access) -> dict[str, Any]:
    """What is proposed: two years from today, under the consent text in force."""
    return {
        "last_day": default_last_day(timezone.localdate(access.at)).isoformat(),
        "consent_version": relationship_consent().version,
    }


def _form(access: Access, one: Renewable, request: HttpRequest) -> RelationshipRenewForm:
    """What was chosen; before anything was, everything that can be renewed, for two years."""
    programs = [(extension or WHOLE, label) for extension, label in one.programs]
    proposed = _defaults(access) | {"programs": [value for value, _label in programs]}
    return RelationshipRenewForm(
        request.POST if request.method == "POST" else proposed, programs=programs
    )


def _renewal(form: RelationshipRenewForm) -> Renewal:
    chosen = form.cleaned_data["programs"]
    extensions = frozenset("" if value == WHOLE else value for value in chosen)
    return Renewal(form.cleaned_data["last_day"], extensions)


def _why_not(access: Access, one: Renewable, renewal: Renewal) -> Problem | None:
    """Why this cannot be renewed so, as far as a page can tell before it is."""
    return why_not_provider(access, one.given.provider) or why_not_renewal(
        renewal, renewal.chosen(one.terms), access.at
    )


def _renew(
    access: Access, one: Renewable, renewal: Renewal, expected_terms: str
) -> Relationship | Refusal:
    return renew_relationship(
        actor=access.person,
        acting_for=access.acting_for,
        relationship=one.given.terms[0].relationship,
        renewal=renewal,
        expected_terms=expected_terms,
        at=access.at,
    )


def _said(access: Access, one: Renewable, last_day: date) -> tuple[str, bool]:
    """What renewing would do, or why nothing can be renewed; and whether something can."""
    renewal = Renewal(last_day, one.whole())
    if not one.terms:
        return one.why_not or str(NOTHING), False
    problem = _why_not(access, one, renewal)
    return (problem[1], False) if problem else (renewal_in_words(access, one, renewal), True)


def _result(request: HttpRequest, access: Access, one: Renewable, last_day: date) -> Result:
    """Renew one of several. What lasts as long already, as after a second click, is done."""
    label, renewal = one.given.provider.legal_name, Renewal(last_day, one.whole())
    lasting = _("Renewed %(until)s.") % {"until": until(renewal.ends_at)}
    answer = _renew(access, one, renewal, request.POST.get(f"terms-{one.given.pk}", ""))
    if not isinstance(answer, Refusal):
        return Result(label, is_done=True, message=lasting)
    kept = Relationship.objects.get(pk=one.given.pk)
    if answer.code == "not_later" and kept.ends_at == renewal.ends_at:
        return Result(label, is_done=True, message=lasting)
    return Result(label, is_done=False, message=str(answer.message))


def _preview_page(
    request: HttpRequest,
    access: Access,
    one: Renewable,
    form: RelationshipRenewForm,
    preview: dict[str, Any],
) -> HttpResponse:
    """The preview, and whether it differs from the one that was confirmed."""
    context = {
        "form": form,
        "one": one.given,
        "goes_on": agreed(_renewal(form).chosen(one.terms), access.at, CLIENT_LABELS),
        **previewed(request, preview),
    }
    status = 409 if context["has_changed"] else 200
    return _page(request, access, "relationship_renew", context, status)


def _form_page(
    request: HttpRequest,
    access: Access,
    one: Renewable,
    form: RelationshipRenewForm,
    *,
    status: int,
) -> HttpResponse:
    context = {"form": form, "one": one.given}
    return _page(request, access, "relationship_renew_change", context, status)


def _page(
    request: HttpRequest, access: Access, name: str, context: dict[str, Any], status: int
) -> HttpResponse:
    """A page of a renewal, with the text that is agreed to."""
    consent = relationship_consent()
    context |= {
        "business": access.acting_for,
        "consent": consent.in_language(get_language() or ""),
        "consent_version": consent.version,
        "sections": section_nav(access, "relationship_list"),
        "parts": relationship_nav(access, "relationship_list"),
    }
    return render(request, f"delegation/{name}.html", context, status=status)


def _names(access: Access, one: Renewable) -> dict[str, str]:
    business = access.acting_for
    return {"firm": one.given.provider.name, "business": business.name, "bn": business.bn_shown}
