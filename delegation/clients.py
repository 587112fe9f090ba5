"""What the provider's pages read: its clients, the requests it sent, who works for whom.

A client is listed only to those whom the firm assigned to it; the firm's managers reach every one.
What the firm learns about a business number that has not answered is that it waits, whether or
not it is registered.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.looking_for import named, numbered
from delegation.models import (
    BusinessRole,
    Ceiling,
    Membership,
    Relationship,
    RelationshipRequest,
    RelationshipTerms,
    StaffAssignment,
)
from delegation.models.periods import during, in_use, not_suspended
from delegation.terms import State, programs_in_words, state_of
from pages.formats import last_day
from pages.paging import Page, page_by_key


@dataclass(frozen=True)
class Client:
    """A client of the firm acted for, and what the firm may do for it."""

    business: BusinessAccount
    state: State
    programs: tuple[str, ...]
    terms: tuple[RelationshipTerms, ...]


@dataclass(frozen=True)
class Assigned:
    """Who of the firm works for a client: a person, or an employee group; `through` a group."""

    pk: UUID
    name: str
    role: str
    through: str
    last_day: date | None


def clients_of(access: Access, businesses: Iterable[BusinessAccount]) -> list[Client]:
    """The businesses as clients of the firm, with the terms of each: one query for all."""
    known = list(businesses)
    terms = RelationshipTerms.objects.filter(
        relationship__provider=access.acting_for,
        relationship__client__in=known,
        relationship__starts_at__lte=access.at,
        starts_at__lte=access.at,
    ).select_related("relationship", "program", "agreed_by")
    by_client: dict[int, list[RelationshipTerms]] = defaultdict(list)
    for row in terms:
        by_client[row.relationship.client_id].append(row)
    return [_client(business, tuple(by_client[business.pk]), access.at) for business in known]


def _client(
    business: BusinessAccount, terms: tuple[RelationshipTerms, ...], at: datetime
) -> Client:
    in_force = [row for row in terms if row.in_force_at(at)]
    return Client(business, state_of(terms, at), programs_in_words(in_force or terms), terms)


def sent_requests(access: Access) -> QuerySet[RelationshipRequest]:
    """The requests that the firm acted for has sent, whatever became of them."""
    return RelationshipRequest.objects.filter(provider=access.acting_for).prefetch_related("lines")


def sent_request_list(access: Access, text: str, *, after: str = "") -> Page[RelationshipRequest]:
    """A page of them, the newest first; a client is found by name once it gave the firm anything.

    Of a number that has not answered there is no name to find.
    """
    rows = sent_requests(access)
    if text:
        ours = Relationship.objects.filter(provider=access.acting_for)
        known = ours.filter(named("client__", text), client__bn9=OuterRef("client_bn9"))
        rows = rows.filter(Q(Exists(known)) | numbered("client_bn9", text))
    return page_by_key(rows, key=("starts_at", "id"), after=after)


def names_of_clients(access: Access, numbers: Collection[str]) -> dict[str, str]:
    """The names, by number, of those that are or were clients of the firm: 1 query."""
    ours = Relationship.objects.filter(
        provider=access.acting_for, starts_at__lte=access.at, client__bn9__in=numbers
    )
    return dict(ours.values_list("client__bn9", "client__legal_name"))


def assignments_to(access: Access, client: BusinessAccount) -> QuerySet[StaffAssignment]:
    """The live assignments of the firm's people to a client, by itself or by a client group."""
    in_group = in_use(access.at, "client_group__") & Q(client_group__members__client=client)
    in_group &= during(access.at, "client_group__members__")
    return (
        StaffAssignment.objects.filter(during(access.at), provider=access.acting_for)
        .filter(Q(client=client) | (Q(client_group__isnull=False) & in_group))
        .select_related("person", "employee_group", "client_group")
        .order_by("person__last_name", "person__first_name", "employee_group__name", "starts_at")
    )


def people_who_work_for(access: Access, client: BusinessAccount) -> QuerySet[User]:
    """The people of the firm who reach a client: its managers, and those it assigned."""
    assigned = assignments_to(access, client).order_by()
    in_groups = assigned.filter(
        during(access.at, "employee_group__members__"), in_use(access.at, "employee_group__")
    )
    reaching = (
        Q(person__in=assigned.filter(employee_group=None).values("person"))
        | Q(person__in=in_groups.values("employee_group__members__person"))
        | Q(
            person__in=BusinessRole.objects.filter(
                during(access.at), content_object=access.acting_for
            ).values("user")
        )
    )
    members = Membership.objects.filter(
        during(access.at), not_suspended(access.at), reaching, business=access.acting_for
    )
    return User.objects.filter(is_active=True, pk__in=members.values("person"))


def assigned_to(access: Access, client: BusinessAccount) -> list[Assigned]:
    """Who works for a client, in words."""
    return [
        Assigned(
            pk=row.pk,
            name=row.person.get_full_name() if row.person else str(row.employee_group),
            role=str(Ceiling(row.role).label),
            through=row.client_group.name if row.client_group else "",
            last_day=last_day(row.ends_at) if row.ends_at else None,
        )
        for row in assignments_to(access, client)
    ]
