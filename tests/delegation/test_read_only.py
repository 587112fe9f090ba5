"""What can be read and not changed: closed program accounts, accounts not active, former firms."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from audit.services import Refusal
from businesses.models import BusinessAccount
from delegation.consent import VERSION
from delegation.models import (
    Ceiling,
    Level,
    ProgramRole,
    Relationship,
    RelationshipRequest,
    StaffAssignment,
)
from delegation.roles import Role
from delegation.services.agreements import Agreement, Rules
from delegation.services.clients import create_staff_assignment
from delegation.services.employees import Grants, approve_access_request
from delegation.services.relationships import (
    approve_relationship_request,
    withdraw_relationship_request,
)
from delegation.services.rights import end_program_role, resume_membership
from tests.access.random_worlds import submission
from tests.delegation.reading import as_, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NOT_ACTIVE = "This business account is not active: you can look, but not change anything."
CLOSED = "RM 0002 Maple 2 is closed: nothing can be given on it."


@pytest.fixture
def manager(world: World, maple: BusinessAccount) -> Client:
    return as_(world.manager(maple))


def close(world: World, owner: BusinessAccount) -> None:
    """RM0002 of the business closes now."""
    owner.programs.filter(extension="RM0002").update(closed_at=world.at)


def become(business: BusinessAccount, **columns: str) -> BusinessAccount:
    """What the register or the agency says of a business from now on."""
    BusinessAccount.objects.filter(pk=business.pk).update(**columns)
    business.refresh_from_db()
    return business


def url(name: str, business: BusinessAccount, **more: object) -> str:
    return reverse(name, kwargs={"bn9": business.bn9, **more})


# ---------------------------------------------------------------- closed program accounts


def test_a_closed_program_account_is_not_offered_to_an_employee(
    world: World, maple: BusinessAccount, manager: Client
) -> None:
    asked = world.access_request("Eve", maple, RM0001="editor", RM0002="reader")
    close(world, maple)

    page = manager.get(url("access_request_detail", maple, pk=asked.pk))

    assert page.context["form"].found.shown == ("RM0001",)
    assert "RM 0002 is closed: nothing can be given on it." in words(page)
    answer = approve_access_request(
        actor=world.manager(maple),
        acting_for=maple,
        access_request=asked,
        grants=Grants(programs={world.program(maple, "RM0002").pk: Role.READER}),
        expected_version=1,
        at=world.at,
    )
    assert isinstance(answer, Refusal)
    assert (answer.code, str(answer.message)) == ("program_closed", CLOSED)


def test_a_closed_program_account_is_not_offered_to_a_firm(
    world: World, maple: BusinessAccount, itn: BusinessAccount, manager: Client
) -> None:
    waiting = world.relationship_request(
        itn, maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002", "RM0009")
    )
    close(world, maple)

    page = manager.get(url("relationship_request_detail", maple, pk=waiting.pk))

    choices = page.context["form"].fields["programs"].choices
    assert [value for value, _label in choices] == ["RM0001"]
    assert "RM 0002 is closed: nothing can be given on it." in words(page)
    assert "RM 0009 is not a program account of Maple: nothing can be given." in words(page)
    answer = agree(world, waiting, maple, "RM0002")
    assert isinstance(answer, Refusal)
    assert (answer.code, str(answer.message)) == ("program_closed", CLOSED)


def agree(
    world: World, waiting: RelationshipRequest, client: BusinessAccount, *programs: str
) -> Relationship | Refusal:
    return approve_relationship_request(
        actor=world.manager(client),
        acting_for=client,
        relationship_request=waiting,
        agreement=Agreement(
            level=Level.PROGRAM,
            programs=frozenset(world.program(client, one).pk for one in programs),
            ceiling=Ceiling.READER,
            rules=Rules(),
            last_day=world.later(days=30).at.date(),
        ),
        expected_version=waiting.version,
        at=world.at,
    )


def test_the_manager_of_a_closed_program_account_looks_and_reads_why(
    world: World, maple: BusinessAccount
) -> None:
    pam = as_(world.employee("Pam", maple, RM0002="pam"))
    asked = world.access_request("Eve", maple, RM0002="reader")
    close(world, maple)
    closed = "This program account is closed: you can look, but not change anything."

    assert "Eve" in words(pam.get(url("employee_list", maple)))
    assert closed in words(pam.get(url("access_request_detail", maple, pk=asked.pk)))
    answer = pam.post(
        url("access_request_reject", maple, pk=asked.pk), {"version": 1, "reason": "No."}
    )
    assert answer.status_code == 403 and closed in words(answer)


# ---------------------------------------------------------------- who can be given nothing


def suspend_firm(world: World, itn: BusinessAccount) -> None:
    become(itn, status="suspended")


def close_firm(world: World, itn: BusinessAccount) -> None:
    become(itn, status="closed")


def retire_firm(world: World, itn: BusinessAccount) -> None:
    become(itn, provider_type="none")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (suspend_firm, "The business account of this firm is not active."),
        (close_firm, "The business account of this firm is not active."),
        (retire_firm, "This firm is no longer a service provider."),
    ],
)
def test_such_a_firm_can_be_rejected_and_not_approved(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    manager: Client,
    change: Callable[[World, BusinessAccount], None],
    said: str,
) -> None:
    waiting = world.relationship_request(itn, maple)
    change(world, itn)

    page = manager.get(url("relationship_request_detail", maple, pk=waiting.pk))
    assert page.context["form"] is None and said in words(page)
    assert url("relationship_request_reject", maple, pk=waiting.pk) in page.content.decode()
    for confirm in ({}, {"confirm": "yes"}):
        answer = manager.post(
            url("relationship_request_approve", maple, pk=waiting.pk), agreed() | confirm
        )
        assert answer.status_code == 422 and words(answer).count(said) == 1
    assert not Relationship.objects.exists()
    rejected = manager.post(
        url("relationship_request_reject", maple, pk=waiting.pk), {"version": 1, "reason": "No."}
    )
    assert rejected.status_code == 302


def agreed() -> dict[str, object]:
    return {
        "version": 1,
        "consent_version": VERSION,
        "level": "program",
        "programs": ["RM0001"],
        "ceiling": "editor",
        "end": "date",
        "last_day": "2027-03-31",
        "visibility_broker": "view",
        "visibility_importer": "none",
        "visibility_other": "none",
        "consent": "on",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("disabled", "The user account of this person is disabled."),
        ("suspended", "This person’s access to the business is suspended."),
    ],
)
def test_such_a_person_can_be_rejected_and_not_approved(
    world: World, maple: BusinessAccount, manager: Client, change: str, said: str
) -> None:
    rita = world.employee("Rita", maple, RM0001="reader")
    asked = world.access_request("Rita", maple, RM0002="reader")
    if change == "disabled":
        rita.is_active = False
        rita.save()
    else:
        rita.memberships.update(suspended_at=world.at)

    page = manager.get(url("access_request_detail", maple, pk=asked.pk))
    assert page.context["form"] is None and said in words(page)
    assert url("access_request_reject", maple, pk=asked.pk) in page.content.decode()
    answer = manager.post(
        url("access_request_approve", maple, pk=asked.pk),
        {"version": 1, "scope": "programs", "RM0002": "reader", "confirm": "yes"},
    )
    asked.refresh_from_db()
    assert not asked.decision and said in words(answer)


# ---------------------------------------------------------------- a business that is not active


def test_every_page_of_an_account_that_is_not_active_says_so(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    relationship = world.relationship(maple, itn)
    asked = world.access_request("Eve", maple)
    waiting = world.relationship_request(itn, maple)
    pages = [
        (maple, "business_home", {}),
        (maple, "declaration_list", {}),
        (maple, "employee_list", {}),
        (maple, "access_request_detail", {"pk": asked.pk}),
        (maple, "relationship_list", {}),
        (maple, "relationship_detail", {"pk": relationship.pk}),
        (maple, "relationship_request_detail", {"pk": waiting.pk}),
        (maple, "activity_list", {}),
        (itn, "client_list", {}),
        (itn, "client_detail", {"client_bn9": maple.bn9}),
        (itn, "relationship_request_status", {"pk": waiting.pk}),
    ]
    for status in ("active", "suspended", "closed"):
        become(maple, status=status)
        become(itn, status=status)
        for business, name, more in pages:
            page = as_(world.manager(business)).get(url(name, business, **more))
            assert page.status_code == 200, name
            assert (NOT_ACTIVE in words(page)) is (status != "active"), name


def test_what_is_refused_to_an_account_that_is_not_active_says_why(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    ben, eve = world.member("Ben", itn), world.member("Eve", itn)
    waiting = world.relationship_request(itn, maple)
    eve.memberships.update(suspended_at=world.at)
    become(itn, status="suspended")
    by_itn = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}

    refusals = [
        create_staff_assignment(assignee=ben, target=maple, role=Ceiling.READER, **by_itn),
        withdraw_relationship_request(relationship_request=waiting, **by_itn),
        resume_membership(membership=eve.memberships.get(), **by_itn),
    ]

    for refusal in refusals:
        assert isinstance(refusal, Refusal)
        assert (refusal.code, str(refusal.message)) == ("not_allowed", NOT_ACTIVE)
    response = as_(world.manager(itn)).get(url("relationship_request_create", itn))
    assert response.status_code == 403 and NOT_ACTIVE in words(response)


def test_in_an_account_that_is_not_active_access_is_still_taken(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    world.assign("Ben", itn, maple)
    ben, eve = world.person("Ben"), world.employee("Eve", itn, RM0001="editor")
    pam = world.employee("Pam", itn, RM0001="pam")
    become(itn, status="suspended")
    boss = as_(world.manager(itn))
    page = boss.get(url("client_detail", itn, client_bn9=maple.bn9))
    assert "Assign an employee" not in words(page)
    assignment = StaffAssignment.objects.get(person=ben)
    unassign = url("staff_assignment_end", itn, pk=assignment.pk)
    assert unassign in page.content.decode()
    assert boss.post(unassign).status_code == 302
    assert not StaffAssignment.objects.get(person=ben).active_at(world.at)

    done(
        end_program_role(
            role=ProgramRole.objects.get(user=eve), actor=pam, acting_for=itn, at=world.at
        )
    )
    about = {"reason": "Out", "confirm": "yes"}
    for name, person in (("membership_suspend", eve), ("membership_end", ben)):
        address = url(name, itn, pk=person.memberships.get().pk)
        assert as_(pam).post(address, about).status_code in (403, 404)
        assert boss.post(address, about).status_code == 302
    assert eve.memberships.get().suspended_at and ben.memberships.get().ends_at
    again = boss.post(url("membership_resume", itn, pk=eve.memberships.get().pk))
    assert again.status_code == 403 and NOT_ACTIVE in words(again)


# ---------------------------------------------------------------- a former service provider


def test_a_former_provider_reaches_what_it_may_still_read(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    world.relationship(maple, itn)
    world.assign("Ben", itn, maple)
    sent = world.relationship_request(itn, world.importer("Cedar"))
    own = submission(program=world.program(maple), submitter=itn, at=world.at)
    theirs = submission(program=world.program(maple), submitter=maple, at=world.at)
    become(itn, provider_type="none")
    no_longer = "Your firm is no longer a service provider."

    for person in (world.person("Ben"), world.manager(itn)):
        browser = as_(person)
        home = browser.get(url("business_home", itn))
        assert url("client_list", itn) in home.content.decode()
        assert "Maple" in words(browser.get(url("client_list", itn)))
        page = words(browser.get(url("client_detail", itn, client_bn9=maple.bn9)))
        assert no_longer in page and "What the firm may do" not in page
        listed = words(browser.get(url("declaration_list", itn)))
        assert own.declaration.number in listed
        assert theirs.declaration.number not in listed
        where = {"client_bn9": maple.bn9, "extension": "RM0001", "number": own.declaration.number}
        assert browser.get(url("client_declaration_detail", itn, **where)).status_code == 200
    browser = as_(world.manager(itn))
    assert (
        url("relationship_request_create", itn)
        not in browser.get(url("client_list", itn)).content.decode()
    )
    assert no_longer in words(browser.get(url("relationship_request_create", itn)))
    withdrawn = browser.post(url("relationship_request_withdraw", itn, pk=sent.pk))
    assert withdrawn.status_code == 302


def test_a_business_that_never_had_a_client_has_no_such_pages(
    maple: BusinessAccount, manager: Client
) -> None:
    assert manager.get(url("client_list", maple)).status_code == 404
    assert (
        url("client_list", maple) not in manager.get(url("business_home", maple)).content.decode()
    )
