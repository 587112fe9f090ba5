"""Succession: named beforehand, claimed, waited for, stopped or taken over; never by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain, person_chain
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import BusinessRole, Grant, Membership, Succession, SuccessionStatus
from delegation.services.continuity import (
    claim_succession,
    nominate_successor,
    remind_of_successions,
    remove_successor,
    stop_succession,
    take_over_succession,
)
from delegation.services.rights import end_membership
from notices.models import Notice
from tests.delegation.successors import claimed, named
from tests.world import World, done

WAITING, TAKING = timedelta(days=14), timedelta(days=30)
TICK = timedelta(microseconds=1)


def code(outcome: Any) -> str:
    return outcome.code if isinstance(outcome, Refusal) else "done"


def by(world: World, person: User, business: BusinessAccount) -> dict[str, Any]:
    return {"actor": person, "acting_for": business, "at": world.at}


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


@pytest.fixture
def eve(world: World, maple: BusinessAccount) -> User:
    """A Reader of Maple."""
    return world.employee("Eve", maple, RM0001="reader")


def test_a_nomination_gives_no_right(world: World, maple: BusinessAccount, eve: User) -> None:
    before = world.access(eve, maple).own
    row = claimed(world, maple, eve)
    assert row.status_at(world.at) is SuccessionStatus.CLAIMED
    for later in (world, world.later(days=13), world.later(days=20), world.later(days=99)):
        assert later.access(eve, maple).own == before


def test_the_state_is_read_from_the_clock(world: World, maple: BusinessAccount, eve: User) -> None:
    row = named(world, maple, eve)
    assert row.status_at(world.at) is row.status_at(world.at + TAKING) is SuccessionStatus.NAMED
    mine = by(world, eve, maple)
    row = done(claim_succession(succession=row, reason="Gone", expected_version=1, **mine))
    ready, over = world.at + WAITING, world.at + WAITING + TAKING
    assert row.status_at(ready - TICK) is SuccessionStatus.CLAIMED
    assert row.status_at(ready) is row.status_at(over - TICK) is SuccessionStatus.READY
    assert row.status_at(over) is SuccessionStatus.LAPSED


def test_whoever_waited_takes_over(world: World, maple: BusinessAccount, eve: User) -> None:
    row = claimed(world, maple, eve)
    about = {"succession": row, "expected_version": 2}
    early = by(world, eve, maple) | {"at": world.at + WAITING - TICK}
    assert code(take_over_succession(**about, **early)) == "still_waiting"
    on_time = world.later(days=14)

    done(take_over_succession(**about, **by(on_time, eve, maple)))

    assert on_time.access(eve, maple).is_bam
    role = BusinessRole.objects.get(user=eve)
    assert (role.source, role.ends_at) == (Grant.Source.SUCCESSION, None)
    assert code(take_over_succession(**about, **by(on_time, eve, maple))) == "already_closed"
    assert not breaches(on_time)
    verbs = [f"succession.{step}" for step in ("nominate", "claim", "take_over")]
    for chain in (business_chain(maple.bn9), person_chain(eve)):
        told = Event.objects.filter(chain=chain, verb__in=verbs).order_by("seq")
        assert [event.verb for event in told] == verbs
        assert [event.path for event in told] == ["own:bam", "successor", "successor"]


def test_any_manager_stops_it_to_the_last_moment(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    row, ana = claimed(world, maple, eve), world.employee("Ana", maple)
    late = world.later(days=40)
    about = {"succession": row, "expected_version": 2}
    done(stop_succession(reason="We are here.", **about, **by(late, ana, maple)))
    assert code(take_over_succession(**about, **by(late, eve, maple))) == "already_closed"
    assert not late.access(eve, maple).is_bam
    named(late, maple, eve)  # and can be named again
    assert not breaches(late)


def test_what_lapsed_is_not_taken_over_and_bars_nobody(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    row, late = claimed(world, maple, eve), world.later(days=44)
    about = {"succession": row, "expected_version": 2}
    assert code(take_over_succession(**about, **by(late, eve, maple))) == "already_closed"
    named(late, maple, world.employee("Rea", maple, RM0001="reader"))


type Leave = Callable[[User], object]


@pytest.mark.parametrize(
    "leave",
    [
        lambda eve: Membership.objects.filter(person=eve).update(suspended_at=eve.date_joined),
        lambda eve: Membership.objects.filter(person=eve).update(ends_at=eve.date_joined),
        lambda eve: User.objects.filter(pk=eve.pk).update(is_active=False),
    ],
    ids=["suspended", "former", "disabled"],
)
@pytest.mark.usefixtures("clock")
def test_whoever_cannot_work_there_does_not_take_over(
    world: World, maple: BusinessAccount, eve: User, leave: Leave
) -> None:
    row, late = claimed(world, maple, eve), world.later(days=20)
    User.objects.filter(pk=eve.pk).update(date_joined=late.at)
    eve.refresh_from_db()
    leave(eve)
    eve.refresh_from_db()
    about = {"succession": row, "expected_version": 2}
    assert code(take_over_succession(**about, **by(late, eve, maple))) == "not_employee"
    assert not BusinessRole.objects.filter(user=eve).exists()


def test_a_nomination_never_outlives_the_membership(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    row, boss = claimed(world, maple, eve), by(world, world.manager(maple), maple)
    held = Membership.objects.get(person=eve)
    done(end_membership(membership=held, reason="Left", **boss))
    row.refresh_from_db()
    assert (row.outcome, row.closed_by) == ("removed", world.manager(maple))
    for chain in (business_chain(maple.bn9), person_chain(eve)):
        assert Event.objects.filter(chain=chain, verb="succession.remove").count() == 1
    # Whoever comes back does not succeed by what was said before, were it still there.
    old = {"outcome": "", "closed_by": None, "ends_at": world.at + WAITING + TAKING}
    late = world.later(days=20)
    late.employee("Eve", maple, RM0001="reader")
    Succession.objects.filter(pk=row.pk).update(**old)
    about = {"succession": row, "expected_version": row.version}
    assert code(take_over_succession(**about, **by(late, eve, maple))) == "joined_later"
    unclaimed = {"claimed_at": None, "ready_at": None, "ends_at": None}
    Succession.objects.filter(pk=row.pk).update(**unclaimed)
    again = claim_succession(reason="Gone", **about, **by(late, eve, maple))
    assert code(again) == "joined_later"


def test_who_may_do_what(world: World, maple: BusinessAccount, eve: User) -> None:
    pam, boss = world.employee("Pam", maple, RM0001="pam"), world.manager(maple)
    cedar = world.importer("Cedar")
    strangers = [by(world, pam, maple), by(world, world.manager(cedar), cedar)]
    assert [code(nominate_successor(person=eve, **one)) for one in strangers] == [
        "not_allowed", "not_employee",
    ]  # fmt: skip
    for nobody in (boss, world.manager(cedar)):
        assert code(nominate_successor(person=nobody, **by(world, boss, maple))) in {
            "is_manager", "not_employee",
        }  # fmt: skip
    row = named(world, maple, eve)
    assert code(nominate_successor(person=pam, **by(world, boss, maple))) == "already_named"
    about: dict[str, Any] = {"succession": row, "expected_version": 1}
    for one in (*strangers, by(world, boss, maple)):
        assert code(claim_succession(reason="Mine", **about, **one)) == "not_allowed"
        assert code(take_over_succession(**about, **one)) == "not_allowed"
    for one in (*strangers, by(world, eve, maple)):
        assert code(stop_succession(reason="", **about, **one)) == "not_allowed"
    for one in strangers:
        assert code(remove_successor(**about, **one)) == "not_allowed"
    stale = about | {"expected_version": 7}
    assert code(remove_successor(**stale, **by(world, boss, maple))) == "changed"
    done(remove_successor(**about, **by(world, eve, maple)))  # gives it up


def test_everybody_is_told_at_each_step_and_reminded(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    BusinessAccount.objects.filter(pk=maple.pk).update(email="office@maple.test")
    maple.refresh_from_db()
    world.employee("Ana", maple)
    Notice.objects.all().delete()
    everybody = {"office@maple.test", "eve@example.test", "ana@example.test"}
    everybody.add(world.manager(maple).email)

    claimed(world, maple, eve)
    for kind in ("nominate", "claim"):
        told = Notice.objects.filter(key__startswith=f"succession_{kind}:")
        assert {one.address for one in told} == everybody
    [office] = Notice.objects.filter(address="office@maple.test", key__contains="claim")
    assert not Notice.objects.filter(key__contains="@").exists(), "No key names an address."
    assert "Nobody is left." in office.body and "heure de l’Est" in office.body
    for days, waiting, reminders in ((6, 0, 0), (7, 1, 4), (8, 1, 4), (13, 1, 8), (14, 0, 8)):
        assert remind_of_successions(at=world.later(days=days).at) == waiting
        assert Notice.objects.filter(key__startswith="succession_remind:").count() == reminders


def test_the_database_keeps_one_successor_who_waits(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    row = named(world, maple, eve)
    wrong: list[dict[str, Any]] = [
        {"claimed_at": world.at},
        {"outcome": "stopped"},
        {"outcome": "taken_over", "closed_by": eve, "ends_at": world.at},
    ]
    for columns in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Succession.objects.filter(pk=row.pk).update(**columns)
    with pytest.raises(IntegrityError), transaction.atomic():
        Succession.objects.create(
            business=maple, person=eve, named_by=world.manager(maple), starts_at=world.at
        )
