"""Where a person stands: the welcome page, First time setup, home, the page of a business."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.officers import officer_of
from accounts.sign_in import language_of_page
from businesses.bn import show_bn9
from businesses.countries import country_name
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.continuity import claimed_succession
from delegation.employees import requests_to_decide, roles_in_words, standings_of
from delegation.entry import enter, signed_in
from delegation.forms.groups import ProgramFilterForm
from delegation.grid import programs_named
from delegation.invitations import invitations_for
from delegation.models import AccessRequest, Membership, RecoveryRequest
from delegation.models.periods import during
from delegation.navigation import section_nav
from delegation.offers import offers_to_answer
from delegation.permissions import (
    can_list_access_requests,
    can_list_relationships,
    can_view_activity,
    can_view_business,
)
from delegation.requests import request_state
from delegation.reviews import is_review_due
from delegation.services.relationships import received_requests
from delegation.services.roles import managers_of
from delegation.terms import State
from pages.formats import whole
from pages.paging import page_by_key
from pages.rules import any_person, anyone, rule
from registration.models import Outcome, Registration

BUSINESSES = 25
"""How many businesses of a person one page lists."""

MY_REQUESTS = 10
"""How many of a person's own requests are shown, the newest."""

REMEMBERED = timedelta(days=60)
"""For how long a request is shown after it was closed."""

MOST_COUNTED = 1000
"""Counts stop here."""


@dataclass(frozen=True)
class Door:
    """A tile that leads to a part of the portal, with how many things wait behind it."""

    title: str
    url: str
    text: str
    waiting: int = 0

    @property
    def count(self) -> str:
        """The number that waits; more than the most that is counted reads `1,000+`."""
        most = whole(MOST_COUNTED)
        return f"{most}+" if self.waiting > MOST_COUNTED else whole(self.waiting)

    @property
    def counted(self) -> str:
        """What was counted."""
        return ngettext("request waiting", "requests waiting", self.waiting)


class MyRequest(NamedTuple):
    """One of the person's own requests for access."""

    access_request: AccessRequest
    bn_shown: str
    employer: str
    state: State


class MyProgram(NamedTuple):
    """A program account of a business, and what the person may do there."""

    extension: str
    bn15_shown: str
    name: str
    kind: str
    is_open: bool
    role: str


class MyBusiness(NamedTuple):
    """A business that the person can change to."""

    legal_name: str
    bn_shown: str
    get_absolute_url: str


@rule(get=anyone)
def home(request: HttpRequest) -> HttpResponse:
    """Welcome whoever is signed out; show the others their businesses and what waits for them."""
    if not request.user.is_authenticated:
        return render(request, "ccp/welcome.html")
    person, at = signed_in(request), timezone.now()
    page = page_by_key(
        _memberships(person, at),
        key=("starts_at", "id"),
        after=request.GET.get("after", ""),
        size=BUSINESSES,
    )
    if page.is_first and not page.rows and officer_of(person, at):
        return redirect("officer_desk")
    if page.is_first and not page.rows:
        return redirect("first_time_setup")
    standings = standings_of(page.rows, person, at)
    only = standings[0] if page.is_first and len(standings) == 1 else None
    context = {
        "page": page,
        "standings": standings,
        "only": only,
        "doors": business_doors(Access(person, only.business, at))
        if only and not only.is_suspended
        else [],
        "own_doors": own_doors(),
        **_of_person(person, at, [one.business for one in standings]),
    }
    return render(request, "ccp/home.html", context)


@rule(get=any_person)
def first_time_setup(request: HttpRequest) -> HttpResponse:
    """The doors of a person who belongs to no business yet."""
    context = {"roles": roles_in_words(), **_of_person(signed_in(request), timezone.now(), [])}
    return render(request, "ccp/first_time_setup.html", context)


@rule(get=can_view_business)
def business_home(request: HttpRequest, bn9: str) -> HttpResponse:
    """The dashboard of a business account: its doors, what waits, my role on each program."""
    access = enter(request, bn9)
    business = access.acting_for
    search = ProgramFilterForm(request.GET if "program" in request.GET else None)
    sought = search.cleaned_data["program"] if search.is_valid() else ""
    page = page_by_key(
        programs_named(business, sought).select_related("business"),
        key=("extension", "id"),
        after=request.GET.get("after", ""),
        is_ascending=True,
    )
    context = {
        "business": business,
        "search": search,
        "is_long": bool(page.next_token or not page.is_first or search.is_bound),
        "page": page,
        "membership": _memberships(access.person, access.at).get(business=business),
        "sections": section_nav(access, "business_home"),
        "doors": business_doors(access),
        "programs": _my_programs(access, page.rows),
        "country": country_name(business.country, language_of_page()),
        "needs_role": not (access.is_bam or access.own.programs or access.serves_clients),
        "needs_second_bam": access.is_bam and len(managers_of(bn9, access.at)) == 1,
        "succession": claimed_succession(access),
        "review_is_due": access.is_bam and is_review_due(business, access.at),
        "my_businesses": _my_businesses(access),
    }
    status = 422 if search.errors else 200
    return render(request, "ccp/business_home.html", context, status=status)


def own_doors() -> list[Door]:
    """The doors that open for every person."""
    return [
        Door(
            _("Register my business"),
            reverse("registration_start"),
            _("Open the portal account of a business that you manage."),
        ),
        Door(
            _("Request access to my employer"),
            reverse("access_request_create"),
            _("Ask the managers of a business to let you work for it."),
        ),
        Door(
            _("I have an invitation"),
            reverse("invitation_find"),
            _("A manager of a business invited you by e-mail."),
        ),
    ]


def business_doors(access: Access) -> list[Door]:
    """The doors of a business that open for the person, each with what waits behind it."""
    business = access.acting_for
    text = _("The customs declarations that you may see, and their corrections.")
    doors = [_door("declaration_list", business, _("Transactions"), text)]
    if can_list_access_requests(access):
        text = _("Who works here, with which access, and who asks for it.")
        waiting = _counted(requests_to_decide(access))
        doors.append(_door("employee_list", business, _("Manage My Employees"), text, waiting))
    if can_list_relationships(access):
        title = _("Manage My Business Relationships")
        text = _("What customs brokers and other firms may do for you, and until when.")
        waiting = _counted(received_requests(access))
        doors.append(_door("relationship_list", business, title, text, waiting))
    if access.serves_clients:
        text = _("The businesses that you work for.")
        waiting = _counted(offers_to_answer(access))
        doors.append(_door("client_list", business, _("Clients"), text, waiting))
    if can_view_activity(access).allowed:
        text = _("Who did what in this account, and when.")
        doors.append(_door("activity_list", business, _("Activity"), text))
    return doors


def _door(name: str, business: BusinessAccount, title: str, text: str, waiting: int = 0) -> Door:
    return Door(title, reverse(name, kwargs={"bn9": business.bn9}), text, waiting)


def _counted(waiting: QuerySet[Any]) -> int:
    """How many rows there are, up to one more than is counted."""
    return waiting.order_by()[: MOST_COUNTED + 1].count()


def _memberships(person: User, at: datetime) -> QuerySet[Membership]:
    """The live memberships of a person, with their businesses."""
    return Membership.objects.filter(during(at), person=person).select_related("business")


def _of_person(person: User, at: datetime, employers: Iterable[BusinessAccount]) -> dict[str, Any]:
    """What waits for a person and what it began: invitations, requests, registrations.

    Of the businesses asked, only the `employers`, to which the person belongs, have a name here.
    """
    names = {business.bn9: business.legal_name for business in employers}
    recent = AccessRequest.objects.filter(person=person, closes_at__gt=at - REMEMBERED)
    return {
        "my_requests": [
            MyRequest(one, show_bn9(one.bn9), names.get(one.bn9, ""), request_state(one, at))
            for one in recent.order_by("-starts_at", "id").prefetch_related("lines")[:MY_REQUESTS]
        ],
        "my_recoveries": [
            (one, show_bn9(one.bn9))
            for one in RecoveryRequest.objects.pending_at(at).filter(person=person)[:MY_REQUESTS]
        ],
        "my_invitations": invitations_for(person, at)[:MY_REQUESTS],
        "registrations": [
            one
            for one in Registration.objects.filter(
                person=person, outcome__in=["", Outcome.IN_REVIEW]
            ).order_by("-updated_at")
            if not one.is_past(at)
        ],
    }


def _my_programs(access: Access, programs: Iterable[ProgramAccount]) -> list[MyProgram]:
    """Program accounts of the business, with the person's best role."""
    return [
        MyProgram(
            extension=program.extension,
            bn15_shown=program.bn15_shown,
            name=program.name,
            kind=program.get_kind_display(),
            is_open=program.is_open_at(access.at),
            role=str(role.label) if (role := access.role_on(program)) else "",
        )
        for program in programs
    ]


def _my_businesses(access: Access) -> list[MyBusiness]:
    """The businesses to change to; none for a person who has only one."""
    others = _memberships(access.person, access.at).exclude(business=access.acting_for)
    named = others.filter(suspended_at=None).order_by("business__legal_name", "id")
    return [
        MyBusiness(
            one.business.legal_name,
            one.business.bn_shown,
            reverse("business_home", kwargs={"bn9": one.business.bn9}),
        )
        for one in named[:BUSINESSES]
    ]
