"""Tables as CSV: sent so that no spreadsheet runs what people wrote, and read as spreadsheets save.

A cell that begins like a formula gets an apostrophe before it, and so does what begins like one
after a mark that another language's spreadsheet takes for the end of a cell. Reading takes the
apostrophe away again, so that a file that was downloaded can be sent back as it is. Numbers and
days are written by the portal itself and need none.
"""

import csv
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from pages.formats import EASTERN, is_french, whole

BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets read UTF-8 as something else."""

# A minus sign and the full-width forms are read as the plain ones by some spreadsheets.
_BEGINS_FORMULA = r"['\"\s]*[=+\-@\u2212\uff1d\uff0b\uff0d\uff20]"
_AFTER_MARK = r"(?:^|(?<=[,;\t\r\n]))"
_UNSAFE = re.compile(rf"{_AFTER_MARK}(?={_BEGINS_FORMULA})|^(?='*[\t\r\n])")
_MADE_SAFE = re.compile(rf"{_AFTER_MARK}'(?={_BEGINS_FORMULA})|^'(?='*[\t\r\n])")

type Value = str | int | Decimal | date | None
"""What a cell may hold. A datetime is written in Eastern time."""


# ---------------------------------------------------------------- writing


def safe_text(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin a formula."""
    return _UNSAFE.sub("'", text)


def plain_text(text: str) -> str:
    """What `safe_text` was given; the text itself where nothing was made safe."""
    return _MADE_SAFE.sub("", text)


def safe_row(values: Iterable[Value]) -> list[str]:
    """The cells of one row as they are written."""
    return [_cell(value) for value in values]


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case int() | Decimal():
            return str(value)
    return safe_text(str(value))


def csv_lines(header: Iterable[Value], rows: Iterable[Iterable[Value]]) -> Iterator[str]:
    """The lines of a file: semicolons in French, as spreadsheets in French expect, else commas.

    The language is the one in which the first line is asked for, however late the others are.
    """
    language, delimiter = get_language() or "", ";" if is_french() else ","
    written = iter(rows)
    yield BYTE_ORDER_MARK + _line(header, delimiter)
    while True:
        with override(language):
            row = next(written, None)
            line = "" if row is None else _line(row, delimiter)
        if not line:
            return
        yield line


def _line(values: Iterable[Value], delimiter: str) -> str:
    line = StringIO()
    csv.writer(line, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerow(safe_row(values))
    return line.getvalue()


def stream_csv(
    name: str, header: Iterable[Value], rows: Iterable[Iterable[Value]]
) -> StreamingHttpResponse:
    """A file to download, sent row by row as `rows` yields them. `name` goes without `.csv`."""
    response = StreamingHttpResponse(
        csv_lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or ""
    response["Cache-Control"] = "no-store"
    return response


# ---------------------------------------------------------------- reading


class Unreadable(ValueError):
    """The file is no table of these columns; the message says why in the reader's language."""


@dataclass(frozen=True)
class Line:
    """A row that is not empty, by its number in a spreadsheet (the header is row 1).

    `is_ragged` where it has more cells than the header names; those are not in `cells`.
    """

    number: int
    cells: dict[str, str]
    is_ragged: bool = False


@dataclass(frozen=True)
class Table:
    """A file that was read. `is_legacy` where it was not written in Unicode (Windows-1252)."""

    lines: list[Line]
    is_legacy: bool


def read_csv(
    content: bytes,
    *,
    columns: Mapping[str, Collection[str]],
    required: Collection[str],
    most_rows: int,
) -> Table:
    """The rows of a file as spreadsheets save it; raise `Unreadable` with the reason.

    UTF-8, UTF-16 and Windows-1252; cells set apart by commas, semicolons or tabs. The first row
    names the `columns`, each by any of its names, in any order; those `required` are all there.
    """
    text, is_legacy = _decoded(content)
    delimiter = _delimiter(text, columns)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    names: list[str] | None = None
    number = 0
    try:
        for number, values in enumerate(reader, 1):
            if names is None:
                names = _named(values, columns, required)
            elif any(value.strip() for value in values):
                lines.append(_read_line(number, values, names))
            if len(lines) > most_rows:
                said = _("The file has more than %(most)s rows. Send it in parts.")
                raise Unreadable(said % {"most": whole(most_rows)})
    except csv.Error as wrong:
        said = _("Row %(number)s: the quotation marks do not match, so the file cannot be read.")
        raise Unreadable(said % {"number": number + 1}) from wrong
    if names is None:
        _named([], columns, required)
    if not lines:
        raise Unreadable(_("The file has no rows below the names of the columns."))
    return Table(lines, is_legacy)


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text of a file, and whether it was written in Windows-1252."""
    unreadable = _("The file is not readable as text. Save it as “CSV UTF-8” and send it again.")
    encodings: list[str] = ["utf-8-sig", "cp1252"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(letter < " " and letter not in "\t\r\n" for letter in text):
            break
        return unicodedata.normalize("NFC", text), encoding == "cp1252"
    raise Unreadable(unreadable)


def _delimiter(text: str, columns: Mapping[str, Collection[str]]) -> str:
    """The mark between the cells: the one by which the first row names most columns."""
    known = {bare(name) for names in columns.values() for name in names}
    first = text.lstrip().splitlines()[:1]

    def named(delimiter: str) -> int:
        cells = next(csv.reader(first, delimiter=delimiter), [])
        return sum(bare(cell) in known for cell in cells)

    return max(",;\t", key=named)


def _named(
    header: list[str], columns: Mapping[str, Collection[str]], required: Collection[str]
) -> list[str]:
    """The columns in the order of the file."""
    meant = {bare(name): column for column, names in columns.items() for name in names}
    found = [meant.get(bare(cell), "") for cell in header]
    while found and not found[-1] and not header[len(found) - 1].strip():
        found.pop()
    missing = [column for column in required if column not in found]
    if missing:
        said = _("The first row must name the columns. These are missing: %(names)s.")
        raise Unreadable(said % {"names": ", ".join(_shown(columns[one]) for one in missing)})
    for cell, column in zip(header, found, strict=False):
        if column and found.count(column) == 1:
            continue
        said = _("The column “%(name)s” is not one of this file. Take it out or correct it.")
        if column:
            said = _("The column “%(name)s” stands in the file twice.")
        raise Unreadable(said % {"name": cell.strip()[:60]})
    return found


def _shown(names: Collection[str]) -> str:
    """A column as the page's language names it: English stands first, French second."""
    ordered = list(names)
    return ordered[-1] if is_french() else ordered[0]


def _read_line(number: int, values: list[str], names: list[str]) -> Line:
    cells = {name: plain_text(value).strip() for name, value in zip(names, values, strict=False)}
    return Line(number, cells, any(value.strip() for value in values[len(names) :]))


def bare(name: str) -> str:
    """A column's name without case, accents, spaces and marks, as people retype it."""
    plain = unicodedata.normalize("NFKD", name.replace(BYTE_ORDER_MARK, "")).casefold()
    return "".join(letter for letter in plain if letter.isalnum())
