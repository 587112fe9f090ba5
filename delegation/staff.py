"""Who of a firm works for what: the assignments of a person, of an employee group, to a target."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    Ceiling,
    ClientGroup,
    ClientGroupMember,
    EmployeeGroup,
    EmployeeGroupMember,
    Membership,
    StaffAssignment,
)
from delegation.models.periods import during, not_suspended
from delegation.services.clients import assignable_people
from delegation.terms import until
from pages.formats import day, last_day

type Assignee = User | EmployeeGroup
type Target = BusinessAccount | ClientGroup


@dataclass(frozen=True)
class Assigned:
    """An assignment in words: who works for what, as what, since when and until when."""

    pk: UUID
    who: str
    target: str
    target_url: str
    bn: str
    role: str
    since: str
    until: str
    through: str = ""


@dataclass(frozen=True)
class Worker:
    """A person or an employee group of the firm, and how many live assignments it has."""

    name: str
    about: str
    url: str
    assignments: int


def live_assignments(access: Access) -> QuerySet[StaffAssignment]:
    """The live assignments of the firm acted for."""
    return StaffAssignment.objects.filter(
        during(access.at), provider=access.acting_for
    ).select_related("person", "employee_group", "client", "client_group")


def of_worker(access: Access, worker: Assignee) -> QuerySet[StaffAssignment]:
    """What a person or an employee group is assigned to by name."""
    rows = live_assignments(access)
    if isinstance(worker, User):
        return rows.filter(person=worker)
    return rows.filter(employee_group=worker)


def groups_working(access: Access, person: User) -> list[EmployeeGroup]:
    """The employee groups of the firm that a person is in and that work for somebody."""
    groups = EmployeeGroup.objects.filter(
        during(access.at, "members__"),
        business=access.acting_for,
        archived_at=None,
        members__person=person,
    )
    works = live_assignments(access).filter(employee_group=OuterRef("pk"))
    return list(groups.filter(Exists(works)).order_by("name"))


def in_words(access: Access, rows: Iterable[StaffAssignment]) -> list[Assigned]:
    """The assignments as pages show them."""
    return [_in_words(access, row) for row in rows]


def _in_words(access: Access, row: StaffAssignment) -> Assigned:
    bn9 = access.acting_for.bn9
    if row.client:
        url = reverse("client_detail", kwargs={"bn9": bn9, "client_bn9": row.client.bn9})
    else:
        url = reverse("client_group_detail", kwargs={"bn9": bn9, "pk": row.client_group_id})
    return Assigned(
        pk=row.pk,
        who=name_of(row.person or row.employee_group),
        target=row.client.legal_name if row.client else str(row.client_group),
        target_url=url,
        bn=row.client.bn_shown if row.client else _("Client group"),
        role=str(Ceiling(row.role).label),
        since=day(last_day(row.starts_at)),
        until=capfirst(until(row.ends_at)) if row.ends_at else _("No last day"),
    )


def name_of(worker: Assignee | None) -> str:
    """A person, or an employee group, as people call it."""
    return worker.get_full_name() if isinstance(worker, User) else str(worker)


def target_of(assignment: StaffAssignment) -> str:
    """A client or a client group, as a message names it."""
    return str(assignment.client or assignment.client_group)


def workers(access: Access) -> list[Worker]:
    """The people and employee groups of the firm whom its manager can assign: 3 queries."""
    bn9, live = access.acting_for.bn9, during(access.at, "assignments__")
    live &= Q(assignments__provider=access.acting_for)
    members = Membership.objects.filter(
        during(access.at),
        not_suspended(access.at),
        business=access.acting_for,
        person__is_active=True,
    ).select_related("person")
    held = dict(
        User.objects.filter(live, pk__in=members.values("person"))
        .annotate(held=Count("assignments"))
        .values_list("pk", "held")
    )
    by_name = members.order_by("person__last_name", "person__first_name", "person_id")
    people = [
        Worker(
            one.person.get_full_name(),
            one.person.email,
            reverse("staff_detail", kwargs={"bn9": bn9, "pk": one.pk}),
            held.get(one.person_id, 0),
        )
        for one in by_name
    ]
    groups = EmployeeGroup.objects.filter(business=access.acting_for, archived_at=None)
    counted = groups.annotate(held=Count("assignments", filter=live)).order_by("name")
    return people + [
        Worker(
            one.name,
            _("Employee group"),
            reverse("staff_group_detail", kwargs={"bn9": bn9, "pk": one.pk}),
            one.held,
        )
        for one in counted
    ]


def assignable(access: Access, target: Target | None = None) -> dict[str, Assignee]:
    """Whom the firm can assign, by the value of the choice: people, then employee groups.

    Not those who are assigned to the target by name already, nor the person itself.
    """
    people, groups = assignable_people(access.acting_for, access.at), _groups(access)
    taken: set[object] = {access.person.pk}
    if target is not None:
        column = "client" if isinstance(target, BusinessAccount) else "client_group"
        held = live_assignments(access).filter(**{column: target})
        for person, group in held.values_list("person", "employee_group"):
            taken |= {person, group}
    every: list[Assignee] = [*people, *groups]
    return {str(one.pk): one for one in every if one.pk not in taken}


def _groups(access: Access) -> QuerySet[EmployeeGroup]:
    """The employee groups of the firm that the person is not in: nobody assigns itself."""
    mine = EmployeeGroupMember.objects.filter(
        during(access.at), group=OuterRef("pk"), person=access.person
    )
    groups = EmployeeGroup.objects.filter(business=access.acting_for, archived_at=None)
    return groups.filter(~Exists(mine)).order_by("name")


def label_of(worker: Assignee) -> str:
    """A choice of a list of people and employee groups."""
    if isinstance(worker, User):
        return f"{worker.get_full_name()} ({worker.email})"
    return _("Employee group: %(name)s") % {"name": worker.name}


# ---------------------------------------------------------------- client groups


@dataclass(frozen=True)
class Group:
    """A client group in the list of them."""

    pk: UUID
    name: str
    clients: int
    assignments: int


def client_groups(access: Access) -> list[Group]:
    """The client groups of the firm that are not archived, by name: 1 query."""
    inside = ClientGroupMember.objects.filter(during(access.at), group=OuterRef("pk"))
    assigned = live_assignments(access).filter(client_group=OuterRef("pk"))
    rows = ClientGroup.objects.filter(provider=access.acting_for, archived_at=None)
    counted = rows.annotate(
        clients=_count(inside, "group"), held=_count(assigned, "client_group")
    ).order_by("name")
    return [Group(one.pk, one.name, one.clients, one.held) for one in counted]


def _count(rows: QuerySet, column: str) -> Coalesce:
    """How many rows an outer row has, 0 where it has none."""
    counted = rows.order_by().values(column).annotate(held=Count("pk")).values("held")
    return Coalesce(Subquery(counted), 0)


def clients_in(access: Access, group: ClientGroup) -> QuerySet[ClientGroupMember]:
    """The clients in a group now."""
    return group.members.filter(during(access.at)).select_related("client")
