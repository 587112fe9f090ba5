"""The page of a program account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.entry import enter, require
from delegation.forms.who_can_see import WhoCouldSeeFilterForm
from delegation.navigation import section_nav
from delegation.panel import panel
from delegation.permissions import can_view_program
from delegation.who_can_see import Places
from pages.rules import rule


@rule(get=can_view_program)
def program_detail(request: HttpRequest, bn9: str, extension: str) -> HttpResponse:
    """What a program account is, and who can see its transactions."""
    access = enter(request, bn9)
    business = access.acting_for
    program = get_object_or_404(business.programs, extension=extension)
    require(can_view_program(access, program))
    role = access.role_on(program)
    asked = WhoCouldSeeFilterForm(
        request.GET if "on" in request.GET else None, today=timezone.localdate(access.at)
    )
    places = Places(request.GET.get("people", ""), request.GET.get("firms", ""))
    context = {
        "business": business,
        "program": program,
        "is_open": program.is_open_at(access.at),
        "role": role.label if role else "",
        "transactions_url": _transactions(access, program),
        "asked": asked,
        "panel": panel(access, program, after=places, on=asked.day()),
        "sections": section_nav(access, "business_home"),
    }
    status = 422 if asked.errors else 200
    return render(request, "delegation/program_detail.html", context, status=status)


def _transactions(access: Access, program: ProgramAccount) -> str:
    """The list of its transactions; a list over clients finds accounts by their whole number."""
    listed = reverse("declaration_list", kwargs={"bn9": access.acting_for.bn9})
    if access.serves_clients:
        return f"{listed}?client={program.bn15}"
    return f"{listed}?program={program.extension}"
