"""Reads a register file: one CSV, one record to a row. The columns: `docs/samples/README.md`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
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
from businesses.table_file import (
    BadRow,
    Cells,
    RowError,
    read_amount,
    read_choice,
    read_day,
    read_table,
    read_text,
)

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

_WRONG_BN = {
    "digits": "bn: not a business number of 9 digits",
    "check_digit": "bn: the check digit is wrong",
    "extension": "program: not RM and 4 digits",
    "letters": "program: not an import-export (RM) program account",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: the cells that are filled in, by column."""

    line: int
    record: str
    cells: Cells


def read_rows(path: Path) -> Iterator[Row | BadRow]:
    """The rows of the file in order; raise `FileRefused` where it cannot be read on."""
    for row in read_table(path, COLUMNS):
        yield row if isinstance(row, BadRow) else _row(row.line, row.cells)


def _row(line: int, cells: Cells) -> Row | BadRow:
    record = cells.pop("record", "")
    if record not in RECORDS:
        return BadRow(line, f"record: must be one of {', '.join(RECORDS)}")
    foreign = sorted(cells.keys() - RECORDS[record] - {"bn"})
    if foreign:
        return BadRow(line, f"{', '.join(foreign)}: not used with record {record}")
    return Row(line, record, cells)


def to_entity(cells: Cells) -> RegisterEntity:
    """The entity that a row describes; raise `RowError`."""
    country = cells.get("country", "CA").upper()
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise RowError("country: not a two-letter code")
    return RegisterEntity(
        bn9=_bn9(cells),
        legal_name=read_text(cells, "name", RegisterEntity, field="legal_name", required=True),
        operating_name=read_text(cells, "operating_name", RegisterEntity),
        street=read_text(cells, "street", RegisterEntity, required=True),
        city=read_text(cells, "city", RegisterEntity, required=True),
        region=_region(cells, country),
        postal_code=_postal_code(cells, country),
        country=country,
        emails=_emails(cells),
        provider_type=read_choice(
            cells, "provider_type", BusinessAccount.ProviderType, BusinessAccount.ProviderType.NONE
        ),
    )


def to_program(cells: Cells) -> RegisterProgram:
    """The program account that a row describes; raise `RowError`."""
    status = cells.get("status", "open")
    if status not in {"open", "closed"}:
        raise RowError("status: must be open or closed")
    return RegisterProgram(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        name=read_text(cells, "name", RegisterProgram),
        kind=read_choice(cells, "kind", ProgramAccount.Kind, ProgramAccount.Kind.IMPORTER),
        is_open=status == "open",
    )


def to_transaction(cells: Cells) -> RegisterTransaction:
    """The transaction that a row describes; raise `RowError`."""
    number = re.sub(r"[\s-]", "", cells.get("number", ""))
    if not re.search(TRANSACTION_NUMBER_PATTERN, number):
        raise RowError("number: not a transaction number of 14 digits")
    amount = read_amount(cells, "amount")
    if amount < 0:
        raise RowError("amount: total duties and taxes cannot be negative")
    return RegisterTransaction(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        number=number,
        accounted_on=read_day(cells, "date"),
        duties_and_taxes=amount,
    )


def to_payment(cells: Cells) -> RegisterPayment:
    """The payment that a row describes; raise `RowError`."""
    amount = read_amount(cells, "amount")
    if amount <= 0:
        raise RowError("amount: a payment must be more than 0.00")
    return RegisterPayment(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        paid_on=read_day(cells, "date"),
        amount=amount,
    )


def to_statement(cells: Cells) -> RegisterStatement:
    """The statement of account that a row describes; raise `RowError`."""
    return RegisterStatement(
        entity_id=_bn9(cells),
        extension=_extension(cells),
        issued_on=read_day(cells, "date"),
        balance=read_amount(cells, "amount"),
    )


def _bn9(cells: Cells) -> str:
    try:
        return parse_bn9(cells.get("bn", ""))
    except InvalidBN as wrong:
        raise RowError(_WRONG_BN[wrong.code]) from wrong


def _extension(cells: Cells) -> str:
    try:
        return parse_extension(cells.get("program", ""))
    except InvalidBN as wrong:
        raise RowError(_WRONG_BN[wrong.code]) from wrong


def _region(cells: Cells, country: str) -> str:
    text = read_text(cells, "region", RegisterEntity, required=country in {"CA", "US"})
    if country not in {"CA", "US"}:
        return text
    region = normal_region(text, country)
    if not re.fullmatch(r"[A-Z]{2}", region):
        raise RowError("region: not a province, territory or state of that country")
    return region


def _postal_code(cells: Cells, country: str) -> str:
    text = read_text(cells, "postal_code", RegisterEntity, required=country == "CA")
    if country != "CA":
        return text
    code = CAPostalCodeField.postcode_regex.match(text.upper())
    if not (code and text.isascii()):
        raise RowError("postal_code: not a Canadian postal code such as K1A 0L8")
    return f"{code[1]} {code[2]}"


def _emails(cells: Cells) -> list[str]:
    emails = cells.get("emails", "").split()
    for email in emails:
        try:
            validate_email(email)
        except ValidationError as wrong:
            raise RowError("emails: not e-mail addresses separated by spaces") from wrong
    return emails
