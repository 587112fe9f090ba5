"""What was given is taken back in a browser, by the links and buttons that the pages offer."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.core.management import call_command
from playwright.sync_api import Page

from accounts.models import User
from ccp.demo import DANIEL, GRACE, ITN, MAPLE, OLIVIA, TOM, DemoPerson
from delegation.models import (
    AccessRequest,
    BusinessRole,
    Membership,
    ProgramRole,
    Relationship,
)
from tests.browser.looks import WIDE, wrongs
from tests.browser.visitor import Visitor
from tests.chromium import sign_in
from tests.conftest import by_night

pytestmark = pytest.mark.django_db(transaction=True)

Sit = Callable[[DemoPerson], Visitor]


@pytest.fixture
def as_person(
    new_page: Callable[..., Page], portal: str, at, language: str
) -> Iterator[Callable[[DemoPerson], Visitor]]:
    """A function that sits down a person of the demo world."""
    with time_machine.travel(at, tick=True):
        call_command("demo", verbosity=0)
        # What a person wrote in English is English on every page.
        AccessRequest.objects.update(note="Corrections")

        def sit_down(person: DemoPerson) -> Visitor:
            page = new_page()
            sign_in(page, User.objects.get(email=person.email), portal)
            return Visitor(page, language)

        yield sit_down


def looked_at(visitor: Visitor) -> None:
    """Nothing is wrong with the page shown in a wide window; who arrives looks at a narrow one."""
    found = wrongs(visitor.page, visitor.language, widths=(WIDE,))
    assert not found, f"{visitor.page.url}:\n" + "\n".join(found)


@pytest.mark.parametrize("language", [by_night("en-ca"), by_night("fr-ca")])
def test_a_manager_takes_back_what_an_employee_has(as_person: Sit) -> None:
    olivia = as_person(OLIVIA)
    tom = Membership.objects.get(person__email=TOM.email)
    one = {"bn9": MAPLE, "pk": tom.pk}
    olivia.visit("employee_detail", **one)
    looked_at(olivia)
    role = ProgramRole.objects.get(
        user=tom.person, content_object__extension="RM0002", ends_at=None
    )
    olivia.follow("program_role_end", **one, role=role.pk)
    looked_at(olivia)
    olivia.fill(last_day="2020-01-01")
    olivia.press("End the role", status=422)
    looked_at(olivia)
    olivia.fill(last_day="")
    olivia.press("End the role")
    olivia.follow("membership_suspend", **one)
    looked_at(olivia)
    olivia.press("Suspend the access")
    looked_at(olivia)
    olivia.press("Resume the access")
    olivia.follow("membership_end", **one)
    looked_at(olivia)
    olivia.press("End all access")
    olivia.visit("employee_detail", **one)
    looked_at(olivia)

    # The second manager is made an employee: the first one is the last.
    daniel = BusinessRole.objects.get(user__email=DANIEL.email)
    his = Membership.objects.get(person=daniel.user)
    own = Membership.objects.get(person__email=OLIVIA.email)
    olivia.visit("business_role_end", bn9=MAPLE, pk=his.pk, role=daniel.pk)
    olivia.press("End the role")
    olivia.visit("business_home", bn9=MAPLE)
    olivia.follow("employee_detail", bn9=MAPLE, pk=own.pk)
    olivia.follow("membership_end", bn9=MAPLE, pk=own.pk)
    looked_at(olivia)
    assert olivia.reads(olivia.say("Name a second Business Account Manager"))


@pytest.mark.parametrize("language", [by_night("en-ca"), by_night("fr-ca")])
def test_a_client_ends_a_relationship_and_a_provider_leaves(as_person: Sit) -> None:
    olivia, grace = as_person(OLIVIA), as_person(GRACE)
    [itn] = Relationship.objects.filter(client__bn9=MAPLE, provider__bn9=ITN)
    [other] = Relationship.objects.filter(client__bn9=MAPLE).exclude(provider__bn9=ITN)
    grace.visit("client_detail", bn9=ITN, client_bn9=MAPLE)
    looked_at(grace)
    grace.follow("relationship_leave", bn9=ITN, client_bn9=MAPLE)
    looked_at(grace)
    olivia.visit("relationship_detail", bn9=MAPLE, pk=itn.pk)
    olivia.follow("relationship_end", bn9=MAPLE, pk=itn.pk)
    grace.fill(reason="Relocalisation")
    grace.press("Leave this client")
    looked_at(grace)
    olivia.press("End it now", status=409)
    looked_at(olivia)
    olivia.visit("relationship_detail", bn9=MAPLE, pk=itn.pk)
    assert olivia.reads("Relocalisation")
    looked_at(olivia)
    olivia.visit("relationship_end", bn9=MAPLE, pk=other.pk)
    looked_at(olivia)
    olivia.press("End it now")
    looked_at(olivia)
