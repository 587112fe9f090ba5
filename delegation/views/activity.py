"""The history of a business."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from delegation.activity import acts, events_of
from delegation.entry import enter
from delegation.navigation import section_nav
from delegation.permissions import can_view_activity
from pages.paging import page_by_key
from pages.rules import rule


@rule(get=can_view_activity)
def activity_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """Who did what in the business, newest first."""
    access = enter(request, bn9)
    page = page_by_key(
        events_of(access.acting_for), key=("seq",), after=request.GET.get("after", "")
    )
    context = {
        "business": access.acting_for,
        "page": page,
        "acts": acts(page.rows, access),
        "sections": section_nav(access, "activity_list"),
    }
    return render(request, "delegation/activity_list.html", context)
