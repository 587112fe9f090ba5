"""Another role for a person: higher, lower, from a day, until a day, previewed and refused."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import BusinessRole, Membership, ProgramRole
from delegation.roles import Role
from delegation.services.employees import Grants, approve_access_request
from delegation.services.grants import RoleChange, change_role
from delegation.services.roles import Term
from pages.formats import end_of_day, start_of_day
from tests.delegation.reading import as_, confirm, words
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def eve(world: World, maple: BusinessAccount) -> User:
    """A Reader on RM0001."""
    return world.employee("Eve", maple, RM0001="reader")


def url(name: str, maple: BusinessAccount, person: User) -> str:
    held = Membership.objects.get(person=person, business=maple)
    return reverse(name, kwargs={"bn9": maple.bn9, "pk": held.pk})


def change(**more: Any) -> dict[str, Any]:
    """The form, filled in: Editor on RM0001, at once, without an end."""
    return {"role": "editor", "programs": ["RM0001"], "ending": "open", **more}


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


def test_a_role_from_a_day_until_a_day_takes_the_place_of_another(
    world: World,
    maple: BusinessAccount,
    eve: User,
    clock: time_machine.Traveller,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    boss, page = as_(world.manager(maple)), url("role_change", maple, eve)
    filled = change(first_day="2026-12-01", ending="day", last_day="2026-12-24")
    assert "Access today RM 0001 Maple 1: Reader Direct" in words(boss.get(page))
    preview = words(boss.post(page, filled))
    assert "Eve will have this role: Editor . It begins on December 1, 2026 ." in preview
    assert "It lasts until the end of December 24, 2026 , Eastern time." in preview
    assert "Takes the place of Reader, which ends when the new role begins." in preview
    assert roles_of(maple, eve, world.at)["RM0001"] is Role.READER
    with django_capture_on_commit_callbacks(execute=True):
        assert confirm(boss, page, filled).status_code == 302
    event = Event.objects.filter(verb="role.change", chain=business_chain(maple.bn9)).get()
    assert event.before and event.before["roles"]["RM0001"][0]["role"] == "reader"
    (letter,) = mail.outbox[-1:]
    assert letter.to == [eve.email] and "It begins on December 1, 2026" in letter.body
    everybody = words(boss.get(reverse("employee_list", kwargs={"bn9": maple.bn9})))
    assert "RM 0001 Maple 1: Editor Begins on December 1, 2026, 12:00 a.m. ET · until" in everybody
    listed = words(boss.get(url("employee_detail", maple, eve)))
    assert "Editor Begins later RM 0001 Maple 1" in listed
    first, over = start_of_day(date(2026, 12, 1)), end_of_day(date(2026, 12, 24))
    held = [
        roles_of(maple, eve, when)["RM0001"]
        for when in (first - timedelta(seconds=1), first, over - timedelta(seconds=1), over)
    ]
    assert held == [Role.READER, Role.EDITOR, Role.EDITOR, None]
    assert ProgramRole.objects.filter(user=eve).count() == 2, "What ended stays in the rows."
    assert breaches(world) == []
    # What begins later can be taken back before it does, or be replaced by an approval.
    clock.shift(timedelta(days=1))
    boss = as_(world.manager(maple))
    role = ProgramRole.objects.get(user=eve, granted_at__isnull=False)
    kwargs = {"bn9": maple.bn9, "pk": eve.memberships.get().pk, "role": role.pk}
    end = reverse("program_role_end", kwargs=kwargs)
    assert boss.post(end, {"confirm": "yes"}).status_code == 302
    assert roles_of(maple, eve, first)["RM0001"] is None
    assert "Begins later" not in words(boss.get(url("employee_detail", maple, eve)))
    assert breaches(world.later(days=2)) == []


def test_an_approval_takes_the_place_of_what_begins_later(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    program, later = world.program(maple), world.at + timedelta(days=9)
    dated = RoleChange(Role.EDITOR, frozenset({program.pk}), Term(later))
    done(change_role(membership=eve.memberships.get(), change=dated, **boss))
    asked = world.access_request("Eve", maple, RM0001="pam")
    grants = Grants(programs={program.pk: Role.PAM})
    done(approve_access_request(access_request=asked, grants=grants, expected_version=1, **boss))
    assert roles_of(maple, eve, later)["RM0001"] is Role.PAM
    assert breaches(world) == []


def test_a_manager_is_made_for_a_term_and_the_last_one_keeps_none(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    boss, page = world.manager(maple), url("role_change", maple, eve)
    filled = change(role="bam", programs=[], ending="day", last_day="2026-11-30")
    assert confirm(as_(boss), page, filled).status_code == 302
    assert world.access(eve, maple).is_bam
    assert BusinessRole.objects.get(user=eve).ends_at == end_of_day(date(2026, 11, 30))
    # Eve, a manager until then, would leave nobody who lasts.
    own = url("role_change", maple, boss)
    answer = confirm(as_(eve), own, filled)
    assert answer.status_code == 409 and "This is the last Business Account Manager" in words(
        answer
    )
    assert BusinessRole.objects.get(user=boss).ends_at is None
    world.employee("Ben", maple)
    assert confirm(as_(eve), own, filled).status_code == 302
    assert breaches(world) == []


def test_nobody_gives_more_than_their_own_or_changes_their_own(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    pam, boss = world.employee("Pam", maple, RM0001="pam"), world.manager(maple)
    peer = world.employee("Pia", maple, RM0001="pam")
    page = url("role_change", maple, eve)
    hers = as_(pam)
    assert confirm(hers, page, change()).status_code == 302
    assert roles_of(maple, eve, world.at)["RM0001"] is Role.EDITOR
    for wrong in (change(role="pam"), change(role="bam", programs=[]), change(programs=["RM0002"])):
        assert hers.post(page, wrong).status_code == 422
    answer = confirm(hers, url("role_change", maple, peer), change(role="reader"))
    assert answer.status_code == 422 and "more than your own role allows" in words(answer)
    for person in (pam, boss):
        assert as_(person).get(url("role_change", maple, person)).status_code == 403
    services: dict[str, tuple[User, User, RoleChange]] = {
        "not_allowed": (boss, boss, RoleChange(Role.BAM)),
        "above_own_right": (pam, eve, RoleChange(Role.BAM)),
        "nothing_granted": (boss, eve, RoleChange(Role.EDITOR, frozenset({0}))),
        "ends_before_it_begins": (boss, eve, RoleChange(Role.BAM, term=Term(None, world.at))),
    }
    for code, (actor, person, wanted) in services.items():
        refused = change_role(
            actor=actor,
            acting_for=maple,
            membership=person.memberships.get(),
            change=wanted,
            at=world.at,
        )
        assert isinstance(refused, Refusal) and refused.code == code
    assert Event.objects.filter(verb="role.change.refused").exists()


def test_what_changed_since_the_preview_is_shown_first(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    boss, page = as_(world.manager(maple)), url("role_change", maple, eve)
    sealed = change() | {"confirm": "yes", "seal": boss.post(page, change()).context["seal"]}
    done(
        change_role(
            actor=world.employee("Ben", maple),
            acting_for=maple,
            membership=eve.memberships.get(),
            change=RoleChange(Role.PAM, frozenset({world.program(maple).pk})),
            at=world.at,
        )
    )
    answer = boss.post(page, sealed)
    assert answer.status_code == 409 and "Takes the place of Program Account" in words(answer)
    assert roles_of(maple, eve, world.at)["RM0001"] is Role.PAM


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"role": ""}, "Choose a role."),
        ({"programs": []}, "Choose at least one program account."),
        ({"role": "bam"}, "Tick none: a Business Account Manager reaches all of them."),
        ({"first_day": "2026-11-22"}, "The first day cannot be before today."),
        ({"ending": "day"}, "Enter the last day."),
        ({"last_day": "2026-12-01"}, "Leave this empty, or choose"),
        (
            {"first_day": "2026-12-02", "ending": "day", "last_day": "2026-12-01"},
            "The last day cannot be before the first day.",
        ),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(
    wrong: dict[str, Any], said: str, world: World, maple: BusinessAccount, eve: User
) -> None:
    answer = as_(world.manager(maple)).post(url("role_change", maple, eve), change(**wrong))
    assert answer.status_code == 422 and said in words(answer)
