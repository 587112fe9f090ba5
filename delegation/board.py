"""The readiness board: the firm's clients and the numbers it asked, and what is missing for each.

A row of a client is made of what was agreed with it, a row of a number that has not answered of
the request alone: whether anybody is registered under it can show nowhere. Every page costs the
same number of queries, and none of them grows with the clients of the firm.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from businesses.bn import compact, show_bn9
from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.clients import Client, clients_of, sent_requests
from delegation.models import (
    Ceiling,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
)
from delegation.models.periods import during
from delegation.permissions import (
    can_assign_staff,
    can_list_relationship_requests,
    can_request_relationship,
)
from delegation.reach import in_group, known_to, staff_of
from delegation.requests import request_tag
from delegation.terms import State, Words, extension_label, rules_in_words
from pages.formats import day, last_day
from pages.paging import Page, page_of_lists

SOON = timedelta(days=90)
"""How long before the last day a client stands under “Ending soon”."""

PAGE = 25
OPEN = gettext_lazy("Open the request")
_NUMBER = re.compile(r"([0-9]{1,9})?([A-Z]{2}[0-9]{1,4})?")

SHORT_LABELS: dict[str, Words] = {
    "visibility_broker": gettext_lazy("Submitted by your firm"),
    "visibility_importer": gettext_lazy("Submitted by the importer"),
    "visibility_other": gettext_lazy("Submitted by others"),
}
"""The visibility rules in a cell."""


class View(TextChoices):
    """What part of the clients is shown."""

    ALL = "all", pgettext_lazy("clients", "All")
    ACTIVE = "active", pgettext_lazy("clients", "Active")
    ENDING = "ending", pgettext_lazy("clients", "Ending soon")
    WAITING = "waiting", pgettext_lazy("clients", "Waiting")
    EXPIRED = "expired", pgettext_lazy("clients", "Expired")
    UNASSIGNED = "unassigned", pgettext_lazy("clients", "Unassigned")


OF_MANAGERS = frozenset({View.WAITING, View.UNASSIGNED})
"""What only those see who see what the firm asked, and who works for whom."""


@dataclass(frozen=True)
class Wanted:
    """What the board is narrowed to; whatever is empty narrows nothing.

    `text` is a part of a name, or the beginning of a business or program account number.
    """

    view: View = View.ALL
    text: str = ""
    level: str = ""
    group: UUID | None = None


class Step(NamedTuple):
    """Something that is missing, and the page where it is done ("" where there is none).

    With `is_act` the address does it at once, by a button.
    """

    words: str
    url: str = ""
    label: Words = ""
    is_act: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A client, or a number that was asked, every cell in words. Without a name nobody answered.

    `people` is how many of the firm are assigned; nothing where the reader may not know.
    """

    bn9: str
    url: str
    bn: str
    state: State
    name: str = ""
    operating_name: str = ""
    may_do: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    rules: tuple[tuple[Words, str], ...] = ()
    people: int | None = None
    staff: str = ""
    missing: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Board:
    """A page of the board; `is_managers` where it says who is assigned and what is missing."""

    page: Page[Relationship | RelationshipRequest]
    rows: list[Row]
    is_managers: bool


def views_for(access: Access) -> list[View]:
    """The views that the person can choose from."""
    may_read = can_list_relationship_requests(access).allowed
    return [view for view in View if may_read or view not in OF_MANAGERS]


def board(access: Access, wanted: Wanted, *, after: str = "", size: int = PAGE) -> Board:
    """A page of what is wanted, below the row of the token `after`."""
    page = _page(access, wanted, after, size)
    is_managers = can_list_relationship_requests(access).allowed
    return Board(page, _rows(access, page.rows, is_managers=is_managers), is_managers)


def every_row(access: Access, wanted: Wanted) -> Iterator[Row]:
    """Every row of what is wanted, read a few hundred at a time."""
    token, is_first = "", True
    while token or is_first:
        found = board(access, wanted, after=token, size=500)
        yield from found.rows
        token, is_first = found.page.next_token, False


# ---------------------------------------------------------------- which rows


def _page(
    access: Access, wanted: Wanted, after: str, size: int
) -> Page[Relationship | RelationshipRequest]:
    """The clients by their latest relationship, and what waits by its request."""
    view = wanted.view
    lists: list[QuerySet] = []
    if view is not View.WAITING:
        lists.append(_clients(access, wanted).select_related("client"))
    if view in (View.ALL, View.WAITING) and View.WAITING in views_for(access):
        lists.append(_unanswered(access, wanted).prefetch_related("lines"))
    by_end = view in (View.ENDING, View.EXPIRED)
    return page_of_lists(
        lists,
        name=f"clients:{view}",
        key=("ends_at" if by_end else "starts_at", "id"),
        after=after,
        size=size,
        is_ascending=view is View.ENDING,
    )


def _clients(access: Access, wanted: Wanted) -> QuerySet[Relationship]:
    """The latest relationship with each client that is wanted and of which the person may know."""
    at = access.at
    ours = Relationship.objects.filter(provider=access.acting_for, starts_at__lte=at)
    later = ours.filter(client=OuterRef("client"), starts_at__gt=OuterRef("starts_at"))
    views = {
        View.ALL: ~Q(Exists(later)),
        View.ACTIVE: during(at),
        View.ENDING: Q(ends_at__gt=at, ends_at__lte=at + SOON),
        View.EXPIRED: Q(ends_at__lte=at) & ~Q(Exists(later)),
        View.UNASSIGNED: during(at),
    }
    found = ours.filter(views[wanted.view], known_to(access))
    if wanted.view is View.UNASSIGNED:
        found = found.filter(staff_of(access).nobody_works_for())
    if wanted.text:
        found = found.filter(_named(wanted.text))
    if wanted.level:
        found = found.filter(Exists(_terms_of_row(access).filter(level=wanted.level)))
    if wanted.group:
        found = found.filter(in_group(access, wanted.group))
    return found


def _terms_of_row(access: Access) -> QuerySet[RelationshipTerms]:
    return RelationshipTerms.objects.filter(during(access.at), relationship=OuterRef("pk"))


def _named(text: str) -> Q:
    """A part of a name, or the beginning of a number with or without that of a program account."""
    found = Q(client__legal_name__icontains=text) | Q(client__operating_name__icontains=text)
    number = _NUMBER.fullmatch(compact(text))
    if not number or not any(number.groups()):
        return found
    bn9, extension = number.groups()
    numbered = _numbered("client__bn9", bn9) if bn9 else Q()
    if not extension:
        return found | numbered if len(bn9) < len("123456789") else numbered
    terms = RelationshipTerms.objects.filter(relationship=OuterRef("pk"))
    named = Q(Exists(terms.filter(program__extension__startswith=extension)))
    its = ProgramAccount.objects.filter(
        business=OuterRef("client"), extension__startswith=extension
    )
    return numbered & (named | (Q(Exists(terms.filter(program=None))) & Q(Exists(its))))


def _numbered(column: str, digits: str) -> Q:
    """Numbers that begin with the digits, as a range, which an index answers."""
    return Q(**{f"{column}__gte": digits.ljust(9, "0"), f"{column}__lte": digits.ljust(9, "9")})


def _unanswered(access: Access, wanted: Wanted) -> QuerySet[RelationshipRequest]:
    """The requests that wait. In the list of all, a client that is asked again stands once."""
    waiting = sent_requests(access).filter(
        starts_at__lte=access.at, decision="", closes_at__gt=access.at
    )
    if wanted.view is View.ALL:
        known = Relationship.objects.filter(
            provider=access.acting_for, client__bn9=OuterRef("client_bn9"), starts_at__lte=access.at
        )
        waiting = waiting.filter(~Exists(known))
    if wanted.text:
        number = _NUMBER.fullmatch(compact(wanted.text))
        bn9, extension = number.groups() if number else (None, None)
        waiting = waiting.filter(_numbered("client_bn9", bn9)) if bn9 else waiting
        lines = RelationshipRequestLine.objects.filter(request=OuterRef("pk"))
        if extension:
            waiting = waiting.filter(Exists(lines.filter(extension__startswith=extension)))
        if not bn9 and not extension:
            return waiting.none()
    if wanted.group:
        return waiting.none()
    return waiting.filter(level=wanted.level) if wanted.level else waiting


# ---------------------------------------------------------------- what a row says


@dataclass
class _Told:
    """What the rows of a page are told from; read once for all of them."""

    access: Access
    people: dict[int, set[int]] = field(default_factory=dict)
    asked: dict[str, RelationshipRequest] = field(default_factory=dict)
    is_managers: bool = False
    may_assign: bool = False
    may_ask: bool = False


def _rows(
    access: Access, found: Sequence[Relationship | RelationshipRequest], *, is_managers: bool
) -> list[Row]:
    clients = [one.client for one in found if isinstance(one, Relationship)]
    told = _Told(access, is_managers=is_managers)
    if is_managers:
        told.people = staff_of(access).by_client([one.pk for one in clients])
        numbers = [one.bn9 for one in clients]
        again = sent_requests(access).filter(
            client_bn9__in=numbers, decision="", closes_at__gt=access.at, starts_at__lte=access.at
        )
        told.asked = {one.client_bn9: one for one in again.prefetch_related(None)}
        told.may_assign = can_assign_staff(access).allowed
        told.may_ask = can_request_relationship(access).allowed
    known = {one.business.pk: one for one in clients_of(access, clients)}
    return [
        _client_row(told, known[one.client_id])
        if isinstance(one, Relationship)
        else _waiting_row(told, one)
        for one in found
    ]


def _client_row(told: _Told, client: Client) -> Row:
    access, business = told.access, client.business
    in_force = [row for row in client.terms if access.is_provider and row.in_force_at(access.at)]
    people = len(told.people[business.pk]) if told.is_managers else None
    return Row(
        bn9=business.bn9,
        url=_address("client_detail", access, client_bn9=business.bn9),
        bn=business.bn_shown,
        state=client.state,
        name=business.legal_name,
        operating_name=business.operating_name,
        may_do=_may_do(in_force),
        programs=client.programs,
        rules=_rules(in_force),
        people=people,
        staff=_people_in_words(people),
        missing=tuple(_missing(told, client, in_force)) if told.is_managers else (),
    )


def _waiting_row(told: _Told, waiting: RelationshipRequest) -> Row:
    """What waits, told from the request alone."""
    url = _address("relationship_request_status", told.access, pk=waiting.pk)
    since = _("No answer since %(day)s.") % {"day": day(last_day(waiting.starts_at))}
    if waiting.nudged_at:
        since = _("Reminded on %(day)s.") % {"day": day(last_day(waiting.nudged_at))}
    is_due = told.may_ask and waiting.nudgeable_from <= told.access.at
    lines = sorted(line.extension for line in waiting.lines.all())
    return Row(
        bn9=waiting.client_bn9,
        url=url,
        bn=show_bn9(waiting.client_bn9),
        state=request_tag(waiting.status_at(told.access.at)),
        programs=tuple(extension_label(one) for one in lines),
        missing=(_remind(since, told.access, waiting) if is_due else Step(since, url, OPEN),),
    )


def _remind(since: str, access: Access, waiting: RelationshipRequest) -> Step:
    url = _address("relationship_request_nudge", access, pk=waiting.pk)
    return Step(since, url, _("Remind the client"), is_act=True)


def _may_do(in_force: Iterable[RelationshipTerms]) -> tuple[str, ...]:
    """The level and the most that the firm may do, each pair of them once."""
    agreed = {(row.level, row.ceiling) for row in in_force}
    return tuple(
        f"{Level(level).label}. {Ceiling(ceiling).label}." for level, ceiling in sorted(agreed)
    ) or (_("Own submissions only"),)


def _rules(in_force: Sequence[RelationshipTerms]) -> tuple[tuple[Words, str], ...]:
    """Each visibility rule, where they are the same on every program account."""
    if not in_force:
        return ()
    same = {tuple(getattr(row, rule) for rule in SHORT_LABELS) for row in in_force}
    if len(same) > 1:
        return ((_("Visibility"), _("Differs by program account")),)
    return rules_in_words(in_force[0], SHORT_LABELS)


def _people_in_words(people: int | None) -> str:
    if people is None:
        return ""
    if not people:
        return _("Nobody")
    return ngettext("%(count)s person", "%(count)s people", people) % {"count": people}


def _missing(told: _Told, client: Client, in_force: Sequence[RelationshipTerms]) -> Iterator[Step]:
    """What stands between the firm and its work for the client, and what to do about it."""
    access, bn9 = told.access, client.business.bn9
    if in_force and not told.people[client.business.pk]:
        url = _address("staff_assignment_create", access, client_bn9=bn9) if told.may_assign else ""
        yield Step(_("Nobody is assigned."), url, _("Assign an employee"))
    words = _ending(in_force, access.at) if in_force else ""
    if client.state.is_over:
        words = _("The relationship is over.")
    if not words:
        return
    again = told.asked.get(bn9)
    if again:
        url = _address("relationship_request_status", access, pk=again.pk)
        asked = _("You asked again on %(day)s.") % {"day": day(last_day(again.starts_at))}
        yield Step(asked, url, OPEN)
    else:
        url = _address("relationship_request_create", access) if told.may_ask else ""
        yield Step(words, f"{url}?client_bn9={bn9}" if url else "", _("Ask for a renewal"))


def _ending(in_force: Iterable[RelationshipTerms], at: datetime) -> str:
    """That all of it ends soon; nothing where some of it goes on."""
    ends = [row.effective_end for row in in_force]
    last = max((end for end in ends if end), default=at)
    if None in ends or last > at + SOON:
        return ""
    return _("It ends after %(day)s.") % {"day": day(last_day(last))}


def _address(name: str, access: Access, **named: object) -> str:
    return reverse(name, kwargs={"bn9": access.acting_for.bn9, **named})
