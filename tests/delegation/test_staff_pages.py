"""Who of a firm works for whom: client groups, assignments, and several clients at once."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from audit.models import Event
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.models import Ceiling, ClientGroup, Membership, StaffAssignment
from delegation.services.clients import (
    add_client_to_group,
    archive_client_group,
    change_staff_assignment,
    create_client_group,
    create_staff_assignment,
    remove_client_from_group,
)
from delegation.services.groups import add_employees_to_group, create_employee_group
from tests.delegation.reading import as_, queries, words
from tests.world import World, done, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ACT = dict[str, Any]


@pytest.fixture
def act(world: World, itn: BusinessAccount) -> ACT:
    return {"actor": world.manager(itn), "acting_for": itn, "at": world.at}


@pytest.fixture
def manager(world: World, itn: BusinessAccount) -> Client:
    return as_(world.manager(itn))


@pytest.fixture
def group(act: ACT, world: World, itn: BusinessAccount, maple: BusinessAccount) -> ClientGroup:
    """Furniture, in which Maple is."""
    world.relationship(maple, itn)
    found = done(create_client_group(name="Furniture", **act))
    done(add_client_to_group(group=found, client=maple, **act))
    return found


def page(name: str, firm: BusinessAccount, **named: object) -> str:
    return reverse(name, kwargs={"bn9": firm.bn9, **named})


def results(answer: HttpResponse) -> list[tuple[str, bool]]:
    return [(one.label, one.is_done) for one in answer.context["results"]]


def test_a_group_is_made_filled_renamed_and_archived(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    world.relationship(maple, itn)
    ben, stranger = world.member("Ben", itn), world.importer("Stranger")
    made = manager.post(page("client_group_create", itn), {"name": "Furniture"}, follow=True)
    assert "has been created" in words(made)
    pk = ClientGroup.objects.get().pk
    url = page("client_group_add", itn, pk=pk)

    numbers = f"{maple.bn_shown}\n{stranger.bn9}, {next_bn9()}"
    added = manager.post(url, {"clients": numbers}, follow=True)
    assert [done for _label, done in results(added)] == [True, False, False]
    assert "Stranger" not in words(added)
    told = [one.message for one in added.context["results"]]
    assert told[1] == told[2] == "This is no client of your firm."
    manager.post(page("client_group_assign", itn, pk=pk), {"person": ben.pk, "role": "reader"})
    assert as_(ben).get(page("client_detail", itn, client_bn9=maple.bn9)).status_code == 200

    renamed = page("client_group_rename", itn, pk=pk)
    assert manager.post(renamed, {"name": "Lamps"}, follow=True).status_code == 200
    asked = words(manager.get(page("client_group_archive", itn, pk=pk)))
    assert "1 client is in it." in asked and "Ben: As a Reader" in asked
    assert manager.post(page("client_group_archive", itn, pk=pk)).status_code == 422
    gone = manager.post(page("client_group_archive", itn, pk=pk), {"confirm": "y"}, follow=True)

    assert "The client group Lamps has been archived." in words(gone)
    assert as_(ben).get(page("client_detail", itn, client_bn9=maple.bn9)).status_code == 404
    assert not StaffAssignment.objects.get().active_at(world.at)
    assert manager.get(page("client_group_detail", itn, pk=pk)).status_code == 404
    verbs = Event.objects.filter(chain=f"business:{itn.bn9}").values_list("verb", flat=True)
    assert {"client_group.rename", "client_group.archive", "client_group.add"} <= set(verbs)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("", "Name at least one client."),
        ("12", "“12” is no business number."),
        (",".join(["888316171"] * 201), "At most 200 numbers at once."),
        ("9" * 1_000_000, "Use at most 4000 characters."),
    ],
)
def test_numbers_that_cannot_be_read_are_named(
    itn: BusinessAccount, manager: Client, group: ClientGroup, given: str, error: str
) -> None:
    answer = manager.post(page("client_group_add", itn, pk=group.pk), {"clients": given})

    assert answer.status_code == 422 and error in words(answer)


def test_a_client_is_removed_once(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client, group: ClientGroup
) -> None:
    url = page("client_group_remove", itn, pk=group.pk, client_bn9=maple.bn9)

    first, again = manager.post(url, follow=True), manager.post(url)

    assert "is no longer in the group Furniture" in words(first)
    assert again.status_code == 409 and "is not in the group" in words(again)


def test_what_is_archived_takes_nothing_more(
    world: World, itn: BusinessAccount, maple: BusinessAccount, act: ACT, group: ClientGroup
) -> None:
    done(archive_client_group(group=group, **act))
    ben = world.member("Ben", itn)

    for answer in (
        add_client_to_group(group=group, client=maple, **act),
        remove_client_from_group(group=group, client=maple, **act),
        archive_client_group(group=group, **act),
        create_staff_assignment(assignee=ben, target=group, role=Ceiling.READER, **act),
        create_client_group(name="Furniture", **act),
    ):
        assert isinstance(answer, Refusal)


def test_several_clients_are_assigned_each_by_itself(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    cedar, other = world.importer("Cedar"), world.importer("Other")
    for client in (maple, cedar):
        world.relationship(client, itn)
    ben = world.assign("Ben", itn, cedar).person
    assert ben
    shown = manager.get(page("client_list", itn), {"view": "unassigned"})
    assert 'name="client" value="' + maple.bn9 in shown.content.decode()
    url = page("staff_assignment_bulk", itn)
    filled = manager.get(url, {"client": [maple.bn9, cedar.bn9]}).context["form"]
    numbers = f"{filled['clients'].value()}\n{other.bn9}"

    answer = manager.post(
        url, {"clients": numbers, "person": ben.pk, "role": "reader"}, follow=True
    )

    assert [done for _label, done in results(answer)] == [True, False, False]
    assert "Done: 1 of 3" in words(answer)
    assert "This assignment exists already." in words(answer) and "Other" not in words(answer)
    mine = StaffAssignment.objects.filter(person=ben).values_list("client__legal_name", "role")
    assert set(mine) == {("Maple", "reader"), ("Cedar", "editor")}
    again = manager.get(page("client_list", itn), {"view": "unassigned"})
    assert again.context["clients"] == []


def test_an_assignment_is_changed_and_its_past_stays(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client, act: ACT
) -> None:
    world.relationship(maple, itn)
    row = world.assign("Ben", itn, maple)
    url = page("staff_assignment_change", itn, pk=row.pk)
    assert manager.get(url).context["form"]["role"].value() == "editor"

    answer = manager.post(url, {"role": "reader", "last_day": "2027-01-31"}, follow=True)

    assert "has been changed" in words(answer)
    assert "Ben As a Reader January 31, 2027" in words(answer)
    rows = StaffAssignment.objects.order_by("ends_at")
    assert [one.role for one in rows] == ["editor", "reader"]
    stale = manager.post(url, {"role": "editor"})
    assert stale.status_code == 409 and "over already" in words(stale)
    assert manager.post(url, {"role": "reader", "last_day": "2026-11-22"}).status_code == 422
    foreign = world.broker("Cedar")
    refused = change_staff_assignment(
        **{**act, "actor": world.manager(foreign), "acting_for": foreign},
        assignment=rows[1],
        role=Ceiling.PAM,
    )
    assert isinstance(refused, Refusal)


def test_pages_say_what_somebody_works_for(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client, act: ACT,
    group: ClientGroup,
) -> None:  # fmt: skip
    ben = world.assign("Ben", itn, maple).person
    assert ben
    team = done(create_employee_group(name="Team A", **act))
    done(add_employees_to_group(group=team, people=[ben], **act))
    url = page("staff_assignment_create", itn, client_bn9=maple.bn9)
    assert manager.post(url, {"person": team.pk, "role": "reader"}).status_code == 302
    url = page("client_group_assign", itn, pk=group.pk)
    assert manager.post(url, {"person": team.pk, "role": "reader"}).status_code == 302
    membership = Membership.objects.get(person=ben)

    listed = words(manager.get(page("staff_list", itn)))
    assert "Ben ben@example.test 1" in listed and "Team A Employee group 2" in listed
    about_ben = words(manager.get(page("staff_detail", itn, pk=membership.pk)))
    assert "What Ben works for" in about_ben and "Maple" in about_ben and "Team A" in about_ben
    by_team = words(manager.get(page("staff_group_detail", itn, pk=team.pk)))
    assert "Furniture" in by_team and "Maple" in by_team
    assert "Furniture 1 1" in words(manager.get(page("client_group_list", itn)))
    with override("fr-ca"):
        for name in ("staff_list", "client_group_list", "client_group_create"):
            assert manager.get(page(name, itn)).status_code == 200
        assert "Pour qui travaille Ben" in words(
            manager.get(page("staff_detail", itn, pk=membership.pk))
        )


@pytest.mark.once
def test_the_pages_cost_the_same_for_any_number(
    world: World, itn: BusinessAccount, manager: Client, act: ACT
) -> None:
    group = done(create_client_group(name="Furniture", **act))
    ben = world.member("Ben", itn)
    urls = [
        page("staff_list", itn),
        page("staff_detail", itn, pk=Membership.objects.get(person=ben).pk),
        page("client_group_list", itn),
        page("client_group_detail", itn, pk=group.pk),
    ]
    counts: dict[int, list[int]] = {2: [], 12: []}
    for serial in range(1, 13):
        client = world.importer(f"Client {serial}", programs=1)
        world.relationship(client, itn)
        world.assign("Ben", itn, client)
        world.member(f"Una {serial}", itn)
        done(add_client_to_group(group=group, client=client, **act))
        done(create_client_group(name=f"Group {serial}", **act))
        if serial in counts:
            counts[serial] = [queries(manager, url) for url in urls]

    assert counts[2] == counts[12]
