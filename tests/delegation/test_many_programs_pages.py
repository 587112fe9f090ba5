"""Forms over 500 program accounts: a part is drawn, all can be found, nothing chosen is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from businesses.models import BusinessAccount, ProgramAccount
from delegation.forms.programs import find_programs
from delegation.models import (
    GroupProgramRole,
    Invitation,
    Level,
    Membership,
    RelationshipTerms,
)
from delegation.roles import Role
from delegation.services.groups import create_employee_group
from delegation.services.program_groups import create_program_group
from tests.delegation.reading import as_, confirm, words
from tests.delegation.test_relationship_pages import answers
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")

HEAVIEST = 100_000
"""How many bytes a page with a part of 500 program accounts may have."""


def grow(world: World, business: BusinessAccount, start: int, stop: int) -> None:
    """Give the business program accounts by number."""
    business.programs.bulk_create(
        ProgramAccount(
            business=business, extension=f"RM{n:04}", name=f"Port {n}", opened_at=world.at
        )
        for n in range(start, stop)
    )


def look(browser: Client, page: str, data: dict[str, Any], **more: str) -> HttpResponse:
    """Post the form to look for program accounts, with what the page keeps."""
    found = browser.post(page, {**data, "find_programs": "", **more})
    assert found.status_code == 200, words(found)
    return found


def kept(page: HttpResponse) -> dict[str, str]:
    form = page.context["form"]
    return {form.kept_name: form.kept}


@pytest.fixture
def pages(world: World, maple: BusinessAccount) -> list[str]:
    """Every page that lets choose among program accounts."""
    itn, harbour = world.broker("ITN"), world.broker("Harbour")
    eve = world.employee("Eve", maple, RM0002="reader")
    asked = world.access_request("Ana", maple, RM0001="editor", RM0002="reader")
    held = world.relationship(maple, itn)
    waiting = world.relationship_request(
        harbour, maple, level=Level.PROGRAM, extensions=("RM0002",)
    )
    membership = Membership.objects.get(person=eve, business=maple)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    desk = done(create_employee_group(name="Desk", **boss))
    bn9 = maple.bn9
    return [
        reverse("access_request_detail", kwargs={"bn9": bn9, "pk": asked.pk}),
        reverse("invitation_create", kwargs={"bn9": bn9}),
        reverse("role_change", kwargs={"bn9": bn9, "pk": membership.pk}),
        reverse("relationship_request_detail", kwargs={"bn9": bn9, "pk": waiting.pk}),
        reverse("relationship_change", kwargs={"bn9": bn9, "pk": held.pk}),
        reverse("relationship_offer_create", kwargs={"bn9": bn9}),
        reverse("employee_group_grant", kwargs={"bn9": bn9, "pk": desk.pk}),
    ]


def test_a_page_draws_a_part_in_the_same_queries(
    world: World, maple: BusinessAccount, pages: list[str]
) -> None:
    """And no query names the program accounts one by one: what they say is as long for 500."""
    boss, counted = as_(world.manager(maple)), []
    for start, stop in ((10, 40), (40, 501)):
        grow(world, maple, start, stop)
        counts = []
        for page in pages:
            boss.get(page)
            with CaptureQueriesContext(connection) as captured:
                shown = boss.get(page)
            assert len(shown.context["form"].found.shown) == 25
            assert len(shown.content) < HEAVIEST, (page, len(shown.content))
            said = sum(len(query["sql"]) for query in captured.captured_queries)
            counts.append((len(captured.captured_queries), said // 1000))
        counted.append(counts)
    assert counted[0] == counted[1]


def test_roles_are_given_on_what_is_wished_found_and_kept(
    world: World, maple: BusinessAccount
) -> None:
    grow(world, maple, 3, 501)
    boss = as_(world.manager(maple))
    asked = world.access_request("Ana", maple, RM0400="editor")
    about = {"bn9": maple.bn9, "pk": asked.pk}
    page = reverse("access_request_approve", kwargs=about)
    first = boss.get(reverse("access_request_detail", kwargs=about))
    assert first.context["form"].found.shown[:2] == ("RM0400", "RM0001"), "What is wished is first."
    filled = {"version": "1", "scope": "programs", "RM0400": "editor"}
    found = look(boss, page, filled, find=f"{maple.bn_shown} rm 0444")
    assert found.context["form"].found.shown == ("RM0444",)
    assert "Also chosen, on another page: RM 0400 Port 400 (Editor)." in words(found)
    filled = {"version": "1", "scope": "programs", "RM0444": "reader", **kept(found)}
    on = look(boss, page, filled, find_programs="RM0025")
    assert on.context["form"].found.shown[0] == "RM0026"
    filled = {"version": "1", "scope": "programs", "RM0026": "pam", **kept(on)}
    preview = boss.post(page, filled)
    sealed = {"confirm": "yes", "seal": preview.context["seal"], "version": "1"}
    hidden = {name: form_value(preview, name) for name in ("roles_kept", "scope")}
    assert boss.post(page, sealed | hidden).status_code == 302
    given = roles_of(maple, world.person("Ana"), world.at)
    assert {extension: role for extension, role in given.items() if role} == {
        "RM0026": Role.PAM,
        "RM0400": Role.EDITOR,
        "RM0444": Role.READER,
    }


def test_a_group_gets_a_role_on_what_is_found_and_kept(
    world: World, maple: BusinessAccount
) -> None:
    grow(world, maple, 3, 501)
    boss, act = as_(world.manager(maple)), {"actor": world.manager(maple), "acting_for": maple}
    desk = done(create_employee_group(name="Desk", at=world.at, **act))
    west = done(create_program_group(name="West", at=world.at, **act))
    page = reverse("employee_group_grant", kwargs={"bn9": maple.bn9, "pk": desk.pk})
    assert boss.get(page).context["form"].found.shown[0] == f"group-{west.pk}", "Groups are first."
    found = look(boss, page, {"role": "editor", "scope": "RM0001"}, find="port 444")
    assert found.context["form"].found.shown == ("RM0444",)
    assert "Also chosen, on another page: RM 0001" in words(found)
    kept_on = look(boss, page, {"role": "editor", "scope": "RM0444", **kept(found)}, find="west")
    assert kept_on.context["form"].found.shown == (f"group-{west.pk}",)
    preview = boss.post(page, {"role": "editor", **kept(kept_on)})
    sealed = {"role": "editor", "confirm": "yes", "seal": preview.context["seal"]}
    assert boss.post(page, {**sealed, "scope": form_value(preview, "scope")}).status_code == 302
    given = GroupProgramRole.objects.get(group=desk.auth_group)
    assert (given.content_object.extension, given.role) == ("RM0444", Role.EDITOR)
    nothing = boss.post(page, {"role": "editor"})
    assert nothing.status_code == 422 and "Choose where the group gets the role." in words(nothing)


def form_value(page: HttpResponse, name: str) -> str:
    """The value of a hidden input of a page."""
    _before, _name, rest = page.content.decode().partition(f'name="{name}" value="')
    return rest.partition('"')[0]


def test_an_invitation_keeps_the_message_and_refuses_what_is_out_of_reach(
    world: World, maple: BusinessAccount
) -> None:
    grow(world, maple, 3, 501)
    boss, page = as_(world.manager(maple)), reverse("invitation_create", kwargs={"bn9": maple.bn9})
    filled = {"email": "not one", "message": "Welcome", "scope": "programs", "language": "en-ca"}
    found = look(boss, page, filled | {"RM0001": "editor"}, find="nowhere")
    assert "No program account has this number or name." in words(found)
    assert "Enter a whole e-mail address" not in words(found) and "Welcome" in words(found)
    wrong = boss.post(page, filled | {"email": "zoe@example.test", "roles_kept": "RM0300:bam"})
    assert wrong.status_code == 422 and "Choose from the answers shown" in words(wrong)
    right = filled | {"email": "zoe@example.test", **kept(found)}
    assert confirm(boss, page, right).status_code == 302
    assert [str(gift) for gift in Invitation.objects.get().grants()]


def test_of_500_ticked_one_is_found_and_left_out(world: World, maple: BusinessAccount) -> None:
    grow(world, maple, 3, 501)
    every = tuple(f"RM{n:04}" for n in range(1, 501))
    held = world.relationship(maple, world.broker("ITN"), programs=every)
    boss = as_(world.manager(maple))
    page = reverse("relationship_change", kwargs={"bn9": maple.bn9, "pk": held.pk})
    first = boss.get(page)
    assert len(first.content) < HEAVIEST and "And 465 more." in words(first)
    filled = answers(programs=list(first.context["form"].found.shown), others="lose", **kept(first))
    found = look(boss, page, filled, find="port 444")
    [box] = found.context["form"]["programs"].subwidgets
    assert box.data["attrs"].get("checked") and box.data["value"] == "RM0444"
    filled = answers(programs=None, others="lose", find="port 444", **kept(found))
    assert confirm(boss, page, filled).status_code == 302
    live = RelationshipTerms.objects.filter(
        relationship__client=maple, ends_at__gt=world.at + timedelta(days=1)
    )
    assert set(live.values_list("program__extension", flat=True)) == {*every} - {"RM0444"}


def test_pages_of_program_accounts_show_each() -> None:
    labels = {f"RM{n:04}": f"RM {n:04} Port {n}" for n in range(1, 101)}
    seen: list[str] = []
    after = ""
    while after or not seen:
        found = find_programs(labels, {"RM0090"}, after=after)
        seen, after = [*seen, *found.shown], found.next_after
    assert seen[0] == "RM0090" and set(seen) == set(labels) and len(seen) == 101
    few = {value: label for value, label in labels.items() if value < "RM0026"}
    assert find_programs(few, {"RM0009"}).shown == tuple(few)
    assert find_programs(labels, (), words="PORT 33").shown == ("RM0033",)


def test_the_dashboard_pages_and_finds_program_accounts(
    world: World, maple: BusinessAccount
) -> None:
    grow(world, maple, 3, 501)
    boss, home = as_(world.manager(maple)), reverse("business_home", kwargs={"bn9": maple.bn9})
    first = boss.get(home)
    assert len(first.context["programs"]) == 25 and len(first.content) < HEAVIEST
    second = boss.get(home, {"after": first.context["page"].next_token})
    assert second.context["programs"][0].extension == "RM0026"
    [found] = boss.get(home, {"program": "port 444"}).context["programs"]
    assert found.extension == "RM0444"
    assert "No program account has this number" in words(boss.get(home, {"program": "zz"}))
