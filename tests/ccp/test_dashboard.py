"""Where a person stands: welcome, First time setup, home, the page of a business."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from businesses.models import BusinessAccount
from ccp.dashboard import Door, business_doors
from delegation.models import Membership
from registration.models import Registration
from tests.world import World, next_bn9

pytestmark = pytest.mark.usefixtures("clock")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def shown(person: User, name: str, **kwargs: str) -> str:
    response = signed_in(person).get(reverse(name, kwargs=kwargs))
    assert response.status_code == 200
    return response.content.decode()


def titles(world: World, person: User, business: BusinessAccount) -> list[str]:
    return [door.title for door in business_doors(world.access(person, business))]


def waiting(world: World, person: User, business: BusinessAccount) -> dict[str, int]:
    return {door.title: door.waiting for door in business_doors(world.access(person, business))}


# Home


def test_whoever_is_signed_out_is_welcomed(client: Client, db: None) -> None:
    page = client.get(reverse("home")).content.decode()
    assert reverse("account_login") in page and reverse("account_signup") in page
    assert "Who it is for" in page


def test_an_orphan_is_led_to_first_time_setup(world: World) -> None:
    response = signed_in(world.person("Olga Orphan")).get(reverse("home"))
    assert response.url == reverse("first_time_setup")


def test_a_former_employee_is_an_orphan(world: World) -> None:
    maple = world.importer("Maple Imports")
    person = world.employee("Rita Reader", maple, RM0001="reader")
    Membership.objects.filter(person=person).update(
        starts_at=world.at - timedelta(days=2), ends_at=world.at
    )
    response = signed_in(person).get(reverse("home"))
    assert response.url == reverse("first_time_setup")


def test_one_business_opens_its_doors_at_once(world: World) -> None:
    maple = world.importer("Maple Imports")
    world.access_request("Eve Early", maple)
    page = shown(world.manager(maple), "home")
    assert "Maple Imports" in page and maple.bn_shown in page
    assert "Business Account Manager" in page
    for door in ("Transactions", "Manage My Employees", "Manage My Business Relationships"):
        assert door in page
    assert "<strong>1</strong> request waiting" in page
    assert "Register my business" in page and "Request access to my employer" in page


def test_several_businesses_are_listed_with_the_role_in_words(world: World) -> None:
    maple, zebra = world.importer("Maple Imports"), world.importer("Zebra Goods")
    rita = world.employee("Rita Reader", maple, RM0001="reader", RM0002="editor")
    world.employee("Rita Reader", zebra)
    page = shown(rita, "home")
    assert "Reader of RM 0001 Maple Imports 1" in page
    assert "Editor of RM 0002 Maple Imports 2" in page
    assert "Business Account Manager" in page
    for business in (maple, zebra):
        assert reverse("business_home", kwargs={"bn9": business.bn9}) in page


def test_a_suspended_person_is_told_and_led_nowhere(world: World) -> None:
    maple = world.importer("Maple Imports")
    rita = world.employee("Rita Reader", maple, RM0001="reader")
    Membership.objects.filter(person=rita).update(suspended_at=world.at)
    page = shown(rita, "home")
    assert "Suspended" in page and "Reader of" not in page
    address = reverse("business_home", kwargs={"bn9": maple.bn9})
    assert address not in page
    response = signed_in(rita).get(address)
    assert response.status_code == 403
    assert "Your access to this business is suspended." in response.content.decode()


def test_one_page_lists_25_businesses_and_leads_to_the_next(world: World) -> None:
    first = world.importer("Business 0")
    for number in range(1, 27):
        world.earlier(days=number).member("Business 0 manager", world.importer(f"Other {number}"))
    client = signed_in(world.manager(first))
    page = client.get(reverse("home"))
    assert len(page.context["standings"]) == 25
    rest = client.get(reverse("home"), {"after": page.context["page"].next_token})
    assert len(rest.context["standings"]) == 2


def test_home_costs_the_same_for_one_business_listed_and_for_twenty(world: World) -> None:
    person = world.person("Rita Reader")

    def queries(after: int, until: int) -> int:
        for number in range(after, until):
            world.employee("Rita Reader", world.importer(f"Other {number}"), RM0001="reader")
        client = signed_in(person)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("home")).status_code == 200
        return len(captured)

    assert queries(0, 2) == queries(2, 20)


def test_my_requests_and_my_draft_stand_on_both_pages(world: World) -> None:
    person = world.person("Olga Orphan")
    world.access_request("Olga Orphan", "888316171")
    Registration.objects.create(
        person=person, started_at=world.at, updated_at=world.at, bn9="888316171", extension="RM0001"
    )
    page = shown(person, "first_time_setup")
    assert "My access requests" in page and "Waiting" in page and "Withdraw" in page
    assert "My registrations" in page and "Draft" in page and "88831 6171" in page
    world.employee("Olga Orphan", world.importer("Maple Imports"), RM0001="reader")
    page = shown(person, "home")
    assert "My access requests" in page and "Approved" in page and "My registrations" in page
    assert page.count("Maple Imports") > 1


def test_a_closed_request_is_shown_for_60_days(world: World) -> None:
    person = world.person("Olga Orphan")
    world.earlier(days=121).access_request("Olga Orphan", "888316171")
    assert "My access requests" not in shown(person, "first_time_setup")
    world.earlier(days=100).access_request("Olga Orphan", next_bn9())
    page = shown(person, "first_time_setup")
    assert "My access requests" in page and "Lapsed" in page


def test_setup_opens_three_doors_and_explains_the_roles(world: World) -> None:
    page = shown(world.person("Olga Orphan"), "first_time_setup")
    for words in ("Register my business", "Request access to my employer", "I have an invitation"):
        assert words in page
    assert "Views all transactions of a program account." in page


def test_a_request_of_another_never_shows(world: World) -> None:
    world.access_request("Eve Early", "888316171")
    page = shown(world.person("Olga Orphan"), "first_time_setup")
    assert "88831 6171</a>" not in page


@pytest.mark.parametrize("name", ["home", "first_time_setup"])
def test_a_person_without_a_profile_creates_one_first(name: str, client: Client, db: None) -> None:
    client.force_login(User.objects.create(email="new@example.test"))
    assert reverse("profile_create") in client.get(reverse(name)).url


def test_the_other_pages_ask_to_sign_in(client: Client, db: None) -> None:
    for address in (
        reverse("first_time_setup"),
        reverse("business_home", kwargs={"bn9": "888316171"}),
    ):
        assert reverse("account_login") in client.get(address).url


# A business


def test_each_role_sees_the_doors_that_open(world: World) -> None:
    maple = world.importer("Maple Imports")
    everything = [
        "Transactions",
        "Manage My Employees",
        "Manage My Business Relationships",
        "Activity",
    ]
    assert titles(world, world.manager(maple), maple) == everything
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    assert titles(world, pam, maple) == everything[:3]
    for role in ("editor", "reader"):
        person = world.employee(f"Paul {role}", maple, RM0001=role)
        assert titles(world, person, maple) == everything[:1]
    broker = world.broker("Swift Brokers")
    assert "Clients" in titles(world, world.manager(broker), broker)


def test_counts_are_of_what_the_person_may_decide(world: World) -> None:
    maple, broker = world.importer("Maple Imports"), world.broker("Swift Brokers")
    pam = world.employee("Pam Pelletier", maple, RM0002="pam")
    world.access_request("Eve Early", maple, RM0001="editor")
    world.access_request("Bo Both", maple, RM0001="reader", RM0002="reader")
    world.access_request("Ian Innis", maple)
    world.access_request("Pam Pelletier", maple, RM0002="reader")
    world.earlier(days=61).access_request("Late Lapsed", maple)
    world.access_request("Eve Early", world.importer("Zebra Goods"))
    world.relationship_request(broker, maple)
    employees, relationships = "Manage My Employees", "Manage My Business Relationships"
    counts = waiting(world, world.manager(maple), maple)
    assert (counts[employees], counts[relationships]) == (4, 1)
    counts = waiting(world, pam, maple)
    assert (counts[employees], counts[relationships]) == (1, 0)


@pytest.mark.parametrize(
    ("waiting", "shown"), [(1, "1"), (2, "2"), (1000, "1,000"), (1001, "1,000+")]
)
def test_a_count_stops_at_a_thousand(waiting: int, shown: str) -> None:
    door = Door("", "", "", waiting)
    assert door.count == shown
    with override("fr-ca"):
        assert door.count == shown.replace(",", "\u00a0")


def test_the_page_of_a_business_tells_my_role_on_each_program(world: World) -> None:
    maple = world.importer("Maple Imports")
    rita = world.employee("Rita Reader", maple, RM0002="reader")
    maple.programs.create(extension="RM0003", opened_at=world.at, closed_at=world.at)
    page = shown(rita, "business_home", bn9=maple.bn9)
    for words in (f"{maple.bn_shown} RM 0001", "Closed", "Open", "Reader", "1 Wharf Street"):
        assert words in page
    assert "None" in page
    assert "Name a second Business Account Manager" not in page


def test_one_manager_alone_is_warned(world: World) -> None:
    maple = world.importer("Maple Imports")
    manager = world.manager(maple)
    warning = "Name a second Business Account Manager"
    assert warning in shown(manager, "business_home", bn9=maple.bn9)
    world.employee("Ben Second", maple)
    assert warning not in shown(manager, "business_home", bn9=maple.bn9)


def test_somebody_without_a_role_is_told(world: World) -> None:
    maple = world.importer("Maple Imports")
    page = shown(world.member("Nora Norole", maple), "business_home", bn9=maple.bn9)
    assert "You belong to this business and have no role on its program accounts yet." in page


def test_a_business_that_is_not_active_says_so(world: World) -> None:
    maple = world.importer("Maple Imports")
    BusinessAccount.objects.update(status=BusinessAccount.Status.SUSPENDED)
    page = shown(world.manager(maple), "business_home", bn9=maple.bn9)
    assert "This business account is not active" in page


def test_the_other_businesses_of_a_person_are_there_to_change_to(world: World) -> None:
    maple, zebra = world.importer("Maple Imports"), world.importer("Zebra Goods")
    ana = world.employee("Ana Abel", maple)
    assert "Change account" not in shown(ana, "business_home", bn9=maple.bn9)
    world.employee("Ana Abel", zebra, RM0001="reader")
    page = shown(ana, "business_home", bn9=maple.bn9)
    assert "Change account" in page and "Zebra Goods" in page


@pytest.mark.parametrize("bn9", ["foreign", "000000000"])
def test_foreign_and_absent_businesses_answer_alike(bn9: str, world: World) -> None:
    maple, zebra = world.importer("Maple Imports"), world.importer("Zebra Goods")
    client = signed_in(world.manager(zebra))
    address = reverse("business_home", kwargs={"bn9": maple.bn9 if bn9 == "foreign" else bn9})
    response = client.get(address)
    assert response.status_code == 404
    assert "Maple" not in response.content.decode()


def test_a_business_costs_the_same_however_many_people_and_programs(world: World) -> None:
    maple = world.importer("Maple Imports")

    def queries(number: int) -> int:
        world.employee(f"Worker {number}", maple, RM0001="reader")
        world.access_request(f"Asker {number}", maple)
        maple.programs.create(extension=f"RM1{number:03}", opened_at=world.at)
        client = signed_in(world.manager(maple))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("business_home", kwargs={"bn9": maple.bn9}))
        return len(captured)

    assert len({queries(number) for number in range(5)}) == 1
