"""What somebody can and cannot do, and the table of roles that everybody can read."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from playwright.sync_api import Page

from businesses.models import BusinessAccount
from delegation.abilities import Abilities, abilities_of, ceiling_rows, role_rows
from delegation.roles import TABLE, Action, Role
from tests.browser.looks import wrongs
from tests.conftest import by_night
from tests.delegation.reading import as_, words
from tests.world import World

EVERY_PROGRAM = "Every program account, present and future"


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands."""


def of(world: World, name: str, business: BusinessAccount) -> Abilities:
    access = world.access(world.person(name), business)
    return abilities_of(access, list(business.programs.order_by("extension")), of_business=True)


def test_what_a_role_gives_is_said_with_its_program_accounts(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Pat", maple, RM0001="reader", RM0002="editor")
    pat = of(world, "Pat", maple)

    assert {one.sentence: one.where for one in pat.can} == {
        Action.VIEW_TRANSACTIONS.label: "RM 0001 Maple 1, RM 0002 Maple 2",
        Action.EDIT_TRANSACTIONS.label: "RM 0002 Maple 2",
        Action.PAY.label: "RM 0002 Maple 2",
    }
    assert Action.VIEW_ACTIVITY.label in pat.cannot
    assert Action.MANAGE_CLIENTS.label not in pat.cannot, "an importer has no clients"


def test_a_manager_can_everything(world: World) -> None:
    itn = world.broker("ITN")
    manager = of(world, "ITN manager", itn)

    assert manager.cannot == ()
    assert [one.sentence for one in manager.can] == [action.label for action in Action]
    assert {one.where for one in manager.can} == {EVERY_PROGRAM, "The business account"}


def test_each_page_says_what_the_person_can_do(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Pat", maple, RM0001="reader", RM0002="pam")
    world.employee("Pam", maple, RM0001="pam")
    pat = world.person("Pat").memberships.get()
    page = reverse("employee_detail", kwargs={"bn9": maple.bn9, "pk": pat.pk})
    mine, of_manager = (words(as_(one).get(page)) for one in (pat.person, world.manager(maple)))
    of_pam = words(as_(world.person("Pam")).get(page))

    for said in (mine, of_manager):
        assert "Can View all transactions of the program RM 0001 Maple 1, RM 0002 Maple 2" in said
        assert "Cannot Manage the business account and its program accounts" in said
    assert "View all transactions of the program RM 0001 Maple 1 Cannot Create and edit" in of_pam
    assert "RM 0002" not in of_pam and "Manage the business account" not in of_pam
    assert "For its clients" not in mine


def test_of_a_firm_the_list_is_about_its_own_account(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    ben = world.assign("Ben", itn, maple).person
    page = reverse("employee_detail", kwargs={"bn9": itn.bn9, "pk": ben.memberships.get().pk})

    for reader in (ben, world.manager(itn)):
        said = words(as_(reader).get(page))
        assert "This is about the own account of ITN and its program accounts. For its" in said


def test_whoever_is_suspended_can_nothing(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Pat", maple, RM0001="pam")
    world.person("Pat").memberships.update(suspended_at=world.at)

    assert of(world, "Pat", maple).can == ()


@pytest.mark.django_db
def test_everybody_can_read_the_table_of_roles(client: Client) -> None:
    page = client.get(reverse("help_roles"))
    said = words(page)

    assert page.status_code == 200
    assert "Make payments for the program Yes Yes Yes No" in said
    assert "Program Account Manager Grants: Editor, Reader" in said
    assert reverse("help_roles") in client.get(reverse("home")).content.decode()


def test_the_help_is_made_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def cell() -> bool:
        [row] = [one for one in role_rows() if one.sentence == Action.PAY.label]
        return dict(row.cells)[str(Role.READER.label)]

    assert not cell()
    monkeypatch.setitem(TABLE, Role.READER, TABLE[Role.READER] | {Action.PAY})
    assert cell()
    assert dict(ceiling_rows()[-1].cells)["As a Reader"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", [by_night("en-ca"), "fr-ca"])
def test_nothing_is_wrong_with_the_help(
    new_page: Callable[..., Page], portal: str, language: str
) -> None:
    page = new_page()
    with override(language):
        page.goto(reverse("help_roles"))

    assert wrongs(page, language) == []
