"""Which firms act for the business, acted for it, or ask to: each list, searched and paged."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import Level, Relationship
from pages.formats import end_of_day
from tests.delegation.reading import as_, queries, words
from tests.world import World, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock"), pytest.mark.once]

LISTS = (
    "relationship_list",
    "relationship_ending_list",
    "relationship_ended_list",
    "received_request_list",
)


def page(browser: Client, name: str, business: BusinessAccount, **search: str) -> str:
    return words(browser.get(reverse(name, kwargs={"bn9": business.bn9}), search))


def test_every_relationship_stands_in_its_list(world: World) -> None:
    past = world.earlier(days=60)
    maple = past.importer("Maple")
    past.relationship(maple, past.broker("Past Brokers"))
    world.relationship(maple, world.broker("Long Brokers"), last_day=date(2028, 3, 31))
    both = world.broker("Both Brokers")
    world.relationship(maple, both, last_day=date(2028, 3, 31))
    world.relationship(maple, both, programs=("RM0002",), last_day=date(2027, 1, 31))
    world.relationship(maple, world.broker("Soon Brokers"), last_day=date(2026, 12, 24))
    world.relationship_request(
        world.broker("New Brokers"), maple, level=Level.PROGRAM, extensions=("RM0002",)
    )
    browser = as_(world.manager(maple))

    active, ending, ended, received = (page(browser, name, maple) for name in LISTS)

    assert active.index("New Brokers") < active.index("Long Brokers")
    assert "RM 0002 Maple 2" in active and "Licensed customs broker" in active
    assert "November 23, 2027" in active
    assert "Active Until the end of March 31, 2028 (Eastern time)" in active
    assert "Past Brokers" not in active and "Soon Brokers" in active
    assert ending.index("Soon Brokers") < ending.index("Both Brokers")
    assert "RM 0002 Maple 2: until the end of January 31, 2027 (Eastern time)" in ending
    assert "Long Brokers" not in ending and "Past Brokers" not in ending
    assert "Past Brokers" in ended and "Soon Brokers" not in ended
    assert "Expired At the end of October 24, 2026 (Eastern time)" in ended
    assert "New Brokers" in received and "Waited until" not in received


def test_a_request_that_waited_for_the_registration_is_marked(world: World) -> None:
    bn9, before = next_bn9(), world.earlier(days=10)
    before.relationship_request(before.broker("Early"), bn9)
    maple = world.importer("Maple", bn9=bn9)
    world.relationship_request(world.broker("Late"), maple)
    browser = as_(world.manager(maple))

    for name in ("relationship_list", "received_request_list"):
        answer = browser.get(reverse(name, kwargs={"bn9": bn9}))
        marked = {
            one.waiting.provider.legal_name: one.has_waited for one in answer.context["received"]
        }
        assert marked == {"Early": True, "Late": False}
        assert words(answer).count("Waited until your business registered") == 1
        # Beside its state, which is not when it lapses once somebody answered.
        assert words(answer).count(" if nobody answers") == 2


def test_a_list_costs_the_same_for_one_and_for_eight(world: World) -> None:
    past = world.earlier(days=60)
    few, many = past.importer("Few"), past.importer("Many")
    sizes = ((few, range(1)), (many, range(1, 9)))
    for maple, serials in sizes:
        for serial in serials:
            past.relationship(maple, past.broker(f"Over {serial}"))
    for maple, serials in sizes:
        for serial in serials:
            firm = world.broker(f"Live {serial}")
            world.relationship(maple, firm, programs=("RM0001", "RM0002"))
            world.relationship_request(firm, maple)

    for name in LISTS:
        of_few, of_many = (
            queries(as_(world.manager(one)), reverse(name, kwargs={"bn9": one.bn9}))
            for one in (few, many)
        )
        assert of_few == of_many


@pytest.mark.parametrize("name", ["relationship_list", "relationship_ended_list"])
def test_a_list_is_paged_and_every_row_stands_on_one_page(world: World, name: str) -> None:
    past = world.earlier(days=60)
    maple = past.importer("Maple")
    first = past.relationship(maple, past.broker("Firm 000"))
    firms = BusinessAccount.objects.bulk_create(
        BusinessAccount(bn9=next_bn9(), legal_name=f"Firm {n:03}", provider_type="broker")
        for n in range(1, 60)
    )
    copies(first, firms, is_over=name == "relationship_ended_list")
    browser, url = as_(world.manager(maple)), reverse(name, kwargs={"bn9": maple.bn9})

    seen: list[str] = []
    after = ""
    while True:
        answer = browser.get(url, {"after": after})
        seen += [row.provider.legal_name for row in answer.context["rows"]]
        after = answer.context["page"].next_token
        if not after:
            break

    expected = 60 if name == "relationship_ended_list" else 59
    assert len(seen) == len(set(seen)) == expected


def copies(first: Relationship, firms: list[BusinessAccount], *, is_over: bool) -> None:
    """The same relationship with other firms."""
    [terms] = first.terms.all()
    end = first.ends_at if is_over else end_of_day(date(2028, 3, 31))
    for firm in firms:
        first.pk, first._state.adding = None, True
        first.id = type(first)._meta.pk.get_default()
        first.provider, first.ends_at = firm, end
        first.save(force_insert=True)
        terms.pk, terms._state.adding = None, True
        terms.relationship, terms.ends_at = first, end
        terms.save(force_insert=True)


def test_a_list_is_searched_by_firm_program_and_level(world: World) -> None:
    maple = world.importer("Maple")
    oak, elm, whole = (world.broker(f"{name} Brokers") for name in ("Oak", "Elm", "All"))
    world.relationship(maple, oak)
    world.relationship(maple, elm, programs=("RM0002",))
    every = {"programs": ("RM0001", "RM0002"), "covers_future": True}
    world.relationship(maple, whole, level=Level.BUSINESS, **every)
    world.relationship_request(oak, maple, level=Level.PROGRAM, extensions=("RM0001",))
    world.relationship_request(elm, maple, level=Level.PROGRAM, extensions=("RM0002",))
    browser = as_(world.manager(maple))

    def found(page: str, **search: str) -> set[str]:
        context = browser.get(reverse(page, kwargs={"bn9": maple.bn9}), search).context
        rows = context["received"] if page == LISTS[3] else context["rows"]
        firms = [row.waiting.provider if page == LISTS[3] else row.provider for row in rows]
        return {firm.legal_name.partition(" ")[0] for firm in firms}

    for name in LISTS[:2]:
        assert found(name, name="oak") == {"Oak"}
        assert found(name, name="RM 0002") == {"Elm", "All"}
        assert found(name, name=f"{maple.bn_shown} rm0002") == {"Elm", "All"}
        assert found(name, name=oak.bn_shown) == {"Oak"}
        assert found(name, name="rm0009") == found(name, name="zzz") == set()
        assert found(name, level="business") == {"All"}
        assert found(name, name="brokers", level="program") == {"Oak", "Elm"}
    assert found(LISTS[3], name="rm0002") == {"Elm"}
    assert found(LISTS[3], name="oak", level="program") == {"Oak"}
    assert found(LISTS[3], level="program") == {"Oak", "Elm"}


def test_a_pam_reads_of_its_program_alone(world: World) -> None:
    past = world.earlier(days=60)
    maple = past.importer("Maple")
    pam = past.employee("Pam", maple, RM0001="pam")
    split = past.broker("Split")
    past.relationship(maple, split)
    past.relationship(maple, split, programs=("RM0002",), last_day=date(2028, 3, 31))
    past.relationship(maple, past.broker("Other"), programs=("RM0002",), last_day=date(2026, 12, 1))
    browser = as_(pam)

    active, ending, ended, received = (page(browser, name, maple) for name in LISTS)

    assert "Split" not in active and "Expired on your program accounts" in ended
    assert "Other" not in active + ending + ended + received
