"""Declarations as these tests need them: few words say what matters, the rest is plausible."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import factory

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


class LineFactory(factory.Factory):
    """A line of goods: 1,000.00 for duty, 149.75 in duties and taxes."""

    class Meta:
        model = DeclarationLine

    number = 1
    hs_code = "9403601000"
    description = "Oak dining tables"
    origin = "VN"
    tariff_treatment = "2"
    quantity = Decimal("12")
    unit = "NMB"
    value_for_duty = Decimal("1000.00")
    duty = Decimal("95.00")
    sima = Decimal("0.00")
    excise = Decimal("0.00")
    gst = Decimal("54.75")


class DeclarationFactory(factory.django.DjangoModelFactory):
    """A declaration of a program account that has no version yet."""

    class Meta:
        model = Declaration

    number = factory.Sequence(lambda serial: f"9{serial + 1:013}")
    owner = factory.SelfAttribute("program.business")
    kind = Declaration.Kind.AB
    own_reference = ""
    latest_number = 1


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
    chosen = {"number": number} if number else {}
    declaration: Declaration = DeclarationFactory(program=program, declared_at=at, **chosen)
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
    built = [LineFactory(number=place, **line) for place, line in enumerate(lines, 1)]
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
