"""Defects about people: who leaves, who stays, who decides what, and who comes back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import ProtectedError

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.models import (
    AccessRequest,
    BusinessRole,
    Ceiling,
    Membership,
    ProgramRole,
    RelationshipRequest,
    StaffAssignment,
)
from delegation.permissions import _decidable
from delegation.roles import Action, Role
from delegation.services.clients import create_staff_assignment, end_staff_assignment
from delegation.services.employees import (
    Grants,
    approve_access_request,
    withdraw_access_request,
)
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.invitations import Offer, accept_invitation, create_invitation
from delegation.services.relationships import withdraw_relationship_request
from delegation.services.rights import (
    end_business_role,
    end_membership,
    end_program_role,
    suspend_membership,
)
from officers.services.recovery import confirm_recovery, propose_recovery
from tests.access.defects.broken import address, finds, instead, named, once_only, there_is
from tests.delegation.reading import as_, words
from tests.delegation.test_relationship_pages import answers
from tests.officers.people import headless, officer, recovery_asked
from tests.world import World, done, next_bn9, roles_of

pytestmark = pytest.mark.usefixtures("clock")


def codes(*outcomes: Any) -> list[str]:
    """How each act ended: the code of its refusal, or `done`."""
    return [one.code if isinstance(one, Refusal) else "done" for one in outcomes]


def ways_to_go(world: World, maple: BusinessAccount, person: User) -> list[Callable[[], Any]]:
    """Every act by which a manager goes. Nobody suspends oneself."""
    boss = {"actor": person, "acting_for": maple, "at": world.at}
    membership = Membership.objects.get(person=person, business=maple)
    role = BusinessRole.objects.get(user=person, content_object=maple)
    in_a_year = world.at + timedelta(days=365)
    return [
        lambda: end_membership(membership=membership, reason="Going", **boss),
        lambda: end_business_role(role=role, **boss),
        lambda: end_business_role(role=role, ends_at=in_a_year, **boss),
    ]


@finds(instead("delegation.services.rights._why_last_manager", lambda *_: None))
@finds(
    instead(
        "delegation.services.roles.lasting_managers",
        lambda business, at: {*BusinessRole.objects.values_list("user", flat=True)},
    )
)
def test_d09_the_last_manager_leaves_by_another_path(world: World) -> None:
    """One way out is guarded and others are not; here every way asks who would be left."""
    maple = world.importer("Maple")
    manager = world.manager(maple)
    leave = address(
        "membership_end", maple, pk=Membership.objects.get(person=manager, business=maple).pk
    )
    for go in ways_to_go(world, maple, manager):
        assert codes(go()) == ["last_manager"]
    posted = as_(manager).post(leave, {"reason": "Going", "confirm": "yes"})
    assert posted.status_code != 302

    ana = world.employee("Ana", maple)
    done(ways_to_go(world, maple, ana)[2]())  # Ana will go in a year, and counts no more
    for go in ways_to_go(world, maple, manager):
        assert codes(go()) == ["last_manager"]
    away = {"membership": Membership.objects.get(person=manager), "reason": "Away", "at": world.at}
    assert codes(suspend_membership(actor=ana, acting_for=maple, **away)) == ["last_manager"]
    assert world.later(days=800).access(manager, maple).is_bam


@finds(
    instead(
        "delegation.services.rights.can_end_membership", lambda access, person: person.is_active
    )
)
@finds(instead("officers.services.recovery.why_not_recoverable", lambda *_: ("has_manager", "No.")))
def test_d10_a_manager_who_is_gone_cannot_be_removed(world: World) -> None:
    """A manager who left for good stays on the books; here another manager takes that right.

    Where there is no other, two officers make one.
    """
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    User.objects.filter(pk=ana.pk).update(is_active=False)

    membership = Membership.objects.get(person=ana)
    page = address("membership_end", maple, pk=membership.pk)
    posted = as_(world.manager(maple)).post(page, {"reason": "Gone", "confirm": "yes"})

    assert posted.status_code == 302
    assert not BusinessRole.objects.get(user=ana).active_at(world.at)
    birch = headless(world, "Birch")
    eve, row = world.person("Birch Eve"), recovery_asked(world, birch)
    about = {"recovery_request": row, "at": world.at}
    seen = {"person": eve, "finding": "Seen.", "expected_version": 1}
    done(propose_recovery(actor=officer(world, "Olga"), **seen, **about))
    done(confirm_recovery(actor=officer(world, "Omar"), expected_version=2, **about))
    gone = Membership.objects.get(person=world.manager(birch))
    boss = {"actor": eve, "acting_for": birch, "at": world.at}
    done(end_membership(membership=gone, reason="Gone", **boss))
    assert world.access(eve, birch).is_bam


def whoever_asked(access: Any, asked: AccessRequest) -> list[Any]:
    return _decidable(access, list(asked.lines.all()), Action.MANAGE_EMPLOYEES)


@finds(instead("delegation.services.employees.can_approve_access_request", whoever_asked))
@finds(instead("delegation.services.clients._why_not_assignable", lambda *_: None))
def test_d13_a_person_changes_the_own_right(world: World) -> None:
    """Who may grant grants to oneself; here nobody does, by request, group, assignment or date."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    pam, ana = world.employee("Pam", maple, RM0001="pam"), world.employee("Ana", itn)
    asked = world.access_request("Pam", maple, RM0001="editor")
    mine = {"actor": pam, "acting_for": maple, "at": world.at}
    lead = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    anas = lead | {"actor": ana}
    grants = Grants(programs={world.program(maple).pk: Role.EDITOR})
    role = ProgramRole.objects.get(user=pam)
    done(end_program_role(role=role, ends_at=world.at + timedelta(days=9), **mine))
    team = done(create_employee_group(name="Team", **lead))
    done(add_employees_to_group(group=team, people=[ana], **lead))
    to_maple = {"target": maple, "role": Ceiling.PAM}

    outcomes = codes(
        approve_access_request(access_request=asked, grants=grants, expected_version=1, **mine),
        end_program_role(role=role, ends_at=world.at + timedelta(days=99), **mine),
        add_employees_to_group(group=team, people=[lead["actor"]], **lead),
        grant_employee_group_role(group=team, scope=world.program(itn), role=Role.PAM, **anas),
        create_staff_assignment(assignee=ana, **to_maple, **anas),
        create_staff_assignment(assignee=team, **to_maple, **anas),
    )

    assert outcomes == ["not_allowed", "not_sooner", *["not_allowed"] * 2, *["own_assignment"] * 2]
    form = {"version": "1", "scope": "programs", "RM0001": "editor", "confirm": "yes"}
    page = address("access_request_approve", maple, pk=asked.pk)
    assert as_(pam).post(page, form).status_code == 403
    assert roles_of(maple, pam, world.at)["RM0001"] is Role.PAM
    assert not StaffAssignment.objects.exists()


@finds(instead("delegation.services.employees.why_not_decidable", lambda *_: None))
@finds(instead("delegation.services.relationships.why_not_decidable", lambda *_: None))
def test_d17_withdrawn_and_approved_at_once(world: World) -> None:
    """Withdrawing and approving both succeed; here the second is told who was first, in words."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    asked, offered = world.access_request("Nadia", maple), world.relationship_request(itn, maple)
    manager = as_(world.manager(maple))
    approvals = (
        (address("access_request_approve", maple, pk=asked.pk),
         {"version": 1, "scope": "programs", "RM0001": "editor", "confirm": "yes"}),
        (address("relationship_request_approve", maple, pk=offered.pk), answers(confirm="yes")),
    )  # fmt: skip

    nadia, lead = world.person("Nadia"), world.manager(itn)
    done(withdraw_access_request(actor=nadia, access_request=asked, at=world.at))
    done(
        withdraw_relationship_request(
            actor=lead, acting_for=itn, relationship_request=offered, at=world.at
        )
    )
    for page, form in approvals:
        lost = manager.post(page, form)
        assert lost.status_code == 409
        assert "withdrew this request" in words(lost) and "Nothing was changed." in words(lost)
    assert not Membership.objects.filter(person=nadia).exists()
    assert not RelationshipRequest.objects.get().relationships.exists()

    approved = AccessRequest.objects.get(pk=world.employee("Eve", maple).access_requests.get().pk)
    late = withdraw_access_request(actor=world.person("Eve"), access_request=approved, at=world.at)
    assert codes(late) == ["already_decided"]


@finds(instead("delegation.services.invitations.can_answer_invitation", lambda person, asked: True))
@finds(
    instead(
        "delegation.services.invitations.verified_addresses",
        lambda person: {"never@example.test"},
    )
)
@finds(
    instead("delegation.services.employees.can_withdraw_access_request", lambda person, asked: True)
)
def test_d18_somebody_else_takes_up_what_was_addressed(world: World) -> None:
    """Whoever holds a link uses it; here what is addressed to a person is that person's alone."""
    maple = world.importer("Maple")
    asked = world.access_request("Eve", next_bn9())
    liam, eve = world.person("Liam"), world.person("Eve")
    for verb in ("", "withdraw/"):
        assert as_(liam).post(f"/en-ca/requests/{asked.pk}/{verb}").status_code in (404, 405)
    assert codes(withdraw_access_request(actor=liam, access_request=asked, at=world.at)) == [
        "not_yours"
    ]
    # The address is in Liam's profile and not proved; Eve proves it.
    invited = world.invitation(liam.email, maple, RM0001="editor")
    for person, status in ((liam, 404), (world.owns(eve, "eve@other.test"), 404)):
        for verb in ("", "accept/", "decline/"):
            page = f"/en-ca/invitations/{invited.pk}/{verb}"
            browser = as_(person)
            answer = browser.post(page, {"version": "1"}) if verb else browser.get(page)
            assert answer.status_code == status and "Maple" not in words(answer)
        taken = accept_invitation(actor=person, invitation=invited, expected_version=1, at=world.at)
        assert codes(taken) == ["not_yours"]
    assert not Membership.objects.filter(business=maple).exclude(person=world.manager(maple))
    # Whoever invites takes nothing up either: the own address is not invited.
    boss = world.manager(maple)
    world.owns(boss, "second@example.test")
    offer = Offer("second@example.test", "en-ca", "", Grants(make_bam=True))
    own = create_invitation(actor=boss, acting_for=maple, offer=offer, at=world.at)
    assert codes(own) == ["own_invitation"]

    done(
        accept_invitation(
            actor=world.owns(liam), invitation=invited, expected_version=1, at=world.at
        )
    )
    assert roles_of(maple, liam, world.at)["RM0001"] is Role.EDITOR


@finds(once_only("delegation_membership", "person_id, business_id"))
@finds(once_only("delegation_programrole", "user_id, content_object_id"))
@finds(once_only("delegation_businessrole", "user_id, content_object_id"))
@finds(once_only("delegation_staffassignment", "person_id, client_id"))
@finds(once_only("delegation_employeegroupmember", "person_id, group_id"))
def test_d19_whoever_left_cannot_come_back(world: World) -> None:
    """Rows left behind bar a return; here one comes back by every way, as often as one leaves."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    lead = world.manager(itn)
    group = done(create_employee_group(actor=lead, acting_for=itn, name="All", at=world.at))
    for day in range(3):
        then = world.later(days=day)
        boss = {"actor": lead, "acting_for": itn, "at": then.at}
        ben, ana = then.employee("Ben", itn, RM0001="editor"), then.employee("Ana", itn)
        assignment = then.assign("Ben", itn, maple)
        done(add_employees_to_group(group=group, people=[ben], **boss))
        assert then.access(ben, itn).clients().get() == maple and then.access(ana, itn).is_bam
        evening = boss | {"at": then.at + timedelta(hours=8)}
        done(end_staff_assignment(assignment=assignment, **evening))
        for person in (ben, ana):
            membership = Membership.objects.filter(person=person).latest("starts_at")
            done(end_membership(membership=membership, reason="Left", **evening))
    assert Membership.objects.filter(business=itn).exclude(person=lead).count() == 6


@finds(instead("accounts.models.User.delete", lambda self: None))
def test_d20_a_key_used_again_inherits_rights(world: World) -> None:
    """A deleted party's key goes to another with its rights; here nothing goes, no key returns."""
    maple = world.importer("Maple")
    eve, program = world.employee("Eve", maple, RM0001="editor"), world.program(maple)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Imports", **boss))
    done(add_employees_to_group(group=group, people=[eve], **boss))
    done(grant_employee_group_role(group=group, scope=program, role=Role.READER, **boss))
    for party in (eve, maple, program, group, group.auth_group):
        with pytest.raises(ProtectedError):
            party.delete()
    for table, facts in ((User, {"email": "a@example.test"}), (Group, {"name": "a"})):
        first = table.objects.create(**facts)
        key = first.pk
        first.delete()
        assert table.objects.create(**facts).pk > key


@finds(there_is("business_amalgamation"))
def test_d22_a_new_legal_entity_loses_every_authority(world: World) -> None:
    """Who changes legal entity must be authorised again; no amalgamation exists here yet."""
    assert not named("amalgamation"), "Amalgamation exists: now test D22 for real"
