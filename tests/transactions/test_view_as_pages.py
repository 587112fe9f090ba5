"""A client sees what a firm sees: the firm's own answer, one client, one instant, read only."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.models import Event
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, ViewAs
from delegation.roles import Action
from delegation.services.endings import end_relationship
from delegation.services.relationships import Rules
from delegation.services.view_as import open_view_as
from delegation.terms import fingerprint
from delegation.view_as import access_of_firm
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW
from tests.delegation.reading import as_
from tests.transactions.factories import change, declare
from tests.transactions.pages import rows, words
from tests.world import World, done
from transactions import declarations as module
from transactions.view_as import list_seen

pytestmark = pytest.mark.django_db


def differences(seed: int, steps: int) -> tuple[list[str], int]:
    """Where what is listed is not what the one decision says of a manager at that instant."""
    random_world = RandomWorld(World(NOW), Random(seed), steps).build()
    for one in random_world.versions()[::2]:
        submitter = random_world.dice.choice([one.owner, *random_world.providers])
        later = timedelta(days=random_world.dice.randint(1, 30))
        change(one.declaration, submitter, one.submitted_at + later)
    versions, at = random_world.versions(), random_world.instant()
    found, compared = [], 0
    pairs = [
        (relationship, person)
        for relationship in Relationship.objects.filter(client__in=random_world.clients)
        for person in (None, random_world.dice.choice(random_world.staff[relationship.provider_id]))
    ]
    for relationship, person in pairs:
        boss = random_world.world.manager(relationship.provider)
        theirs = Access(person or boss, relationship.provider, at)
        newest: dict[int, int] = {}
        for one in versions:
            existed = one.owner_id == relationship.client_id and one.submitted_at <= at
            if existed and theirs.decide(Action.VIEW_TRANSACTIONS, one).allowed:
                newest[one.declaration_id] = max(one.number, newest.get(one.declaration_id, 0))
        look = ViewAs(relationship=relationship, person=person, seen_at=at)
        listing = list_seen(access_of_firm(look), relationship.client)
        shown = {row.pk: listing.newest[row.pk].number for row in listing.page.rows}
        compared += len(versions)
        if shown != newest:
            found.append(f"{relationship} at {at}: {shown} but {newest}")
    return found, compared


@settings(max_examples=300 if NIGHTLY else 4)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_listed_is_what_a_manager_or_a_person_of_the_firm_sees_then(seed: int) -> None:
    assert not differences(seed, 40)[0]


class Scene:
    """Maple and its broker ITN, which sees its own alone; another client of ITN."""

    def __init__(self, world: World, maple: BusinessAccount, itn: BusinessAccount) -> None:
        self.world, self.maple, self.itn = world, maple, itn
        self.relationship = world.relationship(maple, itn)
        program = world.program(maple)
        self.theirs = declare(program, world.at, submitter=itn)
        self.ours = declare(program, world.at)
        cedar = world.importer("Cedar")
        world.relationship(cedar, itn)
        self.foreign = declare(world.program(cedar), world.at, submitter=itn)

    def start(self) -> str:
        kwargs = {"bn9": self.maple.bn9, "pk": self.relationship.pk}
        return reverse("view_as_create", kwargs=kwargs)

    def look(self, **form: str) -> Any:
        """The page to which the opening leads."""
        browser = as_(self.world.manager(self.maple))
        return browser.post(self.start(), form or {"when": "now"}, follow=True)


@pytest.fixture
def scene(clock: object, world: World, maple: BusinessAccount, itn: BusinessAccount) -> Scene:
    return Scene(world, maple, itn)


def test_a_manager_sees_what_the_firm_sees_of_this_client(scene: Scene) -> None:
    page = scene.look()
    assert rows(page) == [f"{scene.theirs.number}00001"]
    said = words(page)
    assert "You see what ITN can see, as of November 23, 2026" in said
    assert "Submitted by the importer (your client) None" in said
    assert "Cedar" not in said and "ITN manager" not in said
    main = page.content.decode().split("<main")[1].split("</main>")[0]
    assert "<form" not in main

    browser = as_(scene.world.manager(scene.maple))
    shown = browser.get(page.context["rows"][0].url)
    assert "You see what ITN can see" in words(shown)
    assert "Who can see this" not in words(shown) and "Correct" not in words(shown)
    hidden = page.context["rows"][0].url.replace(scene.theirs.number, scene.ours.number)
    foreign = page.context["rows"][0].url.replace(scene.theirs.number, scene.foreign.number)
    assert {browser.get(one).status_code for one in (hidden, foreign)} == {404}
    assert browser.post(page.context["rows"][0].url).status_code == 405


def test_a_person_is_chosen_whose_name_the_client_reads_anyway(scene: Scene) -> None:
    world, itn = scene.world, scene.itn
    ben, hana = world.person("Ben Known"), world.person("Hana Unnamed")
    world.assign("Ben Known", itn, scene.maple)
    world.assign("Hana Unnamed", itn, scene.maple)
    change(scene.theirs, itn, world.at, submitted_by=ben, acting_under="provider:editor:x")
    browser = as_(world.manager(scene.maple))
    offered = words(browser.get(scene.start()))
    assert "Ben Known" in offered and "ITN manager" in offered, "Who submitted, and who asked."
    assert "Hana" not in offered
    assert scene.look(when="now", whom=str(hana.pk)).status_code == 422

    page = scene.look(when="now", whom=str(ben.pk))

    assert "You see what Ben Known of ITN can see" in words(page)
    assert rows(page) == [f"{scene.theirs.number}00002"]
    ben.assignments.update(ends_at=world.at)
    again = scene.look(when="now", whom=str(ben.pk))
    assert rows(again) == [] and "Nothing is in force for Ben Known" in words(again)
    opening = ViewAs.objects.latest("opened_at", "pk")
    entry = Event.objects.filter(verb="view_as.open").latest("pk")
    assert (opening.person, entry.after["person"]) == (ben, "Ben Known")
    boss = {"actor": world.manager(scene.maple), "acting_for": scene.maple, "at": world.at}
    refused = open_view_as(relationship=scene.relationship, person=hana, seen_at=None, **boss)
    assert isinstance(refused, Refusal) and refused.code == "unknown_person"


def test_each_opening_is_one_entry_of_the_history(scene: Scene) -> None:
    page = scene.look()
    browser = as_(scene.world.manager(scene.maple))
    browser.get(page.context["rows"][0].url)
    [entry] = Event.objects.filter(verb="view_as.open")
    assert entry.chain_id == f"business:{scene.maple.bn9}"
    activity = reverse("activity_list", kwargs={"bn9": scene.maple.bn9})
    assert "Looked at what ITN sees" in words(browser.get(activity))


def test_the_past_is_as_it_was(scene: Scene, clock: Any) -> None:
    clock.shift(timedelta(days=2))
    later = scene.world.later(days=2)
    change(scene.theirs, scene.maple, later.at)
    declare(later.program(scene.maple), later.at, submitter=scene.itn)
    boss = {"actor": later.manager(scene.maple), "acting_for": scene.maple, "at": later.at}
    form = {"expected_terms": fingerprint(scene.relationship.terms.all()), "reason": "Moved"}
    done(end_relationship(relationship=scene.relationship, **form, **boss))
    clock.shift(timedelta(days=2))

    then = scene.look(when="past", on=str(date(2026, 11, 23)))
    assert rows(then) == [f"{scene.theirs.number}00001"]
    said = words(then)
    assert "You see what ITN could see at the end of November 23, 2026" in said
    assert "Changed by another party" not in said and "count as today" in said
    assert "As an Editor" in said
    now = scene.look()
    assert "Nothing is in force" in words(now)
    assert rows(now) == [f"{scene.theirs.number}00001"]
    assert "Changed by another party" not in words(now), "An expired firm learns nothing new."
    before = scene.look(when="past", on="2026-11-01")
    assert "No declaration can be seen" in words(before)


def test_a_day_that_is_not_past_is_refused(scene: Scene) -> None:
    for form in ({"when": "past", "on": "2026-11-23"}, {"when": "past"}, {"on": "2026-11-01"}):
        assert scene.look(**form).status_code == 422
    assert not ViewAs.objects.exists()


def test_it_is_the_managers_own_look(scene: Scene) -> None:
    page = scene.look()
    address = page.request["PATH_INFO"]
    ana = scene.world.employee("Ana", scene.maple)
    assert as_(ana).get(address).status_code == 404
    pam = scene.world.employee("Pam", scene.maple, RM0001="pam")
    assert as_(pam).get(address).status_code == 403
    refused = open_view_as(
        actor=pam, acting_for=scene.maple, relationship=scene.relationship, seen_at=None,
        at=scene.world.at,
    )  # fmt: skip
    assert getattr(refused, "code", "") == "not_allowed"


def test_a_rule_can_be_tried(scene: Scene) -> None:
    wide = scene.world.broker("Wide")
    everything = Rules(importer="view", other="view")  # type: ignore[arg-type]
    scene.relationship = scene.world.relationship(scene.maple, wide, rules=everything)
    assert len(rows(scene.look())) == 2


def test_a_list_that_knows_the_future_is_caught(
    scene: Scene, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what came later is no part of the past, unless the list forgets the instant."""
    clock.shift(timedelta(days=2))
    change(scene.theirs, scene.itn, scene.world.at + timedelta(days=2))
    asked = {"when": "past", "on": "2026-11-23"}
    assert rows(scene.look(**asked)) == [f"{scene.theirs.number}00001"]
    monkeypatch.setattr(module, "_visible", lambda access, versions: access.visible(versions))
    assert rows(scene.look(**asked)) == [f"{scene.theirs.number}00002"]
