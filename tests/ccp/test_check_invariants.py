"""Each invariant is seen to fail once: the breach is written past the guards that would bar it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import F

from accounts.models import OfficerRole
from audit.models import Event
from businesses.models import ProgramGroup
from ccp.management.commands import check_invariants as command
from ccp.management.commands.check_invariants import EVERY_CHECK
from delegation import invariants
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    BusinessRole,
    ClientGroupMember,
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramRole,
    Level,
    Lookup,
    Membership,
    ProgramRole,
    RecoveryRequest,
    Relationship,
    RelationshipOffer,
    RelationshipRequestLine,
    RelationshipTerms,
    StaffAssignment,
    Succession,
)
from delegation.models.periods import NoOverlap
from delegation.roles import Role
from delegation.services.clients import add_client_to_group, create_client_group
from delegation.services.employees import withdraw_access_request
from delegation.services.endings import leave_relationship
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.offers import (
    accept_relationship_offer,
    withdraw_relationship_offer,
)
from delegation.services.relationships import withdraw_relationship_request
from delegation.services.rights import end_membership
from delegation.terms import fingerprint
from officers import invariants as of_officers
from officers.models import AccountRecovery
from officers.services.lookups import open_lookup
from officers.services.people import confirm_account_recovery, reject_account_recovery
from officers.services.recovery import confirm_recovery, propose_recovery
from registration.models import Outcome, Registration
from tests.delegation.successors import named
from tests.officers.people import account_recovery_proposed, headless, officer, recovery_asked
from tests.registration.claims import draft, put_on_file, submit
from tests.transactions.factories import change, declare
from tests.world import World, done
from transactions.models import (
    ClientDeclaration,
    Declaration,
    DeclarationParty,
    DeclarationVersion,
)

type Breach = Callable[[World], object]


@pytest.fixture
def rich(world: World) -> World:
    """A world in which every check has something to look at, made by the services."""
    maple, north = world.importer("Maple"), world.broker("North")
    world.employee("Ana", maple)
    pam = world.employee("Pam", maple, RM0001="pam")
    named(world, maple, world.employee("Rea", maple, RM0001="reader"))
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Customs", **boss))
    done(add_employees_to_group(group=group, people=[pam], **boss))
    done(
        grant_employee_group_role(
            group=group, scope=world.program(maple, "RM0002"), role=Role.READER, **boss
        )
    )
    programs = world.program_group("Both", maple, "RM0001", "RM0002")
    done(grant_employee_group_role(group=group, scope=programs, role=Role.EDITOR, **boss))
    waiting = world.access_request("Zoe", maple)
    done(withdraw_access_request(actor=world.person("Zoe"), access_request=waiting, at=world.at))
    world.relationship(maple, north)
    world.assign("Eve", north, maple)
    lead = {"actor": world.manager(north), "acting_for": north, "at": world.at}
    clients = done(create_client_group(name="Furniture", **lead))
    done(add_client_to_group(group=clients, client=maple, **lead))
    asked = world.relationship_request(north, "888316171")
    done(withdraw_relationship_request(relationship_request=asked, **lead))
    birch = headless(world.earlier(days=2), "Birch Recovered")
    eve, row = world.person("Birch Recovered Eve"), recovery_asked(world, birch)
    first, second = (officer(world.earlier(days=9), name) for name in ("Olga", "Omar"))
    about = {"recovery_request": row, "at": world.at}
    seen = {"person": eve, "finding": "Seen.", "expected_version": 1}
    done(open_lookup(actor=first, bn9=maple.bn9, purpose="Audit", at=world.at))
    done(propose_recovery(actor=first, **seen, **about))
    done(confirm_recovery(actor=second, expected_version=2, **about))
    # Of two user accounts one was recovered.
    lost, stays = (
        {
            "account_recovery": account_recovery_proposed(
                world.earlier(days=days), first, world.person(name)
            ),
            "expected_version": 1,
            "at": world.at,
        }
        for days, name in ((3, "Nia"), (2, "Ned"))
    )
    done(confirm_account_recovery(actor=second, **lost))
    done(reject_account_recovery(actor=second, reason="Not shown.", **stays))
    # A firm accepted an offer, another offer was withdrawn.
    west = world.broker("West")
    taken = {"relationship_offer": world.offer(maple, west), "expected_version": 1, "at": world.at}
    done(accept_relationship_offer(actor=world.manager(west), acting_for=west, **taken))
    done(withdraw_relationship_offer(relationship_offer=world.offer(maple, "888316171"), **boss))
    # Somebody was off-boarded, and a firm left.
    gone = world.employee("Guy", maple, RM0001="reader")
    done(end_membership(membership=Membership.objects.get(person=gone), reason="", **boss))
    left, south = world.importer("Birch"), world.broker("South")
    row = world.relationship(left, south)
    done(
        leave_relationship(
            actor=world.manager(south),
            acting_for=south,
            relationship=row,
            expected_terms=fingerprint(row.terms.all()),
            reason="",
            at=world.at,
        )
    )
    declaration = declare(world.program(maple), world.at)
    for firm in (north, south):
        change(declaration, firm, world.at)
    liam = world.person("Liam")
    done(submit(liam, draft(liam, put_on_file(), world.at), world.at))
    return world


def guarded() -> Iterator[tuple[str, str]]:
    """(table, name) of each constraint that reads more than one column."""
    for model in invariants.apps.get_models():
        for guard in model._meta.constraints:
            if isinstance(guard, models.CheckConstraint | NoOverlap):
                yield model._meta.db_table, guard.name


@pytest.fixture
def unguarded(rich: World) -> Iterator[World]:
    """The same world with the database's guards taken away; the test's end brings them back."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table, name in guarded():
                cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
            for model in (Event, DeclarationVersion):
                cursor.execute(f'ALTER TABLE "{model._meta.db_table}" DISABLE TRIGGER USER')
    yield rich
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def sql(statement: str) -> Breach:
    def run(world: World) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.rowcount != 0

    return run


def write(
    table: type[models.Model], where: dict[str, Any] | None = None, /, **columns: Any
) -> Breach:
    """The breach that writes these columns, a callable one with what it makes of the world."""

    def run(world: World) -> None:
        values = {name: to(world) if callable(to) else to for name, to in columns.items()}
        row = table._base_manager.filter(**where or {}).earliest("pk")
        assert table._base_manager.filter(pk=row.pk).update(**values)

    return run


def every(table: type[models.Model], /, **columns: Any) -> Breach:
    """The breach that writes these columns in every row."""
    return lambda world: table._base_manager.update(
        **{name: to(world) if callable(to) else to for name, to in columns.items()}
    )


def person(name: str) -> Callable[[World], Any]:
    return lambda world: world.person(name)


def twice(world: World) -> None:
    row = Membership.objects.filter(ends_at=None).earliest("pk")
    Membership.objects.create(person=row.person, business=row.business, starts_at=world.at)


def colleagues(world: World, officer: str) -> None:
    """An officer had belonged to a business of the person whose account was recovered."""
    since = world.at - timedelta(days=8)
    birch = world.importer("Birch")
    for name in (officer, "Nia"):
        Membership.objects.create(person=world.person(name), business=birch, starts_at=since)


def elsewhere(world: World) -> Any:
    """A program account of another business."""
    return world.program(world.importer("Elsewhere"))


def later(world: World) -> Any:
    return world.at + timedelta(days=9)


def claimed_by_another(world: World) -> None:
    Registration.objects.filter(outcome=Outcome.REGISTERED).update(person=world.person("Rea"))


ANAS = {"user__first_name": "Ana"}
PAMS = {"user__first_name": "Pam"}
ASKED = ACCEPTED = {"decision": "approved"}
TOLD_AGAIN = "UPDATE audit_event SET {} WHERE verb = 'access_request.approve'"

BREACHES: dict[invariants.Check, list[Breach]] = {
    invariants.businesses_keep_a_manager: [
        every(BusinessRole, ends_at=later),
        every(Membership, ends_at=later),
        every(Membership, suspended_at=lambda world: world.at),
        sql("UPDATE accounts_user SET is_active = (1 = 0)"),
    ],
    invariants.business_roles_come_from_managers: [
        write(BusinessRole, ANAS, granted_by=F("user")),
        write(BusinessRole, ANAS, granted_by=None),
        write(BusinessRole, ANAS, granted_by=person("Pam")),
    ],
    invariants.offers_are_answered_by_the_firm: [
        write(RelationshipOffer, ACCEPTED, decided_by=F("offered_by")),
        write(RelationshipOffer, ACCEPTED, decided_by=person("Pam")),
        write(RelationshipOffer, {"decision": "withdrawn"}, decided_by=person("West manager")),
        write(RelationshipOffer, offered_by=person("Eve")),
        write(RelationshipOffer, ACCEPTED, closes_at=later),
    ],
    invariants.successors_waited: [
        write(Succession, named_by=person("Rea")),
        write(Succession, named_by=person("Pam")),
        write(BusinessRole, ANAS, source="succession", granted_by=None),
    ],
    invariants.recoveries_come_from_two_officers: [
        write(RecoveryRequest, ASKED, decided_by=F("proposed_by")),
        write(RecoveryRequest, ASKED, proposed_by=person("Rea")),
        write(RecoveryRequest, ASKED, proposed=person("Rea")),
        write(OfficerRole, ends_at=lambda world: world.at - timedelta(days=1)),
        write(BusinessRole, ANAS, source="recovery"),
    ],
    of_officers.account_recoveries_come_from_two_officers: [
        write(AccountRecovery, ASKED, decided_by=F("proposed_by")),
        write(AccountRecovery, ASKED, decided_at=F("starts_at")),
        write(AccountRecovery, ASKED, starts_at=F("decided_at") - timedelta(hours=71, minutes=59)),
        write(AccountRecovery, ASKED, proposed_by=person("Rea")),
        write(AccountRecovery, ASKED, decided_by=person("Rea")),
        write(AccountRecovery, {"decision": "rejected"}, decided_by=person("Rea")),
        write(AccountRecovery, ASKED, person=F("decided_by")),
        lambda world: colleagues(world, "Olga"),
        lambda world: colleagues(world, "Omar"),
        write(OfficerRole, ends_at=lambda world: world.at - timedelta(days=1)),
    ],
    of_officers.account_recoveries_have_their_events: [
        sql("DELETE FROM audit_event WHERE verb = 'account_recovery.propose'"),
        sql("DELETE FROM audit_event WHERE verb = 'account_recovery.confirm'"),
        sql("DELETE FROM audit_event WHERE verb = 'account_recovery.reject'"),
        write(AccountRecovery, ASKED, decided_at=F("starts_at")),
        write(AccountRecovery, ASKED, person=person("Rea")),
        write(AccountRecovery, ASKED, decided_by=person("Rea")),
    ],
    invariants.lookups_have_a_purpose: [
        write(Lookup, officer=person("Rea")),
        write(Lookup, officer=person("Ana")),
        sql("DELETE FROM audit_event WHERE verb = 'lookup.open'"),
    ],
    invariants.program_roles_come_from_managers: [
        write(ProgramRole, PAMS, granted_by=F("user")),
        write(ProgramRole, granted_by=person("Rea")),
        lambda world: ProgramRole.objects.filter(user=world.person("Rea")).update(
            granted_by=world.person("Pam"),
            permission=ProgramRole.objects.get(user=world.person("Pam")).permission,
        ),
        write(GroupProgramRole, granted_by=person("Pam")),
    ],
    invariants.terms_come_from_the_client: [
        write(RelationshipTerms, agreed_by=person("Rea")),
        write(RelationshipTerms, agreed_by=person("North manager")),
        write(RelationshipTerms, agreed_by=person("Pam"), ceiling="pam"),
    ],
    invariants.assignments_come_from_the_provider: [
        write(StaffAssignment, assigned_by=F("person")),
        write(StaffAssignment, assigned_by=person("Maple manager")),
    ],
    invariants.periods_do_not_overlap: [twice],
    invariants.requests_agree_with_their_lines: [
        write(AccessRequest, ASKED, decision="rejected"),
        write(AccessRequest, ASKED, decision="", decided_at=None, decided_by=None),
        write(AccessRequest, ASKED, closes_at=later),
        write(AccessRequestLine, ASKED, decision=""),
        write(AccessRequestLine, ASKED, extension="RM0001", granted_role=""),
        write(RelationshipRequestLine, ASKED, decision="withdrawn"),
    ],
    invariants.lines_are_decided_by_managers: [
        write(AccessRequestLine, ASKED, decided_by=person("Rea")),
        write(AccessRequestLine, {"decision": "withdrawn"}, decided_by=person("Ana")),
        write(RelationshipRequestLine, ASKED, decided_by=person("North manager")),
        write(RelationshipRequestLine, {"decision": "withdrawn"}, decided_by=person("Eve")),
    ],
    invariants.roles_are_of_their_business: [
        write(ProgramRole, content_object=elsewhere),
        write(GroupProgramRole, content_object=elsewhere),
        write(EmployeeGroupMember, person=person("Zoe")),
        write(BusinessRole, ANAS, user=person("Zoe")),
        lambda world: BusinessRole.objects.update(
            permission=ProgramRole.objects.earliest("pk").permission
        ),
    ],
    invariants.archived_groups_hold_nothing: [
        write(EmployeeGroup, archived_at=lambda world: world.at),
        write(ProgramGroup, archived_at=lambda world: world.at),
    ],
    invariants.authority_is_of_the_pair: [
        write(RelationshipTerms, program=elsewhere),
        write(RelationshipTerms, program=None),
        write(RelationshipTerms, starts_at=lambda world: world.at - timedelta(days=1)),
        write(StaffAssignment, client=lambda world: world.importer("Stranger")),
        write(StaffAssignment, person=person("Zoe")),
        write(ClientGroupMember, client=lambda world: world.importer("Stranger")),
    ],
    invariants.histories_are_whole: [
        sql(TOLD_AGAIN.format("reason = 'another'")),
        sql(TOLD_AGAIN.format("seq = seq + 100")),
        sql("DELETE FROM audit_event WHERE verb = 'access_request.approve'"),
        sql("UPDATE audit_chain SET length = length + 1"),
    ],
    invariants.decisions_have_their_event: [
        sql("DELETE FROM audit_event WHERE verb = 'access_request.withdraw'"),
        sql("DELETE FROM audit_event WHERE verb = 'relationship_request.approve'"),
    ],
    invariants.ends_have_their_event: [
        sql("DELETE FROM audit_event WHERE verb = 'membership.end'"),
        sql("DELETE FROM audit_event WHERE verb = 'relationship.leave'"),
    ],
    invariants.acts_name_their_path: [sql(TOLD_AGAIN.format("path = ''"))],
    invariants.conditions_hold: [
        write(Relationship, client=F("provider")),
        write(Relationship, is_open_ended=False, ends_at=None),
        write(RelationshipTerms, open_end_reason="", ends_at=None),
        write(Membership, ends_at=lambda world: world.at - timedelta(days=4000)),
        write(RelationshipTerms, visibility_broker="none"),
    ],
    command.versions_are_of_their_declaration: [
        write(Declaration, latest_number=2),
        sql("UPDATE transactions_declarationversion SET owner_id = owner_id + 1"),
        sql("UPDATE transactions_declarationversion SET program_id = program_id + 1"),
    ],
    command.versions_have_their_party: [
        sql("DELETE FROM transactions_declarationparty WHERE side = 'again'"),
        sql("UPDATE transactions_declarationversion SET submitter_id = owner_id WHERE number = 3"),
        sql("UPDATE transactions_declarationparty SET program_id = program_id + 1"),
        write(DeclarationParty, declared_at=later),
        write(DeclarationParty, {"side": "importer"}, side="other"),
        write(DeclarationParty, {"side": "other"}, side="importer"),
        write(DeclarationParty, {"side": "other"}, side="again"),
        write(DeclarationParty, {"side": "again"}, side="other"),
    ],
    command.firms_have_the_declarations_of_their_clients: [
        sql("DELETE FROM transactions_clientdeclaration"),
        write(ClientDeclaration, declared_at=later),
        write(ClientDeclaration, provider=lambda world: world.broker("Stranger")),
    ],
    command.registrations_found_their_business: [claimed_by_another],
    invariants.guards_exist: [lambda world: None],
    command.declarations_never_change: [lambda world: None],
}


def test_every_check_has_its_breach() -> None:
    assert set(BREACHES) == set(EVERY_CHECK)


def test_what_the_services_made_keeps_every_promise(rich: World) -> None:
    for check in EVERY_CHECK:
        looked, broken = check(rich.at)
        assert not broken, f"{check.__name__}: {broken}"
        assert looked, check.__name__


def test_every_breach_is_seen(unguarded: World) -> None:
    unseen, known = [], dict(unguarded.people)
    for check, breaches in BREACHES.items():
        for number, breach in enumerate(breaches):
            with transaction.atomic():
                breach(unguarded)
                if not check(unguarded.at)[1]:
                    unseen.append(f"{check.__name__} {number}")
                transaction.set_rollback(True)
            unguarded.people = dict(known)
    assert not unseen


def test_terms_go_on_for_the_rest_when_their_manager_is_gone(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    world.relationship(maple, north, programs=(), covers_future=True, level=Level.BUSINESS)
    ana = world.employee("Ana", maple)
    later = world.later(days=1)
    membership = Membership.objects.get(person=world.manager(maple))
    done(
        end_membership(
            actor=ana, acting_for=maple, membership=membership, reason="Left", at=later.at
        )
    )
    later.people["Maple manager"] = ana
    later.later(days=1).relationship(maple, north)
    assert RelationshipTerms.objects.count() == 3
    assert not invariants.terms_come_from_the_client(later.at)[1]


def test_the_command_counts_and_fails_on_a_breach(
    rich: World, clock: time_machine.Traveller
) -> None:
    said, complaint = StringIO(), StringIO()
    call_command("check_invariants", stdout=said, stderr=complaint)
    assert len(said.getvalue().splitlines()) == len(EVERY_CHECK)
    assert not complaint.getvalue()
    BusinessRole.objects.update(ends_at=later(rich))
    with pytest.raises(CommandError, match=r"\d+ breaches"):
        call_command("check_invariants", stdout=said, stderr=complaint)
    assert "businesses.BusinessAccount" in complaint.getvalue()
