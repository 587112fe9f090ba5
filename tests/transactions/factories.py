"""Declarations as these tests need them: few words say what matters, the rest is plausible."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from transactions.amounts import Totals
from transactions.models import (
    BY_FILE,
    Declaration,
    DeclarationLine,
    DeclarationVersion,
    ReasonCode,
    build_version,
)

_serial = count(1)

LINE: dict[str, Any] = {
    "hs_code": "9403601000",
    "description": "Oak dining tables",
    "origin": "VN",
    "tariff_treatment": "2",
    "quantity": Decimal("12"),
    "unit": "NMB",
    "value_for_duty": Decimal("1000.00"),
    "duty": Decimal("95.00"),
    "sima": Decimal("0.00"),
    "excise": Decimal("0.00"),
    "gst": Decimal("54.75"),
}
"""A line of goods: 1,000.00 for duty, 149.75 in duties and taxes."""


def declare(
    program: ProgramAccount,
    at: datetime,
    *,
    submitter: BusinessAccount | None = None,
    number: str = "",
    lines: Sequence[dict[str, Any]] = ({},),
    **facts: Any,
) -> Declaration:
    """A declaration whose first version the owner submitted, or `submitter`."""
    declaration = Declaration.objects.create(
        number=number or f"9{next(_serial):013}",
        program=program,
        owner_id=program.business_id,
        declared_at=at,
        kind=Declaration.Kind.AB,
        own_reference="",
        latest_number=1,
    )
    _add(declaration, 1, submitter or program.business, at, lines, facts)
    return declaration


def change(
    declaration: Declaration,
    submitter: BusinessAccount,
    at: datetime,
    *,
    lines: Sequence[dict[str, Any]] = ({},),
    **facts: Any,
) -> DeclarationVersion:
    """A further version, submitted by a business."""
    declaration.latest_number += 1
    Declaration.objects.filter(pk=declaration.pk).update(latest_number=declaration.latest_number)
    facts = {"reason_code": ReasonCode.VALUE, "remarks": "The invoice was wrong.", **facts}
    return _add(declaration, declaration.latest_number, submitter, at, lines, facts)


def _add(
    declaration: Declaration,
    number: int,
    submitter: BusinessAccount,
    at: datetime,
    lines: Sequence[dict[str, Any]],
    facts: dict[str, Any],
) -> DeclarationVersion:
    built = [
        DeclarationLine(number=place, **{**LINE, **line}) for place, line in enumerate(lines, 1)
    ]
    person: User | None = facts.pop("submitted_by", None)
    version = build_version(
        declaration,
        number=number,
        submitter=submitter,
        submitted_at=at,
        submitted_by=person,
        acting_under=facts.pop("acting_under", "own:editor:direct" if person else BY_FILE),
        **{
            "released_on": date(2026, 11, 1),
            "office": "0453",
            "vendor": "Saigon Timber Works",
            "currency": "USD",
            **Totals.of(built).columns(),
            **facts,
        },
    )
    version.save()
    for line in built:
        line.version = version
    DeclarationLine.objects.bulk_create(built)
    return version
