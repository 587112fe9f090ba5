"""Amounts of declarations: Canadian dollars, kept to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

CENT = Decimal("0.01")
MOST = Decimal("999999999999.99")
"""The largest amount on file, of a line or of a declaration."""


class Charged(Protocol):
    """A line of goods, as far as money is concerned."""

    @property
    def value_for_duty(self) -> Decimal: ...
    @property
    def duty(self) -> Decimal: ...
    @property
    def sima(self) -> Decimal: ...
    @property
    def excise(self) -> Decimal: ...
    @property
    def gst(self) -> Decimal: ...


def cents(amount: Decimal) -> Decimal:
    """The amount rounded half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Totals:
    """What the lines of a declaration come to. GST is as given: nothing is charged anew."""

    value_for_duty: Decimal
    duties: Decimal
    sima: Decimal
    excise: Decimal
    gst: Decimal

    @classmethod
    def of(cls, lines: Iterable[Charged]) -> "Totals":
        """The totals of some lines."""
        amounts = [
            (line.value_for_duty, line.duty, line.sima, line.excise, line.gst) for line in lines
        ]
        return cls(*(cents(sum(column, Decimal())) for column in zip(*amounts, strict=True)))

    @property
    def total(self) -> Decimal:
        """Duties and taxes together: what is owed. The value for duty is no part of it."""
        return self.duties + self.sima + self.excise + self.gst

    @property
    def are_on_scale(self) -> bool:
        """Whether each of them can be kept."""
        return max(self.value_for_duty, self.total) <= MOST

    def columns(self) -> dict[str, Decimal]:
        """The totals as columns of a version."""
        return {
            "value_for_duty": self.value_for_duty,
            "duties": self.duties,
            "sima": self.sima,
            "excise": self.excise,
            "gst": self.gst,
            "total": self.total,
        }
