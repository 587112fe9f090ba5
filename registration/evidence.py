"""How a claim is compared with the register: always the same work, and one answer at the end.

The rule, point by point:

- The legal name and the address are those on file, after normalising. The operating name is not
  judged: it helps whoever reviews a claim.
- The program account exists and is open. An answer counts if it is of that program account: the
  portal asks about "the RM being registered", and the register keeps transactions, payments and
  statements by program account.
- As many answers must be right as kinds are on file for the program account, and at most two. So
  one right answer is enough where only one kind is on file, whatever stands beside it: an answer
  of a kind that the register does not hold can be neither right nor wrong. With nothing on file
  no claim passes. A statement with a balance of 0.00 is no evidence, since none can be given.

Nothing is decided early: every candidate on file is compared by `hmac.compare_digest` in texts of
equal length, and rows that compare with nothing fill each list up to the same size. A number that
is not on file is compared with an entity that does not exist. What the look-up itself costs is the
register's; `pages.steady` keeps it from showing.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from itertools import chain, islice, repeat

from businesses.names import normal_address, normal_name
from businesses.register import (
    EVIDENCE_LIMIT,
    EntityProgram,
    LegalEntity,
    Payment,
    Statement,
    Transaction,
)
from registration.models import Registration

NEEDED = 2
"""How many answers must be right where the register holds two kinds or all three."""

NOBODY = LegalEntity(
    bn9="",
    legal_name="Nobody Imports and Exports Limited",
    operating_name="",
    street="1000 Nowhere Street North, Suite 100",
    city="Nowhere",
    region="ON",
    postal_code="K1A 0A0",
    country="CA",
    emails=(),
    provider_type="none",
    programs=(),
    transactions=(),
    payments=(),
    statements=(),
)
CLOSED = "------"
"""Stands for a program account that cannot be registered."""

_NO_PROGRAM = EntityProgram("", "", "", False)
_NO_TRANSACTION = Transaction("", "0" * 14, date(2000, 1, 1), Decimal("0.00"))
_NO_PAYMENT = Payment("", date(2000, 1, 1), Decimal("0.00"))
_NO_STATEMENT = Statement("", date(2000, 1, 1), Decimal("0.00"))


class Kind(StrEnum):
    """The three kinds of evidence."""

    TRANSACTION = "transaction"
    PAYMENT = "payment"
    STATEMENT = "statement"


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds, and the kinds of its answers that were right."""

    is_proven: bool
    right: tuple[Kind, ...]


def judge(claim: Registration, entity: LegalEntity | None, *, is_registered: bool) -> Verdict:
    """Compare a complete draft with the register. `is_registered`: somebody has the number."""
    on_file = entity or NOBODY
    answered, filed = _answered(claim), _filed(on_file)
    right = tuple(kind for kind in Kind if _among(answered[kind], filed[kind]))
    held = _kinds_held(on_file, claim.extension)
    programs = (program.extension if program.is_open else CLOSED for program in _programs(on_file))
    proofs = [
        entity is not None,
        not is_registered,
        _same(normal_name(claim.legal_name), normal_name(on_file.legal_name)),
        _same(_address(claim), _address(on_file)),
        _among(claim.extension, programs),
        held > 0,
        len(right) >= min(NEEDED, held),
    ]
    return Verdict(all(proofs), right)


def _among(claimed: str, on_file: Iterable[str]) -> bool:
    """Whether a plain text is among others; looks at each of them. A blank one never is."""
    found = sum(hmac.compare_digest(claimed, text) for text in on_file)
    return bool(found and claimed)


def _same(claimed: str, on_file: str) -> bool:
    """Whether two texts of any length and script are one; a blank one never is."""
    digests = (sha256(text.encode()).digest() for text in (claimed, on_file))
    return hmac.compare_digest(*digests) and bool(claimed)


def _address(of: Registration | LegalEntity) -> str:
    return normal_address(
        street=of.street,
        city=of.city,
        region=of.region,
        postal_code=of.postal_code,
        country=of.country,
    )


def _answered(claim: Registration) -> dict[Kind, str]:
    """What the claim says of each kind, in the words of `_filed`; blank where it says nothing."""
    extension = claim.extension
    number, total = claim.transaction_number, claim.transaction_total
    paid_on, paid = claim.payment_on, claim.payment_amount
    issued_on, balance = claim.statement_on, claim.statement_balance
    return {
        Kind.TRANSACTION: "" if total is None else f"{extension:6}{number:14}{total:17.2f}",
        Kind.PAYMENT: "" if paid is None else f"{extension:6}{paid_on}{paid:17.2f}",
        Kind.STATEMENT: "" if balance is None else f"{extension:6}{issued_on}{balance:17.2f}",
    }


def _filed(entity: LegalEntity) -> dict[Kind, Iterable[str]]:
    """What the register says of each kind, always `EVIDENCE_LIMIT` texts."""
    return {
        Kind.TRANSACTION: (
            f"{row.extension:6}{row.number:14}{row.duties_and_taxes:17.2f}"
            for row in _filled(entity.transactions, _NO_TRANSACTION)
        ),
        Kind.PAYMENT: (
            f"{row.extension:6}{row.paid_on}{row.amount:17.2f}"
            for row in _filled(entity.payments, _NO_PAYMENT)
        ),
        Kind.STATEMENT: (
            f"{row.extension:6}{row.issued_on}{row.balance:17.2f}"
            for row in _filled(entity.statements, _NO_STATEMENT)
        ),
    }


def _programs(entity: LegalEntity) -> Iterable[EntityProgram]:
    return _filled(entity.programs, _NO_PROGRAM)


def _filled[Row](rows: Iterable[Row], nothing: Row) -> Iterable[Row]:
    """The rows and as many empty ones as make `EVIDENCE_LIMIT`."""
    return islice(chain(rows, repeat(nothing)), EVIDENCE_LIMIT)


def _kinds_held(entity: LegalEntity, extension: str) -> int:
    """How many kinds of evidence are on file for a program account."""
    transactions = [row for row in entity.transactions if row.extension == extension]
    payments = [row for row in entity.payments if row.extension == extension]
    statements = [row for row in entity.statements if row.extension == extension and row.balance]
    return sum(bool(rows) for rows in (transactions, payments, statements))
