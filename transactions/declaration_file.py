"""Reads a file of declarations: one line of goods to a row. The columns: `docs/samples/README.md`.

The rows of a version stand together and repeat what the version says of itself; the versions of a
declaration stand in their order, first to last, though not always side by side.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from businesses.bn import InvalidBN, parse_bn9, parse_bn15
from businesses.models.register import TRANSACTION_NUMBER_PATTERN
from businesses.table_file import (
    BadRow,
    Cells,
    RowError,
    TableRow,
    read_amount,
    read_choice,
    read_day,
    read_table,
    read_text,
)
from transactions.amounts import Totals
from transactions.models import (
    HS_CODE_PATTERN,
    MOST_VERSIONS,
    Declaration,
    DeclarationLine,
    DeclarationVersion,
    ReasonCode,
)
from transactions.tariff import is_origin

VERSION_COLUMNS = (
    "number",
    "version",
    "owner",
    "submitter",
    "submitted_at",
    "kind",
    "own_reference",
    "released_on",
    "office",
    "vendor",
    "currency",
    "reason_code",
    "remarks",
)
LINE_COLUMNS = (
    "line",
    "hs_code",
    "description",
    "origin",
    "tariff_treatment",
    "quantity",
    "unit",
    "value_for_duty",
    "duty",
    "sima",
    "excise",
    "gst",
)
COLUMNS = VERSION_COLUMNS + LINE_COLUMNS

AMOUNTS = ("value_for_duty", "duty", "sima", "excise", "gst")
MOST_LINES = 999
"""The most lines that one version may have."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_QUANTITY = re.compile(r"[0-9]{1,11}(?:[.,][0-9]{1,3})?")
_WRONG_BN = {
    "digits": "not a business number of 9 digits",
    "check_digit": "the check digit is wrong",
    "extension": "not a program account such as 888316171RM0001",
    "letters": "not an import-export (RM) program account",
}


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A version as the file has it, from its first row on. `facts` are columns of the models."""

    line: int
    number: str
    version: int
    bn9: str
    extension: str
    submitter: str
    submitted_at: datetime
    kind: str
    own_reference: str
    facts: dict[str, Any]
    lines: list[DeclarationLine]


@dataclass(frozen=True, slots=True)
class BadVersion:
    """A version of which a row is not right, by its transaction number as far as it was read."""

    number: str
    errors: list[BadRow]


def read_versions(path: Path) -> Iterator[FileVersion | BadVersion]:
    """The versions of the file in order; raise `FileRefused` where it cannot be read on."""
    for rows in _together(read_table(path, COLUMNS)):
        yield _read_version(rows)


def _together(rows: Iterator[TableRow | BadRow]) -> Iterator[list[TableRow | BadRow]]:
    """The rows of one version at a time; a row that could not be read belongs to those before."""
    group: list[TableRow | BadRow] = []
    named: tuple[str, str] | None = None
    for row in rows:
        if isinstance(row, TableRow):
            name = row.cells.get("number", ""), row.cells.get("version", "")
            if named not in (None, name):
                yield group
                group = []
            named = name
        group.append(row)
        if len(group) > MOST_LINES:
            yield group
            group, named = [], None
    if group:
        yield group


def _read_version(rows: list[TableRow | BadRow]) -> FileVersion | BadVersion:
    errors = [row for row in rows if isinstance(row, BadRow)]
    read = [row for row in rows if isinstance(row, TableRow)]
    version, lines = None, list[DeclarationLine]()
    for row in read:
        try:
            version = version or _to_version(row.line, row.cells)
            _refuse_contradiction(read[0], row)
            lines.append(_to_line(row.cells, taken=lines))
        except RowError as wrong:
            errors.append(BadRow(row.line, str(wrong)))
    if len(rows) > MOST_LINES:
        errors = [BadRow(rows[0].line, f"more than {MOST_LINES} lines in one version")]
    if version and not errors and not Totals.of(lines).are_on_scale:
        errors = [BadRow(version.line, "the amounts add up to more than a declaration can hold")]
    if errors or version is None:
        return BadVersion(_number(read[0].cells) if read else "", errors)
    version.lines.extend(lines)
    version.facts.update(Totals.of(lines).columns())
    return version


def _refuse_contradiction(first: TableRow, row: TableRow) -> None:
    for column in VERSION_COLUMNS:
        if first.cells.get(column, "") != row.cells.get(column, ""):
            raise RowError(f"{column}: contradicts line {first.line}, the same version")


def _to_version(line: int, cells: Cells) -> FileVersion:
    """What a row says of its version; raise `RowError`."""
    number = _number(cells)
    if not re.search(TRANSACTION_NUMBER_PATTERN, number):
        raise RowError("number: not a transaction number of 14 digits")
    version = _whole(cells, "version", MOST_VERSIONS)
    bn9, extension = _business_number(cells, "owner", parse_bn15)
    return FileVersion(
        line=line,
        number=number,
        version=version,
        bn9=bn9,
        extension=extension,
        submitter=_business_number(cells, "submitter", parse_bn9),
        submitted_at=_instant(cells),
        kind=read_choice(cells, "kind", Declaration.Kind, Declaration.Kind.AB),
        own_reference=read_text(cells, "own_reference", Declaration),
        facts={
            "released_on": read_day(cells, "released_on"),
            "office": _code(cells, "office", r"[0-9]{3,4}", "3 or 4 digits"),
            "vendor": read_text(cells, "vendor", DeclarationVersion, required=True),
            "currency": _code(cells, "currency", r"[A-Z]{3}", "3 letters"),
            "reason_code": _reason(cells, version),
            "remarks": read_text(cells, "remarks", DeclarationVersion),
        },
        lines=[],
    )


def _to_line(cells: Cells, *, taken: list[DeclarationLine]) -> DeclarationLine:
    """The line that a row describes, numbered after those taken; raise `RowError`."""
    number = _whole(cells, "line", MOST_LINES)
    if taken and number <= taken[-1].number:
        raise RowError("line: must be higher than in the row before, of the same version")
    hs_code = re.sub(r"[\s.]", "", cells.get("hs_code", ""))
    if not re.search(HS_CODE_PATTERN, hs_code):
        raise RowError("hs_code: not 10 digits (a spreadsheet may have dropped a leading zero)")
    amounts = {name: read_amount(cells, name) for name in AMOUNTS}
    negative = next((name for name, amount in amounts.items() if amount < 0), None)
    if negative:
        raise RowError(f"{negative}: cannot be negative")
    return DeclarationLine(
        number=number,
        hs_code=hs_code,
        description=read_text(cells, "description", DeclarationLine, required=True),
        origin=_origin(cells),
        tariff_treatment=_code(cells, "tariff_treatment", r"[1-9][0-9]?", "1 or 2 digits"),
        quantity=_quantity(cells),
        unit=_code(cells, "unit", r"[A-Z0-9]{2,3}", "2 or 3 letters"),
        **amounts,
    )


def _number(cells: Cells) -> str:
    return re.sub(r"[\s-]", "", cells.get("number", ""))


def _business_number[Read](cells: Cells, column: str, parse: Callable[[str], Read]) -> Read:
    try:
        return parse(cells.get(column, ""))
    except InvalidBN as wrong:
        raise RowError(f"{column}: {_WRONG_BN[wrong.code]}") from wrong


def _instant(cells: Cells) -> datetime:
    text = cells.get("submitted_at", "")
    try:
        if _INSTANT.fullmatch(text) and text >= "1990":
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # 25 o’clock looks like an instant
    raise RowError("submitted_at: not an instant such as 2026-03-14T15:05:00-04:00")


def _whole(cells: Cells, column: str, most: int) -> int:
    text = cells.get(column, "")
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise RowError(f"{column}: not a whole number from 1 to {most}")
    return int(text)


def _origin(cells: Cells) -> str:
    origin = cells.get("origin", "").upper()
    if not is_origin(origin):
        raise RowError("origin: not a country, nor U and a state")
    return origin


def _quantity(cells: Cells) -> Decimal:
    text = cells.get("quantity", "")
    if not _QUANTITY.fullmatch(text):
        raise RowError("quantity: not a number such as 12 or 1250.5")
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.001"))


def _code(cells: Cells, column: str, pattern: str, form: str) -> str:
    text = cells.get(column, "").upper()
    if not re.fullmatch(pattern, text):
        raise RowError(f"{column}: not {form}")
    return text


def _reason(cells: Cells, version: int) -> str:
    if version == 1:
        if "reason_code" in cells:
            raise RowError("reason_code: only a change has a reason, not version 1")
        return ""
    if "reason_code" not in cells:
        raise RowError("reason_code: missing, since this is a change")
    return read_choice(cells, "reason_code", ReasonCode, "")
