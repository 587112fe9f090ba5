"""The pages of groups: each change is shown with its effect first, and does just what was shown."""

from time import process_time
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.services import Refusal
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup, ProgramGroupMember
from delegation.access import Access
from delegation.models import (
    Ceiling,
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
    ProgramRole,
    StaffAssignment,
)
from delegation.roles import Role
from delegation.services import groups, program_groups
from delegation.services.clients import create_staff_assignment
from delegation.services.employees import Grants, approve_access_request
from tests.conftest import by_night
from tests.delegation.reading import as_, confirm, queries, words
from tests.world import World, done, roles_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


class Desk:
    """Maple with the group Desk, which reads RM0001 and edits the group Both; Ana is in it."""

    def __init__(self, world: World) -> None:
        self.world, self.maple = world, world.importer("Maple", programs=3)
        self.boss = {"actor": world.manager(self.maple), "acting_for": self.maple, "at": world.at}
        self.ana, self.ben = (world.member(name, self.maple) for name in ("Ana", "Ben"))
        self.group: EmployeeGroup = done(groups.create_employee_group(name="Desk", **self.boss))
        self.both = world.program_group("Both", self.maple, "RM0002", "RM0003")
        for scope, role in ((world.program(self.maple), Role.READER), (self.both, Role.EDITOR)):
            done(
                groups.grant_employee_group_role(
                    group=self.group, scope=scope, role=role, **self.boss
                )
            )
        [self.place] = done(
            groups.add_employees_to_group(group=self.group, people=[self.ana], **self.boss)
        )
        self.browser = as_(world.manager(self.maple))

    def url(self, name: str, **parts: Any) -> str:
        """The address of a page of the employee group, or of the program-account group."""
        if not name.endswith(("_list", "_create")):
            parts.setdefault("pk", self.both.pk if name.startswith("program") else self.group.pk)
        return reverse(name, kwargs={"bn9": self.maple.bn9, **parts})

    def roles(self, person: User) -> dict[str, Role | None]:
        return dict(roles_of(self.maple, person, self.world.at))

    def ticket(self, person: User) -> str:
        return str(Membership.objects.get(person=person).pk)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


ALL = {"RM0001": Role.READER, "RM0002": Role.EDITOR, "RM0003": Role.EDITOR}
NONE = dict.fromkeys(ALL)


def confirmed(desk: Desk, url: str, data: dict[str, Any]) -> HttpResponse:
    answer = confirm(desk.browser, url, data)
    assert answer.status_code == 302, words(answer)
    return answer


def test_people_are_found_ticked_and_added_together(desk: Desk) -> None:
    eve = desk.world.employee("Eve Reader", desk.maple, RM0001="pam")
    url = desk.url("employee_group_add")
    first = desk.browser.post(url, {"find": "yes", "name": "ben", "chosen": []})
    assert "Ben" in words(first) and "Eve" not in words(first) and first.status_code == 200
    found = {"name": "eve", "chosen": [desk.ticket(desk.ben)]}
    both = desk.browser.post(url, {"find": "yes", **found})
    assert "Ben" in words(both) and "Eve" in words(both)
    assert both.content.decode().count(" checked") == 1
    assert desk.browser.post(url, {"name": ""}).status_code == 422

    chosen = {"name": "", "chosen": [desk.ticket(desk.ben), desk.ticket(eve)]}
    preview = words(desk.browser.post(url, chosen))
    assert "Acting for Maple" in preview and "you add to the group Desk: Ben , Eve Reader" in (
        preview.replace("Ben,", "Ben ,")
    )
    assert "2 people gain the role Editor on RM 0002 Maple 2, RM 0003 Maple 3." in preview
    assert "Ben gains the role Reader on RM 0001 Maple 1." in preview
    assert "Program Account Manager on RM 0001 Maple 1, held directly" in preview
    assert desk.roles(desk.ben) == NONE

    confirmed(desk, url, chosen)
    assert desk.roles(desk.ben) == ALL
    assert desk.roles(eve) == {**ALL, "RM0001": Role.PAM}
    assert Event.objects.filter(verb="employee_group.add", chain=f"person:{eve.pk}").exists()


def test_a_group_that_changed_meanwhile_is_shown_again(desk: Desk) -> None:
    url, chosen = desk.url("employee_group_add"), {"chosen": [desk.ticket(desk.ben)]}
    seal = desk.browser.post(url, chosen).context["seal"]
    role = GroupProgramRole.objects.get()
    done(groups.end_employee_group_role(role=role, **desk.boss))

    again = desk.browser.post(url, {**chosen, "confirm": "yes", "seal": seal})

    assert again.status_code == 409 and "changed since you looked" in words(again)
    assert "RM 0001" not in words(again)
    assert desk.roles(desk.ben) == NONE
    seal = again.context["seal"]
    assert desk.browser.post(url, {**chosen, "confirm": "yes", "seal": seal}).status_code == 302
    assert desk.roles(desk.ben) == {**ALL, "RM0001": None}


def test_a_role_is_given_replaced_and_ended(desk: Desk) -> None:
    url = desk.url("employee_group_grant")
    assert desk.browser.post(url, {"scope": "", "role": "bam"}).status_code == 422
    raised = {"scope": "RM0001", "role": "editor"}
    assert "Ana has the role Editor instead of Reader on RM 0001 Maple 1." in words(
        desk.browser.post(url, raised)
    )
    confirmed(desk, url, raised)
    assert desk.roles(desk.ana)["RM0001"] is Role.EDITOR
    wide_one = {"scope": f"group-{desk.both.pk}", "role": "pam"}
    said = f"Program Account Manager on every program account of the group {desk.both.name}."
    assert said in words(desk.browser.post(url, wide_one))
    confirmed(desk, url, wide_one)
    assert desk.roles(desk.ana)["RM0003"] is Role.PAM

    wide = GroupProgramGroupRole.objects.get(ends_at=None)
    single = GroupProgramRole.objects.get(ends_at=None)
    url = desk.url("employee_group_wide_role_end", role=wide.pk)
    assert "Ana loses the role Program Account Manager on RM 0002 Maple 2" in words(
        desk.browser.get(url)
    )
    confirmed(desk, url, {})
    assert desk.roles(desk.ana) == {**NONE, "RM0001": Role.EDITOR}
    confirmed(desk, desk.url("employee_group_role_end", role=single.pk), {})
    assert desk.roles(desk.ana) == NONE
    assert desk.browser.get(url).status_code == 302
    late = desk.browser.post(url, {"confirm": "yes"})
    assert late.status_code == 409 and "over already" in words(late)


def test_a_group_is_created_and_renamed_once(desk: Desk) -> None:
    for kind, listed in (("employee", desk.group), ("program", desk.both)):
        url = desk.url(f"{kind}_group_create")
        taken = desk.browser.post(url, {"name": listed.name.upper()})
        assert taken.status_code == 422 and "There is a group of this name already." in words(taken)
        preview = desk.browser.post(url, {"name": "Night"})
        assert "Nobody gains or loses any access now." in words(preview)
        confirmed(desk, url, {"name": "Night"})
        url = desk.url(f"{kind}_group_rename")
        assert desk.browser.post(url, {"name": "night"}).status_code == 422
        confirmed(desk, url, {"name": "Day"})
        assert "Day" in words(desk.browser.get(desk.url(f"{kind}_group_list")))
    assert desk.roles(desk.ana) == ALL
    assert {one.name for one in EmployeeGroup.objects.all()} == {"Day", "Night"}
    assert {one.name for one in ProgramGroup.objects.all()} == {"Day", "Night"}


def test_archiving_takes_everything_at_once_on_list_and_point(desk: Desk) -> None:
    url = desk.url("employee_group_archive")
    page = words(desk.browser.get(url))
    assert "Ana loses the role Editor on RM 0002 Maple 2, RM 0003 Maple 3." in page
    assert desk.roles(desk.ana) == ALL
    confirmed(desk, url, {})
    assert desk.roles(desk.ana) == NONE
    assert not Access(desk.ana, desk.maple, desk.world.at).own.programs
    assert not EmployeeGroupMember.objects.filter(ends_at=None).exists()
    listed, told = desk.url("employee_group_list"), words(desk.browser.get(url, follow=True))
    assert "Desk is archived" in told
    assert "Desk" not in words(desk.browser.get(listed))
    assert "Desk" in words(desk.browser.get(f"{listed}?archived=yes"))
    detail = words(desk.browser.get(desk.url("employee_group_detail")))
    assert "Archived" in detail and "Add people" not in detail
    late = desk.browser.post(desk.url("employee_group_add"), {"chosen": [desk.ticket(desk.ben)]})
    assert late.status_code == 409 and "This group is archived" in words(late)


def test_an_archived_group_goes_on_telling_what_it_gave(desk: Desk) -> None:
    later = desk.world.later(days=1)
    now = {**desk.boss, "at": later.at}
    for_good = dict(roles_of(desk.maple, desk.ana, desk.world.at))
    done(program_groups.archive_program_group(group=desk.both, **now))
    assert roles_of(desk.maple, desk.ana, later.at) == {**NONE, "RM0001": Role.READER}
    done(groups.archive_employee_group(group=desk.group, **now))
    assert roles_of(desk.maple, desk.ana, later.at) == NONE
    assert roles_of(desk.maple, desk.ana, desk.world.at) == for_good == ALL


def test_archiving_ends_the_work_for_clients(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    world.relationship(maple, north)
    boss = {"actor": world.manager(north), "acting_for": north, "at": world.at}
    group = done(groups.create_employee_group(name="Desk", **boss))
    ana = world.member("Ana", north)
    done(groups.add_employees_to_group(group=group, people=[ana], **boss))
    done(create_staff_assignment(assignee=group, target=maple, role=Ceiling.EDITOR, **boss))
    parts = {"bn9": north.bn9, "pk": group.pk}
    detail = words(as_(world.manager(north)).get(reverse("employee_group_detail", kwargs=parts)))
    assert "Work for clients" in detail and "Maple" in detail
    url = reverse("employee_group_archive", kwargs=parts)
    browser = as_(world.manager(north))
    assert "Ana no longer works for Maple." in words(browser.get(url))
    assert confirm(browser, url, {}).status_code == 302
    assert list(Access(ana, north, world.at).clients()) == []
    assert not StaffAssignment.objects.filter(ends_at=None).exists()


def test_a_program_account_comes_into_a_group_and_out_of_it(desk: Desk) -> None:
    url = desk.url("program_group_add")
    assert "RM 0002" not in words(desk.browser.get(url))
    found = desk.browser.post(url, {"find": "yes", "name": "RM 0001", "chosen": []})
    assert "RM 0001 Maple 1" in words(found)
    chosen = {"chosen": ["RM0001"]}
    assert "Ana has the role Editor instead of Reader on RM 0001 Maple 1." in words(
        desk.browser.post(url, chosen)
    )
    confirmed(desk, url, chosen)
    assert desk.roles(desk.ana)["RM0001"] is Role.EDITOR
    row = desk.both.members.get(program__extension="RM0002")
    confirmed(desk, desk.url("program_group_remove", member=row.pk), {})
    assert desk.roles(desk.ana) == {"RM0001": Role.EDITOR, "RM0002": None, "RM0003": Role.EDITOR}
    confirmed(desk, desk.url("program_group_archive"), {})
    assert desk.roles(desk.ana) == {**NONE, "RM0001": Role.READER}
    assert "Archived" in words(desk.browser.get(desk.url("program_group_detail")))


def test_several_come_into_a_group_together_or_not_at_all(desk: Desk) -> None:
    stranger, closed = desk.world.person("Zoe Zed"), desk.world.program(desk.maple)
    ProgramAccount.objects.filter(pk=closed.pk).update(closed_at=desk.world.at)
    more = [desk.world.program(desk.maple, "RM0002"), closed]
    half = desk.world.program_group("Half", desk.maple)
    refused = [
        groups.add_employees_to_group(group=desk.group, people=[desk.ben, stranger], **desk.boss),
        program_groups.add_programs_to_group(group=half, programs=more, **desk.boss),
    ]
    assert [isinstance(one, Refusal) and str(one.message) for one in refused] == [
        "Zoe Zed is no employee of the business. Nobody was added.",
        "RM 0001 Maple 1 is closed: nothing can be given on it.",
    ]
    assert [row.person for row in desk.group.members.all()] == [desk.ana]
    assert not half.members.exists()
    assert Event.objects.filter(verb__endswith="group.add.refused").count() == 2


def test_everybody_leaves_a_group_and_only_that(desk: Desk) -> None:
    browser = as_(desk.ana)
    own = reverse("employee_detail", kwargs={"bn9": desk.maple.bn9, "pk": desk.ticket(desk.ana)})
    url = desk.url("employee_group_remove", member=desk.place.pk)
    assert url in browser.get(own).content.decode()
    assert "you leave the group Desk" in words(browser.get(url))
    assert as_(desk.ben).get(url).status_code == 403
    for name in ("employee_group_detail", "employee_group_archive", "employee_group_add"):
        assert browser.get(desk.url(name)).status_code == 403
    assert confirm(browser, url, {})["Location"] == own
    assert desk.roles(desk.ana) == NONE
    told = Event.objects.get(verb="employee_group.remove", chain=f"person:{desk.ana.pk}")
    assert told.path == "own"


def test_who_is_in_a_group_gives_it_nothing(desk: Desk) -> None:
    ana = desk.world.employee("Ana Second", desk.maple)
    done(groups.add_employees_to_group(group=desk.group, people=[ana], **desk.boss))
    browser = as_(ana)
    assert "You are in this group yourself" in words(browser.get(desk.url("employee_group_detail")))
    role = {"scope": "RM0001", "role": "pam"}
    assert browser.post(desk.url("employee_group_grant"), role).status_code == 403
    more = {"chosen": ["RM0001"]}
    assert browser.post(desk.url("program_group_add"), more).status_code == 403
    own = {"chosen": [str(ana.memberships.get().pk)]}
    assert browser.post(desk.url("employee_group_add"), own).status_code == 422
    assert GroupProgramRole.objects.filter(ends_at=None).count() == 1


def test_what_is_not_active_can_only_be_taken(desk: Desk) -> None:
    BusinessAccount.objects.filter(pk=desk.maple.pk).update(status="closed")
    for name in ("employee_group_add", "employee_group_grant", "employee_group_rename"):
        refused = desk.browser.get(desk.url(name))
        assert refused.status_code == 403 and "not active" in words(refused)
    detail = words(desk.browser.get(desk.url("employee_group_detail")))
    assert "Add people" not in detail and "Take out" in detail
    confirmed(desk, desk.url("employee_group_remove", member=desk.place.pk), {})
    confirmed(desk, desk.url("program_group_archive"), {})
    confirmed(desk, desk.url("employee_group_archive"), {})
    assert desk.roles(desk.ana) == NONE


# The approval of an access request


def test_an_approval_puts_the_person_into_a_group(desk: Desk) -> None:
    asked = desk.world.access_request("Zoe", desk.maple, RM0001="reader", RM0002="pam")
    url = reverse("access_request_approve", kwargs={"bn9": desk.maple.bn9, "pk": asked.pk})
    empty = {"version": asked.version, "scope": "programs"}
    assert desk.browser.post(url, empty).status_code == 422
    form = {**empty, "group": str(desk.group.pk)}
    preview = words(desk.browser.post(url, form))
    assert "You put Zoe into the employee group Desk" in preview
    assert "RM 0002: Editor" in preview and "does not get it" not in preview

    confirmed(desk, url, form)

    assert desk.roles(asked.person) == ALL
    granted = dict(asked.lines.values_list("extension", "granted_role"))
    assert granted == {"RM0001": "reader", "RM0002": "editor"}
    done(groups.archive_employee_group(group=desk.group, **desk.boss))
    assert desk.roles(asked.person) == NONE


def test_a_program_manager_puts_nobody_into_a_group(desk: Desk) -> None:
    pam = desk.world.employee("Pam", desk.maple, RM0001="pam")
    asked = desk.world.access_request("Zoe", desk.maple, RM0001="reader")
    parts = {"bn9": desk.maple.bn9, "pk": asked.pk}
    page = as_(pam).get(reverse("access_request_detail", kwargs=parts))
    assert "Employee group" not in words(page)
    form = {"version": asked.version, "group": str(desk.group.pk)}
    assert as_(pam).post(reverse("access_request_approve", kwargs=parts), form).status_code == 422
    refused = approve_access_request(
        actor=pam,
        acting_for=desk.maple,
        access_request=asked,
        grants=Grants(programs={desk.world.program(desk.maple).pk: Role.READER}, group=desk.group),
        expected_version=asked.version,
        at=desk.world.at,
    )
    assert isinstance(refused, Refusal) and refused.code == "not_allowed"


# However many people and program accounts there are


def crowd(desk: Desk, people: int, programs: int) -> None:
    """More people in the group, each with a role of one's own, and more in what it edits."""
    at, maple = desk.world.at, desk.maple
    first = User.objects.count()
    users = User.objects.bulk_create(
        User(email=f"p{n}@example.test", first_name=f"P{n}", last_name=f"Quill {n:05}")
        for n in range(first, first + people)
    )
    Membership.objects.bulk_create(
        Membership(person=user, business=maple, starts_at=at) for user in users
    )
    EmployeeGroupMember.objects.bulk_create(
        EmployeeGroupMember(group=desk.group, person=user, starts_at=at) for user in users
    )
    start = maple.programs.count() + 1
    opened = ProgramAccount.objects.bulk_create(
        ProgramAccount(business=maple, extension=f"RM{n:04}", name="More", opened_at=at)
        for n in range(start, start + programs)
    )
    ProgramGroupMember.objects.bulk_create(
        ProgramGroupMember(group=desk.both, program=one, starts_at=at) for one in opened
    )
    reader = GroupProgramRole.objects.get().permission
    ProgramRole.objects.bulk_create(
        ProgramRole(
            user=user,
            content_object=opened[number % len(opened)],
            permission=reader,
            starts_at=at,
            granted_by=desk.boss["actor"],
        )
        for number, user in enumerate(users)
    )


def costs(desk: Desk) -> dict[str, int]:
    """How many queries each page of groups costs, those that show an effect included."""
    wide = GroupProgramGroupRole.objects.get().pk
    addresses = [
        desk.url("employee_group_list"),
        desk.url("program_group_list"),
        desk.url("employee_group_detail"),
        desk.url("program_group_detail"),
        desk.url("employee_group_add"),
        desk.url("program_group_add"),
        desk.url("employee_group_grant"),
        desk.url("employee_group_archive"),
        desk.url("program_group_archive"),
        desk.url("employee_group_wide_role_end", role=wide),
    ]
    return {url: queries(desk.browser, url) for url in addresses}


@pytest.mark.parametrize(("people", "programs"), [(30, 30), by_night(2_000, 500)])
def test_many_people_cost_no_more_queries(desk: Desk, people: int, programs: int) -> None:
    crowd(desk, 3, 3)
    few = costs(desk)
    crowd(desk, people, programs)
    assert costs(desk) == few
    total = people + 4
    begun = process_time()
    page = desk.browser.get(desk.url("employee_group_wide_role_end", role=_wide()))
    took = process_time() - begun
    print(f"{total} people, {programs} program accounts: {took:.2f} s of CPU, {few}")
    assert len(page.context["effect"].rows) == 25 and page.context["effect"].total == total
    text = words(page)
    assert f"{total:,} people lose the role Editor" in text
    assert f"{total - 1:,} people have the role Reader instead of Editor" in text


def _wide() -> int:
    return GroupProgramGroupRole.objects.get().pk
