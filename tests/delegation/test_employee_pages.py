"""Manage My Employees: the list, and the decisions on access requests."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from audit.models import Event
from businesses.models import BusinessAccount
from delegation.models import AccessRequest, Membership
from delegation.roles import Role
from delegation.services.employees import Grants, approve_access_request, withdraw_access_request
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.roles import grant_program_role
from tests.delegation.reading import confirm
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")

PERSONAS = ["BAM", "PAM", "editor", "reader", "no role", "stranger", "orphan"]
NOT_ACTIVE = "This business account is not active: you can look, but not change anything."
DECISIONS = ["access_request_detail", "access_request_approve", "access_request_reject"]


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    """An importer with RM0001 and RM0002."""
    return world.importer("Maple Imports")


@pytest.fixture
def asked(world: World, maple: BusinessAccount) -> AccessRequest:
    """Eve wants to edit RM0001 and read RM0002."""
    return world.access_request("Eve Early", maple, RM0001="editor", RM0002="reader")


def persona(name: str, world: World, maple: BusinessAccount) -> User:
    """A person who stands to the business as the name says."""
    if name == "BAM":
        return world.manager(maple)
    if name == "stranger":
        return world.manager(world.importer("Zebra Goods"))
    if name == "orphan":
        return world.person("Olga Orphan")
    if name == "no role":
        return world.member("Nora Norole", maple)
    return world.employee(f"Paul {name}", maple, RM0001=name.lower())


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def address(name: str, asked: AccessRequest) -> str:
    return reverse(name, kwargs={"bn9": asked.bn9, "pk": asked.pk})


def people(maple: BusinessAccount) -> str:
    return reverse("employee_list", kwargs={"bn9": maple.bn9})


def choice(asked: AccessRequest, **chosen: str) -> dict[str, str]:
    """The form of a BAM, filled in: a role by program account, or `scope="business"`."""
    asked.refresh_from_db()
    return {"version": str(asked.version), "scope": "programs", **chosen}


# Who may open what


@pytest.mark.parametrize("name", PERSONAS)
def test_the_list_opens_for_managers(name: str, world: World, maple: BusinessAccount) -> None:
    response = signed_in(persona(name, world, maple)).get(people(maple))
    expected = {"BAM": 200, "PAM": 200, "stranger": 404, "orphan": 404}.get(name, 403)
    assert response.status_code == expected
    if expected == 403:
        assert "Your role does not include this." in response.content.decode()


@pytest.mark.parametrize(
    ("page", "method"),
    [*((page, "get") for page in DECISIONS), *((page, "post") for page in DECISIONS[1:])],
)
@pytest.mark.parametrize("name", [name for name in PERSONAS if name not in ("BAM", "PAM")])
def test_a_request_is_closed_to_everybody_else(
    name: str, page: str, method: str, world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(persona(name, world, maple))
    response = getattr(client, method)(address(page, asked), choice(asked, RM0001="editor"))
    assert response.status_code == (404 if name in ("stranger", "orphan") else 403)
    assert "Eve Early" not in response.content.decode()
    asked.refresh_from_db()
    assert not asked.decision


@pytest.mark.parametrize("page", DECISIONS)
def test_a_request_to_another_business_does_not_exist(
    page: str, world: World, maple: BusinessAccount
) -> None:
    foreign = world.access_request("Eve Early", world.importer("Zebra Goods"))
    client = signed_in(world.manager(maple))
    for pk in (foreign.pk, uuid4()):
        wrong = reverse(page, kwargs={"bn9": maple.bn9, "pk": pk})
        assert client.get(wrong).status_code == 404
        if page != "access_request_detail":
            assert client.post(wrong, {"version": "1"}).status_code == 404


def test_a_pam_knows_requests_for_its_own_programs_alone(
    world: World, maple: BusinessAccount
) -> None:
    pam = world.employee("Pam Pelletier", maple, RM0002="pam")
    elsewhere = world.access_request("Eve Early", maple, RM0001="editor")
    anything = world.access_request("Ian Innis", maple)
    both = world.access_request("Bo Both", maple, RM0001="reader", RM0002="reader")
    client = signed_in(pam)
    assert client.get(address("access_request_detail", elsewhere)).status_code == 404
    assert client.get(address("access_request_detail", anything)).status_code == 404
    page = client.get(address("access_request_detail", both)).content.decode()
    assert "RM 0002" in page and "RM 0001" not in page
    listed = client.get(people(maple)).content.decode()
    assert "Bo Both" in listed
    assert "Eve Early" not in listed and "Ian Innis" not in listed and "RM 0001" not in listed


# The list


def test_the_list_tells_who_asks_and_who_may_what(world: World, maple: BusinessAccount) -> None:
    world.employee("Rita Reader", maple, RM0001="reader", RM0002="editor")
    world.earlier(days=3).access_request("Eve Early", maple, RM0001="editor")
    world.access_request("Ian Innis", maple)
    page = signed_in(world.manager(maple)).get(people(maple)).content.decode()
    assert "3 days" in page and "Less than a day" in page
    assert "RM 0001: Editor" in page and "You choose" in page
    assert "RM 0001 Maple Imports 1: Reader" in page
    assert "RM 0002 Maple Imports 2: Editor" in page
    assert "Business Account Manager" in page
    assert page.index("Eve Early") < page.index("Ian Innis")


def test_the_list_names_the_group_that_a_right_comes_through(
    world: World, maple: BusinessAccount
) -> None:
    rita = world.employee("Rita Reader", maple, RM0001="reader")
    act: dict[str, Any] = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Customs desk", **act))
    done(
        grant_employee_group_role(
            group=group, scope=world.program(maple, "RM0002"), role=Role.EDITOR, **act
        )
    )
    done(add_employees_to_group(group=group, people=[rita], **act))
    bundle = world.program_group("Both", maple, "RM0001", "RM0002")
    done(grant_employee_group_role(group=group, scope=bundle, role=Role.READER, **act))
    page = signed_in(world.manager(maple)).get(people(maple)).content.decode()
    assert page.count("Through the group Customs desk") == 3
    assert page.count("Direct") == 2


def test_a_pam_sees_the_people_and_rights_of_its_programs(
    world: World, maple: BusinessAccount
) -> None:
    pam = world.employee("Pam Pelletier", maple, RM0002="pam")
    world.employee("Rita Reader", maple, RM0001="reader", RM0002="reader")
    world.employee("Ed Editor", maple, RM0001="editor")
    page = signed_in(pam).get(people(maple)).content.decode()
    assert "Rita Reader" in page and "RM 0002 Maple Imports 2: Reader" in page
    assert "Maple Imports manager" in page
    assert "Ed Editor" not in page and "RM 0001" not in page


def test_one_manager_alone_is_warned(world: World, maple: BusinessAccount) -> None:
    client = signed_in(world.manager(maple))
    warning = "Name a second Business Account Manager"
    assert warning in client.get(people(maple)).content.decode()
    world.employee("Ben Second", maple)
    assert warning not in client.get(people(maple)).content.decode()


@pytest.mark.parametrize(
    ("words", "found"),
    [("rita", True), ("Reader Rita", True), ("rita.reader@", True), ("ritta", False), ("%", False)],
)
def test_an_employee_is_found_by_words(
    words: str, found: bool, world: World, maple: BusinessAccount
) -> None:
    world.employee("Rita Reader", maple, RM0001="reader")
    page = signed_in(world.manager(maple)).get(people(maple), {"name": words}).content.decode()
    assert ("rita.reader@example.test" in page) is found
    assert ("Nobody has this name or e-mail." in page) is not found


def test_a_search_that_cannot_be_read_says_so(world: World, maple: BusinessAccount) -> None:
    client = signed_in(world.manager(maple))
    assert client.get(people(maple), {"name": "a\x00"}).status_code == 422
    assert client.get(people(maple), {"name": "a" * 5000}).status_code == 422


@pytest.mark.once
def test_the_list_costs_the_same_for_three_and_for_thirty(
    world: World, maple: BusinessAccount
) -> None:
    def queries() -> int:
        client = signed_in(world.manager(maple))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(people(maple)).status_code == 200
        return len(captured)

    counts = []
    for start, stop in [(0, 3), (3, 30)]:
        for number in range(start, stop):
            world.employee(f"Worker {number}", maple, RM0001="reader", RM0002="editor")
            world.access_request(f"Asker {number}", maple, RM0001="reader")
        counts.append(queries())
    assert counts[0] == counts[1]
    client = signed_in(world.manager(maple))
    pages = [client.get(people(maple))]
    while token := pages[-1].context["page"].next_token:
        pages.append(client.get(people(maple), {"after": token}))
    listed = [one.person.get_full_name() for page in pages for one in page.context["employees"]]
    assert len(pages) == 2 and len(listed) == len(set(listed)) == 31


# Approving


def test_the_form_proposes_what_was_wished(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    page = signed_in(world.manager(maple)).get(address("access_request_detail", asked))
    form = page.context["form"]
    assert form["roles"].value() == {"RM0001": "editor", "RM0002": "reader"}
    assert form["scope"].initial == "programs"
    assert "Wanted: Editor" in page.content.decode()


def test_approving_says_in_words_what_is_given_before_it_is(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.manager(maple))
    response = client.post(address("access_request_approve", asked), choice(asked, RM0001="editor"))
    page = response.content.decode()
    assert response.status_code == 200
    assert f"<strong>Maple Imports, {maple.bn_shown}</strong>" in page
    assert "Creates, edits and views all transactions of a program account, and pays." in page
    assert "also asked for this and does not get it:" in page
    assert "RM 0002 Maple Imports 2: Reader" in page
    assert not Membership.objects.filter(person=asked.person).exists()


def test_a_confirmed_approval_gives_the_roles(
    world: World,
    maple: BusinessAccount,
    asked: AccessRequest,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    client = signed_in(world.manager(maple))
    filled = choice(asked, RM0001="reader", RM0002="pam")
    with django_capture_on_commit_callbacks(execute=True):
        response = confirm(client, address("access_request_approve", asked), filled)
    assert response.url == people(maple)
    said = client.get(response.url).content.decode()
    assert (
        f"You approved the access request of Eve Early to Maple Imports, {maple.bn_shown}." in said
    )
    assert roles_of(maple, asked.person, world.at) == {"RM0001": Role.READER, "RM0002": Role.PAM}
    (sent,) = mail.outbox[-1:]
    assert sent.to == [asked.person.email]
    assert "- RM 0001: Reader" in sent.body and "- RM 0002: Program Account Manager" in sent.body
    assert "Maple Imports" in sent.body and "still waits" not in sent.body


def test_the_choice_can_be_changed_before_it_is_confirmed(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.manager(maple))
    filled = choice(asked, RM0001="pam", change="yes")
    response = client.post(address("access_request_approve", asked), filled)
    assert response.status_code == 200
    assert response.context["form"]["roles"].value()["RM0001"] == "pam"
    asked.refresh_from_db()
    assert not asked.decision


@pytest.mark.parametrize("other", [{"scope": "business"}, {"RM0002": "pam"}, {"seal": ""}])
def test_what_is_confirmed_is_what_was_shown(
    world: World, maple: BusinessAccount, asked: AccessRequest, other: dict[str, str]
) -> None:
    client, url = signed_in(world.manager(maple)), address("access_request_approve", asked)
    filled = choice(asked, RM0001="reader")
    sealed = filled | {"confirm": "yes", "seal": client.post(url, filled).context["seal"]}

    page = client.post(url, sealed | other)

    assert page.status_code == 409
    assert "This changed since you looked. Nothing was given" in page.content.decode()
    assert not Membership.objects.filter(person=asked.person).exists()
    again = sealed | other | {"seal": page.context["seal"]}
    assert client.post(url, again).status_code == 302
    assert world.access(asked.person, maple).is_bam is (other == {"scope": "business"})


def test_a_role_held_since_the_preview_is_shown_first(world: World, maple: BusinessAccount) -> None:
    rita = world.employee("Rita Reader", maple, RM0002="reader")
    asked = world.access_request("Rita Reader", maple, RM0001="editor")
    client, url = signed_in(world.manager(maple)), address("access_request_approve", asked)
    filled = choice(asked, RM0001="editor")
    sealed = filled | {"confirm": "yes", "seal": client.post(url, filled).context["seal"]}
    grant_program_role(
        person=rita,
        program=world.program(maple),
        role=Role.PAM,
        granted_by=world.manager(maple),
        at=world.at,
    )

    page = client.post(url, sealed)

    assert page.status_code == 409
    assert "Takes the place of the role held today: Program Account" in page.content.decode()
    assert roles_of(maple, rita, world.at)["RM0001"] is Role.PAM


def test_the_whole_business_can_be_given(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.manager(maple))
    filled = choice(asked, scope="business", RM0001="reader")
    page = client.post(address("access_request_approve", asked), filled).content.decode()
    assert "a <strong>Business Account Manager</strong> of" in page
    confirm(client, address("access_request_approve", asked), filled)
    assert world.access(asked.person, maple).is_bam


def test_an_approval_posted_twice_has_one_effect(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.manager(maple))
    url, filled = address("access_request_approve", asked), choice(asked, RM0001="editor")
    filled |= {"form_key": str(uuid4())}
    sealed = filled | {"confirm": "yes", "seal": client.post(url, filled).context["seal"]}
    first, second = (client.post(url, sealed) for _ in "ab")
    assert (first.status_code, first.url) == (second.status_code, second.url)
    decided = Event.objects.filter(verb__startswith="access_request.approve")
    assert set(decided.values_list("verb", flat=True)) == {"access_request.approve"}
    assert decided.count() == 2  # one in the chain of the business, one in the person's


@pytest.mark.parametrize(
    ("filled", "error"),
    [
        ({"scope": "programs"}, "Choose a role on at least one program account"),
        ({"scope": ""}, "Choose which access to give."),
        ({"RM0001": "bam"}, "Choose from the answers shown."),
        ({"RM0001": "owner"}, "Choose from the answers shown."),
        ({"RM0001": "editor", "version": ""}, "This page is out of date."),
        ({"RM0001": "editor", "version": "9" * 40}, "This page is out of date."),
        ({"RM0001": "editor", "version": "first"}, "This page is out of date."),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(
    filled: dict[str, str],
    error: str,
    world: World,
    maple: BusinessAccount,
    asked: AccessRequest,
) -> None:
    client = signed_in(world.manager(maple))
    posted = choice(asked, confirm="yes") | filled
    response = client.post(address("access_request_approve", asked), posted)
    assert response.status_code == 422
    assert error in response.content.decode()
    asked.refresh_from_db()
    assert not asked.decision


def test_the_address_of_the_approval_opens_the_request(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    response = signed_in(world.manager(maple)).get(address("access_request_approve", asked))
    assert response.url == address("access_request_detail", asked)


def test_a_pam_gives_what_was_asked_for_its_program_at_most_as_editor(
    world: World, maple: BusinessAccount
) -> None:
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    asked = world.access_request("Eve Early", maple, RM0001="pam", RM0002="editor")
    client = signed_in(pam)
    form = client.get(address("access_request_detail", asked)).context["form"]
    assert [str(label) for label in form.columns()] == ["Editor", "Reader", "None"]
    assert form["roles"].value() == {"RM0001": "editor"} and form.found.shown == ("RM0001",)
    beyond = {"version": "1", "scope": "business", "RM0001": "pam", "confirm": "yes"}
    assert client.post(address("access_request_approve", asked), beyond).status_code == 422
    filled = {"version": "1", "scope": "business", "RM0001": "editor", "RM0002": "editor"}
    confirm(client, address("access_request_approve", asked), filled)
    assert roles_of(maple, asked.person, world.at) == {"RM0001": Role.EDITOR, "RM0002": None}
    assert not world.access(asked.person, maple).is_bam
    asked.refresh_from_db()
    assert not asked.decision and asked.version == 2


def test_what_a_pam_decided_is_shown_to_the_bam_who_decides_the_rest(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    stale = choice(asked, RM0002="reader", confirm="yes")
    confirm(
        signed_in(pam),
        address("access_request_approve", asked),
        {"version": "1", "RM0001": "editor"},
    )
    client = signed_in(world.manager(maple))
    response = client.post(address("access_request_approve", asked), stale)
    page = response.content.decode()
    assert response.status_code == 409
    assert "This request changed while you had the page open. Nothing was decided." in page
    assert "Pam Pelletier" in page
    assert response.context["form"]["roles"].value()["RM0002"] == "reader"
    assert confirm(
        client, address("access_request_approve", asked), choice(asked, RM0002="reader")
    ).url == people(maple)
    assert roles_of(maple, asked.person, world.at) == {"RM0001": Role.EDITOR, "RM0002": Role.READER}


@pytest.mark.parametrize("page", ["access_request_approve", "access_request_reject"])
def test_the_loser_of_a_race_reads_who_decided_and_when(
    page: str, world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    filled = choice(asked, RM0001="editor", confirm="yes", reason="No.")
    second = world.employee("Ben Second", maple)
    done(
        approve_access_request(
            actor=second,
            acting_for=maple,
            access_request=asked,
            grants=Grants(programs={world.program(maple).pk: Role.READER}),
            expected_version=1,
            at=world.at,
        )
    )
    response = signed_in(world.manager(maple)).post(address(page, asked), filled)
    shown = response.content.decode()
    assert response.status_code == 409
    assert "Ben Second already approved this request on November 23, 2026, 10:30" in shown
    assert "Nothing was changed." in shown
    assert roles_of(maple, asked.person, world.at)["RM0001"] is Role.READER


@pytest.mark.parametrize("page", ["access_request_approve", "access_request_reject"])
def test_what_was_withdrawn_meanwhile_is_not_decided(
    page: str, world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    filled = choice(asked, RM0001="editor", confirm="yes", reason="No.")
    done(withdraw_access_request(actor=asked.person, access_request=asked, at=world.at))
    response = signed_in(world.manager(maple)).post(address(page, asked), filled)
    assert response.status_code == 409
    assert "Eve Early withdrew this request on" in response.content.decode()


def test_what_lapsed_is_not_decided(world: World, maple: BusinessAccount) -> None:
    asked = world.earlier(days=61).access_request("Eve Early", maple)
    client = signed_in(world.manager(maple))
    assert (
        "Lapsed, unanswered" in client.get(address("access_request_detail", asked)).content.decode()
    )
    filled = choice(asked, RM0001="editor", confirm="yes")
    response = client.post(address("access_request_approve", asked), filled)
    assert response.status_code == 409
    assert "This request lapsed on" in response.content.decode()
    assert "Eve Early" not in client.get(people(maple)).content.decode()


def test_nobody_decides_a_request_of_their_own(world: World, maple: BusinessAccount) -> None:
    pam = world.employee("Pam Pelletier", maple, RM0001="pam")
    asked = world.access_request("Pam Pelletier", maple, RM0001="editor")
    client = signed_in(pam)
    page = client.get(address("access_request_detail", asked)).content.decode()
    assert "You asked for this yourself: another manager of the business decides." in page
    assert reverse("access_request_detail", kwargs={"bn9": maple.bn9, "pk": asked.pk}) not in (
        client.get(people(maple)).content.decode()
    )
    filled = {"version": "1", "RM0001": "editor", "confirm": "yes", "reason": "Yes."}
    for name in ("access_request_approve", "access_request_reject"):
        response = client.post(address(name, asked), filled)
        assert response.status_code == 403
        assert "Nothing in this request is yours to decide." in response.content.decode()
    assert Event.objects.filter(verb="access_request.approve.refused").exists()


def test_an_employee_who_asks_for_more_keeps_the_rest(world: World, maple: BusinessAccount) -> None:
    rita = world.employee("Rita Reader", maple, RM0001="editor")
    asked = world.access_request("Rita Reader", maple, RM0002="reader")
    client = signed_in(world.manager(maple))
    page = client.get(address("access_request_detail", asked)).content.decode()
    assert "Today: Editor. It stays unless you choose another role." in page
    filled = choice(asked, RM0001="pam", RM0002="reader")
    preview = client.post(address("access_request_approve", asked), filled).content.decode()
    assert "Takes the place of the role held today: Editor" in preview
    filled = choice(asked, RM0002="reader")
    confirm(client, address("access_request_approve", asked), filled)
    assert roles_of(maple, rita, world.at) == {"RM0001": Role.EDITOR, "RM0002": Role.READER}


def test_a_wish_for_a_program_that_is_not_there_is_said(
    world: World, maple: BusinessAccount
) -> None:
    asked = world.access_request("Eve Early", maple, RM0009="editor")
    page = signed_in(world.manager(maple)).get(address("access_request_detail", asked))
    assert "RM 0009 is not a program account of Maple Imports" in page.content.decode()


def test_a_business_that_is_not_active_decides_nothing(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    BusinessAccount.objects.update(status=BusinessAccount.Status.SUSPENDED)
    client = signed_in(world.manager(maple))
    page = client.get(address("access_request_detail", asked)).content.decode()
    assert NOT_ACTIVE in page and "Nothing in this request is yours" not in page
    assert "Eve Early" in client.get(people(maple)).content.decode()
    for name in DECISIONS[1:]:
        filled = choice(asked, RM0001="editor", confirm="yes", reason="No.")
        response = client.post(address(name, asked), filled)
        assert response.status_code == 403
        assert response.content.decode().count(NOT_ACTIVE) > 1


# Rejecting


def test_rejecting_needs_a_reason_and_carries_it(
    world: World,
    maple: BusinessAccount,
    asked: AccessRequest,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    client = signed_in(world.manager(maple))
    page = client.get(address("access_request_reject", asked)).content.decode()
    assert f"<strong>Maple Imports, {maple.bn_shown}</strong>" in page
    empty = client.post(address("access_request_reject", asked), choice(asked, reason=" "))
    assert empty.status_code == 422
    assert "Write why you reject the request." in empty.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(
            address("access_request_reject", asked), choice(asked, reason="You left us.")
        )
    assert response.url == people(maple)
    asked.refresh_from_db()
    assert asked.decision == "rejected"
    assert {line.reason for line in asked.lines.all()} == {"You left us."}
    (sent,) = mail.outbox[-1:]
    assert sent.to == [asked.person.email] and "Reason: You left us." in sent.body
    assert "Maple" not in sent.subject + sent.body


@pytest.mark.parametrize("reason", ["x" * 501, "Bell\x07", "Null\x00"])
def test_a_reason_that_cannot_be_read_gets_a_plain_error(
    reason: str, world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.manager(maple))
    response = client.post(address("access_request_reject", asked), choice(asked, reason=reason))
    assert response.status_code == 422
    asked.refresh_from_db()
    assert not asked.decision


def test_a_pam_rejects_its_part_and_the_rest_goes_on_waiting(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    client = signed_in(world.employee("Pam Pelletier", maple, RM0001="pam"))
    page = client.get(address("access_request_reject", asked)).content.decode()
    assert "the rest goes on waiting for other managers." in page and "RM 0001" in page
    client.post(address("access_request_reject", asked), {"version": "1", "reason": "Not this."})
    asked.refresh_from_db()
    assert not asked.decision and asked.version == 2
    shown = signed_in(world.manager(maple)).get(address("access_request_detail", asked))
    assert "Reason: Not this." in shown.content.decode()
    decided = client.get(address("access_request_reject", asked))
    assert decided.url == address("access_request_detail", asked)


def test_a_request_changed_since_it_was_read_is_not_rejected(
    world: World, maple: BusinessAccount, asked: AccessRequest
) -> None:
    AccessRequest.objects.update(version=2)
    client = signed_in(world.manager(maple))
    response = client.post(
        address("access_request_reject", asked), {"version": "1", "reason": "Because."}
    )
    page = response.content.decode()
    assert response.status_code == 409
    assert "This request changed while you had the page open." in page
    assert "Because." in page and 'name="version" value="2"' in page


def test_what_people_write_is_shown_as_text(world: World, maple: BusinessAccount) -> None:
    asked = world.access_request("Eve Early", maple)
    AccessRequest.objects.update(note="<script>alert(1)</script>{{ 7 }}")
    client = signed_in(world.manager(maple))
    for page in (people(maple), address("access_request_detail", asked)):
        shown = client.get(page).content.decode()
        assert "<script>alert" not in shown
        assert escape("<script>alert(1)</script>") in shown
