"""Recovery of a user account: by two officers, no colleagues, in sight and after a wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction

from accounts.models import CodeTries, OfficerRole, User
from accounts.services import end_officer_role
from audit.models import Event
from audit.services import Refusal, business_chain, person_chain
from businesses.models import BusinessAccount
from delegation.models import CalendarFeed, Membership
from notices.models import Notice
from officers.models import AccountRecovery
from officers.services import people
from tests.officers.people import account_recovery_proposed, officer
from tests.world import World, done

pytestmark = pytest.mark.django_db

NEW = "new@example.test"


def code(outcome: Any) -> str:
    return outcome.code if isinstance(outcome, Refusal) else "done"


def propose(world: World, actor: User, person: User, email: str = NEW) -> Any:
    about = {"email": email, "finding": "Passport seen.", "at": world.at}
    return people.propose_account_recovery(actor=actor, person=person, **about)


def confirm(world: World, actor: User, row: AccountRecovery, version: int = 1) -> Any:
    return people.confirm_account_recovery(
        actor=actor, account_recovery=row, expected_version=version, at=world.at
    )


def reject(world: World, actor: User, row: AccountRecovery) -> Any:
    about = {"reason": "Not shown.", "expected_version": 1, "at": world.at}
    return people.reject_account_recovery(actor=actor, account_recovery=row, **about)


def signs_in(person: User, world: World) -> None:
    User.objects.filter(pk=person.pk).update(last_login=world.at)


@pytest.fixture
def rea(world: World, maple: BusinessAccount) -> User:
    """Reader at Maple, with an app and codes that are lost, and wrong codes counted."""
    rea = world.employee("Rea", maple, RM0001="reader")
    signs_in(rea, world.earlier(days=2))
    EmailAddress.objects.create(user=rea, email="rea@example.test", verified=True, primary=True)
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=rea, type=kind, data={})
    CodeTries.objects.create(person=rea, wrong=10, newest_at=world.at)
    return rea


def told(step: str, row: AccountRecovery) -> set[str]:
    found = Notice.objects.filter(key__startswith=f"account_recovery_{step}:{row.pk}")
    return set(found.values_list("address", flat=True))


def held(person: User) -> tuple[str, int, int]:
    """Where codes go, how many factors there are, and how often every session was ended."""
    person.refresh_from_db()
    return person.email, Authenticator.objects.filter(user=person).count(), person.sessions_ended


def test_two_officers_recover_an_account_in_sight(
    world: World, maple: BusinessAccount, rea: User
) -> None:
    olga, omar = officer(world, "Olga"), officer(world, "Omar")
    BusinessAccount.objects.filter(pk=maple.pk).update(email="office@maple.test")
    row = done(propose(world, olga, rea))
    feed = CalendarFeed.objects.create(
        person=rea, business=maple, token_hash="x" * 64, starts_at=world.at
    )
    assert held(rea) == ("rea@example.test", 2, 0), "A proposal changes nothing."
    assert code(confirm(world.later(hours=71, minutes=59), omar, row)) == "too_early"
    late = world.later(hours=72)
    assert code(confirm(late, olga, row)) == "same_officer"

    done(confirm(late, omar, row))

    assert held(rea) == (NEW, 0, 1) and not CodeTries.objects.exists()
    feed.refresh_from_db()
    assert not feed.active_at(late.at), "Whoever knows the link reads no more by it."
    address = EmailAddress.objects.get(user=rea)
    assert (address.email, address.verified, address.primary) == (NEW, False, True)
    boss = world.manager(maple).email
    for step in ("proposed", "confirmed"):
        assert told(step, row) == {"rea@example.test", NEW, boss}
    steps = [f"account_recovery.{step}" for step in ("propose", "confirm")]
    for chain in (person_chain(rea), business_chain(maple.bn9)):
        events = Event.objects.filter(chain=chain, verb__in=steps).order_by("seq")
        assert [(one.verb, one.path) for one in events] == [(one, "officer") for one in steps]
        assert "Passport" not in str([*events.values()]), "How it was found out is nobody else’s."
    assert code(confirm(late, omar, row, 2)) == "already_decided"


def test_the_addresses_on_file_read_of_a_manager(world: World, maple: BusinessAccount) -> None:
    BusinessAccount.objects.filter(pk=maple.pk).update(email="office@maple.test")
    row = account_recovery_proposed(world, officer(world, "Olga"), world.manager(maple))
    assert "office@maple.test" in told("proposed", row)
    done(reject(world, world.person("Olga"), row))
    assert "office@maple.test" in told("rejected", row)
    rejected = Notice.objects.filter(key__startswith=f"account_recovery_rejected:{row.pk}")
    assert NEW in told("rejected", row), "It reads the outcome, and not why."
    knowing = {one.address for one in rejected if "Not shown." in one.body}
    assert knowing == {world.manager(maple).email}
    assert held(world.manager(maple))[0] == "maple.manager@example.test"
    done(propose(world.later(days=1), world.person("Olga"), world.manager(maple)))


def test_nobody_recovers_the_own_account_or_a_colleague_s(
    world: World, maple: BusinessAccount, rea: User
) -> None:
    near, former = officer(world, "Maple manager"), officer(world, "Fay")
    over = {"starts_at": world.at - timedelta(days=9), "ends_at": world.at - timedelta(days=1)}
    Membership.objects.create(person=former, business=maple, **over)
    lookups = officer(world, "Lou", OfficerRole.Kind.LOOKUPS)
    late = world.later(days=4)
    row = account_recovery_proposed(world, officer(world, "Olga"), rea)
    for actor, why in (
        (near, "near"), (former, "near"), (rea, "not_allowed"), (lookups, "not_allowed"),
    ):  # fmt: skip
        assert code(propose(world, actor, rea)) == why
        assert code(confirm(late, actor, row)) == why
        assert code(reject(late, actor, row)) == why
    signs_in(near, world)
    assert code(propose(world, near, near)) == "near"
    assert code(propose(world, world.person("Olga"), near)) == "is_officer"
    assert held(rea) == ("rea@example.test", 2, 0)


def stopped(world: World, row: AccountRecovery) -> None:
    signs_in(row.person, world.later(hours=71))


def stopped_at_once(world: World, row: AccountRecovery) -> None:
    signs_in(row.person, world)


def without_its_proposer(world: World, row: AccountRecovery) -> None:
    kind = OfficerRole.Kind.RECOVERY
    done(end_officer_role(person=row.proposed_by, kind=kind, given_by="Root", at=world.at))


def of_a_colleague(world: World, row: AccountRecovery) -> None:
    [held] = Membership.objects.filter(person=row.person)
    Membership.objects.create(person=row.proposed_by, business=held.business, starts_at=world.at)


def disabled(world: World, row: AccountRecovery) -> None:
    User.objects.filter(pk=row.person_id).update(is_active=False)


def taken(world: World, row: AccountRecovery) -> None:
    User.objects.filter(pk=world.person("Zoe").pk).update(email=NEW.upper())


def made_an_officer(world: World, row: AccountRecovery) -> None:
    officer(world, row.person.get_full_name())


def lapsed(world: World, row: AccountRecovery) -> None:
    AccountRecovery.objects.filter(pk=row.pk).update(closes_at=world.later(hours=72).at)


def changed(world: World, row: AccountRecovery) -> None:
    AccountRecovery.objects.filter(pk=row.pk).update(version=2)


def rejected(world: World, row: AccountRecovery) -> None:
    done(reject(world, row.proposed_by, row))


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (stopped, "stopped"),
        (stopped_at_once, "stopped"),
        (without_its_proposer, "proposer_gone"),
        (of_a_colleague, "proposer_gone"),
        (disabled, "disabled"),
        (taken, "email_taken"),
        (made_an_officer, "is_officer"),
        (lapsed, "lapsed"),
        (changed, "changed"),
        (rejected, "already_decided"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_allowed_it_must_hold_until_it_is_confirmed(
    world: World, rea: User, meanwhile: Callable[[World, AccountRecovery], None], why: str
) -> None:
    row = account_recovery_proposed(world, officer(world, "Olga"), rea)
    meanwhile(world, row)
    late, omar = world.later(hours=72), officer(world, "Omar")
    assert code(confirm(late, omar, row)) == why
    assert held(rea) == ("rea@example.test", 2, 0)
    refused = Event.objects.get(verb="account_recovery.confirm.refused")
    assert (refused.reason, refused.chain_id) == (why, person_chain(rea))


def test_one_waits_at_a_time_and_a_sign_in_makes_room(world: World, rea: User) -> None:
    olga = officer(world, "Olga")
    first = account_recovery_proposed(world, olga, rea)
    assert code(propose(world.later(days=1), olga, rea)) == "already_waiting"
    signs_in(rea, world.later(days=1))
    second = done(propose(world.later(days=2), olga, rea, "rea@example.test"))
    first.refresh_from_db()
    assert first.closes_at == second.starts_at, "The same address can be proposed."
    late = world.later(days=2, hours=72)
    done(confirm(late, officer(world, "Omar"), second))
    assert held(rea) == ("rea@example.test", 0, 1)
    third = done(propose(late.later(days=1), olga, rea))
    assert code(confirm(late.later(days=15), world.person("Omar"), third)) == "lapsed"
    never = world.person("Nia")
    assert code(propose(world, olga, never)) == "never_used"


def test_of_two_in_one_instant_the_address_is_the_first_s(
    world: World, rea: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the address after it was looked at meets the database, and a plain refusal."""
    row = account_recovery_proposed(world, officer(world, "Olga"), rea)
    taken(world, row)
    monkeypatch.setattr(people, "_why_not_address", lambda person, email: None)
    assert code(confirm(world.later(days=4), officer(world, "Omar"), row)) == "email_taken"
    assert held(rea) == ("rea@example.test", 2, 0)


def test_the_database_wants_two_officers_and_another_person(world: World, rea: User) -> None:
    olga, omar = officer(world, "Olga"), officer(world, "Omar")
    row = account_recovery_proposed(world, olga, rea)
    decided = {"decision": "approved", "decided_at": world.at}
    for columns in (
        decided | {"decided_by": olga},
        decided | {"decided_by": rea},
        {"proposed_by": rea},
        {"decision": "approved"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            AccountRecovery.objects.filter(pk=row.pk).update(**columns)
    again = {"person": rea, "email": NEW, "proposed_by": omar, "finding": "Seen"}
    period = {"starts_at": world.at, "closes_at": world.later(days=1).at}
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountRecovery.objects.create(**again, **period)
