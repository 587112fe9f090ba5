"""The expiry calendar: of what the business gave, of what its clients gave, and as a feed."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.services import Refusal
from delegation.access import Access
from delegation.calendar import (
    calendar_page,
    employee_entries,
    etag_of,
    feed_of,
    given_terms,
    received_terms,
)
from delegation.entry import enter
from delegation.models import CalendarFeed
from delegation.models.periods import during
from delegation.navigation import client_nav, relationship_nav, section_nav
from delegation.permissions import (
    can_list_clients,
    can_list_relationships,
    can_read_calendar_feed,
    can_view_calendar,
)
from delegation.services.feeds import create_calendar_feed, end_calendar_feed, token_hash
from delegation.views.employees import status_of
from notices.links import absolute
from pages.not_kept import KEPT_BY_ITS_READER
from pages.once import once
from pages.rules import anyone, rule


@rule(get=can_list_relationships)
def relationship_calendar(request: HttpRequest, bn9: str) -> HttpResponse:
    """What the business gave to firms, and to employees, and that ends within a year."""
    access = enter(request, bn9)
    context = {
        "calendar": _page(request, access, given_terms(access)),
        "employees": employee_entries(access) if access.is_bam else [],
        "is_client": True,
        "sections": section_nav(access, "relationship_list"),
        "parts": relationship_nav(access, "relationship_calendar"),
        "business": access.acting_for,
    }
    return render(request, "delegation/expiry_calendar.html", context)


@rule(get=can_list_clients)
def client_calendar(request: HttpRequest, bn9: str) -> HttpResponse:
    """What clients gave to the firm and that ends within a year."""
    access = enter(request, bn9)
    if not access.serves_clients:
        raise Http404
    context = {
        "calendar": _page(request, access, received_terms(access)),
        "employees": [],
        "is_client": False,
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "client_calendar"),
        "business": access.acting_for,
    }
    return render(request, "delegation/expiry_calendar.html", context)


def _page(request: HttpRequest, access: Access, terms: Any) -> Any:
    month, after = request.GET.get("month", ""), request.GET.get("after", "")
    return calendar_page(access, terms, month=month, after=after)


@rule(get=can_view_calendar, post=can_view_calendar)
@once
def calendar_feed(request: HttpRequest, bn9: str) -> HttpResponse:
    """The person's own link to the calendar; who posts makes it, and reads it this once."""
    access = enter(request, bn9)
    if request.method != "POST":
        return _feed_page(request, access)
    token = _token(request, access)
    answer = create_calendar_feed(
        actor=access.person, acting_for=access.acting_for, token=token, at=access.at
    )
    if isinstance(answer, Refusal):
        problem = str(answer.message)
        return _feed_page(request, access, problem=problem, status=status_of(answer))
    link = absolute(reverse("calendar_feed_read", kwargs={"token": token}))
    return _feed_page(request, access, link=link)


@rule(post=can_view_calendar)
@once
def calendar_feed_end(request: HttpRequest, bn9: str) -> HttpResponse:
    """End the person's own link."""
    access = enter(request, bn9)
    if end_calendar_feed(actor=access.person, acting_for=access.acting_for, at=access.at):
        messages.success(request, _("The link has been ended. Nothing can be read there any more."))
    return redirect("calendar_feed", bn9=bn9)


@rule(get=anyone)
def calendar_feed_read(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar for a program that has the link, in the language of whoever made it.

    A wrong link and one that opens nothing any more answer the same.
    """
    at = timezone.now()
    feeds = CalendarFeed.objects.select_related("person", "business")
    feed = feeds.filter(token_hash=token_hash(token)).first()
    if feed is None or not can_read_calendar_feed(feed, at):
        raise Http404
    with override(feed.person.language):
        body = feed_of(Access(feed.person, feed.business, at))
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response.headers["ETag"] = etag_of(body)
    response.headers["Cache-Control"] = KEPT_BY_ITS_READER
    kept = get_conditional_response(request, etag=etag_of(body), response=response)
    return kept or response


def _token(request: HttpRequest, access: Access) -> str:
    """The secret of a link. The same form gives the same one, so that posting it twice has one
    effect and shows one link; nobody can work it out who does not know the portal's own secret.
    """
    try:
        form = UUID(request.POST.get("form_key", ""))
    except ValueError:
        return secrets.token_hex(32)
    place = f"{access.person.pk}:{access.acting_for.pk}:{form}"
    return salted_hmac("delegation.calendar_feed", place, algorithm="sha256").hexdigest()


def _feed_page(
    request: HttpRequest, access: Access, *, link: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    mine = CalendarFeed.objects.filter(person=access.person, business=access.acting_for)
    manages = can_list_relationships(access)
    context = {
        "business": access.acting_for,
        "feed": mine.filter(during(timezone.now())).first(),
        "link": link,
        "problem": problem,
        "manages": manages,
        "sections": section_nav(access, "relationship_list" if manages else "client_list"),
    }
    return render(request, "delegation/calendar_feed.html", context, status=status)
