"""Whom an assignment reaches, and which clients a person knows of: by list and by decision."""

from datetime import timedelta

import pytest

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access, visible_to
from delegation.models import Ceiling, ClientGroup, EmployeeGroup, StaffAssignment
from delegation.reach import known_to
from delegation.reasons import Reason
from delegation.roles import Role
from delegation.services.clients import add_client_to_group, create_client_group
from delegation.services.groups import add_employees_to_group, create_employee_group
from delegation.standing import PathKind
from tests.access.random_worlds import submission
from tests.access.test_paths import EDIT, EVERYTHING, VIEW, by, reason
from tests.world import World, done
from transactions.models import DeclarationVersion

REACHED, MISSED = Reason.ALLOWED, Reason.NOT_ASSIGNED


class Firm:
    """ITN with the client Maple, a group of each kind that holds one, and one assignment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maple, self.itn = world.importer("Maple"), world.broker("ITN")
        world.relationship(self.maple, self.itn, rules=EVERYTHING)
        common = {"actor": world.manager(self.itn), "acting_for": self.itn, "at": world.at}
        self.ben, self.eve = world.member("Ben", self.itn), world.member("Eve", self.itn)
        self.team: EmployeeGroup = done(create_employee_group(name="Team", **common))
        [self.place] = done(add_employees_to_group(group=self.team, people=[self.ben], **common))
        self.ontario: ClientGroup = done(create_client_group(name="Ontario", **common))
        self.listed = done(add_client_to_group(group=self.ontario, client=self.maple, **common))
        self.version = by(world, self.maple, self.itn)

    def assign(self, **who_and_whom: object) -> StaffAssignment:
        """An assignment of the firm as Editor, from now on without an end."""
        return StaffAssignment.objects.create(
            provider=self.itn,
            role=Ceiling.EDITOR,
            assigned_by=self.world.manager(self.itn),
            starts_at=self.world.at,
            **who_and_whom,
        )

    def asked(self, person: User, world: World | None = None) -> tuple[Reason, list[str]]:
        """Why the person may see Maple's record, and the clients that it knows of."""
        world = world or self.world
        access = Access(person, self.itn, world.at)
        names = access.clients().order_by("legal_name").values_list("legal_name", flat=True)
        return reason(world, person, self.itn, self.version), list(names)


@pytest.fixture
def firm(world: World) -> Firm:
    return Firm(world)


def test_an_assignment_of_a_group_is_for_its_members_alone(firm: Firm) -> None:
    firm.assign(employee_group=firm.team, client=firm.maple)
    assert firm.asked(firm.ben) == (REACHED, ["Maple"])
    assert firm.asked(firm.eve) == (MISSED, [])


def test_whoever_leaves_the_group_loses_it_to_the_second(firm: Firm) -> None:
    firm.assign(employee_group=firm.team, client=firm.maple)
    firm.place.ends_at = firm.world.at + timedelta(days=1)
    firm.place.save()
    assert firm.asked(firm.ben, firm.world.later(hours=23, minutes=59, seconds=59))[0] is REACHED
    assert firm.asked(firm.ben, firm.world.later(days=1)) == (MISSED, [])


def test_a_group_that_was_given_up_reaches_nobody(firm: Firm) -> None:
    firm.assign(employee_group=firm.team, client=firm.maple)
    firm.team.archived_at = firm.world.at
    firm.team.save()
    assert firm.asked(firm.ben) == (MISSED, [])


def test_a_client_group_is_its_clients_of_today(firm: Firm) -> None:
    firm.assign(person=firm.ben, client_group=firm.ontario)
    assert firm.asked(firm.ben) == (REACHED, ["Maple"])
    firm.listed.ends_at = firm.world.at + timedelta(days=1)
    firm.listed.save()
    assert firm.asked(firm.ben)[0] is REACHED
    assert firm.asked(firm.ben, firm.world.later(days=1)) == (MISSED, [])


def test_a_client_group_that_was_given_up_holds_nobody(firm: Firm) -> None:
    firm.assign(person=firm.ben, client_group=firm.ontario)
    firm.ontario.archived_at = firm.world.at
    firm.ontario.save()
    assert firm.asked(firm.ben) == (MISSED, [])


def test_who_works_for_more_groups_than_a_list_starts_from_misses_no_client(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of clients is what the decision says, however many groups somebody has."""
    lead = {"actor": firm.world.manager(firm.itn), "acting_for": firm.itn, "at": firm.world.at}
    for name in ("Alder", "Birch", "Cedar"):
        client = firm.world.importer(name)
        firm.world.relationship(client, firm.itn)
        group = done(create_client_group(name=name, **lead))
        done(add_client_to_group(group=group, client=client, **lead))
        firm.assign(person=firm.ben, client_group=group)
    firm.assign(person=firm.ben, client_group=firm.ontario)
    access = Access(firm.ben, firm.itn, firm.world.at)
    for few in (500, 1):
        monkeypatch.setattr("delegation.reach.FEW", few)
        known = BusinessAccount.objects.filter(known_to(access, "pk"))
        assert {*known} == {*access.clients()} and known.count() == 4
    archived = {"archived_at": firm.world.at}
    ClientGroup.objects.filter(name="Birch").update(**archived)
    assert BusinessAccount.objects.filter(known_to(access, "pk")).count() == 3


def test_an_assignment_opens_no_other_client(firm: Firm) -> None:
    cedar = firm.world.importer("Cedar")
    firm.world.relationship(cedar, firm.itn)
    firm.assign(person=firm.ben, client=cedar)
    assert firm.asked(firm.ben) == (MISSED, ["Cedar"])


def test_the_clients_of_other_firms_and_of_tomorrow_are_unknown(firm: Firm) -> None:
    other = firm.world.broker("Other")
    cedar, birch = firm.world.importer("Cedar"), firm.world.importer("Birch")
    firm.world.relationship(cedar, other)
    firm.world.later(days=1).relationship(birch, firm.itn)
    manager = firm.world.manager(firm.itn)
    assert firm.asked(manager) == (REACHED, ["Maple"])
    assert firm.asked(manager, firm.world.later(days=1)) == (REACHED, ["Birch", "Maple"])


def test_a_path_says_by_what_it_leads(firm: Firm) -> None:
    firm.assign(employee_group=firm.team, client_group=firm.ontario)
    [path] = Access(firm.ben, firm.itn, firm.world.at).decide(EDIT, firm.version).paths
    assert (path.kind, path.role) == (PathKind.PROVIDER, Role.EDITOR)
    assert path.terms is not None and path.source == str(path.terms.relationship_id)
    assert path.assignment is not None
    assert (path.assignment.employee_group, path.assignment.client_group) == ("Team", "Ontario")

    firm.assign(person=firm.eve, client=firm.maple)
    [path] = Access(firm.eve, firm.itn, firm.world.at).decide(EDIT, firm.version).paths
    assert path.assignment is not None
    assert (path.assignment.employee_group, path.assignment.client_group) == ("", "")


@pytest.mark.parametrize("ceiling", [Ceiling.READER, Ceiling.EDITOR])
def test_the_weaker_of_ceiling_and_assignment_is_the_role(world: World, ceiling: Ceiling) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, ceiling=ceiling)
    world.assign("Ben", itn, maple, Ceiling.EDITOR)
    decision = Access(world.person("Ben"), itn, world.at).decide(VIEW, by(world, maple, itn))
    assert decision.path.role.value == ceiling.value


def test_what_is_submitted_in_the_instant_of_the_end_is_outside(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn)
    ends_at = relationship.ends_at
    assert ends_at
    then, manager = world.later(days=90), world.manager(itn)

    def submitted(at: World) -> DeclarationVersion:
        return submission(program=world.program(maple), submitter=itn, at=at.at)

    last = submitted(World(ends_at - timedelta(microseconds=1), world.people))
    outside = submitted(World(ends_at, world.people))
    assert reason(then, manager, itn, last) is Reason.ALLOWED
    assert reason(then, manager, itn, outside) is Reason.RELATIONSHIP_OVER
    every = DeclarationVersion.objects.all()
    assert list(visible_to(manager, itn, every, then.at)) == [last]


def test_two_firms_of_one_person_do_not_mix(firm: Firm) -> None:
    """A person assigned by one firm is a stranger to the client through another."""
    other: BusinessAccount = firm.world.broker("Other")
    firm.world.relationship(firm.maple, other, rules=EVERYTHING)
    firm.world.member("Ben", other)
    firm.assign(person=firm.ben, client=firm.maple)
    assert reason(firm.world, firm.ben, other, firm.version) is Reason.NOT_ASSIGNED
    assert not Access(firm.ben, other, firm.world.at).clients().exists()
