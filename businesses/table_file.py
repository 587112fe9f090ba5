"""Reads a table that somebody sends as CSV: the columns by name, one row in memory at a time.

The reader never guesses: a file that is not plain UTF-8 CSV is refused as a whole, a row or a cell
that is not right is reported with its line.
"""

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.db import models

LONGEST_LINE = 20_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,2})?")

type Cells = dict[str, str]
"""The cells of a row that are filled in, by column."""


class FileRefused(Exception):
    """The file cannot be read as a table of these columns at all; the message says why."""


class RowError(Exception):
    """A row is not right; the message says why."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the file, by the line on which it begins."""

    line: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not read, and why."""

    line: int
    reason: str


def read_table(path: Path, columns: Collection[str]) -> Iterator[TableRow | BadRow]:
    """The rows of the file in order; raise `FileRefused` where it cannot be read on.

    The first line names each of `columns` once, in any order.
    """
    lines = _lines(path)
    names, delimiter = _read_header(next(lines, ""), columns)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 2
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            raise FileRefused(f"line {line}: not readable as CSV ({wrong})") from wrong
        if any(value.strip() for value in values):
            yield _row(line, names, values)


def _lines(path: Path) -> Iterator[str]:
    """The decoded lines; bytes are decoded line by line so that a bad one can be named."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LONGEST_LINE):
            number += 1
            if len(raw) == LONGEST_LINE:
                raise FileRefused(f"line {number}: longer than {LONGEST_LINE} bytes")
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as wrong:
                raise FileRefused(
                    f"line {number}: not UTF-8: save the file as “CSV UTF-8” and import it again"
                ) from wrong
            yield unicodedata.normalize("NFC", text)


def _read_header(header: str, columns: Collection[str]) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter: a comma or a semicolon."""
    delimiter = ";" if header.count(";") > header.count(",") else ","
    try:
        cells = next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except csv.Error as wrong:
        raise FileRefused(f"line 1: not readable as CSV ({wrong})") from wrong
    names = [name.strip().lower() for name in cells]
    if sorted(names) != sorted(columns):
        missing = ", ".join(name for name in columns if name not in names) or "none"
        unknown = ", ".join(sorted({name for name in names if name not in columns})) or "none"
        raise FileRefused(
            f"line 1: must name each column once: {','.join(columns)} "
            f"(missing: {missing}; not known: {unknown})"
        )
    return names, delimiter


def _row(line: int, names: list[str], values: list[str]) -> TableRow | BadRow:
    if len(values) != len(names):
        return BadRow(line, f"{len(values)} cells where the first line has {len(names)}")
    filled = ((name, value.strip()) for name, value in zip(names, values, strict=True) if value)
    cells = {name: text for name, text in filled if text}
    for name, text in cells.items():
        if _CONTROL.search(text):
            return BadRow(line, f"{name}: holds a control character")
    return TableRow(line, cells)


def read_text(
    cells: Cells,
    column: str,
    model: type[models.Model],
    *,
    field: str = "",
    required: bool = False,
) -> str:
    """A text that fits into a field of the model, by default the one named as the column."""
    text = cells.get(column, "")
    longest: int = getattr(model._meta.get_field(field or column), "max_length", 0)
    if required and not text:
        raise RowError(f"{column}: missing")
    if len(text) > longest:
        raise RowError(f"{column}: longer than {longest} characters")
    return text


def read_choice(
    cells: Cells, column: str, choices: type[models.TextChoices], otherwise: str
) -> str:
    """One of the choices by its value; an empty cell reads as `otherwise`."""
    value = cells.get(column, otherwise)
    if value not in choices.values:
        raise RowError(f"{column}: must be one of {', '.join(choices.values)}")
    return value


def read_day(cells: Cells, column: str) -> date:
    """A day written `YYYY-MM-DD`."""
    text = cells.get(column, "")
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 30th of February looks like a day
    raise RowError(f"{column}: not a day written YYYY-MM-DD")


def read_amount(cells: Cells, column: str) -> Decimal:
    """Canadian dollars with a decimal point or comma and no mark between thousands."""
    text = cells.get(column, "")
    if not _AMOUNT.fullmatch(text):
        raise RowError(f"{column}: not an amount such as 1234.56")
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))
