"""The order in which acts hold rows, so that no two of them wait for one another (decision 45).

Businesses, what waits to be decided, the count of requests, memberships, groups, what people hold,
and last the ends of the histories; by primary key within each. An act leaves out what it does not
need. One that does what several acts do holds all that they need before it does the first of them.
"""

from collections.abc import Collection, Iterable

from django.db import connection

from accounts.models import User
from audit.services import business_chain, hold_chains, person_chain
from businesses.models import BusinessAccount, ProgramGroup
from delegation.models import AccessRequest, BusinessRole, EmployeeGroup, Membership, ProgramRole


def lock_rights(*changed: BusinessAccount, used: Collection[BusinessAccount] = ()) -> None:
    """Hold what people may do, before all else: who may act then may until the transaction ends.

    Rights in a business, and those that its terms give to a firm, change one act at a time
    (`changed`). Acts that only use them (`used`) share it: they wait for a change alone.
    """
    alone = {business.pk for business in changed}
    for pk in sorted(alone | {business.pk for business in used}):
        if pk in alone:
            BusinessAccount.objects.select_for_update(no_key=True).get(pk=pk)
        elif connection.features.has_select_for_update:
            _share(pk)


def _share(pk: int) -> None:
    """Hold a business together with others; Django has no words for it."""
    table = connection.ops.quote_name(BusinessAccount._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR SHARE", [pk])  # noqa: S608


def lock_requests(people: Collection[User], business: BusinessAccount) -> None:
    """Hold what people ask of a business, so that none of it is decided meanwhile."""
    rows = AccessRequest.objects.select_for_update(no_key=True)
    list(rows.filter(person__in=people, bn9=business.bn9, decision="").order_by("pk"))


def lock_memberships(people: Collection[User], business: BusinessAccount) -> None:
    """Hold what memberships people have here, so that none ends while something is granted."""
    rows = Membership.objects.select_for_update(no_key=True)
    list(rows.filter(person__in=people, business=business).order_by("pk"))


def lock_group[G: (EmployeeGroup, ProgramGroup)](group: G) -> G:
    """The group as it is now, held: what it holds, and whom, changes one act at a time."""
    rows = type(group)._default_manager.select_for_update(no_key=True, of=("self",))
    return rows.select_related("business").get(pk=group.pk)


def lock_groups(groups: Iterable[EmployeeGroup]) -> list[EmployeeGroup]:
    """Employee groups as they are now, each held, in order."""
    return [lock_group(one) for one in sorted(groups, key=lambda one: one.pk)]


def lock_roles(people: Collection[User], business: BusinessAccount) -> None:
    """Hold what people hold directly in a business, so that none of it ends meanwhile."""
    managers = BusinessRole.objects.filter(user__in=people, content_object=business)
    list(managers.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    rows = ProgramRole.objects.filter(user__in=people, content_object__business=business)
    list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def lock_histories(people: Iterable[User], business: BusinessAccount) -> None:
    """Hold the end of the histories of a business and of people, after all else."""
    hold_chains(business_chain(business.bn9), *map(person_chain, people))


def lock_joining(people: Collection[User], group: EmployeeGroup) -> EmployeeGroup:
    """A group, held with the memberships of those who come into it or leave it, and its history."""
    lock_rights(group.business)
    lock_memberships(people, group.business)
    locked = lock_group(group)
    lock_histories(people, group.business)
    return locked
