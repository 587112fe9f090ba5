"""Who holds what on which program account, as a table of people and program accounts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from delegation.entry import enter
from delegation.forms.employees import EmployeeGridForm
from delegation.grid import grid
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import can_list_access_requests
from pages.rules import rule


@rule(get=can_list_access_requests)
def employee_grid(request: HttpRequest, bn9: str) -> HttpResponse:
    """People down and program accounts across, a page of each; both are looked for by words."""
    access = enter(request, bn9)
    is_asked = "name" in request.GET or "program" in request.GET
    search = EmployeeGridForm(request.GET if is_asked else None)
    found = search.cleaned_data if search.is_valid() else {}
    context = {
        "business": access.acting_for,
        "search": search,
        "is_filtered": any(found.values()),
        "grid": grid(
            access,
            named=found.get("name", ""),
            about=found.get("program", ""),
            after=request.GET.get("after", ""),
            across=request.GET.get("across", ""),
        ),
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "employee_grid"),
    }
    status = 422 if search.errors else 200
    return render(request, "delegation/employee_grid.html", context, status=status)
