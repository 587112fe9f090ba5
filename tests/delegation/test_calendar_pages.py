"""The expiry calendar on both sides, and its feed for programs that cannot sign in."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from accounts.models import User
from audit.models import Event
from businesses.models import BusinessAccount
from delegation.models import CalendarFeed, Membership, ProgramRole
from delegation.services.feeds import create_calendar_feed
from delegation.services.rights import end_membership, suspend_membership
from pages.formats import end_of_day
from tests.delegation.reading import as_, queries, words
from tests.delegation.test_reminders import many
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def page(name: str, business: BusinessAccount, **query: str) -> str:
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    return reverse(name, kwargs={"bn9": business.bn9}) + (f"?{asked}" if asked else "")


@pytest.fixture
def firms(world: World, maple: BusinessAccount) -> list[BusinessAccount]:
    """ITN until March, on RM0002 until May; Wide until the end of February; Later in two years."""
    itn, wide, later = (world.broker(name) for name in ("ITN", "Wide", "Later"))
    world.relationship(maple, itn, last_day=date(2027, 3, 31))
    world.relationship(maple, itn, programs=("RM0002",), last_day=date(2027, 5, 2))
    world.relationship(maple, wide, programs=("RM0001", "RM0002"), last_day=date(2027, 2, 28))
    world.relationship(maple, later, last_day=date(2028, 11, 1))
    return [itn, wide, later]


def test_the_client_reads_what_ends_by_month(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount]
) -> None:
    eve = world.employee("Eve", maple, RM0001="editor")
    ProgramRole.objects.filter(user=eve).update(ends_at=end_of_day(date(2026, 12, 24)))
    boss = as_(world.manager(maple))
    said = words(boss.get(page("relationship_calendar", maple)))

    order = [
        "February 2027 (1) March 2027 (1) May 2027 (1)",
        "February 28, 2027 In 97 days Wide",
        "RM 0001 Maple 1 RM 0002 Maple 2",
        "March 31, 2027 In 128 days ITN",
        "May 2, 2027 In 160 days ITN",
        "December 24, 2026 In 31 days Eve Editor RM 0001 Maple 1",
    ]
    places = [" ".join(said.split()).replace(" )", ")").index(one) for one in order]
    assert all(one < other for one, other in pairwise(places))
    assert "Later" not in said
    assert (
        "February 2027"
        not in words(boss.get(page("relationship_calendar", maple, month="2027-03"))).split(
            "May 2027 (1)"
        )[1]
    )


def test_a_manager_of_a_program_reads_of_that_one(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount]
) -> None:
    pam = world.employee("Pam", maple, RM0002="pam")
    said = words(as_(pam).get(page("relationship_calendar", maple)))
    assert "May 2, 2027" in said and "March 31" not in said
    assert "RM 0001" not in said.split("February 28, 2027")[1]


def test_a_firm_reads_of_the_clients_that_it_may_know_of(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount]
) -> None:
    itn = firms[0]
    cedar = world.importer("Cedar")
    world.relationship(cedar, itn, last_day=date(2027, 6, 1))
    ben = world.assign("Ben", itn, cedar).person
    everything = words(as_(world.manager(itn)).get(page("client_calendar", itn)))
    assert "Maple" in everything and "Cedar" in everything and "Wide" not in everything
    mine = words(as_(ben).get(page("client_calendar", itn)))
    assert "Cedar" in mine and "Maple" not in mine
    nobody = words(as_(world.member("Hana", itn)).get(page("client_calendar", itn)))
    assert "No business relationship ends" in nobody


def test_many_ends_cost_the_same_queries_and_come_page_by_page(world: World) -> None:
    small, large = world.broker("Small"), many(world, 27)
    world.relationship(world.importer("Cedar"), small, last_day=date(2027, 3, 31))
    boss = as_(world.manager(large))
    few = queries(as_(world.manager(small)), page("client_calendar", small))
    assert queries(boss, page("client_calendar", large)) == few
    first = boss.get(page("client_calendar", large))
    token = first.context["calendar"].page.next_token
    second = boss.get(page("client_calendar", large, after=token))
    shown = [
        one.name for got in (first, second) for _label, group in got.context["calendar"].groups
        for one in group
    ]  # fmt: skip
    assert len(shown) == len(set(shown)) == 28
    assert "March 2027 (28)" in " ".join(words(first).split())


# ---------------------------------------------------------------- the feed


def link(person: User, business: BusinessAccount, **form: str) -> str:
    """Make a personal link on its page, and read it there."""
    answer = as_(person).post(page("calendar_feed", business), form)
    assert answer.status_code == 200
    return str(answer.context["link"]).removeprefix("http://localhost:8000")


def read(address: str, **headers: str) -> Any:
    """What a calendar program gets, which is not signed in."""
    return Client().get(address, headers=headers)


def events(address: str) -> dict[str, Any]:
    calendar = Calendar.from_ical(read(address).content)
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


def test_the_feed_is_a_calendar_by_the_book(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount], settings: Any
) -> None:
    """RFC 5545, looked at by hand: CRLF, lines of at most 75 octets, whole characters, dates."""
    User.objects.filter(pk=world.manager(maple).pk).update(language="fr-ca")
    firms[1].legal_name = "Établissements Côté, Gagné et Bélanger ltée; courtiers en douane agréés"
    firms[1].save()
    answer = read(link(world.manager(maple), maple))

    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert not answer.cookies and answer.headers["Cache-Control"] == "private, no-cache"
    lines = answer.content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR" and lines[-2:] == [b"END:VCALENDAR", b""]
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 and line.decode() is not None for line in lines)
    unfolded = answer.content.replace(b"\r\n ", b"").decode()
    [wide] = [one for one in unfolded.split("BEGIN:VEVENT") if "20270228" in one]
    relationship = maple.relationships_as_client.get(provider=firms[1])
    for said in (
        f"UID:{relationship.pk}-RM0001@localhost:8000\r\n",
        "SEQUENCE:0\r\n",
        "DTSTAMP:20261123T153000Z\r\n",
        "DTSTART;VALUE=DATE:20270228\r\n",
        "DTEND;VALUE=DATE:20270301\r\n",
        "SUMMARY:Fin des pouvoirs de Établissements Côté\\, Gagné et Bélanger ltée\\; courtiers",
        f"/fr-ca/businesses/{maple.bn9}/relationships/{relationship.pk}/\r\n",
    ):
        assert said in wide, said
    assert unfolded.count("BEGIN:VEVENT") == 3
    assert "manager" not in unfolded and "@example" not in unfolded


def test_an_event_keeps_its_identity_when_it_is_renewed(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount], clock: Any
) -> None:
    address = link(world.manager(maple), maple)
    before = events(address)
    clock.shift(timedelta(days=3))
    world.later(days=3).relationship(maple, firms[0], last_day=date(2027, 9, 30))
    after = events(address)
    [moved] = [uid for uid in before if before[uid].to_ical() != after[uid].to_ical()]
    assert before.keys() == after.keys()
    assert (before[moved]["DTSTART"].dt, after[moved]["DTSTART"].dt) == (
        date(2027, 3, 31), date(2027, 9, 30)
    )  # fmt: skip
    assert (before[moved]["SEQUENCE"], after[moved]["SEQUENCE"]) == (0, 1)
    assert after[moved]["DTSTAMP"].dt > before[moved]["DTSTAMP"].dt


def test_a_feed_that_did_not_change_is_not_sent_again(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount], clock: Any
) -> None:
    address = link(world.manager(maple), maple)
    first = read(address)
    clock.shift(timedelta(hours=2))
    again = read(address, if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    world.relationship(maple, world.broker("New"), last_day=date(2027, 4, 4))
    assert read(address, if_none_match=first.headers["ETag"]).status_code == 200


def test_a_link_opens_no_more_to_whom_the_calendar_does_not(
    world: World, maple: BusinessAccount, firms: list[BusinessAccount], clock: Any
) -> None:
    absent = read("/calendar/guessed.ics")
    ana = world.employee("Ana", maple)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    address = link(ana, maple)
    assert read(address).status_code == 200

    membership = Membership.objects.get(person=ana)
    done(suspend_membership(membership=membership, reason="Leave", **boss))
    assert gone(address) == 404
    Membership.objects.update(suspended_at=None)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert gone(address) == 404
    User.objects.filter(pk=ana.pk).update(is_active=True)
    assert read(address).status_code == 200
    done(end_membership(membership=membership, reason="Left", **boss))
    after = read(address)
    assert (after.status_code, after.content) == (404, absent.content.replace(
        b"guessed", address.split("/")[-1].removesuffix(".ics").encode()
    ))  # fmt: skip
    clock.shift(timedelta(hours=1))
    world.later(hours=1).employee("Ana", maple)
    assert gone(address) == 404  # who joins again begins with nothing


def gone(address: str) -> int:
    return int(read(address).status_code)


def test_a_link_is_shown_once_kept_as_a_hash_replaced_and_ended(
    world: World, maple: BusinessAccount
) -> None:
    boss = world.manager(maple)
    browser = as_(boss)
    first = link(boss, maple)
    secret = first.split("/")[-1].removesuffix(".ics")
    assert secret not in words(browser.get(page("calendar_feed", maple)))
    assert secret not in str([*CalendarFeed.objects.values(), *Event.objects.values()])
    second = link(boss, maple)
    assert gone(first) == 404 and gone(second) == 200
    assert browser.post(page("calendar_feed_end", maple)).status_code == 302
    assert gone(second) == 404
    told = Event.objects.filter(verb__startswith="calendar_feed", chain=f"business:{maple.bn9}")
    assert list(told.order_by("seq").values_list("verb", flat=True)) == [
        "calendar_feed.create", "calendar_feed.create", "calendar_feed.end"
    ]  # fmt: skip


def test_the_same_form_makes_one_link(world: World, maple: BusinessAccount) -> None:
    boss = world.manager(maple)
    form = {"form_key": "6f0e4ef7-6a3a-4c2e-9d5c-0a35f2e0b1aa"}
    first = link(boss, maple, **form)
    assert link(boss, maple, **form) == first
    assert CalendarFeed.objects.count() == 1
    as_(boss).post(page("calendar_feed_end", maple))
    answer = as_(boss).post(page("calendar_feed", maple), form)
    assert answer.status_code == 409 and gone(first) == 404


def test_the_calendar_of_others_makes_no_link(world: World, maple: BusinessAccount) -> None:
    rea = world.employee("Rea", maple, RM0001="reader")
    refused = create_calendar_feed(actor=rea, acting_for=maple, token="x", at=world.at)
    assert getattr(refused, "code", "") == "not_allowed"
    assert not CalendarFeed.objects.exists()
