"""Transactions of a business and of its clients: the list, one declaration, its correction."""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn15
from businesses.models import BusinessAccount
from businesses.models.register import TRANSACTION_NUMBER_PATTERN
from delegation.access import Access, Decision
from delegation.entry import client_of, enter, require
from delegation.forms.who_can_see import WhoCouldSeeFilterForm
from delegation.navigation import section_nav
from delegation.panel import panel
from delegation.reasons import Reason
from delegation.remedies import Refused, remedy
from delegation.who_can_see import Places
from pages.formats import money
from pages.once import once
from pages.rules import rule
from transactions.corrections import MOST_LINES, Correction, Difference, differences
from transactions.declarations import (
    is_newer_hidden,
    list_declarations,
    visible_declarations,
    visible_versions,
)
from transactions.forms import CorrectionForm, DeclarationFilterForm
from transactions.models import Declaration, DeclarationVersion, ReasonCode
from transactions.permissions import can_create_correction, can_list_declarations
from transactions.rows import address, declaration_rows, difference_rows, line_rows, version_rows
from transactions.services import create_correction

STATUSES = {"changed": 409, "hidden": 409, "not_allowed": 403}
"""The HTTP status of a refusal by its code; any other is 422."""


@rule(get=can_list_declarations)
def declaration_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The declarations of the business, and of its clients as far as visible, newest first."""
    here = reverse("declaration_list", kwargs={"bn9": bn9})
    return show_declarations(request, enter(request, bn9), here)


def show_declarations(
    request: HttpRequest,
    access: Access,
    list_url: str,
    template: str = "transactions/declaration_list.html",
    **more: Any,
) -> HttpResponse:
    """The list at `list_url`, for whoever came in by whatever door; `more` is for the template."""
    form = DeclarationFilterForm(request.GET, access=access)
    context: dict[str, Any] = {
        "business": access.acting_for,
        "form": form,
        "page": None,
        "rows": [],
        "is_narrowed": False,
        "is_provider": "client" in form.fields,
        "has_role": access.is_bam or bool(access.own.programs) or access.lookup is not None,
        "list_url": list_url,
        "sections": section_nav(access, "declaration_list"),
    }
    if form.is_valid():
        listing = list_declarations(access, form.wanted(), after=request.GET.get("after", ""))
        context |= {
            "page": listing.page,
            "rows": declaration_rows(access, listing),
            "is_narrowed": form.is_narrowed,
        }
    status = 200 if form.is_valid() else 422
    return render(request, template, context | more, status=status)


@rule(get=can_list_declarations)
def declaration_detail(request: HttpRequest, bn9: str, extension: str, number: str) -> HttpResponse:
    """A declaration of the own business."""
    access = enter(request, bn9)
    return show_declaration(request, access, access.acting_for, extension, number)


@rule(get=can_list_declarations)
def client_declaration_detail(
    request: HttpRequest, bn9: str, client_bn9: str, extension: str, number: str
) -> HttpResponse:
    """A declaration of a client, as far as its visibility rules show it."""
    access = enter(request, bn9)
    owner = client_of(access, client_bn9)
    return show_declaration(request, access, owner, extension, number)


@rule(get=can_create_correction, post=can_create_correction)
@once
def correction_create(request: HttpRequest, bn9: str, extension: str, number: str) -> HttpResponse:
    """Correct a declaration of the own business."""
    access = enter(request, bn9)
    return _correct(request, access, _find(access, access.acting_for, extension, number))


@rule(get=can_create_correction, post=can_create_correction)
@once
def client_correction_create(
    request: HttpRequest, bn9: str, client_bn9: str, extension: str, number: str
) -> HttpResponse:
    """Correct a declaration of a client."""
    access = enter(request, bn9)
    owner = client_of(access, client_bn9)
    return _correct(request, access, _find(access, owner, extension, number))


def _find(access: Access, owner: BusinessAccount, extension: str, number: str) -> Declaration:
    """The declaration if the person may see a version of it; else 404, as where there is none."""
    if not re.search(TRANSACTION_NUMBER_PATTERN, number):
        raise Http404
    visible = visible_declarations(access)
    declaration = visible.filter(owner=owner, program__extension=extension, number=number).first()
    if declaration is None:
        raise Http404
    return declaration


def _version(versions: list[DeclarationVersion], asked: str) -> DeclarationVersion:
    """The version asked for by its number, the newest where none is; 404 for one not visible."""
    for version in versions:
        if asked in ("", str(version.number)):
            return version
    raise Http404


def show_declaration(
    request: HttpRequest,
    access: Access,
    owner: BusinessAccount,
    extension: str,
    number: str,
    template: str = "transactions/declaration_detail.html",
    **more: Any,
) -> HttpResponse:
    """A declaration, for whoever came in by whatever door; `more` is for the template."""
    declaration = _find(access, owner, extension, number)
    versions = visible_versions(access, declaration)
    shown = _version(versions, request.GET.get("version", ""))
    lines = list(shown.lines.order_by("number"))
    program = declaration.program
    program.business = declaration.owner  # they are the same, and the owner has been read
    places = Places(request.GET.get("people", ""), request.GET.get("firms", ""))
    today = timezone.localdate(access.at)
    asked = WhoCouldSeeFilterForm(request.GET if "on" in request.GET else None, today=today)
    # The past is the business's own to ask about.
    day = None if access.lookup else asked.day()
    context = _about(access, declaration) | {
        "shown": shown,
        "is_newest": shown == versions[0],
        "is_newer_hidden": is_newer_hidden(access, declaration, versions[0]),
        "lines": line_rows(lines),
        "versions": version_rows(access, declaration, versions, shown),
        "asked": asked,
        "panel": panel(access, program, shown, after=places, on=day),
        **_correctable(access, declaration, versions[0], len(lines)),
    }
    status = 422 if asked.errors else 200
    return render(request, template, context | more, status=status)


def _correctable(
    access: Access, declaration: Declaration, newest: DeclarationVersion, lines: int
) -> dict[str, Any]:
    """The address of the correction, or why there is none and what would help."""
    if access.lookup:
        looks = _("Officers look and change nothing.")
        return {"correct_url": "", "why_not": looks, "remedy": None}
    decision = can_create_correction(access, declaration, newest)
    if not decision.allowed:
        named = {"extension": declaration.program.extension}
        if declaration.owner_id != access.acting_for.pk:
            named["client_bn9"] = declaration.owner.bn9
        help_ = remedy(Refused(decision.reason, access, named))
        return {"correct_url": "", "why_not": _why_not(decision), "remedy": help_}
    if lines > MOST_LINES:
        too_many = _("It has too many lines to correct it on a page.")
        return {"correct_url": "", "why_not": too_many, "remedy": None}
    url = address("correction_create", access, declaration)
    return {"correct_url": url, "why_not": "", "remedy": None}


def _why_not(decision: Decision) -> str:
    """Why the person cannot correct a declaration, in words."""
    if decision.reason is Reason.HIDDEN:
        return _("Another party changed it, and your firm cannot see that version.")
    return str(decision.reason.label)


def _correct(request: HttpRequest, access: Access, declaration: Declaration) -> HttpResponse:
    versions = visible_versions(access, declaration)
    newest = _version(versions, "")
    decision = can_create_correction(access, declaration, newest)
    if request.method != "POST" or decision.reason is not Reason.HIDDEN:
        require(decision)
    lines = list(newest.lines.order_by("number"))
    data = request.POST if request.method == "POST" else None
    form = CorrectionForm(data, version=newest.number, lines=lines)
    status, changed = 422 if form.is_bound else 200, []
    if form.is_valid():
        outcome = _submit(form, access, declaration)
        if not isinstance(outcome, Refusal):
            messages.success(request, _submitted(access, declaration, outcome))
            return redirect(address("declaration_detail", access, declaration))
        form.add_error(None, str(outcome.message))
        status = STATUSES.get(outcome.code, 422)
        if outcome.code == "changed":
            changed = _changed_since(versions, form)
            form.show_version(newest.number)
    context = _about(access, declaration) | {
        "form": form,
        "newest": newest,
        "changed": difference_rows(changed),
        "may_submit": decision.allowed,
    }
    return render(request, "transactions/correction_create.html", context, status=status)


def _submit(
    form: CorrectionForm, access: Access, declaration: Declaration
) -> DeclarationVersion | Refusal:
    return create_correction(
        actor=access.person,
        acting_for=access.acting_for,
        declaration=declaration,
        change=Correction(
            reason_code=ReasonCode(form.cleaned_data["reason_code"]),
            remarks=form.cleaned_data["remarks"],
            lines=form.corrected_lines(),
        ),
        expected_version=form.cleaned_data["expected_version"],
        at=access.at,
    )


def _changed_since(versions: list[DeclarationVersion], form: CorrectionForm) -> list[Difference]:
    """What the newest version changed in the one that the form showed, if that is visible."""
    expected = form.cleaned_data["expected_version"]
    base = next((version for version in versions if version.number == expected), versions[0])
    return differences(base.lines.order_by("number"), form.lines)


def _submitted(access: Access, declaration: Declaration, version: DeclarationVersion) -> str:
    """What happened, for whom, and acting for whom."""
    owner, acting_for = declaration.owner, access.acting_for
    return _(
        "Version %(version)s of declaration %(number)s of %(owner)s, %(program)s, has been "
        "submitted by %(business)s, %(bn)s. Its total of duties and taxes is %(total)s."
    ) % {
        "version": version.number,
        "number": declaration.number,
        "owner": owner.legal_name,
        "program": show_bn15(owner.bn9, declaration.program.extension),
        "business": acting_for.legal_name,
        "bn": acting_for.bn_shown,
        "total": money(version.total),
    }


def _about(access: Access, declaration: Declaration) -> dict[str, Any]:
    """What every page of a declaration shows: whose it is, and acting for whom."""
    owner = declaration.owner
    return {
        "business": access.acting_for,
        "owner": owner,
        "is_client": owner.pk != access.acting_for.pk,
        "declaration": declaration,
        "program_shown": show_bn15(owner.bn9, declaration.program.extension),
        "url": address("declaration_detail", access, declaration),
        "sections": section_nav(access, "declaration_list"),
    }
