"""Every path to a record, told as stories: own, by group, through a relationship, what remains."""

from datetime import UTC, date, timedelta

import pytest

from accounts.models import User
from audit.models import Event
from audit.services import business_chain, person_chain
from businesses.models import BusinessAccount
from delegation.access import Access, Decision
from delegation.models import (
    BusinessRole,
    Ceiling,
    ProgramRole,
    Relationship,
    StaffAssignment,
    Visibility,
)
from delegation.permissions import can_end_role, can_grant_role, can_suspend_membership
from delegation.reasons import Reason
from delegation.roles import Action, Role
from delegation.services.agreements import Rules
from delegation.services.clients import (
    add_client_to_group,
    create_client_group,
    create_staff_assignment,
    end_staff_assignment,
)
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.standing import Assignment, PathKind
from pages.formats import end_of_day
from tests.access.random_worlds import submission
from tests.world import World, done
from transactions.models import DeclarationVersion

VIEW, EDIT = Action.VIEW_TRANSACTIONS, Action.EDIT_TRANSACTIONS
EVERYTHING = Rules(broker=Visibility.EDIT, importer=Visibility.EDIT, other=Visibility.EDIT)


def reason(
    world: World, person: User, acting_for: BusinessAccount, version: DeclarationVersion,
    action: Action = VIEW,
) -> Reason:  # fmt: skip
    """Why the person may or may not, with list and point asked and found equal."""
    access = Access(person, acting_for, world.at)
    decision = access.decide(action, version)
    listed = access.visible(DeclarationVersion.objects.filter(pk=version.pk)).exists()
    assert listed == access.decide(VIEW, version).allowed
    return decision.reason


def by(world: World, owner: BusinessAccount, submitter: BusinessAccount) -> DeclarationVersion:
    return submission(program=world.program(owner), submitter=submitter, at=world.at)


def test_roles_of_the_own_business(world: World) -> None:
    maple = world.importer("Maple")
    version = by(world, maple, maple)
    editor = world.employee("Ed", maple, RM0001="editor")
    reader = world.employee("Rea", maple, RM0001="reader")
    other = world.employee("Oth", maple, RM0002="pam")
    assert reason(world, world.manager(maple), maple, version, EDIT) is Reason.ALLOWED
    assert reason(world, editor, maple, version, EDIT) is Reason.ALLOWED
    assert reason(world, reader, maple, version, EDIT) is Reason.ROLE_TOO_LOW
    assert reason(world, reader, maple, version) is Reason.ALLOWED
    assert reason(world, other, maple, version) is Reason.NO_ROLE
    assert reason(world, world.person("Stranger"), maple, version) is Reason.NO_MEMBERSHIP


def test_a_membership_gives_nothing_by_itself(world: World) -> None:
    maple = world.importer("Maple")
    member = world.member("Meg", maple)
    assert reason(world, member, maple, by(world, maple, maple)) is Reason.NO_ROLE


def test_a_role_without_live_membership_gives_nothing(world: World) -> None:
    maple = world.importer("Maple")
    editor = world.employee("Ed", maple, RM0001="editor")
    editor.memberships.update(ends_at=world.at)
    assert reason(world, editor, maple, by(world, maple, maple)) is Reason.NO_MEMBERSHIP


def test_a_disabled_person_and_a_suspended_member(world: World) -> None:
    maple = world.importer("Maple")
    version = by(world, maple, maple)
    editor = world.employee("Ed", maple, RM0001="editor")
    editor.memberships.update(suspended_at=world.at)
    assert reason(world, editor, maple, version) is Reason.MEMBERSHIP_SUSPENDED
    editor.is_active = False
    assert reason(world, editor, maple, version) is Reason.PERSON_DISABLED


def test_a_superuser_is_nobody_here(world: World) -> None:
    maple = world.importer("Maple")
    root = world.person("Root")
    root.is_superuser = root.is_staff = True
    root.save()
    assert reason(world, root, maple, by(world, maple, maple)) is Reason.NO_MEMBERSHIP


def test_an_employee_group_gives_and_takes_at_once(world: World) -> None:
    maple = world.importer("Maple")
    manager, gwen = world.manager(maple), world.member("Gwen", maple)
    version = by(world, maple, maple)
    common = {"actor": manager, "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Imports", **common))
    programs = world.program_group("All doors", maple, "RM0001")
    done(grant_employee_group_role(group=group, scope=programs, role=Role.EDITOR, **common))
    assert reason(world, gwen, maple, version) is Reason.NO_ROLE
    [member] = done(add_employees_to_group(group=group, people=[gwen], **common))
    assert reason(world, gwen, maple, version, EDIT) is Reason.ALLOWED
    programs.archived_at = world.at
    programs.save()
    assert reason(world, gwen, maple, version) is Reason.NO_ROLE, "Whatever its row still says."
    programs.archived_at = None
    programs.save()
    member.ends_at = world.at
    member.save()
    assert reason(world, gwen, maple, version) is Reason.NO_ROLE


@pytest.mark.parametrize("submitter", ["broker", "importer", "other"])
@pytest.mark.parametrize("rule", list(Visibility))
def test_the_visibility_rule_of_each_submitter(
    world: World, submitter: str, rule: Visibility
) -> None:
    if submitter == "broker" and rule is Visibility.NONE:
        return  # cannot be agreed: own submissions always stay visible
    maple, itn, other = world.importer("Maple"), world.broker("ITN"), world.broker("Other")
    world.relationship(maple, itn, rules=Rules(**{submitter: rule}))
    world.assign("Ben", itn, maple)
    firm = {"broker": itn, "importer": maple, "other": other}[submitter]
    version = by(world, maple, firm)
    ben = world.person("Ben")
    expected = {
        Visibility.NONE: (Reason.HIDDEN, Reason.HIDDEN),
        Visibility.VIEW: (Reason.ALLOWED, Reason.VIEW_ONLY),
        Visibility.EDIT: (Reason.ALLOWED, Reason.ALLOWED),
    }[rule]
    assert (reason(world, ben, itn, version), reason(world, ben, itn, version, EDIT)) == expected


def test_an_unassigned_employee_sees_nothing_of_the_client(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    hana = world.member("Hana", itn)
    assert reason(world, hana, itn, by(world, maple, itn)) is Reason.NOT_ASSIGNED
    assert not world.access(hana, itn).clients().exists()
    assert world.access(world.manager(itn), itn).clients().get() == maple


def test_the_weakest_link_decides(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING, ceiling=Ceiling.READER)
    world.assign("Ben", itn, maple, Ceiling.PAM)
    cedar = world.importer("Cedar")
    world.relationship(cedar, itn, rules=EVERYTHING, ceiling=Ceiling.PAM)
    world.assign("Ben", itn, cedar, Ceiling.READER)
    ben = world.person("Ben")
    assert reason(world, ben, itn, by(world, maple, itn), EDIT) is Reason.CEILING
    assert reason(world, ben, itn, by(world, cedar, itn), EDIT) is Reason.ASSIGNMENT_TOO_LOW


def test_only_a_licensed_broker_corrects(world: World) -> None:
    maple, adviser = world.importer("Maple"), world.consultant("Adviser")
    world.relationship(maple, adviser, rules=EVERYTHING)
    version = by(world, maple, adviser)
    manager = world.manager(adviser)
    assert reason(world, manager, adviser, version) is Reason.ALLOWED
    assert reason(world, manager, adviser, version, EDIT) is Reason.PROVIDER_TYPE


def test_a_provider_never_manages_its_client(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING, ceiling=Ceiling.PAM)
    access = world.access(world.manager(itn), itn)
    for action in (Action.MANAGE_EMPLOYEES, Action.MANAGE_RELATIONSHIPS):
        assert not access.decide(action, world.program(maple)).allowed
        assert not access.decide(action, maple).allowed


def test_a_program_out_of_scope(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, programs=("RM0002",), rules=EVERYTHING)
    assert reason(world, world.manager(itn), itn, by(world, maple, itn)) is Reason.NOT_IN_SCOPE


def test_rights_of_two_businesses_do_not_mix(world: World) -> None:
    """A person of both firms acts for one of them at a time."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    both = world.employee("Bo", maple, RM0001="editor")
    world.assign("Bo", itn, maple, Ceiling.READER)
    version = by(world, maple, maple)
    assert reason(world, both, maple, version, EDIT) is Reason.ALLOWED
    assert reason(world, both, itn, version) is Reason.HIDDEN


@pytest.mark.parametrize(
    ("last_day", "hours"),
    [
        (date(2026, 12, 5), 24),
        (date(2027, 3, 14), 23),  # clocks go forward
        (date(2027, 11, 7), 25),  # clocks go back
        (date(2028, 2, 29), 24),
    ],
)
def test_access_ends_with_the_last_local_day(world: World, last_day: date, hours: int) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING, last_day=last_day)
    end = end_of_day(last_day).astimezone(UTC)
    assert end - end_of_day(last_day - timedelta(days=1)).astimezone(UTC) == timedelta(hours=hours)
    own, foreign = by(world, maple, itn), by(world, maple, maple)
    manager = world.manager(itn)
    for offset, seen, changed in (
        (-1, Reason.ALLOWED, Reason.ALLOWED),
        (0, Reason.RELATIONSHIP_OVER, Reason.RELATIONSHIP_OVER),
        (1, Reason.RELATIONSHIP_OVER, Reason.RELATIONSHIP_OVER),
    ):
        then = World(end + timedelta(seconds=offset), world.people)
        assert reason(then, manager, itn, foreign) is seen
        assert reason(then, manager, itn, own, EDIT) is changed
        assert reason(then, manager, itn, own) is Reason.ALLOWED


def test_an_expired_user_reads_what_the_firm_submitted_in_scope_and_nothing_newer(
    world: World,
) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    world.assign("Ben", itn, maple)
    before = by(world.earlier(days=1), maple, itn)
    during = by(world.later(days=1), maple, itn)
    after = by(world.later(days=60), maple, itn)
    then = world.later(days=90)
    ben = world.person("Ben")
    assert reason(then, ben, itn, during) is Reason.ALLOWED
    assert Access(ben, itn, then.at).decide(VIEW, during).path.kind is PathKind.RESIDUAL
    assert reason(then, ben, itn, before) is Reason.RELATIONSHIP_OVER
    assert reason(then, ben, itn, after) is Reason.RELATIONSHIP_OVER
    assignment = StaffAssignment.objects.get(person=ben)
    done(
        end_staff_assignment(
            actor=world.manager(itn), acting_for=itn, assignment=assignment, at=then.at
        )
    )
    assert reason(then, ben, itn, during) is Reason.NOT_ASSIGNED
    for chain in (business_chain(itn.bn9), person_chain(ben)):
        ended = Event.objects.get(verb="staff_assignment.end", chain=chain)
        assert ended.before == {"role": "editor", "ends_at": None}
        assert ended.after and ended.after["target"] == str(maple)


def test_a_suspended_relationship_leaves_what_an_end_would(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn, rules=EVERYTHING)
    own, foreign = by(world, maple, itn), by(world, maple, maple)
    relationship.suspended_at = world.at
    relationship.save()
    manager = world.manager(itn)
    assert reason(world, manager, itn, own) is Reason.ALLOWED
    assert reason(world, manager, itn, own, EDIT) is Reason.RELATIONSHIP_SUSPENDED
    assert reason(world, manager, itn, foreign) is Reason.RELATIONSHIP_SUSPENDED


def test_a_suspension_does_not_reach_back(world: World) -> None:
    then, between = world.earlier(days=10), world.earlier(days=5)
    maple, itn = then.importer("Maple"), then.broker("ITN")
    relationship = then.relationship(maple, itn, rules=EVERYTHING)
    eve, boss, version = then.employee("Eve", maple), then.manager(itn), by(then, maple, maple)
    for row in (relationship, eve.memberships.get()):
        row.suspended_at = world.at
        row.save()

    assert reason(between, boss, itn, version, EDIT) is Reason.ALLOWED
    assert reason(between, eve, maple, version, EDIT) is Reason.ALLOWED
    assert reason(world, boss, itn, version) is Reason.RELATIONSHIP_SUSPENDED
    assert reason(world, eve, maple, version) is Reason.MEMBERSHIP_SUSPENDED


def test_a_suspended_business_can_look_but_not_act(world: World) -> None:
    maple = world.importer("Maple")
    version = by(world, maple, maple)
    maple.status = BusinessAccount.Status.SUSPENDED
    maple.save()
    manager = world.manager(maple)
    assert reason(world, manager, maple, version) is Reason.ALLOWED
    assert reason(world, manager, maple, version, EDIT) is Reason.BUSINESS_NOT_ACTIVE
    access = world.access(manager, maple)
    assert access.decide(Action.VIEW_ACTIVITY, maple).allowed
    assert not access.decide(Action.MANAGE_EMPLOYEES, maple).allowed


def test_a_business_as_a_whole_is_its_managers_alone(world: World) -> None:
    maple, oak = world.importer("Maple"), world.importer("Oak")
    act, manager = Action.MANAGE_EMPLOYEES, world.manager(maple)
    for person, why in (
        (world.employee("Ed", maple, RM0001="editor"), Reason.ROLE_TOO_LOW),
        (world.member("Mia", maple), Reason.ROLE_TOO_LOW),
    ):
        assert world.access(person, maple).decide(act, maple) == Decision(why)
    allowed = world.access(manager, maple).decide(act, maple)
    assert allowed.reason is Reason.ALLOWED
    assert [(path.kind, path.role, path.source) for path in allowed.paths] == [
        (PathKind.OWN, Role.BAM, "direct")
    ]
    assert world.access(manager, maple).decide(act, oak) == Decision(Reason.NO_MEMBERSHIP)
    maple.status = BusinessAccount.Status.SUSPENDED
    maple.save()
    assert world.access(manager, maple).decide(act, maple) == Decision(Reason.BUSINESS_NOT_ACTIVE)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("suspended", Reason.BUSINESS_NOT_ACTIVE),
        ("closed", Reason.PROGRAM_CLOSED),
        ("open", Reason.PROVIDER_TYPE),
    ],
)
def test_what_nobody_could_give_is_the_reason_before_what_somebody_could(
    world: World, state: str, why: Reason
) -> None:
    maple, adviser = world.importer("Maple"), world.consultant("Adviser")
    reader = world.employee("Rea", maple, RM0001="reader")
    rules = Rules(importer=Visibility.VIEW)
    world.relationship(maple, adviser, rules=rules, ceiling=Ceiling.READER)
    world.assign("Al", adviser, maple, Ceiling.READER)
    version = by(world, maple, maple)
    if state == "suspended":
        BusinessAccount.objects.filter(pk=maple.pk).update(status="suspended")
        maple.refresh_from_db()
    if state == "closed":
        close(world, maple)
    for person in (world.manager(adviser), world.person("Al")):
        assert reason(world, person, adviser, version, EDIT) is why
    own = Reason.ROLE_TOO_LOW if state == "open" else why
    assert reason(world, reader, maple, version, EDIT) is own
    for person in (reader, world.manager(maple)):
        is_taken = can_suspend_membership(world.access(person, maple), world.person("Al"))
        assert is_taken == (person != reader)


def test_whom_a_firm_never_served_it_has_no_relationship_with(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    decision = world.access(world.manager(itn), itn).decide(VIEW, world.program(maple))
    assert decision == Decision(Reason.NO_RELATIONSHIP)


def close(world: World, owner: BusinessAccount, extension: str = "RM0001") -> None:
    """Close a program account now."""
    owner.programs.filter(extension=extension).update(closed_at=world.at)


def test_a_closed_program_account_can_be_read_but_not_changed(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    pam = world.employee("Pam", maple, RM0001="pam", RM0002="pam")
    world.relationship(maple, itn, rules=EVERYTHING)
    own, client = by(world, maple, maple), by(world, maple, itn)
    close(world, maple)
    for person in (pam, world.manager(maple)):
        assert reason(world, person, maple, own) is Reason.ALLOWED
        assert reason(world, person, maple, own, EDIT) is Reason.PROGRAM_CLOSED
        access = world.access(person, maple)
        for action in (Action.PAY, Action.MANAGE_EMPLOYEES, Action.MANAGE_RELATIONSHIPS):
            assert access.decide(action, own.program).reason is Reason.PROGRAM_CLOSED
            assert [one.extension for one in access.programs(action)] == ["RM0002"]
            assert [one.extension for one in access.overseen(action)] == ["RM0001", "RM0002"]
    broker = world.manager(itn)
    assert reason(world, broker, itn, client) is Reason.ALLOWED
    assert reason(world, broker, itn, client, EDIT) is Reason.PROGRAM_CLOSED
    before = world.earlier(hours=1)
    assert before.access(broker, itn).closed_programs(maple.pk) == frozenset()
    close(world, itn)
    assert world.access(broker, itn).closed_programs(maple.pk) == {own.program_id}


def test_a_role_on_a_closed_program_account_can_still_be_taken(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Ed", maple, RM0001="editor")
    pam = world.employee("Pam", maple, RM0001="pam")
    close(world, maple)
    program, access = world.program(maple), world.access(pam, maple)
    ed = world.person("Ed")
    assert can_end_role(access, ed, program, Role.EDITOR)
    assert not can_end_role(access, ed, program, Role.PAM)
    assert not can_grant_role(access, program, Role.READER)


def test_a_former_provider_reads_what_it_submitted_and_nothing_else(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    world.assign("Ben", itn, maple)
    own, foreign = by(world, maple, itn), by(world, maple, maple)
    itn.provider_type = BusinessAccount.ProviderType.NONE
    itn.save()
    for then in (world, world.later(days=90)):
        for person in (world.person("Ben"), world.manager(itn)):
            assert reason(then, person, itn, own) is Reason.ALLOWED
            assert then.access(person, itn).decide(VIEW, own).path.kind is PathKind.RESIDUAL
            assert then.access(person, itn).serves_clients
    manager = world.manager(itn)
    assert reason(world, manager, itn, own, EDIT) is Reason.NOT_A_PROVIDER
    assert reason(world, manager, itn, foreign) is Reason.NOT_A_PROVIDER
    assert reason(world.later(days=90), manager, itn, foreign) is Reason.RELATIONSHIP_OVER
    assert not world.access(world.manager(maple), maple).serves_clients


@pytest.mark.parametrize("stopped", ["the firm", "the client"])
def test_through_a_business_that_is_not_active_one_looks_and_changes_nothing(
    world: World, stopped: str
) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    business = itn if stopped == "the firm" else maple
    business.status = BusinessAccount.Status.SUSPENDED
    business.save()
    version = by(world, maple, itn)
    assert reason(world, world.manager(itn), itn, version) is Reason.ALLOWED
    assert reason(world, world.manager(itn), itn, version, EDIT) is Reason.BUSINESS_NOT_ACTIVE


@pytest.mark.parametrize(("may_pay", "expected"), [(True, "allowed"), (False, "ceiling")])
def test_a_firm_pays_where_the_client_said_so(world: World, may_pay: bool, expected: str) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, may_pay=may_pay)
    access = Access(world.manager(itn), itn, world.at)
    assert access.decide(Action.PAY, world.program(maple)).reason == expected


def test_before_it_begins_a_relationship_is_none(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    begins = world.later(days=1)
    begins.relationship(maple, itn)
    version = by(world, maple, itn)
    assert reason(world, world.manager(itn), itn, version) is Reason.NO_RELATIONSHIP
    assert reason(begins, world.manager(itn), itn, version) is Reason.ALLOWED


def test_a_client_group_reaches_its_clients(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    common = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    ben = world.member("Ben", itn)
    group = done(create_client_group(name="Ontario", **common))
    done(create_staff_assignment(assignee=ben, target=group, role=Ceiling.EDITOR, **common))
    version = by(world, maple, itn)
    assert reason(world, ben, itn, version) is Reason.NOT_ASSIGNED
    done(add_client_to_group(group=group, client=maple, **common))
    assert reason(world, ben, itn, version) is Reason.ALLOWED


@pytest.mark.parametrize("shorter", ["relationship", "terms"])
def test_what_came_after_either_end_does_not_remain(world: World, shorter: str) -> None:
    """Terms and relationship end together; were one row shorter, it would decide."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    row = world.relationship(maple, itn, rules=EVERYTHING)
    between = world.later(days=10).at
    rows = row.terms.all() if shorter == "terms" else Relationship.objects.filter(pk=row.pk)
    rows.update(ends_at=between)
    program, manager = world.program(maple), world.manager(itn)
    kept, later = (
        submission(program=program, submitter=itn, at=between + timedelta(seconds=seconds))
        for seconds in (-1, 0)
    )
    for days in (20, 60):
        assert reason(world.later(days=days), manager, itn, kept) is Reason.ALLOWED
        assert reason(world.later(days=days), manager, itn, later) is Reason.RELATIONSHIP_OVER


def test_a_manager_works_for_every_client_as_long_as_it_manages(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    version, manager = by(world, maple, itn), world.manager(itn)
    ends = world.later(days=5).at
    BusinessRole.objects.filter(user=manager).update(ends_at=ends)
    path = world.access(manager, itn).decide(VIEW, version).path
    assert (path.until, path.role) == (ends, Role.EDITOR)
    assert path.assignment == Assignment(Role.PAM, ends, is_managers=True)


def test_a_path_lasts_as_long_as_its_shortest_link(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, last_day=date(2027, 3, 31))
    common = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    ben = world.member("Ben", itn)
    team = done(create_employee_group(name="Team", **common))
    [place] = done(add_employees_to_group(group=team, people=[ben], **common))
    clients = done(create_client_group(name="Ontario", **common))
    listed = done(add_client_to_group(group=clients, client=maple, **common))
    assignment = StaffAssignment.objects.create(
        provider=itn, employee_group=team, client_group=clients, role=Ceiling.EDITOR,
        assigned_by=world.manager(itn), starts_at=world.at,
    )  # fmt: skip
    version = by(world, maple, itn)

    def until() -> object:
        [path] = Access(ben, itn, world.at).decide(VIEW, version).paths
        return path.until

    assert until() == end_of_day(date(2027, 3, 31))
    for days, link in ((90, assignment), (80, listed), (70, place), (60, ben.memberships.get())):
        link.ends_at = world.later(days=days).at
        link.save()
        assert until() == link.ends_at


def test_an_own_role_lasts_no_longer_than_membership_and_group(world: World) -> None:
    maple = world.importer("Maple")
    common = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    gwen = world.member("Gwen", maple)
    group = done(create_employee_group(name="Imports", **common))
    program = world.program(maple)
    done(grant_employee_group_role(group=group, scope=program, role=Role.EDITOR, **common))
    [place] = done(add_employees_to_group(group=group, people=[gwen], **common))
    for days, link in ((20, place), (10, gwen.memberships.get())):
        link.ends_at = world.later(days=days).at
        link.save()
        [path] = Access(gwen, maple, world.at).decide(VIEW, program).paths
        assert (path.source, path.group, path.until) == ("group", "Imports", link.ends_at)
    world.employee("Gwen", maple, RM0001="reader")
    both = Access(gwen, maple, world.at).decide(VIEW, program).paths
    assert {(path.source, path.role) for path in both} == {
        ("group", Role.EDITOR),
        ("direct", Role.READER),
    }
    ed = world.employee("Ed", maple, RM0001="editor")
    for days, row in ((20, ProgramRole.objects.get(user=ed)), (10, ed.memberships.get())):
        row.ends_at = world.later(days=days).at
        row.save()
        [path] = Access(ed, maple, world.at).decide(VIEW, program).paths
        assert (path.source, path.group, path.until) == ("direct", "", row.ends_at)


def test_each_assignment_is_a_path_of_its_own(world: World) -> None:
    """The best role does not hide that a lower one lasts longer."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING, last_day=date(2027, 3, 31))
    assignment = world.assign("Ben", itn, maple, Ceiling.EDITOR)
    assignment.ends_at = world.later(days=5).at
    assignment.save()
    group = done(
        create_client_group(name="All", actor=world.manager(itn), acting_for=itn, at=world.at)
    )
    group.members.create(client=maple, starts_at=world.at)
    StaffAssignment.objects.create(
        provider=itn, person=world.person("Ben"), client_group=group, role=Ceiling.READER,
        assigned_by=world.manager(itn), starts_at=world.at,
    )  # fmt: skip
    version = by(world, maple, itn)
    decision = Access(world.person("Ben"), itn, world.at).decide(VIEW, version)
    assert [(path.role, path.until) for path in decision.paths] == [
        (Role.EDITOR, assignment.ends_at),
        (Role.READER, end_of_day(date(2027, 3, 31))),
    ]
    assert decision.path.role is Role.EDITOR
    later = Access(world.person("Ben"), itn, assignment.ends_at)
    assert later.decide(EDIT, version).reason is Reason.ASSIGNMENT_TOO_LOW


def test_future_programs_only_where_chosen(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    cedar = world.importer("Cedar")
    world.relationship(maple, itn, covers_future=True, level="business")
    world.relationship(cedar, itn, programs=("RM0001", "RM0002"), level="business")
    manager = world.manager(itn)
    for client, expected in ((maple, Reason.ALLOWED), (cedar, Reason.NOT_IN_SCOPE)):
        late = client.programs.create(extension="RM0009", opened_at=world.at)
        version = submission(program=late, submitter=itn, at=world.at)
        assert reason(world, manager, itn, version) is expected


def test_many_questions_cost_no_further_query(
    world: World, django_assert_num_queries: object
) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    world.assign("Ben", itn, maple)
    versions = [by(world, maple, itn) for _ in range(25)]
    access = world.access(world.person("Ben"), itn)
    with django_assert_num_queries(3):  # own standing, terms, assignment
        assert all(access.decide(VIEW, version).allowed for version in versions)
    with django_assert_num_queries(1):  # the closed program accounts of the client
        assert all(access.decide(EDIT, version).allowed for version in versions)
    own = world.access(world.manager(maple), maple)
    with django_assert_num_queries(1):
        assert all(own.decide(VIEW, version).allowed for version in versions)
    with django_assert_num_queries(2):  # all program accounts, and those that are closed
        for action in (VIEW, EDIT, Action.MANAGE_EMPLOYEES):
            assert len(own.programs(action)) == len(own.overseen(action)) == 2
