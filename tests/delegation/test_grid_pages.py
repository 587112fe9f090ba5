"""The table of people and program accounts."""

import pytest
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models import Membership
from delegation.roles import Role
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from tests.delegation.reading import as_, queries, words
from tests.world import World, done

pytestmark = pytest.mark.usefixtures("clock")


def url(maple: BusinessAccount) -> str:
    return reverse("employee_grid", kwargs={"bn9": maple.bn9})


def test_each_cell_says_role_and_source_as_far_as_the_reader_may_know(
    world: World, maple: BusinessAccount
) -> None:
    act = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    rita = world.employee("Rita", maple, RM0001="reader")
    pam = world.employee("Pam", maple, RM0001="pam")
    world.employee("Ed", maple, RM0002="editor")
    group = done(create_employee_group(name="Desk", **act))
    second = world.program(maple, "RM0002")
    done(grant_employee_group_role(group=group, scope=second, role=Role.EDITOR, **act))
    done(add_employees_to_group(group=group, people=[rita], **act))

    page = words(as_(world.manager(maple)).get(url(maple)))
    assert "Rita Not used yet Reader Direct Editor Through the group Desk" in page
    assert "Last used: November 23, 2026 Business Account Manager Every program account" in page
    hers = words(as_(pam).get(url(maple)))
    assert "Rita Not used yet Reader Direct" in hers
    assert "Desk" not in hers and "RM 0002" not in hers and "ed@" not in hers


def test_people_and_program_accounts_are_found_and_paged_both_ways(
    world: World, maple: BusinessAccount
) -> None:
    boss, counts = as_(world.manager(maple)), []
    for start, stop in ((3, 20), (20, 500)):
        ProgramAccount.objects.bulk_create(
            ProgramAccount(
                business=maple,
                extension=f"RM{number:04}",
                name=f"Port {number}",
                opened_at=world.at,
            )
            for number in range(start, stop)
        )
        people = User.objects.bulk_create(
            User(email=f"w{number}@example.test", first_name="Worker", last_name=f"No {number:04}")
            for number in range(start, stop)
        )
        Membership.objects.bulk_create(
            Membership(person=person, business=maple, starts_at=world.at) for person in people
        )
        counts.append(queries(boss, url(maple)))
    assert counts[0] == counts[1]
    first = boss.get(url(maple)).context["grid"]
    assert (len(first.rows), len(first.columns)) == (25, 8)
    both = {"after": first.people.next_token, "across": first.programs.next_token}
    second = boss.get(url(maple), both).context["grid"]
    assert not {one.pk for one in first.rows} & {one.pk for one in second.rows}
    assert second.columns[0] == "RM 0009 Port 9"
    for about in (f"{maple.bn9} RM 0444", "rm0444", "port 444"):
        found = boss.get(url(maple), {"program": about, "name": "No 0444"}).context["grid"]
        assert found.columns == ("RM 0444 Port 444",)
        assert [row.person.last_name for row in found.rows] == ["No 0444"]
