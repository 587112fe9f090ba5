"""Taking rights away, and the manager whom a business never loses."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import (
    AccessRequest,
    BusinessRole,
    EmployeeGroupMember,
    Membership,
    ProgramRole,
    StaffAssignment,
)
from delegation.roles import Action, Role
from delegation.services.employees import (
    Grants,
    approve_access_request,
    reject_access_request,
)
from delegation.services.groups import add_employees_to_group, create_employee_group
from delegation.services.rights import (
    end_business_role,
    end_membership,
    end_program_role,
    resume_membership,
    suspend_membership,
)
from pages.formats import end_of_day
from tests.world import World, done, roles_of

Way = Callable[[World, BusinessAccount], Any]


def _membership(world: World, maple: BusinessAccount) -> Membership:
    return Membership.objects.get(business=maple, person=world.manager(maple))


def _role(world: World, maple: BusinessAccount) -> BusinessRole:
    return BusinessRole.objects.get(content_object=maple, user=world.manager(maple))


def _leave(world: World, maple: BusinessAccount) -> Any:
    return end_membership(
        actor=world.manager(maple),
        acting_for=maple,
        membership=_membership(world, maple),
        reason="Moving on",
        at=world.at,
    )


def _suspend(world: World, maple: BusinessAccount, by: User) -> Any:
    return suspend_membership(
        actor=by,
        acting_for=maple,
        membership=_membership(world, maple),
        reason="Leave",
        at=world.at,
    )


def _step_down(world: World, maple: BusinessAccount) -> Any:
    return end_business_role(
        actor=world.manager(maple), acting_for=maple, role=_role(world, maple), at=world.at
    )


def _set_an_end(world: World, maple: BusinessAccount) -> Any:
    return end_business_role(
        actor=world.manager(maple),
        acting_for=maple,
        role=_role(world, maple),
        at=world.at,
        ends_at=world.at + timedelta(days=365),
    )


WAYS = [_leave, _step_down, _set_an_end]


@pytest.mark.parametrize("way", WAYS)
def test_the_last_manager_stays(world: World, way: Way) -> None:
    maple = world.importer("Maple")
    refusal = way(world, maple)
    assert isinstance(refusal, Refusal) and refusal.code == "last_manager"
    assert world.access(world.manager(maple), maple).is_bam
    assert world.later(days=400).access(world.manager(maple), maple).is_bam


@pytest.mark.parametrize("way", WAYS)
def test_with_a_second_manager_the_first_may_go(world: World, way: Way) -> None:
    maple = world.importer("Maple")
    world.employee("Ana", maple)
    done(way(world, maple))
    assert not world.later(days=400).access(world.manager(maple), maple).is_bam


def test_a_second_manager_with_an_end_in_sight_does_not_count(world: World) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    BusinessRole.objects.filter(user=ana).update(ends_at=world.at + timedelta(days=1))
    assert _leave(world, maple).code == "last_manager"
    assert _suspend(world, maple, ana).code == "last_manager"


def test_a_second_manager_who_is_disabled_does_not_count(world: World) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    ana.is_active = False
    ana.save()
    assert _leave(world, maple).code == "last_manager"


def test_off_boarding_ends_every_right_and_hiring_again_works(world: World) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor", RM0002="reader")
    done(
        end_membership(
            actor=world.manager(maple),
            acting_for=maple,
            membership=Membership.objects.get(person=eve),
            reason="Left",
            at=world.at,
        )
    )
    assert not world.access(eve, maple).programs(Action.VIEW_TRANSACTIONS)
    again = world.later(days=1)
    again.employee("Eve", maple, RM0001="reader")
    assert Membership.objects.filter(person=eve).count() == 2
    assert roles_of(maple, eve, again.at) == {"RM0001": Role.READER, "RM0002": None}


def test_a_manager_who_left_and_comes_back_is_no_manager(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Ana", maple)
    done(_leave(world, maple))
    again = world.later(days=1)
    waiting = again.access_request("Maple manager", maple)
    done(
        approve_access_request(
            actor=world.person("Ana"),
            acting_for=maple,
            access_request=waiting,
            grants=Grants(programs={world.program(maple).pk: Role.READER}),
            expected_version=waiting.version,
            at=again.at,
        )
    )
    assert roles_of(maple, world.manager(maple), again.at)["RM0001"] is Role.READER


def test_group_and_assignment_end_with_the_membership(world: World) -> None:
    north = world.broker("North")
    maple = world.importer("Maple")
    world.relationship(maple, north)
    boss = world.manager(north)
    world.assign("Eve", north, maple)
    eve = world.person("Eve")
    group = done(create_employee_group(actor=boss, acting_for=north, name="All", at=world.at))
    done(
        add_employees_to_group(actor=boss, acting_for=north, group=group, people=[eve], at=world.at)
    )
    later = world.later(hours=1)
    done(
        end_membership(
            actor=boss,
            acting_for=north,
            membership=Membership.objects.get(person=eve),
            reason="Left",
            at=later.at,
        )
    )
    assert StaffAssignment.objects.get(person=eve).ends_at == later.at
    assert EmployeeGroupMember.objects.get(person=eve).ends_at == later.at


def test_nobody_lengthens_a_role_by_setting_its_end(world: World) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor")

    def until(at: datetime) -> Any:
        role = ProgramRole.objects.get(user=eve)
        return end_program_role(actor=eve, acting_for=maple, role=role, at=world.at, ends_at=at)

    done(until(world.at + timedelta(days=2)))
    assert until(world.at + timedelta(days=300)).code == "not_sooner"
    assert until(world.at - timedelta(days=1)).code == "ends_in_the_past"
    done(until(world.at + timedelta(days=1)))
    assert world.later(hours=23).access(eve, maple).role_on(world.program(maple))
    assert not world.later(days=1).access(eve, maple).role_on(world.program(maple))


def test_the_event_names_the_path(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Ana", maple)
    eve = world.employee("Eve", maple, RM0001="editor")
    done(_leave(world, maple))
    role = ProgramRole.objects.get(user=eve)
    done(end_program_role(actor=world.person("Ana"), acting_for=maple, role=role, at=world.at))
    chain = Event.objects.filter(chain=business_chain(maple.bn9)).order_by("seq")
    assert list(chain.values_list("path", flat=True))[-2:] == ["own", "own:bam"]


@pytest.mark.parametrize(("who", "allowed"), [("Pam", True), ("Ed", False)])
def test_who_may_take_a_program_role(world: World, who: str, allowed: bool) -> None:
    maple = world.importer("Maple")
    world.employee("Pam", maple, RM0001="pam")
    world.employee("Ed", maple, RM0001="editor")
    rea = world.employee("Rea", maple, RM0001="reader")
    answer = end_program_role(
        actor=world.person(who),
        acting_for=maple,
        role=ProgramRole.objects.get(user=rea),
        at=world.at,
    )
    assert isinstance(answer, Refusal) is not allowed


def test_a_pam_cannot_take_another_pam(world: World) -> None:
    maple = world.importer("Maple")
    one = world.employee("One", maple, RM0001="pam")
    other = world.employee("Other", maple, RM0001="pam")
    answer = end_program_role(
        actor=one, acting_for=maple, role=ProgramRole.objects.get(user=other), at=world.at
    )
    assert isinstance(answer, Refusal) and answer.code == "not_allowed"


# A suspension, and its end


def _of(person: User) -> Membership:
    return Membership.objects.get(person=person)


def _suspended(world: World, maple: BusinessAccount) -> User:
    """An Editor whom the manager suspended."""
    eve = world.employee("Eve", maple, RM0001="editor")
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(suspend_membership(membership=_of(eve), reason="On leave", **boss))
    return eve


def test_what_was_suspended_is_resumed_as_it_was(world: World) -> None:
    maple = world.importer("Maple")
    eve = _suspended(world, maple)
    assert not world.access(eve, maple).programs(Action.VIEW_TRANSACTIONS)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(resume_membership(membership=_of(eve), **boss))
    assert roles_of(maple, eve, world.at) == {"RM0001": Role.EDITOR, "RM0002": None}
    assert _breaches(world) == []


@pytest.mark.parametrize(("name", "code"), [("Eve", "not_allowed"), ("Pam", "not_allowed")])
def test_nobody_but_a_manager_resumes(world: World, name: str, code: str) -> None:
    maple = world.importer("Maple")
    eve = _suspended(world, maple)
    world.employee("Pam", maple, RM0001="pam")
    answer = resume_membership(
        actor=world.person(name), acting_for=maple, membership=_of(eve), at=world.at
    )
    assert isinstance(answer, Refusal) and answer.code == code
    assert _of(eve).suspended_at == world.at


@pytest.mark.parametrize("name", ["Maple manager", "Rea"])
def test_nobody_suspends_oneself(world: World, name: str) -> None:
    maple = world.importer("Maple")
    world.employee("Ana", maple)
    world.employee("Rea", maple, RM0001="reader")
    person = world.person(name)
    about = {"actor": person, "acting_for": maple, "membership": _of(person), "at": world.at}
    answer = suspend_membership(reason="Away", **about)
    assert isinstance(answer, Refusal) and answer.code == "not_allowed"
    assert _of(person).suspended_at is None


def test_a_manager_whom_another_suspended_is_resumed_by_another(world: World) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    done(_suspend(world, maple, ana))
    its = {"acting_for": maple, "membership": _of(world.manager(maple)), "at": world.at}
    assert isinstance(resume_membership(actor=world.manager(maple), **its), Refusal)
    done(resume_membership(actor=ana, **its))
    assert world.access(world.manager(maple), maple).is_bam


def test_suspending_and_resuming_twice_is_told_and_changes_nothing(world: World) -> None:
    maple = world.importer("Maple")
    eve = _suspended(world, maple)
    later = world.later(hours=1)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": later.at}
    again = suspend_membership(membership=_of(eve), reason="", **boss)
    assert isinstance(again, Refusal) and again.code == "already_suspended"
    assert _of(eve).suspended_at == world.at
    done(resume_membership(membership=_of(eve), **boss))
    once_more = resume_membership(membership=_of(eve), **boss)
    assert isinstance(once_more, Refusal) and once_more.code == "not_suspended"


# Crossed clocks: who waited for a lock read the clock before


def test_an_end_that_waited_ends_when_it_gets_its_turn(world: World) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor")
    later = world.later(minutes=5)
    later.access_request("Zoe", maple)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_membership(membership=_of(eve), reason="", **boss))
    assert _of(eve).ends_at == ProgramRole.objects.get(user=eve).ends_at == later.at


def test_who_was_dismissed_dismisses_nobody(world: World) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    boss = {"acting_for": maple, "reason": "Out"}
    later = world.later(minutes=5)
    done(end_membership(actor=ana, membership=_of(world.manager(maple)), at=later.at, **boss))
    answer = end_membership(actor=world.manager(maple), membership=_of(ana), at=world.at, **boss)
    assert isinstance(answer, Refusal) and answer.code == "not_allowed"
    assert later.access(ana, maple).is_bam


@pytest.mark.parametrize("way", ["approve", "reject"])
def test_a_form_from_before_the_dismissal_decides_nothing(world: World, way: str) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="reader")
    waiting = world.access_request("Eve", maple, RM0002="reader")
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_membership(membership=_of(eve), reason="Left", **boss))
    shown = {"access_request": waiting, "expected_version": waiting.version, **boss}
    grants = Grants(programs={world.program(maple, "RM0002").pk: Role.READER})
    if way == "approve":
        answer = approve_access_request(grants=grants, **shown)
    else:
        answer = reject_access_request(reason="No", **shown)
    assert isinstance(answer, Refusal) and answer.code == "changed"
    assert AccessRequest.objects.get(pk=waiting.pk).decision == ""
    assert _of(eve).ends_at == world.at


# History and mail


def _breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


ACTS_ON_EVE = {
    "membership.end": "Your access to a business account has ended",
    "membership.suspend": "Your access to a business account is suspended",
    "program_role.end": "One of your roles in a business account ends",
}


def _act_on_eve(verb: str, world: World, maple: BusinessAccount, reason: str = "Told you") -> Any:
    eve = world.person("Eve")
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    if verb == "program_role.end":
        return end_program_role(role=ProgramRole.objects.get(user=eve), **boss)
    act = end_membership if verb == "membership.end" else suspend_membership
    return act(membership=_of(eve), reason=reason, **boss)


@pytest.mark.parametrize("verb", ACTS_ON_EVE)
def test_the_person_is_told_once_and_both_histories_tell(
    world: World, verb: str, django_capture_on_commit_callbacks: Any
) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor")
    eve.language = "fr-ca"
    eve.save()
    with django_capture_on_commit_callbacks(execute=True):
        done(_act_on_eve(verb, world, maple))
        assert isinstance(_act_on_eve(verb, world.later(hours=1), maple), Refusal)
    [letter] = mail.outbox
    assert letter.to == [eve.email]
    assert letter.subject != ACTS_ON_EVE[verb] and "Maple" in letter.body
    assert ("Told you" in letter.body) is verb.startswith("membership")
    told = Event.objects.filter(verb=verb)
    assert {event.chain_id for event in told} == {business_chain(maple.bn9), f"person:{eve.pk}"}
    assert Event.objects.filter(verb=f"{verb}.refused").count() == 2
    assert _breaches(world.later(hours=1)) == []


def test_the_mail_says_when_a_role_ends(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    with django_capture_on_commit_callbacks(execute=True):
        done(
            end_business_role(
                actor=world.manager(maple),
                acting_for=maple,
                role=BusinessRole.objects.get(user=ana),
                at=world.at,
                ends_at=end_of_day(date(2026, 12, 31)),
            )
        )
    [letter] = mail.outbox
    assert letter.subject == "One of your roles in a business account ends"
    assert "until the end of December 31, 2026 (Eastern time)" in letter.body
