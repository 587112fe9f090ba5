"""Every way to hold a role in a business, as rows: who holds what, where, since when, until when.

However many people and program accounts there are, each way is one query.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable

from businesses.models import BusinessAccount, ProgramAccount
from delegation.models import BusinessRole, GroupProgramGroupRole, GroupProgramRole, ProgramRole
from delegation.models.periods import during, in_use
from delegation.roles import Role
from delegation.standing import earliest
from delegation.terms import program_label

type RoleTable = type[BusinessRole | ProgramRole | GroupProgramRole | GroupProgramGroupRole]


@dataclass(frozen=True)
class Right:
    """A role that a person holds now, and where it comes from.

    Without a `program` it is held on the business and every program account; without a `group`
    it is held directly, by the row `pk`.
    """

    pk: int
    role: Role
    program: ProgramAccount | None
    group: str
    since: datetime
    until: datetime | None

    @property
    def scope(self) -> str:
        """The program account by its extension and name; "" for the whole business."""
        return program_label(self.program) if self.program else ""


class Source(NamedTuple):
    """A table of roles with the rows of it that are live, and the way to their person and scope."""

    table: RoleTable
    live: Q
    person: str
    scope: str
    group: Combinable
    person_since: str
    person_until: str

    @property
    def reached(self) -> Q:
        """The memberships of the people who hold any of the roles."""
        return Q(person__in=self.table.objects.filter(self.live).values(self.person))


def sources_of(
    businesses: Collection[int], at: datetime, *, only: Collection[ProgramAccount] | None = None
) -> list[Source]:
    """Every way to hold a role, as `Access` knows them, on businesses and their program accounts.

    All of these, or `only` those: a business may have too many of them to name each in a query.
    """
    on = partial(_on, businesses, only)
    live, members = during(at), "group__employee_group__members__"
    by_group = live & during(at, members)
    by_group &= in_use(at, "group__employee_group__") & Q(
        group__employee_group__business=F("content_object__business"),
    )
    direct = ("user", "content_object", Value(""), "starts_at", "ends_at")
    name = F("group__employee_group__name")
    return [
        Source(BusinessRole, live & Q(content_object__in=businesses), *direct),
        Source(ProgramRole, live & on("content_object"), *direct),
        Source(
            GroupProgramRole,
            by_group & on("content_object"),
            f"{members}person",
            "content_object",
            name,
            f"{members}starts_at",
            f"{members}ends_at",
        ),
        Source(
            GroupProgramGroupRole,
            by_group
            & during(at, "content_object__members__")
            & in_use(at, "content_object__")
            & on("content_object__members__program"),
            f"{members}person",
            "content_object__members__program",
            name,
            f"{members}starts_at",
            f"{members}ends_at",
        ),
    ]


def _on(businesses: Collection[int], only: Collection[ProgramAccount] | None, path: str) -> Q:
    """The condition that a path leads to one of the program accounts."""
    if only is None:
        return Q(**{f"{path}__business__in": businesses})
    return Q(**{f"{path}__in": only})


class _Row(NamedTuple):
    """A live role of a person, as its table has it."""

    person_id: int
    scope_id: int
    pk: int
    role: str
    group: str
    since: datetime
    until: datetime | None


def rights_by(
    people: Collection[int], sources: Iterable[Source]
) -> Iterator[tuple[int, int, Right]]:
    """(person, business, right) of each live role of the people.

    One query for each source, and one for the program accounts that they name.
    """
    found = [
        (source.table is BusinessRole, row) for source in sources for row in _rows(source, people)
    ]
    programs = ProgramAccount.objects.in_bulk(
        {row.scope_id for is_whole, row in found if not is_whole}
    )
    for is_whole, row in found:
        program = None if is_whole else programs[row.scope_id]
        right = Right(row.pk, Role(row.role), program, row.group, row.since, row.until)
        yield row.person_id, program.business_id if program else row.scope_id, right


def rights_to_begin(
    people: Collection[int],
    business: BusinessAccount,
    at: datetime,
    *,
    only: Collection[ProgramAccount] | None = None,
) -> Iterator[tuple[int, Right]]:
    """(person, right) of what was given to the people directly and begins later, the first ones
    first: on the business, and on all its program accounts or `only` those.
    """
    later = Q(starts_at__gt=at) & (Q(ends_at=None) | Q(ends_at__gt=F("starts_at")))
    later &= Q(user__in=people)
    whole = BusinessRole.objects.filter(later, content_object=business)
    part = ProgramRole.objects.filter(later, _on([business.pk], only, "content_object"))
    rows: list[BusinessRole | ProgramRole] = [
        *whole.select_related("permission"),
        *part.select_related("permission", "content_object"),
    ]
    for row in sorted(rows, key=lambda row: row.starts_at):
        program = row.content_object if isinstance(row, ProgramRole) else None
        right = Right(row.pk, Role(row.role), program, "", row.starts_at, row.ends_at)
        yield row.user_id, right


def _rows(source: Source, people: Collection[int]) -> Iterator[_Row]:
    """The live roles that the people hold in one way."""
    live = source.table.objects.filter(source.live, **{f"{source.person}__in": people})
    role = (source.person, source.scope, "pk", "permission__codename", source.group)
    times = ("starts_at", source.person_since, "ends_at", source.person_until)
    rows = live.values_list(*role, *times).order_by("pk")
    for person_id, scope_id, pk, name, group, since, joined_at, until, leaves_at in rows:
        ends_at = earliest(until, leaves_at)
        yield _Row(person_id, scope_id, pk, name, group, max(since, joined_at), ends_at)
