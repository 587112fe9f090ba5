"""Importing a register file: all of it or nothing, twice like once, every bad row named."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from businesses.models import (
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.register_file import COLUMNS
from businesses.register_import import BATCH, import_register
from businesses.register_sandbox import SandboxRegister
from businesses.services import open_business
from businesses.table_file import FileRefused

pytestmark = pytest.mark.django_db

MODELS = [
    RegisterEntity,
    RegisterProgram,
    RegisterTransaction,
    RegisterPayment,
    RegisterStatement,
]
HEADER = ",".join(COLUMNS)
BN = "412703316"
ENTITY = {
    "record": "entity",
    "bn": BN,
    "name": "Les Ébénistes du Lac ltée",
    "operating_name": "Le Lac",
    "street": "12, rue du Lac",
    "city": "Lévis",
    "region": "Québec",
    "postal_code": "g6v7m2",
    "emails": "a@lac.example b@lac.example",
}
PROGRAM = {"record": "program", "bn": BN, "program": "RM0001", "name": "Le Lac"}
TRANSACTION = {
    "record": "transaction",
    "bn": BN,
    "program": "RM0001",
    "number": "13907000000012",
    "date": "2026-03-02",
    "amount": "0.00",
}
PAYMENT = {"record": "payment", "bn": BN, "program": "RM0001", "date": "2026-03-31", "amount": "5"}
STATEMENT = PAYMENT | {"record": "statement", "date": "2026-03-25", "amount": "-1.5"}
ALL = [ENTITY, PROGRAM, TRANSACTION, PAYMENT, STATEMENT]

type Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows below a header into a file."""

    def to_file(
        *rows: dict[str, str], encoding: str = "utf-8", delimiter: str = ",", end: str = "\n"
    ) -> Path:
        cells = [[row.get(name, "") for name in COLUMNS] for row in rows]
        lines = [HEADER.replace(",", delimiter)] + [
            delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row)
            for row in cells
        ]
        path = tmp_path / "register.csv"
        path.write_bytes((end.join(lines) + end).encode(encoding))
        return path

    return to_file


def run(path: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import_register", str(path), stdout=out, **options)
    return out.getvalue()


def held() -> list[int]:
    return [model._default_manager.count() for model in MODELS]


def reasons(path: Path) -> list[tuple[int, str]]:
    """The errors of a file, which must have left the register as it was."""
    before = held()
    errors = import_register(path).errors
    assert held() == before
    return [(error.line, error.reason) for error in errors]


def test_each_record_is_written_as_it_is_meant(write: Write) -> None:
    run(write(*ALL))
    entity = RegisterEntity.objects.get()
    assert entity.legal_name == "Les Ébénistes du Lac ltée"
    assert (entity.region, entity.postal_code, entity.country) == ("QC", "G6V 7M2", "CA")
    assert entity.emails == ["a@lac.example", "b@lac.example"]
    assert entity.provider_type == "none"
    program = RegisterProgram.objects.get()
    assert (program.extension, program.kind, program.is_open) == ("RM0001", "importer", True)
    paid = RegisterTransaction.objects.get()
    assert (paid.number, paid.duties_and_taxes) == ("13907000000012", Decimal("0.00"))
    assert RegisterPayment.objects.get().amount == Decimal("5.00")
    assert RegisterStatement.objects.get().balance == Decimal("-1.50")


def test_numbers_may_be_typed_with_spaces(write: Write) -> None:
    spaced = [
        ENTITY | {"bn": "41270 3316"},
        PROGRAM | {"bn": "41270-3316", "program": "rm 0001"},
        TRANSACTION | {"number": "13907-000000012"},
    ]
    run(write(*spaced))
    assert held() == [1, 1, 1, 0, 0]


def test_rows_may_stand_in_any_order(write: Write) -> None:
    run(write(*reversed(ALL)))
    assert held() == [1, 1, 1, 1, 1]


def test_the_same_file_twice_changes_nothing_and_says_so(write: Write) -> None:
    path = write(*ALL)
    assert "entity: 1 created, 0 changed, 0 unchanged" in run(path)
    before = [list(model._default_manager.values()) for model in MODELS]
    again = run(path)
    assert "entity: 0 created, 0 changed, 1 unchanged" in again
    assert "already holds every row" in again
    assert [list(model._default_manager.values()) for model in MODELS] == before


def test_a_row_may_stand_twice_in_one_file(write: Write) -> None:
    outcome = import_register(write(*ALL, PAYMENT))
    assert not outcome.errors
    assert outcome.created["payment"] == outcome.unchanged["payment"] == 1


def test_new_facts_replace_what_is_on_file(write: Write) -> None:
    import_register(write(*ALL))
    changed = [
        ENTITY | {"name": "Les Ébénistes inc.", "emails": ""},
        PROGRAM | {"status": "closed"},
        TRANSACTION | {"amount": "7.00"},
        STATEMENT | {"amount": "0.00"},
    ]
    outcome = import_register(write(*changed))
    assert outcome.changed == {"entity": 1, "program": 1, "transaction": 1, "statement": 1}
    assert RegisterEntity.objects.get().legal_name == "Les Ébénistes inc."
    assert RegisterEntity.objects.get().emails == []
    assert not RegisterProgram.objects.get().is_open
    assert RegisterTransaction.objects.get().duties_and_taxes == Decimal("7.00")
    assert RegisterStatement.objects.get().balance == Decimal("0.00")
    assert held() == [1, 1, 1, 1, 1]


def test_a_dry_run_says_what_would_happen_and_does_nothing(write: Write) -> None:
    said = run(write(*ALL), dry_run=True)
    assert "transaction: 1 created" in said
    assert "Dry run: nothing was imported." in said
    assert held() == [0, 0, 0, 0, 0]


def test_a_dry_run_names_bad_rows_too(write: Write) -> None:
    with pytest.raises(CommandError, match="1 rows refused"):
        run(write(ENTITY, PAYMENT), dry_run=True)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ENTITY | {"record": "person"}, "record: must be one of entity, program"),
        (ENTITY | {"bn": "41270331"}, "bn: not a business number of 9 digits"),
        (ENTITY | {"bn": "412703317"}, "bn: the check digit is wrong"),
        (ENTITY | {"bn": ""}, "bn: not a business number of 9 digits"),
        (ENTITY | {"name": ""}, "name: missing"),
        (ENTITY | {"name": "x" * 176}, "name: longer than 175 characters"),
        (ENTITY | {"street": ""}, "street: missing"),
        (ENTITY | {"city": ""}, "city: missing"),
        (ENTITY | {"region": ""}, "region: missing"),
        (ENTITY | {"region": "Bavaria"}, "region: not a province"),
        (ENTITY | {"postal_code": ""}, "postal_code: missing"),
        (ENTITY | {"postal_code": "W1A 1AA"}, "postal_code: not a Canadian postal code"),
        (ENTITY | {"postal_code": "K1A 0L8 x"}, "postal_code: not a Canadian postal code"),
        (ENTITY | {"country": "Canada"}, "country: not a two-letter code"),
        (ENTITY | {"emails": "a@lac.example; b"}, "emails: not e-mail addresses"),
        (ENTITY | {"provider_type": "carrier"}, "provider_type: must be one of none, broker"),
        (ENTITY | {"city": "Lé\u0007vis"}, "city: holds a control character"),
        (ENTITY | {"amount": "5.00"}, "amount: not used with record entity"),
        (PROGRAM | {"program": "RM01"}, "program: not RM and 4 digits"),
        (PROGRAM | {"program": "RT0001"}, "program: not an import-export (RM) program account"),
        (PROGRAM | {"program": ""}, "program: not RM and 4 digits"),
        (PROGRAM | {"kind": "carrier"}, "kind: must be one of importer, exporter"),
        (PROGRAM | {"status": "dormant"}, "status: must be open or closed"),
        (PROGRAM | {"city": "Lévis"}, "city: not used with record program"),
        (TRANSACTION | {"number": "1.39E+13"}, "number: not a transaction number of 14 digits"),
        (TRANSACTION | {"number": ""}, "number: not a transaction number of 14 digits"),
        (TRANSACTION | {"amount": "-0.01"}, "amount: total duties and taxes cannot be negative"),
        (TRANSACTION | {"amount": ""}, "amount: not an amount such as 1234.56"),
        (TRANSACTION | {"amount": "$5"}, "amount: not an amount such as 1234.56"),
        (TRANSACTION | {"amount": "1.234"}, "amount: not an amount such as 1234.56"),
        (TRANSACTION | {"amount": "1234567890123"}, "amount: not an amount such as 1234.56"),
        (TRANSACTION | {"amount": "NaN"}, "amount: not an amount such as 1234.56"),
        (TRANSACTION | {"date": "2026-02-30"}, "date: not a day written YYYY-MM-DD"),
        (TRANSACTION | {"date": "02/03/2026"}, "date: not a day written YYYY-MM-DD"),
        (TRANSACTION | {"date": "20260302"}, "date: not a day written YYYY-MM-DD"),
        (PAYMENT | {"amount": "0.00"}, "amount: a payment must be more than 0.00"),
        (PAYMENT | {"date": ""}, "date: not a day written YYYY-MM-DD"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(
    write: Write, row: dict[str, str], reason: str
) -> None:
    import_register(write(ENTITY, PROGRAM))
    good = PAYMENT | {"amount": "99.00"}
    [(line, said)] = reasons(write(good, row))
    assert line == 3
    assert said.startswith(reason)


def test_every_bad_row_is_named_in_the_order_of_the_file(write: Write) -> None:
    rows = [PAYMENT | {"date": "x"}, ENTITY | {"name": ""}, ENTITY, PAYMENT | {"amount": "x"}]
    assert [line for line, _reason in reasons(write(*rows))] == [2, 3, 5]


def test_rows_need_what_they_hang_on(write: Write) -> None:
    assert reasons(write(PROGRAM)) == [(2, "no such entity in the file or the register")]
    assert reasons(write(ENTITY, PAYMENT)) == [(3, "no such program in the file or the register")]
    import_register(write(ENTITY))
    import_register(write(PROGRAM))
    assert import_register(write(PAYMENT)).created == {"payment": 1}


def test_rows_of_one_key_may_not_contradict_each_other(write: Write) -> None:
    twice = write(ENTITY, PROGRAM, STATEMENT, STATEMENT | {"amount": "9.99"})
    assert reasons(twice) == [(5, "contradicts line 4")]


def test_a_transaction_never_moves_to_another_account(write: Write) -> None:
    import_register(write(*ALL))
    other = "888316171"
    moved = write(ENTITY | {"bn": other}, PROGRAM | {"bn": other}, TRANSACTION | {"bn": other})
    assert reasons(moved) == [(4, "on file for another program account")]


def test_rows_of_the_wrong_width_are_named(write: Write) -> None:
    path = write(ENTITY)
    path.write_text(path.read_text() + "\n , \npayment,412703316\n", encoding="utf-8")
    assert reasons(path) == [(5, "2 cells where the first line has 17")]


def test_a_line_break_inside_a_cell_is_named_with_the_line_the_row_begins_on(write: Write) -> None:
    path = write(ENTITY | {"city": '"Lé\nvis"'}, PROGRAM | {"kind": "carrier"})
    assert reasons(path) == [
        (2, "city: holds a control character"),
        (4, "kind: must be one of importer, exporter"),
    ]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "end"),
    [
        ("utf-8-sig", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("utf-8", ";", "\n"),
        ("utf-8", ",", "\r\n"),
    ],
)
def test_what_spreadsheets_save_is_read(
    write: Write, encoding: str, delimiter: str, end: str
) -> None:
    rows = [*ALL[:4], STATEMENT | {"amount": "1234,56"}]
    assert not import_register(write(*rows, encoding=encoding, delimiter=delimiter, end=end)).errors
    assert RegisterEntity.objects.get().legal_name == "Les Ébénistes du Lac ltée"
    assert RegisterStatement.objects.get().balance == Decimal("1234.56")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: must name each column once"),
        (b"\n\n", "line 1: must name each column once"),
        (HEADER.replace("bn", "number").encode(), "missing: bn"),
        (f"{HEADER},colour\n".encode(), "not known: colour"),
        (f"{HEADER},bn\n".encode(), "line 1: must name each column once"),
        (f"{HEADER}\nentity,L\u00e9vis\n".encode("latin-1"), "line 2: not UTF-8: save the file"),
        (f"{HEADER}\n".encode("utf-16"), "line 1: not UTF-8"),
        (f'{HEADER}\nentity,"41270\n'.encode(), "line 2: not readable as CSV"),
        (f"{HEADER}\rentity,1\r".encode(), "line 1: "),
        (f"{HEADER}\n{'x' * 30_000}\n".encode(), "line 2: longer than 20000 bytes"),
        (b"\x00\x01\x02\xff", "line 1: not UTF-8"),
        (b"PK\x03\x04", "line 1: must name each column once"),
    ],
)
def test_a_file_that_is_no_register_file_is_refused_plainly(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "register.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="^line"):
        import_register(path)
    with pytest.raises(CommandError) as refused:
        run(path)
    assert reason in str(refused.value)
    assert str(refused.value).endswith("Nothing was imported.")
    assert ".." not in str(refused.value)


def test_a_refusal_halfway_leaves_nothing_behind(write: Write) -> None:
    path = write(*ALL)
    path.write_bytes(path.read_bytes() + b"entity,\xe9\n")
    with pytest.raises(CommandError, match="line 7: not UTF-8"):
        run(path)
    assert held() == [0, 0, 0, 0, 0]


def test_a_missing_file_is_refused_plainly(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CommandError, match="Nothing was imported"):
            run(path)


def test_bad_rows_are_listed_and_the_command_fails(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(ENTITY, PROGRAM | {"kind": "x"}, PAYMENT | {"amount": "x"})
    with pytest.raises(CommandError, match="2 rows refused. Nothing was imported."):
        run(path)
    said = capsys.readouterr().err
    assert "line 3: kind: must be one of" in said
    assert "line 4: amount: not an amount" in said
    assert "row/s" not in said  # the progress bar is quiet away from a terminal


def test_statements_grow_with_batches_and_not_with_rows(write: Write) -> None:
    def many(count: int) -> Path:
        rows = [PAYMENT | {"amount": f"{number}.00"} for number in range(1, count + 1)]
        return write(ENTITY, PROGRAM, *rows)

    with CaptureQueriesContext(connection) as one:
        import_register(many(1), dry_run=True)
    with CaptureQueriesContext(connection) as batch:
        import_register(many(BATCH), dry_run=True)
    with CaptureQueriesContext(connection) as batches:
        import_register(many(5 * BATCH))
    assert len(batch) <= len(one) + 10  # SQLite writes one batch in a few statements
    assert len(batches) <= 5 * len(batch)
    assert RegisterPayment.objects.count() == 5 * BATCH


def test_a_registered_business_gains_the_programs_that_the_register_gained(write: Write) -> None:
    """The system links them and says so in the history; a dry run and a second one do not."""
    run(write(*ALL))
    entity = SandboxRegister().find(BN)
    assert entity
    business = open_business(entity=entity, at=datetime(2026, 11, 1, tzinfo=UTC))
    more = write(*ALL, PROGRAM | {"program": "RM0002", "name": "Le Quai"})

    run(more, dry_run=True)
    assert business.programs.count() == 1
    assert "1 program accounts linked to businesses registered here" in run(more)
    assert "linked" not in run(more)

    assert [one.name for one in business.programs.order_by("extension")] == ["Le Lac", "Le Quai"]
    [event] = Event.objects.filter(verb="program_account.link")
    assert (event.actor_id, event.object_label) == ("", "41270 3316 RM 0002")
