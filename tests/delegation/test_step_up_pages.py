"""Whoever makes somebody a manager has just proved who they are, by whichever page it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.second_factor.proving import ANSWERS, SEND
from businesses.models import BusinessAccount
from delegation.models import Invitation, Membership, RecoveryRequest, Succession
from delegation.services.rights import suspend_membership
from notices.services import send_due
from officers.services.recovery import propose_recovery
from pages.once import ONE_TIME
from tests.accounts.people import code_in
from tests.delegation.reading import as_, words
from tests.delegation.successors import claimed
from tests.officers.people import headless, officer, recovery_asked
from tests.world import World, done

pytestmark = pytest.mark.usefixtures("clock")


@dataclass
class Act:
    """What somebody posts, and whether it has happened."""

    person: User
    url: str
    data: dict[str, Any]
    has_happened: Callable[[], bool]
    days_later: int = 0


def page(name: str, business: BusinessAccount, row: Model | None = None) -> str:
    named = {"bn9": business.bn9, **({"pk": row.pk} if row else {})}
    return reverse(name, kwargs=named)


def manages(world: World, person: User, business: BusinessAccount) -> bool:
    return world.later(hours=1).access(person, business).is_bam


def by_role(world: World, maple: BusinessAccount) -> Act:
    eve = world.employee("Eve", maple, RM0001="reader")
    held = Membership.objects.get(person=eve, business=maple)
    data = {"role": "bam", "ending": "open"}
    return Act(
        world.manager(maple),
        page("role_change", maple, held),
        data,
        lambda: manages(world, eve, maple),
    )


def by_request(world: World, maple: BusinessAccount) -> Act:
    asked = world.access_request("Eve", maple, RM0001="reader")
    data = {"version": asked.version, "scope": "business"}
    return Act(
        world.manager(maple),
        page("access_request_approve", maple, asked),
        data,
        lambda: Membership.objects.filter(person=asked.person).exists(),
    )


def by_invitation(world: World, maple: BusinessAccount) -> Act:
    data = {"email": "eve@example.ca", "language": "en-ca", "message": "", "scope": "business"}
    return Act(
        world.manager(maple), page("invitation_create", maple), data, Invitation.objects.exists
    )


def by_accepting(world: World, maple: BusinessAccount) -> Act:
    eve = world.owns(world.person("Eve"))
    offered = world.invitation(eve.email, maple)
    return Act(
        eve,
        reverse("invitation_accept", kwargs={"pk": offered.pk}),
        {"version": offered.version},
        lambda: manages(world, eve, maple),
    )


def by_a_new_link(world: World, maple: BusinessAccount) -> Act:
    sent = world.invitation("eve@example.ca", maple)
    return Act(
        world.manager(maple),
        page("invitation_resend", maple, sent),
        {"version": sent.version},
        lambda: sent.mails.count() == 2,
    )


def by_nomination(world: World, maple: BusinessAccount) -> Act:
    eve = world.employee("Eve", maple, RM0001="reader")
    held = Membership.objects.get(person=eve, business=maple)
    return Act(
        world.manager(maple),
        page("successor_nominate", maple, held),
        {},
        Succession.objects.exists,
    )


def by_succession(world: World, maple: BusinessAccount) -> Act:
    eve = world.employee("Eve", maple, RM0001="reader")
    row = claimed(world, maple, eve)
    return Act(
        eve,
        page("succession_take_over", maple, row),
        {"version": row.version},
        lambda: manages(world.later(days=20), eve, maple),
        days_later=20,
    )


def by_recovery(world: World, maple: BusinessAccount) -> Act:
    birch = headless(world, "Birch")
    row, eve = recovery_asked(world, birch), world.person("Birch Eve")
    done(
        propose_recovery(
            actor=officer(world, "First"),
            recovery_request=row,
            person=eve,
            finding="Seen",
            expected_version=row.version,
            at=world.at,
        )
    )
    row.refresh_from_db()
    return Act(
        officer(world, "Second"),
        reverse("recovery_confirm", kwargs={"pk": row.pk}),
        {"version": row.version},
        lambda: manages(world, eve, birch),
    )


def by_proposal(world: World, maple: BusinessAccount) -> Act:
    birch = headless(world, "Birch")
    row = recovery_asked(world, birch)
    data = {"email": world.person("Birch Eve").email, "finding": "Seen", "version": row.version}
    return Act(
        officer(world, "First"),
        reverse("recovery_propose", kwargs={"pk": row.pk}),
        data,
        lambda: RecoveryRequest.objects.exclude(proposed=None).exists(),
    )


def by_resuming(world: World, maple: BusinessAccount) -> Act:
    eve = world.employee("Eve", maple)
    held = Membership.objects.get(person=eve, business=maple)
    mine = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(suspend_membership(membership=held, reason="Away", **mine))
    return Act(
        world.manager(maple),
        page("membership_resume", maple, held),
        {},
        lambda: manages(world, eve, maple),
    )


ACTS = (
    by_role,
    by_resuming,
    by_request,
    by_invitation,
    by_accepting,
    by_a_new_link,
    by_nomination,
    by_succession,
    by_recovery,
    by_proposal,
)


def send(browser: Client, act: Act, **more: str) -> HttpResponse:
    """Post it, and where its preview is shown, confirm that."""
    answer = browser.post(act.url, {**act.data, **more})
    sealed = (answer.context or {}).get("seal")
    if not sealed:
        return answer
    return browser.post(act.url, {**act.data, "confirm": "yes", "seal": sealed})


@pytest.mark.parametrize("make", ACTS, ids=lambda make: make.__name__)
def test_it_is_asked_for_and_nothing_is_lost(
    world: World,
    maple: BusinessAccount,
    clock: time_machine.Traveller,
    make: Callable[[World, BusinessAccount], Act],
) -> None:
    act = make(world, maple)
    clock.shift(timedelta(days=act.days_later))
    browser = as_(act.person)
    clock.shift(timedelta(minutes=15))

    asked = send(browser, act)
    assert "Confirm that it is you" in words(asked)
    for name, value in act.data.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in asked.content.decode()
    send(browser, act, send_code="yes")
    send_due()
    assert send(browser, act, otp="BBBB-BBBB").status_code == 422
    assert not act.has_happened()

    send(browser, act, otp=code_in(mail.outbox))

    assert act.has_happened()


def test_sent_again_with_another_code_it_leads_where_it_led(
    world: World, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    act = by_nomination(world, maple)
    act.data["form_key"] = str(uuid4())
    browser = as_(act.person)
    clock.shift(timedelta(minutes=15))
    send(browser, act, send_code="yes")
    send_due()

    first = send(browser, act, otp=code_in(mail.outbox))

    assert act.has_happened()
    assert send(browser, act, otp="BBBB-BBBB")["Location"] == first["Location"]
    assert {SEND, *ANSWERS} < ONE_TIME


def test_a_proof_of_a_moment_ago_is_enough_and_only_a_manager_is_made_with_one(
    world: World, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    act = by_role(world, maple)
    browser = as_(act.person)
    clock.shift(timedelta(minutes=15))
    lesser = {"role": "editor", "programs": ["RM0001"], "ending": "open"}
    assert "Confirm that it is you" not in words(browser.post(act.url, lesser))
    spelled = {**act.data, "role": "ｂａｍ"}
    assert "Confirm that it is you" in words(browser.post(act.url, spelled)), "However written."
    browser = as_(act.person)
    clock.shift(timedelta(minutes=15, seconds=-1))
    send(browser, act)
    assert act.has_happened()
