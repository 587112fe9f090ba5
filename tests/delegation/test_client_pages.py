"""The provider's side: clients, requests that the firm sends, and who works for whom."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from audit.models import Event
from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.models import (
    Ceiling,
    Level,
    Relationship,
    RelationshipRequest,
    StaffAssignment,
    Visibility,
)
from delegation.models.employees import EmployeeGroup
from delegation.services.agreements import Agreement, Rules
from delegation.services.clients import (
    add_client_to_group,
    create_client_group,
    create_staff_assignment,
)
from delegation.services.groups import add_employees_to_group, create_employee_group
from delegation.services.relationships import (
    approve_relationship_request,
    reject_relationship_request,
    withdraw_relationship_request,
)
from tests.delegation.reading import as_, queries, words
from tests.world import World, done, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TORONTO = ZoneInfo("America/Toronto")


def list_url(firm: BusinessAccount) -> str:
    return reverse("client_list", kwargs={"bn9": firm.bn9})


def sent_url(firm: BusinessAccount) -> str:
    return reverse("relationship_request_list", kwargs={"bn9": firm.bn9})


def client_url(firm: BusinessAccount, client: BusinessAccount, name: str = "client_detail") -> str:
    return reverse(name, kwargs={"bn9": firm.bn9, "client_bn9": client.bn9})


def create_url(firm: BusinessAccount) -> str:
    return reverse("relationship_request_create", kwargs={"bn9": firm.bn9})


def request_url(name: str, waiting: RelationshipRequest) -> str:
    return reverse(
        f"relationship_request_{name}", kwargs={"bn9": waiting.provider.bn9, "pk": waiting.pk}
    )


def wish(number: str, /, **changed: Any) -> dict[str, Any]:
    """The request form as a manager of a firm fills it in; None takes a field out."""
    filled = {
        "client_bn9": number,
        "level": "program",
        "extensions": "RM 0001, rm0002",
        "ceiling": "editor",
        "last_day": "",
        "visibility_broker": "edit",
        "visibility_importer": "view",
        "visibility_other": "none",
        "comment": "",
        **changed,
    }
    return {name: value for name, value in filled.items() if value is not None}


@pytest.fixture
def manager(world: World, itn: BusinessAccount) -> Client:
    """The browser of ITN's manager."""
    return as_(world.manager(itn))


# ---------------------------------------------------------------- who opens what


def test_a_client_exists_for_those_who_work_for_it(
    world: World, itn: BusinessAccount, maple: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    world.assign("Ben", itn, maple)
    world.member("Una", itn)
    url = client_url(itn, maple)

    statuses = {
        name: as_(world.person(name)).get(url).status_code
        for name in ("ITN manager", "Ben", "Una", "Maple manager", "Stan")
    }

    assert statuses == {
        "ITN manager": 200,
        "Ben": 200,
        "Una": 404,
        "Maple manager": 404,
        "Stan": 404,
    }
    assert "Maple" in words(as_(world.person("Ben")).get(list_url(itn)))
    unassigned = words(as_(world.person("Una")).get(list_url(itn)))
    assert "Maple" not in unassigned
    assert "You are assigned to no client." in unassigned


def test_a_business_without_a_relationship_is_no_client(
    itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    foreign = manager.get(client_url(itn, maple))
    absent = manager.get(client_url(itn, maple).replace(maple.bn9, next_bn9()))

    assert (foreign.status_code, absent.status_code) == (404, 404)


def test_a_request_that_waits_makes_no_client(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    world.relationship_request(itn, maple)

    assert manager.get(client_url(itn, maple)).status_code == 404
    assert "Maple" not in words(manager.get(list_url(itn)))


@pytest.mark.parametrize("name", ["client_list", "relationship_request_create"])
def test_a_business_that_is_no_provider_has_no_clients(
    world: World, maple: BusinessAccount, name: str
) -> None:
    url = reverse(name, kwargs={"bn9": maple.bn9})

    assert as_(world.manager(maple)).get(url).status_code == 404


def test_only_managers_ask_and_assign(
    world: World, itn: BusinessAccount, maple: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    assignment = world.assign("Ben", itn, maple)
    waiting = world.relationship_request(itn, next_bn9())
    end = reverse(
        "staff_assignment_end",
        kwargs={"bn9": itn.bn9, "pk": assignment.pk},
    )
    pages = [
        create_url(itn),
        request_url("status", waiting),
        client_url(itn, maple, "staff_assignment_create"),
    ]
    ben, maple_manager = as_(world.person("Ben")), as_(world.manager(maple))

    assert [ben.get(url).status_code for url in pages] == [403, 403, 403]
    assert [maple_manager.get(url).status_code for url in pages] == [404, 404, 404]
    for url in (*pages[::2], end, request_url("withdraw", waiting)):
        assert ben.post(url, {}).status_code == 403
        assert maple_manager.post(url, {}).status_code == 404
    assert StaffAssignment.objects.get().ends_at is None
    assert "Sent requests" not in words(ben.get(list_url(itn)))
    assert "Who works for this client" not in words(ben.get(client_url(itn, maple)))


def test_the_request_of_another_firm_does_not_exist(
    world: World, manager: Client, itn: BusinessAccount
) -> None:
    theirs = world.relationship_request(world.broker("Cedar"), next_bn9())

    for name in ("status", "withdraw"):
        for pk in (theirs.pk, uuid4()):
            url = reverse(f"relationship_request_{name}", kwargs={"bn9": itn.bn9, "pk": pk})
            got = manager.post(url) if name == "withdraw" else manager.get(url)
            assert got.status_code == 404


# ---------------------------------------------------------------- the list


def test_the_list_shows_state_and_programs(
    world: World, itn: BusinessAccount, clock: time_machine.Traveller
) -> None:
    world.relationship(world.importer("Short"), itn, last_day=date(2026, 11, 23))
    world.relationship(world.importer("Long"), itn, last_day=date(2027, 3, 31))
    clock.move_to(datetime(2026, 11, 24, tzinfo=TORONTO))

    page = words(as_(world.manager(itn)).get(list_url(itn)))

    assert "Expired At the end of November 23, 2026 (Eastern time)" in page
    assert "Active Until the end of March 31, 2027 (Eastern time)" in page
    assert "RM 0001 Long 1" in page and "RM 0002 Long 2" not in page


def test_clients_are_found_by_name_and_by_number(
    world: World, itn: BusinessAccount, manager: Client
) -> None:
    maple, cedar = world.importer("Maple"), world.importer("Cedar 100%")
    for client in (maple, cedar):
        world.relationship(client, itn)
    BusinessAccount.objects.filter(pk=cedar.pk).update(operating_name="Wood_works")

    def found(text: str) -> set[str]:
        rows = manager.get(list_url(itn), {"name": text}).context["clients"]
        return {row.name for row in rows}

    assert found("mapl") == {"Maple"}
    assert found("wood_w") == {"Cedar 100%"}
    assert found("100%") == {"Cedar 100%"}
    assert found("1%0") == set()
    assert found(f" {maple.bn_shown} RM 0001 ") == {"Maple"}
    assert found(cedar.bn9) == {"Cedar 100%"}
    assert found("") == {"Maple", "Cedar 100%"}


@pytest.mark.parametrize("text", ["x" * 176, "a\x00b", "\u202e", "x" * 1_000_000])
def test_a_search_that_cannot_be_read_says_so(
    itn: BusinessAccount, manager: Client, text: str
) -> None:
    page = manager.get(list_url(itn), {"name": text})

    assert page.status_code == 422
    assert "There is a problem" in words(page)


def test_a_search_finds_no_client_of_which_the_person_may_not_know(
    world: World, itn: BusinessAccount, maple: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    world.member("Una", itn)

    page = as_(world.person("Una")).get(list_url(itn), {"name": maple.bn9})

    assert page.context["clients"] == []
    assert "No client of this list has this name or number." in words(page)


def test_clients_come_by_the_page(
    world: World, itn: BusinessAccount, manager: Client, clock: time_machine.Traveller
) -> None:
    names = [f"Client {serial:02}" for serial in range(27)]
    for step, name in enumerate(names):
        later = world.later(minutes=step)
        later.relationship(later.importer(name, programs=1), itn)
    clock.shift(timedelta(hours=1))
    first = manager.get(list_url(itn))
    after = first.context["page"].next_token
    second = manager.get(list_url(itn), {"after": after})
    broken = manager.get(list_url(itn), {"after": after[:-2]})

    def shown(page: HttpResponse) -> list[str]:
        return [row.name for row in page.context["clients"]]

    assert shown(first) + shown(second) == names[::-1]
    assert len(shown(first)) == 25
    assert shown(broken) == shown(first)


@pytest.mark.once
def test_the_list_costs_the_same_for_three_and_thirty(world: World, itn: BusinessAccount) -> None:
    ben = world.member("Ben", itn)
    counts: dict[int, list[int]] = {3: [], 30: []}
    for serial in range(1, 31):
        client = world.importer(f"Client {serial}")
        world.relationship(client, itn, programs=("RM0001", "RM0002"))
        world.assign("Ben", itn, client)
        world.relationship_request(itn, next_bn9())
        if serial in counts:
            for person in (world.manager(itn), ben):
                counts[serial].append(queries(as_(person), list_url(itn)))

    assert counts[3] == counts[30]


def test_a_client_that_came_back_is_listed_once(
    world: World, itn: BusinessAccount, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    later = world.later(days=100)
    world.relationship(maple, itn)
    later.relationship(maple, itn)
    clock.move_to(later.at)

    rows = as_(world.manager(itn)).get(list_url(itn)).context["clients"]

    assert [(row.name, row.state.label) for row in rows] == [("Maple", "Active")]


# ---------------------------------------------------------------- a client


def test_an_expired_user_reads_what_remains(
    world: World,
    itn: BusinessAccount,
    maple: BusinessAccount,
    clock: time_machine.Traveller,
) -> None:
    world.relationship(maple, itn, last_day=date(2027, 3, 14))
    ben = world.assign("Ben", itn, maple).person
    assert ben is not None
    clock.move_to(datetime(2027, 3, 14, 23, 59, tzinfo=TORONTO))
    before = words(as_(ben).get(client_url(itn, maple)))
    clock.move_to(datetime(2027, 3, 15, tzinfo=TORONTO))

    after = words(as_(ben).get(client_url(itn, maple)))

    assert "Expired User" not in before and "What the firm may do" in before
    assert "Expired User" in after and "What the firm may do" not in after
    assert "You can still read what ITN itself submitted for Maple while it lasted." in after
    assert "Earlier terms" in after


def test_the_page_leads_to_the_declarations_of_the_client(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    world.relationship(maple, itn)

    page = manager.get(client_url(itn, maple)).content.decode()

    assert f"/businesses/{itn.bn9}/transactions/?client={maple.bn9}" in page


def test_the_rules_are_worded_for_the_firm(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    world.relationship(maple, itn, rules=Rules(importer=Visibility.VIEW))

    page = words(manager.get(client_url(itn, maple)))

    assert "Submitted by the importer (your client) View" in page
    assert "Submitted by you" not in page
    assert "Maple manager" not in page


# ---------------------------------------------------------------- ask


def test_a_manager_asks_a_business_number(itn: BusinessAccount, manager: Client) -> None:
    bn9 = next_bn9()

    answer = manager.post(
        create_url(itn),
        wish(f"{bn9[:5]} {bn9[5:]}", last_day="2027-06-30", comment="We clear your goods."),
    )

    waiting = RelationshipRequest.objects.get()
    assert answer.status_code == 302 and answer["Location"] == request_url("status", waiting)
    assert (waiting.client_bn9, waiting.level, waiting.ceiling) == (bn9, "program", "editor")
    assert {line.extension for line in waiting.lines.all()} == {"RM0001", "RM0002"}
    assert (waiting.visibility_broker, waiting.visibility_importer) == ("edit", "view")
    assert waiting.wished_last_day == date(2027, 6, 30)
    page = words(manager.get(answer["Location"]))
    assert "We clear your goods." in page and "June 30, 2027" in page
    assert "RM 0001 RM 0002" in page


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_bn9": ""}, "Enter the business number."),
        ({"client_bn9": "888316170"}, "This is not a valid business number. Check each digit."),
        ({"client_bn9": "12345"}, "Enter a business number of 9 digits"),
        ({"client_bn9": "9" * 1_000_000}, "Enter a business number of 9 digits"),
        ({"level": None}, "Choose the level of the relationship."),
        ({"extensions": ""}, "Name at least one program account."),
        ({"extensions": " , ,"}, "Name at least one program account."),
        ({"extensions": "RM0001, RT0001"}, "“RT0001” is no import-export account."),
        ({"extensions": "RM0001; RM0002"}, "is no import-export account."),
        ({"extensions": "RM0001," * 50}, "Use at most 300 characters."),
        ({"level": "business"}, "Business management covers every program account"),
        ({"covers_future": "on"}, "Only business management can include program accounts"),
        ({"ceiling": "reader"}, "A Reader cannot edit."),
        ({"last_day": "2026-11-22"}, "The last day cannot be before today."),
        ({"last_day": "2031-11-24"}, "The last day can be November 23, 2031 at the latest."),
        ({"last_day": "soon"}, "Enter a day as year-month-day"),
        ({"comment": "x" * 501}, "Use at most 500 characters."),
    ],
)
def test_what_is_wrong_is_said_on_the_page(
    itn: BusinessAccount, manager: Client, changed: dict[str, Any], error: str
) -> None:
    page = manager.post(create_url(itn), wish("888316171", **changed))

    assert page.status_code == 422
    assert error in words(page)
    assert page.context["form"]["visibility_importer"].value() == "view"
    assert not RelationshipRequest.objects.exists()


def test_full_width_digits_and_pasted_spaces_are_read(
    itn: BusinessAccount, manager: Client
) -> None:
    manager.post(
        create_url(itn), wish("\u200b８８８３１\u00a0６１７１ ", extensions="ｒｍ０００１")
    )

    waiting = RelationshipRequest.objects.get()
    assert waiting.client_bn9 == "888316171"
    assert [line.extension for line in waiting.lines.all()] == ["RM0001"]


def test_a_firm_does_not_ask_itself(itn: BusinessAccount, manager: Client) -> None:
    page = manager.post(create_url(itn), wish(itn.bn9))

    assert page.status_code == 422
    assert "This is your own business number." in words(page)
    assert page.context["form"]["client_bn9"].errors


def test_one_request_at_a_time_waits(itn: BusinessAccount, manager: Client) -> None:
    key = str(uuid4())
    first = manager.post(create_url(itn), wish("888316171", form_key=key))
    again = manager.post(create_url(itn), wish("888316171", form_key=key))
    another = manager.post(create_url(itn), wish("888316171", form_key=str(uuid4())))

    assert (first.status_code, again.status_code, another.status_code) == (302, 302, 409)
    assert first["Location"] == again["Location"]
    assert "Your firm already has a request waiting for this business number." in words(another)
    assert RelationshipRequest.objects.count() == 1


def test_a_registered_and_an_unregistered_number_read_alike(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    unknown = next_bn9()

    def page_about(bn9: str) -> tuple[str, int]:
        answer = manager.post(create_url(itn), wish(bn9))
        text = words(manager.get(answer["Location"]))
        return text.replace(bn9, "").replace(f"{bn9[:5]} {bn9[5:]}", ""), queries(
            manager, answer["Location"]
        )

    assert page_about(maple.bn9) == page_about(unknown)
    rows = manager.get(sent_url(itn)).context["requests"]
    assert {row.state for row in rows} == {rows[0].state}
    assert "Maple" not in words(manager.get(list_url(itn)))


def _reject(
    world: World, waiting: RelationshipRequest, client: BusinessAccount, actor: User
) -> None:
    waiting.refresh_from_db()
    done(
        reject_relationship_request(
            actor=actor,
            acting_for=client,
            relationship_request=waiting,
            reason="We have a broker.",
            expected_version=waiting.version,
            at=world.at,
        )
    )


def _approve(
    world: World,
    waiting: RelationshipRequest,
    client: BusinessAccount,
    *,
    actor: User | None = None,
    programs: tuple[str, ...] = ("RM0001",),
) -> Relationship:
    waiting.refresh_from_db()
    return done(
        approve_relationship_request(
            actor=actor or world.manager(client),
            acting_for=client,
            relationship_request=waiting,
            agreement=Agreement(
                level=Level.PROGRAM,
                programs=frozenset(world.program(client, one).pk for one in programs),
                ceiling=Ceiling.EDITOR,
                rules=Rules(),
                last_day=date(2027, 3, 31),
            ),
            expected_version=waiting.version,
            at=world.at,
        )
    )


def test_each_outcome_is_told(
    world: World, itn: BusinessAccount, clock: time_machine.Traveller
) -> None:
    firms = {name: world.importer(name) for name in ("Yes", "No", "Back", "Silent")}
    sent = {name: world.relationship_request(itn, firm) for name, firm in firms.items()}
    _approve(world, sent["Yes"], firms["Yes"])
    _reject(world, sent["No"], firms["No"], world.manager(firms["No"]))
    done(
        withdraw_relationship_request(
            actor=world.manager(itn),
            acting_for=itn,
            relationship_request=sent["Back"],
            at=world.at,
        )
    )
    manager = as_(world.manager(itn))
    assert "Waiting for the client" in words(manager.get(request_url("status", sent["Silent"])))
    clock.move_to(sent["Silent"].closes_at)
    manager = as_(world.manager(itn))

    pages = {name: words(manager.get(request_url("status", one))) for name, one in sent.items()}

    assert "Approved by the client" in pages["Yes"]
    assert "The client is among your clients now." in pages["Yes"]
    assert "Rejected by the client" in pages["No"] and "We have a broker." in pages["No"]
    assert "Withdrawn by your firm" in pages["Back"]
    assert "Lapsed: there was no answer in time" in pages["Silent"]
    assert "No manager" not in pages["No"]
    labels = {row.bn: row.state.label for row in manager.get(sent_url(itn)).context["requests"]}
    assert labels == {
        firms["Yes"].bn_shown: "Approved",
        firms["No"].bn_shown: "Rejected",
        firms["Back"].bn_shown: "Withdrawn",
        firms["Silent"].bn_shown: "Lapsed",
    }


@pytest.mark.parametrize("end", ["withdrawn", "lapsed", "waiting", "rejected"])
def test_what_was_approved_before_the_end_of_a_request_stays_in_sight(
    world: World, itn: BusinessAccount, clock: time_machine.Traveller, end: str
) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    waiting = world.relationship_request(
        itn, maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )
    url, door = request_url("status", waiting), client_url(itn, maple)
    assert door not in as_(world.manager(itn)).get(url).content.decode()

    _approve(world, waiting, maple, actor=pam, programs=("RM0001",))
    if end == "withdrawn":
        as_(world.manager(itn)).post(request_url("withdraw", waiting))
    if end == "lapsed":
        clock.move_to(waiting.closes_at)
    if end == "rejected":
        _reject(world.later(hours=1), waiting, maple, world.manager(maple))
    browser = as_(world.manager(itn))
    response = browser.get(url)

    page = words(response)
    state = "Waiting" if end == "waiting" else "Approved in part"
    assert f"Request to {maple.bn_shown} {state}" in page
    last = {
        "withdrawn": "Withdrawn by your firm",
        "lapsed": "Lapsed: there was no answer in time",
        "waiting": "Waiting for the client",
        "rejected": "Rejected by the client",
    }[end]
    history = page.split("History")[1]
    assert history.index(last) < history.index("Approved by the client")
    assert door in response.content.decode()
    assert "Pam Pelletier" not in page
    [row] = browser.get(sent_url(itn)).context["requests"]
    assert row.state.label == state


def test_the_reason_of_a_part_that_was_rejected_stays(world: World, itn: BusinessAccount) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    waiting = world.relationship_request(
        itn, maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )
    theirs = reverse("relationship_request_detail", kwargs={"bn9": maple.bn9, "pk": waiting.pk})

    _reject(world, waiting, maple, pam)
    _approve(world.later(hours=1), waiting, maple, programs=("RM0002",))

    page = words(as_(world.manager(itn)).get(request_url("status", waiting)))
    assert "Rejected by the client" in page and "Reason: We have a broker." in page
    managers = words(as_(world.manager(maple)).get(theirs))
    assert "RM 0001 Maple 1 Rejected Reason: We have a broker. Pam Pelletier" in managers
    assert "RM 0002 Maple 2 Approved Maple manager" in managers


def test_a_request_is_withdrawn_once(world: World, itn: BusinessAccount, manager: Client) -> None:
    waiting = world.relationship_request(itn, next_bn9())
    url = request_url("withdraw", waiting)

    assert manager.get(url).status_code == 405
    first = manager.post(url, follow=True)
    again = manager.post(url)

    assert "has been withdrawn" in words(first)
    assert again.status_code == 409
    assert "This request was closed on November 23, 2026" in words(again)
    assert Event.objects.filter(verb="relationship_request.withdraw").count() == 2


def test_what_was_approved_meanwhile_is_not_withdrawn(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    waiting = world.relationship_request(itn, maple)
    _approve(world, waiting, maple)

    page = manager.post(request_url("withdraw", waiting))

    assert page.status_code == 409
    assert "This request was closed on November 23, 2026" in words(page)
    assert "Maple manager" not in words(page)


def test_sent_requests_come_by_the_page(
    world: World, itn: BusinessAccount, manager: Client, clock: time_machine.Traveller
) -> None:
    for step in range(26):
        world.later(minutes=step).relationship_request(itn, next_bn9())
    clock.shift(timedelta(hours=1))
    first = manager.get(sent_url(itn))

    second = manager.get(sent_url(itn), {"after": first.context["page"].next_token})

    assert (len(first.context["requests"]), len(second.context["requests"])) == (25, 1)


# ---------------------------------------------------------------- assign


@pytest.fixture
def served(world: World, itn: BusinessAccount, maple: BusinessAccount) -> BusinessAccount:
    """Maple, for which ITN acts."""
    world.relationship(maple, itn)
    return maple


def _assign(manager: Client, url: str, whom: User, /, **changed: Any) -> HttpResponse:
    filled = {"person": whom.pk, "role": "editor", "last_day": "", **changed}
    return manager.post(url, filled)


def test_a_manager_assigns_an_employee(
    world: World, itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    ben = world.member("Ben", itn)
    url = client_url(itn, served, "staff_assignment_create")

    answer = _assign(manager, url, ben, last_day="2026-11-23")

    row = StaffAssignment.objects.get()
    assert answer["Location"] == client_url(itn, served)
    assert (row.person, row.client, row.role) == (ben, served, "editor")
    assert row.ends_at == datetime(2026, 11, 24, tzinfo=TORONTO)
    page = words(manager.get(answer["Location"]))
    assert f"Ben now works for Maple ({served.bn_shown})." in page
    assert "Ben As an Editor November 23, 2026" in page
    assert as_(ben).get(client_url(itn, served)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"person": ""}, "Choose an employee."),
        ({"person": "x"}, "Choose an employee of this list"),
        ({"role": ""}, "Choose the most that the employee can do."),
        ({"role": "bam"}, "Choose from the answers shown."),
        ({"last_day": "2026-11-22"}, "The last day cannot be before today."),
        ({"last_day": "31.3."}, "Enter a day as year-month-day"),
    ],
)
def test_what_is_wrong_with_an_assignment_is_said(
    world: World,
    itn: BusinessAccount,
    served: BusinessAccount,
    manager: Client,
    changed: dict[str, Any],
    error: str,
) -> None:
    ben = world.member("Ben", itn)

    page = _assign(manager, client_url(itn, served, "staff_assignment_create"), ben, **changed)

    assert page.status_code == 422
    assert error in words(page)
    assert not StaffAssignment.objects.exists()


def test_only_people_of_the_firm_who_are_not_assigned_can_be_chosen(
    world: World, itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    world.assign("Ben", itn, served)
    una = world.member("Una", itn)
    stranger = world.member("Stan", world.broker("Cedar"))
    url = client_url(itn, served, "staff_assignment_create")

    choices = manager.get(url).context["form"].fields["person"].choices

    assert [value for value, _label in choices] == ["", str(una.pk)]
    for other in (stranger, world.person("Ben"), world.manager(itn)):
        assert _assign(manager, url, other).status_code == 422
    assert StaffAssignment.objects.count() == 1


def test_nobody_is_left_to_assign(
    itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    page = words(manager.get(client_url(itn, served, "staff_assignment_create")))

    assert "Every other employee of the firm is assigned to this client already" in page


def test_an_assignment_is_ended_once_and_can_begin_again(
    world: World, itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    row = world.assign("Ben", itn, served)
    url = reverse(
        "staff_assignment_end",
        kwargs={"bn9": itn.bn9, "pk": row.pk},
    )
    key = str(uuid4())

    first = manager.post(url, {"form_key": key}, follow=True)
    again = manager.post(url, {"form_key": key})
    stale = manager.post(url, {"form_key": str(uuid4())})

    assert f"Ben no longer works for Maple ({served.bn_shown})." in words(first)
    assert (again.status_code, stale.status_code) == (302, 409)
    assert "This assignment is over already. Nothing was changed." in words(stale)
    assert as_(world.person("Ben")).get(client_url(itn, served)).status_code == 404
    created = _assign(
        manager, client_url(itn, served, "staff_assignment_create"), world.person("Ben")
    )
    assert created.status_code == 302


def test_an_assignment_of_another_firm_does_not_exist(
    world: World, itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    cedar = world.broker("Cedar")
    world.relationship(served, cedar)
    theirs = world.assign("Cleo", cedar, served)

    for pk in (theirs.pk, uuid4()):
        url = reverse("staff_assignment_end", kwargs={"bn9": itn.bn9, "pk": pk})
        assert manager.post(url).status_code == 404
    assert not StaffAssignment.objects.filter(ends_at__isnull=False).exists()


def test_groups_stand_on_the_page(
    world: World, itn: BusinessAccount, served: BusinessAccount, manager: Client
) -> None:
    act: dict[str, Any] = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    clients = done(create_client_group(name="Furniture", **act))
    done(add_client_to_group(group=clients, client=served, **act))
    team: EmployeeGroup = done(create_employee_group(name="Team A", **act))
    done(add_employees_to_group(group=team, people=[world.member("Ben", itn)], **act))
    done(create_staff_assignment(assignee=team, target=clients, role=Ceiling.READER, **act))

    page = words(manager.get(client_url(itn, served)))

    assert "Team A By the client group Furniture As a Reader None" in page
    assert "End now" not in page
    assert as_(world.person("Ben")).get(client_url(itn, served)).status_code == 200


def test_an_assignment_does_not_end_before_it_begins(
    world: World, itn: BusinessAccount, served: BusinessAccount
) -> None:
    refusal = create_staff_assignment(
        actor=world.manager(itn),
        acting_for=itn,
        assignee=world.member("Ben", itn),
        target=served,
        role=Ceiling.READER,
        at=world.at,
        ends_at=world.at - timedelta(days=1),
    )

    assert isinstance(refusal, Refusal) and refusal.code == "ends_in_the_past"


# ---------------------------------------------------------------- in French


def test_the_pages_speak_french(world: World, itn: BusinessAccount, maple: BusinessAccount) -> None:
    world.relationship(maple, itn, last_day=date(2027, 3, 31))
    waiting = world.relationship_request(itn, next_bn9())
    manager = as_(world.manager(itn))

    with override("fr-ca"):
        for url in (
            list_url(itn),
            sent_url(itn),
            client_url(itn, maple),
            client_url(itn, maple, "staff_assignment_create"),
            create_url(itn),
            request_url("status", waiting),
        ):
            page = manager.get(url)
            assert page.status_code == 200
            assert 'lang="fr-ca"' in page.content.decode()
