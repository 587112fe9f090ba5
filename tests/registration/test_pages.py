"""The wizard as a person meets it: in order, out of order, twice, in both languages."""

import html
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse, translate_url
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount
from pages.formats import day, end_of_day
from registration.models import KEPT, Attempt, Outcome, Registration, ReviewRequest
from registration.steps import Step
from registration.terms import terms_in_force
from tests.registration.claims import (
    ENTITY,
    POSTED,
    claim,
    draft,
    fill_in,
    put_on_file,
    send,
    step_url,
)
from tests.world import World, next_bn9

START, REVIEW = "registration_start", "registration_review"


def text_of(response: object) -> str:
    """The page as people read it: entities resolved."""
    return html.unescape(response.content.decode())  # type: ignore[attr-defined]


def page_of(registration: Registration, name: str = "registration_outcome") -> str:
    return reverse(name, kwargs={"pk": registration.pk})


@pytest.fixture
def open_draft(visitor: Client) -> Registration:
    """A draft without any answer."""
    visitor.post(reverse(START))
    return Registration.objects.get()


# ---------------------------------------------------------------- the whole way


def test_a_business_is_registered_step_by_step(visitor: Client, person: User) -> None:
    bn9 = put_on_file()
    assert visitor.get(reverse(START)).status_code == 200

    places = [visitor.post(reverse(START)).url]
    for step, typed in POSTED.items():
        assert visitor.get(step_url(step)).status_code == 200
        data = typed | ({"bn9": bn9} if step == Step.BUSINESS_NUMBER else {})
        places.append(visitor.post(step_url(step), data).url)
    response = send(visitor)

    assert places == [*(step_url(step) for step in POSTED), reverse(REVIEW)]
    registration = Registration.objects.get()
    assert response.url == page_of(registration, "registration_receipt")
    assert BusinessAccount.objects.get().bn9 == bn9


def test_what_is_typed_is_what_is_kept(visitor: Client) -> None:
    fill_in(visitor, "439051277", street="3810 Ｓundial Ave")

    kept = Registration.objects.get()
    assert (kept.bn9, kept.extension) == ("439051277", "RM0001")
    assert {name: getattr(kept, name) for name in ENTITY} == ENTITY | {"street": "3810 Sundial Ave"}
    assert kept.payment_amount == Decimal("7205.19")
    assert kept.terms_language == "en-ca"
    terms = terms_in_force()
    assert (kept.terms_hash_en, kept.terms_hash_fr) == (terms.hash_en, terms.hash_fr)


def test_the_review_shows_every_answer_with_a_way_to_change_it(visitor: Client) -> None:
    fill_in(visitor, "439051277", operating_name="Prairie Sun")

    page = text_of(visitor.get(reverse(REVIEW)))

    for shown in (
        "43905 1277 RM 0001",
        "Prairie Sun Foods Inc.",
        "3810 Sundial Avenue",
        "Saskatoon",
        "S7P 0B7",
        "Canada",
        "August 31, 2024",
        "$7,205.19",
        "September 25, 2024",
        "$18,425.38",
        "Version 1",
        "You have 3 tries left for this business number.",
    ):
        assert shown in page
    for step in POSTED:
        assert step_url(step) in page


def test_a_change_from_the_review_leads_back_to_it(visitor: Client) -> None:
    fill_in(visitor, "439051277")

    response = visitor.post(step_url(Step.LEGAL_ENTITY), ENTITY | {"city": "Regina"})

    assert response.url == reverse(REVIEW)
    assert "Regina" in text_of(visitor.get(reverse(REVIEW)))


# ---------------------------------------------------------------- a draft that lasts


def test_a_draft_survives_sign_out_language_and_browser(visitor: Client, person: User) -> None:
    visitor.post(reverse(START))
    visitor.post(step_url(Step.BUSINESS_NUMBER), {"bn9": "439051277RM0002", "extension": ""})
    visitor.logout()
    elsewhere = Client(headers={"accept-language": "fr-CA"})
    elsewhere.force_login(person)

    response = elsewhere.get(translate_url(step_url(Step.BUSINESS_NUMBER), "fr-ca"))

    page = text_of(response)
    assert 'lang="fr-ca"' in page
    assert 'value="43905 1277"' in page and 'value="RM 0002"' in page
    assert elsewhere.post(reverse(START)).url.endswith("/steps/legal-entity/")


def test_nothing_of_a_registration_is_in_the_session(visitor: Client) -> None:
    visitor.get(reverse(START))
    before = set(visitor.session.keys())

    fill_in(visitor, "439051277")

    assert set(visitor.session.keys()) == before


def test_the_start_says_where_a_person_stands(visitor: Client, person: User, at: datetime) -> None:
    assert "Start" in text_of(visitor.get(reverse(START)))
    visitor.post(reverse(START))
    assert "You have started a registration" in text_of(visitor.get(reverse(START)))

    failed = claim(person, next_bn9(), at)
    visitor.post(page_of(failed, "registration_review_request"), {"note": "Please look."})
    assert failed.reference in text_of(visitor.get(reverse(START)))


def test_pages_say_until_when_a_draft_is_kept_and_then_it_is_gone(
    visitor: Client, person: User, clock: time_machine.Traveller, at: datetime
) -> None:
    """By the clock: no job has run."""
    draft(person, put_on_file(), at)
    last_day = timezone.localdate(at) + KEPT
    kept = f"kept until the end of {day(last_day)}"
    pages = [reverse(START), step_url(Step.LEGAL_ENTITY), reverse(REVIEW)]
    for page in pages:
        assert kept in text_of(visitor.get(page)), page
        in_french = text_of(visitor.get(translate_url(page, "fr-ca")))
        assert "jusqu’à la fin du" in in_french, page

    clock.move_to(end_of_day(last_day))
    visitor.force_login(person)
    home = text_of(visitor.get(reverse("home")))
    assert "Prairie Sun Foods" not in home and "My registrations" not in home
    start = text_of(visitor.get(reverse(START)))
    assert "You have started a registration" not in start and "Prairie" not in start
    for page in pages[1:]:
        assert visitor.get(page).url == reverse(START)
        sent = visitor.post(page, ENTITY, follow=True)
        assert "Nothing was saved" in text_of(sent) and sent.redirect_chain[0][0] == reverse(START)
    assert visitor.post(reverse(START)).url == step_url(Step.BUSINESS_NUMBER)
    assert "Prairie" not in text_of(visitor.get(step_url(Step.BUSINESS_NUMBER)))


def test_an_error_loses_nothing(visitor: Client, open_draft: Registration) -> None:
    visitor.post(step_url(Step.BUSINESS_NUMBER), {"bn9": "439051277", "extension": "RM0001"})

    response = visitor.post(step_url(Step.LEGAL_ENTITY), ENTITY | {"postal_code": "12"})

    page = text_of(response)
    assert response.status_code == 422
    assert "Enter a Canadian postal code, such as K1A 0L8." in page
    assert 'value="Prairie Sun Foods Inc."' in page and 'value="12"' in page
    open_draft.refresh_from_db()
    assert open_draft.bn9 == "439051277" and not open_draft.legal_name


# ---------------------------------------------------------------- out of order


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("step", list(POSTED))
def test_before_the_start_every_step_leads_to_it(visitor: Client, step: str, method: str) -> None:
    assert getattr(visitor, method)(step_url(step)).url == reverse(START)
    assert getattr(visitor, method)(reverse(REVIEW)).url == reverse(START)
    assert not Registration.objects.exists()


@pytest.mark.asvs("2.3.1")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("step", [*list(POSTED)[1:], Step.REVIEW])
def test_a_step_out_of_order_leads_to_the_first_that_is_missing(
    visitor: Client, open_draft: Registration, step: str, method: str
) -> None:
    url = reverse(REVIEW) if step == Step.REVIEW else step_url(step)

    response = getattr(visitor, method)(url, POSTED.get(step, {}))

    assert response.url == step_url(Step.BUSINESS_NUMBER)
    open_draft.refresh_from_db()
    assert open_draft.version == 1
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("step", ["what-you-need", "review", "done", "nonsense"])
def test_what_is_no_step_with_a_form_is_no_page(visitor: Client, step: str) -> None:
    assert visitor.get(step_url(step)).status_code == 404


@pytest.mark.asvs("2.3.1")
def test_after_the_end_the_steps_lead_to_how_it_ended_and_later_to_a_new_start(
    visitor: Client, person: User, at: datetime, clock: time_machine.Traveller
) -> None:
    """Who presses Back on the receipt and sends again reads that the business is registered."""
    claim(person, put_on_file(), at)
    receipt = page_of(Registration.objects.get(), "registration_receipt")

    for page in (receipt, reverse(START)):
        for step in POSTED:
            assert visitor.post(step_url(step), POSTED[step]).url == page
        assert visitor.post(reverse(REVIEW), {"version": "9"}).url == page
        clock.shift(timedelta(hours=1, seconds=1))


# ---------------------------------------------------------------- bad input


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("888316172", "This is not a valid business number. Check each digit."),
        ("", "Enter the business number."),
        ("88831\x006171", "Enter a business number of 9 digits, such as 88831 6171."),
        ("9" * 400_000, "Enter a business number of 9 digits, such as 88831 6171."),
        ("<script>", "Enter a business number of 9 digits, such as 88831 6171."),
    ],
)
def test_a_malformed_number_is_an_error_on_the_same_page(
    visitor: Client, open_draft: Registration, typed: str, said: str
) -> None:
    response = visitor.post(step_url(Step.BUSINESS_NUMBER), {"bn9": typed, "extension": "RM0001"})

    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert "<script>" not in page.partition("</head>")[2]
    assert len(page) < 100_000


def test_ten_megabytes_change_nothing(visitor: Client, open_draft: Registration) -> None:
    response = visitor.post(
        step_url(Step.BUSINESS_NUMBER), {"bn9": "8" * 10_000_000, "extension": "RM0001"}
    )

    assert response.status_code in (400, 413, 422)
    open_draft.refresh_from_db()
    assert open_draft.version == 1


@pytest.mark.asvs("8.2.3", "15.3.3")
def test_extra_fields_change_nothing(visitor: Client, open_draft: Registration) -> None:
    visitor.post(
        step_url(Step.BUSINESS_NUMBER),
        {
            "bn9": "439051277",
            "extension": "RM0001",
            "outcome": "registered",
            "person": "1",
            "legal_name": "Else",
            "terms_version": "1",
        },
    )

    open_draft.refresh_from_db()
    assert (open_draft.outcome, open_draft.legal_name, open_draft.terms_version) == ("", "", "")


@pytest.mark.parametrize("version", ["", "0", "99", "-1", "x", "1" * 5000])
def test_a_review_of_another_version_is_shown_again(visitor: Client, version: str) -> None:
    fill_in(visitor, put_on_file())

    response = visitor.post(reverse(REVIEW), {"version": version})

    assert response.status_code == 409
    assert "Your answers changed in another window" in text_of(response)
    assert not Attempt.objects.exists()
    assert send(visitor).status_code == 302


# ---------------------------------------------------------------- twice


def test_a_form_posted_twice_has_one_effect(visitor: Client) -> None:
    bn9 = put_on_file()
    fill_in(visitor, bn9)
    key = str(uuid4())
    version = str(Registration.objects.get().version)

    first, second = (
        visitor.post(reverse(REVIEW), {"version": version, "form_key": key}) for _ in range(2)
    )

    assert first.url == second.url == page_of(Registration.objects.get(), "registration_receipt")
    assert Attempt.objects.count() == BusinessAccount.objects.count() == 1


def test_a_start_posted_twice_is_one_draft(visitor: Client) -> None:
    for _ in range(2):
        assert visitor.post(reverse(START)).url == step_url(Step.BUSINESS_NUMBER)

    assert Registration.objects.count() == 1


# ---------------------------------------------------------------- the outcome


def test_a_failure_offers_three_ways_on(visitor: Client, person: User) -> None:
    fill_in(visitor, next_bn9())

    response = visitor.get(send(visitor).url)

    registration = Registration.objects.get()
    page = text_of(response)
    assert response.status_code == 200
    for shown in (
        "We could not register this business",
        registration.bn15_shown,
        registration.reference,
        "CCP-REG-01",
        "You have 2 tries left for this business number.",
        reverse("access_request_create"),
        page_of(registration, "registration_review_request"),
    ):
        assert shown in page


def test_trying_again_keeps_name_and_address(visitor: Client, person: User, at: datetime) -> None:
    failed = claim(person, put_on_file(), at, street="1 Elsewhere Road")

    response = visitor.post(reverse(START), {"again": str(failed.pk)})

    assert response.url == step_url(Step.SECURITY_QUESTIONS)
    assert "1 Elsewhere Road" in text_of(visitor.get(step_url(Step.LEGAL_ENTITY)))


@pytest.mark.parametrize("again", ["", "x", "c8b6c414-ec66-4c42-a042-e33fd92cd5b9"])
def test_trying_again_from_nothing_is_a_fresh_start(visitor: Client, again: str) -> None:
    assert visitor.post(reverse(START), {"again": again}).url == step_url(Step.BUSINESS_NUMBER)


def test_nobody_tries_again_from_what_is_somebody_elses(
    visitor: Client, world: World, at: datetime
) -> None:
    theirs = claim(world.person("Nadia Haddad"), next_bn9(), at)

    visitor.post(reverse(START), {"again": str(theirs.pk)})

    assert not Registration.objects.get(outcome="").legal_name


def test_without_tries_the_page_says_when_there_are_some(visitor: Client) -> None:
    bn9 = next_bn9()
    for _ in range(4):
        fill_in(visitor, bn9)
        outcome = send(visitor).url
    page = text_of(visitor.get(outcome))

    assert Registration.objects.filter(outcome=Outcome.LOCKED).count() == 1
    assert "You can try again after November 23, 2026, 11:30\u00a0a.m.\u00a0ET." in page
    assert 'name="again"' not in page
    assert "Ask for a review" in page


def test_the_review_warns_when_no_try_is_left(visitor: Client, person: User, at: datetime) -> None:
    bn9 = next_bn9()
    for _ in range(3):
        claim(person, bn9, at)
    fill_in(visitor, bn9)

    page = text_of(visitor.get(reverse(REVIEW)))

    assert "You have no tries left for this business number until November 23, 2026" in page


def test_a_review_is_asked_for_and_waits(visitor: Client, person: User, at: datetime) -> None:
    failed = claim(person, next_bn9(), at)
    ask = page_of(failed, "registration_review_request")
    assert visitor.get(ask).status_code == 200
    assert visitor.post(ask, {"note": " "}).status_code == 422

    response = visitor.post(ask, {"note": "We have just been <founded>."})

    assert response.url == page_of(failed)
    page = visitor.get(page_of(failed)).content.decode()
    assert "Waiting for a review" in page
    assert "We have just been &lt;founded&gt;." in page
    assert visitor.get(ask).url == page_of(failed)
    assert ReviewRequest.objects.get().registration == failed


def test_a_second_review_of_a_number_is_refused_in_words(
    visitor: Client, person: User, at: datetime
) -> None:
    first, second = (claim(person, "888316171", at) for _ in range(2))
    visitor.post(page_of(first, "registration_review_request"), {"note": "Please."})

    response = visitor.post(
        page_of(second, "registration_review_request"), {"note": "Please, again."}
    )

    assert response.status_code == 409
    assert "already waits for a review" in text_of(response)
    assert "Please, again." in text_of(response)


def test_a_business_without_records_can_reach_the_review_queue(visitor: Client) -> None:
    bn9 = put_on_file(kinds=())
    visitor.post(reverse(START))
    for step, typed in POSTED.items():
        data = typed | ({"bn9": bn9} if step == Step.BUSINESS_NUMBER else {})
        if step == Step.SECURITY_QUESTIONS:
            data = {"has_no_records": "on"}
        visitor.post(step_url(step), data)
    assert "has no transactions, payments or statements yet" in text_of(
        visitor.get(reverse(REVIEW))
    )

    outcome = send(visitor).url

    assert "Ask for a review" in text_of(visitor.get(outcome))


PRIVATE = ["registration_outcome", "registration_receipt", "registration_review_request"]


@pytest.mark.parametrize("name", PRIVATE)
def test_somebody_elses_registration_is_no_page(
    visitor: Client, world: World, at: datetime, name: str
) -> None:
    other = world.person("Nadia Haddad")
    for registration in (claim(other, put_on_file(), at), claim(other, next_bn9(), at)):
        assert visitor.get(page_of(registration, name)).status_code == 404
        assert visitor.post(page_of(registration, name)).status_code in (404, 405)


@pytest.mark.parametrize("name", PRIVATE)
def test_a_page_that_does_not_fit_leads_to_the_one_that_does(
    visitor: Client, person: User, at: datetime, name: str
) -> None:
    registered = claim(person, put_on_file(), at)
    failed = claim(person, next_bn9(), at)
    unfinished = draft(person, next_bn9(), at)
    right = {
        registered: page_of(registered, "registration_receipt"),
        failed: page_of(failed),
        unfinished: reverse(REVIEW),
    }

    for registration, place in right.items():
        response = visitor.get(page_of(registration, name))
        if response.status_code == 302:
            assert response.url == place
        else:
            assert registration is not unfinished


def test_a_stranger_is_sent_to_sign_in(client: Client, db: None) -> None:
    response = client.get(reverse(START))

    assert response.status_code == 302
    assert reverse("account_login") in response.url


# ---------------------------------------------------------------- the receipt


def test_the_receipt_lists_accounts_and_waiting_requests(
    visitor: Client, person: User, world: World, at: datetime
) -> None:
    bn9 = put_on_file()
    broker = world.broker("ITN Logistics")
    waiting = world.relationship_request(broker, bn9)
    registered = claim(person, bn9, at)

    page = text_of(visitor.get(page_of(registered, "registration_receipt")))

    for shown in (
        "Your business is registered",
        registered.reference,
        f"{registered.bn_shown} RM 0001",
        f"{registered.bn_shown} RM 0002",
        "Prairie Sun Produce",
        "Liam Walsh",
        "ITN Logistics",
        reverse("relationship_request_detail", kwargs={"bn9": bn9, "pk": waiting.pk}),
        "Name a second Business Account Manager",
    ):
        assert shown in page


def test_a_second_manager_can_be_put_off_and_the_advice_stays(
    visitor: Client, person: User, at: datetime
) -> None:
    registered = claim(person, put_on_file(), at)
    receipt = page_of(registered, "registration_receipt")

    assert visitor.post(receipt).url == receipt

    page = text_of(visitor.get(receipt))
    assert "We will remind you until there is a second manager." in page
    assert "Name a second Business Account Manager" in page
    assert "Not now, remind me" not in page


def test_with_two_managers_the_advice_is_gone(
    visitor: Client, person: User, world: World, at: datetime
) -> None:
    registered = claim(person, put_on_file(), at)
    world.people["Prairie Sun Foods Inc. manager"] = person
    assert registered.business
    world.employee("Nadia Haddad", registered.business)

    page = text_of(visitor.get(page_of(registered, "registration_receipt")))

    assert "Name a second Business Account Manager" not in page


def test_who_has_left_the_business_has_no_receipt_page(
    visitor: Client, person: User, at: datetime
) -> None:
    registered = claim(person, put_on_file(), at)
    person.memberships.update(ends_at=at)

    assert visitor.get(page_of(registered, "registration_receipt")).status_code == 404


# ---------------------------------------------------------------- in French


def test_every_page_is_there_in_french(visitor: Client, person: User, at: datetime) -> None:
    failed = claim(person, next_bn9(), at)
    registered = claim(person, put_on_file(), at)
    draft(person, next_bn9(), at)
    pages = [
        reverse(START),
        *(step_url(step) for step in POSTED),
        reverse(REVIEW),
        page_of(failed),
        page_of(failed, "registration_review_request"),
        page_of(registered, "registration_receipt"),
    ]

    for url in pages:
        response = visitor.get(translate_url(url, "fr-ca"))
        assert response.status_code == 200
        assert 'lang="fr-ca"' in response.content.decode()


def test_the_terms_are_read_and_accepted_in_the_language_of_the_page(
    visitor: Client, person: User, at: datetime
) -> None:
    draft(person, next_bn9(), at)
    url = translate_url(step_url(Step.TERMS), "fr-ca")

    page = text_of(visitor.get(url))
    visitor.post(url, POSTED[Step.TERMS])

    assert "délégation de pouvoir entre les importateurs et les courtiers en douane" in page
    assert "Les versions française et anglaise font également autorité." in page
    assert Registration.objects.get().terms_language == "fr-ca"


def test_amounts_and_days_read_as_in_french(visitor: Client, person: User, at: datetime) -> None:
    draft(person, next_bn9(), at, country="DE")

    page = text_of(visitor.get(translate_url(reverse(REVIEW), "fr-ca")))

    assert "7\u00a0205,19\u00a0$" in page
    assert "31\u00a0août\u00a02024" in page
    assert "Allemagne" in page
