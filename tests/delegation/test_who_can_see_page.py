"""Who can see this, on the page of a declaration and of a program account."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from businesses.models import BusinessAccount
from delegation import who_can_see
from delegation.models import Ceiling, EmployeeGroup, Visibility
from delegation.roles import Role
from delegation.services.agreements import Rules
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from tests.browser.looks import wrongs
from tests.chromium import sign_in
from tests.conftest import by_night
from tests.delegation.reading import as_, queries
from tests.transactions.factories import declare
from tests.transactions.pages import url, words
from tests.world import World, done
from transactions.models import Declaration

pytestmark = pytest.mark.django_db

LAST_DAY = date(2027, 3, 31)
UNTIL = "Until the end of March 31, 2027 (Eastern time)"


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands, so that relationships of the world are in force."""


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    """Maple with a reader, an editor by group, and two firms of which ITN sees its own alone."""
    with transaction.atomic():
        maple = world.importer("Maple")
        world.employee("Rea", maple, RM0001="reader")
        world.employee("Oscar", maple, RM0002="editor")
        group_of(world, maple, "Dock", world.member("Gwen", maple))
        itn, wide = world.broker("ITN Ostrich"), world.broker("Wide")
        world.relationship(maple, itn, last_day=LAST_DAY)
        everything = Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)
        world.relationship(maple, wide, rules=everything, last_day=LAST_DAY)
        world.assign("Ben", itn, maple)
        world.member("Hana", itn)
    return maple


def group_of(world: World, business: BusinessAccount, name: str, *people: User) -> EmployeeGroup:
    """An employee group that edits RM0001, with its members."""
    common: dict[str, Any] = {
        "actor": world.manager(business), "acting_for": business, "at": world.at
    }  # fmt: skip
    group = done(create_employee_group(name=name, **common))
    scope = world.program(business)
    done(grant_employee_group_role(group=group, scope=scope, role=Role.EDITOR, **common))
    for person in people:
        done(add_employees_to_group(group=group, people=[person], **common))
    return group


def firm(name: str) -> BusinessAccount:
    return BusinessAccount.objects.get(legal_name=name)


def program_page(business: BusinessAccount, extension: str = "RM0001") -> str:
    return reverse("program_detail", kwargs={"bn9": business.bn9, "extension": extension})


def by_maple(world: World, maple: BusinessAccount) -> Declaration:
    return declare(world.program(maple), world.at)


def by_itn(world: World, maple: BusinessAccount) -> Declaration:
    return declare(world.program(maple), world.at, submitter=firm("ITN Ostrich"))


def panel_of(response: Any) -> str:
    """The words of the list."""
    return words(response, "section").split("Who can see this", 1)[1]


def test_the_owner_reads_everybody_why_and_until_when(world: World, maple: BusinessAccount) -> None:
    page = url("declaration_detail", maple, by_itn(world, maple))
    said = panel_of(as_(world.manager(maple)).get(page))

    for one in (
        "Maple manager (you)",
        "Business Account Manager Every program account, present and future · Direct",
        "Gwen Editor Through the group Dock With no expiry date",
        "Rea Reader Direct With no expiry date",
        f"Submitted by the customs broker: View {UNTIL}",
        f"Submitted by other business: View and edit {UNTIL}",
        "Program management At most: As an Editor · Submitted by",
    ):
        assert one in said, one
    assert "Oscar" not in said


def test_each_version_has_its_own_readers(world: World, maple: BusinessAccount) -> None:
    manager = as_(world.manager(maple))
    own = panel_of(manager.get(url("declaration_detail", maple, by_maple(world, maple))))
    firms = panel_of(manager.get(url("declaration_detail", maple, by_itn(world, maple))))

    assert "Wide" in own and "ITN Ostrich" not in own
    assert "Wide" in firms and "ITN Ostrich" in firms


def test_firms_that_see_nothing_do_not_hide_one_that_does(
    world: World, maple: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ITN stands before Wide by name, and what Maple submitted is hidden from it."""
    monkeypatch.setattr(who_can_see, "FIRMS", 1)
    manager = as_(world.manager(maple))
    said = panel_of(manager.get(url("declaration_detail", maple, by_maple(world, maple))))

    assert "Wide" in said and "Next firms" not in said
    assert "Next firms" in panel_of(manager.get(program_page(maple)))


def test_the_client_never_reads_whom_a_firm_lets_work(world: World, maple: BusinessAccount) -> None:
    manager = as_(world.manager(maple))
    for page in (url("declaration_detail", maple, by_itn(world, maple)), program_page(maple)):
        said = words(manager.get(page))
        assert "ITN Ostrich" in said
        for name in ("Ben", "Hana", "ITN Ostrich manager", "Wide manager"):
            assert name not in said


def test_a_firm_reads_its_own_people_alone(world: World, maple: BusinessAccount) -> None:
    itn = firm("ITN Ostrich")
    page = url("declaration_detail", itn, by_itn(world, maple))
    said = panel_of(as_(world.person("Ben")).get(page))

    assert "Ben (you) As an Editor Assigned to the client in person · At most: As an Editor" in said
    assert f"Submitted by the customs broker: View {UNTIL}" in said
    assert "ITN Ostrich manager Business Account Manager The managers of the firm reach" in said
    for name in ("Maple manager", "Rea", "Gwen", "Wide", "Hana"):
        assert name not in said


def test_a_firm_whose_time_is_over_is_an_expired_user(
    world: World, maple: BusinessAccount, clock: Any
) -> None:
    declaration = by_itn(world, maple)
    clock.shift(timedelta(days=200))
    of_client = as_(world.manager(maple))

    said = panel_of(of_client.get(url("declaration_detail", maple, declaration)))
    assert "Expired User Only what the firm submitted itself while the relationship" in said
    assert "With no expiry date" in said and "Wide" not in said
    assert "Expired User" in panel_of(of_client.get(program_page(maple)))
    page = url("declaration_detail", firm("ITN Ostrich"), declaration)
    mine = panel_of(as_(world.person("Ben")).get(page))
    assert "The relationship is over: only what your firm submitted while it lasted" in mine


def test_assignments_by_groups_are_named(world: World, maple: BusinessAccount) -> None:
    itn = firm("ITN Ostrich")
    team = group_of(world, itn, "Night shift", world.person("Hana"))
    clients = itn.client_groups.create(name="Ontario", created_at=world.at)
    clients.members.create(client=maple, starts_at=world.at)
    common = {"role": Ceiling.READER, "assigned_by": world.manager(itn), "starts_at": world.at}
    itn.staff_assignments.create(employee_group=team, client_group=clients, **common)
    itn.staff_assignments.create(person=world.member("Kim", itn), client_group=clients, **common)
    itn.staff_assignments.create(
        employee_group=group_of(world, itn, "Day shift", world.member("Lou", itn)),
        client=maple,
        **common,
    )
    said = panel_of(
        as_(world.person("Ben")).get(url("declaration_detail", itn, by_itn(world, maple)))
    )

    assert "Hana As a Reader Assigned through the group Night shift to the clients Ontario" in said
    assert "Kim As a Reader Assigned to the client group Ontario" in said
    assert "Lou As a Reader Assigned through the group Day shift" in said


def test_the_page_of_a_program_account(world: World, maple: BusinessAccount) -> None:
    reader = as_(world.person("Rea"))
    home = reader.get(reverse("business_home", kwargs={"bn9": maple.bn9}))
    response = reader.get(program_page(maple))
    said = words(response)

    assert program_page(maple) in home.content.decode()
    assert program_page(maple, "RM0002") not in home.content.decode()
    assert f"Program account {maple.bn_shown} RM 0001" in said
    assert "Name Maple 1 Kind Importer Status Open Since November 23, 2026" in said
    assert "My role Reader" in said
    assert "Submitted by you (the importer): None" in said
    [listed] = re.findall(r'href="([^"]+\?program=RM0001)"', response.content.decode())
    assert reader.get(listed).status_code == 200


def test_a_firm_finds_the_transactions_of_its_own_account(world: World) -> None:
    itn = world.broker("ITN")
    mine = declare(world.program(itn), world.at)
    manager = as_(world.manager(itn))
    said = manager.get(program_page(itn)).content.decode()
    [listed] = re.findall(r'href="([^"]+\?client=[^"]+)"', said)

    assert mine.number in words(manager.get(listed))


def test_without_a_role_a_program_account_is_refused_with_the_reason(
    world: World, maple: BusinessAccount
) -> None:
    refused = as_(world.person("Rea")).get(program_page(maple, "RM0002"))

    assert refused.status_code == 403
    assert "You have no role on this program account." in words(refused)


def links(response: Any) -> list[str]:
    """Where the list leads to."""
    [panel] = re.findall(
        r'aria-labelledby="who-can-see".*?</section>', response.content.decode(), re.S
    )
    return re.findall(r'href="([^"]+)"', panel)


def test_only_who_may_change_it_is_led_there_and_gets_there(
    world: World, maple: BusinessAccount
) -> None:
    page = url("declaration_detail", maple, by_itn(world, maple))
    pam = world.employee("Pam", maple, RM0001="pam")
    for person, led_to in ((world.manager(maple), 6), (pam, 4), (world.person("Rea"), 1)):
        browser = as_(person)
        found = links(browser.get(page))
        assert len(found) == led_to, found
        assert all(browser.get(one).status_code == 200 for one in found)

    of_firm = url("declaration_detail", firm("ITN Ostrich"), by_itn(world, maple))
    manager = as_(world.manager(firm("ITN Ostrich")))
    [assignments] = links(manager.get(of_firm))
    assert "Ben" in words(manager.get(assignments))
    assert links(as_(world.person("Ben")).get(of_firm)) == []


def test_many_people_stand_on_pages_by_name(
    world: World, maple: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who_can_see, "PEOPLE", 2)
    browser = as_(world.manager(maple))
    page = url("declaration_detail", maple, by_itn(world, maple))
    first = browser.get(page)
    [onward] = [one for one in links(first) if "people=" in one]
    second = browser.get(page + onward)

    assert "Wide" in panel_of(first) and "Wide" not in panel_of(second)
    everybody = panel_of(first) + panel_of(second)
    assert all(everybody.count(name) == 1 for name in ("Gwen Editor", "Rea Reader", "(you)"))
    broken = browser.get(page, {"people": "x"})
    assert panel_of(broken) == panel_of(first)


def test_the_cost_is_the_same_for_many_people_and_firms(
    world: World, maple: BusinessAccount
) -> None:
    declaration = by_itn(world, maple)
    itn = firm("ITN Ostrich")
    of_client, of_firm = as_(world.manager(maple)), as_(world.person("Ben"))
    pages = {
        url("declaration_detail", maple, declaration): of_client,
        program_page(maple): of_client,
        url("declaration_detail", itn, declaration): of_firm,
    }
    few = [queries(browser, page) for page, browser in pages.items()]
    for number in range(8):
        world.employee(f"Extra{number}", maple, RM0001="reader")
        world.relationship(maple, world.broker(f"Firm{number}"))
        world.assign(f"Staff{number}", itn, maple)

    assert [queries(browser, page) for page, browser in pages.items()] == few


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", [by_night("en-ca"), "fr-ca"])
def test_nothing_is_wrong_with_the_pages(
    new_page: Callable[..., Page], portal: str, world: World, maple: BusinessAccount, language: str
) -> None:
    User.objects.filter(last_name__endswith="manager").update(last_name="Tremblay")
    page, found = new_page(), []
    itn, declaration = firm("ITN Ostrich"), by_itn(world, maple)
    of_program = program_page(maple).replace("en-ca", language)
    for person, address in (
        (world.manager(maple), url("declaration_detail", maple, declaration, language)),
        (world.manager(maple), of_program),
        (world.person("Rea"), of_program.replace("RM0001", "RM0002")),
        (world.person("Ben"), url("declaration_detail", itn, declaration, language)),
    ):
        sign_in(page, person, portal)
        page.goto(address)
        found += [f"{address}: {one}" for one in wrongs(page, language)]

    assert found == []


@pytest.mark.parametrize("was_firm", [True, False])
def test_the_program_page_leads_to_its_own_transactions(world: World, was_firm: bool) -> None:
    """A firm that is no provider any more still lists its clients’ declarations with its own."""
    own, client = world.broker("Own"), world.importer("Client")
    if was_firm:
        world.relationship(client, own)
    own.provider_type = BusinessAccount.ProviderType.NONE
    own.save()
    declare(world.program(own), world.at)
    browser = as_(world.manager(own))
    address = browser.get(program_page(own)).context["transactions_url"]

    listed = browser.get(address)
    assert listed.status_code == 200
    assert listed.context["form"].is_narrowed
