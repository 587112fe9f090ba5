"""Another role for a person of the business: chosen, previewed in words, confirmed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from delegation.access import Access
from delegation.employees import rights_of, roles_in_words
from delegation.entry import require_any
from delegation.forms.roles import RoleChangeForm
from delegation.models import BusinessRole, Membership
from delegation.permissions import can_change_role
from delegation.roles import PROGRAM_ROLES, SENTENCES, Action, Role
from delegation.services.employees import why_not_person
from delegation.services.grants import RoleChange, change_role
from delegation.services.locks import lock_rights
from delegation.services.roles import Term, replaced_by
from delegation.terms import program_label
from delegation.views.employees import status_of
from delegation.views.members import about_person, enter_member, member_page
from pages.formats import day, end_of_day, start_of_day, until
from pages.once import once
from pages.preview import is_confirmed, previewed
from pages.rules import rule

FORM = "delegation/role_change.html"
PREVIEW = "delegation/role_change_confirm.html"


@rule(get=can_change_role, post=can_change_role)
@once
@transaction.atomic
def role_change(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Choose a role and its days, read what the person will be able to do, then give it."""
    access, membership = enter_member(request, bn9, pk)
    require_any(can_change_role(access, membership.person), access)
    if not membership.active_at(access.at):
        return redirect("employee_detail", bn9=bn9, pk=pk)
    if request.method != "POST":
        return _form_page(request, access, membership, _form(access, request.GET, is_posted=False))
    form = _form(access, request.POST, is_posted=True)
    if form.is_finding or "change" in request.POST:
        return _form_page(request, access, membership, form.unjudged())
    if not form.is_valid():
        return _form_page(request, access, membership, form, 422)
    change = _change(form)
    if change.makes_bam:
        require_proof(request)
    lock_rights(access.acting_for)
    preview = _preview(access, membership, form, change)
    if not is_confirmed(request, preview):
        context = {"form": form, **previewed(request, preview)}
        status = 409 if context["has_changed"] else 200
        return member_page(request, PREVIEW, access, membership, context, status)
    answer = change_role(
        actor=access.person,
        acting_for=access.acting_for,
        membership=membership,
        change=change,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        form.add_error(None, str(answer.message))
        return _form_page(request, access, membership, form, status_of(answer))
    said = _("You changed the role of %(person)s in %(business)s, %(bn)s.")
    messages.success(request, said % about_person(access, membership))
    return redirect("employee_detail", bn9=bn9, pk=pk)


def _form(access: Access, data: QueryDict, *, is_posted: bool) -> RoleChangeForm:
    """The form of the reader; what is not posted to be read begins with what the address names."""
    is_bam = access.decide(Action.MANAGE_EMPLOYEES, access.acting_for).allowed
    roles = (Role.BAM, *PROGRAM_ROLES) if is_bam else (Role.EDITOR, Role.READER)
    initial = {name: data.get(name, "") for name in ("role", "first_day", "last_day")}
    initial |= {"ending": data.get("ending") or RoleChangeForm.OPEN}
    return RoleChangeForm(
        data if is_posted else None,
        roles=roles,
        programs=access.programs(Action.MANAGE_EMPLOYEES),
        today=timezone.localdate(access.at),
        initial=initial | {"programs": data.getlist("programs")},
    )


def _change(form: RoleChangeForm) -> RoleChange:
    """What the form asks for; a day begins and ends in Eastern time, today begins at once."""
    first, last = form.cleaned_data["first_day"], form.cleaned_data["last_day"]
    term = Term(
        start_of_day(first) if first and first > form.today else None,
        end_of_day(last) if last else None,
    )
    chosen = frozenset(one.pk for one in form.chosen())
    return RoleChange(Role(form.cleaned_data["role"]), chosen, term)


def _preview(
    access: Access, membership: Membership, form: RoleChangeForm, change: RoleChange
) -> dict[str, Any]:
    """What the person will be able to do, when, and what that takes the place of."""
    beyond = replaced_by(membership.person, form.chosen(), change.begins(access.at))
    manages = BusinessRole.objects.filter(user=membership.person, content_object=access.acting_for)
    first, last = form.cleaned_data["first_day"], form.cleaned_data["last_day"]
    return {
        "makes_bam": change.makes_bam,
        "role": str(change.role.label),
        "sentence": str(SENTENCES[change.role]),
        "first_day": day(first) if change.term.starts_at else "",
        "last_day": day(last) if last else "",
        "is_bam": not change.makes_bam and manages.active_at(access.at).exists(),
        "places": [
            {
                "program": program_label(program),
                "replaced": [
                    {"role": str(Role(row.role).label), "until": _until(row.ends_at)}
                    for row in beyond.get(program.pk, ())
                ],
            }
            for program in form.chosen()
        ],
    }


def _until(ends_at: Any) -> str:
    return until(ends_at) if ends_at else ""


def _form_page(
    request: HttpRequest,
    access: Access,
    membership: Membership,
    form: RoleChangeForm,
    status: int = 200,
) -> HttpResponse:
    barred = why_not_person(access, membership.person)
    context = {
        "form": form,
        "barred": barred[1] if barred else "",
        "rights": rights_of(membership.person, access),
        "roles": roles_in_words(),
    }
    return member_page(request, FORM, access, membership, context, status)
