"""Manage My Business Relationships: what firms ask of the business, and what it gave them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.asked_changes import asked_changes
from delegation.consent import relationship_consent
from delegation.differences import differences
from delegation.entry import enter, require_any
from delegation.forms.relationships import (
    RelationshipRequestApproveForm,
    RelationshipRequestRejectForm,
)
from delegation.models import (
    RelationshipRequest,
    RelationshipRequestLine,
    Status,
)
from delegation.navigation import section_nav
from delegation.permissions import (
    can_approve_relationship_request,
    can_list_relationships,
    can_mute,
    can_reject_relationship_request,
    grantable_ceilings,
    why_undecidable,
)
from delegation.relationships import (
    agreement_in_words,
    lines_of,
    live_terms_with,
    managed_programs,
    outcome,
    readable_requests,
    terms_in_force_with,
)
from delegation.requests import not_givable, request_state, request_tag
from delegation.roles import Action
from delegation.services.agreements import (
    Agreement,
    default_last_day,
    is_suspended,
    why_not_provider,
    why_not_suspended,
    why_not_wished,
)
from delegation.services.decisions import Problem
from delegation.services.relationships import (
    approve_relationship_request,
    reject_relationship_request,
    why_not_approvable,
)
from delegation.terms import (
    CLIENT_LABELS,
    agreed,
    extension_label,
    program_label,
    rules_in_words,
)
from delegation.views.agreements import (
    agreement_from,
    opened_as_chosen,
    opened_by,
    rights_in_words,
    rights_of,
)
from delegation.views.employees import status_of
from pages.once import once
from pages.preview import is_confirmed, is_confirming, previewed
from pages.rules import rule

PREVIEW = "delegation/relationship_request_approve.html"

FIELDS = {
    "no_programs": "programs",
    "program_closed": "programs",
    "expiry_past": "last_day",
    "expiry_cap": "last_day",
    "open_end_reason": "open_end_reason",
    "future_of_a_part": "covers_future",
}
"""The field that each refusal of an agreement is about."""


@rule(get=can_list_relationships)
def relationship_request_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What a firm asks, with the form to approve it where the person may."""
    access, waiting = _enter(request, bn9, pk)
    return _request_page(request, access, waiting, _approve_form(access, waiting))


@rule(get=can_list_relationships, post=can_approve_relationship_request)
@once
def relationship_request_approve(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say in one sentence what will be given, and once that is confirmed, give it."""
    access, waiting = _enter(request, bn9, pk)
    if request.method != "POST":
        return redirect("relationship_request_detail", bn9=bn9, pk=pk)
    form = _approve_form(access, waiting, request.POST)
    if form and form.is_finding:
        return _request_page(request, access, waiting, form.unjudged())
    if form and not form.is_valid():
        return _request_page(request, access, waiting, form, status=422)
    if form and "change" in request.POST:
        return _request_page(request, access, waiting, form)
    agreement = agreement_from(access, form)
    version = form.cleaned_data["version"] if form else waiting.version
    problem = why_not_approvable(access, waiting, agreement, version)
    if form and problem is None:
        preview = _preview(access, waiting, agreement)
        if not is_confirmed(request, preview):
            return _preview_page(request, access, waiting, form, preview, agreement)
    if form and problem and not is_confirming(request):
        return _refused_page(request, access, pk, Refusal(*problem))
    answer = approve_relationship_request(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_request=waiting,
        agreement=agreement,
        expected_version=version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused_page(request, access, pk, answer)
    said = _("You approved the request of %(firm)s to %(business)s, %(bn)s.")
    if answer.suspended_at:
        said = _(
            "You approved the request of %(firm)s to %(business)s, %(bn)s. The firm stays "
            "suspended until you resume it."
        )
    messages.success(request, said % _names(access, waiting))
    return redirect("relationship_detail", bn9=bn9, pk=answer.pk)


@rule(get=can_list_relationships, post=can_reject_relationship_request)
@once
def relationship_request_reject(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Reject a request with a reason that the firm reads."""
    access, waiting = _enter(request, bn9, pk)
    lines = _open_lines(access, waiting)
    if request.method != "POST":
        if not lines:
            return redirect("relationship_request_detail", bn9=bn9, pk=pk)
        form = RelationshipRequestRejectForm(initial={"version": waiting.version})
        return _reject_page(request, access, waiting, form)
    form = RelationshipRequestRejectForm(request.POST)
    if lines and not form.is_valid():
        return _reject_page(request, access, waiting, form, status=422)
    answer = reject_relationship_request(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_request=waiting,
        reason=form.cleaned_data["reason"] if lines else "",
        expected_version=form.cleaned_data["version"] if lines else waiting.version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _not_rejected_page(request, access, pk, answer)
    said = _("You rejected the request of %(firm)s to %(business)s, %(bn)s.")
    messages.success(request, said % _names(access, waiting))
    return redirect("relationship_list", bn9=bn9)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, RelationshipRequest]:
    """The access of the person and a request that it may read; another's does not exist."""
    access = enter(request, bn9)
    require_any(can_list_relationships(access))
    return access, get_object_or_404(readable_requests(access), pk=pk)


def _open_lines(access: Access, waiting: RelationshipRequest) -> list[RelationshipRequestLine]:
    """The lines that the person may decide now."""
    if waiting.status_at(access.at) is not Status.PENDING:
        return []
    return can_approve_relationship_request(access, waiting)


def _approve_form(
    access: Access, waiting: RelationshipRequest, data: QueryDict | None = None
) -> RelationshipRequestApproveForm | None:
    """The form of a person who may decide, filled with what was asked; else none."""
    lines = _open_lines(access, waiting)
    if not lines:
        return None
    asked = {line.extension for line in lines}
    programs = [
        program
        for program in access.programs(Action.MANAGE_RELATIONSHIPS)
        if access.is_bam or program.extension in asked
    ]
    ceilings = grantable_ceilings(access)
    wanted = {one.pk: one.extension for one in programs if asked & {one.extension, ""}}
    live = live_terms_with(access, waiting.provider)
    today = timezone.localdate(access.at)
    wished = waiting.wished_last_day
    return RelationshipRequestApproveForm(
        data,
        programs=[(program.extension, program_label(program)) for program in programs],
        ceilings=ceilings,
        may_give_whole=access.is_bam,
        initial={
            "version": waiting.version,
            "consent_version": relationship_consent().version,
            "level": waiting.level,
            "covers_future": waiting.covers_future,
            "programs": list(wanted.values()),
            "ceiling": waiting.ceiling if waiting.ceiling in ceilings else ceilings[0],
            "rights": rights_of([row for row in live if any(map(row.covers, wanted))]),
            "last_day": wished if wished and wished >= today else default_last_day(today),
            "visibility_broker": waiting.visibility_broker,
            "visibility_importer": waiting.visibility_importer,
            "visibility_other": waiting.visibility_other,
        },
    )


def _request_page(
    request: HttpRequest,
    access: Access,
    waiting: RelationshipRequest,
    form: RelationshipRequestApproveForm | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    consent = relationship_consent()
    in_force = terms_in_force_with(access, waiting.provider)
    barred = _barred(access, waiting) if _open_lines(access, waiting) else None
    context = {
        "form": None if barred else form,
        "barred": barred[1] if barred else "",
        "why_not": why_undecidable(access, waiting, Action.MANAGE_RELATIONSHIPS),
        "not_givable": not_givable(waiting, access, Action.MANAGE_RELATIONSHIPS),
        "problem": problem,
        "consent": consent.in_language(get_language() or ""),
        "consent_version": consent.version,
        "today": agreed(in_force, access.at, CLIENT_LABELS),
        "changes": asked_changes(access, waiting, in_force) if in_force else [],
        "is_own": waiting.requested_by_id == access.person.pk,
        "opens": opened_by(access, form, waiting.provider) if form and not barred else {},
        "may_mute": can_mute(access).allowed,
    }
    return _page(
        request, "delegation/relationship_request_detail.html", access, waiting, context, status
    )


def _barred(access: Access, waiting: RelationshipRequest) -> Problem | None:
    """Why nothing can be given to the firm now, whatever is chosen."""
    return (
        why_not_provider(access, waiting.provider)
        or why_not_wished(waiting, access.acting_for)
        or why_not_suspended(access, waiting.provider.bn9)
    )


def _preview(access: Access, waiting: RelationshipRequest, agreement: Agreement) -> dict[str, Any]:
    """What will be given, in one sentence, before anything is."""
    provider, programs = waiting.provider, managed_programs(access)
    chosen = {program.extension for program in programs if program.pk in agreement.programs}
    live = live_terms_with(access, provider)
    today = {row.program_id for row in live}
    left_out = {line.extension for line in _open_lines(access, waiting)} - chosen - {""}
    found = differences(live, agreement, programs, keeps_others=True)
    drops_future = None in today and not agreement.covers_future
    return {
        "sentence": agreement_in_words(
            agreement, client=access.acting_for, provider=provider, programs=programs
        ),
        "rights": rights_in_words(agreement),
        "widens": list(found.widens) if live else [],
        "narrows": list(found.narrows),
        "left_out": [extension_label(extension) for extension in sorted(left_out)],
        "replaces": bool(today & {None, *agreement.programs})
        or (agreement.covers_future and bool(today)),
        "drops_future": drops_future,
        "keeps_others": drops_future and len(chosen) < len(programs),
        "open_end_reason": agreement.open_end_reason,
        "is_suspended": is_suspended(access.acting_for, provider.bn9),
    }


def _preview_page(
    request: HttpRequest,
    access: Access,
    waiting: RelationshipRequest,
    form: RelationshipRequestApproveForm,
    preview: dict[str, Any],
    agreement: Agreement,
) -> HttpResponse:
    """The preview, and whether it differs from the one that was confirmed."""
    opens = opened_as_chosen(access, agreement, waiting.provider)
    context = {"form": form, "opens": opens, **previewed(request, preview)}
    return _page(request, PREVIEW, access, waiting, context, 409 if context["has_changed"] else 200)


def _refused_page(request: HttpRequest, access: Access, pk: UUID, refusal: Refusal) -> HttpResponse:
    """The request as it is by now, what was entered, and why nothing was decided."""
    waiting = get_object_or_404(readable_requests(access), pk=pk)
    problem, status = str(refusal.message), status_of(refusal)
    form = _approve_form(access, waiting, _as_shown(request.POST, waiting))
    if form is None or _barred(access, waiting):
        return _request_page(request, access, waiting, None, problem=problem, status=status)
    form.add_error(FIELDS.get(refusal.code), problem)
    return _request_page(request, access, waiting, form, status=status)


def _reject_page(
    request: HttpRequest,
    access: Access,
    waiting: RelationshipRequest,
    form: RelationshipRequestRejectForm,
    *,
    status: int = 200,
) -> HttpResponse:
    mine = _open_lines(access, waiting)
    undecided = [line for line in waiting.lines.all() if not line.decision]
    only = [extension_label(line.extension) for line in mine] if len(mine) < len(undecided) else []
    context = {"form": form, "only": only}
    return _page(
        request, "delegation/relationship_request_reject.html", access, waiting, context, status
    )


def _not_rejected_page(
    request: HttpRequest, access: Access, pk: UUID, refusal: Refusal
) -> HttpResponse:
    waiting = get_object_or_404(readable_requests(access), pk=pk)
    problem, status = str(refusal.message), status_of(refusal)
    if not _open_lines(access, waiting):
        return _request_page(request, access, waiting, None, problem=problem, status=status)
    form = RelationshipRequestRejectForm(_as_shown(request.POST, waiting))
    form.add_error(None, problem)
    return _reject_page(request, access, waiting, form, status=status)


def _as_shown(posted: QueryDict, waiting: RelationshipRequest) -> QueryDict:
    """What was posted, for a page that shows the request as it is now."""
    data = posted.copy()
    data["version"] = str(waiting.version)
    return data


def _page(
    request: HttpRequest,
    template: str,
    access: Access,
    waiting: RelationshipRequest,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """A page of one request, with what each of them shows."""
    provider, lines = waiting.provider, lines_of(waiting, access, managed_programs(access))
    context |= {
        "business": access.acting_for,
        "relationship_request": waiting,
        "provider": provider,
        "is_broker": provider.provider_type == BusinessAccount.ProviderType.BROKER,
        "lines": [(line.label, request_tag(line.status)) for line in lines],
        "decided_lines": [line for line in lines if line.decision],
        "asked_rules": rules_in_words(waiting, CLIENT_LABELS),
        "status": request_state(waiting, access.at),
        "outcome": outcome(waiting, access.at),
        "sections": section_nav(access, "relationship_list"),
    }
    return render(request, template, context, status=status)


def _names(access: Access, waiting: RelationshipRequest) -> dict[str, str]:
    """Who decided about whom, for the message after a decision."""
    business = access.acting_for
    return {"firm": waiting.provider.name, "business": business.name, "bn": business.bn_shown}
