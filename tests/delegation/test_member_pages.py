"""The page of one employee, and the pages that end, suspend and resume what the person has."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import BusinessRole, Membership, ProgramRole
from delegation.roles import Role
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.rights import end_membership, end_program_role
from pages.formats import end_of_day
from tests.delegation.reading import as_, queries, words
from tests.world import World, done, roles_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CONFIRM = {"confirm": "yes"}


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    """An importer with RM0001 and RM0002, whose Rea is an Editor of both."""
    maple = world.importer("Maple")
    world.employee("Rea", maple, RM0001="editor", RM0002="editor")
    return maple


def url(name: str, business: BusinessAccount, person: User, **parts: Any) -> str:
    membership = Membership.objects.filter(business=business, person=person).latest("starts_at")
    return reverse(name, kwargs={"bn9": business.bn9, "pk": membership.pk, **parts})


def role_url(business: BusinessAccount, person: User, extension: str = "RM0001") -> str:
    role = ProgramRole.objects.get(user=person, content_object__extension=extension)
    return url("program_role_end", business, person, role=role.pk)


def manager_url(business: BusinessAccount, person: User) -> str:
    role = BusinessRole.objects.get(user=person, content_object=business)
    return url("business_role_end", business, person, role=role.pk)


def grouped(world: World, business: BusinessAccount, person: User) -> None:
    """Put a person into the group Customs, which reads RM0002."""
    boss = {"actor": world.manager(business), "acting_for": business, "at": world.at}
    group = done(create_employee_group(name="Customs", **boss))
    program = world.program(business, "RM0002")
    done(grant_employee_group_role(group=group, scope=program, role=Role.READER, **boss))
    done(add_employees_to_group(group=group, people=[person], **boss))


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


# One employee


def test_the_page_says_which_roles_and_from_where(world: World, maple: BusinessAccount) -> None:
    rea = world.person("Rea")
    grouped(world, maple, rea)
    role = ProgramRole.objects.get(user=rea, content_object__extension="RM0002")
    last = timezone.localdate(world.at) + timedelta(days=3)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_program_role(role=role, ends_at=end_of_day(last), **boss))

    page = as_(world.manager(maple)).get(url("employee_detail", maple, rea))

    rows = [(held.right.scope, held.right.group, held.end_url) for held in page.context["rights"]]
    assert rows == [
        ("RM 0001 Maple 1", "", role_url(maple, rea)),
        ("RM 0002 Maple 2", "", role_url(maple, rea, "RM0002")),
        ("RM 0002 Maple 2", "Customs", ""),
    ]
    text = words(page)
    assert "Through the group Customs" in text and "No end date" in text
    assert "Until the end of November 26, 2026 (Eastern time)" in text
    for name in ("employee_list", "employee_grid"):
        listed = as_(world.manager(maple)).get(reverse(name, kwargs={"bn9": maple.bn9}))
        assert "Direct · until the end of November 26, 2026 (Eastern time)" in words(listed)
    assert "Make payments for the program RM 0001 Maple 1" in text


def test_who_left_is_shown_without_what_came_after(world: World, maple: BusinessAccount) -> None:
    """Neither the present address nor the last sign-in is the former employer’s any more."""
    rea, manager = world.person("Rea"), world.manager(maple)
    page = url("employee_detail", maple, rea)
    before = words(as_(manager).get(page))
    assert rea.email in before

    boss = {"actor": manager, "acting_for": maple, "at": world.at}
    done(end_membership(membership=rea.memberships.get(), reason="", **boss))
    rea.email = "rea@rival.test"
    rea.save()
    after = words(as_(manager).get(page))
    assert "Rea" in after and "@" not in after.split("Access", 1)[0]
    assert "rival" not in after


def test_the_last_sign_in_is_told_to_the_person_alone(world: World, maple: BusinessAccount) -> None:
    """It is the portal’s, so it would tell of work for other businesses."""
    rea, manager = world.person("Rea"), world.manager(maple)
    rea.last_login = world.at
    rea.save()
    page = url("employee_detail", maple, rea)
    listed = reverse("employee_list", kwargs={"bn9": maple.bn9})

    assert "Last sign-in" in words(as_(rea).get(page))
    for one in (page, listed):
        assert "Last sign-in" not in words(as_(manager).get(one))


def test_the_list_leads_to_the_page(world: World, maple: BusinessAccount) -> None:
    listed = as_(world.manager(maple)).get(reverse("employee_list", kwargs={"bn9": maple.bn9}))
    assert url("employee_detail", maple, world.person("Rea")) in listed.content.decode()


def test_a_pam_reads_and_ends_what_its_own_program_has(
    world: World, maple: BusinessAccount
) -> None:
    pam, rea = world.employee("Pam", maple, RM0001="pam"), world.person("Rea")
    other = world.employee("Olaf", maple, RM0002="reader")
    browser = as_(pam)
    page = browser.get(url("employee_detail", maple, rea))
    assert "RM 0001" in words(page) and "RM 0002" not in words(page)
    assert "End all access" not in words(page) and "Suspend" not in words(page)
    assert browser.get(url("employee_detail", maple, other)).status_code == 404
    assert browser.post(role_url(maple, rea, "RM0002"), CONFIRM).status_code == 404
    assert browser.post(role_url(maple, rea), CONFIRM).status_code == 302
    assert roles_of(maple, rea, world.at) == {"RM0001": None, "RM0002": Role.EDITOR}


def test_a_pam_takes_no_role_above_editor(world: World, maple: BusinessAccount) -> None:
    pam, pat = (world.employee(name, maple, RM0001="pam") for name in ("Pam", "Pat"))
    assert as_(pam).get(url("employee_detail", maple, pat)).context["rights"][0].end_url == ""
    assert as_(pam).post(role_url(maple, pat), CONFIRM).status_code == 403
    boss = manager_url(maple, world.manager(maple))
    assert as_(pam).post(boss, CONFIRM).status_code == 403


def test_who_manages_nobody_reads_the_own_page_alone(world: World, maple: BusinessAccount) -> None:
    rea, ed = world.person("Rea"), world.employee("Ed", maple, RM0001="editor")
    home = as_(rea).get(reverse("business_home", kwargs={"bn9": maple.bn9}))
    own = url("employee_detail", maple, rea)
    assert own in home.content.decode()
    text = words(as_(rea).get(own))
    assert "RM 0001" in text and "RM 0002" in text and "Leave this business" in text
    assert as_(rea).get(url("employee_detail", maple, ed)).status_code == 403


def test_a_foreign_and_an_absent_employee_are_the_same(
    world: World, maple: BusinessAccount
) -> None:
    cedar = world.importer("Cedar")
    membership = Membership.objects.get(business=cedar)
    boss = as_(world.manager(maple))
    for pk in (membership.pk, uuid4()):
        for name in ("employee_detail", "membership_end", "membership_suspend"):
            address = reverse(name, kwargs={"bn9": maple.bn9, "pk": pk})
            assert boss.get(address).status_code == 404
    role = BusinessRole.objects.get(content_object=cedar)
    wrong = url("business_role_end", maple, world.person("Rea"), role=role.pk)
    assert boss.post(wrong, CONFIRM).status_code == 404


def test_the_page_costs_the_same_for_one_and_for_many_roles(world: World) -> None:
    small, large = world.importer("Small", programs=1), world.importer("Large", programs=9)
    counts = []
    for business in (small, large):
        roles = {program.extension: "editor" for program in business.programs.all()}
        rea = world.employee(f"Rea {business.legal_name}", business, **roles)
        counts.append(queries(as_(world.manager(business)), url("employee_detail", business, rea)))
    assert counts[0] == counts[1]


# All access


def test_the_confirm_page_says_what_goes(world: World) -> None:
    north, maple = world.broker("North"), world.importer("Maple")
    world.relationship(maple, north)
    ben = world.employee("Ben", north, RM0001="reader")
    world.assign("Ben", north, maple)
    boss = {"actor": world.manager(north), "acting_for": north, "at": world.at}
    group = done(create_employee_group(name="Customs", **boss))
    done(add_employees_to_group(group=group, people=[ben], **boss))

    text = words(as_(world.manager(north)).get(url("membership_end", north, ben)))

    assert "You end all access of Ben to North" in text
    assert "RM 0001 North 1: Reader" in text
    assert "Customs" in text and f"Maple ({maple.bn_shown})" in text
    assert not Event.objects.filter(verb__startswith="membership").exists()


def test_one_act_ends_everything_and_tells_the_person(
    world: World, maple: BusinessAccount, django_capture_on_commit_callbacks: Any
) -> None:
    rea = world.person("Rea")
    grouped(world, maple, rea)
    boss, address = as_(world.manager(maple)), url("membership_end", maple, rea)
    with django_capture_on_commit_callbacks(execute=True):
        answer = boss.post(address, {**CONFIRM, "reason": "Left the firm."}, follow=True)
    assert f"Rea no longer has access to Maple, {maple.bn_shown}." in words(answer)
    assert "Held until the departure" in words(answer)
    assert roles_of(maple, rea, world.at) == {"RM0001": None, "RM0002": None}
    home = reverse("business_home", kwargs={"bn9": maple.bn9})
    assert as_(rea).get(home).status_code == 404
    assert [letter.to for letter in mail.outbox] == [[rea.email]]
    assert "Left the firm." in mail.outbox[0].body
    assert breaches(world) == []


def test_the_page_of_who_left_says_when_and_why(world: World, maple: BusinessAccount) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    boss.post(url("membership_end", maple, rea), {**CONFIRM, "reason": "Left the firm."})
    page = boss.get(url("employee_detail", maple, rea))
    text = words(page)
    assert "Ended" in text and "Reason: Left the firm." in text and "Maple manager" in text
    assert "Roles" not in text and "End all access" not in text
    gone = boss.get(url("membership_end", maple, rea))
    assert gone.url == url("employee_detail", maple, rea)


def test_who_ends_what_is_over_is_told(world: World, maple: BusinessAccount) -> None:
    rea, ana = world.person("Rea"), world.employee("Ana", maple)
    address = url("membership_end", maple, rea)
    assert as_(world.manager(maple)).post(address, CONFIRM).status_code == 302
    late = as_(ana).post(address, CONFIRM)
    assert late.status_code == 409
    assert "This access is over already. Nothing was changed." in words(late)


def test_one_leaves_by_oneself(world: World, maple: BusinessAccount) -> None:
    rea = world.person("Rea")
    browser, address = as_(rea), url("membership_end", maple, rea)
    assert "You leave Maple" in words(browser.get(address))
    answer = browser.post(address, CONFIRM, follow=True)
    assert f"You left Maple, {maple.bn_shown}." in words(answer)
    assert Event.objects.filter(verb="membership.end", path="own").count() == 2


def test_the_last_manager_reads_what_to_do_first(world: World, maple: BusinessAccount) -> None:
    owner = world.manager(maple)
    browser, own = as_(owner), url("membership_end", maple, owner)
    for page in (own, manager_url(maple, owner)):
        text = words(browser.get(page))
        assert "You are the last Business Account Manager of Maple" in text
        assert "Name a second Business Account Manager" in text
        refused = browser.post(page, CONFIRM)
        assert refused.status_code == 409
        assert f"This is the last Business Account Manager of Maple, {maple.bn_shown}." in words(
            refused
        )
        assert "Name a second Business Account Manager" in words(refused)
    assert world.access(owner, maple).is_bam


def test_nothing_is_ended_without_the_button(world: World, maple: BusinessAccount) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    pages = [url("membership_end", maple, rea), url("membership_suspend", maple, rea)]
    for page in [*pages, role_url(maple, rea)]:
        answer = boss.post(page, {"reason": "x"})
        assert answer.status_code == 422
        assert "Nothing was changed yet" in words(answer)
    assert roles_of(maple, rea, world.at)["RM0001"] is Role.EDITOR


def test_a_reason_that_is_too_long_comes_back(world: World, maple: BusinessAccount) -> None:
    rea = world.person("Rea")
    page = url("membership_end", maple, rea)
    answer = as_(world.manager(maple)).post(page, {**CONFIRM, "reason": "x" * 501})
    assert answer.status_code == 422 and "Use at most 500 characters." in words(answer)


def test_the_same_form_sent_twice_ends_once(world: World, maple: BusinessAccount) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    sent = {**CONFIRM, "form_key": str(uuid4())}
    answers = [boss.post(url("membership_end", maple, rea), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(verb__startswith="membership.end").count() == 2


# A while


def suspend(boss: Client, maple: BusinessAccount, person: User) -> HttpResponse:
    return boss.post(
        url("membership_suspend", maple, person), {**CONFIRM, "reason": "On leave"}, follow=True
    )


def test_a_suspended_employee_is_shut_out_until_resumed(
    world: World, maple: BusinessAccount
) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    home = reverse("business_home", kwargs={"bn9": maple.bn9})
    suspended = suspend(boss, maple, rea)
    assert f"The access of Rea to Maple, {maple.bn_shown}, is suspended." in words(suspended)
    assert "Suspended since" in words(suspended)
    assert as_(rea).get(home).status_code == 403
    answer = boss.post(url("membership_resume", maple, rea), follow=True)
    assert f"Rea can work for Maple, {maple.bn_shown}, again." in words(answer)
    assert as_(rea).get(home).status_code == 200
    again = boss.post(url("membership_resume", maple, rea))
    assert again.status_code == 409 and "This access is not suspended." in words(again)


def test_two_managers_suspend_at_once(world: World, maple: BusinessAccount) -> None:
    rea, ana = world.person("Rea"), world.employee("Ana", maple)
    assert suspend(as_(world.manager(maple)), maple, rea).status_code == 200
    late = suspend(as_(ana), maple, rea)
    assert late.status_code == 409 and "suspended already" in words(late)


def test_nobody_suspends_oneself_by_the_page(world: World, maple: BusinessAccount) -> None:
    world.employee("Ana", maple)
    owner = world.manager(maple)
    assert suspend(as_(owner), maple, owner).status_code == 403


# One role


def test_a_role_ends_at_once_or_at_the_end_of_a_day(world: World, maple: BusinessAccount) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    page = words(boss.get(role_url(maple, rea)))
    assert "you end this role of Rea : Editor, RM 0001 Maple 1" in page
    answer = boss.post(role_url(maple, rea), CONFIRM, follow=True)
    assert "The role of Rea has ended: Editor, RM 0001 Maple 1." in words(answer)
    answer = boss.post(
        role_url(maple, rea, "RM0002"), {**CONFIRM, "last_day": "2026-11-30"}, follow=True
    )
    assert "ends at the end of November 30, 2026: Editor, RM 0002 Maple 2." in words(answer)
    again = words(boss.get(role_url(maple, rea, "RM0002")))
    assert "the role lasts until the end of November 30, 2026 (Eastern time)." in again
    assert roles_of(maple, rea, world.at) == {"RM0001": None, "RM0002": Role.EDITOR}
    assert roles_of(maple, rea, world.later(days=8).at) == {"RM0001": None, "RM0002": None}


@pytest.mark.parametrize(
    ("last_day", "said"),
    [
        ("2026-11-22", "The last day cannot be before today."),
        ("2027-01-01", "This role ends sooner already."),
        ("soon", "Enter a day as year-month-day"),
    ],
)
def test_a_wrong_last_day_comes_back(
    world: World, maple: BusinessAccount, last_day: str, said: str
) -> None:
    rea, boss = world.person("Rea"), as_(world.manager(maple))
    boss.post(role_url(maple, rea), {**CONFIRM, "last_day": "2026-12-31"})
    answer = boss.post(role_url(maple, rea), {**CONFIRM, "last_day": last_day})
    assert answer.status_code == 422 and said in words(answer)


def test_a_second_manager_is_made_an_employee(world: World, maple: BusinessAccount) -> None:
    ana = world.employee("Ana", maple)
    boss = as_(world.manager(maple))
    answer = boss.post(manager_url(maple, ana), CONFIRM, follow=True)
    assert f"The role of Ana has ended: Business Account Manager, {maple}." in words(answer)
    assert not world.access(ana, maple).is_bam
    assert as_(ana).get(url("employee_detail", maple, ana)).status_code == 200
    late = boss.post(manager_url(maple, ana), CONFIRM)
    assert late.status_code == 409
    assert boss.get(manager_url(maple, ana)).url == url("employee_detail", maple, ana)


def test_whoever_was_dismissed_ends_nothing_by_an_old_page(
    world: World, maple: BusinessAccount
) -> None:
    rea, ana = world.person("Rea"), world.employee("Ana", maple)
    browser, page = as_(ana), url("membership_end", maple, rea)
    assert browser.get(page).status_code == 200
    done(
        end_membership(
            actor=world.manager(maple),
            acting_for=maple,
            membership=Membership.objects.get(person=ana),
            reason="",
            at=world.at,
        )
    )
    assert browser.post(page, CONFIRM).status_code == 302
    assert roles_of(maple, rea, world.at)["RM0001"] is Role.EDITOR
