"""The list: newest first, page by page, narrowed by filters, formatted in both languages."""

from datetime import timedelta
from decimal import Decimal

import html5lib
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import Visibility
from delegation.services.agreements import Rules
from tests.transactions.factories import change, declare
from tests.transactions.pages import NAMESPACE, rows, url, visitor, words
from tests.world import World
from transactions import declarations

VIEW = Visibility.VIEW


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands, so that relationships of the world are in force."""


def listed(person: object, business: BusinessAccount, **query: str) -> list[str]:
    response = visitor(person).get(url("declaration_list", business), query)
    assert response.status_code == 200, words(response)
    return rows(response)


# ---------------------------------------------------------------- order and pages


def test_the_newest_stand_first(world: World, maple: BusinessAccount) -> None:
    program = world.program(maple)
    old = declare(program, world.at - timedelta(days=2))
    new = declare(program, world.at - timedelta(days=1))
    change(old, maple, world.at)

    assert listed(world.manager(maple), maple) == [f"{new.number}00001", f"{old.number}00002"]


def test_pages_with_ties_show_every_declaration_once(world: World, maple: BusinessAccount) -> None:
    program = world.program(maple)
    instants = [world.at, world.at, world.at - timedelta(hours=1)]
    every = [declare(program, instants[place % 3]) for place in range(57)]
    visit = visitor(world.manager(maple))
    address, found = url("declaration_list", maple), []
    while address:
        response = visit.get(address)
        found.append(rows(response))
        token = response.context["page"].next_token
        address = f"{url('declaration_list', maple)}?after={token}" if token else ""

    assert [len(page) for page in found] == [25, 25, 7]
    expected = sorted(every, key=lambda one: (one.declared_at, one.pk), reverse=True)
    assert sum(found, []) == [f"{one.number}00001" for one in expected]


def test_the_next_page_keeps_the_filter(world: World, maple: BusinessAccount) -> None:
    for _place in range(30):
        declare(world.program(maple), world.at)
        declare(world.program(maple, "RM0002"), world.at)
    visit = visitor(world.manager(maple))
    first = visit.get(url("declaration_list", maple), {"program": "RM0002"})
    links = html5lib.parse(first.content.decode()).iter(f"{NAMESPACE}a")
    [following] = [link.attrib["href"] for link in links if link.attrib.get("rel") == "next"]
    second = visit.get(url("declaration_list", maple) + following)

    assert len(rows(first)) == 25 and len(rows(second)) == 5
    assert not set(rows(first)) & set(rows(second))


def test_a_page_that_another_follows_is_never_empty(
    world: World, maple: BusinessAccount, itn: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a filter too, where the newest versions that can be seen are of another submitter."""
    world.relationship(maple, itn, rules=Rules(importer=VIEW))
    monkeypatch.setattr(declarations, "STEPS", (1,))
    for _place in range(3):
        change(declare(world.program(maple), world.at), itn, world.at)
    found = [declare(world.program(maple), world.at - timedelta(days=n)) for n in (1, 2)]
    visit, address = visitor(world.manager(itn)), url("declaration_list", itn)
    response = visit.get(address, {"submitter": "importer"})

    assert rows(response) == [f"{found[0].number}00001"]


# ---------------------------------------------------------------- filters


def test_filters_of_an_importer(world: World, maple: BusinessAccount, itn: BusinessAccount) -> None:
    person = world.manager(maple)
    windows = declare(world.program(maple), world.at - timedelta(days=10))
    doors = declare(world.program(maple, "RM0002"), world.at, submitter=itn)
    change(windows, itn, world.at)
    first, last = f"{windows.number}00002", f"{doors.number}00001"

    assert listed(person, maple, program="RM0001") == [first]
    assert listed(person, maple, submitter="importer") == []
    assert listed(person, maple, submitter="other") == [last, first]
    assert listed(person, maple, first_day="2026-11-23") == [last]
    assert listed(person, maple, last_day="2026-11-22") == [first]
    assert listed(person, maple, first_day="2026-11-13", last_day="2026-11-13") == [first]
    assert listed(person, maple, number=windows.number) == [first]
    assert listed(person, maple, number=f"{windows.number[:5]} {windows.number[5:]}") == [first]
    assert listed(person, maple, number=f"{windows.number}00001") == [first]
    assert listed(person, maple, number=f"{windows.number}00003") == []


def test_a_day_is_a_day_in_toronto(world: World, maple: BusinessAccount) -> None:
    midnight = world.at.replace(hour=0, minute=0)
    declare(world.program(maple), midnight)
    person = world.manager(maple)

    assert len(listed(person, maple, first_day="2026-11-23")) == 1
    assert listed(person, maple, last_day="2026-11-22") == []


def test_filters_of_a_provider(world: World, maple: BusinessAccount, itn: BusinessAccount) -> None:
    elm = world.importer("Elm")
    for client in (maple, elm):
        programs = ("RM0001", "RM0002")
        world.relationship(client, itn, rules=Rules(importer=VIEW), programs=programs)
    by_us = declare(world.program(maple), world.at, submitter=itn)
    by_maple = declare(world.program(maple, "RM0002"), world.at)
    by_elm = declare(world.program(elm), world.at)
    hidden = declare(world.program(elm), world.at, submitter=world.broker("Harbour"))
    person = world.manager(itn)
    numbers = {one: f"{one.number}00001" for one in (by_us, by_maple, by_elm)}

    assert set(listed(person, itn)) == set(numbers.values())
    assert set(listed(person, itn, client=maple.bn9)) == {numbers[by_us], numbers[by_maple]}
    assert listed(person, itn, client=f"{maple.bn_shown} rm 0002") == [numbers[by_maple]]
    assert listed(person, itn, submitter="acting_for") == [numbers[by_us]]
    assert set(listed(person, itn, submitter="importer")) == {numbers[by_maple], numbers[by_elm]}
    assert listed(person, itn, submitter="other") == []
    assert listed(person, itn, number=hidden.number) == []
    assert listed(person, itn, client=world.importer("Fir").bn9) == []


def test_a_filter_asks_visible_versions_alone(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    declaration = declare(world.program(maple), world.at, submitter=itn)
    change(declaration, maple, world.at)
    person = world.manager(itn)

    assert listed(person, itn, submitter="acting_for") == [f"{declaration.number}00001"]
    assert listed(person, itn, submitter="importer") == []
    assert listed(person, itn, number=f"{declaration.number}00002") == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"number": "123"}, "Enter the 14 digits of a transaction number, or the 19 of one"),
        ({"number": "17255008073729x"}, "Enter the 14 digits"),
        ({"first_day": "31/12/2026"}, "Enter a day as year-month-day"),
        (
            {"first_day": "2026-12-02", "last_day": "2026-12-01"},
            "The last day comes before the first.",
        ),
        ({"program": "RM9999"}, "Choose a program account of this list."),
        ({"submitter": "me"}, "Choose a submitter of this list."),
        ({"number": "1\x002"}, "Enter the 14 digits"),
    ],
)
def test_a_filter_that_is_wrong_is_told_plainly(
    world: World, maple: BusinessAccount, query: dict[str, str], message: str
) -> None:
    declare(world.program(maple), world.at)
    response = visitor(world.manager(maple)).get(url("declaration_list", maple), query)

    assert response.status_code == 422
    assert message in words(response)
    assert rows(response) == []


def test_a_wrong_business_number_is_told_plainly(world: World, itn: BusinessAccount) -> None:
    visit = visitor(world.manager(itn))
    response = visit.get(url("declaration_list", itn), {"client": "888316172"})

    assert response.status_code == 422
    assert "This is not a valid business number" in words(response)


# ---------------------------------------------------------------- what a row says


def test_a_row_in_english_and_in_french(world: World, maple: BusinessAccount) -> None:
    declare(
        world.program(maple),
        world.at,
        lines=[{"value_for_duty": Decimal("1234567.5"), "duty": Decimal("1000")}],
    )
    visit = visitor(world.manager(maple))
    english = words(visit.get(url("declaration_list", maple)))
    french = words(visit.get(url("declaration_list", maple, language="fr-ca")))

    assert "November 23, 2026" in english
    assert "$1,234,567.50" in english and "$1,054.75" in english
    assert "23 novembre 2026" in french
    assert "1 234 567,50 $" in french and "1 054,75 $" in french


def test_what_another_party_changed_is_marked(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    declaration = declare(world.program(maple), world.at, submitter=itn)
    change(declaration, maple, world.at, lines=[{"duty": Decimal("7777.77")}])
    response = visitor(world.manager(itn)).get(url("declaration_list", itn))

    assert rows(response) == [f"{declaration.number}00001"]
    assert "Changed by another party" in words(response)
    assert "7,8" not in words(response) and "7,777" not in words(response)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Maple manager", "No declarations yet."),
        ("Eve", "You have no role on a program account of this business"),
    ],
)
def test_an_empty_list_says_why(world: World, maple: BusinessAccount, name: str, text: str) -> None:
    world.member("Eve", maple)

    assert text in words(visitor(world.person(name)).get(url("declaration_list", maple)))


def test_a_stranger_and_an_unknown_business_are_the_same_404(
    world: World, maple: BusinessAccount
) -> None:
    visit = visitor(world.person("Stranger"))
    unknown = reverse("declaration_list", kwargs={"bn9": "123456782"})

    assert visit.get(url("declaration_list", maple)).status_code == 404
    assert visit.get(unknown).status_code == 404


# ---------------------------------------------------------------- cost


def queries(person: object, business: BusinessAccount) -> list[str]:
    """The statements of one visit, besides those for session, person and profile."""
    visit = visitor(person)
    visit.get("/healthz/")  # a session that a test begins notes its beginning
    with CaptureQueriesContext(connection) as captured:
        response = visit.get(url("declaration_list", business))
    assert response.status_code == 200
    besides = ("django_session", "accounts_user", "accounts_personalprofile")
    return [
        query["sql"]
        for query in captured.captured_queries
        if not any(f'FROM "{table}' in query["sql"] for table in besides)
    ]


def test_queries_do_not_grow_with_rows(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn, rules=Rules(importer=VIEW))
    counts = []
    for wanted in (5, 50):
        while maple.declarations.count() < wanted:
            declaration = declare(world.program(maple), world.at)
            change(declaration, itn, world.at)
        importer = queries(world.manager(maple), maple)
        broker = queries(world.manager(itn), itn)
        counts.append((len(importer), len(broker)))

    assert counts[0] == counts[1]
    # The section navigation asks for the program accounts again: the same statement counts once.
    assert len(set(importer)) <= 4, "\n\n".join(importer)
    assert len(broker) <= 8, "\n\n".join(broker)
