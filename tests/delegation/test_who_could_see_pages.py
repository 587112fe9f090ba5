"""Who could see this on a past day: what the list said then, whatever happened since."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation import panel as module
from delegation.access import Access
from delegation.models import Membership
from delegation.services.endings import end_relationship
from delegation.services.rights import end_membership, suspend_membership
from delegation.services.suspensions import suspend_relationship
from delegation.terms import fingerprint
from tests.access.defects.broken import EVERYTHING
from tests.delegation.reading import as_, queries
from tests.transactions.factories import declare
from tests.transactions.pages import url, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TODAY = date(2026, 11, 23)


class Scene:
    """Maple, whose reader and whose broker leave a day after its declaration was submitted."""

    def __init__(self, world: World, maple: BusinessAccount, itn: BusinessAccount) -> None:
        self.world, self.maple, self.itn = world, maple, itn
        self.rea = world.employee("Rea", maple, RM0001="reader")
        self.relationship = world.relationship(maple, itn, rules=EVERYTHING)
        self.ben = world.assign("Ben", itn, maple).person
        self.declaration = declare(world.program(maple), world.at)
        self.page = url("declaration_detail", maple, self.declaration)

    def part(self) -> None:
        boss = {"actor": self.world.manager(self.maple), "acting_for": self.maple}
        at = self.world.at + timedelta(days=1)
        reader = Membership.objects.get(person=self.rea)
        done(end_membership(membership=reader, reason="Left", at=at, **boss))
        form = {"expected_terms": fingerprint(self.relationship.terms.all()), "reason": "Moved"}
        done(end_relationship(relationship=self.relationship, at=at, **form, **boss))

    def pause(self) -> None:
        boss = {"actor": self.world.manager(self.maple), "acting_for": self.maple}
        why = {"reason": "On leave", "at": self.world.at + timedelta(days=1)}
        reader = Membership.objects.get(person=self.rea)
        done(suspend_membership(membership=reader, **why, **boss))
        done(suspend_relationship(relationship=self.relationship, **why, **boss))

    def said(self, **query: str) -> str:
        answer = as_(self.world.manager(self.maple)).get(self.page, query)
        return words(answer).split("Who can see this", 1)[1]


@pytest.fixture
def scene(world: World, maple: BusinessAccount, itn: BusinessAccount) -> Scene:
    return Scene(world, maple, itn)


def rows_of(answer: Any) -> tuple[Any, ...]:
    """Who is on the list, and why; until when may have become sooner since."""
    shown = answer.context["panel"]
    return tuple(
        (one.name, [(way.title, way.details) for way in one.ways])
        for one in (*shown.people, *shown.firms)
    )


@pytest.mark.parametrize("happens", [Scene.part, Scene.pause])
def test_the_past_is_what_the_list_said_then(
    scene: Scene, clock: Any, happens: Callable[[Scene], None]
) -> None:
    then = rows_of(as_(scene.world.manager(scene.maple)).get(scene.page))
    clock.shift(timedelta(days=5))
    happens(scene)
    boss = as_(scene.world.manager(scene.maple))
    assert rows_of(boss.get(scene.page, {"on": str(TODAY)})) == then
    assert rows_of(boss.get(scene.page)) != then

    said = scene.said(on=str(TODAY))
    assert "This is about the past: the end of November 23, 2026, Eastern time" in said
    assert "Rea" in said and "ITN" in said and "Change the access" not in said
    assert "Open the relationship" not in said
    now = scene.said()
    assert "Rea" not in now and "about the past" not in now


def test_a_list_that_forgets_the_day_is_caught(
    scene: Scene, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: asked at the instant of the reader, the past is the present."""
    then = rows_of(as_(scene.world.manager(scene.maple)).get(scene.page))
    clock.shift(timedelta(days=5))
    scene.part()
    at = scene.world.at + timedelta(days=5)
    monkeypatch.setattr(
        module, "Access", lambda person, business, _at: Access(person, business, at)
    )
    boss = as_(scene.world.manager(scene.maple))
    assert rows_of(boss.get(scene.page, {"on": str(TODAY)})) != then


def test_a_firm_reads_who_of_its_own_could_see_it(scene: Scene, clock: Any) -> None:
    clock.shift(timedelta(days=5))
    page = url("declaration_detail", scene.itn, scene.declaration)
    said = words(as_(scene.ben).get(page, {"on": str(TODAY)}))
    assert "The people of your firm who could see version 1" in said and "Ben" in said
    assert "Rea" not in said.split("about the past")[1]


def test_what_did_not_exist_was_seen_by_nobody(scene: Scene) -> None:
    said = scene.said(on="2026-11-01")
    assert "Version 1 did not exist yet on that day: nobody could see it." in said
    assert "Rea" not in said
    page = reverse("program_detail", kwargs={"bn9": scene.maple.bn9, "extension": "RM0001"})
    boss = as_(scene.world.manager(scene.maple))
    assert "was not linked to the portal yet" in words(boss.get(page, {"on": "2026-11-01"}))


def test_a_day_that_is_not_over_is_refused(scene: Scene, clock: Any) -> None:
    clock.shift(timedelta(hours=3))
    boss = as_(scene.world.manager(scene.maple))
    for day in (str(TODAY), "2027-05-03", "yesterday"):
        answer = boss.get(scene.page, {"on": day})
        assert answer.status_code == 422
        assert answer.context["panel"].on is None
    clock.shift(timedelta(hours=3))
    page = reverse("program_detail", kwargs={"bn9": scene.maple.bn9, "extension": "RM0001"})
    assert queries(boss, f"{page}?on=2026-11-22") <= queries(boss, page)
