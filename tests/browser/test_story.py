"""The whole story in a browser, in both languages, with scripts and without.

An importer registers; a customs broker whose request was waiting gets a part of one program account
until a day; an employee gets one role on each program account; everybody sees exactly what was
delegated, the broker after that day only what it submitted itself, and a stranger nothing.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.utils.translation import override
from playwright.sync_api import Page

from accounts.models import User
from businesses.models import BusinessAccount
from businesses.register import get_register
from businesses.services import open_business
from delegation.models import AccessRequest, RelationshipRequest
from delegation.services.registrations import found_business
from pages.formats import day, end_of_day
from tests.browser.looks import NARROW, WIDE
from tests.browser.visitor import Visitor, let_sign_in
from tests.chromium import sign_in
from tests.world import World

PRAIRIE, ITN, SAINT_LAURENT, MAPLE = "439051277", "888316171", "611402835", "412703316"
BROKER = "Integral Transportation Networks Corp."
REGISTER = Path(settings.BASE_DIR) / "docs/samples/register.csv"
LAST_DAY = date(2026, 12, 31)
GOODS = {
    "version": "1",
    "kind": "AB",
    "own_reference": "PO 20969",
    "released_on": "2026-11-20",
    "office": "0701",
    "vendor": "Prairie Gateway Traders LLC",
    "currency": "USD",
    "reason_code": "",
    "remarks": "",
    "line": "1",
    "hs_code": "1006.30.00.91",
    "description": "Basmati",
    "origin": "IN",
    "tariff_treatment": "2",
    "quantity": "4200",
    "unit": "KGM",
    "value_for_duty": "9100.00",
    "duty": "0.00",
    "sima": "0.00",
    "excise": "0.00",
    "gst": "455.00",
}
"""What every declaration of the story says, as a row of the file."""
PAGES = 60
"""How many pages a walk looks at, at least."""


@dataclass(frozen=True)
class Numbers:
    """The transaction numbers of Prairie Sun's declarations, by submitter and program account."""

    own: str = "14680000000011"
    own_on_second: str = "14680000000022"
    by_itn: str = "14680000000033"
    by_other: str = "14680000000044"


@dataclass
class Stage:
    """Where the story plays: the clock, the browsers, and the businesses that were there before."""

    world: World
    folder: Path
    clock: time_machine.Traveller
    new_page: Callable[..., Page]
    language: str
    scripts: bool
    visitors: list[Visitor] = field(default_factory=list)

    def file(self, name: str) -> Path:
        """A file that arrives from elsewhere."""
        return self.folder / name

    def visitor(self) -> Visitor:
        """Somebody at a browser of their own."""
        page = self.new_page(javascript=self.scripts, width=WIDE if self.scripts else NARROW)
        visitor = Visitor(page, self.language, self.scripts)
        self.visitors.append(visitor)
        return visitor

    def signed_in(self, name: str) -> Visitor:
        """Somebody at a browser of their own who has just signed in."""
        visitor = self.visitor()
        visitor.sign_in(self.world.person(name).email)
        return visitor

    def import_register(self, *numbers: str) -> None:
        """Import the rows of the sample register that are about these businesses."""
        head, *rows = REGISTER.read_text().splitlines()
        kept = [head, *(row for row in rows if row.split(",")[1] in numbers)]
        self.file("register.csv").write_text("\n".join(kept))
        call_command("import_register", self.file("register.csv"), verbosity=0)

    def person(self, name: str) -> User:
        """A person who was there before, and can sign in."""
        return let_sign_in(self.world.person(name, self.language))

    def business(self, bn9: str, manager: str) -> BusinessAccount:
        """A business of the register, registered before by its manager."""
        entity = get_register().find(bn9)
        assert entity
        business = open_business(entity=entity, at=self.world.at)
        person = self.world.people[f"{business.legal_name} manager"] = self.person(manager)
        found_business(person=person, business=business, at=self.world.at)
        return business

    @property
    def now(self) -> datetime:
        """The second that the clock shows."""
        return datetime.now(tz=self.world.at.tzinfo).replace(microsecond=0)


@pytest.fixture
def stage(
    new_page: Callable[..., Page], at: datetime, tmp_path: Path, language: str, javascript: bool
) -> Iterator[Stage]:
    """Four businesses of the sample register; three are registered, ITN's request waits."""
    cache.clear()  # the limits of signing in outlive a test
    with time_machine.travel(at, tick=True) as clock:
        world = World(at - timedelta(days=100))
        stage = Stage(world, tmp_path, clock, new_page, language, javascript)
        stage.import_register(PRAIRIE, ITN, SAINT_LAURENT, MAPLE)
        itn = stage.business(ITN, "Grace Okafor")
        stage.business(SAINT_LAURENT, "Mathieu Gagnon")
        stage.business(MAPLE, "Olivia Bennett")
        let_sign_in(world.employee("Ben Carter", itn, RM0001="reader"))
        world.relationship_request(itn, PRAIRIE)
        stage.person("Tomas Novak")
        yield stage


@pytest.mark.parametrize(
    ("language", "javascript"),
    [
        pytest.param("en-ca", True, id="English, scripts", marks=pytest.mark.nightly),
        pytest.param("en-ca", False, id="English, no scripts"),
        pytest.param("fr-ca", True, id="French, scripts", marks=pytest.mark.nightly),
        pytest.param("fr-ca", False, id="French, no scripts", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.long
def test_the_whole_story(stage: Stage, portal: str) -> None:
    owner = register_prairie_sun(stage)
    approve_itn(owner)
    employee = ask_for_access(stage)
    approve_employee(owner)
    numbers = import_declarations(stage)

    work_as_employee(employee, numbers)
    assign_ben(stage)
    ben = stage.signed_in("Ben Carter")
    see_only_own_submissions(ben, numbers)

    stage.clock.move_to(end_of_day(LAST_DAY) - timedelta(minutes=10))
    sign_in(ben.page, stage.world.person("Ben Carter"), portal)
    expire_while_at_work(ben, numbers, stage.clock)
    read_only_what_was_submitted(ben, numbers)

    see_nothing(stage.signed_in("Olivia Bennett"), numbers)

    assert sum(len(visitor.seen) for visitor in stage.visitors) >= PAGES


# ---------------------------------------------------------------- an importer registers


def register_prairie_sun(stage: Stage) -> Visitor:
    """Sign up, state who I am, and register through all seven steps."""
    owner = stage.visitor()
    owner.sign_up("Amara", "Fontaine")
    assert owner.page.url.endswith(owner.address("first_time_setup"))
    owner.follow("registration_start")
    owner.press("Start")
    owner.fill(bn9="43905 1278", extension="RM 0001")
    owner.press("Next", status=422)
    owner.fill(bn9="43905 1277RM0001", extension="")
    owner.press("Next")
    owner.fill(
        legal_name="PRAIRIE SUN FOODS INC",
        street="3810 Sundial Ave.",
        city="Saskatoon",
        region="Saskatchewan",
        postal_code="s7p 0b7",
    )
    owner.press("Next")
    owner.fill(transaction_number="14680006822095", transaction_total="3033.25")
    owner.fill(payment_on="2026-08-31", payment_amount="7 205,19 $")
    owner.press("Next")
    owner.fill(accepted=True)
    owner.press("Next")
    assert owner.reads("14680006822095")
    owner.press("Submit")
    assert owner.reads("RM 0002")
    return owner


# ---------------------------------------------------------------- its broker gets a part


def approve_itn(owner: Visitor) -> None:
    """Decide the request that was waiting: one program account, own submissions, until a day."""
    waiting = RelationshipRequest.objects.get(client_bn9=PRAIRIE)
    assert owner.reads(BROKER)
    owner.follow("relationship_request_detail", bn9=PRAIRIE, pk=waiting.pk)
    owner.fill(
        level="program",
        programs=("RM0001",),
        ceiling="editor",
        end="date",
        last_day=LAST_DAY.isoformat(),
        visibility_broker="edit",
        visibility_importer="none",
        visibility_other="none",
    )
    owner.press("Approve", status=422)
    owner.fill(consent=True)
    owner.press("Approve")
    with override(owner.language):
        assert owner.reads(day(LAST_DAY))
    assert owner.reads("RM 0001") and not owner.reads("RM 0002")
    owner.press("Confirm")
    assert owner.reads(BROKER)


# ---------------------------------------------------------------- an employee gets two roles


def ask_for_access(stage: Stage) -> Visitor:
    """Another person, who belongs nowhere yet, asks the employer for access."""
    employee = stage.signed_in("Tomas Novak")
    employee.follow("access_request_create")
    employee.fill(bn9="439051277", note="Déclarations, import department")
    employee.press("Request access")
    return employee


def approve_employee(owner: Visitor) -> None:
    """Editor on one program account, Reader on the other, after reading what that means."""
    waiting = AccessRequest.objects.get(bn9=PRAIRIE)
    owner.visit("business_home", bn9=PRAIRIE)
    owner.follow("employee_list", bn9=PRAIRIE)
    owner.follow("access_request_detail", bn9=PRAIRIE, pk=waiting.pk)
    owner.fill(scope="programs")
    owner.press("Approve", status=422)
    owner.fill(RM0001="editor", RM0002="reader")
    owner.press("Approve")
    owner.press("Confirm")
    assert owner.reads("Tomas Novak")


# ---------------------------------------------------------------- who sees what


def import_declarations(stage: Stage) -> Numbers:
    """A file arrives: two declarations of the importer's own, one of ITN, one of another broker."""
    numbers, first, second = Numbers(), f"{PRAIRIE}RM0001", f"{PRAIRIE}RM0002"
    rows = [
        GOODS | {"number": number, "owner": owner, "submitter": submitter}
        for number, owner, submitter in (
            (numbers.own, first, PRAIRIE),
            (numbers.own_on_second, second, PRAIRIE),
            (numbers.by_itn, first, ITN),
            (numbers.by_other, first, SAINT_LAURENT),
        )
    ]
    with stage.file("declarations.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, [*rows[0], "submitted_at"])
        table.writeheader()
        table.writerows(row | {"submitted_at": stage.now.isoformat()} for row in rows)
    call_command("import_declarations", stage.file("declarations.csv"), verbosity=0)
    return numbers


def work_as_employee(employee: Visitor, numbers: Numbers) -> None:
    """The Editor of RM0001 corrects there; as Reader of RM0002 only reads."""
    employee.visit("home")
    employee.follow("declaration_list", bn9=PRAIRIE)
    assert employee.declarations() == set(vars(numbers).values())
    first = {"bn9": PRAIRIE, "extension": "RM0001", "number": numbers.own}
    employee.follow("declaration_detail", **first)
    employee.follow("correction_create", **first)
    employee.press("Submit the correction", status=422)
    employee.fill(value_for_duty_1="1250.00", reason_code="value", remarks="Facture 88-2026")
    employee.press("Submit the correction")
    assert employee.reads("Facture 88-2026")

    second = {"bn9": PRAIRIE, "extension": "RM0002", "number": numbers.own_on_second}
    employee.visit("declaration_list", bn9=PRAIRIE)
    employee.follow("declaration_detail", **second)
    assert not employee.link("correction_create", **second).count()
    employee.visit("correction_create", **second, status=403)


def assign_ben(stage: Stage) -> None:
    """The broker's manager lets an employee work for the new client."""
    grace = stage.signed_in("Grace Okafor")
    grace.follow("client_list", bn9=ITN)
    grace.follow("client_detail", bn9=ITN, client_bn9=PRAIRIE)
    grace.follow("staff_assignment_create", bn9=ITN, client_bn9=PRAIRIE)
    grace.press("Assign", status=422)
    grace.fill(person=str(stage.world.person("Ben Carter").pk), role="editor")
    grace.press("Assign")
    assert grace.reads("Ben Carter")


def see_only_own_submissions(ben: Visitor, numbers: Numbers) -> None:
    """The broker's employee finds what the broker submitted, and no trace of the rest."""
    ben.follow("client_list", bn9=ITN)
    ben.follow("client_detail", bn9=ITN, client_bn9=PRAIRIE)
    ben.visit("declaration_list", bn9=ITN)
    assert ben.declarations() == {numbers.by_itn}
    ben.follow("client_declaration_detail", **of_client(numbers.by_itn))
    assert ben.link("client_correction_create", **of_client(numbers.by_itn)).count()
    refuse_the_rest(ben, numbers)


def refuse_the_rest(ben: Visitor, numbers: Numbers) -> None:
    """What the broker did not submit does not exist for its people."""
    ben.visit("client_declaration_detail", **of_client(numbers.own), status=404)
    second = of_client(numbers.own_on_second) | {"extension": "RM0002"}
    for other in (of_client(numbers.own), of_client(numbers.by_other), second):
        assert ben.is_refused("client_declaration_detail", **other)
        assert ben.is_refused("client_correction_create", **other)


def expire_while_at_work(ben: Visitor, numbers: Numbers, clock: time_machine.Traveller) -> None:
    """A correction that was begun on the last day is refused after its midnight."""
    mine = of_client(numbers.by_itn)
    ben.visit("client_correction_create", **mine)
    ben.fill(value_for_duty_1="9.00", reason_code="value", remarks="Facture 99-2026")
    clock.move_to(end_of_day(LAST_DAY))
    ben.press("Submit the correction", status=403)


def read_only_what_was_submitted(ben: Visitor, numbers: Numbers) -> None:
    """The same person reads what the broker submitted, unchanged, and can change nothing."""
    mine = of_client(numbers.by_itn)
    ben.visit("client_detail", bn9=ITN, client_bn9=PRAIRIE)
    ben.visit("declaration_list", bn9=ITN)
    assert ben.declarations() == {numbers.by_itn}
    ben.follow("client_declaration_detail", **mine)
    assert not ben.reads("Facture 99-2026")
    assert not ben.link("client_correction_create", **mine).count()
    ben.visit("client_correction_create", **mine, status=403)
    refuse_the_rest(ben, numbers)


def see_nothing(stranger: Visitor, numbers: Numbers) -> None:
    """The manager of another importer finds nothing of Prairie Sun."""
    access_request = AccessRequest.objects.get(bn9=PRAIRIE)
    firm_request = RelationshipRequest.objects.get(client_bn9=PRAIRIE)
    own = {"bn9": PRAIRIE, "extension": "RM0001", "number": numbers.own}
    stranger.visit("declaration_detail", **own, status=404)
    for name, parts in (
        ("business_home", {"bn9": PRAIRIE}),
        ("employee_list", {"bn9": PRAIRIE}),
        ("relationship_list", {"bn9": PRAIRIE}),
        ("activity_list", {"bn9": PRAIRIE}),
        ("declaration_list", {"bn9": PRAIRIE}),
        ("declaration_detail", own | {"bn9": MAPLE}),
        ("access_request_detail", {"bn9": PRAIRIE, "pk": access_request.pk}),
        ("access_request_detail", {"bn9": MAPLE, "pk": access_request.pk}),
        ("access_request_status", {"pk": access_request.pk}),
        ("relationship_request_detail", {"bn9": PRAIRIE, "pk": firm_request.pk}),
        ("relationship_request_detail", {"bn9": MAPLE, "pk": firm_request.pk}),
        ("client_detail", {"bn9": MAPLE, "client_bn9": PRAIRIE}),
    ):
        assert stranger.is_refused(name, **parts), name


def of_client(number: str) -> dict[str, str]:
    """The address of a declaration of Prairie Sun on RM0001, as ITN's people write it."""
    return {"bn9": ITN, "client_bn9": PRAIRIE, "extension": "RM0001", "number": number}
