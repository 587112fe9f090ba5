"""Every SQL statement of every service fails in turn: an act is whole or it is not there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from inspect import getmembers, isfunction, signature
from pkgutil import iter_modules
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import DatabaseError, connection, transaction

import delegation.services
import officers.services
from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount, ProgramGroup
from businesses.register import LegalEntity, get_register
from businesses.services import open_business
from delegation.invariants import CHECKS
from delegation.models import (
    BusinessRole,
    Ceiling,
    EmployeeGroup,
    GroupProgramRole,
    Level,
    Membership,
    ProgramRole,
    ReviewAnswer,
    StaffAssignment,
    Visibility,
)
from delegation.request_file import check
from delegation.reviews import Choice, answers_digest, counts
from delegation.roles import Role
from delegation.services import (
    agreements,
    batches,
    bulk,
    changes,
    clients,
    continuity,
    employees,
    endings,
    feeds,
    grants,
    groups,
    invitations,
    mutes,
    nudges,
    offers,
    program_groups,
    recovery,
    relationships,
    reminders,
    renewals,
    reviews,
    rights,
    suspensions,
    view_as,
)
from delegation.services.registrations import found_business
from delegation.services.roles import Term
from delegation.terms import fingerprint
from officers.services import lookups, people
from officers.services import recovery as desk
from pages.csv_file import Line
from registration import services as registrations
from tests.conftest import NIGHTLY
from tests.delegation.successors import claimed, named
from tests.officers.people import (
    account_recovery_proposed,
    headless,
    officer,
    recovery_asked,
)
from tests.registration.claims import draft, put_on_file
from tests.transactions.factories import declare
from tests.world import World, done, next_bn9
from transactions import services as declarations
from transactions.corrections import CHANGEABLE, CorrectedLine, Correction
from transactions.models import DeclarationLine, ReasonCode

type Act = Callable[[], Any]

KEPT = ("django_content_type", "auth_permission", "portal_cache", "django_session")
"""Tables that no service writes, or that are written once for all."""


class Fault(DatabaseError):
    """What the database says when it breaks down."""


class Failing:
    """Lets `passes` statements through and fails the next one."""

    def __init__(self, passes: int) -> None:
        self.passes = passes
        self.has_failed = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        # What ends or undoes a transaction is not made to fail: a lost connection undoes it too.
        if sql.startswith(("ROLLBACK", "RELEASE")):
            return execute(sql, params, many, context)
        if self.passes == 0:
            self.has_failed = True
            self.passes = -1
            raise Fault(f"The database broke down at: {sql[:80]}")
        self.passes -= 1
        return execute(sql, params, many, context)


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    rows = {}
    with connection.cursor() as cursor:
        for table in sorted(set(tables) - set(KEPT)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows[table] = sorted(cursor.fetchall(), key=repr)
    return rows


STRIDE = 1 if NIGHTLY else 3
"""Every how manyth statement is made to fail."""


def faults(act: Act, at: datetime, *, examined: bool) -> tuple[int, list[str]]:
    """How many statements were made to fail until the act succeeded or one tore, and what it tore.

    Where it is to be `examined`, the act that succeeds leaves every invariant standing. In the end
    it is undone.
    """
    before, torn, passed = everything(), list[str](), 0
    while not torn:
        failing = Failing(passed)
        mark = transaction.savepoint_create()
        try:
            with connection.execute_wrapper(failing):
                answer = act()
        except Fault:
            # What is left can be read, though a part of the act marked it to be undone.
            transaction.set_rollback(False)
            found = torn_tables(before)
        else:
            if not failing.has_failed:
                assert not isinstance(answer, Refusal), answer.code
                torn += [line for check in CHECKS if examined for line in check(at)[1]]
                transaction.savepoint_rollback(mark)
                break
            found = ["the fault was swallowed"]
        passed += STRIDE
        torn += [f"statement {passed}: {one}" for one in found]
        # What was torn is mended, so that the next fault is looked at by itself.
        transaction.savepoint_rollback(mark)
    return passed // STRIDE, torn


def torn_tables(before: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    after = everything()
    return [table for table in before if before[table] != after[table]]


# ---------------------------------------------------------------- one act of every service


class Scene:
    """A business, a firm that works for it, and the people of both."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maple = world.importer("Maple")
        self.north = world.broker("North")
        self.boss = {"actor": world.manager(self.maple), "acting_for": self.maple, "at": world.at}
        self.lead = {"actor": world.manager(self.north), "acting_for": self.north, "at": world.at}
        self.program = world.program(self.maple)
        world.employee("Ana", self.maple)
        self.eve = world.employee("Eve", self.maple, RM0001="editor")

    def access_request(self) -> dict[str, Any]:
        waiting = self.world.access_request("Zoe", self.maple, RM0001="editor")
        return {"access_request": waiting, "expected_version": waiting.version, **self.boss}

    def relationship_request(self) -> dict[str, Any]:
        waiting = self.world.relationship_request(self.north, self.maple)
        return {"relationship_request": waiting, "expected_version": waiting.version, **self.boss}

    def agreement(self) -> agreements.Agreement:
        return agreements.Agreement(
            level=Level.PROGRAM,
            programs=frozenset({self.program.pk}),
            ceiling=Ceiling.EDITOR,
            rules=agreements.Rules(),
            last_day=(self.world.at + timedelta(days=30)).date(),
        )

    def wish(self) -> relationships.Wish:
        return relationships.Wish(Level.PROGRAM, ("RM0001",))

    def client_group(self) -> Any:
        self.world.relationship(self.maple, self.north)
        return done(clients.create_client_group(name="Furniture", **self.lead))

    def employee_group(self) -> Any:
        return done(groups.create_employee_group(name="Customs", **self.boss))

    def membership(self) -> Membership:
        return Membership.objects.get(person=self.eve)

    def entity(self) -> LegalEntity:
        entity = get_register().find(put_on_file())
        assert entity
        return entity


def _create_access_request(scene: Scene) -> Act:
    return partial(
        employees.create_access_request,
        actor=scene.world.person("Zoe"),
        bn9=scene.maple.bn9,
        note="I work there.",
        wishes={"RM0001": Role.EDITOR, "RM0002": Role.READER},
        at=scene.world.at,
    )


def _approve_access_request(scene: Scene) -> Act:
    roles = {program.pk: Role.EDITOR for program in scene.maple.programs.all()}
    return partial(
        employees.approve_access_request,
        grants=employees.Grants(programs=roles, group=scene.employee_group()),
        **scene.access_request(),
    )


def _reject_access_request(scene: Scene) -> Act:
    return partial(employees.reject_access_request, reason="Unknown", **scene.access_request())


def _withdraw_access_request(scene: Scene) -> Act:
    waiting = scene.access_request()["access_request"]
    return partial(
        employees.withdraw_access_request,
        actor=scene.world.person("Zoe"),
        access_request=waiting,
        at=scene.world.at,
    )


def _create_relationship_request(scene: Scene) -> Act:
    wish = relationships.Wish(level=Level.PROGRAM, extensions=("RM0001", "RM0002"))
    return partial(
        relationships.create_relationship_request,
        client_bn9=scene.maple.bn9,
        wish=wish,
        **scene.lead,
    )


def _create_relationship_requests(scene: Scene) -> Act:
    asked = [bulk.Asked(scene.maple.bn9, scene.wish()), bulk.Asked(next_bn9(), scene.wish())]
    return partial(bulk.create_relationship_requests, asked=asked, **scene.lead)


def _create_request_batch(scene: Scene) -> Act:
    rows = check([Line(2, {"client_bn9": scene.maple.bn9})], scene.north, scene.world.at)
    about = {"name": "clients.csv", "is_legacy": False, "rows": rows}
    return partial(batches.create_request_batch, **about, **scene.lead)


def _send_request_batch(scene: Scene) -> Act:
    batch = done(_create_request_batch(scene)())
    return partial(batches.send_request_batch, batch=batch, **scene.lead)


def _create_relationship_offer(scene: Scene) -> Act:
    about = {"provider_bn9": scene.north.bn9, "agreement": scene.agreement(), "comment": "Yes?"}
    return partial(offers.create_relationship_offer, **about, **scene.boss)


def _offered(scene: Scene) -> dict[str, Any]:
    offer = scene.world.offer(scene.maple, scene.north)
    return {"relationship_offer": offer, "expected_version": offer.version, **scene.lead}


def _accept_relationship_offer(scene: Scene) -> Act:
    return partial(offers.accept_relationship_offer, **_offered(scene))


def _decline_relationship_offer(scene: Scene) -> Act:
    return partial(offers.decline_relationship_offer, reason="No", **_offered(scene))


def _withdraw_relationship_offer(scene: Scene) -> Act:
    offer = scene.world.offer(scene.maple, scene.north)
    return partial(offers.withdraw_relationship_offer, relationship_offer=offer, **scene.boss)


def _mute_firm(scene: Scene) -> Act:
    waiting = scene.world.relationship_request(scene.north, scene.maple)
    return partial(mutes.mute_firm, relationship_request=waiting, report="Unknown.", **scene.boss)


def _mute_client(scene: Scene) -> Act:
    """The client muted has an offer of the firm waiting, too."""
    offer = scene.world.offer(scene.maple, scene.north)
    scene.world.offer(scene.north, scene.maple)
    return partial(mutes.mute_client, relationship_offer=offer, report="Unknown.", **scene.lead)


def _mute_person(scene: Scene) -> Act:
    waiting = scene.world.access_request("Zoe", scene.maple)
    return partial(mutes.mute_person, access_request=waiting, report="", **scene.boss)


def _end_mute(scene: Scene) -> Act:
    return partial(mutes.end_mute, mute=done(_mute_firm(scene)()), **scene.boss)


def _approve_relationship_request(scene: Scene) -> Act:
    return partial(
        relationships.approve_relationship_request,
        agreement=scene.agreement(),
        **scene.relationship_request(),
    )


def _reject_relationship_request(scene: Scene) -> Act:
    return partial(
        relationships.reject_relationship_request, reason="No", **scene.relationship_request()
    )


def _nudge_relationship_request(scene: Scene) -> Act:
    waiting = scene.relationship_request()["relationship_request"]
    later = scene.lead | {"at": scene.world.at + timedelta(days=8)}
    return partial(nudges.nudge_relationship_request, relationship_request=waiting, **later)


def _withdraw_relationship_request(scene: Scene) -> Act:
    waiting = scene.relationship_request()["relationship_request"]
    return partial(
        relationships.withdraw_relationship_request, relationship_request=waiting, **scene.lead
    )


def _end(scene: Scene) -> dict[str, Any]:
    row = scene.world.relationship(scene.maple, scene.north)
    return {"relationship": row, "expected_terms": fingerprint(row.terms.all()), "reason": "Moved"}


def _end_relationship(scene: Scene) -> Act:
    return partial(endings.end_relationship, **_end(scene), **scene.boss)


def _leave_relationship(scene: Scene) -> Act:
    return partial(endings.leave_relationship, **_end(scene), **scene.lead)


def _agreed(scene: Scene) -> dict[str, Any]:
    shown = _end(scene)
    del shown["reason"]
    return shown


def _change_relationship(scene: Scene) -> Act:
    both = frozenset(scene.maple.programs.values_list("pk", flat=True))
    agreement = replace(scene.agreement(), programs=both)
    return partial(
        changes.change_relationship,
        agreement=agreement,
        keeps_others=False,
        **_agreed(scene),
        **scene.boss,
    )


def _narrow_relationship(scene: Scene) -> Act:
    every = agreements.Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)
    scene.world.relationship(scene.maple, scene.north, programs=("RM0002",), rules=every)
    narrowing = changes.Narrowing(frozenset({"RM0001"}), agreements.Rules())
    return partial(changes.narrow_relationship, narrowing=narrowing, **_agreed(scene), **scene.lead)


def _suspend_relationship(scene: Scene) -> Act:
    row = scene.world.relationship(scene.maple, scene.north)
    return partial(suspensions.suspend_relationship, relationship=row, reason="Late", **scene.boss)


def _resume_relationship(scene: Scene) -> Act:
    row = scene.world.relationship(scene.maple, scene.north)
    done(suspensions.suspend_relationship(relationship=row, reason="Late", **scene.boss))
    shown = fingerprint(row.terms.select_related("relationship"))
    return partial(
        suspensions.resume_relationship, relationship=row, expected_terms=shown, **scene.boss
    )


def _renew_relationship(scene: Scene) -> Act:
    last_day = (scene.world.at + timedelta(days=400)).date()
    renewal = renewals.Renewal(last_day, frozenset({"RM0001"}))
    return partial(renewals.renew_relationship, renewal=renewal, **_agreed(scene), **scene.boss)


def _end_membership(scene: Scene) -> Act:
    return partial(
        rights.end_membership, membership=scene.membership(), reason="Left", **scene.boss
    )


def _suspend_membership(scene: Scene) -> Act:
    return partial(
        rights.suspend_membership, membership=scene.membership(), reason="Leave", **scene.boss
    )


def _resume_membership(scene: Scene) -> Act:
    done(_suspend_membership(scene)())
    return partial(rights.resume_membership, membership=scene.membership(), **scene.boss)


def _end_business_role(scene: Scene) -> Act:
    role = BusinessRole.objects.get(user=scene.world.person("Ana"))
    return partial(rights.end_business_role, role=role, **scene.boss)


def _end_program_role(scene: Scene) -> Act:
    role = ProgramRole.objects.get(user=scene.eve)
    return partial(rights.end_program_role, role=role, **scene.boss)


def _nominate_successor(scene: Scene) -> Act:
    return partial(continuity.nominate_successor, person=scene.eve, **scene.boss)


def _remove_successor(scene: Scene) -> Act:
    succession = named(scene.world, scene.maple, scene.eve)
    about = {"succession": succession, "expected_version": 1}
    return partial(continuity.remove_successor, **about, **scene.boss)


def _claim_succession(scene: Scene) -> Act:
    succession = named(scene.world, scene.maple, scene.eve)
    about = {"succession": succession, "expected_version": 1, "reason": "All have gone."}
    return partial(continuity.claim_succession, **about, **scene.boss | {"actor": scene.eve})


def _stop_succession(scene: Scene) -> Act:
    succession = claimed(scene.world, scene.maple, scene.eve)
    about = {"succession": succession, "expected_version": 2, "reason": "I am here."}
    return partial(continuity.stop_succession, **about, **scene.boss)


def _take_over_succession(scene: Scene) -> Act:
    succession = claimed(scene.world, scene.maple, scene.eve)
    about = {"succession": succession, "expected_version": 2}
    who = scene.boss | {"actor": scene.eve, "at": scene.world.later(days=15).at}
    return partial(continuity.take_over_succession, **about, **who)


def _change_role(scene: Scene) -> Act:
    last = scene.world.at + timedelta(days=30)
    change = grants.RoleChange(Role.READER, frozenset({scene.program.pk}), Term(None, last))
    return partial(grants.change_role, membership=scene.membership(), change=change, **scene.boss)


def _create_recovery_request(scene: Scene) -> Act:
    birch = headless(scene.world, "Birch")
    about = {"bn9": birch.bn9, "statement": "Gone.", "at": scene.world.at}
    return partial(recovery.create_recovery_request, actor=scene.world.person("Birch Eve"), **about)


def _unknown(scene: Scene) -> dict[str, Any]:
    """A request for recovery of a number that nobody registered."""
    before, bn9 = scene.world.earlier(days=20), next_bn9()
    before.access_request("Zoe", bn9)
    about = {"actor": before.person("Zoe"), "bn9": bn9, "statement": "Gone."}
    row = done(recovery.create_recovery_request(at=scene.world.at, **about))
    return {"recovery_request": row, "at": scene.world.at}


def _withdraw_recovery_request(scene: Scene) -> Act:
    about = _unknown(scene)
    return partial(
        recovery.withdraw_recovery_request, actor=about["recovery_request"].person, **about
    )


def _reject_recovery(scene: Scene) -> Act:
    by = {"actor": officer(scene.world, "Olga"), "reason": "Unknown", "expected_version": 1}
    return partial(desk.reject_recovery, **by, **_unknown(scene))


def _propose_recovery(scene: Scene) -> Act:
    birch = headless(scene.world, "Birch")
    about = {"recovery_request": recovery_asked(scene.world, birch), "at": scene.world.at}
    seen = {"person": scene.world.person("Birch Eve"), "finding": "Seen.", "expected_version": 1}
    return partial(desk.propose_recovery, actor=officer(scene.world, "Olga"), **seen, **about)


def _confirm_recovery(scene: Scene) -> Act:
    proposed = done(_propose_recovery(scene)())
    second = officer(scene.world, "Omar")
    about = {"recovery_request": proposed, "expected_version": 2, "at": scene.world.at}
    return partial(desk.confirm_recovery, actor=second, **about)


def _lost(scene: Scene) -> User:
    """A manager of Maple who lost every second factor."""
    person = scene.world.manager(scene.maple)
    now = {"last_login": scene.world.earlier(hours=1).at}
    User.objects.filter(pk=person.pk).update(**now)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def _propose_account_recovery(scene: Scene) -> Act:
    about = {"email": "new@example.test", "finding": "Seen", "at": scene.world.at}
    olga = officer(scene.world, "Olga")
    return partial(people.propose_account_recovery, actor=olga, person=_lost(scene), **about)


def _decided(scene: Scene) -> dict[str, Any]:
    """What a second officer decides, once the waiting time is over."""
    long_ago = scene.world.earlier(days=4)
    row = account_recovery_proposed(long_ago, officer(long_ago, "Olga"), _lost(scene))
    omar = officer(long_ago, "Omar")
    about = {"account_recovery": row, "expected_version": 1, "at": scene.world.at}
    return {"actor": omar, **about}


def _confirm_account_recovery(scene: Scene) -> Act:
    return partial(people.confirm_account_recovery, **_decided(scene))


def _reject_account_recovery(scene: Scene) -> Act:
    return partial(people.reject_account_recovery, reason="No", **_decided(scene))


def _open_lookup(scene: Scene) -> Act:
    about = {"bn9": scene.maple.bn9, "purpose": "Audit", "at": scene.world.at}
    return partial(lookups.open_lookup, actor=officer(scene.world, "Olga"), **about)


def _end_lookup(scene: Scene) -> Act:
    lookup = done(_open_lookup(scene)())
    about = {"actor": scene.world.person("Olga"), "at": scene.world.at}
    return partial(lookups.end_lookup, lookup=lookup, **about)


def _create_client_group(scene: Scene) -> Act:
    return partial(clients.create_client_group, name="Furniture", **scene.lead)


def _add_client_to_group(scene: Scene) -> Act:
    group = scene.client_group()
    return partial(clients.add_client_to_group, group=group, client=scene.maple, **scene.lead)


def _rename_client_group(scene: Scene) -> Act:
    return partial(
        clients.rename_client_group, group=scene.client_group(), name="Lamps", **scene.lead
    )


def _grouped(scene: Scene) -> Any:
    group = scene.client_group()
    done(clients.add_client_to_group(group=group, client=scene.maple, **scene.lead))
    return group


def _archive_client_group(scene: Scene) -> Act:
    return partial(clients.archive_client_group, group=_grouped(scene), **scene.lead)


def _remove_client_from_group(scene: Scene) -> Act:
    return partial(
        clients.remove_client_from_group, group=_grouped(scene), client=scene.maple, **scene.lead
    )


def _change_staff_assignment(scene: Scene) -> Act:
    done(_create_staff_assignment(scene)())
    return partial(
        clients.change_staff_assignment,
        assignment=StaffAssignment.objects.get(),
        role=Ceiling.READER,
        **scene.lead,
    )


def _create_staff_assignment(scene: Scene) -> Act:
    scene.world.relationship(scene.maple, scene.north)
    return partial(
        clients.create_staff_assignment,
        assignee=scene.world.member("Sam", scene.north),
        target=scene.maple,
        role=Ceiling.EDITOR,
        **scene.lead,
    )


def _end_staff_assignment(scene: Scene) -> Act:
    done(_create_staff_assignment(scene)())
    return partial(
        clients.end_staff_assignment, assignment=StaffAssignment.objects.get(), **scene.lead
    )


def _create_employee_group(scene: Scene) -> Act:
    return partial(groups.create_employee_group, name="Customs", **scene.boss)


def _add_employees_to_group(scene: Scene) -> Act:
    group = scene.employee_group()
    return partial(groups.add_employees_to_group, group=group, people=[scene.eve], **scene.boss)


def _grant_employee_group_role(scene: Scene) -> Act:
    return partial(
        groups.grant_employee_group_role,
        group=scene.employee_group(),
        scope=scene.program,
        role=Role.READER,
        **scene.boss,
    )


def _rename_employee_group(scene: Scene) -> Act:
    return partial(
        groups.rename_employee_group, group=scene.employee_group(), name="Desk", **scene.boss
    )


def _full_group(scene: Scene) -> Any:
    """A group with a member, a role on a program account and one on a group of them."""
    done(_add_employees_to_group(scene)())
    group = EmployeeGroup.objects.get()
    for scope in (scene.program, scene.world.program_group("Both", scene.maple, "RM0002")):
        done(
            groups.grant_employee_group_role(
                group=group, scope=scope, role=Role.READER, **scene.boss
            )
        )
    return group


def _remove_employee_from_group(scene: Scene) -> Act:
    member = _full_group(scene).members.get()
    return partial(groups.remove_employee_from_group, member=member, **scene.boss)


def _end_employee_group_role(scene: Scene) -> Act:
    _full_group(scene)
    role = GroupProgramRole.objects.get()
    return partial(groups.end_employee_group_role, role=role, **scene.boss)


def _archive_employee_group(scene: Scene) -> Act:
    return partial(groups.archive_employee_group, group=_full_group(scene), **scene.boss)


def _create_program_group(scene: Scene) -> Act:
    return partial(program_groups.create_program_group, name="Ontario", **scene.boss)


def _rename_program_group(scene: Scene) -> Act:
    group = scene.world.program_group("Both", scene.maple)
    return partial(program_groups.rename_program_group, group=group, name="Ontario", **scene.boss)


def _add_programs_to_group(scene: Scene) -> Act:
    group = scene.world.program_group("Both", scene.maple)
    return partial(
        program_groups.add_programs_to_group, group=group, programs=[scene.program], **scene.boss
    )


def _remove_program_from_group(scene: Scene) -> Act:
    member = scene.world.program_group("Both", scene.maple, "RM0001").members.get()
    return partial(program_groups.remove_program_from_group, member=member, **scene.boss)


def _archive_program_group(scene: Scene) -> Act:
    _full_group(scene)
    group = ProgramGroup.objects.get()
    return partial(program_groups.archive_program_group, group=group, **scene.boss)


def _submit_registration(scene: Scene) -> Act:
    liam = scene.world.person("Liam")
    claim = draft(liam, put_on_file(emails=["office@example.test"]), scene.world.at)
    return partial(
        registrations.submit_registration,
        actor=liam,
        registration=claim,
        expected_version=claim.version,
        at=scene.world.at,
    )


def _create_correction(scene: Scene) -> Act:
    declaration = declare(scene.program, scene.world.at, lines=({}, {}))
    lines = DeclarationLine.objects.filter(version__declaration=declaration).order_by("number")
    corrected = [
        CorrectedLine(
            line.number, **{name: getattr(line, name) for name in CHANGEABLE} | {"origin": "MX"}
        )
        for line in lines
    ]
    return partial(
        declarations.create_correction,
        declaration=declaration,
        change=Correction(ReasonCode.ORIGIN, "From Mexico.", tuple(corrected)),
        expected_version=1,
        **scene.boss,
    )


def _offer(scene: Scene) -> invitations.Offer:
    roles = {program.pk: Role.EDITOR for program in scene.maple.programs.all()}
    return invitations.Offer("zoe@example.test", "fr-ca", "Hi", employees.Grants(programs=roles))


def _create_invitation(scene: Scene) -> Act:
    return partial(invitations.create_invitation, offer=_offer(scene), **scene.boss)


def _invited(scene: Scene) -> dict[str, Any]:
    zoe = scene.world.owns(scene.world.person("Zoe"))
    groups = (scene.employee_group(),)
    waiting = scene.world.invitation(zoe.email, scene.maple, groups=groups, RM0001="editor")
    return {"invitation": waiting, "expected_version": 1}


def _resend_invitation(scene: Scene) -> Act:
    return partial(invitations.resend_invitation, **_invited(scene), **scene.boss)


def _revoke_invitation(scene: Scene) -> Act:
    return partial(invitations.revoke_invitation, **_invited(scene), **scene.boss)


def _accept_invitation(scene: Scene) -> Act:
    zoe = {"actor": scene.world.person("Zoe"), "at": scene.world.at}
    return partial(invitations.accept_invitation, **_invited(scene), **zoe)


def _decline_invitation(scene: Scene) -> Act:
    zoe = {"actor": scene.world.person("Zoe"), "at": scene.world.at}
    return partial(invitations.decline_invitation, **_invited(scene), **zoe)


def _create_access_review(scene: Scene) -> Act:
    return partial(reviews.create_access_review, **scene.boss)


def _opened(scene: Scene, answer: ReviewAnswer) -> dict[str, Any]:
    """An open review in which everything is kept but the role of Eve, for which `answer` is."""
    review = done(_create_access_review(scene)())
    to = Role.READER if answer is ReviewAnswer.REDUCE else None
    choices = {
        line.position: Choice(answer, to) if line.person == scene.eve else Choice(ReviewAnswer.KEEP)
        for line in review.lines.all()
    }
    done(reviews.answer_access_review(review=review, choices=choices, **scene.boss))
    return {"review": review, **scene.boss}


def _answer_access_review(scene: Scene) -> Act:
    review = done(_create_access_review(scene)())
    choices = {line.position: Choice(ReviewAnswer.KEEP) for line in review.lines.all()}
    return partial(reviews.answer_access_review, review=review, choices=choices, **scene.boss)


def _apply_access_review(scene: Scene) -> Act:
    opened = _opened(scene, ReviewAnswer.REDUCE)
    expected = answers_digest(opened["review"], scene.world.at)
    return partial(reviews.apply_access_review, expected=expected, **opened)


def _sign_access_review(scene: Scene) -> Act:
    opened = _opened(scene, ReviewAnswer.KEEP)
    expected = answers_digest(opened["review"], scene.world.at)
    done(reviews.apply_access_review(expected=expected, **opened))
    return partial(reviews.sign_access_review, expected=counts(opened["review"]), **opened)


def _found_business(scene: Scene) -> Act:
    entity, liam = scene.entity(), scene.world.person("Liam")

    @transaction.atomic
    def found() -> BusinessAccount:
        business = open_business(entity=entity, at=scene.world.at)
        found_business(person=liam, business=business, at=scene.world.at)
        return business

    return found


def _write_reminders(scene: Scene) -> Act:
    relationship = scene.world.relationship(scene.maple, scene.north)
    assert relationship.ends_at
    return partial(reminders.write_reminders, at=relationship.ends_at - timedelta(days=2))


def _create_calendar_feed(scene: Scene) -> Act:
    done(feeds.create_calendar_feed(token="before", **scene.boss))
    return partial(feeds.create_calendar_feed, token="secret", **scene.boss)


def _end_calendar_feed(scene: Scene) -> Act:
    done(feeds.create_calendar_feed(token="secret", **scene.boss))
    return partial(feeds.end_calendar_feed, **scene.boss)


def _open_view_as(scene: Scene) -> Act:
    row = scene.world.relationship(scene.maple, scene.north)
    return partial(view_as.open_view_as, relationship=row, seen_at=None, **scene.boss)


ACTS: dict[Callable[..., Any], Callable[[Scene], Act]] = {
    employees.create_access_request: _create_access_request,
    employees.approve_access_request: _approve_access_request,
    employees.reject_access_request: _reject_access_request,
    employees.withdraw_access_request: _withdraw_access_request,
    relationships.create_relationship_request: _create_relationship_request,
    offers.create_relationship_offer: _create_relationship_offer,
    offers.accept_relationship_offer: _accept_relationship_offer,
    offers.decline_relationship_offer: _decline_relationship_offer,
    offers.withdraw_relationship_offer: _withdraw_relationship_offer,
    mutes.mute_firm: _mute_firm,
    mutes.mute_client: _mute_client,
    mutes.mute_person: _mute_person,
    mutes.end_mute: _end_mute,
    bulk.create_relationship_requests: _create_relationship_requests,
    batches.create_request_batch: _create_request_batch,
    batches.send_request_batch: _send_request_batch,
    relationships.approve_relationship_request: _approve_relationship_request,
    relationships.reject_relationship_request: _reject_relationship_request,
    nudges.nudge_relationship_request: _nudge_relationship_request,
    relationships.withdraw_relationship_request: _withdraw_relationship_request,
    endings.end_relationship: _end_relationship,
    endings.leave_relationship: _leave_relationship,
    renewals.renew_relationship: _renew_relationship,
    changes.change_relationship: _change_relationship,
    changes.narrow_relationship: _narrow_relationship,
    suspensions.suspend_relationship: _suspend_relationship,
    suspensions.resume_relationship: _resume_relationship,
    rights.end_membership: _end_membership,
    rights.suspend_membership: _suspend_membership,
    rights.resume_membership: _resume_membership,
    rights.end_business_role: _end_business_role,
    rights.end_program_role: _end_program_role,
    continuity.nominate_successor: _nominate_successor,
    continuity.remove_successor: _remove_successor,
    continuity.claim_succession: _claim_succession,
    continuity.stop_succession: _stop_succession,
    continuity.take_over_succession: _take_over_succession,
    grants.change_role: _change_role,
    recovery.create_recovery_request: _create_recovery_request,
    recovery.withdraw_recovery_request: _withdraw_recovery_request,
    people.propose_account_recovery: _propose_account_recovery,
    people.confirm_account_recovery: _confirm_account_recovery,
    people.reject_account_recovery: _reject_account_recovery,
    desk.propose_recovery: _propose_recovery,
    desk.confirm_recovery: _confirm_recovery,
    desk.reject_recovery: _reject_recovery,
    lookups.open_lookup: _open_lookup,
    lookups.end_lookup: _end_lookup,
    clients.create_client_group: _create_client_group,
    clients.add_client_to_group: _add_client_to_group,
    clients.rename_client_group: _rename_client_group,
    clients.archive_client_group: _archive_client_group,
    clients.remove_client_from_group: _remove_client_from_group,
    clients.create_staff_assignment: _create_staff_assignment,
    clients.change_staff_assignment: _change_staff_assignment,
    clients.end_staff_assignment: _end_staff_assignment,
    groups.create_employee_group: _create_employee_group,
    groups.add_employees_to_group: _add_employees_to_group,
    groups.grant_employee_group_role: _grant_employee_group_role,
    groups.rename_employee_group: _rename_employee_group,
    groups.remove_employee_from_group: _remove_employee_from_group,
    groups.end_employee_group_role: _end_employee_group_role,
    groups.archive_employee_group: _archive_employee_group,
    program_groups.create_program_group: _create_program_group,
    program_groups.rename_program_group: _rename_program_group,
    program_groups.add_programs_to_group: _add_programs_to_group,
    program_groups.remove_program_from_group: _remove_program_from_group,
    program_groups.archive_program_group: _archive_program_group,
    reminders.write_reminders: _write_reminders,
    invitations.create_invitation: _create_invitation,
    invitations.resend_invitation: _resend_invitation,
    invitations.revoke_invitation: _revoke_invitation,
    invitations.accept_invitation: _accept_invitation,
    invitations.decline_invitation: _decline_invitation,
    feeds.create_calendar_feed: _create_calendar_feed,
    feeds.end_calendar_feed: _end_calendar_feed,
    view_as.open_view_as: _open_view_as,
    reviews.create_access_review: _create_access_review,
    reviews.answer_access_review: _answer_access_review,
    reviews.apply_access_review: _apply_access_review,
    reviews.sign_access_review: _sign_access_review,
    found_business: _found_business,
    registrations.submit_registration: _submit_registration,
    declarations.create_correction: _create_correction,
}


def public_services() -> Iterator[Callable[..., Any]]:
    """The functions of the services of delegation and of the desk in which somebody acts."""
    rooms = (delegation.services, officers.services)
    names = [f"{room.__name__}.{one.name}" for room in rooms for one in iter_modules(room.__path__)]
    for module in map(import_module, names):
        for name, function in getmembers(module, isfunction):
            named = {
                key
                for key, one in signature(function).parameters.items()
                if one.kind is one.KEYWORD_ONLY
            }
            here = function.__module__ == module.__name__ and not name.startswith("_")
            if here and {"actor", "at"} <= named:
                yield function


def test_every_service_has_its_act() -> None:
    assert set(public_services()) <= set(ACTS)
    assert len(set(public_services())) >= 17


@contextmanager
def not_atomic() -> Iterator[None]:
    """`transaction.atomic` holds nothing together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction.Atomic, "__enter__", lambda self: None)
        patch.setattr(transaction.Atomic, "__exit__", lambda self, *error: None)
        yield


@pytest.mark.asvs("2.3.3")
@pytest.mark.once
@pytest.mark.parametrize(
    "room", sorted({service.__module__ for service in ACTS}), ids=lambda room: room
)
def test_acts_are_whole_or_not_there(world: World, room: str) -> None:
    scene, whole = Scene(world), dict[str, int]()
    known = dict(world.people)
    services = [one for one in ACTS if one.__module__ == room]
    for service in services:
        with transaction.atomic():
            act = ACTS[service](scene)
            # All checks take as long as all faults of an act: by day they look at one of a room.
            examined = NIGHTLY or service is services[-1]
            tried, torn = faults(act, world.at, examined=examined)
            assert not torn, f"{service.__name__}: {torn}"
            # The control: the same act, held together by nothing, is torn.
            with not_atomic():
                assert faults(act, world.at, examined=False)[1], service.__name__
            transaction.set_rollback(True)
        whole[service.__name__] = tried
        world.people = dict(known)
    print(f"{sum(whole.values())} statements failed: {whole}")
    assert min(whole.values()) > 5 // STRIDE
