"""Many of what a test has one of: written in bulk, each a copy of what a service made.

Where the number of rows matters and not how they came to be. On SQLite the triggers against
overlapping periods look at every row of a pair: there thousands are too many.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from django.db.models import Model

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models import Membership, ProgramRole, Relationship
from tests.world import World, next_bn9
from transactions.models import Declaration, DeclarationVersion

_numbers = count(1)


def copies[Row: Model](row: Row, changes: Iterable[Mapping[str, Any]]) -> list[Row]:
    """A row again for each of the changes to it."""
    fields = [one for one in row._meta.concrete_fields if not one.primary_key]
    columns = {one.attname: getattr(row, one.attname) for one in fields}
    made = [type(row)(**columns | changed) for changed in changes]
    return type(row)._base_manager.bulk_create(made, batch_size=2000)


def businesses(first: BusinessAccount, number: int) -> list[BusinessAccount]:
    """As many businesses like the first one, each with its program accounts."""
    named = ({"bn9": next_bn9(), "legal_name": f"{first.legal_name} {n:05}"} for n in range(number))
    made = copies(first, named)
    for program in first.programs.all():
        copies(program, ({"business_id": one.pk} for one in made))
    return made


def clients(first: Relationship, number: int) -> list[BusinessAccount]:
    """As many further clients of the firm, on the terms of the first relationship."""
    made = businesses(first.client, number)
    relate(first, [{"client_id": one.pk} for one in made], made)
    return made


def firms(first: Relationship, number: int) -> list[BusinessAccount]:
    """As many further firms that act for the client, on the terms of the first one."""
    made = businesses(first.provider, number)
    relate(first, [{"provider_id": one.pk} for one in made], [first.client] * number)
    return made


def relate(
    first: Relationship, changes: Sequence[Mapping[str, Any]], owners: Sequence[BusinessAccount]
) -> list[Relationship]:
    """The same relationship and request between others; `owners` are the clients of each."""
    sides = [{"client_bn9": owner.bn9} for owner in owners]
    for side, changed in zip(sides, changes, strict=True):
        side |= {name: key for name, key in changed.items() if name == "provider_id"}
    asked = copies(first.request, sides)
    held = copies(
        first,
        (
            {**changed, "request_id": request.pk}
            for changed, request in zip(changes, asked, strict=True)
        ),
    )
    programs = {
        (one.business_id, one.extension): one.pk
        for one in ProgramAccount.objects.filter(business__in={owner.pk for owner in owners})
    }
    for terms in first.terms.select_related("program"):
        extension = terms.program.extension if terms.program else ""
        copies(
            terms,
            (
                {"relationship_id": one.pk, "program_id": programs.get((owner.pk, extension))}
                for one, owner in zip(held, owners, strict=True)
            ),
        )
    return held


def employees(first: Membership, number: int) -> list[User]:
    """As many further people who hold what the first one holds on program accounts."""
    names = ((n, next(_numbers)) for n in range(number))
    people = copies(
        first.person,
        (
            {
                "username": f"w{serial}",
                "email": f"w{serial}@example.test",
                "first_name": "Worker",
                "last_name": f"No {n:05}",
            }
            for n, serial in names
        ),
    )
    copies(first.person.profile, ({"user_id": one.pk} for one in people))
    copies(first, ({"person_id": one.pk} for one in people))
    for role in ProgramRole.objects.filter(
        user=first.person, content_object__business=first.business
    ):
        copies(role, ({"user_id": one.pk} for one in people))
    return people


def programs(first: ProgramAccount, numbers: Iterable[int]) -> list[ProgramAccount]:
    """Further program accounts of a business."""
    return copies(first, ({"extension": f"RM{n:04}", "name": f"Port {n}"} for n in numbers))


def declarations(
    world: World, first: Declaration, number: int, changes: Mapping[str, Any] = {}
) -> Iterator[Declaration]:
    """As many further declarations of one version, each a minute older than the one before.

    `changes` are of the version, such as who submitted it.
    """
    minutes = [world.at - timedelta(minutes=n) for n in range(number)]
    made = copies(
        first, ({"number": f"7{next(_numbers):013}", "declared_at": at} for at in minutes)
    )
    version: DeclarationVersion = first.versions.get()
    about = [{"declaration_id": one.pk, "submitted_at": one.declared_at, **changes} for one in made]
    copies(version, about)
    yield from made
