"""Tries: how many there are, when they come back, and that nobody gets one more."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount
from registration import evidence, services
from registration.models import Attempt, ClaimedNumber, Outcome, Registration
from registration.tries import DAY, HOUR, Tries, tries
from tests.registration.claims import claim, draft, put_on_file, submit
from tests.world import World, next_bn9

SECOND = timedelta(seconds=1)


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_a_person_has_three_tries_an_hour_for_a_number(person: User, at: datetime) -> None:
    bn9 = next_bn9()
    assert tries(person, bn9, at) == Tries(3)

    for left in (2, 1, 0):
        assert claim(person, bn9, at).outcome == Outcome.FAILED
        assert tries(person, bn9, at).left == left

    assert tries(person, bn9, at) == Tries(0, at + HOUR)
    assert claim(person, bn9, at).outcome == Outcome.LOCKED


def test_the_fourth_try_is_not_judged_even_if_right(person: User, at: datetime) -> None:
    bn9 = put_on_file()
    for _ in range(3):
        claim(person, bn9, at, legal_name="Wrong")

    locked = draft(person, bn9, at + HOUR - SECOND)
    refusal = submit(person, locked, at + HOUR - SECOND)

    assert isinstance(refusal, Refusal) and refusal.code == "locked"
    assert not BusinessAccount.objects.filter(bn9=bn9).exists()
    assert Attempt.objects.count() == 3
    assert claim(person, bn9, at + HOUR).outcome == Outcome.REGISTERED


def test_the_hour_slides(person: User, at: datetime) -> None:
    bn9 = next_bn9()
    for minutes in (0, 20, 40):
        claim(person, bn9, at + timedelta(minutes=minutes))

    assert tries(person, bn9, at + timedelta(minutes=59)) == Tries(0, at + HOUR)
    assert tries(person, bn9, at + HOUR) == Tries(1)
    assert tries(person, bn9, at + timedelta(minutes=80)) == Tries(2)


def test_a_locked_claim_does_not_lengthen_the_lock(person: User, at: datetime) -> None:
    bn9 = next_bn9()
    for minutes in (0, 1, 2, 30, 50):
        claim(person, bn9, at + timedelta(minutes=minutes))

    assert Attempt.objects.count() == 3
    assert tries(person, bn9, at + HOUR).left == 1


def test_numbers_and_people_are_counted_apart(world: World, person: User, at: datetime) -> None:
    bn9 = next_bn9()
    for _ in range(3):
        claim(person, bn9, at)

    assert tries(person, next_bn9(), at).left == 3
    assert tries(world.person("Nadia Haddad"), bn9, at).left == 3


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_a_number_has_ten_tries_a_day_whoever_tries(world: World, at: datetime) -> None:
    bn9 = put_on_file()
    people = [world.person(f"Guesser {letter}") for letter in "ABCD"]
    for number in range(10):
        claim(people[number % 4], bn9, at + timedelta(minutes=number), legal_name="Wrong")
    newcomer = world.person("Newcomer")

    assert tries(newcomer, bn9, at + timedelta(minutes=10)) == Tries(0, at + DAY)
    assert claim(newcomer, bn9, at + DAY - SECOND).outcome == Outcome.LOCKED
    assert Attempt.objects.count() == 10
    assert claim(newcomer, bn9, at + DAY).outcome == Outcome.REGISTERED


def test_the_longer_lock_counts(world: World, at: datetime) -> None:
    bn9 = next_bn9()
    guessers = [world.person(f"Guesser {letter}") for letter in "ABC"]
    for guesser in guessers:
        for _ in range(3):
            claim(guesser, bn9, at)
    claim(world.person("Guesser D"), bn9, at)

    assert tries(guessers[0], bn9, at + SECOND) == Tries(0, at + DAY)


@pytest.mark.asvs("16.5.3")
def test_a_try_that_cannot_be_counted_is_not_judged(
    person: User, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bn9 = put_on_file()
    registration = draft(person, bn9, at)

    def fails(**_: object) -> None:
        raise DatabaseError("the counter is gone")

    monkeypatch.setattr(Attempt.objects, "create", fails)
    with pytest.raises(DatabaseError):
        submit(person, registration, at)

    registration.refresh_from_db()
    assert registration.outcome == ""
    assert not BusinessAccount.objects.filter(bn9=bn9).exists()


def test_a_try_is_counted_before_it_is_judged(
    person: User, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def judge(*args: object, **options: object) -> evidence.Verdict:
        counted.append(Attempt.objects.count())
        return evidence.Verdict(False, ())

    monkeypatch.setattr(services, "judge", judge)
    claim(person, next_bn9(), at)

    assert counted == [1]


# ---------------------------------------------------------------- at the same time


def together(*acts: Callable[[], object]) -> None:
    """Run the acts in threads of their own, begun at once; the first error is raised."""
    start, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(timeout=10)
            act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]


def guess(person: User, registration: Registration, at: datetime) -> Callable[[], object]:
    return lambda: submit(person, registration, at)


def nine_tries(world: World, bn9: str, at: datetime) -> None:
    for letter in "ABC":
        for _ in range(3):
            claim(world.person(f"Guesser {letter}"), bn9, at, legal_name="Wrong")


def racers(world: World, bn9: str, at: datetime, count: int) -> list[Callable[[], object]]:
    people = [world.person(f"Racer {chr(65 + number)}") for number in range(count)]
    return [guess(person, draft(person, bn9, at, legal_name="Wrong"), at) for person in people]


@pytest.mark.django_db(transaction=True)
def test_the_last_try_is_one_try_however_many_reach_for_it(world: World, at: datetime) -> None:
    bn9 = put_on_file()
    nine_tries(world, bn9, at)

    together(*racers(world, bn9, at, 4))

    assert Attempt.objects.filter(number_id=bn9).count() == 10
    assert Registration.objects.filter(outcome=Outcome.LOCKED).count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_without_the_lock_there_would_be_more(
    world: World, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: the same race with the lock taken out."""
    bn9 = put_on_file()
    nine_tries(world, bn9, at)
    acts = racers(world, bn9, at, 4)
    all_looked = threading.Barrier(4)

    def unlocked(registration: Registration, actor: User, at: datetime) -> bool:
        number = ClaimedNumber.objects.get(pk=registration.bn9)
        left = tries(actor, registration.bn9, at).left
        all_looked.wait(timeout=10)
        if left:
            Attempt.objects.create(registration=registration, number=number, person=actor, at=at)
        return bool(left)

    monkeypatch.setattr(services, "_count_try", unlocked)
    together(*acts)

    assert Attempt.objects.filter(number_id=bn9).count() > 10


@pytest.mark.django_db(transaction=True)
def test_one_draft_submitted_twice_at_once_is_one_try(
    world: World, person: User, at: datetime
) -> None:
    registration = draft(person, put_on_file(), at, legal_name="Wrong")

    together(*[guess(person, registration, at)] * 4)

    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_right_claims_at_once_one_wins(world: World, at: datetime) -> None:
    for round_ in range(5):
        bn9 = put_on_file()
        people = [world.person(f"Claimant {round_} {letter}") for letter in "AB"]
        claims = [draft(person, bn9, at) for person in people]

        together(*(guess(person, claim, at) for person, claim in zip(people, claims, strict=True)))

        ended = Registration.objects.filter(bn9=bn9).values_list("outcome", flat=True)
        assert sorted(ended) == [Outcome.FAILED, Outcome.REGISTERED]
        winner = Registration.objects.get(bn9=bn9, outcome=Outcome.REGISTERED)
        assert BusinessAccount.objects.get(bn9=bn9).memberships.get().person == winner.person


def test_a_business_opened_in_the_same_instant_is_not_registered_twice(
    world: World, person: User, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where somebody opens it between the look and the act, the number decides."""
    bn9 = put_on_file()
    judge = services.judge

    def slow(*args: object, **options: object) -> evidence.Verdict:
        verdict = judge(*args, **options)  # type: ignore[arg-type]
        world.importer("Prairie Sun Foods Inc.", bn9=bn9)
        return verdict

    monkeypatch.setattr(services, "judge", slow)

    registration = claim(person, bn9, at)

    assert registration.outcome == Outcome.FAILED
    assert not person.memberships.exists()
