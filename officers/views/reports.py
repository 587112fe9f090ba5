"""What businesses report: firms, clients and people that ask of them and that they do not know."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from delegation.models import Mute
from officers.entry import enter_desk
from officers.permissions import can_list_reports
from pages.paging import page_by_key
from pages.rules import rule


class Reported(NamedTuple):
    """A report, and by name and by number or address who was reported."""

    report: Mute
    name: str
    detail: str


@rule(get=can_list_reports)
def report_list(request: HttpRequest) -> HttpResponse:
    """What was reported, the newest first, whether or not its maker still mutes whom it is of."""
    enter_desk(request)
    reports = Mute.objects.exclude(report="")
    page = page_by_key(
        reports.select_related("business", "provider", "person", "muted_by"),
        key=("starts_at", "id"),
        after=request.GET.get("after", ""),
    )
    context = {"page": page, "reports": [_reported(one) for one in page.rows]}
    return render(request, "officers/report_list.html", context)


def _reported(report: Mute) -> Reported:
    if report.person:
        return Reported(report, report.person.get_full_name(), report.person.email)
    firm = report.provider
    return Reported(report, firm.name if firm else "", firm.bn_shown if firm else "")
