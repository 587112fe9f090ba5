"""What proves a claim and what does not."""

import hmac
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from businesses.register import (
    EVIDENCE_LIMIT,
    EntityProgram,
    LegalEntity,
    Payment,
    Statement,
    Transaction,
)
from registration import evidence
from registration.evidence import Kind, judge
from registration.models import Registration
from tests.registration.claims import ENTITY, NO_ANSWERS, PAYMENT, STATEMENT, TRANSACTION

FILED_TRANSACTION = Transaction("RM0001", "14680006822095", date(2024, 8, 27), Decimal("3033.25"))
FILED_PAYMENT = Payment("RM0001", date(2024, 8, 31), Decimal("7205.19"))
FILED_STATEMENT = Statement("RM0001", date(2024, 9, 25), Decimal("18425.38"))


def on_file(**changes: Any) -> LegalEntity:
    """Prairie Sun Foods with one record of each kind."""
    facts: dict[str, Any] = {
        "bn9": "439051277",
        "emails": (),
        "provider_type": "none",
        "programs": (
            EntityProgram("RM0001", "", "importer", True),
            EntityProgram("RM0002", "", "importer", True),
            EntityProgram("RM0003", "", "importer", False),
        ),
        "transactions": (FILED_TRANSACTION,),
        "payments": (FILED_PAYMENT,),
        "statements": (FILED_STATEMENT,),
    }
    return LegalEntity(**(facts | ENTITY | changes))


def claimed(*answers: dict[str, Any], **changes: Any) -> Registration:
    """A claim of Prairie Sun Foods with these answers."""
    stated: dict[str, Any] = {"bn9": "439051277", "extension": "RM0001"} | ENTITY | NO_ANSWERS
    for answer in answers:
        stated |= answer
    return Registration(**(stated | changes))


def is_proven(claim: Registration, entity: LegalEntity | None, is_registered: bool = False) -> bool:
    return judge(claim, entity, is_registered=is_registered).is_proven


@pytest.mark.parametrize(
    "answers",
    [(TRANSACTION, PAYMENT), (TRANSACTION, STATEMENT), (PAYMENT, STATEMENT)],
    ids=["transaction and payment", "transaction and statement", "payment and statement"],
)
def test_any_two_right_answers_prove_a_claim(answers: tuple[dict[str, Any], ...]) -> None:
    assert is_proven(claimed(*answers), on_file())


@pytest.mark.parametrize("answer", [TRANSACTION, PAYMENT, STATEMENT])
def test_one_right_answer_is_not_enough_where_more_is_on_file(answer: dict[str, Any]) -> None:
    assert not is_proven(claimed(answer), on_file())
    assert not is_proven(claimed(answer), on_file(transactions=()))


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"payments": (), "statements": ()}, TRANSACTION),
        ({"transactions": (), "statements": ()}, PAYMENT),
        ({"transactions": (), "payments": ()}, STATEMENT),
    ],
)
def test_one_right_answer_is_enough_where_one_kind_is_on_file(
    changes: dict[str, Any], answer: dict[str, Any]
) -> None:
    assert is_proven(claimed(answer), on_file(**changes))


def test_an_answer_of_a_kind_not_on_file_does_no_harm() -> None:
    only_payments = on_file(transactions=(), statements=())

    assert is_proven(claimed(PAYMENT, STATEMENT), only_payments)
    assert not is_proven(claimed(STATEMENT), only_payments)
    assert not is_proven(claimed(TRANSACTION, STATEMENT), only_payments)


def test_a_wrong_answer_beside_a_right_one_fails_where_two_kinds_are_on_file() -> None:
    wrong = {"statement_on": date(2024, 9, 25), "statement_balance": Decimal("18425.39")}

    assert not is_proven(claimed(PAYMENT, wrong), on_file(transactions=()))


def test_without_history_nothing_passes() -> None:
    empty = on_file(transactions=(), payments=(), statements=())

    assert not is_proven(claimed(PAYMENT, STATEMENT), empty)
    assert not is_proven(claimed(has_no_records=True), empty)


def test_a_statement_of_zero_is_no_evidence() -> None:
    zero = Statement("RM0001", date(2024, 9, 25), Decimal("0.00"))
    entity = on_file(transactions=(), statements=(zero,))

    assert is_proven(claimed(PAYMENT), entity)
    assert not is_proven(claimed(PAYMENT), on_file(transactions=()))


def test_a_transaction_of_zero_is_evidence() -> None:
    free = Transaction("RM0001", "14680006820248", date(2026, 2, 18), Decimal("0.00"))
    answer = {"transaction_number": "14680006820248", "transaction_total": Decimal("0")}

    assert is_proven(claimed(answer, PAYMENT), on_file(transactions=(free,)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"transaction_number": "14680006822096"},
        {"transaction_total": Decimal("3033.24")},
        {"payment_on": date(2024, 8, 30)},
        {"payment_amount": Decimal("-7205.19")},
    ],
)
def test_both_halves_of_an_answer_must_be_right(wrong: dict[str, Any]) -> None:
    assert not is_proven(claimed(TRANSACTION, PAYMENT, **wrong), on_file())


def test_the_halves_of_two_records_make_no_answer() -> None:
    other = Payment("RM0001", date(2024, 9, 30), Decimal("11.00"))
    crossed = {"payment_on": date(2024, 9, 30), "payment_amount": Decimal("7205.19")}

    assert not is_proven(claimed(TRANSACTION, crossed), on_file(payments=(FILED_PAYMENT, other)))


def test_evidence_counts_for_the_program_account_being_registered() -> None:
    """All questions are about the RM being registered: the other's records prove nothing."""
    assert not is_proven(claimed(PAYMENT, STATEMENT, extension="RM0002"), on_file())

    moved = on_file(payments=(Payment("RM0002", date(2024, 8, 31), Decimal("7205.19")),))
    assert is_proven(claimed(PAYMENT, extension="RM0002"), moved)
    assert not is_proven(claimed(PAYMENT, STATEMENT), moved)


@pytest.mark.parametrize("extension", ["RM0003", "RM0004"], ids=["closed", "not on file"])
def test_the_program_account_must_exist_and_be_open(extension: str) -> None:
    entity = on_file(payments=(Payment(extension, date(2024, 8, 31), Decimal("7205.19")),))

    assert not is_proven(claimed(PAYMENT, extension=extension), entity)


@pytest.mark.parametrize(
    "stated",
    [
        {"legal_name": "PRAIRIE SUN FOODS INCORPORATED"},
        {"legal_name": "Prairie Sun Foods, Inc"},
        {"street": "3810 Sundial Ave."},
        {"region": "Saskatchewan", "postal_code": "s7p0b7"},
        {"city": "SASKATOON"},
        {"operating_name": "Anything at all"},
    ],
)
def test_spelling_makes_no_difference(stated: dict[str, str]) -> None:
    assert is_proven(claimed(PAYMENT, STATEMENT, **stated), on_file())


@pytest.mark.parametrize(
    "stated",
    [
        {"legal_name": "Prairie Moon Foods Inc."},
        {"legal_name": "Prairie Sun"},
        {"street": "3811 Sundial Avenue"},
        {"city": "Regina"},
        {"region": "AB"},
        {"postal_code": "S7P 0B8"},
        {"country": "US"},
    ],
)
def test_another_name_or_address_fails(stated: dict[str, str]) -> None:
    assert not is_proven(claimed(PAYMENT, STATEMENT, **stated), on_file())


def test_an_unknown_or_registered_number_fails() -> None:
    assert not is_proven(claimed(PAYMENT, STATEMENT), None)
    assert not is_proven(claimed(PAYMENT, STATEMENT), on_file(), is_registered=True)


def test_the_entity_that_does_not_exist_cannot_be_claimed() -> None:
    nobody = evidence.NOBODY
    stated = {name: getattr(nobody, name) for name in ENTITY}

    assert not is_proven(claimed(has_no_records=True, extension="", **stated), None)


def test_the_kinds_that_were_right_are_told() -> None:
    verdict = judge(claimed(TRANSACTION, STATEMENT), on_file(statements=()), is_registered=True)

    assert verdict.right == (Kind.TRANSACTION,)
    assert not verdict.is_proven


def many(count: int) -> dict[str, Any]:
    return {
        "transactions": (FILED_TRANSACTION,) * count,
        "payments": (FILED_PAYMENT,) * count,
        "statements": (FILED_STATEMENT,) * count,
    }


@pytest.mark.parametrize(
    ("claim", "entity"),
    [
        (claimed(PAYMENT, STATEMENT), None),
        (claimed(PAYMENT, STATEMENT), on_file()),
        (claimed(TRANSACTION), on_file()),
        (claimed(legal_name="Wrong"), on_file(transactions=(), payments=(), statements=())),
        (claimed(extension="RM0009"), on_file(programs=())),
        (claimed(PAYMENT, STATEMENT), on_file(**many(EVIDENCE_LIMIT))),
        (claimed(PAYMENT, STATEMENT), on_file(**many(EVIDENCE_LIMIT + 5))),
    ],
)
def test_every_claim_costs_the_same_comparisons(
    claim: Registration, entity: LegalEntity | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: Counter[int] = Counter()

    def compare(claimed: Any, filed: Any) -> bool:
        lengths[len(filed)] += 1
        return hmac.compare_digest(claimed, filed)

    monkeypatch.setattr(evidence, "hmac", type("hmac", (), {"compare_digest": compare}))
    judge(claim, entity, is_registered=False)

    assert lengths == {
        6 + 14 + 17: EVIDENCE_LIMIT,  # transactions
        6 + 10 + 17: 2 * EVIDENCE_LIMIT,  # payments and statements
        6: EVIDENCE_LIMIT,  # programs
        32: 2,  # digests of name and address
    }
