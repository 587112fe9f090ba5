"""Every list at full size: 20,000 clients, 2,000 employees and firms, 500 program accounts.

Each page is read twice: where there are few of everything and where there are many, in one run, so
that a slow machine slows both. It must cost the same queries, and not the time of what it leaves
out. `pytest tests/test_flat.py -s` prints the figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import (
    AccessReview,
    ClientGroupMember,
    EmployeeGroup,
    Membership,
    Relationship,
    Visibility,
)
from delegation.roles import Role
from delegation.services.agreements import Rules
from delegation.services.clients import add_client_to_group, create_client_group
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.reviews import create_access_review
from tests import multitude
from tests.delegation.reading import as_
from tests.transactions.factories import declare
from tests.world import World, done, next_bn9
from transactions.declarations import Submitter

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.postgres,
    pytest.mark.usefixtures("clock"),
]

TIMES, ALLOWANCE = 3, 0.3
"""A page with many may take so many times that with few, and so many seconds more."""


@dataclass
class Cost:
    """What a page costs: queries, seconds, bytes."""

    queries: int
    seconds: float
    size: int


def cost(browser: Client, page: str) -> Cost:
    """The cheapest of three visits after a first one."""
    browser.get(page)
    found = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            began = perf_counter()
            answer = browser.get(page)
            body = b"".join(answer) if answer.streaming else answer.content
            seconds = perf_counter() - began
        assert answer.status_code == 200, page
        found.append(Cost(len(captured), seconds, len(body)))
    return min(found, key=lambda one: one.seconds)


def compare(pages: Iterator[tuple[str, User, str, User, str]]) -> None:
    """Every page of few against the same of many."""
    grown = []
    for name, of_few, few, of_many, many in pages:
        small, large = cost(as_(of_few), few), cost(as_(of_many), many)
        said = (
            f"{name:34} {small.queries:3} {large.queries:3} queries"
            f" {small.seconds * 1000:7.0f} {large.seconds * 1000:7.0f} ms"
            f" {small.size / 1000:6.0f} {large.size / 1000:6.0f} kB"
        )
        print(said)
        is_flat = large.queries <= small.queries
        if not is_flat or large.seconds > TIMES * small.seconds + ALLOWANCE:
            grown.append(said)
    assert not grown


def at(name: str, business: BusinessAccount, query: str = "", **more: object) -> str:
    return reverse(name, kwargs={"bn9": business.bn9, **more}) + query


def analyze() -> None:
    """What autovacuum does in time: the planner learns how many rows there are."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# ---------------------------------------------------------------- clients of a firm


def firm(world: World, name: str, number: int) -> tuple[BusinessAccount, User]:
    """A broker with so many clients, requests and declarations, and Ben who works for all."""
    itn, maple = world.broker(name), world.importer(f"{name} client", programs=1)
    held = world.relationship(maple, itn, rules=Rules(importer=Visibility.VIEW))
    others = multitude.clients(held, number)
    waiting = world.relationship_request(itn, next_bn9())
    asked = multitude.copies(waiting, ({"client_bn9": next_bn9()} for _ in others))
    multitude.copies(waiting.lines.get(), ({"request_id": one.pk} for one in asked))
    assigned = world.assign(f"{name} Ben", itn, maple)
    multitude.copies(assigned, ({"client_id": one.pk} for one in others))
    act = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    group = done(create_client_group(name="All", **act))
    done(add_client_to_group(group=group, client=maple, **act))
    inside = ClientGroupMember.objects.get(group=group)
    multitude.copies(inside, ({"client_id": one.pk} for one in others))
    first = declare(world.program(maple), world.at)
    for one in others:
        one.first_program = one.programs.first()  # type: ignore[attr-defined]
    made = multitude.copies(
        first,
        (
            {"number": f"8{one.pk:013}", "owner_id": one.pk, "program_id": one.first_program.pk}  # type: ignore[attr-defined]
            for one in others
        ),
    )
    about = ({"declaration_id": one.pk, "program_id": one.program_id, "owner_id": one.owner_id,
              "submitter_id": one.owner_id} for one in made)  # fmt: skip
    multitude.copies(first.versions.get(), about)
    return itn, world.person(f"{name} Ben")


@pytest.mark.asvs("15.2.2")
def test_pages_about_20_000_clients(world: World) -> None:
    few, many = (firm(world, name, n) for name, n in (("Few", 600), ("Many", 20_000)))
    # What strangers declared last, more than a list looks at.
    later = declare(world.program(world.importer("Elm")), world.at)
    list(multitude.declarations(world.later(days=1), later, 1_000))
    analyze()

    def pages() -> Iterator[tuple[str, User, str, User, str]]:
        narrowed = [f"?submitter={one}" for one in Submitter.values]
        narrowed += [f"?number={later.number}", "?first_day=2026-01-01&last_day=2026-11-23"]
        views = ("all", "active", "ending", "expired", "waiting", "unassigned")
        asked = [("client_list", f"?view={view}") for view in views]
        asked += [("client_list", "?name=client 00301"), ("client_list", "?name=zzzz")]
        asked += [("declaration_list", query) for query in ("", *narrowed)]
        asked += [("client_calendar", ""), ("business_home", "")]
        theirs = ("?view=waiting", "?view=unassigned")
        own = [("relationship_request_list", ""), ("client_group_list", ""), ("staff_list", "")]
        for name, query in asked + own:
            pair = [(world.manager(itn), at(name, itn, query)) for itn, _ben in (few, many)]
            yield f"{name} {query}", *pair[0], *pair[1]
            if (name, query) in asked and query not in theirs:
                pair = [(ben, at(name, itn, query)) for itn, ben in (few, many)]
                yield f"Ben: {name} {query}", *pair[0], *pair[1]

    compare(pages())


# ---------------------------------------------------------------- people of a business


def staffed(world: World, name: str, people: int, programs: int) -> BusinessAccount:
    """A business with so many employees, requests and invitations, a group and a review."""
    maple = world.importer(name)
    first = world.employee(f"{name} Ana", maple, RM0001="reader", RM0002="editor")
    others = multitude.employees(Membership.objects.get(person=first, business=maple), people)
    multitude.programs(world.program(maple), range(3, programs + 1))
    asked = world.access_request(f"{name} Zoe", maple, RM0001="reader")
    askers = multitude.copies(
        world.person(f"{name} Zoe"),
        ({"username": f"{name}{n}", "email": f"{name}{n}@example.test"} for n in range(people)),
    )
    requests = multitude.copies(asked, ({"person_id": one.pk} for one in askers))
    multitude.copies(asked.lines.get(), ({"request_id": one.pk} for one in requests))
    act = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Desk", **act))
    done(grant_employee_group_role(group=group, scope=world.program(maple), role=Role.PAM, **act))
    [member] = done(add_employees_to_group(group=group, people=[first], **act))
    multitude.copies(member, ({"person_id": one.pk} for one in others))
    done(create_access_review(**act))
    return maple


def test_pages_about_2_000_employees_and_500_program_accounts(world: World) -> None:
    few, many = (
        staffed(world, name, people, programs)
        for name, people, programs in (("Few", 200, 20), ("Many", 2_000, 500))
    )
    analyze()

    def of(business: BusinessAccount) -> Iterator[tuple[str, str]]:
        for name in ("business_home", "employee_list", "employee_grid", "access_request_list",
                     "invitation_create", "employee_group_list", "access_review_list"):  # fmt: skip
            yield name, at(name, business)
        yield "employee_list, found", at("employee_list", business, "?name=No 00150")
        yield "employee_grid, found", at("employee_grid", business, "?name=&program=RM0002")
        group = EmployeeGroup.objects.get(business=business).pk
        for name in ("employee_group_detail", "employee_group_add", "employee_group_grant"):
            yield name, at(name, business, pk=group)
        review = AccessReview.objects.get(business=business).pk
        for name in ("access_review_detail", "access_review_apply"):
            yield name, at(name, business, pk=review)
        held = Membership.objects.filter(business=business, person__first_name="Worker")
        for name in ("employee_detail", "role_change"):
            yield name, at(name, business, pk=held[0].pk)
        yield "who can see", at("program_detail", business, extension="RM0001")

    def pages() -> Iterator[tuple[str, User, str, User, str]]:
        for (name, small), (_same, large) in zip(of(few), of(many), strict=True):
            yield name, world.manager(few), small, world.manager(many), large

    compare(pages())


# ---------------------------------------------------------------- firms of a client


def test_pages_about_2_000_firms(world: World) -> None:
    few, many = world.importer("Few"), world.importer("Many")
    for maple, number in ((few, 40), (many, 2_000)):
        multitude.firms(world.relationship(maple, world.broker(f"{maple} firm")), number)
        waiting = world.relationship_request(world.broker(f"{maple} asker"), maple)
        others = multitude.businesses(waiting.provider, number)
        asked = multitude.copies(waiting, ({"provider_id": one.pk} for one in others))
        multitude.copies(waiting.lines.get(), ({"request_id": one.pk} for one in asked))
    analyze()

    def of(business: BusinessAccount) -> Iterator[tuple[str, str]]:
        for name in ("business_home", "relationship_list", "relationship_ending_list",
                     "relationship_ended_list", "relationship_calendar"):  # fmt: skip
            yield name, at(name, business)
        yield "relationship_list, found", at("relationship_list", business, "?name=firm 00031")
        held = Relationship.objects.filter(client=business)[1]
        yield "in flight", at("relationship_detail", business, pk=held.pk)
        yield "who can see", at("program_detail", business, extension="RM0001")

    def pages() -> Iterator[tuple[str, User, str, User, str]]:
        for (name, small), (_same, large) in zip(of(few), of(many), strict=True):
            yield name, world.manager(few), small, world.manager(many), large

    compare(pages())
