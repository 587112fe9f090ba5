"""Changes of a relationship by the client: other terms, and its suspension."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.services import Refusal
from delegation.access import Access
from delegation.consent import relationship_consent
from delegation.differences import differences
from delegation.entry import enter, require, require_any
from delegation.forms.endings import MembershipEndForm
from delegation.forms.relationships import RelationshipChangeForm
from delegation.models import Level, RelationshipTerms
from delegation.navigation import section_nav
from delegation.permissions import (
    can_change_relationship,
    can_list_relationships,
    can_resume_relationship,
    can_suspend_relationship,
    grantable_ceilings,
)
from delegation.relationships import (
    Given,
    agreement_in_words,
    managed_programs,
    relationship_of,
)
from delegation.roles import Action
from delegation.services.agreements import Agreement, default_last_day
from delegation.services.changes import change_relationship, why_not_changeable
from delegation.services.suspensions import resume_relationship, suspend_relationship
from delegation.terms import fingerprint, live_terms, program_label
from delegation.views.agreements import agreement_from, opened_as_chosen, opened_by, rights_of
from delegation.views.employees import status_of
from delegation.views.relationships import FIELDS
from pages.formats import last_day
from pages.once import once
from pages.preview import is_confirmed, is_confirming, previewed
from pages.rules import rule

Terms = list[RelationshipTerms]


@rule(get=can_change_relationship, post=can_change_relationship)
@once
def relationship_change(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what widens and what narrows, and once that is confirmed, change the terms at once."""
    access = enter(request, bn9)
    given, mine = _find(access, pk)
    if not mine:
        messages.warning(request, _("Nothing in this relationship can be changed now."))
        return redirect("relationship_detail", bn9=bn9, pk=pk)
    form = _form(access, mine, request.POST if request.method == "POST" else None)
    if form.is_finding:
        return _form_page(request, access, given, form.unjudged())
    if not form.is_valid() or "change" in request.POST:
        return _form_page(request, access, given, form)
    agreement, keeps = agreement_from(access, form), form.cleaned_data["others"] == form.KEEP
    relationship = mine[0].relationship
    problem = why_not_changeable(access, relationship, mine, agreement)
    if problem and not is_confirming(request):
        form.add_error(FIELDS.get(problem[0]), problem[1])
        return _form_page(request, access, given, form)
    preview = _preview(access, given, mine, agreement, keeps_others=keeps)
    if problem is None and not is_confirmed(request, preview):
        return _preview_page(request, access, given, form, preview, agreement)
    answer = change_relationship(
        actor=access.person,
        acting_for=access.acting_for,
        relationship=relationship,
        agreement=agreement,
        keeps_others=keeps,
        expected_terms=fingerprint(mine),
        at=access.at,
    )
    if isinstance(answer, Refusal):
        form.add_error(FIELDS.get(answer.code), str(answer.message))
        return _form_page(request, access, given, form, status=status_of(answer))
    said = _("You changed what %(firm)s may do for %(business)s, %(bn)s. It holds at once.")
    messages.success(request, said % _names(access, given))
    return redirect("relationship_detail", bn9=bn9, pk=pk)


@rule(get=can_suspend_relationship, post=can_suspend_relationship)
@once
def relationship_suspend(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what stops, and once that is confirmed, stop it until a manager resumes it."""
    access = enter(request, bn9)
    given, _mine = _find(access, pk)
    form = MembershipEndForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = suspend_relationship(
            actor=access.person,
            acting_for=access.acting_for,
            relationship=given.terms[0].relationship,
            reason=form.cleaned_data["reason"],
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            said = _("The authority of %(firm)s to act for %(business)s, %(bn)s, is suspended.")
            messages.success(request, said % _names(access, given))
            return redirect("relationship_detail", bn9=bn9, pk=pk)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    return _page(request, access, "relationship_suspend", given, {"form": form}, status)


@rule(post=can_resume_relationship)
@once
def relationship_resume(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Let a firm whose authority is suspended act again, under the terms that are agreed."""
    access = enter(request, bn9)
    given, _mine = _find(access, pk)
    require(can_resume_relationship(access))
    answer = resume_relationship(
        actor=access.person,
        acting_for=access.acting_for,
        relationship=given.terms[0].relationship,
        expected_terms=request.POST.get("terms", ""),
        at=access.at,
    )
    if isinstance(answer, Refusal):
        messages.warning(request, str(answer.message))
        return redirect("relationship_detail", bn9=bn9, pk=pk)
    said = _("%(firm)s can act for %(business)s, %(bn)s, again.")
    messages.success(request, said % _names(access, given))
    return redirect("relationship_detail", bn9=bn9, pk=pk)


def _find(access: Access, pk: UUID) -> tuple[Given, Terms]:
    """A relationship of the client, and those of its terms that the person may change."""
    require_any(can_list_relationships(access))
    given = relationship_of(access, pk)
    if given is None:
        raise Http404
    live = live_terms(given.terms, access.at)
    mine = can_change_relationship(access, live)
    require_any(mine or not live, access)
    return given, mine


def _form(access: Access, mine: Terms, data: QueryDict | None) -> RelationshipChangeForm:
    """The form, filled with what the firm may do today: of several terms, those agreed first."""
    known = access.programs(Action.MANAGE_RELATIONSHIPS)
    held = {row.program_id for row in mine}
    programs = [one for one in known if access.is_bam or one.pk in held]
    ceilings, first = grantable_ceilings(access), min(mine, key=lambda row: row.pk)
    end = first.effective_end
    rules = ("visibility_broker", "visibility_importer", "visibility_other")
    return RelationshipChangeForm(
        data,
        programs=[(one.extension, program_label(one)) for one in programs],
        ceilings=ceilings,
        may_give_whole=access.is_bam,
        initial={
            "level": first.level,
            "covers_future": None in held,
            "programs": [one.extension for one in programs if held & {one.pk, None}],
            "ceiling": first.ceiling if first.ceiling in ceilings else ceilings[0],
            "rights": rights_of([first]),
            "end": RelationshipChangeForm.DATE if end else RelationshipChangeForm.OPEN,
            "last_day": last_day(end) if end else default_last_day(timezone.localdate(access.at)),
            "open_end_reason": first.open_end_reason,
            **{name: getattr(first, name) for name in rules},
        },
    )


def _preview(
    access: Access, given: Given, mine: Terms, agreement: Agreement, *, keeps_others: bool
) -> dict[str, Any]:
    """What will hold, and how that differs from today."""
    programs = managed_programs(access)
    if not access.is_bam:
        held = {row.program_id for row in mine}
        programs = [one for one in programs if one.pk in held]
    found = differences(mine, agreement, programs, keeps_others=keeps_others)
    return {
        "sentence": agreement_in_words(
            agreement, client=access.acting_for, provider=given.provider, programs=programs
        ),
        "widens": list(found.widens),
        "narrows": list(found.narrows),
        "open_end_reason": agreement.open_end_reason,
        "fingerprint": fingerprint(mine),
    }


def _preview_page(
    request: HttpRequest,
    access: Access,
    given: Given,
    form: RelationshipChangeForm,
    preview: dict[str, Any],
    agreement: Agreement,
) -> HttpResponse:
    opens = opened_as_chosen(access, agreement, given.provider)
    context = {"form": form, "opens": opens, **previewed(request, preview)}
    status = 409 if context["has_changed"] else 200
    return _page(request, access, "relationship_change_confirm", given, context, status)


def _form_page(
    request: HttpRequest,
    access: Access,
    given: Given,
    form: RelationshipChangeForm,
    *,
    status: int = 0,
) -> HttpResponse:
    consent = relationship_consent()
    levels = {row.level for row in live_terms(given.terms, access.at)}
    acts = {(row.starts_at, row.ceiling) for row in live_terms(given.terms, access.at)}
    context = {
        "form": form,
        "consent": consent.in_language(get_language() or ""),
        "consent_version": consent.version,
        "opens": opened_by(access, form, given.provider),
        "differ": len(acts) > 1 or levels == set(Level),
    }
    shown = status or (422 if form.errors else 200)
    return _page(request, access, "relationship_change", given, context, shown)


def _page(
    request: HttpRequest,
    access: Access,
    name: str,
    given: Given,
    context: dict[str, Any],
    status: int,
) -> HttpResponse:
    context |= {
        "business": access.acting_for,
        "relationship": given,
        "provider": given.provider,
        "sections": section_nav(access, "relationship_list"),
    }
    return render(request, f"delegation/{name}.html", context, status=status)


def _names(access: Access, given: Given) -> dict[str, str]:
    business = access.acting_for
    return {"firm": given.provider.name, "business": business.name, "bn": business.bn_shown}
