"""Declarations of importers, in versions of their own and of their service providers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from audit.services import business_chain
from businesses.models import ProgramAccount
from ccp.seed.words import GOODS, OFFICES, VENDORS, Good
from ccp.seed.world import Firm, World
from transactions.amounts import Totals, cents
from transactions.models import (
    BY_FILE,
    Declaration,
    DeclarationLine,
    DeclarationVersion,
    ReasonCode,
    build_version,
)

HOW_MANY = (0, 1, 2, 3, 4, 8)
"""How many declarations a program account has."""

VERSIONS = (1, 1, 1, 2, 1, 1, 3, 1)
"""How many versions a declaration has, by turns."""

GST, NOTHING = Decimal("0.05"), Decimal("0.00")


def build(world: World) -> None:
    """Let every importer declare, and its providers for it."""
    for firms in world.batches(world.importers, "declarations"):
        for owner in firms:
            received: dict[str, int] = {}
            for program in owner.programs:
                for _serial in range(world.dice.choice(HOW_MANY)):
                    submitter = _declare(world, owner, program)
                    received[submitter.bn9] = received.get(submitter.bn9, 0) + 1
            for bn9, count in received.items():
                _tell_of_file(world, owner, bn9, count)


def _declare(world: World, owner: Firm, program: ProgramAccount) -> Firm:
    """One declaration with its versions; gives whoever submitted the first one."""
    dice, serial = world.dice, world.next_declaration()
    at = world.some_time(after=owner.begun_at + timedelta(days=5), before=world.at)
    first = _submitter(world, owner, at)
    declaration = world.add(
        Declaration(
            number=f"{world.series}{serial:012}",
            program=program,
            owner=owner.account,
            declared_at=at,
            kind=Declaration.Kind.AB,
            own_reference=f"{owner.marker} PO {serial}",
            latest_number=VERSIONS[serial % len(VERSIONS)],
        )
    )
    goods = dice.sample(GOODS, 2 if serial % 3 == 0 else 1)
    shared = {
        "released_on": at.date() - timedelta(days=2),
        "office": dice.choice(OFFICES),
        "vendor": dice.choice(VENDORS),
        "currency": "CAD",
    }
    _version(world, declaration, 1, first, at, goods, shared, acting_under=BY_FILE)
    submitters = [first.bn9]
    for number in range(2, declaration.latest_number + 1):
        at = world.some_time(after=at, before=world.at)
        submitter = _corrector(world, owner, at)
        _correct(world, owner, declaration, number, submitter, at, goods, shared)
        submitters.append(submitter.bn9)
    world.tell(
        "declarations",
        number=declaration.number,
        bn9=owner.bn9,
        extension=program.extension,
        submitters=submitters,
    )
    return first


def _submitter(world: World, owner: Firm, at: datetime) -> Firm:
    """The owner, or a provider that served it by then."""
    serving = [known.provider for known in owner.providers if known.begun_at <= at]
    return world.dice.choice([owner, *serving, *serving])


def _corrector(world: World, owner: Firm, at: datetime) -> Firm:
    """The owner, or a customs broker that served it by then: no other provider corrects."""
    chosen = _submitter(world, owner, at)
    return chosen if chosen is owner or chosen.is_broker else owner


def _version(
    world: World,
    declaration: Declaration,
    number: int,
    submitter: Firm,
    at: datetime,
    goods: Sequence[Good],
    shared: dict[str, Any],
    **facts: Any,
) -> DeclarationVersion:
    lines = [_line(world, place, good, submitter) for place, good in enumerate(goods, 1)]
    version = world.add(
        build_version(
            declaration,
            number=number,
            submitter=submitter.account,
            submitted_at=at,
            **shared,
            **facts,
            **Totals.of(lines).columns(),
        )
    )
    for line in lines:
        line.version = version
        world.add(line)
    return version


def _line(world: World, number: int, good: Good, submitter: Firm) -> DeclarationLine:
    value = Decimal(world.dice.randrange(20_000, 5_000_000)).scaleb(-2)
    duty = cents(value * good.duty)
    return DeclarationLine(
        number=number,
        hs_code=good.hs_code,
        description=f"{good.description} ({submitter.marker})",
        origin=good.origin,
        tariff_treatment=good.tariff_treatment,
        quantity=Decimal(world.dice.randrange(1, 900)),
        unit=good.unit,
        value_for_duty=value,
        duty=duty,
        sima=NOTHING,
        excise=NOTHING,
        gst=cents((value + duty) * GST),
    )


def _correct(
    world: World,
    owner: Firm,
    declaration: Declaration,
    number: int,
    submitter: Firm,
    at: datetime,
    goods: Sequence[Good],
    shared: dict[str, Any],
) -> None:
    """A further version, by the manager of whoever submits it."""
    known = [one for one in owner.providers if one.provider is submitter]
    path = f"provider:pam:{known[0].relationship}" if known else "own:bam:direct"
    remarks = f"The invoice was wrong ({submitter.marker})."
    version = _version(
        world,
        declaration,
        number,
        submitter,
        at,
        goods,
        shared,
        acting_under=path,
        submitted_by=submitter.founder,
        reason_code=ReasonCode.VALUE,
        remarks=remarks,
    )
    world.record(
        object_id=declaration.number,
        verb="declaration.correct",
        at=at,
        actor=submitter.founder,
        acting_for=submitter.bn9,
        chains={business_chain(owner.bn9), business_chain(submitter.bn9)},
        object_type="declaration",
        object_label=declaration.number,
        after={"version": number, "total": version.total},
        reason=remarks,
        path=path,
    )


def _tell_of_file(world: World, owner: Firm, submitter_bn9: str, versions: int) -> None:
    """The first versions came by file: one event for each pair of owner and submitter."""
    world.record(
        object_id=f"{world.series}-{owner.bn9}-{submitter_bn9}",
        verb="declaration.import",
        at=world.at - timedelta(hours=1),
        actor=None,
        acting_for=submitter_bn9,
        chains={business_chain(owner.bn9), business_chain(submitter_bn9)},
        object_type="declaration_file",
        object_label="declarations.csv",
        after={"owner": owner.bn9, "submitter": submitter_bn9, "versions": versions},
        path=BY_FILE,
    )
