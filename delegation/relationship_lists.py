"""The lists of the client's side: which firms act for the business, acted for it, or ask to.

A Business Account Manager reads about all of them, a Program Account Manager about those that
touch its program accounts. Each list is paged by key, and costs the same however long it is.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from businesses.bn import compact
from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.models import (
    Membership,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
)
from delegation.models.mutes import muted
from delegation.models.periods import during
from delegation.relationships import (
    Given,
    given_of,
    managed_programs,
    readable_requests,
    terms_known,
)
from pages.paging import Page, page_by_key

ENDING_SOON = timedelta(days=90)
NEWEST_FIRST = ("starts_at", "id")
SOONEST_FIRST = ("ends_at", "id")
_NUMBER = re.compile(r"([0-9]{1,9})?(RM[0-9]{4})?")


@dataclass(frozen=True)
class Search:
    """What a list is narrowed to: a firm by name or number, a program account, a level."""

    text: str = ""
    level: str = ""


@dataclass(frozen=True)
class Listing:
    """A page of relationships in words, and the token of the ones below."""

    page: Page[Relationship] | Page[RelationshipTerms]
    rows: list[Given]


def active_relationships(access: Access, search: Search, *, after: str = "") -> Listing:
    """What is in force or suspended, begun last first."""
    live = _narrowed(_live_terms(access), access, search)
    rows = _relationships(access).filter(during(access.at), Exists(live))
    return _listing(page_by_key(rows, key=NEWEST_FIRST, after=after), access)


def ended_relationships(access: Access, search: Search, *, after: str = "") -> Listing:
    """What has ended or expired, as far as the reader may know of it, begun last first."""
    known = _narrowed(_of_outer(terms_known(access)), access, search)
    over = ~Q(during(access.at)) | ~Exists(_live_terms(access))
    rows = _relationships(access).filter(over, Exists(known))
    return _listing(page_by_key(rows, key=NEWEST_FIRST, after=after), access)


def relationships_ending_soon(access: Access, search: Search, *, after: str = "") -> Listing:
    """What ends within 90 days, the soonest first: by the program account that ends first."""
    soon = terms_known(access).filter(
        during(access.at),
        during(access.at, "relationship__"),
        ends_at__lte=access.at + ENDING_SOON,
    )
    sooner = terms_known(access).filter(
        Q(ends_at__lt=OuterRef("ends_at")) | Q(ends_at=OuterRef("ends_at"), pk__lt=OuterRef("pk")),
        during(access.at),
        relationship=OuterRef("relationship"),
    )
    rows = _narrowed(soon, access, search).filter(~Exists(sooner))
    return _listing(page_by_key(rows, key=SOONEST_FIRST, after=after, is_ascending=True), access)


def received_request_list(
    access: Access, search: Search, *, after: str = ""
) -> Page[RelationshipRequest]:
    """The requests to the business, whatever became of them, newest first.

    What nobody decided of a muted firm does not show.
    """
    unseen = Q(muted(access.at, "client_bn9", "provider"), decision="")
    rows = readable_requests(access).exclude(unseen)
    if search.level:
        rows = rows.filter(level=search.level)
    firm, number, extension = _read(search.text, access)
    if search.text:
        lines = RelationshipRequestLine.objects.filter(request=OuterRef("pk"), extension=extension)
        if not access.is_bam:
            mine = [program.extension for program in managed_programs(access)]
            lines = lines.filter(extension__in=mine)
        found = _firm(firm, number, "")
        rows = rows.filter(found | Exists(lines) if extension else found)
    return page_by_key(rows, key=NEWEST_FIRST, after=after)


def acting_firms(access: Access, firms: Collection[int]) -> set[int]:
    """Those of the firms that act for the business already, as far as the reader may know.

    What they ask is a renewal or a change of what holds (decision 41): 1 query.
    """
    live = terms_known(access).filter(
        during(access.at), during(access.at, "relationship__"), relationship__provider__in=firms
    )
    return set(live.values_list("relationship__provider", flat=True))


def registered_at(access: Access) -> datetime | None:
    """When somebody registered the business acted for: what was asked before then has waited."""
    first = Membership.objects.filter(business=access.acting_for).order_by("starts_at")
    return first.values_list("starts_at", flat=True).first()


def _relationships(access: Access) -> QuerySet[Relationship]:
    return Relationship.objects.filter(client=access.acting_for, starts_at__lte=access.at)


def _of_outer(terms: QuerySet[RelationshipTerms]) -> QuerySet[RelationshipTerms]:
    return terms.filter(relationship=OuterRef("pk"))


def _live_terms(access: Access) -> QuerySet[RelationshipTerms]:
    return _of_outer(terms_known(access).filter(during(access.at)))


def _listing(page: Page[Relationship] | Page[RelationshipTerms], access: Access) -> Listing:
    keys = [
        row.relationship_id if isinstance(row, RelationshipTerms) else row.pk for row in page.rows
    ]
    by_key = {one.pk: one for one in given_of(access, keys)}
    return Listing(page, [by_key[key] for key in keys])


def _narrowed(
    terms: QuerySet[RelationshipTerms], access: Access, search: Search
) -> QuerySet[RelationshipTerms]:
    """The terms of the firms, program accounts and level that are looked for."""
    if search.level:
        terms = terms.filter(level=search.level)
    if not search.text:
        return terms
    firm, number, extension = _read(search.text, access)
    found = _firm(firm, number, "relationship__")
    if extension:
        programs = ProgramAccount.objects.filter(business=access.acting_for, extension=extension)
        found |= Q(program__in=programs) | (Q(program=None) & Q(Exists(programs)))
    return terms.filter(found)


def _read(text: str, access: Access) -> tuple[str, str, str]:
    """A name, the beginning of a firm's number, and an own program account, as far as typed."""
    number = _NUMBER.fullmatch(compact(text))
    bn9, extension = (number[1] or "", number[2] or "") if number else ("", "")
    is_own = not bn9 or bn9 == access.acting_for.bn9
    return text, bn9, extension if is_own else ""


def _firm(name: str, number: str, prefix: str) -> Q:
    named = Q(**{f"{prefix}provider__legal_name__icontains": name})
    named |= Q(**{f"{prefix}provider__operating_name__icontains": name})
    return named | Q(**{f"{prefix}provider__bn9__startswith": number}) if number else named
