"""What happens when a registration is started, judged, reviewed; and what can never be stored."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Language, User
from audit.models import Event
from audit.services import Refusal, business_chain, person_chain
from audit.verbs import sentence
from businesses.models import BusinessAccount, ProgramAccount, RegisterProgram
from delegation.access import Access
from delegation.services.roles import managers_of
from notices.models import Notice
from pages.formats import end_of_day
from registration import services
from registration.models import (
    ANSWERS,
    ENTERED,
    KEPT,
    TRANSITIONS,
    Attempt,
    Outcome,
    Registration,
    ReviewRequest,
    blank,
)
from registration.steps import Step
from registration.terms import terms_in_force
from tests.registration.claims import (
    NO_ANSWERS,
    TRANSACTION,
    add_program,
    claim,
    draft,
    put_on_file,
    submit,
)
from tests.world import World, done, next_bn9


def verbs(chain: str) -> list[str]:
    return list(Event.objects.filter(chain_id=chain).order_by("seq").values_list("verb", flat=True))


# ---------------------------------------------------------------- success


def test_a_proven_claim_registers_the_business(person: User, at: datetime) -> None:
    bn9 = put_on_file()
    add_program(bn9, "RM0003", is_open=False)

    registration = claim(person, bn9, at)

    business = BusinessAccount.objects.get(bn9=bn9)
    assert registration.outcome == Outcome.REGISTERED
    assert registration.business == business
    assert registration.evidence == ["payment", "statement"]
    assert business.status == BusinessAccount.Status.ACTIVE
    assert [program.extension for program in business.programs.order_by("extension")] == [
        "RM0001",
        "RM0002",
        "RM0003",
    ]
    assert ProgramAccount.objects.get(business=business, extension="RM0003").closed_at == at
    assert managers_of(bn9, at) == [person]
    assert Access(person, business, at).is_bam


def test_success_is_history_of_the_person_and_of_the_business(person: User, at: datetime) -> None:
    bn9 = put_on_file()

    registration = claim(person, bn9, at)

    assert verbs(business_chain(bn9)) == ["registration.register"]
    assert verbs(person_chain(person)) == [
        "registration.start",
        "registration.edit",
        "registration.accept_terms",
        "registration.register",
    ]
    event = Event.objects.get(chain_id=business_chain(bn9))
    terms = terms_in_force()
    assert event.acting_for == bn9
    assert event.object_id == str(registration.pk)
    assert event.after == {
        "legal_name": "Prairie Sun Foods Inc.",
        "programs": ["RM0001", "RM0002"],
        "terms": {
            "terms_version": "1",
            "terms_hash_en": terms.hash_en,
            "terms_hash_fr": terms.hash_fr,
            "terms_language": "en-ca",
        },
    }
    assert sentence(event) == f"Registered the business {registration.bn_shown}"


def test_every_address_on_file_is_told(
    person: User, at: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    bn9 = put_on_file(emails=["finance@prairie.example", "owner@prairie.example"])

    with django_capture_on_commit_callbacks(execute=True):
        registration = claim(person, bn9, at)

    to = {message.to[0]: message for message in mail.outbox}
    assert set(to) == {person.email, "finance@prairie.example", "owner@prairie.example"}
    told = to["owner@prairie.example"]
    assert "Liam Walsh registered Prairie Sun Foods Inc." in told.body
    assert registration.reference in told.body
    assert "/en-ca/" in told.body and "/fr-ca/" in told.body
    assert "Prairie" not in told.subject
    assert f"/en-ca/register/{registration.pk}/receipt/" in to[person.email].body


def test_a_business_without_addresses_can_be_registered(person: User, at: datetime) -> None:
    assert claim(person, put_on_file(), at).outcome == Outcome.REGISTERED
    assert Notice.objects.count() == 1


# ---------------------------------------------------------------- failure


def unknown(world: World) -> str:
    return next_bn9()


def registered(world: World) -> str:
    bn9 = put_on_file()
    world.importer("Prairie Sun Foods Inc.", bn9=bn9)
    return bn9


def without_history(world: World) -> str:
    return put_on_file(kinds=())


def wrongly_answered(world: World) -> str:
    return put_on_file(kinds=("transaction", "payment"))


def of_another_name(world: World) -> str:
    return put_on_file(legal_name="Prairie Moon Foods Inc.")


def of_another_address(world: World) -> str:
    return put_on_file(street="1 Elsewhere Road")


def with_the_program_closed(world: World) -> str:
    bn9 = put_on_file()
    RegisterProgram.objects.filter(entity_id=bn9, extension="RM0001").update(is_open=False)
    return bn9


FAILURES = [
    unknown,
    registered,
    without_history,
    wrongly_answered,
    of_another_name,
    of_another_address,
    with_the_program_closed,
]


@pytest.mark.parametrize("case", FAILURES)
def test_whatever_does_not_succeed_is_refused_alike(
    world: World, person: User, at: datetime, case: Any
) -> None:
    bn9 = case(world)
    businesses = BusinessAccount.objects.count()
    registration = draft(person, bn9, at)

    refusal = submit(person, registration, at)

    assert refusal == Refusal("not_matched", services.NOT_MATCHED)
    registration.refresh_from_db()
    assert registration.outcome == Outcome.FAILED
    assert registration.submitted_at == at
    assert BusinessAccount.objects.count() == businesses
    assert not person.memberships.exists()
    event = Event.objects.filter(chain_id=person_chain(person)).latest("seq")
    assert (event.verb, event.reason) == ("registration.submit.refused", "not_matched")
    assert not Event.objects.filter(chain_id=business_chain(bn9), actor_id=person.pk).exists()
    assert not Notice.objects.filter(template__startswith="registration/").exists()


def test_the_true_reason_is_nowhere_in_history(world: World, at: datetime) -> None:
    """Event for event, a person's chain reads the same whatever the reason was."""
    told = []
    for number, case in enumerate(FAILURES):
        person = world.person(f"Claimant {chr(65 + number)}")
        registration = claim(person, case(world), at)
        events = Event.objects.filter(chain_id=person_chain(person)).order_by("seq")
        told.append(
            [(event.verb, event.before, event.after, event.reason, event.path) for event in events]
        )
        assert registration.outcome == Outcome.FAILED
    assert all(events == told[0] for events in told)


def test_the_answers_do_not_outlast_the_judgement(person: User, at: datetime) -> None:
    registration = claim(person, put_on_file(kinds=("payment",)), at, **TRANSACTION)

    assert registration.outcome == Outcome.REGISTERED
    assert {name: getattr(registration, name) for name in ANSWERS} == NO_ANSWERS
    assert registration.evidence == ["payment"]
    assert "7205" not in str(list(Event.objects.values_list("after", "before", "reason")))


def test_a_draft_that_is_never_submitted_is_let_go(world: World, at: datetime) -> None:
    """Empty by the clock from the first instant after its last day, whether or not a job ran."""
    person, other, tidy = (world.person(f"{name} Walsh") for name in ("Liam", "Nora", "Owen"))
    kept = draft(person, put_on_file(), at)
    forgotten, last = draft(other, put_on_file(), at), draft(tidy, put_on_file(), at)
    over = end_of_day(timezone.localdate(at) + KEPT)
    before = over - timedelta(microseconds=1)

    assert not kept.is_past(before) and kept.is_past(over)
    assert services.forget_drafts(at=before) == 0
    services.save_step(
        actor=tidy, registration=last, step=Step.LEGAL_ENTITY, answers={"city": "Regina"}, at=before
    )
    early = submit(person, kept, over)
    assert isinstance(early, Refusal) and early.code == "incomplete"
    assert not Attempt.objects.exists()

    assert services.forget_drafts(at=over) == 2 and services.forget_drafts(at=over) == 0
    last.refresh_from_db()
    assert last.city == "Regina" and last.payment_amount
    forgotten.refresh_from_db()
    assert {name: getattr(forgotten, name) for name in ENTERED} == blank(ENTERED)
    assert not any(blank(ENTERED).values())
    assert isinstance(submit(other, forgotten, over), Refusal)

    anew = services.start_registration(actor=person, at=over)
    assert anew.pk == kept.pk and anew.started_at == over and not anew.is_past(over)
    assert not (anew.bn9 or anew.legal_name or anew.payment_amount or anew.terms_version)
    assert verbs(person_chain(person)).count("registration.start") == 2


def test_another_program_account_of_the_number_can_be_the_one(person: User, at: datetime) -> None:
    bn9 = put_on_file(extension="RM0002")

    assert claim(person, bn9, at).outcome == Outcome.FAILED
    assert claim(person, bn9, at, extension="RM0002").outcome == Outcome.REGISTERED


# ---------------------------------------------------------------- the draft


def test_a_person_has_one_open_draft(person: User, at: datetime) -> None:
    first = services.start_registration(actor=person, at=at)
    second = services.start_registration(actor=person, at=at)

    assert first == second
    assert verbs(person_chain(person)) == ["registration.start"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.create(person=person, started_at=at, updated_at=at)


def test_trying_again_keeps_what_was_said_of_the_business(person: User, at: datetime) -> None:
    failed = claim(person, next_bn9(), at, operating_name="Prairie Sun")

    again = services.start_registration(actor=person, at=at, again=failed)

    assert again != failed
    assert (again.bn9, again.extension) == (failed.bn9, "RM0001")
    assert (again.legal_name, again.operating_name) == ("Prairie Sun Foods Inc.", "Prairie Sun")
    assert again.terms_accepted_at == at
    assert not again.is_answered


def test_a_closed_registration_does_not_change(person: User, at: datetime) -> None:
    closed = claim(person, put_on_file(), at)
    later = at + timedelta(minutes=1)

    services.save_step(
        actor=person,
        registration=closed,
        step=Step.LEGAL_ENTITY,
        answers={"legal_name": "Else"},
        at=later,
    )
    services.accept_terms(
        actor=person,
        registration=closed,
        terms=terms_in_force(),
        read_in=Language.FRENCH,
        at=later,
    )
    assert submit(person, closed, later) == closed

    closed.refresh_from_db()
    assert (closed.legal_name, closed.terms_language) == ("Prairie Sun Foods Inc.", "en-ca")
    assert closed.submitted_at == at
    assert Attempt.objects.count() == 1


def test_what_changed_since_the_review_is_not_judged(person: User, at: datetime) -> None:
    registration = draft(person, put_on_file(), at)

    refusal = services.submit_registration(
        actor=person, registration=registration, expected_version=registration.version - 1, at=at
    )

    assert isinstance(refusal, Refusal) and refusal.code == "changed"
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    "missing",
    [{"bn9": "", "extension": ""}, {"legal_name": ""}, NO_ANSWERS],
    ids=["number", "entity", "answers"],
)
def test_an_incomplete_draft_is_not_judged(
    person: User, at: datetime, missing: dict[str, Any]
) -> None:
    registration = draft(person, put_on_file(), at, **missing)

    refusal = submit(person, registration, at)

    assert isinstance(refusal, Refusal) and refusal.code == "incomplete"
    assert not Attempt.objects.exists()


def test_terms_of_an_older_version_have_to_be_accepted_again(
    person: User, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = draft(person, put_on_file(), at)
    Registration.objects.update(terms_version="0")

    refusal = submit(person, registration, at)

    assert isinstance(refusal, Refusal) and refusal.code == "incomplete"


def test_nobody_acts_on_somebody_elses_registration(
    world: World, person: User, at: datetime
) -> None:
    theirs = draft(world.person("Nadia Haddad"), put_on_file(), at)

    with pytest.raises(Registration.DoesNotExist):
        submit(person, theirs, at)
    with pytest.raises(Registration.DoesNotExist):
        services.save_step(actor=person, registration=theirs, step=Step.TERMS, answers={}, at=at)


# ---------------------------------------------------------------- review


def test_what_failed_can_be_reviewed(person: User, at: datetime) -> None:
    registration = claim(person, next_bn9(), at)

    review = done(
        services.request_review(actor=person, registration=registration, note="We moved.", at=at)
    )

    registration.refresh_from_db()
    assert registration.outcome == Outcome.IN_REVIEW
    assert (review.bn9, review.note, review.at) == (registration.bn9, "We moved.", at)
    assert verbs(person_chain(person))[-1] == "registration.request_review"


def test_one_review_waits_per_person_and_number(person: User, at: datetime) -> None:
    first, second = (claim(person, "888316171", at) for _ in range(2))
    done(services.request_review(actor=person, registration=first, note="Please.", at=at))

    refusal = services.request_review(actor=person, registration=second, note="Please.", at=at)

    assert isinstance(refusal, Refusal) and refusal.code == "already_waiting"
    assert ReviewRequest.objects.count() == 1


def test_only_what_failed_can_be_reviewed(person: User, at: datetime) -> None:
    registered = claim(person, put_on_file(), at)
    still_open = draft(person, next_bn9(), at)

    for registration in (registered, still_open):
        refusal = services.request_review(
            actor=person, registration=registration, note="Please.", at=at
        )
        assert isinstance(refusal, Refusal) and refusal.code == "wrong_state"
    assert not ReviewRequest.objects.exists()


def test_transitions_end_in_registered_or_in_review() -> None:
    assert set(TRANSITIONS) == {"", *Outcome}
    assert TRANSITIONS[Outcome.REGISTERED] == TRANSITIONS[Outcome.IN_REVIEW] == frozenset()


def test_a_second_manager_can_be_put_off_once(person: User, at: datetime) -> None:
    registration = claim(person, put_on_file(), at)
    for minutes in (5, 10):
        services.decline_second_manager(
            actor=person, registration=registration, at=at + timedelta(minutes=minutes)
        )

    registration.refresh_from_db()
    assert registration.second_manager_declined_at == at + timedelta(minutes=5)
    assert verbs(business_chain(registration.bn9))[-1] == "registration.decline_second_manager"


# ---------------------------------------------------------------- never true in the database


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "maybe"},
        {"submitted_at": None},
        {"outcome": Outcome.REGISTERED},
        {"payment_amount": "1.00"},
        {"transaction_number": "14680006822095"},
        {"bn9": ""},
        {"bn9": "12345678"},
        {"extension": "RT0001"},
        {"legal_name": ""},
        {"terms_hash_fr": ""},
        {"terms_language": "de"},
        {"terms_version": "", "terms_accepted_at": None},
    ],
)
def test_the_database_refuses_what_cannot_be(
    person: User, at: datetime, wrong: dict[str, Any]
) -> None:
    registration = claim(person, next_bn9(), at)

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(**wrong)


def test_a_business_belongs_to_one_registration(person: User, at: datetime) -> None:
    registered = claim(person, put_on_file(), at)
    failed = claim(person, next_bn9(), at)

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=failed.pk).update(
            outcome=Outcome.REGISTERED, business=registered.business
        )


def test_a_reference_is_short_and_stable(person: User, at: datetime) -> None:
    registration = services.start_registration(actor=person, at=at)

    assert registration.reference == str(Registration.objects.get())
    assert (
        registration.reference.replace("REG", "").replace("-", "").lower()
        == (registration.pk.hex[:12])
    )
