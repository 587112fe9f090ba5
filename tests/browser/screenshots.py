"""Pictures of the demo world, for whoever looks after the look: every page in both languages,
in a wide and in a narrow window.

    ALBUM=/tmp/album uv run pytest -p no:xdist tests/browser/screenshots.py

Its name keeps it out of the tests.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import Page, Response

from accounts.models import User
from ccp.demo import BEN, BOREALES, CAMILLE, GRACE, ITN, JULIE, LIAM, MAPLE, NADIA, OLIVIA, TOM
from ccp.demo import DemoPerson as Person
from delegation.models import (
    AccessRequest,
    Membership,
    ProgramRole,
    Relationship,
    RelationshipRequest,
)
from tests.browser.looks import HEIGHT, WIDE, WIDTHS
from tests.browser.visitor import Visitor
from tests.chromium import sign_in
from transactions.models import Declaration

FOLDER = Path(os.environ.get("ALBUM", "album"))


@dataclass
class Photographer(Visitor):
    """A visitor who keeps pictures and finds nothing wrong with any page."""

    def arrive(self, response: Response | None, status: int) -> None:
        assert response is not None and response.status == status, (self.page.url, response)

    def keep(self, name: str) -> None:
        """A picture of the page shown, wide and narrow."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            picture = FOLDER / f"{name}-{self.language[:2]}-{width}.png"
            self.page.screenshot(path=picture, full_page=True)
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})


@pytest.fixture
def as_person(
    new_page: Callable[..., Page], portal: str, at, language: str
) -> Iterator[Callable[[Person | None], Photographer]]:
    """A function that sits down a person of the demo world, or somebody who is signed out."""
    cache.clear()
    with time_machine.travel(at, tick=True):
        call_command("demo", verbosity=0)

        def sit_down(person: Person | None = None) -> Photographer:
            page = new_page()
            if person:
                sign_in(page, User.objects.get(email=person.email), portal)
            return Photographer(page, language)

        yield sit_down


Sit = Callable[..., Photographer]
languages = pytest.mark.parametrize("language", ["en-ca", "fr-ca"])


@languages
def test_signing_up(as_person: Sit) -> None:
    visitor = as_person()
    visitor.visit("home")
    visitor.keep("welcome")
    visitor.visit("help_roles")
    visitor.keep("help-roles")
    visitor.visit("account_login")
    visitor.keep("sign-in")
    visitor.press("Sign in", status=200)
    visitor.keep("sign-in-refused")
    visitor.visit("account_signup")
    visitor.keep("sign-up")


@languages
def test_registering(as_person: Sit) -> None:
    liam = as_person(LIAM)
    liam.visit("first_time_setup")
    liam.keep("first-time-setup")
    liam.visit("registration_start")
    liam.keep("registration-start")
    liam.press("Start")
    liam.keep("registration-number")
    liam.fill(bn9="43905 1278", extension="0001")
    liam.press("Next", status=422)
    liam.keep("registration-number-refused")
    liam.fill(bn9="43905 1277", extension="RM 0001")
    liam.press("Next")
    liam.keep("registration-entity")
    liam.press("Next", status=422)
    liam.keep("registration-entity-refused")
    liam.fill(
        legal_name="Prairie Sun Foods Inc.",
        street="3810 Sundial Avenue",
        city="Saskatoon",
        region="Saskatchewan",
        postal_code="S7P 0B7",
    )
    liam.press("Next")
    liam.keep("registration-questions")
    liam.fill(transaction_number="14680006822095", transaction_total="3033.25")
    liam.fill(payment_on="2026-08-31", payment_amount="7205.18")
    liam.press("Next")
    liam.keep("registration-terms")
    liam.fill(accepted=True)
    liam.press("Next")
    liam.keep("registration-review")
    liam.press("Submit")
    liam.keep("registration-outcome")
    liam.press("Try again")
    liam.fill(transaction_number="14680006822095", transaction_total="3033.25")
    liam.fill(payment_on="2026-08-31", payment_amount="7205.19")
    liam.press("Next")
    liam.press("Submit")
    liam.keep("registration-receipt")


@languages
def test_employees(as_person: Sit) -> None:
    waiting = AccessRequest.objects.get(person__email=NADIA.email)
    nadia = as_person(NADIA)
    nadia.visit("access_request_status", pk=waiting.pk)
    nadia.keep("access-request-status")
    nadia.visit("access_request_create")
    nadia.keep("access-request-create")
    nadia.press("Request access", status=422)
    nadia.keep("access-request-create-refused")
    olivia = as_person(OLIVIA)
    olivia.visit("home")
    olivia.keep("home")
    olivia.visit("business_home", bn9=MAPLE)
    olivia.keep("dashboard")
    olivia.visit("employee_list", bn9=MAPLE)
    olivia.keep("employees")
    olivia.visit("access_request_detail", bn9=MAPLE, pk=waiting.pk)
    olivia.keep("access-request")
    olivia.press("Approve")
    olivia.keep("access-request-confirm")
    olivia.visit("access_request_reject", bn9=MAPLE, pk=waiting.pk)
    olivia.press("Reject", status=422)
    olivia.keep("access-request-reject")
    tom = {"bn9": MAPLE, "pk": Membership.objects.get(person__email=TOM.email).pk}
    olivia.visit("employee_detail", **tom)
    olivia.keep("employee")
    role = ProgramRole.objects.filter(user__email=TOM.email).latest("pk")
    olivia.visit("program_role_end", role=role.pk, **tom)
    olivia.keep("role-end")
    olivia.visit("membership_suspend", **tom)
    olivia.keep("employee-suspend")
    olivia.press("Suspend the access")
    olivia.keep("employee-suspended")
    olivia.visit("membership_end", **tom)
    olivia.keep("employee-end")
    olivia.press("End all access")
    olivia.visit("employee_detail", **tom)
    olivia.keep("employee-ended")
    olivia.visit("activity_list", bn9=MAPLE)
    olivia.keep("activity")
    olivia.visit("profile_detail")
    olivia.keep("profile")
    olivia.visit("profile_edit")
    olivia.keep("profile-edit")


@languages
def test_relationships(as_person: Sit) -> None:
    waiting = RelationshipRequest.objects.get(client_bn9=BOREALES, decided_at=None)
    camille = as_person(CAMILLE)
    camille.visit("relationship_list", bn9=BOREALES)
    camille.keep("relationships")
    camille.visit("relationship_request_detail", bn9=BOREALES, pk=waiting.pk)
    camille.keep("approval")
    camille.press("Approve", status=422)
    camille.keep("approval-refused")
    camille.fill(consent=True)
    camille.press("Approve")
    camille.keep("approval-confirm")
    camille.visit("relationship_request_reject", bn9=BOREALES, pk=waiting.pk)
    camille.keep("approval-reject")
    given = Relationship.objects.filter(client__bn9=MAPLE, provider__bn9=ITN).get()
    olivia = as_person(OLIVIA)
    olivia.visit("relationship_list", bn9=MAPLE)
    olivia.keep("relationships-maple")
    olivia.visit("relationship_detail", bn9=MAPLE, pk=given.pk)
    olivia.keep("relationship")
    olivia.follow("relationship_end", bn9=MAPLE, pk=given.pk)
    olivia.keep("relationship-end")
    olivia.fill(reason="2027")
    olivia.press("End it now")
    olivia.keep("relationship-ended")


@languages
def test_clients(as_person: Sit) -> None:
    grace = as_person(GRACE)
    grace.visit("business_home", bn9=ITN)
    grace.keep("dashboard-broker")
    grace.visit("client_list", bn9=ITN)
    grace.keep("clients")
    grace.visit("client_detail", bn9=ITN, client_bn9=MAPLE)
    grace.keep("client")
    grace.follow("relationship_leave", bn9=ITN, client_bn9=MAPLE)
    grace.keep("client-leave")
    grace.visit("staff_assignment_create", bn9=ITN, client_bn9=MAPLE)
    grace.keep("assign")
    grace.visit("relationship_request_create", bn9=ITN)
    grace.keep("relationship-request-create")
    grace.press("Send the request", status=422)
    grace.keep("relationship-request-create-refused")
    sent = RelationshipRequest.objects.get(client_bn9=BOREALES, decided_at=None)
    grace.visit("relationship_request_status", bn9=ITN, pk=sent.pk)
    grace.keep("relationship-request-status")
    firm, julie = "611402835", as_person(JULIE)
    julie.visit("client_detail", bn9=firm, client_bn9=BOREALES)
    julie.keep("client-expired")


@languages
def test_transactions(as_person: Sit) -> None:
    olivia = as_person(OLIVIA)
    olivia.visit("declaration_list", bn9=MAPLE)
    olivia.keep("declarations")
    shown = Declaration.objects.filter(
        owner__bn9=MAPLE, program__extension="RM0001", latest_number__gt=1
    ).order_by("-declared_at")[0]
    parts = {"bn9": MAPLE, "extension": "RM0001", "number": shown.number}
    olivia.visit("declaration_detail", **parts)
    olivia.keep("declaration")
    olivia.visit("program_detail", bn9=MAPLE, extension="RM0001")
    olivia.keep("program")
    olivia.visit("correction_create", **parts)
    olivia.keep("correction")
    olivia.press("Submit the correction", status=422)
    olivia.keep("correction-refused")
    olivia.visit("declaration_list", bn9=BOREALES, status=404)
    olivia.keep("not-found")
    ben = as_person(BEN)
    ben.visit("declaration_list", bn9=ITN)
    ben.keep("declarations-broker")
    submitted = Declaration.objects.filter(owner__bn9=MAPLE, versions__submitter__bn9=ITN)[0]
    of_client = {"client_bn9": MAPLE, "extension": submitted.program.extension}
    ben.visit("client_declaration_detail", bn9=ITN, number=submitted.number, **of_client)
    ben.keep("declaration-broker")
    second = Declaration.objects.filter(owner__bn9=MAPLE, program__extension="RM0002")[0]
    parts = {"bn9": MAPLE, "extension": "RM0002", "number": second.number}
    tom = as_person(TOM)
    tom.visit("home")
    tom.keep("home-employee")
    tom.visit("declaration_detail", **parts)
    tom.keep("declaration-reader")
    tom.visit("correction_create", **parts, status=403)
    tom.keep("forbidden")
