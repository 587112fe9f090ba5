"""What was agreed changes: the preview says what widens, a firm only narrows, a pause pauses."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from audit.models import Event
from audit.services import Refusal, business_chain
from delegation.consent import VERSION
from delegation.differences import Differences, differences
from delegation.models import Ceiling, Level, Relationship, Visibility
from delegation.relationships import relationship_of
from delegation.roles import Action
from delegation.services.agreements import Agreement, Rules
from delegation.services.changes import Narrowing, change_relationship, narrow_relationship
from delegation.services.relationships import approve_relationship_request
from delegation.services.suspensions import resume_relationship, suspend_relationship
from delegation.terms import extensions, fingerprint, live_terms
from notices.models import Notice
from tests.conftest import NIGHTLY
from tests.delegation.reading import as_, confirm, words
from tests.delegation.test_renewals import Scene
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock"), pytest.mark.once]

WORLDS = 200 if NIGHTLY else 3
EVERYTHING = Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)


def held(relationship: Relationship, world: World) -> list[Any]:
    return live_terms(relationship.terms.select_related("program", "relationship"), world.at)


def change(
    world: World, relationship: Relationship, agreement: Agreement, **more: Any
) -> Relationship | Refusal:
    row = Relationship.objects.get(pk=relationship.pk)
    return change_relationship(
        actor=more.pop("actor", world.manager(row.client)),
        acting_for=row.client,
        relationship=row,
        agreement=agreement,
        keeps_others=more.pop("keeps_others", False),
        expected_terms=more.pop("expected", fingerprint(held(row, world))),
        at=world.at,
    )


def drawn(scene: Scene, dice: Random) -> Agreement:
    """Any agreement."""
    every = [one.pk for one in scene.maple.programs.order_by("extension")]
    is_whole = dice.random() < 0.3
    return Agreement(
        level=Level.BUSINESS if is_whole else Level.PROGRAM,
        programs=frozenset(every if is_whole else dice.sample(every, dice.choice([1, 2]))),
        ceiling=dice.choice(list(Ceiling)),
        rules=Rules(
            dice.choice([Visibility.VIEW, Visibility.EDIT]),
            dice.choice(list(Visibility)),
            dice.choice(list(Visibility)),
        ),
        last_day=(scene.world.at + timedelta(days=dice.choice([5, 50, 500]))).date(),
        covers_future=is_whole,
        may_pay=dice.random() < 0.5,
        may_submit=dice.random() < 0.7,
    )


def untold(scene: Scene, dice: Random, tell: Any = differences) -> list[str]:
    """Change random terms to others; what the preview did not say of what came of it."""
    world = scene.world
    relationship = Relationship.objects.get(client=scene.maple)
    done(change(world, relationship, drawn(scene, dice)))
    world = world.later(hours=1)
    agreement, keeps = drawn(scene, dice), dice.random() < 0.5
    mine, programs = held(relationship, world), list(scene.maple.programs.all())
    told: Differences = tell(mine, agreement, programs, keeps_others=keeps)
    instants = [world.at + timedelta(days=days) for days in (0, 10, 100, 600)]
    before = [scene.decisions(at) for at in instants]
    done(change(world, relationship, agreement, keeps_others=keeps))
    pairs = list(zip(before, [scene.decisions(at) for at in instants], strict=True))
    found = []
    if any(after - then for then, after in pairs) and not told.widens:
        found.append("it widened")
    # What expires early leaves the firm its own submissions, which nobody counts as less.
    if any(then - after for then, after in pairs) and not told.narrows:
        found.append("it narrowed")
    return found


def test_what_widens_and_what_narrows_is_told(world: World) -> None:
    scene = Scene(world)
    for seed in range(WORLDS):
        mark = transaction.savepoint_create()
        assert not untold(scene, Random(seed)), f"seed {seed}"
        transaction.savepoint_rollback(mark)


@pytest.mark.nightly
def test_a_preview_that_forgets_is_caught(world: World) -> None:
    """The control: one that compares programs and days and forgets the rules."""

    def forgetful(mine: Any, agreement: Agreement, *more: Any, **named: Any) -> Differences:
        first = mine[0]
        names = ("visibility_broker", "visibility_importer", "visibility_other")
        rules = Rules(*(Visibility(getattr(first, name)) for name in names))
        blind = replace(agreement, rules=rules, ceiling=Ceiling(first.ceiling))
        return differences(mine, blind, *more, **named)

    scene = Scene(world)
    for seed in range(60):
        mark = transaction.savepoint_create()
        found = untold(scene, Random(seed), forgetful)
        transaction.savepoint_rollback(mark)
        if found:
            return
    pytest.fail("Nothing caught it.")


def test_a_firm_narrows_and_never_widens(world: World) -> None:
    scene = Scene(world)
    for seed in range(WORLDS):
        dice, mark = Random(seed), transaction.savepoint_create()
        relationship = Relationship.objects.get(client=scene.maple)
        done(change(world, relationship, drawn(scene, dice)))
        later = world.later(hours=1)
        before, mine = scene.decisions(later.at), held(relationship, later)
        answer = narrow_relationship(
            actor=world.manager(scene.north),
            acting_for=scene.north,
            relationship=Relationship.objects.get(pk=relationship.pk),
            narrowing=Narrowing(
                frozenset(dice.sample(extensions(mine), 1)), drawn(scene, dice).rules
            ),
            expected_terms=fingerprint(mine),
            at=later.at,
        )
        assert not isinstance(answer, Refusal) or answer.code == "not_narrower", answer
        assert scene.decisions(later.at) <= before, f"seed {seed}"
        transaction.savepoint_rollback(mark)


def test_who_changes_what(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    pam = world.employee("Pam", maple, RM0001="pam")
    row = world.relationship(maple, north, programs=("RM0001", "RM0002"), ceiling=Ceiling.PAM)
    told = Event.objects.filter(chain=business_chain(maple.bn9))
    given = {
        "level": "program",
        "programs": ["RM0001", "RM0002"],
        "covers_future": False,
        "ceiling": "pam",
        "may_submit": True,
        "may_pay": False,
        "may_see_amounts": False,
        "last_day": "2026-12-23",
        "open_end_reason": "",
        "consent_version": VERSION,
        "visibility_broker": "view",
        "visibility_importer": "none",
        "visibility_other": "none",
    }
    approved = told.get(verb="relationship_request.approve").after
    assert approved == given | {"is_suspended": False}
    one = Agreement(
        level=Level.PROGRAM,
        programs=frozenset({world.program(maple).pk}),
        ceiling=Ceiling.EDITOR,
        rules=Rules(importer=Visibility.VIEW),
        last_day=date(2027, 3, 31),
        may_pay=True,
    )
    own = fingerprint([term for term in held(row, world) if term.program.extension == "RM0001"])
    second = frozenset({world.program(maple, "RM0002").pk})

    def code(agreement: Agreement, **more: Any) -> str:
        answer = change(world, row, agreement, **more)
        return answer.code if isinstance(answer, Refusal) else "done"

    assert code(one, actor=world.manager(north)) == "not_allowed"
    assert code(one, actor=pam) == "changed"
    by_pam = {"actor": pam, "expected": own}
    assert code(replace(one, ceiling=Ceiling.PAM), **by_pam) == "above_own_right"
    assert code(replace(one, programs=second), **by_pam) == "above_own_right"
    assert code(one, **by_pam) == "done"
    kept = {term.program.extension: term.visibility_importer for term in held(row, world)}
    assert kept == {"RM0001": "view", "RM0002": "none"}
    event = told.get(verb="relationship.change")
    assert event.before == {"terms": [given | {"programs": ["RM0001"]}]}
    assert event.after and event.after["may_pay"]
    assert code(replace(one, programs=second), keeps_others=True) == "done"
    assert len(held(row, world)) == 2
    assert code(replace(one, programs=second)) == "done"
    assert [term.program.extension for term in held(row, world)] == ["RM0002"]
    for business in (maple, north):
        told = Event.objects.filter(chain=business_chain(business.bn9), verb="relationship.change")
        assert told.count() == 3

    for keeps in (True, False):
        world = world.later(hours=1)
        agreement = one if keeps else replace(one, programs=second)
        assert code(agreement, keeps_others=keeps) == "done"
    given = relationship_of(world.access(pam, maple), row.pk)
    assert given and given.state.label == "Ended on your program accounts"


def test_a_pause_stops_at_once_and_a_resumption_gives_no_more(world: World) -> None:
    scene = Scene(world)
    row = Relationship.objects.get(client=scene.maple)
    boss = {"actor": world.manager(scene.maple), "acting_for": scene.maple, "at": world.at}
    firm = {"actor": world.manager(scene.north), "acting_for": scene.north, "at": world.at}
    before = scene.decisions(world.at)

    refused = suspend_relationship(relationship=row, reason="", **firm)
    done(suspend_relationship(relationship=row, reason="Late", **boss))
    twice = suspend_relationship(relationship=row, reason="", **boss)
    paused = scene.decisions(world.at)
    again = {"relationship": row, "expected_terms": fingerprint(held(row, world))}
    own_choice = resume_relationship(**again, **firm)
    done(resume_relationship(**again, **boss))
    idle = resume_relationship(**again, **boss)

    codes = [one.code for one in (refused, twice, own_choice, idle) if isinstance(one, Refusal)]
    assert codes == ["not_allowed", "already_suspended", "not_allowed", "not_suspended"]
    assert {action for _who, action, _what in paused} <= {Action.VIEW_TRANSACTIONS}
    assert paused < before == scene.decisions(world.at)
    over = done(suspend_relationship(relationship=row, reason="", **boss))
    late = resume_relationship(
        **again | {"relationship": over}, **boss | {"at": world.later(days=60).at}
    )
    assert isinstance(late, Refusal) and late.code == "already_ended"


# ---------------------------------------------------------------- pages


def test_terms_are_changed_on_the_page(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north, programs=("RM0001", "RM0002"))
    url = reverse("relationship_change", kwargs={"bn9": maple.bn9, "pk": row.pk})
    browser = as_(world.manager(maple))
    filled = {
        "consent_version": VERSION, "level": "program", "programs": ["RM0001"], "others": "lose",
        "ceiling": "reader", "rights": ["may_submit", "may_pay"], "end": "date",
        "last_day": "2026-12-23", "visibility_broker": "view", "visibility_importer": "view",
        "visibility_other": "none", "consent": "on",
    }  # fmt: skip

    first = words(browser.get(url))
    # No request is there to reject.
    assert "Agree to the text to go on." in words(browser.post(url, filled | {"consent": ""}))
    preview = words(browser.post(url, filled))
    assert "Today the terms differ" not in first
    assert "What becomes more" in preview and "What becomes less" in preview
    assert "RM 0001 Maple 1: Submitted by you (the importer), from “None” to “View”" in preview
    assert "RM 0001 Maple 1: pay, from “no” to “yes”" in preview
    assert "RM 0002 Maple 2: the firm can no longer act on it" in preview
    assert len(held(row, world)) == 2
    answer = confirm(browser, url, filled)

    assert answer.status_code == 302
    [only] = held(row, world)
    assert (only.ceiling, only.may_pay, only.visibility_importer) == ("reader", True, "view")


def test_a_relationship_is_suspended_and_resumed_on_its_page(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north)
    browser = as_(world.manager(maple))

    def url(name: str) -> str:
        return reverse(f"relationship_{name}", kwargs={"bn9": maple.bn9, "pk": row.pk})

    asked = browser.get(url("suspend"))
    paused = browser.post(url("suspend"), {"confirm": "yes", "reason": "Late"}, follow=True)
    assert "What is suspended" in words(paused)
    shown = {"terms": paused.context["fingerprint"]}
    world.relationship(maple, north, programs=("RM0002",))
    stale = browser.post(url("resume"), shown, follow=True)
    shown = {"terms": stale.context["fingerprint"]}
    resumed = browser.post(url("resume"), shown, follow=True)

    assert "It stops at once" in words(asked)
    assert "is suspended." in words(paused) and "Resume" in words(paused)
    assert "Nothing was resumed" in words(stale) and "Resume" in words(stale)
    assert "can act for Maple" in words(resumed) and "Active Until" in words(resumed)


def test_a_suspension_outlasts_the_relationship(world: World) -> None:
    """It ends, the firm asks again: a PAM gives nothing, and what a BAM gives stays suspended."""
    maple, north = world.importer("Maple"), world.broker("North")
    pam = world.employee("Pam", maple, RM0001="pam")
    row = world.relationship(maple, north, last_day=world.at.date())
    boss = world.manager(maple)
    done(
        suspend_relationship(
            actor=boss, acting_for=maple, relationship=row, reason="Late", at=world.at
        )
    )
    later = world.later(days=5)
    waiting = later.relationship_request(north, maple, level=Level.PROGRAM, extensions=("RM0001",))
    agreement = Agreement(
        Level.PROGRAM,
        frozenset({world.program(maple).pk}),
        Ceiling.EDITOR,
        Rules(),
        last_day=date(2027, 3, 31),
    )
    about: dict[str, Any] = {
        "acting_for": maple, "relationship_request": waiting, "agreement": agreement,
        "expected_version": waiting.version, "at": later.at,
    }  # fmt: skip

    refused = approve_relationship_request(actor=pam, **about)
    barred = as_(pam).get(
        reverse("relationship_request_detail", kwargs={"bn9": maple.bn9, "pk": waiting.pk})
    )
    given = done(approve_relationship_request(actor=boss, **about))

    assert isinstance(refused, Refusal) and refused.code == "suspended"
    assert "Only a Business Account Manager decides this." in words(barred)
    assert given.pk != row.pk and given.suspended_at == later.at
    [told] = [one for one in Notice.objects.all() if "stays suspended" in one.body]
    assert told.recipient == world.manager(north)


def test_a_firm_gives_back_a_part_on_its_page(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north, programs=("RM0001", "RM0002"), rules=EVERYTHING)
    url = reverse("relationship_narrow", kwargs={"bn9": north.bn9, "client_bn9": maple.bn9})
    browser = as_(world.manager(north))
    terms = browser.get(url).context["fingerprint"]
    less = {
        "terms": terms, "programs": ["RM0001"], "visibility_broker": "edit",
        "visibility_importer": "view", "visibility_other": "none", "confirm": "yes",
    }  # fmt: skip

    answer = browser.post(url, less, follow=True)
    stale = browser.post(url, less)

    assert "gave back a part" in words(answer)
    assert stale.status_code == 409
    [only] = held(row, world)
    assert (only.visibility_broker, only.visibility_importer, only.visibility_other) == (
        "edit",
        "view",
        "none",
    )
    assert only.agreed_by == world.manager(maple)


def test_what_is_in_flight_stands_where_a_relationship_ends(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north)
    browser, about = as_(world.manager(maple)), {"bn9": maple.bn9, "pk": row.pk}
    pages = [reverse(f"relationship_{name}", kwargs=about) for name in ("detail", "end")]

    assert all("no request that waits" in words(browser.get(page)) for page in pages)
    waiting = world.relationship_request(north, maple)
    offer = world.offer(maple, north, programs=("RM0002",))
    for page in pages:
        text = browser.get(page)
        assert "A request of November 23, 2026, 10:30 a.m. ET waits" in words(text)
        assert f"/requests/{waiting.pk}/" in text.content.decode()
        assert "An offer of November 23, 2026, 10:30 a.m. ET waits" in words(text)
        assert f"/offers/{offer.pk}/" in text.content.decode()
