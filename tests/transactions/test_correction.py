"""A correction adds a version: who may, what it says, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, transaction

from audit.chain import verify
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.models import Visibility
from delegation.services.agreements import Rules
from tests.transactions.factories import change, declare
from tests.transactions.pages import correction, url, visitor, words
from tests.world import World, done
from transactions.corrections import CorrectedLine, Correction
from transactions.models import Declaration, DeclarationVersion, ReasonCode
from transactions.services import create_correction

EDIT = Visibility.EDIT
LINE = CorrectedLine(
    number=1,
    hs_code="9403601000",
    origin="VN",
    value_for_duty=Decimal("1000.00"),
    duty=Decimal("95.00"),
    sima=Decimal("0.00"),
    excise=Decimal("0.00"),
    gst=Decimal("54.75"),
)
"""The line of `factories.declare` as it stands."""
CORRECTED = replace(LINE, duty=Decimal("80.00"))


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands, so that relationships of the world are in force."""


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    with transaction.atomic():
        return world.importer("Maple")


@pytest.fixture
def itn(world: World, maple: BusinessAccount) -> BusinessAccount:
    itn = world.broker("ITN")
    world.relationship(maple, itn, rules=Rules(EDIT, EDIT, EDIT))
    return itn


@pytest.fixture
def declaration(world: World, maple: BusinessAccount) -> Declaration:
    return declare(world.program(maple), world.at)


def correct(
    world: World,
    declaration: Declaration,
    acting_for: BusinessAccount,
    *,
    line: CorrectedLine = CORRECTED,
    name: str = "",
    expected: int = 1,
) -> DeclarationVersion | Refusal:
    return create_correction(
        actor=world.person(name) if name else world.manager(acting_for),
        acting_for=acting_for,
        declaration=declaration,
        change=Correction(ReasonCode.RATE, "The rate was wrong.", (line,)),
        expected_version=expected,
        at=world.at,
    )


def last_event() -> str:
    event = Event.objects.latest("pk")
    return f"{event.verb} {event.reason}"


# ---------------------------------------------------------------- what it does


def test_a_correction_is_a_new_version_and_the_old_one_stays(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    world.employee("Eddy", maple, RM0001="editor")
    version = done(correct(world, declaration, maple, name="Eddy"))

    assert (version.number, version.submitter, version.acting_under) == (
        2,
        maple,
        "own:editor:direct",
    )
    assert version.submitted_by == world.person("Eddy") and version.submitted_at == world.at
    assert (version.reason_code, version.remarks) == ("rate", "The rate was wrong.")
    assert (version.vendor, version.currency) == ("Saigon Timber Works", "USD")
    assert (version.duties, version.total) == (Decimal("80.00"), Decimal("134.75"))
    line = version.lines.get()
    assert (line.duty, line.description, line.quantity) == (80, "Oak dining tables", 12)
    declaration.refresh_from_db()
    assert declaration.latest_number == 2
    assert declaration.declared_at == world.at
    first = declaration.versions.get(number=1)
    assert (first.total, first.lines.get().duty) == (Decimal("149.75"), Decimal("95.00"))


def test_the_broker_submits_for_its_client_and_both_histories_tell_it(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    world.assign("Ben", itn, maple)
    version = done(correct(world, declaration, itn, name="Ben"))
    relationship = itn.relationships_as_provider.get()

    assert (version.submitter, version.owner) == (itn, maple)
    assert version.acting_under == f"provider:editor:{relationship.pk}"
    events = Event.objects.filter(verb="declaration.correct")
    assert {event.chain_id for event in events} == {
        business_chain(maple.bn9),
        business_chain(itn.bn9),
    }
    for event in events:
        assert event.acting_for == itn.bn9
        assert event.object_id == declaration.number
        assert event.path == version.acting_under
        assert event.reason == "The rate was wrong."
        assert event.before == {"version": 1, "total": "149.75", "lines": {"1": {"duty": "95.00"}}}
        assert event.after == {
            "version": 2,
            "total": "134.75",
            "lines": {"1": {"duty": "80.00"}},
            "reason_code": "rate",
        }
    for business in (maple, itn):
        assert verify(business_chain(business.bn9)) is None


def test_the_own_business_writes_one_event(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    done(correct(world, declaration, maple))

    assert Event.objects.filter(verb="declaration.correct").count() == 1


def test_gst_is_taken_as_given_and_the_total_is_added_up(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    line = replace(LINE, gst=Decimal("0.00"), sima=Decimal("0.01"), excise=Decimal("0.10"))
    version = done(correct(world, declaration, maple, line=line))

    assert version.gst == 0
    assert version.total == Decimal("95.11")


# ---------------------------------------------------------------- what it refuses


def refused(outcome: DeclarationVersion | Refusal) -> str:
    assert isinstance(outcome, Refusal)
    assert DeclarationVersion.objects.filter(reason_code="rate").count() == 0
    return outcome.code


def test_another_version_since_then_is_refused_with_who_and_when(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    change(declaration, itn, world.at)
    outcome = correct(world, declaration, maple)

    assert refused(outcome) == "changed"
    assert isinstance(outcome, Refusal)
    told = str(outcome.message).replace("\N{NO-BREAK SPACE}", " ")
    assert "ITN submitted version 2 on November 23, 2026, 10:30 a.m. ET" in told
    assert last_event() == "declaration.correct.refused changed"


def test_an_attempt_that_was_refused_stays_in_the_own_business(
    world: World, itn: BusinessAccount, declaration: Declaration
) -> None:
    refused(correct(world, declaration, itn, line=LINE))
    [event] = Event.objects.filter(verb="declaration.correct.refused")

    assert event.chain_id == business_chain(itn.bn9)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE, "unchanged"),
        (replace(LINE, number=2, duty=Decimal("1.00")), "lines"),
        (replace(LINE, duty=Decimal("999999999999.99")), "too_large"),
    ],
)
def test_what_is_no_correction_is_refused(
    world: World, maple: BusinessAccount, declaration: Declaration, line: CorrectedLine, code: str
) -> None:
    assert refused(correct(world, declaration, maple, line=line)) == code


def test_nobody_corrects_without_the_right(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    world.employee("Rita", maple, RM0001="reader")
    world.employee("Otto", maple, RM0002="pam")
    adviser = world.consultant("Adviser")
    world.relationship(maple, adviser, rules=Rules(EDIT, EDIT, EDIT))
    harbour = world.broker("Harbour")

    assert refused(correct(world, declaration, maple, name="Rita")) == "not_allowed"
    assert refused(correct(world, declaration, maple, name="Otto")) == "not_allowed"
    assert refused(correct(world, declaration, adviser)) == "not_allowed"
    assert refused(correct(world, declaration, harbour)) == "not_allowed"
    assert refused(correct(world, declaration, harbour, name="Maple manager")) == "not_allowed"


def test_a_right_lost_since_the_page_was_opened_is_refused(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    world.at += timedelta(days=183)

    assert refused(correct(world, declaration, itn)) == "not_allowed"


def test_the_latest_version_decides_even_where_it_is_hidden(
    world: World, maple: BusinessAccount
) -> None:
    harbour = world.broker("Harbour")
    world.relationship(maple, harbour, rules=Rules(broker=EDIT))
    declaration = declare(world.program(maple), world.at, submitter=harbour)
    change(declaration, maple, world.at)

    assert refused(correct(world, declaration, harbour)) == "hidden"
    assert refused(correct(world, declaration, harbour, expected=2)) == "hidden"


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_at_once_one_wins(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    def attempt(place: int) -> str:
        try:
            line = replace(LINE, duty=Decimal(place))
            outcome = correct(world, declaration, maple, line=line)
            return outcome.code if isinstance(outcome, Refusal) else "done"
        finally:
            connection.close()

    world.person("Maple manager")
    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))

    assert outcomes == ["changed", "changed", "changed", "done"]
    assert declaration.versions.count() == 2


# ---------------------------------------------------------------- on the page


def test_the_form_shows_the_latest_version_and_submits_a_new_one(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.manager(maple))
    page = url("correction_create", maple, declaration)
    form = visit.get(page)
    fields = form.context["form"]

    assert fields["hs_code_1"].value() == "9403.60.10.00"
    assert fields["duty_1"].value() == "95.00"
    response = visit.post(page, correction(declaration, 1, duty_1="1,080.5"), follow=True)
    assert response.redirect_chain == [(url("declaration_detail", maple, declaration), 302)]
    assert (
        f"Version 2 of declaration {declaration.number} of Maple, {maple.bn_shown} RM 0001, has "
        f"been submitted by Maple, {maple.bn_shown}. Its total of duties and taxes is $1,135.25."
    ) in words(response)


def test_the_broker_is_told_for_whom_it_acts(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.manager(itn))
    page = url("correction_create", itn, declaration)
    text = words(visit.get(page))

    assert f"of your client Maple, {maple.bn_shown} RM 0001" in text
    assert f"acting for ITN, {itn.bn_shown}" in text
    response = visit.post(page, correction(declaration, 1, origin_1="us"), follow=True)
    assert response.redirect_chain[0][0] == url("declaration_detail", itn, declaration)
    assert declaration.versions.get(number=2).lines.get().origin == "US"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("80", "80.00"),
        ("80.5", "80.50"),
        ("80,5", "80.50"),
        ("1,080", "1080.00"),
        ("1 080,25", "1080.25"),
        ("1\u00a0080,25 $", "1080.25"),
        ("$1,080.25", "1080.25"),
        ("１０８０", "1080.00"),
    ],
)
def test_amounts_are_read_as_people_write_them(
    world: World, maple: BusinessAccount, declaration: Declaration, typed: str, kept: str
) -> None:
    page = url("correction_create", maple, declaration)
    visitor(world.manager(maple)).post(page, correction(declaration, 1, duty_1=typed))

    assert declaration.versions.get(number=2).lines.get().duty == Decimal(kept)


def test_the_french_form_writes_amounts_with_a_comma_and_reads_them_back(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.manager(maple))
    page = url("correction_create", maple, declaration, language="fr-ca")
    fields = visit.get(page).context["form"]
    posted = {name: fields[name].value() for name in fields.fields}

    assert posted["duty_1"] == "95,00"
    about = {"reason_code": "rate", "remarks": "Le taux était faux.", "duty_1": "96,10"}
    assert visit.post(page, {**posted, **about}).status_code == 302
    assert declaration.versions.get(number=2).total == Decimal("150.85")


WRONG_AMOUNT = "Line 1, Customs duty: Enter an amount, such as 1234.56."


@pytest.mark.parametrize(
    ("posted", "message"),
    [
        ({"duty_1": ""}, WRONG_AMOUNT),
        ({"duty_1": "-1.00"}, WRONG_AMOUNT),
        ({"duty_1": "1.234"}, WRONG_AMOUNT),
        ({"duty_1": "12,34,567"}, WRONG_AMOUNT),
        ({"duty_1": "1e5"}, WRONG_AMOUNT),
        ({"duty_1": "NaN"}, WRONG_AMOUNT),
        ({"duty_1": "9" * 13}, WRONG_AMOUNT),
        ({"duty_1": "9" * 100_000}, WRONG_AMOUNT),
        ({"duty_1": "1\x00"}, "characters that cannot be seen"),
        ({"hs_code_1": "9403.60.10"}, "Line 1, HS code: Enter 10 digits"),
        ({"hs_code_1": "940360100٣"}, "Line 1, HS code: Enter 10 digits"),
        ({"origin_1": "Vietnam"}, "Line 1, Country of origin: Enter the 2 letters"),
        ({"origin_1": "X1"}, "Line 1, Country of origin: Enter the 2 letters"),
        ({"origin_1": "ZZ"}, "Line 1, Country of origin: Enter the 2 letters"),
        ({"origin_1": "UZZ"}, "Line 1, Country of origin: Enter the 2 letters"),
        ({"reason_code": ""}, "Choose the reason for the correction."),
        ({"reason_code": "whim"}, "Choose a reason of this list."),
        ({"remarks": " "}, "Write what was wrong."),
        ({"remarks": "x" * 1001}, "Use at most 1000 characters."),
        ({"remarks": "a\x00b"}, "characters that cannot be seen"),
        ({"expected_version": ""}, "There is a problem Open it again from the declaration."),
        ({"expected_version": "one"}, "There is a problem Open it again from the declaration."),
        ({}, "Change at least one line: nothing differs from the latest version."),
    ],
)
def test_a_wrong_answer_is_told_plainly_and_nothing_is_lost(
    world: World,
    maple: BusinessAccount,
    declaration: Declaration,
    posted: dict[str, str],
    message: str,
) -> None:
    page = url("correction_create", maple, declaration)
    data = correction(declaration, 1, **({"gst_1": "60.00"} if posted else {})) | posted
    response = visitor(world.manager(maple)).post(page, data)

    assert response.status_code == 422
    assert message in words(response)
    assert declaration.versions.count() == 1
    kept = response.context["form"]
    assert kept["gst_1"].value() == str(data["gst_1"])
    assert posted.get("remarks") or kept["remarks"].value() == data["remarks"].strip()


def test_a_missing_line_is_told_plainly(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    data = {"expected_version": "1", "reason_code": "rate", "remarks": "x"}
    response = visitor(world.manager(maple)).post(
        url("correction_create", maple, declaration), data
    )

    assert response.status_code == 422
    assert WRONG_AMOUNT in words(response)


def test_a_stale_form_is_refused_with_the_change_and_can_be_posted_again(
    world: World, maple: BusinessAccount, itn: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.manager(maple))
    page = url("correction_create", maple, declaration)
    typed = correction(declaration, 1, duty_1="80.00", remarks="My own words.")
    change(declaration, itn, world.at, lines=[{"gst": Decimal("60.00"), "origin": "TH"}])
    response = visit.post(page, typed)
    text = words(response)

    assert response.status_code == 409
    assert "ITN submitted version 2 on November 23, 2026, 10:30 a.m. ET" in text
    assert "Line 1, Country of origin: VN became TH" in text
    assert "Line 1, GST: $54.75 became $60.00" in text
    form = response.context["form"]
    assert form["duty_1"].value() == "80.00" and form["remarks"].value() == "My own words."
    assert declaration.versions.count() == 2

    again = {name: form[name].value() for name in form.fields}
    assert again["expected_version"] == "2"
    assert visit.post(page, again).status_code == 302
    assert declaration.versions.get(number=3).lines.get().origin == "VN"


def test_a_form_whose_declaration_was_changed_in_hiding_keeps_what_was_typed(
    world: World, maple: BusinessAccount
) -> None:
    harbour = world.broker("Harbour")
    world.relationship(maple, harbour, rules=Rules(broker=EDIT))
    declaration = declare(world.program(maple), world.at, submitter=harbour)
    typed = correction(declaration, 1, duty_1="80.00", remarks="My own words.")
    change(declaration, maple, world.at, remarks="Secret")
    response = visitor(world.manager(harbour)).post(
        url("correction_create", harbour, declaration), typed
    )
    text = words(response)

    assert response.status_code == 409
    assert "Another party changed this declaration" in text
    assert "Submit the correction" not in text and "Secret" not in text
    form = response.context["form"]
    assert form["duty_1"].value() == "80.00" and form["remarks"].value() == "My own words."


def test_a_form_posted_twice_has_one_effect(
    world: World, maple: BusinessAccount, declaration: Declaration
) -> None:
    visit = visitor(world.manager(maple))
    page = url("correction_create", maple, declaration)
    data = correction(declaration, 1, duty_1="80.00", form_key=str(uuid4()))
    answers = [visit.post(page, data) for _time in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert declaration.versions.count() == 2
    assert Event.objects.filter(verb__startswith="declaration.correct").count() == 1


def test_a_right_that_ended_meanwhile_is_403_with_its_reason(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    clock: time_machine.Traveller,
) -> None:
    declaration = declare(world.program(maple), world.at, submitter=itn)
    clock.shift(timedelta(days=183))
    response = visitor(world.manager(itn)).post(
        url("correction_create", itn, declaration), correction(declaration, 1, duty_1="80.00")
    )

    assert response.status_code == 403
    assert declaration.versions.count() == 1


def test_a_declaration_of_very_many_lines_says_that_a_page_is_too_small(
    world: World, maple: BusinessAccount
) -> None:
    declaration = declare(world.program(maple), world.at, lines=[{}] * 251)
    visit = visitor(world.manager(maple))

    text = words(visit.get(url("declaration_detail", maple, declaration)))
    assert "It has too many lines to correct it on a page." in text
    few = declare(world.program(maple), world.at, lines=[{}] * 250)
    page = url("correction_create", maple, few)
    assert visit.post(page, correction(few, 1, duty_250="1.00")).status_code == 302
