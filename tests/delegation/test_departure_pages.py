"""Off-boarding in one act: every right, every session, and the list of what was held."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.departures import possessions
from delegation.models import Ceiling, Membership
from delegation.roles import Role
from delegation.services.clients import create_staff_assignment
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.rights import end_membership, end_program_role
from tests.delegation.reading import as_, queries, words
from tests.world import World, done

CONFIRM = {"confirm": "yes", "reason": "Contract over."}


def url(name: str, business: BusinessAccount, person: User) -> str:
    held = Membership.objects.get(person=person, business=business)
    return reverse(name, kwargs={"bn9": business.bn9, "pk": held.pk})


def home(business: BusinessAccount) -> str:
    return reverse("business_home", kwargs={"bn9": business.bn9})


@pytest.mark.asvs("7.4.2", "7.4.5")
@pytest.mark.usefixtures("clock")
def test_every_session_of_who_is_off_boarded_ends_at_once(
    world: World, maple: BusinessAccount
) -> None:
    rea, zebra = world.employee("Rea", maple, RM0001="reader"), world.importer("Zebra")
    world.member("Rea", zebra)
    desk, telephone = as_(rea), as_(rea)
    bystander = as_(world.employee("Ben", maple, RM0001="reader"))
    assert [one.get(home(zebra)).status_code for one in (desk, telephone)] == [200, 200]

    boss = as_(world.manager(maple))
    assert boss.post(url("membership_end", maple, rea), CONFIRM).status_code == 302

    for session in (desk, telephone):
        assert session.get(home(zebra)).status_code == 302, "The next request asks to sign in."
        assert "_auth_user_id" not in session.session
    # Who also works elsewhere signs in again and goes on there.
    again = as_(rea)
    assert again.get(home(zebra)).status_code == 200
    assert again.get(home(maple)).status_code == 404
    # The controls: nobody else is signed out, and who leaves keeps the session.
    assert bystander.get(home(maple)).status_code == 200
    assert boss.get(home(maple)).status_code == 200
    assert again.post(url("membership_end", zebra, rea), CONFIRM).status_code == 302
    assert again.get(reverse("first_time_setup")).status_code == 200


def test_the_list_says_what_was_held_from_where_until_when(
    world: World, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple}
    rea = world.employee("Rea", maple, RM0001="editor", RM0002="reader")
    group = done(create_employee_group(name="Desk", **boss, at=world.at))
    program = world.program(maple)
    done(
        grant_employee_group_role(group=group, scope=program, role=Role.READER, **boss, at=world.at)
    )
    done(add_employees_to_group(group=group, people=[rea], **boss, at=world.at))
    client = world.importer("Birch")
    maple.provider_type = BusinessAccount.ProviderType.BROKER
    maple.save()
    world.relationship(client, maple)
    work = {"assignee": group, "target": client, "role": Ceiling.EDITOR}
    done(create_staff_assignment(**boss, **work, at=world.at))
    page = words(as_(world.manager(maple)).get(url("membership_end", maple, rea)))
    assert str(client) in page
    sooner, end = world.at + timedelta(days=2), world.at + timedelta(days=5)
    first = rea.memberships.get()
    role = program.role_rows.get(user=rea)
    done(end_program_role(role=role, **boss, at=sooner))
    done(end_membership(membership=first, reason="Contract over.", **boss, at=end))

    first.refresh_from_db()
    held = [
        (one.what, one.scope, one.group, one.until, one.was_held_to_the_end)
        for one in possessions(first)
    ]
    assert held == [
        ("As an Editor", str(client), "Desk", end, True),
        ("Reader", "RM 0001 Maple 1", "Desk", end, True),
        ("Reader", "RM 0002 Maple 2", "", end, True),
        ("Editor", "RM 0001 Maple 1", "", sooner, False),
    ]
    clock.move_to(end + timedelta(hours=1))
    browser = as_(world.manager(maple))
    page = words(browser.get(url("membership_departure", maple, rea)))
    assert "Reason Contract over." in page and "Given by Maple manager" in page
    assert "Held earlier" in page and "Through the group Desk" in page
    # Who comes back begins with nothing; the list of the first time stays as it was.
    before = queries(browser, url("membership_departure", maple, rea))
    Membership.objects.create(person=rea, business=maple, starts_at=end + timedelta(hours=1))
    assert [one.what for one in possessions(first)][1:] == ["Reader", "Reader", "Editor"]
    assert before <= 16


@pytest.mark.usefixtures("clock")
def test_a_manager_alone_reads_the_list(world: World, maple: BusinessAccount) -> None:
    rea = world.employee("Rea", maple, RM0001="reader")
    pam, boss = world.employee("Pam", maple, RM0001="pam"), world.manager(maple)
    listed = url("membership_departure", maple, rea)
    assert as_(boss).get(listed).status_code == 302, "Nobody left."
    done(
        end_membership(
            actor=boss, acting_for=maple, membership=rea.memberships.get(), reason="", at=world.at
        )
    )
    answers = {pam: 403, boss: 200, world.manager(world.importer("Zebra")): 404}
    assert {one: as_(one).get(listed).status_code for one in answers} == answers
    assert Client().get(listed).status_code == 302
