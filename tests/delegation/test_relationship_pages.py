"""Manage My Business Relationships: what the client's people read, and how they decide."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.consent import VERSION
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipTerms,
    Visibility,
)
from delegation.relationships import agreement_in_words
from delegation.services.agreements import Agreement, Rules
from delegation.services.digests import tell_what_waits
from delegation.services.relationships import (
    approve_relationship_request,
    received_requests,
    reject_relationship_request,
    withdraw_relationship_request,
)
from tests.delegation.reading import as_, confirm, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TORONTO = ZoneInfo("America/Toronto")
TWO_YEARS = date(2028, 11, 23)
CAP = date(2031, 11, 23)


def list_url(business: BusinessAccount) -> str:
    return reverse("relationship_list", kwargs={"bn9": business.bn9})


def request_url(name: str, business: BusinessAccount, pk: UUID) -> str:
    return reverse(f"relationship_request_{name}", kwargs={"bn9": business.bn9, "pk": pk})


def answers(version: int = 1, **changed: Any) -> dict[str, Any]:
    """The approval form as a manager fills it in; None takes a field out."""
    filled = {
        "version": version,
        "consent_version": VERSION,
        "level": "program",
        "programs": ["RM0001"],
        "ceiling": "editor",
        "rights": ["may_submit"],
        "end": "date",
        "last_day": "2027-03-31",
        "open_end_reason": "",
        "visibility_broker": "view",
        "visibility_importer": "none",
        "visibility_other": "none",
        "consent": "on",
        **changed,
    }
    return {name: value for name, value in filled.items() if value is not None}


@pytest.fixture
def waiting(world: World, maple: BusinessAccount, itn: BusinessAccount) -> RelationshipRequest:
    return world.relationship_request(
        itn, maple, rules=Rules(Visibility.EDIT, Visibility.VIEW), comment="We clear your goods."
    )


type Post = Callable[..., HttpResponse]


@pytest.fixture
def approve(world: World, maple: BusinessAccount, waiting: RelationshipRequest) -> Post:
    """Post the approval form as Maple's manager; `confirmed=True` its preview too."""

    def post(*, confirmed: bool = False, **changed: Any) -> HttpResponse:
        browser, url = as_(world.manager(maple)), request_url("approve", maple, waiting.pk)
        data = answers(**changed)
        return confirm(browser, url, data) if confirmed else browser.post(url, data)

    return post


# ---------------------------------------------------------------- who opens what


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("Maple manager", 200),
        ("Pam", 200),
        ("Ed", 403),
        ("Rae", 403),
        ("ITN manager", 404),
        ("Stan", 404),
    ],
)
def test_only_managers_open_the_pages(world: World, person: str, status: int) -> None:
    maple, itn, cedar = world.importer("Maple"), world.broker("ITN"), world.broker("Cedar")
    for name, role in (("Pam", "pam"), ("Ed", "editor"), ("Rae", "reader")):
        world.employee(name, maple, RM0001=role)
    relationship = world.relationship(maple, itn)
    waiting = world.relationship_request(cedar, maple, level=Level.PROGRAM, extensions=("RM0001",))
    browser = as_(world.person(person))
    given = {"bn9": maple.bn9, "pk": relationship.pk}

    for url in (
        list_url(maple),
        reverse("relationship_detail", kwargs=given),
        *(request_url(name, maple, waiting.pk) for name in ("detail", "approve", "reject")),
    ):
        assert browser.get(url, follow=True).status_code == status
    for name in ("approve", "reject"):
        posted = browser.post(request_url(name, maple, waiting.pk), {})
        assert posted.status_code == (422 if status == 200 else status)
    assert RelationshipRequest.objects.get(pk=waiting.pk).decision == ""


def test_a_visitor_is_sent_to_sign_in(client: Client, maple: BusinessAccount) -> None:
    answer = client.get(list_url(maple))

    assert answer.status_code == 302 and "/account/login/" in answer["Location"]


@pytest.mark.parametrize("page", ["detail", "approve", "reject"])
def test_the_request_of_another_business_does_not_exist(world: World, page: str) -> None:
    maple, cedar, itn = world.importer("Maple"), world.importer("Cedar"), world.broker("ITN")
    theirs = world.relationship_request(itn, cedar)
    browser = as_(world.manager(maple))

    foreign = browser.get(request_url(page, maple, theirs.pk))
    absent = browser.get(request_url(page, maple, uuid4()))

    assert (foreign.status_code, absent.status_code) == (404, 404)


def test_the_relationship_of_another_business_does_not_exist(world: World) -> None:
    maple, cedar, itn = world.importer("Maple"), world.importer("Cedar"), world.broker("ITN")
    theirs = world.relationship(cedar, itn)
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": theirs.pk})

    assert as_(world.manager(maple)).get(url).status_code == 404


def test_a_pam_sees_only_what_touches_its_programs(world: World) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam", maple, RM0001="pam")
    for number in (1, 2):
        firm = world.broker(f"Firm {number}")
        world.relationship(maple, firm, programs=(f"RM000{number}",))
        asker = world.broker(f"Asker {number}")
        world.relationship_request(
            asker, maple, level=Level.PROGRAM, extensions=(f"RM000{number}",)
        )
    whole = world.relationship_request(world.broker("Whole"), maple)
    browser = as_(pam)

    page = words(browser.get(list_url(maple)))

    assert "Firm 1" in page and "Asker 1" in page
    assert "Firm 2" not in page and "Asker 2" not in page and "Whole" not in page
    hidden = Relationship.objects.get(provider__legal_name="Firm 2")
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": hidden.pk})
    assert browser.get(url).status_code == 404
    assert browser.get(request_url("detail", maple, whole.pk)).status_code == 404


def test_a_pam_does_not_read_the_other_programs_of_a_request(world: World) -> None:
    maple = world.importer("Maple")
    pam = world.employee("Pam", maple, RM0001="pam")
    waiting = world.relationship_request(
        world.broker("ITN"), maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )

    page = words(as_(pam).get(request_url("detail", maple, waiting.pk)))

    assert "RM 0001" in page and "RM 0002" not in page


# ---------------------------------------------------------------- what is read


def test_an_empty_list_says_so(world: World) -> None:
    maple = world.importer("Maple")

    page = words(as_(world.manager(maple)).get(list_url(maple)))

    assert "No request waits for your decision." in page
    assert "No firm acts for this business now." in page


def test_a_relationship_reads_in_words(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(
        maple,
        itn,
        programs=("RM0001", "RM0002"),
        rules=Rules(Visibility.EDIT, Visibility.VIEW),
        last_day=date(2027, 3, 31),
    )
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": relationship.pk})

    page = words(as_(world.manager(maple)).get(url))

    assert "RM 0001 Maple 1, RM 0002 Maple 2" in page
    assert "Program management" in page and "As an Editor" in page
    assert "Submitted by the customs broker View and edit" in page
    assert "Submitted by you (the importer) View" in page
    assert "Submitted by other business None" in page
    assert "Until the end of March 31, 2027 (Eastern time)" in page
    assert "By Maple manager, November 23, 2026, 10:30 a.m. ET" in page


def test_terms_that_were_replaced_stand_in_the_history(world: World, clock: Any) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn)
    later = world.later(days=1)
    later.relationship(maple, itn, rules=Rules(importer=Visibility.EDIT))
    clock.move_to(later.at + timedelta(hours=1))
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": relationship.pk})

    page = words(as_(world.manager(maple)).get(url))

    now, before = page.split("Earlier terms")
    assert "Submitted by you (the importer) View and edit" in now
    assert "in force until November 24, 2026, 10:30 a.m. ET" in before
    assert "Submitted by you (the importer): None" in before


def test_a_relationship_that_is_over_says_what_remains(world: World, clock: Any) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn, last_day=date(2027, 3, 14))
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": relationship.pk})

    clock.move_to(datetime(2027, 3, 14, 23, 59, 59, tzinfo=TORONTO))
    page = words(as_(world.manager(maple)).get(url))
    assert "Active Until the end of March 14, 2027" in page
    clock.move_to(datetime(2027, 3, 15, 0, 0, tzinfo=TORONTO))
    page = words(as_(world.manager(maple)).get(url))

    assert "Expired At the end of March 14, 2027 (Eastern time)" in page
    assert "The firm can still read what it submitted itself" in page


def test_a_suspended_relationship_says_so(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    relationship = world.relationship(maple, itn)
    Relationship.objects.update(suspended_at=world.at)
    url = reverse("relationship_detail", kwargs={"bn9": maple.bn9, "pk": relationship.pk})

    assert "Suspended Nobody of the firm has access" in words(as_(world.manager(maple)).get(url))


@pytest.mark.asvs("1.1.2", "1.2.1")
def test_names_are_text_and_never_markup(world: World) -> None:
    maple, firm = world.importer("Maple"), world.broker("<b>Bold</b> & Sons")
    waiting = world.relationship_request(firm, maple, comment="<script>alert(1)</script>")
    browser = as_(world.manager(maple))

    page = browser.get(request_url("detail", maple, waiting.pk)).content.decode()

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Sons" in page
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


# ---------------------------------------------------------------- approve


def test_the_form_is_filled_in_with_what_was_asked(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    page = as_(world.manager(maple)).get(request_url("detail", maple, waiting.pk))
    html = page.content.decode()

    form = page.context["form"]
    assert form["level"].value() == "business"
    assert form["programs"].value() == ["RM0001", "RM0002"]
    assert form["last_day"].value() == TWO_YEARS
    assert (form["visibility_broker"].value(), form["visibility_importer"].value()) == (
        "edit",
        "view",
    )
    assert 'name="visibility_broker" value="none"' not in html
    assert "By my confirmation, I give the named service provider" in html
    assert "We clear your goods." in html


def test_the_consent_stands_in_the_readers_language(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    with override("fr-ca"):
        url = request_url("detail", maple, waiting.pk)

    page = as_(world.manager(maple)).get(url).content.decode()

    assert "Par ma confirmation" in page
    assert "By my confirmation, I give" not in page


@pytest.mark.parametrize(
    ("wished", "proposed"),
    [
        (date(2027, 6, 30), date(2027, 6, 30)),
        (date(2026, 11, 23), date(2026, 11, 23)),
        (date(2026, 11, 22), TWO_YEARS),
        (None, TWO_YEARS),
    ],
)
def test_the_wished_day_is_proposed_unless_it_is_past(
    world: World, wished: date | None, proposed: date
) -> None:
    maple = world.importer("Maple")
    waiting = world.relationship_request(world.broker("ITN"), maple, last_day=wished)

    page = as_(world.manager(maple)).get(request_url("detail", maple, waiting.pk))

    assert page.context["form"]["last_day"].value() == proposed


def test_nothing_is_given_before_it_is_confirmed(
    world: World, approve: Post, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    page = approve(programs=["RM0002"], visibility_importer="view")

    assert page.status_code == 200
    assert (
        f"Acting for Maple ({maple.bn_shown}), you give ITN ({itn.bn_shown}) program management "
        "of the program accounts RM 0002 Maple 2, at most as an Editor, until the end of March "
        "31, 2027 (Eastern time): it can view what it submits itself, can view what you submit "
        "and cannot see what other businesses submit."
    ) in words(page)
    assert not Relationship.objects.exists()


def test_a_confirmed_approval_gives_what_was_read(
    world: World, approve: Post, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    answer = approve(confirmed=True, visibility_importer="view")

    terms = RelationshipTerms.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse(
        "relationship_detail", kwargs={"bn9": maple.bn9, "pk": terms.relationship_id}
    )
    assert (terms.relationship.client, terms.relationship.provider) == (maple, itn)
    assert terms.program == world.program(maple, "RM0001")
    assert (terms.level, terms.ceiling) == (Level.PROGRAM, Ceiling.EDITOR)
    assert terms.visibility_importer == Visibility.VIEW
    assert terms.ends_at == datetime(2027, 4, 1, tzinfo=TORONTO)
    page = as_(world.manager(maple)).get(answer["Location"])
    assert page.status_code == 200


def test_the_confirmation_carries_every_answer(world: World, approve: Post) -> None:
    page = approve(
        level="business", covers_future="on", end="open", last_day="", open_end_reason="Family firm"
    )
    posted = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    carried = {
        name: unescape(value)
        for name, value in posted
        if name not in {"csrfmiddlewaretoken", "form_key", "programs"}
    }

    answer = approve(confirmed=True, **carried)

    assert "Why there is no expiry date: Family firm" in words(page)
    assert answer.status_code == 302
    terms = RelationshipTerms.objects.get()
    assert terms.program is None and terms.ends_at is None
    assert terms.relationship.is_open_ended
    assert terms.open_end_reason == "Family firm"


def test_going_back_keeps_what_was_entered(approve: Post) -> None:
    page = approve(change="yes", visibility_other="edit", last_day="2027-05-05")

    assert page.status_code == 200
    form = page.context["form"]
    assert form["visibility_other"].value() == "edit"
    assert form["last_day"].value() == "2027-05-05"
    assert "There is a problem" not in words(page)
    assert not Relationship.objects.exists()


def test_business_management_covers_every_program_account_of_today(approve: Post) -> None:
    page = approve(level="business", programs=[])

    assert "business management of every program account of today (RM 0001 Maple 1, RM 0002" in (
        words(page)
    )
    approve(confirmed=True, level="business", programs=[])
    assert {row.program.extension for row in RelationshipTerms.objects.all() if row.program} == {
        "RM0001",
        "RM0002",
    }


def test_program_accounts_that_were_asked_for_and_are_left_out_are_named(world: World) -> None:
    maple = world.importer("Maple")
    waiting = world.relationship_request(
        world.broker("ITN"), maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )

    page = as_(world.manager(maple)).post(
        request_url("approve", maple, waiting.pk), answers(programs=["RM0002"])
    )

    assert "does not get them: RM 0001" in words(page)


def test_the_same_form_twice_has_one_effect(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    key = str(uuid4())

    browser, url = as_(world.manager(maple)), request_url("approve", maple, waiting.pk)
    data = answers(form_key=key)
    sealed = data | {"confirm": "yes", "seal": browser.post(url, data).context["seal"]}

    first, again = browser.post(url, sealed), browser.post(url, sealed)

    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"] == again["Location"]
    assert Relationship.objects.count() == 1
    assert Event.objects.filter(verb="relationship_request.approve").count() == 2  # one per chain


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"last_day": "2026-11-22"}, "The expiry date cannot be before today."),
        ({"last_day": "2031-11-24"}, "The expiry date can be November 23, 2031 at the latest."),
        ({"last_day": ""}, "Enter the expiry date."),
        ({"last_day": "31/03/2027"}, "Enter a day as year-month-day, for example 2027-03-31."),
        ({"last_day": "2027-02-30"}, "Enter a day as year-month-day, for example 2027-03-31."),
        ({"last_day": "9999-12-31"}, "Enter a year from 1900 to 2199."),
        ({"end": None}, "Choose how the relationship ends."),
        ({"end": "never"}, "Choose from the answers shown."),
        ({"end": "open"}, "Write why this relationship needs no expiry date."),
        ({"end": "open", "open_end_reason": " \u200b "}, "Write why this relationship needs no"),
        ({"end": "open", "open_end_reason": "x" * 501}, "Use at most 500 characters."),
        ({"end": "open", "open_end_reason": "x" * 1_000_000}, "Use at most 500 characters."),
        ({"end": "open", "open_end_reason": "a\x07b"}, "The text held characters that cannot"),
        ({"programs": []}, "Choose at least one program account."),
        ({"programs": ["RM0009"]}, "Choose only program accounts of this list."),
        ({"level": None}, "Choose the level of the relationship."),
        ({"covers_future": "on"}, "Only business management can include program accounts opened"),
        ({"ceiling": None}, "Choose the most that the firm can do."),
        ({"ceiling": "reader", "visibility_other": "edit"}, "A Reader cannot edit."),
        ({"visibility_broker": "none"}, "Choose from the answers shown."),
        ({"visibility_importer": None}, "Choose a rule for what the importer submits."),
        ({"consent": None}, "Agree to the text, or reject the request."),
        ({"consent_version": "0"}, "The text that you agree to changed"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(
    approve: Post, changed: dict[str, Any], error: str
) -> None:
    for confirmed in (False, True):
        page = approve(confirmed=confirmed, **changed)
        assert page.status_code == 422
        assert error in words(page)
        assert "Your decision" in words(page)
    assert not Relationship.objects.exists()


def test_a_version_that_is_no_number_is_refused(approve: Post) -> None:
    for version in ("", "x", "-1", "9" * 30, "1.5"):
        assert approve(confirmed=True, version=version).status_code == 422
    assert not Relationship.objects.exists()


def test_an_error_keeps_what_was_entered(approve: Post) -> None:
    page = approve(last_day="2020-01-01", visibility_other="edit", programs=["RM0002"])

    form = page.context["form"]
    assert form["last_day"].value() == "2020-01-01"
    assert form["visibility_other"].value() == "edit"
    assert form["programs"].value() == ["RM0002"]
    assert form["last_day"].errors


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("last", [date(2026, 11, 23), CAP, date(2027, 3, 14), date(2027, 11, 7)])
def test_the_last_day_is_one_from_today_to_the_cap(approve: Post, last: date) -> None:
    approve(confirmed=True, last_day=last.isoformat())

    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=TORONTO)
    assert Relationship.objects.get().ends_at == end


def test_today_is_the_day_in_toronto(approve: Post, clock: time_machine.Traveller) -> None:
    clock.move_to(datetime(2026, 11, 23, 23, 30, tzinfo=TORONTO))  # the 24th in UTC

    assert approve(last_day="2026-11-23").status_code == 200
    assert approve(last_day="2026-11-22").status_code == 422


# ---------------------------------------------------------------- what the preview showed


CHANGED = "This changed since you looked. Nothing was given: read it again, then confirm."


@pytest.fixture
def previewed(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> Callable[..., tuple[Client, str, dict[str, Any]]]:
    """The browser, the address, and what the confirmation of a preview posts."""

    def post(**changed: Any) -> tuple[Client, str, dict[str, Any]]:
        browser, url = as_(world.manager(maple)), request_url("approve", maple, waiting.pk)
        page = browser.post(url, answers(**changed))
        [seal] = re.findall(r'name="seal" value="(\w+)"', page.content.decode())
        return browser, url, answers(**changed) | {"confirm": "yes", "seal": seal}

    return post


@pytest.mark.parametrize(
    "other",
    [{"visibility_importer": "edit"}, {"programs": ["RM0001", "RM0002"]}, {"seal": "é"}],
)
def test_what_is_confirmed_is_what_was_shown(previewed: Any, other: dict[str, Any]) -> None:
    browser, url, data = previewed()

    page = browser.post(url, data | other)

    assert page.status_code == 409 and CHANGED in words(page)
    assert not Relationship.objects.exists()
    shown = {"confirm": "yes", "seal": page.context["seal"]}
    assert browser.post(url, data | other | shown).status_code == 302


def test_a_confirmation_without_a_preview_shows_it(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    url = request_url("approve", maple, waiting.pk)

    page = as_(world.manager(maple)).post(url, answers(confirm="yes"))

    assert page.status_code == 409 and CHANGED in words(page)
    assert not Relationship.objects.exists()


def test_a_program_account_opened_since_the_preview_is_shown_first(
    world: World, maple: BusinessAccount, previewed: Any
) -> None:
    browser, url, data = previewed(level="business", programs=[])
    maple.programs.create(extension="RM0099", name="Newcomer", opened_at=world.at)

    page = browser.post(url, data)

    assert page.status_code == 409 and CHANGED in words(page)
    assert "RM 0099 Newcomer" in words(page)
    assert not RelationshipTerms.objects.exists()


def test_the_seal_of_another_person_confirms_nothing(
    world: World, maple: BusinessAccount, previewed: Any
) -> None:
    _browser, url, data = previewed()
    other = as_(world.employee("Bea", maple))

    assert other.post(url, data).status_code == 409
    assert not Relationship.objects.exists()


# ---------------------------------------------------------------- states and races


def test_a_request_that_changed_is_shown_again_with_what_was_entered(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    pam = world.employee("Pam", maple, RM0001="pam")
    waiting = world.relationship_request(
        itn, maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )
    done(
        reject_relationship_request(
            actor=pam,
            acting_for=maple,
            relationship_request=waiting,
            reason="Not for mine.",
            expected_version=1,
            at=world.at,
        )
    )
    browser, url = as_(world.manager(maple)), request_url("approve", maple, waiting.pk)

    for step in ({}, {"confirm": "yes"}):
        page = browser.post(url, answers(last_day="2027-05-05") | step)
        assert page.status_code == 409
        assert "This request changed while you had the page open." in words(page)
        assert page.context["form"]["last_day"].value() == "2027-05-05"
        assert page.context["form"]["version"].value() == "2"
        assert "RM 0001 Maple 1 Rejected" in words(page)
    assert not Relationship.objects.exists()
    assert confirm(browser, url, answers(2, programs=["RM0002"])).status_code == 302


@pytest.mark.parametrize("page", ["approve", "reject"])
def test_the_loser_of_a_race_reads_who_decided_and_when(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest, page: str
) -> None:
    other = world.employee("Bea", maple)
    done(
        reject_relationship_request(
            actor=other,
            acting_for=maple,
            relationship_request=waiting,
            reason="We do not know you.",
            expected_version=1,
            at=world.at,
        )
    )
    data = answers(confirm="yes") if page == "approve" else {"version": 1, "reason": "No."}

    answer = as_(world.manager(maple)).post(request_url(page, maple, waiting.pk), data)

    assert answer.status_code == 409
    assert "Bea already rejected this request on November 23, 2026, 10:30 a.m. ET" in words(answer)
    assert "Nothing was changed." in words(answer)
    [refused] = Event.objects.filter(verb=f"relationship_request.{page}.refused")
    assert refused.chain_id == business_chain(maple.bn9)


@pytest.mark.parametrize("page", ["approve", "reject"])
def test_a_withdrawn_request_cannot_be_decided(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    waiting: RelationshipRequest,
    page: str,
) -> None:
    done(
        withdraw_relationship_request(
            actor=world.manager(itn), acting_for=itn, relationship_request=waiting, at=world.at
        )
    )
    browser = as_(world.manager(maple))

    answer = browser.post(request_url(page, maple, waiting.pk), answers(confirm="yes", reason="x"))

    assert answer.status_code == 409
    assert "withdrew this request" in words(answer)
    seen = browser.get(request_url("detail", maple, waiting.pk))
    assert "Withdrawn by the firm on" in words(seen)


def test_a_lapsed_request_cannot_be_decided(
    approve: Post, clock: time_machine.Traveller, waiting: RelationshipRequest
) -> None:
    clock.move_to(waiting.closes_at - timedelta(seconds=1))
    assert approve(last_day="2028-01-01").status_code == 200
    clock.move_to(waiting.closes_at)

    answer = approve(confirmed=True, last_day="2028-01-01")

    assert answer.status_code == 409
    assert "This request lapsed on November 23, 2027, 10:30 a.m. ET, unanswered." in words(answer)
    assert not Relationship.objects.exists()


def test_what_the_firm_may_do_today_stands_on_the_page(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn)
    waiting = world.relationship_request(itn, maple)
    browser = as_(world.manager(maple))

    page = words(browser.get(request_url("detail", maple, waiting.pk)))

    assert "What the firm may do today" in page


@pytest.mark.parametrize(
    ("given_today", "agreed", "said"),
    [
        (("RM0001",), {"programs": ["RM0001"]}, {"replaces"}),
        (("RM0001",), {"programs": ["RM0002"]}, set()),
        (("RM0001",), {"level": "business", "covers_future": "on"}, {"replaces"}),
        ("whole", {"programs": ["RM0001"]}, {"replaces", "keeps", "drops"}),
        ("whole", {"level": "business"}, {"replaces", "drops"}),
        ("whole", {"level": "business", "covers_future": "on"}, {"replaces"}),
        (None, {"level": "business", "covers_future": "on"}, set()),
    ],
)
def test_what_becomes_of_todays_authority_is_said(
    world: World, given_today: Any, agreed: dict[str, Any], said: set[str]
) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    if given_today == "whole":
        whole: dict[str, Any] = {"level": Level.BUSINESS, "covers_future": True}
        world.relationship(maple, itn, programs=("RM0001", "RM0002"), **whole)
    elif given_today:
        world.relationship(maple, itn, programs=given_today)
    waiting = world.relationship_request(itn, maple)

    page = words(
        as_(world.manager(maple)).post(request_url("approve", maple, waiting.pk), answers(**agreed))
    )

    sentences = {
        "replaces": "this takes the place of what the firm may do today",
        "keeps": "On the other program accounts of today the firm keeps what it may do today.",
        "drops": "Program accounts opened later are no longer included.",
    }
    assert {name for name, sentence in sentences.items() if sentence in page} == said


def test_a_firm_that_is_no_customs_broker_cannot_submit(world: World) -> None:
    maple = world.importer("Maple")
    waiting = world.relationship_request(world.consultant("Advisors"), maple)
    browser, warning = as_(world.manager(maple)), "This firm is not a licensed customs broker"

    assert warning in words(browser.get(request_url("detail", maple, waiting.pk)))
    assert warning in words(browser.post(request_url("approve", maple, waiting.pk), answers()))


def test_nobody_approves_what_that_person_asked_for(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    waiting = world.relationship_request(itn, maple)
    person = world.employee("ITN manager", maple)
    people, browser = (person, world.manager(maple)), as_(person)

    page = browser.get(request_url("detail", maple, waiting.pk))
    answer = browser.post(request_url("approve", maple, waiting.pk), answers(confirm="yes"))

    assert "another manager of the business decides" in words(page)
    assert answer.status_code == 403
    assert not Relationship.objects.exists()
    waits = {one: received_requests(world.access(one, maple)).count() for one in people}
    assert waits == {person: 0, world.manager(maple): 1}


# ---------------------------------------------------------------- a Program Account Manager


@pytest.fixture
def for_one(world: World, maple: BusinessAccount) -> RelationshipRequest:
    return world.relationship_request(
        world.broker("ITN"),
        maple,
        level=Level.PROGRAM,
        extensions=("RM0001", "RM0002"),
        ceiling=Ceiling.PAM,
    )


def test_a_pam_decides_its_program_at_most_as_editor(
    world: World, maple: BusinessAccount, for_one: RelationshipRequest
) -> None:
    pam = world.employee("Pam", maple, RM0001="pam")
    browser, url = as_(pam), request_url("approve", maple, for_one.pk)

    form = browser.get(request_url("detail", maple, for_one.pk)).context["form"]
    assert "level" not in form.fields and "covers_future" not in form.fields
    assert [value for value, _label in form.fields["programs"].choices] == ["RM0001"]
    assert [value for value, _label in form.fields["ceiling"].choices] == ["editor", "reader"]
    assert form["ceiling"].value() == "editor"

    for too_much in ({"ceiling": "pam"}, {"programs": ["RM0002"]}):
        assert browser.post(url, answers(confirm="yes", **too_much)).status_code == 422
    # What the form does not offer has no effect.
    done_page = confirm(browser, url, answers(level="business", covers_future="on"))

    assert done_page.status_code == 302
    terms = RelationshipTerms.objects.get()
    assert (terms.program, terms.level) == (world.program(maple, "RM0001"), Level.PROGRAM)
    for_one.refresh_from_db()
    assert for_one.decision == ""
    again = browser.get(request_url("detail", maple, for_one.pk))
    assert "Nothing in this request is yours to decide." in words(again)
    assert browser.post(url, answers(2, confirm="yes")).status_code == 403


# ---------------------------------------------------------------- reject


def test_a_rejection_needs_a_reason(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    browser, url = as_(world.manager(maple)), request_url("reject", maple, waiting.pk)

    for reason in ("", "   ", "\u200b", "x" * 501, "a\x00b"):
        page = browser.post(url, {"version": 1, "reason": reason})
        assert page.status_code == 422
    assert "Write the reason" in words(browser.post(url, {"version": 1}))
    assert RelationshipRequest.objects.get().decision == ""


def test_a_rejection_names_the_account_and_tells_the_firm(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    waiting: RelationshipRequest,
    django_capture_on_commit_callbacks: Any,
) -> None:
    browser, url = as_(world.manager(maple)), request_url("reject", maple, waiting.pk)
    assert f"to act for Maple, {maple.bn_shown}" in words(browser.get(url))
    mail.outbox.clear()

    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(url, {"version": 1, "reason": "We do not know you."}, follow=True)

    assert answer.redirect_chain == [(list_url(maple), 302)]
    assert f"You rejected the request of ITN to Maple, {maple.bn_shown}." in words(answer)
    assert RelationshipRequest.objects.get().decision == Decision.REJECTED
    [message] = mail.outbox
    assert message.to == [world.manager(itn).email]
    assert "Reason: We do not know you." in message.body
    with override("en-ca"):
        status = reverse("relationship_request_status", kwargs={"bn9": itn.bn9, "pk": waiting.pk})
    assert status in message.body


def test_a_stale_rejection_is_shown_again(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    page = as_(world.manager(maple)).post(
        request_url("reject", maple, waiting.pk), {"version": 7, "reason": "No."}
    )

    assert page.status_code == 409
    assert page.context["form"]["reason"].value() == "No."
    assert page.context["form"]["version"].value() == "1"


# ---------------------------------------------------------------- mails


def test_the_managers_are_told_once_a_day(
    world: World, maple: BusinessAccount, django_capture_on_commit_callbacks: Any
) -> None:
    world.manager(maple).language = "fr-ca"
    world.manager(maple).save()
    with django_capture_on_commit_callbacks(execute=True):
        world.relationship_request(world.broker("ITN"), maple)
        world.relationship_request(world.broker("Cedar"), maple)
        tell_what_waits(at=world.at)
        tell_what_waits(at=world.at)

    messages = [one for one in mail.outbox if one.to == [world.manager(maple).email]]

    assert len(messages) == 1
    assert "/fr-ca/" in messages[0].body and list_url(maple)[6:] in messages[0].body
    assert "ITN" not in messages[0].subject + messages[0].body


def test_the_firm_is_told_of_an_approval(
    world: World, approve: Post, itn: BusinessAccount, django_capture_on_commit_callbacks: Any
) -> None:
    mail.outbox.clear()

    with django_capture_on_commit_callbacks(execute=True):
        approve(confirmed=True)

    [message] = mail.outbox
    assert message.to == [world.manager(itn).email]
    assert "until the end of March 31, 2027 (Eastern time)" in message.body
    assert f"/businesses/{itn.bn9}/clients/" in message.body


# ---------------------------------------------------------------- the sentence


def test_the_sentence_reads_in_french_too(maple: BusinessAccount, itn: BusinessAccount) -> None:
    agreement = Agreement(
        level=Level.BUSINESS,
        programs=frozenset(maple.programs.values_list("pk", flat=True)),
        ceiling=Ceiling.READER,
        rules=Rules(),
        last_day=date(2027, 12, 1),
        covers_future=True,
    )

    with override("fr-ca"):
        sentence = agreement_in_words(
            agreement, client=maple, provider=itn, programs=maple.programs.order_by("extension")
        )

    assert "1er\u00a0décembre\u00a02027" in sentence
    for part in ("Maple", maple.bn_shown, "ITN", itn.bn_shown, "RM 0001 Maple 1, RM 0002 Maple 2"):
        assert part in sentence


# ---------------------------------------------------------------- the service


def test_program_management_never_covers_accounts_opened_later(
    world: World, maple: BusinessAccount, waiting: RelationshipRequest
) -> None:
    refusal = approve_relationship_request(
        actor=world.manager(maple),
        acting_for=maple,
        relationship_request=waiting,
        agreement=Agreement(
            level=Level.PROGRAM,
            programs=frozenset({world.program(maple).pk}),
            ceiling=Ceiling.READER,
            rules=Rules(),
            last_day=date(2027, 3, 31),
            covers_future=True,
        ),
        expected_version=1,
        at=world.at,
    )

    assert isinstance(refusal, Refusal) and refusal.code == "future_of_a_part"
    assert not RelationshipTerms.objects.exists()


def test_an_approval_says_which_rights_it_gives_and_takes(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    """The form begins with what holds: an approval gives and drops no right unsaid."""
    agreed = {"may_submit": False, "may_pay": True}
    held = world.relationship(maple, itn, **agreed)
    waiting = world.relationship_request(itn, maple, level=Level.PROGRAM, extensions=("RM0001",))
    browser = as_(world.manager(maple))

    form = browser.get(request_url("detail", maple, waiting.pk)).context["form"]
    url = request_url("approve", maple, waiting.pk)
    kept = words(browser.post(url, answers(rights=form["rights"].value())))
    other = words(browser.post(url, answers()))
    confirm(browser, url, answers(rights=form["rights"].value()))

    assert form["rights"].value() == ["may_pay"]
    assert "The firm can also Pay" in kept and "pay, from" not in kept
    assert "submit and correct declarations, from “no” to “yes”" in other
    assert "RM 0001 Maple 1: pay, from “yes” to “no”" in other
    last = held.terms.latest("pk")
    assert held.terms.count() == 2 and (last.may_submit, last.may_pay) == (False, True)


def test_a_pam_reads_of_its_own_programs_alone(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    """What else a firm asked for is another manager’s to know: not in words, not by searching."""
    pam = world.employee("Pam", maple, RM0001="pam")
    world.relationship(maple, itn)
    waiting = world.relationship_request(
        itn, maple, level=Level.PROGRAM, extensions=("RM0001", "RM0002")
    )
    detail = request_url("detail", maple, waiting.pk)
    found = reverse("received_request_list", kwargs={"bn9": maple.bn9})

    mine, all_of_it = (words(as_(one).get(detail)) for one in (pam, world.manager(maple)))
    own, foreign = (as_(pam).get(found, {"name": one}) for one in ("RM 0001", "RM 0002"))

    assert "RM 0002" in all_of_it and "RM 0002" not in mine
    assert len(own.context["received"]) == 1 and foreign.context["received"] == []
