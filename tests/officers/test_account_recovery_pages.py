"""The desk’s pages of the recovery of a user account, as officers read them."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import OfficerRole, User
from businesses.models import BusinessAccount
from officers.models import AccountRecovery
from officers.people import state_of
from tests.delegation.reading import as_, queries, words
from tests.officers.people import account_recovery_proposed, officer
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DESK, PROPOSE = "/en-ca/officers/", "/en-ca/officers/people/"


def page(name: str, row: AccountRecovery) -> str:
    return reverse(f"account_recovery_{name}", kwargs={"pk": row.pk})


@pytest.fixture
def rea(world: World, maple: BusinessAccount) -> User:
    rea = world.employee("Rea", maple, RM0001="reader")
    User.objects.filter(pk=rea.pk).update(last_login=world.earlier(days=2).at)
    return rea


def test_two_officers_recover_an_account_at_the_desk(
    world: World, rea: User, clock: time_machine.Traveller
) -> None:
    olga, omar = officer(world, "Olga"), officer(world, "Omar")
    first = as_(olga)
    assert "No recovery of a user account waits." in words(first.get(DESK))
    answers = {"known_email": rea.email, "email": "new@example.test", "finding": "Seen."}
    for wrong, said in (
        ({"known_email": "nobody@example.test"}, "Nobody has this e-mail address here."),
        ({"email": omar.email}, "Another account uses this e-mail address."),
        ({"finding": " "}, "Write how you made sure who the person is."),
        ({"known_email": olga.email}, "You have to do with this person."),
        ({"known_email": omar.email, "email": omar.email}, "Those who run the portal end that"),
    ):
        answer = first.post(PROPOSE, answers | wrong)
        assert answer.status_code in (403, 409, 422) and said in words(answer)
        assert "new@example.test" in answer.content.decode() or "email" in wrong
    sent = first.post(PROPOSE, answers, follow=True)
    assert "Another officer confirms." in words(sent) and "Waiting time" in words(sent)
    assert first.post(PROPOSE, answers).status_code == 409
    row = AccountRecovery.objects.get()
    assert first.post(page("confirm", row), {"version": 1}).status_code == 403
    second = as_(omar)
    shown = words(second.get(page("review", row)))
    assert "Maple" in shown and "Seen." in shown and "once the waiting time is over" in shown
    assert second.post(page("confirm", row), {"version": 1}).status_code == 409

    clock.shift(72 * 60 * 60)
    second = as_(omar)
    assert "To confirm" in words(second.get(DESK))
    assert "All second factors of Rea are removed" in words(second.get(page("review", row)))
    assert second.post(page("confirm", row), {"version": 7}).status_code == 409
    done = second.post(page("confirm", row), {"version": 1}, follow=True)

    assert "Your decision is done." in words(done) and "Approved" in words(done)
    rea.refresh_from_db()
    assert rea.email == "new@example.test"
    late = second.post(page("reject", row), {"version": 2, "reason": "Late"})
    assert late.status_code == 409


def test_what_a_sign_in_stopped_is_shown_so_and_can_be_proposed_anew(
    world: World, rea: User, clock: time_machine.Traveller
) -> None:
    olga = officer(world, "Olga")
    row = account_recovery_proposed(world, olga, rea)
    other = as_(officer(world, "Omar"))
    assert "Passport seen." in words(other.get(page("review", row)))
    near = officer(world, "Maple manager")
    assert "Passport seen." not in words(as_(near).get(page("review", row)))
    assert other.post(page("reject", row), {"version": 1, "reason": " "}).status_code == 422
    clock.shift(60)
    as_(rea)
    stopped = words(other.get(page("review", row)))
    assert "Stopped by a sign-in" in stopped and "Rea signed in after it was proposed" in stopped
    clock.shift(72 * 60 * 60)
    other = as_(world.person("Omar"))
    answer = other.post(page("confirm", row), {"version": 1})
    assert answer.status_code == 409 and "signed in since" in words(answer)
    again = {"known_email": rea.email, "email": rea.email, "finding": "Seen."}
    assert other.post(PROPOSE, again).status_code == 302
    lookups = as_(officer(world, "Lou", OfficerRole.Kind.LOOKUPS))
    assert lookups.get(PROPOSE).status_code == lookups.get(page("review", row)).status_code == 403
    clock.shift(14 * 24 * 60 * 60)
    lapsed = as_(world.person("Omar")).get(
        page("review", AccountRecovery.objects.latest("starts_at"))
    )
    assert "Nobody confirmed it by" in words(lapsed)


def test_what_lapsed_was_not_stopped_by_a_later_sign_in(world: World, rea: User) -> None:
    row = account_recovery_proposed(world, officer(world, "Olga"), rea)
    for signed_in, said in (
        (row.closes_at - timedelta(minutes=1), "Stopped by a sign-in"),
        (row.closes_at, "Lapsed"),
    ):
        row.person.last_login = signed_in
        assert state_of(row, row.closes_at + timedelta(days=1)).label == said


def test_the_desk_costs_the_same_however_many_accounts_wait(world: World, rea: User) -> None:
    olga = officer(world, "Olga")
    browser = as_(olga)
    account_recovery_proposed(world, olga, rea)
    few = queries(browser, DESK)
    for number in range(3):
        account_recovery_proposed(world, olga, world.person(f"Sid {number}"))
    assert queries(browser, DESK) == few
