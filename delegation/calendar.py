"""The expiry calendar: what ends in the next twelve months, on pages and as a feed.

A page shows the terms of firms in the order of their ends, 25 rows at a time; what ends together
in one relationship stands in one line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import chain, groupby, islice

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from icalendar import Calendar, Event

from delegation.access import Access
from delegation.ends import (
    End,
    Kind,
    employee_ends,
    ending_terms,
    moment_of,
    relationship_end,
    together,
)
from delegation.models import Membership, RelationshipTerms
from delegation.models.periods import during
from delegation.permissions import can_list_relationships
from delegation.relationships import managed_programs
from notices.links import absolute
from pages.formats import EASTERN, end_of_day, start_of_day, whole
from pages.paging import Page, page_by_key

AHEAD = 12
"""How many months the calendar looks ahead."""
MOST_EVENTS = 1000
MOST_EMPLOYEES = 100


@dataclass(frozen=True)
class Entry:
    """A line of the calendar: what ends, when, and where the reader can look after it."""

    day: date
    days: str
    name: str
    number: str
    details: tuple[str, ...]
    url: str


@dataclass(frozen=True)
class Month:
    """A month in which something ends: its name, and how many relationships that is."""

    key: str
    label: str
    count: str


@dataclass(frozen=True)
class Calendars:
    """What is to be shown of one side: the months, and a page of lines under their months."""

    months: tuple[Month, ...]
    groups: tuple[tuple[str, tuple[Entry, ...]], ...]
    page: Page[RelationshipTerms]


def given_terms(access: Access) -> QuerySet[RelationshipTerms]:
    """What firms may do for the business and that ends, as far as the reader manages it."""
    terms = _ahead(access).filter(relationship__client=access.acting_for)
    if access.is_bam:
        return terms
    return terms.filter(Q(program__in=managed_programs(access)) | Q(program=None))


def received_terms(access: Access) -> QuerySet[RelationshipTerms]:
    """What the firm may do for clients, of whom the reader may know, and that ends."""
    return _ahead(access).filter(
        access.assigned("relationship__client"), relationship__provider=access.acting_for
    )


def _ahead(access: Access) -> QuerySet[RelationshipTerms]:
    # An end of the terms themselves: that of their relationship is never sooner in live ones.
    until = end_of_day(timezone.localdate(access.at) + relativedelta(months=AHEAD))
    return ending_terms(access.at, until).filter(ends_at__lte=until)


def calendar_page(
    access: Access, terms: QuerySet[RelationshipTerms], *, month: str = "", after: str = ""
) -> Calendars:
    """The lines from the beginning of a month (`2027-03`) on: 2 queries, however many there are."""
    months = _months(terms)
    rows = terms.select_related("relationship__client", "relationship__provider", "program")
    if month in {one.key for one in months}:
        rows = rows.filter(ends_at__gt=start_of_day(date.fromisoformat(f"{month}-01")))
    page = page_by_key(rows, key=("ends_at", "id"), after=after, is_ascending=True)
    by_end: dict[tuple[object, object], list[RelationshipTerms]] = {}
    for row in page.rows:
        by_end.setdefault(moment_of(row), []).append(row)
    entries = [_entry(access, relationship_end(found)) for found in by_end.values()]
    groups = [
        (label, tuple(found)) for label, found in groupby(entries, key=lambda one: _month(one.day))
    ]
    return Calendars(months, tuple(groups), page)


def _months(terms: QuerySet[RelationshipTerms]) -> tuple[Month, ...]:
    """The months in which something ends: 1 query."""
    last_instant = ExpressionWrapper(
        F("ends_at") - timedelta(microseconds=1), output_field=DateTimeField()
    )
    counted = (
        terms.annotate(month=TruncMonth(last_instant, tzinfo=EASTERN))
        .order_by("month")
        .values_list("month")
        .annotate(count=Count("relationship", distinct=True))
    )
    return tuple(Month(f"{first:%Y-%m}", _month(first), whole(count)) for first, count in counted)


def _month(day: date) -> str:
    return capfirst(f"{MONTHS[day.month]} {day.year}")


def _entry(access: Access, end: End) -> Entry:
    """The line of a relationship: of the firm to its client, of the client to the firm."""
    own = {"bn9": access.acting_for.bn9}
    if end.provider and end.business.pk == access.acting_for.pk:
        url = reverse("relationship_detail", kwargs={**own, "pk": end.key})
        other = end.provider
    else:
        url = reverse("client_detail", kwargs={**own, "client_bn9": end.business.bn9})
        other = end.business
    details = end.programs or (_("All program accounts"),)
    left = _days_left(end, access.at)
    return Entry(end.last_day, left, other.legal_name, other.bn_shown, details, url)


def employee_entries(access: Access) -> list[Entry]:
    """What employees hold that ends, the next first, for a Business Account Manager."""
    until = end_of_day(timezone.localdate(access.at) + relativedelta(months=AHEAD))
    ends = sorted(
        employee_ends(access.at, until, access.acting_for),
        key=lambda end: (end.last_day, str(end.person)),
    )[:MOST_EMPLOYEES]
    people = [end.person.pk for end in ends if end.person]
    live = Membership.objects.filter(
        during(access.at), business=access.acting_for, person__in=people
    )
    pages = dict(live.values_list("person_id", "pk"))
    bn9 = access.acting_for.bn9
    return [
        Entry(
            end.last_day,
            _days_left(end, access.at),
            end.person.get_full_name(),
            "",
            _held(end),
            reverse("employee_detail", kwargs={"bn9": bn9, "pk": pages[end.person.pk]}),
        )
        for end in ends
        if end.person
    ]


def _held(end: End) -> tuple[str, ...]:
    if end.kind is Kind.MEMBERSHIP:
        return (_("All access to the business"),)
    return (end.role_label, *(end.programs or (_("The whole business"),)))


def _days_left(end: End, at: datetime) -> str:
    left = (end.last_day - timezone.localdate(at)).days
    if left == 0:
        return _("Today")
    return ngettext("In %(days)s day", "In %(days)s days", left) % {"days": left}


# ---------------------------------------------------------------- the feed


def feed_of(access: Access) -> bytes:
    """The calendar as iCalendar (RFC 5545), in the active language: the next thousand ends.

    Each is an event of its last day. It keeps its identity when its day moves, and its sequence
    grows; it names the other firm and its number, nothing else. The same facts are the same bytes.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//CARM Client Portal//Expiry calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add(
        "x-wr-calname",
        _("Ends of authority: %(business)s") % {"business": access.acting_for.legal_name},
    )
    mine = given_terms(access) if can_list_relationships(access) else None
    sides = [
        one
        for one in (mine, received_terms(access) if access.serves_clients else None)
        if one is not None
    ]
    found = list(islice(chain.from_iterable(map(together, sides)), MOST_EVENTS))
    agreed = _times_agreed(found)
    for rows in found:
        calendar.add_component(_event(access, rows, agreed))
    return calendar.to_ical()


def etag_of(body: bytes) -> str:
    """The strong validator of a feed."""
    return f'"{sha256(body).hexdigest()}"'


type Scope = tuple[object, int | None]


def _times_agreed(found: Iterable[Sequence[RelationshipTerms]]) -> dict[Scope, int]:
    """How often terms were agreed, by relationship and program account: 1 query."""
    relationships = {rows[0].relationship_id for rows in found}
    every = RelationshipTerms.objects.filter(relationship__in=relationships)
    counted = every.order_by().values_list("relationship", "program").annotate(Count("pk"))
    return {(relationship, program): count for relationship, program, count in counted}


def _event(access: Access, rows: Sequence[RelationshipTerms], agreed: dict[Scope, int]) -> Event:
    """An all-day event: no instant, so no clock change moves it. `DTEND` is the day after."""
    end, first = relationship_end(list(rows)), rows[0]
    is_client = first.relationship.client_id == access.acting_for.pk
    other = first.relationship.provider if is_client else first.relationship.client
    scope = first.program.extension if first.program else "all"
    said = (
        _("End of the authority of %(name)s, %(bn)s")
        if is_client
        else _("End of the authority from %(name)s, %(bn)s")
    )
    event = Event()
    event.add("uid", f"{end.key}-{scope}@{settings.PORTAL_URL.split('//')[-1]}")
    event.add("sequence", agreed[first.relationship_id, first.program_id] - 1)
    event.add("dtstamp", max(row.starts_at for row in rows))
    event.add("dtstart", end.last_day)
    event.add("dtend", end.last_day + timedelta(days=1))
    event.add("summary", said % {"name": other.legal_name, "bn": other.bn_shown})
    event.add("transp", "TRANSPARENT")
    event.add("url", absolute(_entry(access, end).url))
    return event
