"""Decisions taken in the same instant by several processes: one has effect, the others are told.

Each test has its control: the same rounds with the locks removed, where most of them must go wrong
(by day, until one has).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations_with_replacement
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from audit.models import Event
from audit.services import business_chain
from audit.verbs import REFUSED
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import (
    AccessReview,
    AccessReviewLine,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    Level,
    RequestBatchRow,
    ReviewAnswer,
    Visibility,
)
from delegation.reviews import Choice
from delegation.roles import Role
from delegation.services.agreements import Rules
from delegation.services.batches import CheckedRow, create_request_batch
from delegation.services.bulk import Asked
from delegation.services.grants import RoleChange, change_role
from delegation.services.groups import create_employee_group
from delegation.services.relationships import Wish
from delegation.services.reviews import answer_access_review, create_access_review
from delegation.terms import fingerprint
from tests.conftest import NIGHTLY
from tests.delegation.racers import Racers
from tests.delegation.reading import as_
from tests.delegation.successors import claimed
from tests.transactions.factories import declare
from tests.waiting import until_somebody_waits_for_a_lock
from tests.world import World, done, next_bn9, roles_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 200 if NIGHTLY else 2
CONTROL_ROUNDS = 40
EVERYTHING = Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)
CLAIMANTS = 8 if NIGHTLY else 4

OF_EMPLOYEES = [("approve", "approve"), ("approve", "reject"), ("approve", "withdraw")]
OF_FIRMS = [("agree", "agree"), ("agree", "reject_firm"), ("agree", "withdraw_firm")]
WAYS = ["end_membership", "suspend", "demote", "set_an_end"]
BY_ONESELF = [way for way in WAYS if way != "suspend"]  # nobody suspends oneself
TOO_LATE = {"last_manager", "not_allowed", "already_ended"}

type Jobs = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def racers(django_db_setup: None) -> Iterator[Racers]:
    """Two processes."""
    pair = Racers(str(connection.settings_dict["NAME"]), 2)
    yield pair
    pair.stop()


def must_go_right(rounds: Iterable[str]) -> None:
    """No round says what went wrong."""
    wrong = [line for line in rounds if line]
    assert not wrong, wrong


def must_go_wrong(rounds: Iterable[str]) -> None:
    """Most rounds say what went wrong; by day, one of as many is enough."""
    if NIGHTLY:
        told = list(rounds)
        assert sum(map(bool, told)) > len(told) / 2, told
    else:
        assert any(rounds)


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


def decisions(pk: object, bn9: str) -> int:
    """How many decisions of a request the history of the business tells."""
    events = Event.objects.filter(chain=business_chain(bn9), object_id=str(pk))
    return events.filter(verb__regex=r"\.(approve|reject|withdraw)$").count()


class Decisions:
    """Rounds in which two people decide one request."""

    def __init__(self, world: World, acts: tuple[str, str]) -> None:
        self.world, self.acts = world, acts
        with transaction.atomic():
            self.maple, self.north = world.importer("Maple"), world.broker("North")
        self.managers = [world.manager(self.maple), world.employee("Ana", self.maple)]
        self.number = 0

    def failures(self, racers: Racers, rounds: int, *, is_locked: bool) -> Iterator[str]:
        """What went wrong in each round, or nothing."""
        for _ in range(rounds):
            self.number += 1
            # At another instant each, as two approvals of one instant leave the same rows.
            self.world = self.world.later(minutes=1)
            waiting = self._request()
            jobs = [
                self._job(act, actor.pk, waiting.pk)
                for act, actor in zip(self.acts, self.managers, strict=True)
            ]
            ended = racers.race(jobs, self.world.at, is_locked=is_locked)
            told = decisions(waiting.pk, self.maple.bn9)
            is_right = sorted(ended) == ["already_decided", "done"] and told == 1
            yield "" if is_right else f"round {self.number}: {ended}, {told} decisions"

    def _request(self) -> Any:
        if self.acts in OF_FIRMS:
            return self.world.relationship_request(self.north, self.maple)
        return self.world.access_request(f"Asker {self.number}", self.maple)

    def _job(self, act: str, actor: int, request: Any) -> tuple[str, dict[str, Any]]:
        business = self.maple
        if act == "withdraw_firm":
            business, actor = self.north, self.world.manager(self.north).pk
        return act, {"actor": actor, "business": business.pk, "request": request}


@pytest.mark.asvs("2.3.4")
@pytest.mark.parametrize("acts", OF_EMPLOYEES + OF_FIRMS, ids=" x ".join)
def test_a_request_is_decided_once(world: World, racers: Racers, acts: tuple[str, str]) -> None:
    must_go_right(Decisions(world, acts).failures(racers, ROUNDS, is_locked=True))
    assert not breaches(world.later(days=1))


@pytest.mark.parametrize("acts", OF_EMPLOYEES + OF_FIRMS, ids=" x ".join)
def test_without_its_lock_a_request_is_decided_twice(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(Decisions(world, acts).failures(racers, CONTROL_ROUNDS, is_locked=False))


# ---------------------------------------------------------------- an invitation

OF_INVITATIONS = [("accept", "accept"), ("accept", "revoke")]


def answers(
    world: World, racers: Racers, acts: tuple[str, str], rounds: int, *, is_locked: bool
) -> Iterator[str]:
    """One invitation is accepted twice, or accepted and revoked; what went wrong."""
    with transaction.atomic():
        maple = world.importer("Maple")
    for number in range(rounds):
        world = world.later(minutes=1)
        eve = world.owns(world.person(f"Eve {number}"))
        waiting = world.invitation(eve.email, maple, RM0001="editor")
        about = {"invitation": waiting.pk, "invited": eve.pk, "business": maple.pk}
        job = about | {"actor": world.manager(maple).pk}
        ended = racers.race([(act, job) for act in acts], world.at, is_locked=is_locked)
        events = Event.objects.filter(chain=business_chain(maple.bn9), object_id=str(waiting.pk))
        told = events.filter(verb__regex=r"\.(accept|revoke)$").count()
        waiting.refresh_from_db()
        holds = bool(roles_of(maple, eve, world.at)["RM0001"])
        if sorted(ended) != ["already_decided", "done"] or told != 1:
            yield f"{acts}: {ended}, {told} told"
        elif holds != (waiting.decision == "accepted") or breaches(world):
            yield f"{acts}: {waiting.decision}, {holds}, {breaches(world)}"
        else:
            yield ""


@pytest.mark.parametrize("acts", OF_INVITATIONS, ids=" x ".join)
def test_an_invitation_is_answered_once(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_right(answers(world, racers, acts, ROUNDS, is_locked=True))


@pytest.mark.parametrize("acts", OF_INVITATIONS, ids=" x ".join)
def test_without_its_lock_an_invitation_is_answered_twice(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(answers(world, racers, acts, CONTROL_ROUNDS, is_locked=False))


# ---------------------------------------------------------------- an offer

OF_OFFERS = [
    ("accept_offer", "accept_offer"),
    ("accept_offer", "withdraw_offer"),
    ("accept_offer", "agree"),
]


def offered(
    world: World, racers: Racers, acts: tuple[str, str], rounds: int, *, is_locked: bool
) -> Iterator[str]:
    """An offer is accepted while something else is decided between the two; what went wrong."""
    losers = {"already_decided", "stands_no_more", "changed"}
    for number in range(rounds):
        with transaction.atomic():
            maple, north = world.importer(f"Maple {number}"), world.broker(f"North {number}")
        about: dict[str, Any] = {"offer": world.offer(maple, north).pk}
        about["request"] = world.relationship_request(north, maple).pk
        sides = [north if act == "accept_offer" else maple for act in acts]
        jobs: Jobs = [
            (act, {**about, "actor": world.manager(side).pk, "business": side.pk})
            for act, side in zip(acts, sides, strict=True)
        ]
        ended = racers.race(jobs, world.at, is_locked=is_locked)
        is_right = ended.count("done") == 1 and set(ended) - {"done"} <= losers
        yield "" if is_right else f"{acts}: {ended}"


@pytest.mark.parametrize("acts", OF_OFFERS, ids=" x ".join)
def test_an_offer_is_answered_once(world: World, racers: Racers, acts: tuple[str, str]) -> None:
    must_go_right(offered(world, racers, acts, ROUNDS, is_locked=True))
    assert not breaches(world)


@pytest.mark.parametrize("acts", OF_OFFERS, ids=" x ".join)
def test_without_its_lock_an_offer_is_answered_twice(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(offered(world, racers, acts, CONTROL_ROUNDS, is_locked=False))


def test_a_mute_holds_what_it_withdraws_before_the_history(world: World, racers: Racers) -> None:
    """Whoever withdraws an offer holds it and then wants the history, too."""
    for number in range(ROUNDS):
        with transaction.atomic():
            maple, north = world.importer(f"Maple {number}"), world.broker(f"North {number}")
        boss = {"actor": world.manager(maple).pk, "business": maple.pk}
        waiting = world.relationship_request(north, maple)
        jobs: Jobs = [
            ("mute_firm", {**boss, "request": waiting.pk}),
            ("slow_withdraw_offer", {**boss, "offer": world.offer(maple, north).pk}),
        ]
        muting, withdrawing = racers.race(jobs, world.at)
        assert (muting, withdrawing in {"done", "already_decided"}) == ("done", True), withdrawing
    assert not breaches(world)


# ---------------------------------------------------------------- the last manager


def parting(
    world: World, racers: Racers, ways: tuple[str, str], by: str, *, is_locked: bool = True
) -> str:
    """Two managers go in the same instant, each by oneself or by the other; what went wrong."""
    name = f"Maple {BusinessAccount.objects.count()}"
    with transaction.atomic():
        maple = world.importer(name, programs=1)
    pair = [world.manager(maple).pk, world.employee(f"{name} second", maple).pk]
    victims = pair if by == "oneself" else pair[::-1]
    jobs: Jobs = [
        (way, {"actor": actor, "victim": victim, "business": maple.pk})
        for way, actor, victim in zip(ways, pair, victims, strict=True)
    ]
    ended = racers.race(jobs, world.at, is_locked=is_locked)
    others = set(ended) - {"done"}
    is_right = ended.count("done") == 1 and others <= TOO_LATE
    return "" if is_right else f"{ways} by {by}: {ended}"


def test_two_managers_never_remove_each_other(world: World, racers: Racers) -> None:
    both = ("end_membership", "end_membership")
    must_go_right(parting(world, racers, both, "the other") for _ in range(ROUNDS))
    assert not breaches(world)


@pytest.mark.asvs("2.3.4")
@pytest.mark.parametrize("by", ["oneself", "the other"])
def test_every_way_to_lose_the_last_manager(world: World, racers: Racers, by: str) -> None:
    rounds = max(ROUNDS // 5, 1)  # of 6 pairs of ways by oneself, 10 by the other
    must_go_right(
        parting(world, racers, ways, by)
        for ways in combinations_with_replacement(BY_ONESELF if by == "oneself" else WAYS, 2)
        for _ in range(rounds)
    )
    assert not breaches(world)


@pytest.mark.parametrize("by", ["oneself", "the other"])
def test_without_its_lock_a_business_loses_its_last_manager(
    world: World, racers: Racers, by: str
) -> None:
    ways = list(combinations_with_replacement(BY_ONESELF if by == "oneself" else WAYS, 2))
    must_go_wrong(
        parting(world, racers, ways[number % len(ways)], by, is_locked=False)
        for number in range(CONTROL_ROUNDS)
    )


# ---------------------------------------------------------------- the end of a relationship

AT_ONCE = [
    ("end_firm", "leave_client"),
    ("agree", "end_firm"),
    ("agree", "leave_client"),
    ("renew_firm", "end_firm"),
    ("change_firm", "end_firm"),
]


def endings(
    world: World, racers: Racers, acts: tuple[str, str], rounds: int, *, is_locked: bool
) -> Iterator[str]:
    """Two people end a relationship, or one ends what another agrees to anew; what went wrong."""
    losers = {"already_ended"}
    if {"agree", "renew_firm", "change_firm"} & set(acts):
        losers = {"changed", *(losers if "change_firm" in acts else ())}
    before = world.earlier(days=1)
    for number in range(rounds):
        with transaction.atomic():
            maple, north = before.importer(f"Maple {number}"), before.broker(f"North {number}")
        row = before.relationship(maple, north)
        about: dict[str, Any] = {"relationship": row.pk, "terms": fingerprint(row.terms.all())}
        about["request"] = world.relationship_request(north, maple).pk
        sides = [north if act == "leave_client" else maple for act in acts]
        jobs: Jobs = [
            (act, {**about, "actor": world.manager(side).pk, "business": side.pk})
            for act, side in zip(acts, sides, strict=True)
        ]
        ended = racers.race(jobs, world.at, is_locked=is_locked)
        is_right = ended.count("done") == 1 and set(ended) - {"done"} <= losers
        yield "" if is_right else f"{acts}: {ended}"


@pytest.mark.parametrize("acts", AT_ONCE, ids=" x ".join)
def test_a_relationship_ends_once(world: World, racers: Racers, acts: tuple[str, str]) -> None:
    must_go_right(endings(world, racers, acts, ROUNDS, is_locked=True))
    assert not breaches(world)


@pytest.mark.parametrize("acts", AT_ONCE, ids=" x ".join)
def test_without_its_lock_a_relationship_ends_twice(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(endings(world, racers, acts, CONTROL_ROUNDS, is_locked=False))


def test_a_dismissal_and_an_approval_never_wait_for_each_other(
    world: World, racers: Racers
) -> None:
    """Both hold the request and the membership, in one order; whoever was dismissed holds nothing.

    The decision that comes first is followed by the end, the one that comes later is told.
    """
    with transaction.atomic():
        maple = world.importer("Maple")
    pair = [world.manager(maple), world.employee("Ana", maple)]
    for number in range(ROUNDS):
        eve = world.employee(f"Eve {number}", maple, RM0002="reader")
        waiting = world.access_request(f"Eve {number}", maple)
        jobs: Jobs = [
            ("approve", {"actor": pair[0].pk, "business": maple.pk, "request": waiting.pk}),
            ("end_membership", {"actor": pair[1].pk, "victim": eve.pk, "business": maple.pk}),
        ]
        approval, dismissal = racers.race(jobs, world.at)
        assert (approval in {"done", "changed"}, dismissal) == (True, "done"), approval
        assert not any(roles_of(maple, eve, world.at).values())
    assert not breaches(world)


# ---------------------------------------------------------------- a right that ends meanwhile

RIGHTS = [
    ("lingering_end_membership", "late_approve"),
    ("lingering_end_membership", "late_agree"),
    ("lingering_end_firm", "late_correct"),
]


def last_acts(world: World, racers: Racers, acts: tuple[str, str], rounds: int) -> Iterator[str]:
    """A right ends while whoever had it acts by it; what history tells after the end."""
    before = world.earlier(days=1)
    for number in range(rounds):
        with transaction.atomic():
            maple, north = before.importer(f"Maple {number}"), before.broker(f"North {number}")
        row = before.relationship(maple, north, rules=EVERYTHING)
        ana, boss = before.employee(f"Ana {number}", maple), world.manager(maple)
        about: dict[str, Any] = {
            "business": maple.pk,
            "actor": ana.pk,
            "request": before.access_request(f"Asker {number}", maple).pk,
        }
        ends = {**about, "actor": boss.pk, "victim": ana.pk, "relationship": row.pk}
        ends["terms"] = fingerprint(row.terms.all())
        if "agree" in acts[1]:
            about["request"] = world.relationship_request(north, maple).pk
        if "correct" in acts[1]:
            about |= {"business": north.pk, "actor": world.manager(north).pk}
            about["declaration"] = declare(before.program(maple), before.at, submitter=maple).pk
        ended = racers.race([(acts[0], ends), (acts[1], about)], world.at)
        told = Event.objects.filter(chain=business_chain(maple.bn9), at__gte=world.at)
        verbs = list(told.order_by("seq").values_list("verb", flat=True))
        last = next(place for place, verb in enumerate(verbs) if verb.endswith(".end"))
        after = [verb for verb in verbs[last + 1 :] if not verb.endswith(REFUSED)]
        yield "" if ended[0] == "done" and not after else f"{acts}: {ended}, {verbs}"


@pytest.mark.asvs("2.3.4")
@pytest.mark.parametrize("acts", RIGHTS, ids=" x ".join)
def test_nobody_acts_by_a_right_that_has_ended(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    """The end is in history but not yet committed when the act begins."""
    must_go_right(last_acts(world, racers, acts, ROUNDS))
    assert not breaches(world)


@pytest.mark.parametrize("acts", RIGHTS, ids=" x ".join)
def test_who_does_not_hold_the_right_acts_after_its_end(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(last_acts(world, racers, (acts[0], f"careless_{acts[1]}"), CONTROL_ROUNDS))


# ---------------------------------------------------------------- a preview that is confirmed


@pytest.mark.parametrize("is_held", [True, False], ids=["held", "without the lock"])
def test_what_is_confirmed_is_compared_with_what_has_been_committed(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    """A role is changed while another change of it is confirmed, whose preview showed the old one.

    The second case is the control: compared before the lock, it takes the place of what is new.
    """
    with transaction.atomic():
        maple = world.importer("Maple")
        eve = world.employee("Eve", maple, RM0001="reader")
    membership = eve.memberships.get()
    page = reverse("role_change", kwargs={"bn9": maple.bn9, "pk": membership.pk})
    form = {"role": "editor", "programs": ["RM0001"], "ending": "open"}
    boss = as_(world.manager(maple))
    sealed = {**form, "confirm": "yes", "seal": boss.post(page, form).context["seal"]}
    answers: list[int] = []

    def confirm() -> None:
        try:
            answers.append(boss.post(page, sealed).status_code)
        finally:
            connection.close()

    if not is_held:
        monkeypatch.setattr("delegation.views.roles.lock_rights", lambda *changed: None)
    other = Thread(target=confirm)
    with transaction.atomic():
        done(
            change_role(
                actor=world.employee("Ben", maple),
                acting_for=maple,
                membership=membership,
                change=RoleChange(Role.PAM, frozenset({world.program(maple).pk})),
                at=world.at,
            )
        )
        other.start()
        until_somebody_waits_for_a_lock()
    other.join()
    assert answers == [409 if is_held else 302]
    assert roles_of(maple, eve, world.at)["RM0001"] is (Role.PAM if is_held else Role.EDITOR)


# ---------------------------------------------------------------- several acts in one

TOGETHER = [
    ("add_people", "slow_change_role"),
    ("add_people", "slow_end_membership"),
    ("apply_answers", "slow_change_role"),
    ("apply_answers", "slow_end_membership"),
    ("change_role", "slow_end_membership"),
    ("send_file", "slow_ask_firm"),
]
BY_NOW = {"done", "already_ended", "not_allowed", "changed"}
"""How acts may end of which one made the other pointless."""


class Together:
    """Rounds in which one does several acts in one transaction, and another a part of them."""

    def __init__(self, world: World, acts: tuple[str, str]) -> None:
        self.world, self.acts = world, acts
        with transaction.atomic():
            self.maple, self.north = world.importer("Maple"), world.broker("North")
        self.managers = [world.manager(self.maple), world.employee("Boss", self.maple)]
        self.number = 0

    def failures(self, racers: Racers, rounds: int) -> Iterator[str]:
        """What went wrong in each round, or nothing."""
        for _ in range(rounds):
            self.number += 1
            self.world = self.world.later(minutes=1)
            jobs, victim = self._file() if "send_file" in self.acts else self._people(self.number)
            ended = racers.race(jobs, self.world.at)
            if not set(ended) <= BY_NOW or ended[1] != "done":
                yield f"round {self.number}: {ended}"
            elif victim and "slow_end_membership" in self.acts:
                left = roles_of(self.maple, victim, self.world.at).values()
                yield f"round {self.number}: {ended}, {left}" if any(left) else ""
            else:
                yield ""

    def _people(self, number: int) -> tuple[Jobs, Any]:
        """Two go into a group, or are reduced by a review; the other act is on the second."""
        boss = {"actor": self.managers[0], "acting_for": self.maple, "at": self.world.at}
        pair = [
            self.world.employee(f"Eve {number} {which}", self.maple, RM0001="editor", RM0002="pam")
            for which in ("One", "Two")
        ]
        about: dict[str, Any] = {"people": [one.pk for one in pair], "victim": pair[1].pk}
        if "apply_answers" in self.acts:
            about["review"] = self._answered(pair, boss).pk
        else:
            about["group"] = done(create_employee_group(name=f"Group {number}", **boss)).pk
        about["business"] = self.maple.pk
        jobs: Jobs = [
            (act, {**about, "actor": actor.pk})
            for act, actor in zip(self.acts, self.managers, strict=True)
        ]
        return jobs, pair[1]

    def _answered(self, people: list[Any], boss: dict[str, Any]) -> AccessReview:
        """An open review in which the roles of the people on RM0001 are reduced."""
        AccessReviewLine.objects.all().delete()
        AccessReview.objects.all().delete()
        review: AccessReview = done(create_access_review(**boss))
        lines = review.lines.filter(person__in=people, role="editor").order_by("-position")
        reduced = Choice(ReviewAnswer.REDUCE, Role.READER)
        choices = {line.position: reduced for line in lines}
        done(answer_access_review(review=review, choices=choices, **boss))
        return review

    def _file(self) -> tuple[Jobs, None]:
        """A firm sends a file of requests, and by hand one more."""
        boss = {
            "actor": self.world.manager(self.north),
            "acting_for": self.north,
            "at": self.world.at,
        }
        wish = Wish(Level.BUSINESS)
        rows = [
            CheckedRow(number, {}, Asked(next_bn9(), wish), {}, RequestBatchRow.State.READY)
            for number in range(1, 4)
        ]
        kept = create_request_batch(name="file.csv", is_legacy=False, rows=rows, **boss)
        self.world.relationship_request(self.north, next_bn9())
        about = {"actor": boss["actor"].pk, "business": self.north.pk}
        return [
            (self.acts[0], {**about, "batch": done(kept).pk}),
            (self.acts[1], {**about, "asked": next_bn9()}),
        ], None


@pytest.mark.parametrize("acts", TOGETHER, ids=" x ".join)
def test_what_does_several_acts_waits_for_nobody_who_waits_for_it(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    together = Together(world, acts)
    must_go_right(together.failures(racers, ROUNDS))
    assert not breaches(together.world)


def test_one_act_after_the_other_waits_for_who_waits_for_it(world: World, racers: Racers) -> None:
    """The control: what the services do in one order, out of order; none holds a right."""
    wrong = Together(world, ("careless_add_one_by_one", "careless_slow_change_role"))
    rounds = wrong.failures(racers, CONTROL_ROUNDS)
    must_go_wrong(found if "OperationalError" in found else "" for found in rounds)


# ---------------------------------------------------------------- a successor

AT_THE_END = ("stop", "take_over")


def successions(world: World, racers: Racers, rounds: int, *, is_locked: bool) -> Iterator[str]:
    """A manager stops a successor who takes over in that instant; what went wrong."""
    for number in range(rounds):
        with transaction.atomic():
            maple = world.importer(f"Maple {number}")
        row = claimed(world, maple, world.employee(f"Eve {number}", maple, RM0001="reader"))
        about = {"succession": row.pk, "business": maple.pk}
        actors = [world.manager(maple).pk, row.person_id]
        jobs: Jobs = [
            (act, {**about, "actor": actor}) for act, actor in zip(AT_THE_END, actors, strict=True)
        ]
        later = world.later(days=20)
        ended = racers.race(jobs, later.at, is_locked=is_locked)
        has_taken = later.access(row.person, maple).is_bam
        if sorted(ended) != ["already_closed", "done"] or has_taken != (ended[1] == "done"):
            yield f"{AT_THE_END}: {ended}, {has_taken}"
        else:
            yield "".join(breaches(later))


def test_who_is_stopped_does_not_take_over(world: World, racers: Racers) -> None:
    must_go_right(successions(world, racers, ROUNDS, is_locked=True))


def test_without_its_lock_who_is_stopped_takes_over(world: World, racers: Racers) -> None:
    must_go_wrong(successions(world, racers, CONTROL_ROUNDS, is_locked=False))


# ---------------------------------------------------------------- groups that are archived


def last_moments(
    world: World, racers: Racers, acts: tuple[str, str], rounds: int, *, is_locked: bool
) -> Iterator[str]:
    """Something goes into a group in the instant in which it is archived; what went wrong."""
    with transaction.atomic():
        maple = world.importer("Maple")
    pair = [world.manager(maple), world.employee("Ana", maple)]
    eve = world.member("Eve", maple)
    boss = {"actor": pair[0], "acting_for": maple, "at": world.at}
    for number in range(rounds):
        group = done(create_employee_group(name=f"Group {number}", **boss))
        bundle = world.program_group(f"Programs {number}", maple, "RM0001")
        about = {"group": group.pk, "bundle": bundle.pk, "victim": eve.pk, "business": maple.pk}
        jobs: Jobs = [
            (act, {**about, "actor": actor.pk}) for act, actor in zip(acts, pair, strict=True)
        ]
        given, archived = racers.race(jobs, world.at, is_locked=is_locked)
        if given not in {"done", "archived"} or archived != "done":
            yield f"{acts}: {given}, {archived}"
        else:
            yield "".join(breaches(world))
            EmployeeGroupMember.objects.filter(group=group).update(ends_at=world.at)
            GroupProgramGroupRole.objects.filter(content_object=bundle).update(ends_at=world.at)


INTO_A_GROUP = [("join_group", "archive_group"), ("grant_over", "archive_bundle")]


@pytest.mark.parametrize("acts", INTO_A_GROUP, ids=" x ".join)
def test_nothing_outlives_a_group(world: World, racers: Racers, acts: tuple[str, str]) -> None:
    must_go_right(last_moments(world, racers, acts, ROUNDS, is_locked=True))


@pytest.mark.parametrize("acts", INTO_A_GROUP, ids=" x ".join)
def test_without_its_lock_something_outlives_a_group(
    world: World, racers: Racers, acts: tuple[str, str]
) -> None:
    must_go_wrong(last_moments(world, racers, acts, CONTROL_ROUNDS, is_locked=False))


# ---------------------------------------------------------------- one number, many claims


def claims(world: World, racers: Racers) -> str:
    """Many people register one number in the same instant; what went wrong."""
    bn9 = next_bn9()
    jobs: Jobs = [
        ("register", {"actor": world.person(f"Claimant {number}").pk, "bn9": bn9})
        for number in range(CLAIMANTS)
    ]
    ended = racers.race(jobs, world.at)
    is_right = sorted(ended) == ["IntegrityError"] * (CLAIMANTS - 1) + ["done"]
    return "" if is_right else str(ended)


@contextmanager
def number_may_repeat() -> Iterator[None]:
    """The database without the constraint that a number has one account."""
    table = BusinessAccount._meta.db_table
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, table)
        [name] = [
            name
            for name, one in there.items()
            if one["unique"] and one["columns"] == ["bn9"] and not one["primary_key"]
        ]
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        try:
            yield
        finally:
            cursor.execute(f'TRUNCATE "{table}" CASCADE')
            cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" UNIQUE (bn9)')


@pytest.mark.asvs("2.3.4")
def test_of_many_claims_of_one_number_one_wins(world: World) -> None:
    crowd = Racers(str(connection.settings_dict["NAME"]), CLAIMANTS)
    try:
        must_go_right(claims(world, crowd) for _ in range(ROUNDS))
        assert not breaches(world)
        with number_may_repeat():
            must_go_wrong(claims(world, crowd) for _ in range(CONTROL_ROUNDS))
    finally:
        crowd.stop()
