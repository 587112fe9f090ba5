"""The CRA register behind a port: what a legal entity is, and what the agency knows of it.

The setting REGISTER names the adapter; without it the sandbox of this portal is used. An adapter
never says whether a number is registered in the portal: it does not know.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

SANDBOX = "businesses.register_sandbox.SandboxRegister"

# The newest of each kind of evidence that an answer is compared with, in transactions, payments
# or statements. It bounds the work that one look-up costs.
EVIDENCE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class EntityProgram:
    """An import-export program account on file; `kind` is `importer` or `exporter`."""

    extension: str
    name: str
    kind: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction accounted for; amounts are Canadian dollars."""

    extension: str
    number: str
    accounted_on: date
    duties_and_taxes: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment received."""

    extension: str
    paid_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of account issued; a negative balance is a credit."""

    extension: str
    issued_on: date
    balance: Decimal


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A legal entity on file, with the evidence that registration compares answers with."""

    bn9: str
    legal_name: str
    operating_name: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str
    emails: tuple[str, ...]
    provider_type: str
    programs: tuple[EntityProgram, ...]
    transactions: tuple[Transaction, ...]
    payments: tuple[Payment, ...]
    statements: tuple[Statement, ...]

    @property
    def has_history(self) -> bool:
        """Whether anything is on file that a security question can ask for."""
        return bool(self.transactions or self.payments or self.statements)


class Register(Protocol):
    """What the portal asks of the register."""

    def find(self, bn9: str) -> LegalEntity | None:
        """The legal entity with that compact number, or nothing.

        An unknown number costs the same statements as a known one.
        """
        ...


def get_register() -> Register:
    """The register that this portal is set up with."""
    adapter: Register = import_string(getattr(settings, "REGISTER", SANDBOX))()
    return adapter
