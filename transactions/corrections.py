"""What a correction is: the lines of a declaration as they should be, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from transactions.models import DeclarationLine, ReasonCode

CHANGEABLE = {
    "hs_code": _("HS code"),
    "origin": _("Country of origin"),
    "value_for_duty": _("Value for duty"),
    "duty": _("Customs duty"),
    "sima": _("SIMA"),
    "excise": _("Excise"),
    "gst": _("GST"),
}
"""What a correction can change in a line, in the order of the page."""

MOST_LINES = 250
"""With more lines a form would have more fields than the portal reads."""

type Cells = dict[str, str | Decimal]


@dataclass(frozen=True)
class CorrectedLine:
    """A line as it should be, by its number. Amounts are Canadian dollars."""

    number: int
    hs_code: str
    origin: str
    value_for_duty: Decimal
    duty: Decimal
    sima: Decimal
    excise: Decimal
    gst: Decimal


@dataclass(frozen=True)
class Correction:
    """What is wrong with a declaration, and every line of it as it should be."""

    reason_code: ReasonCode
    remarks: str
    lines: tuple[CorrectedLine, ...]


@dataclass(frozen=True)
class Difference:
    """One cell of a line that two versions do not share."""

    line: int
    name: str
    was: str | Decimal
    becomes: str | Decimal


def cells(line: CorrectedLine | DeclarationLine) -> Cells:
    """What can change in a line."""
    return {name: getattr(line, name) for name in CHANGEABLE}


def differences(
    before: Iterable[DeclarationLine], after: Iterable[DeclarationLine]
) -> list[Difference]:
    """What differs between the lines of the same number, by line and in the order of the page."""
    becoming = {line.number: cells(line) for line in after}
    return [
        Difference(line.number, name, was, becoming[line.number][name])
        for line in before
        if line.number in becoming
        for name, was in cells(line).items()
        if was != becoming[line.number][name]
    ]


def by_line(found: Iterable[Difference], side: str) -> dict[int, Cells]:
    """The cells of one side of some differences (`was` or `becomes`), as history keeps them."""
    kept: dict[int, Cells] = {}
    for difference in found:
        kept.setdefault(difference.line, {})[difference.name] = getattr(difference, side)
    return kept
