"""Every period at the second before, at and after its start and its end; no job runs anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import models, transaction
from django.db.models import Q

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation import prepared
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    Ceiling,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    RelationshipRequest,
    Visibility,
)
from delegation.models.requests import Status
from delegation.roles import Action, Role
from delegation.services.agreements import Agreement, Rules, default_last_day
from delegation.services.clients import (
    add_client_to_group,
    create_client_group,
    create_staff_assignment,
)
from delegation.services.employees import Grants, approve_access_request
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.relationships import approve_relationship_request
from pages.formats import end_of_day
from tests.access.random_worlds import submission
from tests.world import World, done
from transactions.models import DeclarationVersion

EVERYTHING = Rules(broker=Visibility.EDIT, importer=Visibility.EDIT, other=Visibility.EDIT)
TORONTO = ZoneInfo("America/Toronto")
SECOND = timedelta(seconds=1)
START, END = timedelta(days=2), timedelta(days=4)
AROUND = {
    START - SECOND: False, START: True, START + SECOND: True,
    END - SECOND: True, END: False, END + SECOND: False,
}  # fmt: skip


@dataclass
class Chain:
    """Who sees the record of Maple through which business, and the row whose period counts."""

    person: User
    acting_for: BusinessAccount
    row: models.Model


type Link = Callable[[World, BusinessAccount], Chain]


def lead_of(world: World, business: BusinessAccount) -> dict[str, Any]:
    return {"actor": world.manager(business), "acting_for": business, "at": world.at}


def membership(world: World, maple: BusinessAccount) -> Chain:
    eve = world.employee("Eve", maple, RM0001="editor")
    return Chain(eve, maple, eve.memberships.get())


def managers_role(world: World, maple: BusinessAccount) -> Chain:
    manager = world.manager(maple)
    return Chain(manager, maple, maple.role_rows.get(user=manager))


def direct_role(world: World, maple: BusinessAccount) -> Chain:
    eve = world.employee("Eve", maple, RM0001="editor")
    return Chain(eve, maple, world.program(maple).role_rows.get(user=eve))


def grouped(world: World, maple: BusinessAccount, scope: Any) -> User:
    """Gwen, whose employee group edits the scope."""
    gwen, lead = world.member("Gwen", maple), lead_of(world, maple)
    group = done(create_employee_group(name="Imports", **lead))
    done(add_employees_to_group(group=group, people=[gwen], **lead))
    done(grant_employee_group_role(group=group, scope=scope, role=Role.EDITOR, **lead))
    return gwen


def group_member(world: World, maple: BusinessAccount) -> Chain:
    gwen = grouped(world, maple, world.program(maple))
    return Chain(gwen, maple, EmployeeGroupMember.objects.get())


def group_role(world: World, maple: BusinessAccount) -> Chain:
    gwen = grouped(world, maple, world.program(maple))
    return Chain(gwen, maple, GroupProgramRole.objects.get())


def group_role_on_programs(world: World, maple: BusinessAccount) -> Chain:
    programs = world.program_group("All doors", maple, "RM0001")
    gwen = grouped(world, maple, programs)
    return Chain(gwen, maple, GroupProgramGroupRole.objects.get())


def program_in_a_group(world: World, maple: BusinessAccount) -> Chain:
    programs = world.program_group("All doors", maple, "RM0001")
    gwen = grouped(world, maple, programs)
    return Chain(gwen, maple, programs.members.get())


def served(world: World, maple: BusinessAccount) -> BusinessAccount:
    """ITN, which acts for Maple and sees everything."""
    itn = world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    return itn


def membership_of_staff(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    ben = world.assign("Ben", itn, maple).person
    return Chain(ben, itn, ben.memberships.get())


def staff_assignment(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    assignment = world.assign("Ben", itn, maple)
    return Chain(assignment.person, itn, assignment)


def member_of_an_assigned_group(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    ben, lead = world.member("Ben", itn), lead_of(world, itn)
    team = done(create_employee_group(name="Team", **lead))
    [place] = done(add_employees_to_group(group=team, people=[ben], **lead))
    done(create_staff_assignment(assignee=team, target=maple, role=Ceiling.EDITOR, **lead))
    return Chain(ben, itn, place)


def client_group_member(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    ben, lead = world.member("Ben", itn), lead_of(world, itn)
    clients = done(create_client_group(name="Ontario", **lead))
    place = done(add_client_to_group(group=clients, client=maple, **lead))
    done(create_staff_assignment(assignee=ben, target=clients, role=Ceiling.EDITOR, **lead))
    return Chain(ben, itn, place)


def relationship(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    return Chain(world.manager(itn), itn, maple.relationships_as_client.get())


def relationship_terms(world: World, maple: BusinessAccount) -> Chain:
    itn = served(world, maple)
    return Chain(world.manager(itn), itn, maple.relationships_as_client.get().terms.get())


LINKS: list[Link] = [
    membership, managers_role, direct_role, group_member, group_role, group_role_on_programs,
    program_in_a_group,
    membership_of_staff, staff_assignment, member_of_an_assigned_group, client_group_member,
    relationship, relationship_terms,
]  # fmt: skip


def built(world: World, link: Link) -> Chain:
    """The chain to a record of Maple, its one row in force between `START` and `END`."""
    maple = world.importer("Maple")
    chain = link(world, maple)
    submission(program=world.program(maple), submitter=maple, at=world.at)
    mine = type(chain.row)._default_manager.filter(pk=chain.row.pk)
    mine.update(starts_at=world.at + START, ends_at=world.at + END)
    return chain


def wrong(world: World, chain: Chain) -> list[str]:
    """The instants around the period at which record or list open when they must not, or do not."""
    version, found = DeclarationVersion.objects.get(), []
    for offset, is_open in AROUND.items():
        access = Access(chain.person, chain.acting_for, world.at + offset)
        listed = access.visible(DeclarationVersion.objects.all()).exists()
        decided = access.decide(Action.EDIT_TRANSACTIONS, version).allowed
        if (listed, decided) != (is_open, is_open):
            found.append(f"{offset}: listed {listed}, decided {decided}")
    return found


@pytest.mark.parametrize("link", LINKS)
def test_a_right_begins_and_ends_at_its_second(world: World, link: Link) -> None:
    assert not wrong(world, built(world, link))


def begun_late(at: datetime, prefix: str = "") -> Q:
    return Q(**{f"{prefix}starts_at__lt": at}) & (
        Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gt": at})
    )


def ended_late(at: datetime, prefix: str = "") -> Q:
    return Q(**{f"{prefix}starts_at__lte": at}) & (
        Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gte": at})
    )


@pytest.fixture
def built_anew() -> Iterator[None]:
    """No query of the decision outlives the test, nor comes from before it."""
    prepared.built.cache_clear()
    yield
    prepared.built.cache_clear()


@pytest.mark.nightly
@pytest.mark.usefixtures("built_anew")
@pytest.mark.parametrize("broken", [begun_late, ended_late])
@pytest.mark.parametrize("link", LINKS)
def test_a_boundary_on_the_wrong_side_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, link: Link, broken: Callable[..., Q]
) -> None:
    """The control: a start that is exclusive, and an end that is inclusive."""
    chain = built(world, link)
    monkeypatch.setattr("delegation.standing.during", broken)
    monkeypatch.setattr("delegation.access.during", broken)
    assert wrong(world, chain)


# ---------------------------------------------------------------- days of Toronto


@pytest.mark.parametrize(
    ("today", "last_day", "hours"),
    [
        (date(2026, 10, 20), date(2026, 11, 1), 25),  # clocks go back
        (date(2028, 2, 29), date(2030, 2, 28), 24),  # the default of two years
    ],
)
def test_a_last_day_is_whole_however_long_it_is(
    db: None, today: date, last_day: date, hours: int
) -> None:
    """More last days, from today's clock, are in `test_paths.py`."""
    world = World(datetime(today.year, today.month, today.day, 10, 30, tzinfo=TORONTO))
    maple, itn = world.importer("Maple"), world.broker("ITN")
    row = world.relationship(maple, itn, rules=EVERYTHING, last_day=last_day)
    theirs = submission(program=world.program(maple), submitter=maple, at=world.at)
    begin = datetime(last_day.year, last_day.month, last_day.day, tzinfo=TORONTO).astimezone(UTC)
    assert row.ends_at == end_of_day(last_day) == begin + timedelta(hours=hours)
    for offset, is_open in ((-SECOND, True), (timedelta(), False), (SECOND, False)):
        access = Access(world.manager(itn), itn, row.ends_at + offset)
        assert access.decide(Action.VIEW_TRANSACTIONS, theirs).allowed is is_open
        assert access.visible(DeclarationVersion.objects.all()).exists() is is_open


@pytest.mark.parametrize(
    ("today", "proposed", "latest"),
    [
        (date(2028, 2, 29), date(2030, 2, 28), date(2033, 2, 28)),
        (date(2026, 11, 1), date(2028, 11, 1), date(2031, 11, 1)),
    ],
)
def test_years_are_counted_from_the_day(
    db: None, today: date, proposed: date, latest: date
) -> None:
    """Two years are proposed and five are the most, from 29 February to 28 February."""
    world = World(datetime(today.year, today.month, today.day, 23, 59, 59, tzinfo=TORONTO))
    assert default_last_day(today) == proposed
    assert approve_firm(world, latest + timedelta(days=1)).code == "expiry_cap"
    assert not isinstance(approve_firm(world, latest), Refusal)


# ---------------------------------------------------------------- what lapses


def approve_firm(world: World, last_day: date, instant: datetime | None = None) -> Any:
    """The outcome of approving the request of ITN to Maple, which is asked where it was not yet."""
    firms = {one.legal_name: one for one in BusinessAccount.objects.all()}
    maple = firms.get("Maple") or world.importer("Maple")
    asked = RelationshipRequest.objects.first() or world.relationship_request(
        firms.get("ITN") or world.broker("ITN"), maple
    )
    agreement = Agreement(
        level="program", programs=frozenset([world.program(maple).pk]), ceiling=Ceiling.EDITOR,
        rules=Rules(), last_day=last_day,
    )  # fmt: skip
    return approve_relationship_request(
        actor=world.manager(maple), acting_for=maple, relationship_request=asked,
        agreement=agreement, expected_version=asked.version, at=instant or world.at,
    )  # fmt: skip


def approve_person(world: World, instant: datetime) -> Any:
    """The outcome of approving Eve's request to Maple."""
    asked = AccessRequest.objects.get()
    maple = BusinessAccount.objects.get(bn9=asked.bn9)
    return approve_access_request(
        actor=world.manager(maple), acting_for=maple, access_request=asked,
        grants=Grants(programs={world.program(maple).pk: Role.READER}),
        expected_version=asked.version, at=instant,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["person", "firm"])
@pytest.mark.parametrize(
    "today", [date(2026, 10, 31), date(2027, 3, 13), date(2028, 2, 29), date(2026, 11, 23)]
)
def test_a_request_lapses_at_its_second(db: None, kind: str, today: date) -> None:
    """Status, lists and the act itself agree: it can be answered until the second it lapses."""
    world = World(datetime(today.year, today.month, today.day, 10, 30, tzinfo=TORONTO))
    maple, itn = world.importer("Maple"), world.broker("ITN")
    asked: Any
    if kind == "person":
        asked = world.access_request("Eve", maple)
    else:
        asked = world.relationship_request(itn, maple)
    every = type(asked).objects
    assert not every.pending_at(asked.starts_at - SECOND).exists()
    for begun in (asked.starts_at, asked.starts_at + SECOND):
        assert every.pending_at(begun).exists() and asked.status_at(begun) is Status.PENDING
    for offset, is_pending in ((-SECOND, True), (timedelta(), False), (SECOND, False)):
        instant = asked.closes_at + offset
        status = Status.PENDING if is_pending else Status.LAPSED
        assert asked.status_at(instant) is status
        assert every.pending_at(instant).exists() is is_pending
        assert every.lapsed_at(instant).exists() is not is_pending
        with transaction.atomic():
            if kind == "person":
                outcome = approve_person(world, instant)
            else:
                outcome = approve_firm(world, instant.date() + timedelta(days=9), instant)
            transaction.set_rollback(True)
        assert isinstance(outcome, Refusal) is not is_pending
        assert is_pending or outcome.code == "lapsed"
