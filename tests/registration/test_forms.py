"""What a form reads, and the one plain error of whatever it cannot read."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.utils.translation import override

from pages.forms import AmountField
from registration.forms import (
    BusinessNumberForm,
    LegalEntityForm,
    ReviewRequestForm,
    SecurityQuestionsForm,
    TermsForm,
    shown_number,
)
from tests.registration.claims import ENTITY

TODAY = date(2026, 11, 23)


def posted(data: dict[str, str]) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update(data)
    return query


def number(bn9: str, extension: str = "") -> BusinessNumberForm:
    return BusinessNumberForm(posted({"bn9": bn9, "extension": extension}))


@pytest.mark.parametrize(
    ("bn9", "extension"),
    [
        ("888316171", "RM0001"),
        ("88831 6171", "rm 0001"),
        ("  888-316-171  ", "0001"),
        ("８８８３１６１７１", "ＲＭ０００１"),
        ("888316171RM0001", ""),
        ("88831 6171 rm 0001", ""),
        ("888316171RM0001", "RM0001"),
        ("8883\u200b16171", "RM\u00a00001"),
    ],
)
def test_a_number_is_read_however_it_is_typed(bn9: str, extension: str) -> None:
    form = number(bn9, extension)

    assert form.is_valid(), form.errors
    assert form.cleaned_data == {"bn9": "888316171", "extension": "RM0001"}


@pytest.mark.parametrize(
    ("bn9", "extension", "field", "said"),
    [
        ("", "", "bn9", "Enter the business number."),
        ("888316172", "RM0001", "bn9", "This is not a valid business number. Check each digit."),
        ("8883161", "RM0001", "bn9", "Enter a business number of 9 digits, such as 88831 6171."),
        ("888316171", "", "extension", "Enter the program account."),
        ("888316171", "RM00", "extension", "Enter the program account as RM and 4 digits"),
        ("888316171RT0001", "", "bn9", "This is an account of another program."),
        ("888316171RM0001", "RM0002", "extension", "The business number above ends in RM0001."),
        ("88831\x076171", "RM0001", "bn9", "Enter a business number of 9 digits"),
        ("8" * 900_000, "RM0001", "bn9", "Enter a business number of 9 digits"),
    ],
)
def test_a_malformed_number_has_one_plain_error(
    bn9: str, extension: str, field: str, said: str
) -> None:
    form = number(bn9, extension)

    assert not form.is_valid()
    assert form.errors[field][0].startswith(said)


def test_a_pasted_number_is_shown_split() -> None:
    form = number("888316172RM0001")
    assert form["extension"].value() == ""

    form = number("888316171RM0007", "")
    form.add_error("bn9", "x")
    assert form["extension"].value() == "RM0007"


def test_a_stored_number_is_shown_as_people_read_it() -> None:
    assert shown_number("888316171", "RM0001") == {"bn9": "88831 6171", "extension": "RM 0001"}
    assert shown_number("", "") == {"bn9": "", "extension": ""}


def entity(**changes: str) -> LegalEntityForm:
    return LegalEntityForm(posted(ENTITY | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"region": "Saskatchewan"},
        {"region": "Colombie-Britannique", "postal_code": "v5k 0a1"},
        {"country": "US", "region": "New York", "postal_code": ""},
        {"country": "NL", "region": "", "postal_code": "1012 AB"},
        {"country": "JP", "region": "", "postal_code": "", "city": "東京"},
    ],
)
def test_an_address_is_read_wherever_it_is(changes: dict[str, str]) -> None:
    form = entity(**changes)

    assert form.is_valid(), form.errors


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"legal_name": ""}, "legal_name"),
        ({"legal_name": "?!"}, "legal_name"),
        ({"legal_name": "Prairie\x00Sun"}, "legal_name"),
        ({"legal_name": "a" * 900_000}, "legal_name"),
        ({"street": ""}, "street"),
        ({"city": "..."}, "city"),
        ({"region": ""}, "region"),
        ({"region": "Bavaria"}, "region"),
        ({"country": "US", "region": "Ontario"}, "region"),
        ({"postal_code": ""}, "postal_code"),
        ({"postal_code": "12345"}, "postal_code"),
        ({"country": ""}, "country"),
        ({"country": "XX"}, "country"),
    ],
)
def test_an_address_that_cannot_be_has_one_error(changes: dict[str, str], field: str) -> None:
    form = entity(**changes)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert len(form.errors[field]) == 1


def test_countries_are_named_in_the_language_of_the_page() -> None:
    for language, germany, first in (
        ("en-ca", "Germany", "Afghanistan"),
        ("fr-ca", "Allemagne", "Afghanistan"),
    ):
        with override(language):
            choices = list(LegalEntityForm().fields["country"].choices)
        assert [code for code, _ in choices[:2]] == ["CA", "US"]
        assert choices[2][1] == first
        assert ("DE", germany) in choices
        assert len(choices) == 250


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234.56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("$1,234.56", "1234.56"),
        ("CA$ 1,234.56", "1234.56"),
        ("1 234,56 $", "1234.56"),
        ("1 234,56 $", "1234.56"),
        ("1234567,8", "1234567.80"),
        ("１２３４．５６", "1234.56"),
        ("1,234", "1234.00"),
        ("5", "5.00"),
        ("0", "0.00"),
        ("-0.00", "0.00"),
        ("-12.5", "-12.50"),
        ("−12,50 $", "-12.50"),
        ("- $12.50", "-12.50"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_an_amount_is_read_as_written_in_both_languages(text: str, amount: str) -> None:
    assert AmountField(may_be_negative=True).clean(regular(text)) == Decimal(amount)


def regular(text: str) -> str:
    """The text as `PortalForm` hands it to a field."""
    form = SecurityQuestionsForm(posted({"statement_balance": text}), today=TODAY)
    data: str = form["statement_balance"].data
    return data


@pytest.mark.parametrize(
    "text",
    ["abc", "1.234", "12.345", "1,23,456", "1e5", "NaN", "Infinity", "1 2", "--1", "9" * 13, "½"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    form = questions(statement_on="2024-09-25", statement_balance=text)

    assert not form.is_valid()
    assert form.errors["statement_balance"] == [
        "Enter an amount in dollars and cents, such as 1234.56."
    ]


def test_a_stored_amount_is_shown_as_typed_in_the_language_of_the_page() -> None:
    field = AmountField()

    assert field.prepare_value(Decimal("3033.25")) == "3033.25"
    with override("fr-ca"):
        assert field.prepare_value(Decimal("3033.25")) == "3033,25"
        assert field.clean("3033,25") == Decimal("3033.25")


def questions(**data: str) -> SecurityQuestionsForm:
    return SecurityQuestionsForm(posted(data), today=TODAY)


TWO = {
    "payment_on": "2024-08-31",
    "payment_amount": "7205.19",
    "statement_on": "2024-09-25",
    "statement_balance": "-18,425.38",
}
TRANSACTION = {"transaction_number": "1468 0006822-095", "transaction_total": "0.00"}


@pytest.mark.parametrize(
    "data",
    [
        TWO,
        TRANSACTION,
        {name: TWO[name] for name in ("payment_on", "payment_amount")},
        {"has_no_records": "on"},
    ],
)
def test_two_answers_or_one_or_none_to_give_are_accepted(data: dict[str, str]) -> None:
    form = questions(**data)

    assert form.is_valid(), form.errors


def test_answers_are_read_plainly() -> None:
    form = questions(**TWO | {"payment_amount": "", "payment_on": ""} | TRANSACTION)

    assert form.is_valid(), form.errors
    assert form.cleaned_data == {
        "transaction_number": "14680006822095",
        "transaction_total": Decimal("0.00"),
        "payment_on": None,
        "payment_amount": None,
        "statement_on": date(2024, 9, 25),
        "statement_balance": Decimal("-18425.38"),
        "has_no_records": False,
    }


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("missing", [*TWO, *TRANSACTION])
def test_a_half_answered_question_is_an_error_of_the_other_half(missing: str) -> None:
    pair = TRANSACTION if missing in TRANSACTION else TWO
    form = questions(**{name: text for name, text in pair.items() if name != missing})

    assert not form.is_valid()
    assert list(form.errors) == [missing]
    assert "as well, or clear its" in form.errors[missing][0]


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ({}, "__all__", "Answer two of the three questions."),
        (TWO | TRANSACTION, "__all__", "Answer only two of the three questions."),
        (TWO | {"has_no_records": "on"}, "has_no_records", "You answered a question."),
        (
            TWO | {"statement_balance": "0.00"},
            "statement_balance",
            "A statement with a balance of 0.00 cannot be used.",
        ),
        (TWO | {"payment_amount": "0"}, "payment_amount", "Enter the amount of a payment"),
        (
            TRANSACTION | {"transaction_total": "-1"},
            "transaction_total",
            "Enter an amount that is not negative.",
        ),
        (TRANSACTION | {"transaction_number": "1468"}, "transaction_number", "Enter the 14 digits"),
        (TWO | {"payment_on": "31/08/2026"}, "payment_on", "Enter a day as year-month-day"),
        (TWO | {"payment_on": "2026-11-24"}, "payment_on", "Enter a day that is not in the future"),
        (TWO | {"statement_on": "2026-02-30"}, "statement_on", "Enter a day as year-month-day"),
    ],
)
def test_answers_that_cannot_be_have_one_plain_error(
    data: dict[str, str], field: str, said: str
) -> None:
    form = questions(**data)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert form.errors[field][0].startswith(said)


def test_errors_of_several_questions_are_told_at_once() -> None:
    form = questions(transaction_number="12", payment_on="2024-08-31")

    assert set(form.errors) == {"transaction_number", "transaction_total", "payment_amount"}


@pytest.mark.parametrize(
    ("data", "is_valid"),
    [
        ({"accepted": "on", "shown": "1"}, True),
        ({"accepted": "on", "shown": "0"}, False),
        ({"accepted": "on"}, False),
        ({"shown": "1"}, False),
    ],
)
def test_terms_are_accepted_in_the_version_that_was_shown(
    data: dict[str, Any], is_valid: bool
) -> None:
    assert TermsForm(posted(data), version="1").is_valid() is is_valid


@pytest.mark.parametrize("note", ["", "   ", "x" * 2001, "bell \x07"])
def test_a_note_is_text_of_some_length(note: str) -> None:
    assert not ReviewRequestForm(posted({"note": note})).is_valid()


def test_a_note_may_have_lines() -> None:
    form = ReviewRequestForm(posted({"note": "I am the owner.\r\nWe moved."}))

    assert form.is_valid()
    assert form.cleaned_data["note"] == "I am the owner.\nWe moved."
