"""Request access to my employer, as the person who asks sees it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import AccessRequest, AccessRequestLine, Status
from delegation.roles import Role
from delegation.services.digests import tell_what_waits
from delegation.services.employees import Grants, approve_access_request, reject_access_request
from tests.delegation.reading import words
from tests.world import World, done, next_bn9

pytestmark = pytest.mark.usefixtures("clock")

NOTE = "I prepare the declarations.\nMy manager is Ana."


@pytest.fixture
def eve(world: World, client: Client) -> Client:
    """Eve, who belongs to no business, signed in."""
    client.force_login(world.person("Eve Early"))
    return client


def ask(client: Client, bn9: str, **more: str) -> Any:
    return client.post(reverse("access_request_create"), {"bn9": bn9, "note": NOTE, **more})


def test_a_request_is_sent_and_its_page_says_what_happens(eve: Client, world: World) -> None:
    maple = world.importer("Maple Imports")
    response = ask(eve, maple.bn9)
    asked = AccessRequest.objects.get()
    assert response.url == reverse("access_request_status", kwargs={"pk": asked.pk})
    page = eve.get(response.url).content.decode()
    assert "Waiting for a manager of the business" in page
    assert "January 22, 2027, 10:30\xa0a.m.\xa0ET, if nobody answers" in page
    assert "Withdraw my request" in page
    assert "The managers of the business choose" in page
    assert asked.note == NOTE


def test_the_wish_names_roles_by_program_account(eve: Client) -> None:
    ask(
        eve, next_bn9(), extension_1="rm-0001", role_1="editor", extension_4="0002", role_4="reader"
    )
    lines = AccessRequestLine.objects.order_by("extension")
    assert [(line.extension, line.wished_role) for line in lines] == [
        ("RM0001", "editor"),
        ("RM0002", "reader"),
    ]
    page = eve.get(reverse("access_request_status", kwargs={"pk": lines[0].request_id}))
    assert "RM 0001: Editor" in page.content.decode()


def test_registered_and_unregistered_numbers_get_the_same_answer(world: World) -> None:
    """Status, redirect and page differ in nothing but the number that the person typed."""
    maple = world.importer("Maple Imports")
    answers = []
    for name, bn9 in [("Eve Early", maple.bn9), ("Ian Innis", next_bn9())]:
        client = Client()
        client.force_login(world.person(name))
        response = ask(client, bn9)
        pk = str(AccessRequest.objects.get(bn9=bn9).pk)
        page = client.get(response.url).content.decode()
        same = page.replace(pk, "PK").replace(bn9[:5] + " " + bn9[5:], "BN")
        same = re.sub(r'name="(form_key|csrfmiddlewaretoken)" value="[^"]*"', "", same)
        answers.append((response.status_code, response.url.replace(pk, "PK"), same))
        assert "Maple" not in page
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", "Enter the business number."),
        ("123456789", "This is not a valid business number. Check each digit."),
        ("12345", "Enter a business number of 9 digits"),
        ("ABCDEFGHI", "Enter a business number of 9 digits"),
        ("888316171RT0001", "This is an account of another program."),
        ("8" * 10_000, "Enter a business number of 9 digits"),
    ],
)
def test_a_number_that_is_none_gets_a_plain_error(eve: Client, typed: str, error: str) -> None:
    response = ask(eve, typed)
    assert response.status_code == 422
    assert error in response.content.decode()
    assert NOTE.splitlines()[0] in response.content.decode()
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    "typed",
    [
        "888316171",
        " 88831 6171 ",
        "888-316-171",
        "８８８３１６１７１",
        "888316171RM0001",
        "8​88316171",
    ],
)
def test_a_number_is_read_however_it_is_typed(eve: Client, typed: str) -> None:
    assert ask(eve, typed).status_code == 302
    assert AccessRequest.objects.get().bn9 == "888316171"


@pytest.mark.parametrize(
    ("note", "error"),
    [
        ("", "Write why you need access."),
        ("   ", "Write why you need access."),
        ("Bell\x07", "The text held characters that cannot be seen."),
        ("Null\x00", "The text held characters that cannot be seen."),
        ("Turned\u202eround", "The text held characters that cannot be seen."),
        ("x" * 501, "Use at most 500 characters."),
        ("x" * 900_000, "Use at most 500 characters."),
    ],
)
def test_a_note_that_cannot_be_read_gets_a_plain_error(eve: Client, note: str, error: str) -> None:
    response = eve.post(reverse("access_request_create"), {"bn9": "888316171", "note": note})
    assert response.status_code == 422
    assert error in response.content.decode()
    assert not AccessRequest.objects.exists()


def test_ten_megabytes_are_refused_before_they_are_read(eve: Client) -> None:
    response = ask(eve, "888316171", note="x" * 10_000_000)
    assert response.status_code == 413
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"extension_1": "RM0001"}, "Choose the role that you want on RM 0001."),
        ({"role_1": "editor"}, "Enter the program account for this role."),
        ({"extension_1": "RT0001", "role_1": "editor"}, "begins with RM"),
        ({"extension_1": "RM0001", "role_1": "bam"}, "Choose from the answers shown."),
        (
            {"extension_1": "RM0001", "role_1": "pam", "extension_2": "1", "role_2": "reader"},
            "Enter the program account as RM and 4 digits",
        ),
        (
            {"extension_1": "RM0001", "role_1": "pam", "extension_2": "0001", "role_2": "reader"},
            "You named RM 0001 twice. Keep one row.",
        ),
    ],
)
def test_a_wish_that_is_not_whole_gets_a_plain_error(
    eve: Client, wish: dict[str, str], error: str
) -> None:
    response = ask(eve, "888316171", **wish)
    assert response.status_code == 422
    assert error in response.content.decode()
    assert '<details class="gcds-details" open>' in response.content.decode()


def test_a_second_request_is_refused_and_leads_to_the_first(eve: Client) -> None:
    ask(eve, "888316171")
    response = ask(eve, "888316171")
    first = AccessRequest.objects.get()
    assert response.status_code == 409
    page = response.content.decode()
    assert "You already have a request waiting for this business number." in page
    assert reverse("access_request_status", kwargs={"pk": first.pk}) in page


def test_a_manager_needs_no_request_to_the_own_business(world: World, client: Client) -> None:
    maple = world.importer("Maple Imports")
    client.force_login(world.manager(maple))
    response = ask(client, maple.bn9)
    assert response.status_code == 422
    assert "You already manage this business account." in response.content.decode()


def test_a_form_posted_twice_asks_once(eve: Client) -> None:
    key = str(uuid4())
    first, second = (ask(eve, "888316171", form_key=key) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert AccessRequest.objects.count() == 1


def test_the_managers_are_told_in_their_language(
    world: World, client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    maple = world.importer("Maple Imports")
    client.force_login(world.person("Eve Early"))
    with django_capture_on_commit_callbacks(execute=True):
        ask(client, maple.bn9)
        tell_what_waits(at=world.at)
    (sent,) = mail.outbox
    assert sent.to == [world.manager(maple).email]
    assert sent.subject == "1 access request is waiting for you"
    assert f"/en-ca/businesses/{maple.bn9}/employees/" in sent.body
    assert "Eve" not in sent.subject + sent.body


def test_a_request_is_withdrawn_once(eve: Client, world: World) -> None:
    ask(eve, "888316171")
    asked = AccessRequest.objects.get()
    address = reverse("access_request_withdraw", kwargs={"pk": asked.pk})
    page = eve.post(address, follow=True).content.decode()
    assert "You withdrew your request to business number 88831 6171." in page
    assert "Withdrawn by you" in page and "Withdraw my request" not in page
    again = eve.post(address)
    assert again.status_code == 409
    assert "This request is closed already. Nothing was changed." in again.content.decode()
    asked.refresh_from_db()
    assert asked.status_at(world.at) is Status.WITHDRAWN


def test_a_withdrawal_posted_twice_answers_alike(eve: Client) -> None:
    ask(eve, "888316171")
    address = reverse("access_request_withdraw", kwargs={"pk": AccessRequest.objects.get().pk})
    key = str(uuid4())
    first, second = (eve.post(address, {"form_key": key}) for _ in range(2))
    assert (first.status_code, first.url) == (second.status_code, second.url)


def test_the_withdrawal_page_opens_by_its_address_too(eve: Client) -> None:
    """Whoever changes the language on the answer to a withdrawal lands on the request."""
    ask(eve, "888316171")
    asked = AccessRequest.objects.get()
    response = eve.get(reverse("access_request_withdraw", kwargs={"pk": asked.pk}))
    assert response.url == reverse("access_request_status", kwargs={"pk": asked.pk})
    asked.refresh_from_db()
    assert not asked.decision


def test_a_refusal_carries_its_reason_and_no_names(world: World, eve: Client) -> None:
    maple = world.importer("Maple Imports")
    asked = world.access_request("Eve Early", maple)
    done(
        reject_access_request(
            actor=world.manager(maple),
            acting_for=maple,
            access_request=asked,
            reason="We do not know you.",
            expected_version=1,
            at=world.later(hours=1).at,
        )
    )
    page = eve.get(reverse("access_request_status", kwargs={"pk": asked.pk})).content.decode()
    assert "Rejected by a manager of the business" in page
    assert "Reason: We do not know you." in page
    assert "Maple" not in page
    refused = eve.post(reverse("access_request_withdraw", kwargs={"pk": asked.pk}))
    assert refused.status_code == 409
    assert "Maple" not in refused.content.decode()


def test_an_approval_names_the_business_and_the_roles(world: World, eve: Client) -> None:
    maple = world.importer("Maple Imports")
    asked = world.access_request("Eve Early", maple, RM0001="pam", RM0002="reader")
    done(
        approve_access_request(
            actor=world.manager(maple),
            acting_for=maple,
            access_request=asked,
            grants=Grants(programs={world.program(maple).pk: Role.EDITOR}),
            expected_version=1,
            at=world.at,
        )
    )
    page = eve.get(reverse("access_request_status", kwargs={"pk": asked.pk})).content.decode()
    assert "You can now work for Maple Imports" in page
    assert "Approved in part by a manager of the business" in page
    assert "RM 0001: Editor" in page and "RM 0002: no access" in page


def decide(world: World, asked: AccessRequest, name: str, **roles: str) -> None:
    """The PAM of that name rejects what is hers, or a manager grants the roles."""
    maple = BusinessAccount.objects.get(bn9=asked.bn9)
    asked.refresh_from_db()
    act: dict[str, Any] = {
        "actor": world.person(name),
        "acting_for": maple,
        "access_request": asked,
        "expected_version": asked.version,
        "at": world.at,
    }
    programs = {world.program(maple, ext).pk: Role(role) for ext, role in roles.items()}
    if programs:
        done(approve_access_request(grants=Grants(programs=programs), **act))
    else:
        done(reject_access_request(reason="Ask Bea for this one.", **act))


def test_the_reason_of_a_part_that_was_rejected_stays(world: World, eve: Client) -> None:
    maple = world.importer("Maple Imports")
    world.employee("Pam Pelletier", maple, RM0001="pam")
    asked = world.access_request("Eve Early", maple, RM0001="editor", RM0002="reader")
    address = reverse("access_request_status", kwargs={"pk": asked.pk})

    decide(world, asked, "Pam Pelletier")
    page = words(eve.get(address))
    assert "Reason: Ask Bea for this one." in page and "My access request Waiting" in page

    decide(world.later(hours=1), asked, "Maple Imports manager", RM0002="reader")
    page = words(eve.get(address))
    assert "Reason: Ask Bea for this one." in page and "RM 0002: Reader" in page
    assert "My access request Approved in part" in page


@pytest.mark.parametrize("end", ["withdrawn", "lapsed"])
def test_what_was_approved_before_the_end_of_a_request_stays_in_sight(
    world: World, eve: Client, clock: time_machine.Traveller, end: str
) -> None:
    maple = world.importer("Maple Imports")
    world.employee("Pam Pelletier", maple, RM0001="pam")
    asked = world.access_request("Eve Early", maple, RM0001="editor", RM0002="reader")
    address = reverse("access_request_status", kwargs={"pk": asked.pk})
    door = reverse("business_home", kwargs={"bn9": maple.bn9})
    assert door not in eve.get(address).content.decode()

    decide(world, asked, "Pam Pelletier", RM0001="editor")
    assert door in eve.get(address).content.decode()
    if end == "withdrawn":
        eve.post(reverse("access_request_withdraw", kwargs={"pk": asked.pk}))
    else:
        clock.move_to(asked.closes_at)
        eve.force_login(world.person("Eve Early"))
    response = eve.get(address)

    page = words(response)
    assert "My access request Approved in part" in page
    assert "Approved by a manager of the business" in page
    assert ("Withdrawn by you" if end == "withdrawn" else "Lapsed: nobody answered") in page
    assert door in response.content.decode()
    assert "Approved in part" in words(eve.get(reverse("home")))


def test_an_unanswered_request_lapses_by_itself(eve: Client, world: World) -> None:
    ask(eve, "888316171")
    asked = AccessRequest.objects.get()
    with time_machine.travel(asked.closes_at + timedelta(seconds=1), tick=False):
        client = Client()
        client.force_login(world.person("Eve Early"))
        page = client.get(reverse("access_request_status", kwargs={"pk": asked.pk}))
        assert "Lapsed: nobody answered in time" in page.content.decode()
        assert ask(client, "888316171").status_code == 302


@pytest.mark.parametrize("name", ["access_request_status", "access_request_withdraw"])
@pytest.mark.parametrize("asker", ["Eve Early", "nobody"])
def test_the_request_of_another_does_not_exist(
    world: World, client: Client, name: str, asker: str
) -> None:
    """Not even for the managers who decide on it: they have a page of their own."""
    maple = world.importer("Maple Imports")
    pk = world.access_request(asker, maple).pk if asker != "nobody" else uuid4()
    client.force_login(world.manager(maple))
    address = reverse(name, kwargs={"pk": pk})
    assert client.get(address).status_code == 404
    if name == "access_request_withdraw":
        assert client.post(address).status_code == 404
        assert not AccessRequest.objects.exclude(decision="").exists()


def test_the_pages_ask_to_sign_in(client: Client, db: None) -> None:
    for address in [
        reverse("access_request_create"),
        reverse("access_request_status", kwargs={"pk": uuid4()}),
    ]:
        response = client.get(address)
        assert response.status_code == 302
        assert reverse("account_login") in response.url
