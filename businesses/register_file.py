"""Reads a register file: one CSV, one record to a row. The columns: `docs/samples/README.md`.

The reader keeps one row in memory at a time and never guesses: a file that is not plain UTF-8 CSV
is refused as a whole, a row that is not right is reported with its line.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from localflavor.ca.forms import CAPostalCodeField

from businesses.bn import InvalidBN, parse_bn9, parse_extension
from businesses.models import (
    BusinessAccount,
    ProgramAccount,
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.models.register import TRANSACTION_NUMBER_PATTERN
from businesses.names import normal_region

COLUMNS = (
    "record",
    "bn",
    "program",
    "name",
    "operating_name",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "emails",
    "provider_type",
    "kind",
    "status",
    "number",
    "date",
    "amount",
)

# What each record may fill in, besides `record` and `bn`.
RECORDS: dict[str, frozenset[str]] = {
    "entity": frozenset(COLUMNS[3:12]),
    "program": frozenset({"program", "name", "kind", "status"}),
    "transaction": frozenset({"program", "number", "date", "amount"}),
    "payment": frozenset({"program", "date", "amount"}),
    "statement": frozenset({"program", "date", "amount"}),
}

LONGEST_LINE = 20_000
_WRONG_BN = {
    "digits": "bn: not a business number of 9 digits",
    "check_digit": "bn: the check digit is wrong",
    "extension": "program: not RM and 4 digits",
    "letters": "program: not an import-export (RM) program account",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,2})?")


class FileRefused(Exception):
    """The file cannot be read as a register file at all; the message says why."""


class RowError(Exception):
    """A row is not right; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: the cells that are filled in, by column."""

    line: int
    record: str
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not read, and why."""

    line: int
    reason: str


def read_rows(path: Path) -> Iterator[Row | BadRow]:
    """The rows of the file in order; raise `FileRefused` where it cannot be read on."""
    lines = _lines(path)
    names, delimiter = _read_header(next(lines, ""))
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


def _read_header(header: str) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter: a comma or a semicolon."""
    delimiter = ";" if header.count(";") > header.count(",") else ","
    try:
        cells = next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except csv.Error as wrong:
        raise FileRefused(f"line 1: not readable as CSV ({wrong})") from wrong
    names = [name.strip().lower() for name in cells]
    if sorted(names) != sorted(COLUMNS):
        missing = ", ".join(name for name in COLUMNS if name not in names) or "none"
        unknown = ", ".join(sorted({name for name in names if name not in COLUMNS})) or "none"
        raise FileRefused(
            f"line 1: must name each column once: {','.join(COLUMNS)} "
            f"(missing: {missing}; not known: {unknown})"
        )
    return names, delimiter


def _row(line: int, names: list[str], values: list[str]) -> Row | BadRow:
    if len(values) != len(names):
        return BadRow(line, f"{len(values)} cells where the first line has {len(names)}")
    filled = ((name, value.strip()) for name, value in zip(names, values, strict=True) if value)
    cells = {name: text for name, text in filled if text}
    for name, text in cells.items():
        if _CONTROL.search(text):
            return BadRow(line, f"{name}: holds a control character")
    record = cells.pop("record", "")
    if record not in RECORDS:
        return BadRow(line, f"record: must be one of {', '.join(RECORDS)}")
    foreign = sorted(cells.keys() - RECORDS[record] - {"bn"})
    if foreign:
        return BadRow(line, f"{', '.join(foreign)}: not used with record {record}")
    return Row(line, record, cells)


def to_entity(cells: dict[str, str]) -> RegisterEntity:
    """The entity that a row describes; raise `RowError`."""
    country = cells.get("country", "CA").upper()
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise RowError("country: not a two-letter code")
    return RegisterEntity(
        bn9=_bn9(cells),
        legal_name=_text(cells, RegisterEntity, "legal_name", column="name", required=True),
        operating_name=_text(cells, RegisterEntity, "operating_name"),
        street=_text(cells, RegisterEntity, "street", required=True),
        city=_text(cells, RegisterEntity, "city", required=True),
        region=_region(cells, country),
        postal_code=_postal_code(cells, country),
        country=country,
        emails=_emails(cells),
        provider_type=_choice(
            cells, "provider_type", BusinessAccount.ProviderType, BusinessAccount.ProviderType.NONE
        ),
    )


def to_program(cells: dict[str, str]) -> RegisterProgram:
    """The program account that a row describes; raise `RowError`."""
    status = cells.get("status", "open")
    if status not in {"open", "closed"}:
        raise RowError("status: must be open or closed")
    return RegisterProgram(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        name=_text(cells, RegisterProgram, "name"),
        kind=_choice(cells, "kind", ProgramAccount.Kind, ProgramAccount.Kind.IMPORTER),
        is_open=status == "open",
    )


def to_transaction(cells: dict[str, str]) -> RegisterTransaction:
    """The transaction that a row describes; raise `RowError`."""
    number = re.sub(r"[\s-]", "", cells.get("number", ""))
    if not re.search(TRANSACTION_NUMBER_PATTERN, number):
        raise RowError("number: not a transaction number of 14 digits")
    amount = _amount(cells)
    if amount < 0:
        raise RowError("amount: total duties and taxes cannot be negative")
    return RegisterTransaction(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        number=number,
        accounted_on=_date(cells),
        duties_and_taxes=amount,
    )


def to_payment(cells: dict[str, str]) -> RegisterPayment:
    """The payment that a row describes; raise `RowError`."""
    amount = _amount(cells)
    if amount <= 0:
        raise RowError("amount: a payment must be more than 0.00")
    return RegisterPayment(
        entity_id=_bn9(cells), extension=_extension(cells), paid_on=_date(cells), amount=amount
    )


def to_statement(cells: dict[str, str]) -> RegisterStatement:
    """The statement of account that a row describes; raise `RowError`."""
    return RegisterStatement(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        issued_on=_date(cells),
        balance=_amount(cells),
    )


def _bn9(cells: dict[str, str]) -> str:
    try:
        return parse_bn9(cells.get("bn", ""))
    except InvalidBN as wrong:
        raise RowError(_WRONG_BN[wrong.code]) from wrong


def _extension(cells: dict[str, str]) -> str:
    try:
        return parse_extension(cells.get("program", ""))
    except InvalidBN as wrong:
        raise RowError(_WRONG_BN[wrong.code]) from wrong


def _text(
    cells: dict[str, str],
    model: type[models.Model],
    field: str,
    *,
    column: str = "",
    required: bool = False,
) -> str:
    column = column or field
    text = cells.get(column, "")
    longest: int = getattr(model._meta.get_field(field), "max_length", 0)
    if required and not text:
        raise RowError(f"{column}: missing")
    if len(text) > longest:
        raise RowError(f"{column}: longer than {longest} characters")
    return text


def _choice(
    cells: dict[str, str], column: str, choices: type[models.TextChoices], otherwise: str
) -> str:
    value = cells.get(column, otherwise)
    if value not in choices.values:
        raise RowError(f"{column}: must be one of {', '.join(choices.values)}")
    return value


def _region(cells: dict[str, str], country: str) -> str:
    text = _text(cells, RegisterEntity, "region", required=country in {"CA", "US"})
    if country not in {"CA", "US"}:
        return text
    region = normal_region(text, country)
    if not re.fullmatch(r"[A-Z]{2}", region):
        raise RowError("region: not a province, territory or state of that country")
    return region


def _postal_code(cells: dict[str, str], country: str) -> str:
    text = _text(cells, RegisterEntity, "postal_code", required=country == "CA")
    if country != "CA":
        return text
    code = CAPostalCodeField.postcode_regex.match(text.upper())
    if not (code and text.isascii()):
        raise RowError("postal_code: not a Canadian postal code such as K1A 0L8")
    return f"{code[1]} {code[2]}"


def _emails(cells: dict[str, str]) -> list[str]:
    emails = cells.get("emails", "").split()
    for email in emails:
        try:
            validate_email(email)
        except ValidationError as wrong:
            raise RowError("emails: not e-mail addresses separated by spaces") from wrong
    return emails


def _date(cells: dict[str, str]) -> date:
    text = cells.get("date", "")
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 30th of February looks like a day
    raise RowError("date: not a day written YYYY-MM-DD")


def _amount(cells: dict[str, str]) -> Decimal:
    text = cells.get("amount", "")
    if not _AMOUNT.fullmatch(text):
        raise RowError("amount: not an amount such as 1234.56")
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))
