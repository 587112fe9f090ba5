"""What ends by its date: authority given to firms, and what employees hold.

The end of authority is the first of two, that of the terms and that of their relationship. What
goes on by other terms, because it was renewed, does not end. Nothing here changes anything: access
stops by itself when its instant comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import BusinessRole, Membership, ProgramRole, RelationshipTerms
from delegation.models.periods import during
from delegation.roles import Role
from delegation.terms import program_label
from pages.formats import last_day

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
CHUNK = 500
"""How many rows are read at a time where all of them are gone through."""


class Kind(StrEnum):
    """What ends."""

    RELATIONSHIP = "relationship"
    MEMBERSHIP = "membership"
    BUSINESS_ROLE = "business_role"
    PROGRAM_ROLE = "program_role"


@dataclass(frozen=True)
class End:
    """Something that ends at the end of `last_day`, and has been so since the day `since`.

    Of a relationship both firms are given, and the program accounts that end together (none: all
    of them); of what an employee holds the business, the person and the role.
    """

    kind: Kind
    key: str
    since: date
    last_day: date
    business: BusinessAccount
    provider: BusinessAccount | None = None
    person: User | None = None
    programs: tuple[str, ...] = ()
    role: str = ""

    @property
    def subject(self) -> str:
        """What ends, as reminders are keyed: `relationship:<uuid>`."""
        return f"{self.kind}:{self.key}"

    @property
    def role_label(self) -> str:
        """The role in words; empty where all access ends."""
        return str(Role(self.role).label) if self.role else ""


def with_end(terms: QuerySet[RelationshipTerms]) -> QuerySet[RelationshipTerms]:
    """The terms with the instant `end` at which their authority ends."""
    never = Value(NEVER, DateTimeField())
    return terms.annotate(
        end=Least(Coalesce("ends_at", never), Coalesce("relationship__ends_at", never))
    )


def ending_terms(at: datetime, until: datetime) -> QuerySet[RelationshipTerms]:
    """The live terms whose authority ends by `until` and does not go on by others."""
    further = with_end(
        RelationshipTerms.objects.filter(
            Q(program=OuterRef("program")) | Q(program=None),
            relationship=OuterRef("relationship"),
            starts_at__lte=OuterRef("end"),
        )
    ).filter(Q(("end__gt", OuterRef("end"))))
    live = RelationshipTerms.objects.filter(during(at), during(at, "relationship__"))
    return with_end(live).filter(~Exists(further), Q(("end__lte", until)))


def relationship_ends(terms: QuerySet[RelationshipTerms]) -> Iterator[End]:
    """The ends of `ending_terms`, the next first; what ends together in a relationship is one."""
    return map(relationship_end, together(terms))


def together(terms: QuerySet[RelationshipTerms]) -> Iterator[list[RelationshipTerms]]:
    """The rows of `ending_terms`, the next first; those that end together in a relationship."""
    related = terms.select_related("relationship__client", "relationship__provider", "program")
    ordered = related.order_by(F("end"), "relationship", "program__extension")
    for _key, rows in groupby(ordered.iterator(chunk_size=CHUNK), key=moment_of):
        yield list(rows)


def moment_of(row: RelationshipTerms) -> tuple[object, object]:
    """When the terms end, and in which relationship: what is equal ends together."""
    return row.effective_end, row.relationship_id


def relationship_end(rows: list[RelationshipTerms]) -> End:
    """The end of terms of one relationship that end at the same instant."""
    first = rows[0]
    if first.effective_end is None:
        raise ValueError("Terms without an end do not end.")
    named = [program_label(row.program) for row in rows if row.program]
    return End(
        Kind.RELATIONSHIP,
        str(first.relationship_id),
        since=timezone.localdate(max(row.effective_start for row in rows)),
        last_day=last_day(first.effective_end),
        business=first.relationship.client,
        provider=first.relationship.provider,
        programs=tuple(named) if len(named) == len(rows) else (),
    )


# What employees hold


def ending_memberships(at: datetime, until: datetime) -> QuerySet[Membership]:
    """The memberships that end by `until`."""
    live = Membership.objects.filter(during(at), ends_at__lte=until, person__is_active=True)
    return live.select_related("person", "business").order_by("ends_at", "pk")


def ending_business_roles(at: datetime, until: datetime) -> QuerySet[BusinessRole]:
    """The manager roles that end by `until`, and before all access does."""
    live = BusinessRole.objects.filter(
        _outlived(at, "content_object"), during(at), ends_at__lte=until, user__is_active=True
    )
    return live.select_related("user", "content_object", "permission").order_by("ends_at", "pk")


def ending_program_roles(at: datetime, until: datetime) -> QuerySet[ProgramRole]:
    """The roles on program accounts that end by `until`, and before all access does."""
    live = ProgramRole.objects.filter(
        _outlived(at, "content_object__business"),
        during(at),
        ends_at__lte=until,
        user__is_active=True,
    )
    related = ("user", "content_object__business", "permission")
    return live.select_related(*related).order_by("ends_at", "pk")


def _outlived(at: datetime, business: str) -> Exists:
    """The condition that the membership of a role's person lasts longer than the role."""
    longer = Membership.objects.filter(during(at), person=OuterRef("user")).filter(
        Q(ends_at=None) | Q(ends_at__gt=OuterRef("ends_at")), business=OuterRef(business)
    )
    return Exists(longer)


def employee_ends(
    at: datetime, until: datetime, business: BusinessAccount | None = None
) -> Iterator[End]:
    """What employees hold that ends by `until`: everywhere, or in one business."""
    memberships = ending_memberships(at, until)
    managers, roles = ending_business_roles(at, until), ending_program_roles(at, until)
    if business:
        memberships = memberships.filter(business=business)
        managers = managers.filter(content_object=business)
        roles = roles.filter(content_object__business=business)
    for one in memberships.iterator(chunk_size=CHUNK):
        yield _held(Kind.MEMBERSHIP, one, one.business, one.person)
    for manager in managers.iterator(chunk_size=CHUNK):
        yield _held(Kind.BUSINESS_ROLE, manager, manager.content_object, manager.user, manager.role)
    for role in roles.iterator(chunk_size=CHUNK):
        program = role.content_object
        of = (program_label(program),)
        yield _held(Kind.PROGRAM_ROLE, role, program.business, role.user, role.role, of)


def _held(
    kind: Kind,
    row: Membership | BusinessRole | ProgramRole,
    business: BusinessAccount,
    person: User,
    role: str = "",
    programs: tuple[str, ...] = (),
) -> End:
    if row.ends_at is None:
        raise ValueError("What has no end does not end.")
    return End(
        kind,
        str(row.pk),
        since=timezone.localdate(row.starts_at),
        last_day=last_day(row.ends_at),
        business=business,
        person=person,
        programs=programs,
        role=role,
    )
