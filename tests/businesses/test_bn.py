"""Business numbers, however people type them."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import luhn

from businesses.bn import (
    InvalidBN,
    compact,
    parse_bn9,
    parse_bn15,
    parse_extension,
    show_bn9,
    show_bn15,
    split_bn,
)

FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
SEPARATORS = ["", " ", "  ", "-", ".", "\u00a0", "\u2009", "\u202f", "\u2011", "–", "\u200b", "\t"]


def with_check_digit(eight: int) -> str:
    digits = f"{eight:08d}"
    return digits + luhn.calc_check_digit(digits)


bn9s = st.integers(0, 10**8 - 1).map(with_check_digit)
extensions = st.integers(1, 9999).map(lambda number: f"RM{number:04d}")


@st.composite
def spellings(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> tuple[str, str]:
    """A compact number and one of the ways to type it."""
    number = draw(numbers)
    typed = "".join(char + draw(st.sampled_from(SEPARATORS)) for char in number)
    typed = draw(st.sampled_from(["", " ", "\ufeff", "\u200e"])) + typed
    if draw(st.booleans()):
        typed = typed.lower()
    if draw(st.booleans()):
        typed = typed.translate(FULL_WIDTH)
    return number, typed


def code_of(parse: Callable[[str], object], text: str) -> str:
    with pytest.raises(InvalidBN) as refused:
        parse(text)
    return refused.value.code


@given(spellings(bn9s))
@example(("888316171", "88831 6171"))
def test_a_business_number_is_read_however_it_is_typed(spelling: tuple[str, str]) -> None:
    number, typed = spelling
    assert parse_bn9(typed) == number
    assert split_bn(typed) == (number, None)


@given(spellings(st.tuples(bn9s, extensions).map("".join)))
@example(("888316171RM0001", "88831 6171 RM 0001"))
def test_a_program_account_number_is_read_however_it_is_typed(spelling: tuple[str, str]) -> None:
    number, typed = spelling
    # Longer spellings than anyone types are refused instead of read.
    if len(typed) <= 60:
        assert parse_bn15(typed) == split_bn(typed) == (number[:9], number[9:])
    else:
        assert code_of(parse_bn15, typed) == "digits"


@given(bn9s, extensions)
def test_what_is_shown_reads_back(bn9: str, extension: str) -> None:
    assert parse_bn9(show_bn9(bn9)) == bn9
    assert parse_bn15(show_bn15(bn9, extension)) == (bn9, extension)


@given(bn9s, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(bn9: str, place: int, by: int) -> None:
    wrong = bn9[:place] + str((int(bn9[place]) + by) % 10) + bn9[place + 1 :]
    assert code_of(parse_bn9, wrong) == "check_digit"


@given(st.text())
@pytest.mark.parametrize("parse", [parse_bn9, parse_bn15, parse_extension, split_bn])
def test_any_other_text_is_refused_and_nothing_else(
    parse: Callable[[str], object], text: str
) -> None:
    try:
        parse(text)
    except InvalidBN as refused:
        assert refused.code in {"digits", "check_digit", "extension", "letters"}


def test_numbers_are_shown_in_groups() -> None:
    assert show_bn9("888316171") == "88831 6171"
    assert show_bn15("888316171", "RM0001") == "88831 6171 RM 0001"


@pytest.mark.parametrize(
    ("parse", "text", "code"),
    [
        (parse_bn9, "", "digits"),
        (parse_bn9, "88831617", "digits"),
        (parse_bn9, "8883161711", "digits"),
        (parse_bn9, "88831617l", "digits"),
        (parse_bn9, "٨٨٨٣١٦١٧١", "digits"),  # digits, but not those of a business number
        (parse_bn9, "888316171RM0001", "digits"),
        (parse_bn9, "888316172", "check_digit"),
        (parse_bn15, "888316171", "extension"),
        (parse_bn15, "888316172RM0001", "check_digit"),
        (parse_bn15, "888316171RM001", "digits"),
        (parse_bn15, "888316171RT0001", "letters"),
        (parse_bn15, "888316171RМ0001", "letters"),  # a Cyrillic М
        (split_bn, "888316171RC0001", "letters"),
        (parse_extension, "", "extension"),
        (parse_extension, "RM", "extension"),
        (parse_extension, "RM001", "extension"),
        (parse_extension, "RM00011", "extension"),
        (parse_extension, "RM0000", "extension"),
        (parse_extension, "0000", "extension"),
        (parse_extension, "RT0001", "letters"),
    ],
)
def test_what_is_wrong_is_named(parse: Callable[[str], object], text: str, code: str) -> None:
    assert code_of(parse, text) == code


@pytest.mark.parametrize(
    "text", ["RM0001", "rm 0001", "RM-0001", "0001", "００01", " r m 0 0 0 1 "]
)
def test_a_program_account_may_be_its_digits_alone(text: str) -> None:
    assert parse_extension(text) == "RM0001"


def test_a_book_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("businesses.bn.unicodedata")  # reading would fail
    assert compact("8" * 10_000_000) == ""
    assert code_of(parse_bn9, " " * 10_000_000) == "digits"
