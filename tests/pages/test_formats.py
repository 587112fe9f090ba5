"""Days, moments and amounts, written in both languages, and the local day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils.formats import localize
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from pages.formats import day, end_of_day, last_day, moment, money, start_of_day, until, whole

AMOUNTS = [
    ("0", "$0.00", "0,00\u00a0$"),
    ("-0.004", "$0.00", "0,00\u00a0$"),
    ("6.5", "$6.50", "6,50\u00a0$"),
    ("1234.56", "$1,234.56", "1\u00a0234,56\u00a0$"),
    ("1.005", "$1.01", "1,01\u00a0$"),
    ("-1234.56", "-$1,234.56", "\u22121\u00a0234,56\u00a0$"),
    ("123456789012.30", "$123,456,789,012.30", "123\u00a0456\u00a0789\u00a0012,30\u00a0$"),
]
DAYS = [
    (date(2026, 11, 22), "November 22, 2026", "22\u00a0novembre\u00a02026"),
    (date(2026, 12, 1), "December 1, 2026", "1er\u00a0décembre\u00a02026"),
    (date(2026, 8, 11), "August 11, 2026", "11\u00a0août\u00a02026"),
]
MOMENTS = [
    (
        datetime(2026, 11, 22, 20, 5, tzinfo=UTC),
        "November 22, 2026, 3:05\u00a0p.m.\u00a0ET",
        "22\u00a0novembre\u00a02026 à 15\u00a0h\u00a005 (heure de l’Est)",
    ),
    (
        datetime(2026, 7, 2, 4, 0, tzinfo=UTC),
        "July 2, 2026, 12:00\u00a0a.m.\u00a0ET",
        "2\u00a0juillet\u00a02026 à 0\u00a0h\u00a000 (heure de l’Est)",
    ),
    (
        datetime(2026, 7, 1, 16, 0, tzinfo=UTC),
        "July 1, 2026, 12:00\u00a0p.m.\u00a0ET",
        "1er\u00a0juillet\u00a02026 à 12\u00a0h\u00a000 (heure de l’Est)",
    ),
]


@pytest.mark.parametrize(("amount", "english", "french"), AMOUNTS)
def test_an_amount(amount: str, english: str, french: str) -> None:
    with override("en-ca"):
        assert money(Decimal(amount)) == english
    with override("fr-ca"):
        assert money(Decimal(amount)) == french


@pytest.mark.parametrize("write", [whole, localize])
def test_a_number_reads_the_same_wherever_it_stands(write: Callable[[int], str]) -> None:
    with override("en-ca"):
        assert write(5000) == "5,000"
    with override("fr-ca"):
        assert write(5000) == "5\u00a0000"


@pytest.mark.parametrize(("on", "english", "french"), DAYS)
def test_a_day(on: date, english: str, french: str) -> None:
    with override("en-ca"):
        assert day(on) == english
    with override("fr-ca"):
        assert day(on) == french


@pytest.mark.parametrize(("at", "english", "french"), MOMENTS)
def test_a_moment(at: datetime, english: str, french: str) -> None:
    with override("en-ca"):
        assert moment(at) == english
    with override("fr-ca"):
        assert moment(at) == french


@pytest.mark.parametrize(
    ("on", "hours"),
    [
        (date(2026, 3, 8), 23),  # clocks go forward
        (date(2026, 11, 1), 25),  # clocks go back
        (date(2026, 11, 22), 24),
    ],
)
def test_a_day_is_as_long_as_the_clock_says(on: date, hours: int) -> None:
    lasted = end_of_day(on).astimezone(UTC) - start_of_day(on).astimezone(UTC)

    assert lasted == timedelta(hours=hours)


def test_a_period_until_the_end_of_march_ends_at_midnight_in_toronto() -> None:
    ends_at = end_of_day(date(2027, 3, 31))

    assert ends_at.astimezone(UTC) == datetime(2027, 4, 1, 4, tzinfo=UTC)
    assert last_day(ends_at) == date(2027, 3, 31)
    assert until(ends_at) == "until the end of March 31, 2027 (Eastern time)"
    assert until(ends_at - timedelta(minutes=1)).startswith("until March 31, 2027, 11:59")


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)))
def test_the_last_day_of_a_day_is_that_day(on: date) -> None:
    assert last_day(end_of_day(on).astimezone(UTC)) == on
    assert last_day(start_of_day(on)) == on - timedelta(days=1)
    assert end_of_day(on) == start_of_day(on + timedelta(days=1))
