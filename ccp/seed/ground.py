"""The register, the business and program accounts, and the people."""

import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from allauth.account.models import EmailAddress
from django.utils import timezone
from stdnum import luhn

from accounts.consent import privacy_statement
from accounts.models import Consent, Language, PersonalProfile, User
from businesses.models import (
    BusinessAccount,
    ProgramAccount,
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.services import account_of
from ccp.seed.words import FAMILY, GIVEN, PLACES, QUALITIES, STREETS, TRADES
from ccp.seed.world import Firm, World

PROVIDER = BusinessAccount.ProviderType
STATUS = BusinessAccount.Status
PROGRAMS = (1, 1, 2, 2, 1, 3, 1, 2, 1, 2)
"""How many program accounts a business has, by the last digit of its place."""


def build(world: World) -> None:
    """Everything that others hang on."""
    _file(world)
    _open(world)
    _people(world)


def bn9_of(world: World, serial: int) -> str:
    """A business number with a right check digit."""
    body = f"{world.series}{serial:06}"
    return body + luhn.calc_check_digit(body)


def provider_type(place: int) -> str:
    """Of twenty businesses two are customs brokers, one a consultant and one another provider."""
    return {
        0: PROVIDER.BROKER,
        5: PROVIDER.CONSULTANT,
        10: PROVIDER.BROKER,
        15: PROVIDER.OTHER,
    }.get(place % 20, PROVIDER.NONE)


# ---------------------------------------------------------------- the register


def _file(world: World) -> None:
    """A tenth more entities than businesses, so that some can still be registered."""
    count = world.businesses + world.businesses // 10 + 3
    world.on_file = [world.add(_entity(world, place)) for place in range(count)]
    for place, entity in enumerate(world.on_file):
        for number in range(1, PROGRAMS[place % 10] + 1):
            world.add(
                RegisterProgram(
                    entity=entity,
                    extension=f"RM{number:04}",
                    name=f"{entity.legal_name} {number}",
                    is_open=number < 3,
                )
            )
    # Of what nobody has registered yet, some have no history: only a review lets them in.
    opened = world.businesses
    known = [one for place, one in enumerate(world.on_file) if place < opened or place % 3]
    for serial, entity in enumerate(known, 1):
        _file_evidence(world, entity, serial)
    world.writer.write()


def _entity(world: World, place: int) -> RegisterEntity:
    dice, kind = world.dice, provider_type(place)
    trade = {PROVIDER.BROKER: "Customs Brokers", PROVIDER.CONSULTANT: "Trade Consulting"}.get(
        PROVIDER(kind), dice.choice(TRADES)
    )
    city, region, postal_code = dice.choice(PLACES)
    name = f"{dice.choice(QUALITIES)} {trade} {world.series}-{place + 1}"
    return RegisterEntity(
        bn9=bn9_of(world, place + 1),
        legal_name=f"{name} {'Ltée' if region == 'QC' else 'Ltd.'}",
        operating_name=name if place % 4 == 0 else "",
        street=f"{dice.randrange(1, 4000)} {dice.choice(STREETS)}",
        city=city,
        region=region,
        postal_code=postal_code,
        country="CA",
        emails=[f"office.{place + 1}@s{world.seed}.seed.example"],
        provider_type=kind,
    )


def _file_evidence(world: World, entity: RegisterEntity, serial: int) -> None:
    """One transaction, one payment and one statement, all of RM0001: the answers to claim it by."""
    about = {"entity": entity, "extension": "RM0001"}
    first = timezone.localdate(world.at) - timedelta(days=60)
    days = [first - timedelta(days=world.dice.randrange(300)) for _kind in range(3)]
    amounts = [Decimal(world.dice.randrange(10_000, 9_000_000)).scaleb(-2) for _kind in range(3)]
    number = f"{world.series}9{serial:011}"
    world.add(
        RegisterTransaction(
            number=number, accounted_on=days[0], duties_and_taxes=amounts[0], **about
        )
    )
    world.add(RegisterPayment(paid_on=days[1], amount=amounts[1], **about))
    world.add(RegisterStatement(issued_on=days[2], balance=amounts[2], **about))
    world.answers[entity.bn9] = {
        "extension": "RM0001",
        "transaction_number": number,
        "transaction_total": str(amounts[0]),
        "payment_on": str(days[1]),
        "payment_amount": str(amounts[1]),
        "statement_on": str(days[2]),
        "statement_balance": str(amounts[2]),
    }


# ---------------------------------------------------------------- the accounts


def _open(world: World) -> None:
    """The accounts of all entities but the last ones."""
    for place, entity in enumerate(world.on_file[: world.businesses]):
        world.firms.append(
            Firm(
                place=place,
                marker=f"Qz{world.series}{place + 1:06}",
                account=_account(entity, place),
                entity=entity,
                begun_at=world.at - timedelta(days=world.dice.randrange(500, 790)),
            )
        )
    for firm in world.firms:
        world.add(firm.account)
        firm.programs = [world.add(program) for program in _programs(firm)]
    world.writer.write()


def _programs(firm: Firm) -> list[ProgramAccount]:
    """The third program account of a business was closed already when the portal linked it."""
    return [
        ProgramAccount(
            business=firm.account,
            extension=f"RM{number:04}",
            name=f"{firm.account.legal_name} {number}",
            opened_at=firm.begun_at,
            closed_at=None if number < 3 else firm.begun_at,
        )
        for number in range(1, PROGRAMS[firm.place % 10] + 1)
    ]


def _account(entity: RegisterEntity, place: int) -> BusinessAccount:
    """Of a hundred businesses one is suspended and one is closed."""
    account = account_of(entity)
    account.status = {24: STATUS.SUSPENDED, 74: STATUS.CLOSED}.get(place % 100, STATUS.ACTIVE)
    return account


# ---------------------------------------------------------------- the people


def roster(world: World, firm: Firm) -> Iterator[str]:
    """The parts that people play in a business, by its place in the world."""
    place = firm.place
    yield "founder"
    if place % 3:
        yield "second"
    if firm.is_provider:
        # The first broker is by far the largest, in clients and in people.
        yield from (f"staff{number}" for number in range(3 + (not place) * world.businesses // 100))
    parts = {
        "pam": place % 2 == 0,
        "editor": place % 3 < 2,
        "reader": place % 2 == 1,
        "grouped": place % 3 == 0,
        "suspended": place % 7 == 0,
        "former": place % 5 == 0,
        "disabled": place % 11 == 0,
        "asking": place % 4 in (1, 2),
    }
    yield from (part for part, plays in parts.items() if plays)


def _people(world: World) -> None:
    """Everybody, with profile, address and consent: all sign in with the same password."""
    for firms in world.batches(world.firms, "people"):
        for firm in firms:
            for part in roster(world, firm):
                firm.people[part] = _person(world, firm, part)


def _person(world: World, firm: Firm, part: str) -> User:
    given, family = world.dice.choice(GIVEN), world.dice.choice(FAMILY)
    plain = unicodedata.normalize("NFKD", f"{given}.{family}").encode("ascii", "ignore").decode()
    person = world.add(
        User(
            username=world.uuid().hex,
            email=f"{plain.lower()}.{firm.place + 1}.{part}@s{world.seed}.seed.example",
            first_name=given,
            last_name=family,
            language=Language.FRENCH if world.dice.random() < 0.3 else Language.ENGLISH,
            password=world.password,
            is_active=part != "disabled",
            date_joined=firm.begun_at,
        )
    )
    at, statement = firm.begun_at, privacy_statement()
    world.add(EmailAddress(user=person, email=person.email, verified=True, primary=True))
    world.add(PersonalProfile(user=person, telephone="613-555-0142", created_at=at))
    world.add(
        Consent(
            user=person,
            kind=statement.kind,
            version=statement.version,
            text_hash=statement.text_hash,
            language=person.language,
            at=at,
        )
    )
    return person
