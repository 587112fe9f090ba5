"""Who is told about a business: its managers, and the people a firm lets work for a client.

Asked for many businesses at once, at the same number of queries.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from delegation.models import BusinessRole, Membership, StaffAssignment
from delegation.models.periods import during, in_use, not_suspended

type People = dict[int, set[int]]


def managers_by_business(businesses: Collection[int], at: datetime) -> People:
    """The live, active Business Account Managers of each business, by primary keys: 1 query."""
    members = Membership.objects.filter(
        during(at),
        not_suspended(at),
        person=OuterRef("user"),
        business=OuterRef("content_object"),
    )
    roles = BusinessRole.objects.filter(
        during(at), Exists(members), content_object__in=businesses, user__is_active=True
    )
    return _gathered(roles.values_list("content_object_id", "user_id"))


def staff_by_pair(
    pairs: Collection[tuple[int, int]], at: datetime
) -> dict[tuple[int, int], set[int]]:
    """Whom each provider lets work for each client, by (provider, client): 2 queries.

    Managers, who reach every client without being assigned, are not named.
    """
    assigned = list(_assigned(pairs, at))
    people = {person for _provider, _client, person in assigned}
    live = Membership.objects.filter(
        during(at),
        not_suspended(at),
        business__in={provider for provider, _client in pairs},
        person__in=people,
        person__is_active=True,
    )
    members = set(live.values_list("business_id", "person_id"))
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for provider, client, person in assigned:
        if (provider, person) in members:
            found[provider, client].add(person)
    return found


def _assigned(
    pairs: Collection[tuple[int, int]], at: datetime
) -> QuerySet[StaffAssignment, tuple[int, int, int]]:
    """(provider, client, person) of each live assignment, whatever groups it goes through."""
    providers, clients = ({pair[place] for pair in pairs} for place in (0, 1))
    live = StaffAssignment.objects.filter(during(at), provider__in=providers)
    direct = live.filter(client__in=clients)
    grouped = live.filter(
        during(at, "client_group__members__"),
        in_use(at, "client_group__"),
        client_group__members__client__in=clients,
    )
    every = []
    for rows, client in ((direct, "client_id"), (grouped, "client_group__members__client")):
        in_person, in_groups = rows.filter(employee_group=None), _in_groups(rows, at)
        every += [
            in_person.values_list("provider_id", client, "person_id"),
            in_groups.values_list("provider_id", client, "employee_group__members__person"),
        ]
    return every[0].union(*every[1:])


def _in_groups(rows: QuerySet[StaffAssignment], at: datetime) -> QuerySet[StaffAssignment]:
    return rows.filter(during(at, "employee_group__members__"), in_use(at, "employee_group__"))


def _gathered(rows: QuerySet[BusinessRole, tuple[int, int]]) -> People:
    found: People = defaultdict(set)
    for business, person in rows:
        found[business].add(person)
    return found
