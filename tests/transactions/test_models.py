"""What the database itself refuses to hold or to change."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.models import InsertOnlyError
from businesses.models import ProgramAccount
from tests.transactions.factories import change, declare
from tests.world import World
from transactions.models import Declaration, DeclarationLine, DeclarationVersion, ReasonCode


@pytest.fixture
def program(world: World) -> ProgramAccount:
    return world.program(world.importer("Maple"))


@pytest.fixture
def declaration(program: ProgramAccount, world: World) -> Declaration:
    declaration = declare(program, world.at)
    change(declaration, program.business, world.at)
    return declaration


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transactions_declarationversion SET total = total",
        "UPDATE transactions_declarationversion SET submitter_id = submitter_id",
        "DELETE FROM transactions_declarationline",
        "UPDATE transactions_declarationline SET duty = 0",
    ],
)
def test_the_database_refuses_to_change_a_version(declaration: Declaration, statement: str) -> None:
    with pytest.raises(DatabaseError, match="never changes"):
        execute(statement)

    assert DeclarationLine.objects.filter(version__declaration=declaration).count() == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no OR REPLACE")
@pytest.mark.parametrize(
    "table", ["transactions_declarationversion", "transactions_declarationline"]
)
def test_sqlite_refuses_to_replace(declaration: Declaration, table: str) -> None:
    with pytest.raises(DatabaseError, match="never changes"):
        execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608


def test_python_refuses_to_change_a_version(declaration: Declaration) -> None:
    version = declaration.versions.get(number=1)
    attempts = [
        version.save,
        version.delete,
        DeclarationVersion.objects.all().delete,
        version.lines.all().delete,
        lambda: version.lines.update(duty=0),
    ]
    for attempt in attempts:
        with pytest.raises(InsertOnlyError):
            attempt()


@pytest.mark.parametrize(
    "facts",
    [
        {"gst": Decimal("-0.01"), "total": Decimal("94.99")},
        {"total": Decimal("149.76")},
        {"acting_under": ""},
        {"acting_under": "own:bam:direct"},
    ],
    ids=["negative", "total does not add up", "no authority", "authority without person"],
)
def test_a_version_is_sound(
    program: ProgramAccount, world: World, facts: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        declare(program, world.at, **facts)


def test_a_change_has_a_reason(declaration: Declaration, world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        change(declaration, declaration.owner, world.at, reason_code="")

    with transaction.atomic():
        change(declaration, declaration.owner, world.at, reason_code=ReasonCode.CLERICAL)


@pytest.mark.parametrize(
    "line",
    [
        {"hs_code": "940360100"},
        {"hs_code": "940360100X"},
        {"origin": "vn"},
        {"origin": "XUT"},
        {"duty": Decimal("-1.00")},
        {"quantity": Decimal("-1")},
    ],
    ids=str,
)
def test_a_line_is_sound(program: ProgramAccount, world: World, line: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        declare(program, world.at, lines=[line], gst=Decimal("54.75"))


@pytest.mark.parametrize("number", ["1234567890123", "1234567890123a", "123456789012345"])
def test_a_transaction_number_has_fourteen_digits(
    program: ProgramAccount, world: World, number: str
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        declare(program, world.at, number=number)


def test_a_number_is_used_once(declaration: Declaration, world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        declare(declaration.program, world.at, number=declaration.number)


def test_a_version_belongs_to_the_program_and_business_of_its_declaration(
    declaration: Declaration,
) -> None:
    """No constraint sees across three tables: `build_version` is the guard."""
    for version in declaration.versions.all():
        assert version.program_id == declaration.program_id
        assert version.owner_id == declaration.owner_id == declaration.program.business_id


def test_the_number_of_a_version_has_nineteen_digits(declaration: Declaration) -> None:
    numbers = [version.full_number for version in declaration.versions.order_by("number")]

    assert numbers == [f"{declaration.number}00001", f"{declaration.number}00002"]
    assert {len(number) for number in numbers} == {19}
