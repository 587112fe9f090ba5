"""Who holds what on which program account: people down, program accounts across, a page of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.employees import managed_programs, members_of, people_page
from delegation.permissions import can_change_role
from delegation.roles import Role
from delegation.standing import OwnRoles, Path, own_roles
from delegation.terms import program_label
from pages.paging import Page, page_by_key

ACROSS = 8
"""How many program accounts one page shows."""


@dataclass(frozen=True)
class Hold:
    """One role in a cell: through which group if by one, until when if it ends.

    `url` is where the reader changes it, `is_managers` says that it is on the whole business.
    """

    role: Role
    group: str
    until: datetime | None
    url: str
    is_managers: bool


@dataclass(frozen=True)
class Row:
    """A person, and for each program account shown its label and what is held there."""

    pk: UUID
    person: User
    is_suspended: bool
    last_used_on: date | None
    cells: tuple[tuple[str, tuple[Hold, ...]], ...]


@dataclass(frozen=True)
class Grid:
    """One page of people and one of program accounts."""

    people: Page[User]
    programs: Page[ProgramAccount]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def grid(access: Access, *, named: str, about: str, after: str, across: str) -> Grid:
    """The people named and the program accounts looked for, as far as the reader may know.

    However many there are of both, the number of queries stays the same.
    """
    people = people_page(access, named=named, after=after)
    programs = page_by_key(
        _looked_for(access, about),
        key=("extension", "id"),
        after=across,
        size=ACROSS,
        is_ascending=True,
    )
    columns = tuple(program_label(one) for one in programs.rows)
    return Grid(people, programs, columns, tuple(_rows(access, people.rows, programs.rows)))


def _looked_for(access: Access, about: str) -> QuerySet[ProgramAccount]:
    """The program accounts that the reader manages, by number or name."""
    found = programs_named(access.acting_for, about)
    if not access.is_bam:
        found = found.filter(pk__in=[one.pk for one in managed_programs(access)])
    return found


def programs_named(business: BusinessAccount, about: str) -> QuerySet[ProgramAccount]:
    """The program accounts of a business, by number (BN15, extension) or name."""
    found = ProgramAccount.objects.filter(business=business)
    number = re.sub(r"[\s-]", "", about).upper().removeprefix(business.bn9)
    return (
        found.filter(Q(extension__contains=number) | Q(name__icontains=about)) if about else found
    )


def _rows(access: Access, people: list[User], programs: list[ProgramAccount]) -> Iterator[Row]:
    keys = [one.pk for one in people]
    held = own_roles(keys, [access.acting_for.pk], access.at)
    memberships = {
        one.person_id: one for one in members_of(access, named="").filter(person__in=keys)
    }
    for person in people:
        own, membership = held[person.pk, access.acting_for.pk], memberships[person.pk]
        yield Row(
            membership.pk,
            person,
            membership.is_suspended_at(access.at),
            membership.last_used_on,
            tuple(
                (program_label(program), _holds(access, person, membership.pk, own, program))
                for program in programs
            ),
        )


def _holds(
    access: Access, person: User, pk: UUID, own: OwnRoles, program: ProgramAccount
) -> tuple[Hold, ...]:
    kwargs = {"bn9": access.acting_for.bn9, "pk": pk}
    address = reverse("role_change", kwargs=kwargs, query={"programs": program.extension})
    may_change = can_change_role(access, person)

    def hold(path: Path) -> Hold:
        is_managers = path is own.bam
        is_direct = not path.group and not is_managers
        url = address if is_direct and may_change else ""
        return Hold(path.role, path.group, path.until, url, is_managers)

    return tuple(hold(path) for path in own.on(program.pk))
