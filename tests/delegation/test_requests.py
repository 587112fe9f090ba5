"""Requests of people and firms: asked, decided once, withdrawn, lapsed."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Event
from audit.services import Refusal
from delegation.access_requests import as_wished
from delegation.models import AccessRequest, BusinessRole, Membership, Relationship
from delegation.models.requests import Status
from delegation.roles import Role
from delegation.services.employees import (
    Grants,
    approve_access_request,
    create_access_request,
    reject_access_request,
    withdraw_access_request,
)
from delegation.services.grants import RoleChange, change_role
from delegation.services.roles import Term
from tests.world import World, done, next_bn9, roles_of


def test_an_employee_gets_a_role_for_each_program(world: World) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor", RM0002="reader")
    assert roles_of(maple, eve, world.at) == {"RM0001": Role.EDITOR, "RM0002": Role.READER}


def test_a_manager_of_programs_opened_later_too(world: World) -> None:
    maple = world.importer("Maple", programs=1)
    ana = world.employee("Ana", maple)
    late = maple.programs.create(extension="RM0009", opened_at=world.at)
    assert world.access(ana, maple).role_on(late) is Role.BAM


def test_a_request_waits_for_a_business_that_is_not_registered(world: World) -> None:
    bn9 = next_bn9()
    world.access_request("Eve", bn9)
    maple = world.importer("Maple", bn9=bn9)
    waiting = AccessRequest.objects.pending_at(world.at).get(bn9=maple.bn9)
    assert waiting.status_at(world.at) is Status.PENDING


def test_a_second_request_waits_for_the_first(world: World) -> None:
    maple = world.importer("Maple")
    world.access_request("Eve", maple)
    again = create_access_request(
        actor=world.person("Eve"), bn9=maple.bn9, note="Again", wishes={}, at=world.at
    )
    assert isinstance(again, Refusal) and again.code == "already_waiting"


def test_a_lapsed_request_never_blocks_a_new_one(world: World) -> None:
    maple = world.importer("Maple")
    first = world.access_request("Eve", maple)
    the_instant = World(first.closes_at, world.people)
    assert first.status_at(first.closes_at) is Status.LAPSED
    assert first.status_at(first.closes_at - timedelta(seconds=1)) is Status.PENDING
    the_instant.access_request("Eve", maple)


def test_a_decided_request_is_not_decided_again(world: World) -> None:
    maple = world.importer("Maple")
    waiting = world.access_request("Eve", maple)
    approve = {
        "actor": world.manager(maple),
        "acting_for": maple,
        "access_request": waiting,
        "grants": Grants(programs={world.program(maple).pk: Role.READER}),
        "expected_version": waiting.version,
        "at": world.at,
    }
    done(approve_access_request(**approve))
    second = approve_access_request(**approve)
    assert isinstance(second, Refusal) and second.code == "already_decided"
    assert "Maple manager" in str(second.message)
    refused = Event.objects.filter(verb="access_request.approve.refused")
    assert refused.filter(reason="already_decided").count() == 2  # business and person


def test_a_form_decides_what_its_reader_saw(world: World) -> None:
    maple = world.importer("Maple")
    waiting = world.access_request("Eve", maple, RM0001="editor", RM0002="editor")
    world.employee("Pam", maple, RM0001="pam")
    reject = {"acting_for": maple, "access_request": waiting, "reason": "Not here."}
    done(
        reject_access_request(actor=world.person("Pam"), expected_version=1, at=world.at, **reject)
    )
    stale = reject_access_request(
        actor=world.manager(maple), expected_version=1, at=world.at, **reject
    )
    assert isinstance(stale, Refusal) and stale.code == "changed"


def test_a_pam_decides_only_the_lines_of_its_programs(world: World) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam", maple, RM0001="pam")
    waiting = world.access_request("Eve", maple, RM0001="editor", RM0002="editor")
    one, two = world.program(maple, "RM0001"), world.program(maple, "RM0002")

    def approve(grants: Grants, version: int) -> AccessRequest | Refusal:
        return approve_access_request(
            actor=pam,
            acting_for=maple,
            access_request=waiting,
            grants=grants,
            expected_version=version,
            at=world.at,
        )

    for too_much in (
        Grants(make_bam=True),
        Grants(programs={one.pk: Role.PAM}),
        Grants(programs={one.pk: Role.EDITOR, two.pk: Role.READER}),
    ):
        refusal = approve(too_much, 1)
        assert isinstance(refusal, Refusal) and refusal.code == "above_own_right"
    still = done(approve(Grants(programs={one.pk: Role.EDITOR}), 1))
    assert still.status_at(world.at) is Status.PENDING
    assert roles_of(maple, world.person("Eve"), world.at) == {
        "RM0001": Role.EDITOR,
        "RM0002": None,
    }
    again = approve(Grants(programs={one.pk: Role.READER}), 2)
    assert isinstance(again, Refusal) and again.code == "not_allowed"


def test_a_pam_takes_no_role_that_is_given_for_later(world: World) -> None:
    """One at once, one among several: each asks of what the new role would take the place of."""
    maple = world.importer("Maple")
    pam, eve = world.employee("Pam", maple, RM0001="pam"), world.member("Eve", maple)
    program = world.program(maple)
    later = RoleChange(Role.PAM, frozenset({program.pk}), Term(world.at + timedelta(days=9)))
    done(
        change_role(
            actor=world.manager(maple),
            acting_for=maple,
            membership=eve.memberships.get(),
            change=later,
            at=world.at,
        )
    )
    waiting = world.access_request("Eve", maple, RM0001="reader")
    refusal = approve_access_request(
        actor=pam,
        acting_for=maple,
        access_request=waiting,
        grants=Grants(programs={program.pk: Role.READER}),
        expected_version=1,
        at=world.at,
    )
    assert isinstance(refusal, Refusal) and refusal.code == "above_own_right"
    [by_pam] = as_wished(world.access(pam, maple), [waiting])
    assert "more than your own role allows" in by_pam.why_not
    [by_bam] = as_wished(world.access(world.manager(maple), maple), [waiting])
    assert not by_bam.why_not and by_bam.given[0].later == ("Program Account Manager",)


def test_nobody_decides_an_own_request(world: World) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam", maple, RM0001="pam")
    waiting = world.access_request("Pam", maple, RM0001="editor")
    refusal = approve_access_request(
        actor=pam,
        acting_for=maple,
        access_request=waiting,
        grants=Grants(programs={world.program(maple).pk: Role.EDITOR}),
        expected_version=1,
        at=world.at,
    )
    assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"


def test_a_manager_of_another_business_decides_nothing_here(world: World) -> None:
    maple, cedar = world.importer("Maple"), world.importer("Cedar")
    waiting = world.access_request("Eve", maple)
    refusal = approve_access_request(
        actor=world.manager(cedar),
        acting_for=cedar,
        access_request=waiting,
        grants=Grants(make_bam=True),
        expected_version=1,
        at=world.at,
    )
    assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"
    assert not Membership.objects.filter(person=world.person("Eve")).exists()


def test_a_withdrawn_request_cannot_be_approved(world: World) -> None:
    maple = world.importer("Maple")
    waiting = world.access_request("Eve", maple)
    done(withdraw_access_request(actor=world.person("Eve"), access_request=waiting, at=world.at))
    refusal = approve_access_request(
        actor=world.manager(maple),
        acting_for=maple,
        access_request=waiting,
        grants=Grants(make_bam=True),
        expected_version=waiting.version,
        at=world.at,
    )
    assert isinstance(refusal, Refusal) and refusal.code == "already_decided"
    assert not BusinessRole.objects.filter(user=world.person("Eve")).exists()


@pytest.mark.parametrize("table", [Membership, Relationship])
def test_the_database_bars_overlapping_rows(world: World, table: type) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn)
    row = relationship if table is Relationship else Membership.objects.get(business=maple)
    row.pk = None
    row._state.adding = True
    row.starts_at += timedelta(seconds=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_lets_periods_touch(world: World) -> None:
    maple = world.importer("Maple")
    first = Membership.objects.get(business=maple)
    Membership.objects.filter(pk=first.pk).update(ends_at=world.at + timedelta(days=1))
    Membership.objects.create(
        person=first.person, business=maple, starts_at=world.at + timedelta(days=1)
    )
    assert connection.vendor in {"sqlite", "postgresql"}
