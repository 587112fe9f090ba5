"""Manage My Employees: who asks for access, who works here, and the decisions on requests."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.access_requests import given_in_words
from delegation.continuity import claimed_succession
from delegation.employees import (
    Line,
    employees_of,
    grantable_programs,
    grantable_roles,
    labels_managed,
    lines_of,
    people_page,
    readable_requests,
    requests_to_decide,
    rights_of,
    roles_in_words,
)
from delegation.entry import enter, require_any
from delegation.forms.employees import (
    AccessRequestApproveForm,
    AccessRequestRejectForm,
    EmployeeFilterForm,
)
from delegation.groups import groups_to_join, roles_through, work_of
from delegation.models import AccessRequest, AccessRequestLine, Status
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import (
    can_approve_access_request,
    can_create_invitation,
    can_list_access_requests,
    can_mute,
    can_reject_access_request,
    why_undecidable,
)
from delegation.requests import not_givable, request_state
from delegation.roles import SENTENCES, Action, Role
from delegation.services.employees import (
    Grants,
    approve_access_request,
    reject_access_request,
    why_not_person,
)
from delegation.services.locks import lock_rights
from delegation.services.roles import managers_of, replaced_by
from delegation.terms import extension_label
from pages.formats import whole
from pages.once import once
from pages.preview import is_confirmed, previewed
from pages.rules import rule

DETAIL = "delegation/access_request_detail.html"
PREVIEW = "delegation/access_request_approve.html"
REJECT = "delegation/access_request_reject.html"

FIRST = 5
"""How many of the requests that wait the list of people begins with."""

STATE_CODES = {
    "already_closed",
    "already_active",
    "already_decided",
    "already_ended",
    "already_named",
    "already_muted",
    "already_suspended",
    "already_waiting",
    "archived",
    "changed",
    "lapsed",
    "last_manager",
    "left",
    "not_claimed",
    "not_suspended",
    "stands_no_more",
    "still_waiting",
    "too_soon",
}
"""Refusals that tell of a state that is no longer what the page showed."""


LIMIT_CODES = {"too_many", "too_many_waiting"}
"""Refusals of whoever asks too often, whatever is asked."""


MOST_SHARED = 20
"""How many program accounts of an employee group a preview names."""


class Waiting(NamedTuple):
    """A request in the list: how long it waits, and the lines that the reader may know of."""

    access_request: AccessRequest
    age: str
    lines: list[Line]


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: 409 by state, 403 by right, 429 by number, else 422."""
    if refusal.code in STATE_CODES:
        return 409
    if refusal.code in LIMIT_CODES:
        return 429
    return 403 if refusal.code == "not_allowed" else 422


@rule(get=can_list_access_requests)
def employee_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The requests that wait for the person's decision, then the people and what they may do."""
    access = enter(request, bn9)
    search = EmployeeFilterForm(request.GET if "name" in request.GET else None)
    named = search.cleaned_data["name"] if search.is_valid() else ""
    every = requests_to_decide(access).select_related("person")
    waiting = list(every.prefetch_related("lines__decided_by")[: FIRST + 1])
    page = people_page(access, named=named, after=request.GET.get("after", ""))
    context = {
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "employee_list"),
        "waiting": [
            Waiting(one, age_of(one, access.at), lines_of(one, access)) for one in waiting[:FIRST]
        ],
        "more_waiting": len(waiting) > FIRST,
        "page": page,
        "employees": employees_of(access, page.rows),
        "search": search,
        "named": named,
        "roles": roles_in_words(),
        "succession": claimed_succession(access),
        "needs_second_bam": access.is_bam and len(managers_of(bn9, access.at)) == 1,
        "programs": labels_managed(access),
        "may_invite": can_create_invitation(access).allowed,
    }
    status = 422 if search.errors else 200
    return render(request, "delegation/employee_list.html", context, status=status)


@rule(get=can_list_access_requests)
def access_request_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """One access request, with the form to approve it where the person may."""
    access, access_request = _enter(request, bn9, pk)
    return _detail_page(request, access, access_request, _approve_form(access, access_request))


@rule(get=can_list_access_requests, post=can_approve_access_request)
@once
@transaction.atomic
def access_request_approve(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say in words what the person will be able to do, and once that is confirmed, grant it."""
    access, access_request = _enter(request, bn9, pk)
    if request.method != "POST":
        return redirect("access_request_detail", bn9=bn9, pk=pk)
    form = _approve_form(access, access_request, request.POST)
    if form and form.is_finding:
        return _detail_page(request, access, access_request, form.unjudged())
    if form and not form.is_valid():
        return _detail_page(request, access, access_request, form, status=422)
    if form and "change" in request.POST:
        return _detail_page(request, access, access_request, form)
    if form and form.makes_bam():
        require_proof(request)
    version = form.cleaned_data["version"] if form else access_request.version
    barred = why_not_person(access, access_request.person)
    if form and not barred and version == access_request.version:
        lock_rights(access.acting_for)
        preview = _preview(access, access_request, form)
        if not is_confirmed(request, preview):
            return _preview_page(request, access, access_request, form, preview)
    answer = approve_access_request(
        actor=access.person,
        acting_for=access.acting_for,
        access_request=access_request,
        grants=_grants(form),
        expected_version=version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused_page(request, access, pk, answer)
    said = _("You approved the access request of %(person)s to %(business)s, %(bn)s.")
    return _decided(request, access, access_request, said)


@rule(get=can_list_access_requests, post=can_reject_access_request)
@once
def access_request_reject(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Reject a request with a reason that the person reads."""
    access, access_request = _enter(request, bn9, pk)
    lines = _open_lines(access, access_request)
    if request.method != "POST":
        if not lines:
            return redirect("access_request_detail", bn9=bn9, pk=pk)
        return _reject_page(request, access, access_request, AccessRequestRejectForm())
    form = AccessRequestRejectForm(request.POST)
    if lines and not form.is_valid():
        return _reject_page(request, access, access_request, form, status=422)
    answer = reject_access_request(
        actor=access.person,
        acting_for=access.acting_for,
        access_request=access_request,
        reason=form.cleaned_data["reason"] if lines else "",
        expected_version=form.cleaned_data["version"] if lines else access_request.version,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _not_rejected_page(request, access, pk, answer)
    said = _("You rejected the access request of %(person)s to %(business)s, %(bn)s.")
    return _decided(request, access, access_request, said)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, AccessRequest]:
    """The access of the person and a request that it may read; another's does not exist."""
    access = enter(request, bn9)
    require_any(can_list_access_requests(access))
    return access, _read(access, pk)


def _read(access: Access, pk: UUID) -> AccessRequest:
    """The request as it is now, with its lines."""
    readable = readable_requests(access).prefetch_related("lines__decided_by")
    return get_object_or_404(readable, pk=pk)


def _open_lines(access: Access, access_request: AccessRequest) -> list[AccessRequestLine]:
    """The lines that the person may decide now."""
    if access_request.status_at(access.at) is not Status.PENDING:
        return []
    return can_approve_access_request(access, access_request)


def _rest_waits(access: Access, access_request: AccessRequest) -> bool:
    """Whether a part of the request waits for others than this person."""
    undecided = [line for line in access_request.lines.all() if not line.decision]
    return len(_open_lines(access, access_request)) < len(undecided)


def age_of(access_request: AccessRequest, at: datetime) -> str:
    """How long ago a request was sent, in days."""
    days = (at - access_request.starts_at).days
    if not days:
        return _("Less than a day")
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _approve_form(
    access: Access, access_request: AccessRequest, data: QueryDict | None = None
) -> AccessRequestApproveForm | None:
    """The form of a person who may decide; none where nothing is left to decide."""
    lines = _open_lines(access, access_request)
    if not lines:
        return None
    rights = rights_of(access_request.person, access)
    return AccessRequestApproveForm(
        data,
        programs=_grantable(access, lines),
        roles_on=lambda program: grantable_roles(access, program),
        lines=lines,
        held={one.program.pk: one.role for one in rights if one.program and not one.group},
        may_make_bam=access.is_bam,
        groups={str(one.pk): one for one in groups_to_join(access)},
    )


def _grantable(access: Access, lines: list[AccessRequestLine]) -> list[ProgramAccount]:
    """Where a role can be given: on every open program account for a BAM, where asked for a PAM."""
    asked = {line.extension for line in lines}
    return [one for one in grantable_programs(access) if access.is_bam or one.extension in asked]


def _grants(form: AccessRequestApproveForm | None) -> Grants:
    """What the service is asked to grant: nothing where the person had no form to decide with."""
    if form is None:
        return Grants()
    programs = {program.pk: role for program, role in form.given().items()}
    return Grants(make_bam=form.makes_bam(), programs=programs, group=form.chosen_group())


def _detail_page(
    request: HttpRequest,
    access: Access,
    access_request: AccessRequest,
    form: AccessRequestApproveForm | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    lines = _open_lines(access, access_request)
    barred = why_not_person(access, access_request.person) if lines else None
    context = {
        "form": None if barred else form,
        "barred": barred[1] if barred else "",
        "why_not": "" if form else why_undecidable(access, access_request, Action.MANAGE_EMPLOYEES),
        "not_givable": not_givable(access_request, access, Action.MANAGE_EMPLOYEES),
        "rights": rights_of(access_request.person, access),
        "roles": roles_in_words(),
        "decided_lines": [line for line in lines_of(access_request, access) if line.decision],
        "state": request_state(access_request, access.at),
        "is_lapsed": access_request.status_at(access.at) is Status.LAPSED,
        "is_own": access_request.person_id == access.person.pk,
        "may_mute": can_mute(access).allowed,
        "problem": problem,
    }
    return _page(request, DETAIL, access, access_request, context, status)


def _preview(
    access: Access, access_request: AccessRequest, form: AccessRequestApproveForm
) -> dict[str, Any]:
    """What the person will be able to do, in words, before anything is granted."""
    given, group = form.given(), form.chosen_group()
    beyond = replaced_by(access_request.person, given, access.at)
    shared = roles_through(group, access.at) if group else {}
    return {
        "group": group.name if group else "",
        "shared": [
            (extension_label(extension), str(role.label))
            for extension, role in sorted(shared.items())[:MOST_SHARED]
        ],
        "shared_count": whole(len(shared)),
        "shares_more": len(shared) > MOST_SHARED,
        "clients": work_of(group, access.at).count() if group else 0,
        "bam_sentence": str(SENTENCES[Role.BAM]) if form.makes_bam() else "",
        "given": [
            given_in_words(program, role, beyond.get(program.pk, ()), access.at)
            for program, role in given.items()
        ],
        "rest_waits": _rest_waits(access, access_request),
        "refused": [] if form.makes_bam() else form.not_given(shared),
    }


def _preview_page(
    request: HttpRequest,
    access: Access,
    access_request: AccessRequest,
    form: AccessRequestApproveForm,
    preview: dict[str, Any],
) -> HttpResponse:
    """The preview, and whether it differs from the one that was confirmed."""
    context = {"form": form, **previewed(request, preview)}
    return _page(
        request, PREVIEW, access, access_request, context, 409 if context["has_changed"] else 200
    )


def _refused_page(request: HttpRequest, access: Access, pk: UUID, refusal: Refusal) -> HttpResponse:
    """The request as it is by now, what was chosen, and why nothing was decided."""
    access_request, problem = _read(access, pk), str(refusal.message)
    form = _approve_form(access, access_request, request.POST)
    if form:
        form.add_error(None, problem)
    return _detail_page(
        request,
        access,
        access_request,
        form,
        problem="" if form and not why_not_person(access, access_request.person) else problem,
        status=status_of(refusal),
    )


def _reject_page(
    request: HttpRequest,
    access: Access,
    access_request: AccessRequest,
    form: AccessRequestRejectForm,
    *,
    status: int = 200,
) -> HttpResponse:
    mine = _open_lines(access, access_request)
    rest_waits = _rest_waits(access, access_request)
    context = {
        "form": form,
        "only": [extension_label(line.extension) for line in mine if rest_waits],
    }
    return _page(request, REJECT, access, access_request, context, status)


def _not_rejected_page(
    request: HttpRequest, access: Access, pk: UUID, refusal: Refusal
) -> HttpResponse:
    access_request, problem = _read(access, pk), str(refusal.message)
    status = status_of(refusal)
    if not _open_lines(access, access_request):
        return _detail_page(request, access, access_request, None, problem=problem, status=status)
    form = AccessRequestRejectForm(request.POST)
    form.add_error(None, problem)
    return _reject_page(request, access, access_request, form, status=status)


def _page(
    request: HttpRequest,
    template: str,
    access: Access,
    access_request: AccessRequest,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """A page of one request, with what each of them shows."""
    context |= {
        "access_request": access_request,
        "age": age_of(access_request, access.at),
        "business": access.acting_for,
        "lines": lines_of(access_request, access),
        "sections": section_nav(access, "employee_list"),
    }
    return render(request, template, context, status=status)


def _decided(
    request: HttpRequest, access: Access, access_request: AccessRequest, said: str
) -> HttpResponse:
    """Back to the list, saying what was decided for which account."""
    about = {
        "person": access_request.person.get_full_name(),
        "business": access.acting_for.name,
        "bn": access.acting_for.bn_shown,
    }
    messages.success(request, said % about)
    return redirect("employee_list", bn9=access.acting_for.bn9)
