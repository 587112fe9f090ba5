"""What a preview counts is what the firm sees after the approval, kind of submitter by kind."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from businesses.models import BusinessAccount, ProgramAccount
from delegation.consent import VERSION
from delegation.models import Relationship, Visibility
from delegation.openings import openings
from delegation.services.agreements import Rules
from tests.access.random_worlds import submission
from tests.conftest import NIGHTLY
from tests.delegation.reading import as_, confirm, words
from tests.world import World
from transactions import openings as counting
from transactions.models import DeclarationVersion, build_version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock"), pytest.mark.once]

WORLDS = 200 if NIGHTLY else 5
KINDS = ("visibility_broker", "visibility_importer", "visibility_other")


def corrected(version: DeclarationVersion, submitter: BusinessAccount, number: int) -> None:
    """A further version of the declaration, by somebody else."""
    kept = ("released_on", "office", "vendor", "currency", "acting_under")
    totals = ("value_for_duty", "duties", "sima", "excise", "gst", "total")
    build_version(
        version.declaration,
        number=number,
        submitter=submitter,
        submitted_at=version.submitted_at + timedelta(minutes=number),
        reason_code="origin",
        **{name: getattr(version, name) for name in kept + totals},
    ).save()


class Scene:
    """A client with declarations by everybody, and a broker that may be approved."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maple, self.north = world.importer("Maple"), world.broker("North")
        self.firms = [self.maple, self.north, world.broker("Other"), world.broker("Third")]
        self.programs = list(self.maple.programs.order_by("extension"))

    def fill(self, dice: Random) -> None:
        for _ in range(dice.randint(0, 12)):
            at = self.world.at - timedelta(days=dice.randint(0, 900))
            version = submission(
                program=dice.choice(self.programs), submitter=dice.choice(self.firms), at=at
            )
            for number in range(2, dice.choice([2, 2, 3, 5])):
                corrected(version, dice.choice(self.firms), number)

    def seen(self, programs: list[ProgramAccount], rule: str) -> set[int]:
        """The declarations of which the firm sees a version of one kind, with every rule open."""
        access = self.world.access(self.world.manager(self.north), self.north)
        shown = access.visible(DeclarationVersion.objects.filter(program__in=programs))
        return {
            row.declaration_id
            for row in shown
            if row.declaration.program.business_id == self.maple.pk
            and _kind(row, self.north.pk) == rule
        }


def _kind(row: DeclarationVersion, provider_id: int) -> str:
    if row.submitter_id == provider_id:
        return "visibility_broker"
    return "visibility_importer" if row.submitter_id == row.owner_id else "visibility_other"


def wrong(scene: Scene, dice: Random) -> list[str]:
    """Count, approve with one rule on View after the other, and look; what differs."""
    scene.fill(dice)
    programs = dice.sample(scene.programs, dice.choice([1, 2]))
    counted = openings(scene.north, programs)
    found = []
    for rule, rules in {
        "visibility_broker": Rules(),
        "visibility_importer": Rules(importer=Visibility.VIEW),
        "visibility_other": Rules(other=Visibility.VIEW),
    }.items():
        mark = transaction.savepoint_create()
        extensions = tuple(one.extension for one in programs)
        scene.world.relationship(scene.maple, scene.north, programs=extensions, rules=rules)
        there = scene.seen(programs, rule)
        hidden = {kind: scene.seen(programs, kind) for kind in KINDS[1:] if kind != rule}
        transaction.savepoint_rollback(mark)
        if counted[rule].count != len(there):
            found.append(f"{rule}: {counted[rule]} counted, {len(there)} seen")
        found += [f"{kind} is seen with None" for kind, rows in hidden.items() if rows]
    return found


@pytest.mark.parametrize("at_once", [4000, 2])
def test_what_is_counted_is_what_is_seen_after(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Whether versions are counted one by one or, being many, by the database."""
    monkeypatch.setattr(counting, "AT_ONCE", at_once)
    scene = Scene(world)
    for seed in range(WORLDS):
        mark = transaction.savepoint_create()
        assert not wrong(scene, Random(seed)), f"seed {seed}"
        transaction.savepoint_rollback(mark)


def test_a_count_that_forgets_a_submitter_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: firms registered after the client and the broker are not counted."""
    whole = counting._count

    def forgetful(programs: Any, *ranges: Any) -> Any:
        return whole(programs, *(ranges[:-1] or ranges))

    monkeypatch.setattr(counting, "_count", forgetful)
    scene = Scene(world)
    for seed in range(20):
        mark = transaction.savepoint_create()
        found = wrong(scene, Random(seed))
        transaction.savepoint_rollback(mark)
        if found:
            return
    pytest.fail("Nothing caught it.")


def test_a_count_is_capped_and_costs_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(counting, "MOST", 3)
    monkeypatch.setattr("delegation.openings.MOST", 3)
    monkeypatch.setattr(counting, "AT_ONCE", 12)
    scene = Scene(world)
    first = world.at - timedelta(days=900)
    for days in range(5):
        submission(
            program=scene.programs[0], submitter=scene.maple, at=first + timedelta(days=days)
        )
    with django_assert_max_num_queries(7):
        counted = openings(scene.north, scene.programs)

    assert str(counted["visibility_importer"]) == "3+"
    assert counted["visibility_importer"].oldest == first
    assert str(counted["visibility_other"]) == "0"


def test_the_pages_say_what_each_rule_opens(world: World) -> None:
    scene = Scene(world)
    then = world.at - timedelta(days=30)
    for submitter in (scene.maple, scene.maple, *scene.firms[2:]):
        submission(program=scene.programs[0], submitter=submitter, at=then)
    submission(program=scene.programs[1], submitter=scene.maple, at=then)
    waiting = world.relationship_request(
        scene.north, scene.maple, level="program", extensions=("RM0001",)
    )
    browser = as_(world.manager(scene.maple))
    about = {"bn9": scene.maple.bn9, "pk": waiting.pk}

    form = words(browser.get(reverse("relationship_request_detail", kwargs=about)))
    filled = {
        "version": 1, "consent_version": VERSION, "level": "program",
        "programs": ["RM0001", "RM0002"],
        "ceiling": "editor", "end": "date", "last_day": "2027-03-31", "visibility_broker": "view",
        "visibility_importer": "view", "visibility_other": "none", "consent": "on",
    }  # fmt: skip
    approve = reverse("relationship_request_approve", kwargs=about)
    preview = words(browser.post(approve, filled))

    assert "submitted itself and sees now: 0." in form
    assert ("View opens now: 2. None opens: 0. The oldest is of October 24, 2026. ") in form
    assert "Other firms that submitted them: 2." in form
    assert "(the importer) Declarations that this opens now: 3." in preview
    assert "other business Declarations that this opens now: 0." in preview
    assert not Relationship.objects.exists()

    # Program accounts opened later bring all of them, one that is closed with its history too.
    ProgramAccount.objects.filter(pk=scene.programs[1].pk).update(closed_at=world.at)
    whole = {**filled, "level": "business", "covers_future": "on", "programs": ["RM0001"]}
    entered = browser.post(approve, {**whole, "change": "yes"})
    assert "View opens now: 3." in words(entered)
    confirmed = words(browser.post(approve, whole))
    assert "(today RM 0001 Maple 1; closed, to be read only: RM 0002 Maple 2)" in confirmed
    assert "(the importer) Declarations that this opens now: 3." in confirmed
    confirm(browser, approve, whole)
    assert len(scene.seen(scene.programs, "visibility_importer")) == 3
    assert len(scene.seen(scene.programs[1:], "visibility_importer")) == 1
