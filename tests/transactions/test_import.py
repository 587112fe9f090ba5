"""Importing declarations: all of the file or nothing, twice like once, every bad row named."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from audit.services import business_chain
from businesses.models import BusinessAccount
from businesses.table_file import FileRefused
from tests.world import World
from transactions import declaration_import
from transactions.declaration_file import COLUMNS, MOST_LINES
from transactions.declaration_import import Outcome, import_declarations
from transactions.models import Declaration, DeclarationLine, DeclarationVersion

MAPLE, ITN = "412703316", "888316171"
ROW = {
    "number": "17255008073729",
    "version": "1",
    "owner": f"{MAPLE}RM0001",
    "submitter": ITN,
    "submitted_at": "2026-02-24T09:15:00-05:00",
    "kind": "AB",
    "own_reference": "PO 1",
    "released_on": "2026-02-20",
    "office": "0453",
    "vendor": "Saigon Timber Works",
    "currency": "USD",
    "line": "1",
    "hs_code": "9403.60.10.00",
    "description": "Oak dining tables",
    "origin": "VN",
    "tariff_treatment": "2",
    "quantity": "12",
    "unit": "NMB",
    "value_for_duty": "1000.00",
    "duty": "95.00",
    "sima": "0.00",
    "excise": "0.00",
    "gst": "54.75",
}
SECOND_LINE = ROW | {"line": "2", "hs_code": "4418213000", "description": "Pine doors"}
CHANGE = ROW | {
    "version": "2",
    "submitter": MAPLE,
    "submitted_at": "2026-03-02T11:00:00-05:00",
    "reason_code": "rate",
    "remarks": "The rate was wrong.",
    "duty": "80.00",
}
OTHER = ROW | {"number": "17255008074016"}

type Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def registered(world: World) -> tuple[BusinessAccount, BusinessAccount]:
    """The businesses that the files name."""
    return world.importer("Maple", bn9=MAPLE), world.broker("ITN", bn9=ITN)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of rows; whatever a row leaves out is empty."""

    def written(*rows: dict[str, str], delimiter: str = ",", end: str = "\n") -> Path:
        lines = [delimiter.join(COLUMNS)]
        for row in rows:
            cells = [f'"{row.get(name, "")}"' for name in COLUMNS]
            lines.append(delimiter.join(cells))
        path = tmp_path / "declarations.csv"
        path.write_bytes((end.join(lines) + end).encode())
        return path

    return written


@pytest.fixture
def take(world: World, write: Write) -> Callable[..., Outcome]:
    """Imports rows, or a file, at the instant of the world."""

    def taken(*rows: dict[str, str] | Path, **options: Any) -> Outcome:
        path = rows[0] if isinstance(rows[0], Path) else write(*rows)
        return import_declarations(path=path, at=world.at, **options)

    return taken


type Take = Callable[..., Outcome]


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    """The errors of an import that left nothing behind."""
    assert not Declaration.objects.exists()
    assert not Event.objects.filter(verb="declaration.import").exists()
    return [(error.line, error.reason) for error in outcome.errors]


# ---------------------------------------------------------------- what is taken in


def test_a_declaration_with_its_versions_and_lines(take: Take, world: World) -> None:
    outcome = take(ROW, SECOND_LINE, CHANGE)

    assert (outcome.declarations, outcome.versions, outcome.errors) == (1, 2, [])
    declaration = Declaration.objects.get()
    assert (declaration.number, declaration.latest_number) == ("17255008073729", 2)
    assert declaration.program.bn15 == f"{MAPLE}RM0001" and declaration.owner.bn9 == MAPLE
    assert declaration.own_reference == "PO 1"
    first, second = declaration.versions.order_by("number")
    assert declaration.declared_at == first.submitted_at
    assert first.submitted_at.isoformat() == "2026-02-24T14:15:00+00:00"
    assert (first.submitter.bn9, second.submitter.bn9) == (ITN, MAPLE)
    assert (first.submitted_by, first.acting_under) == (None, "file")
    assert (first.value_for_duty, first.total) == (Decimal("2000.00"), Decimal("299.50"))
    assert (second.total, second.reason_code) == (Decimal("134.75"), "rate")
    line = first.lines.get(number=2)
    assert (line.hs_code, line.description, line.quantity) == ("4418213000", "Pine doors", 12)


def test_versions_of_declarations_may_alternate(take: Take) -> None:
    assert take(ROW, OTHER, CHANGE).versions == 3


@pytest.mark.parametrize(
    ("delimiter", "end", "prefix"),
    [(";", "\r\n", b"\xef\xbb\xbf"), (",", "\r\n", b""), (";", "\n", b"")],
)
def test_files_of_spreadsheets_are_read(
    take: Take, write: Write, delimiter: str, end: str, prefix: bytes
) -> None:
    row = ROW | {"duty": "1095,5", "quantity": "1,25", "vendor": "Ébénisterie d’Été; Montréal"}
    path = write(row, delimiter=delimiter, end=end)
    path.write_bytes(prefix + path.read_bytes())

    assert take(path).errors == []
    line = DeclarationLine.objects.get()
    assert (line.duty, line.quantity) == (Decimal("1095.50"), Decimal("1.250"))
    assert DeclarationVersion.objects.get().vendor == "Ébénisterie d’Été; Montréal"


def test_twice_is_once(take: Take, write: Write) -> None:
    path = write(ROW, SECOND_LINE, CHANGE)
    take(path)
    events = Event.objects.count()
    again = take(path)

    assert (again.declarations, again.versions, again.unchanged) == (0, 0, 2)
    assert DeclarationVersion.objects.count() == 2
    assert Event.objects.count() == events


def test_a_later_file_adds_versions(take: Take) -> None:
    take(ROW)
    outcome = take(ROW, CHANGE, OTHER)

    assert (outcome.declarations, outcome.versions, outcome.unchanged) == (1, 2, 1)
    assert Declaration.objects.get(number=ROW["number"]).latest_number == 2


def test_a_dry_run_says_and_does_nothing(take: Take) -> None:
    outcome = take(ROW, CHANGE, dry_run=True)

    assert (outcome.declarations, outcome.versions) == (1, 2)
    assert reasons(outcome) == []


def test_each_pair_of_owner_and_submitter_gets_one_event_in_both_histories(take: Take) -> None:
    take(ROW, OTHER, CHANGE)
    events = Event.objects.filter(verb="declaration.import")

    assert {(event.chain_id, event.acting_for) for event in events} == {
        (business_chain(MAPLE), ITN),
        (business_chain(ITN), ITN),
        (business_chain(MAPLE), MAPLE),
    }
    assert events.filter(acting_for=ITN)[0].after == {
        "owner": MAPLE,
        "submitter": ITN,
        "versions": 2,
    }
    assert {len(event.object_id) for event in events} == {64}


def test_many_versions_cost_few_queries(
    take: Take, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for many in (2, 40):
        rows = [ROW | {"number": f"{many:02}{place:012}"} for place in range(many)]
        path = write(*rows)
        with CaptureQueriesContext(connection) as captured:
            assert take(path).versions == many
        counts.append(len(captured))

    assert counts[0] == counts[1]
    monkeypatch.setattr(declaration_import, "BATCH", 3)
    rows = [ROW | {"number": f"77{place:012}"} for place in range(5)]
    changes = [CHANGE | {"number": row["number"]} for row in rows]
    assert take(*rows, *changes).versions == 10


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"number": "1.72E+13"}, "number: not a transaction number of 14 digits"),
        ({"number": "1725500807372"}, "number: not a transaction number of 14 digits"),
        ({"version": "0"}, "version: not a whole number from 1 to 99999"),
        ({"version": "two"}, "version: not a whole number from 1 to 99999"),
        ({"owner": MAPLE}, "owner: not a program account such as 888316171RM0001"),
        ({"owner": "412703317RM0001"}, "owner: the check digit is wrong"),
        ({"owner": f"{MAPLE}RT0001"}, "owner: not an import-export (RM) program account"),
        ({"owner": f"{MAPLE}RM0009"}, "owner: no such program account in the portal"),
        ({"submitter": "41270331"}, "submitter: not a business number of 9 digits"),
        ({"submitter": "123456782"}, "submitter: no such business account in the portal"),
        ({"submitted_at": "2026-02-24"}, "submitted_at: not an instant such as 2026-03-14T15"),
        ({"submitted_at": "2026-02-24T09:15:00"}, "submitted_at: not an instant such as"),
        ({"submitted_at": "2026-02-30T09:15:00Z"}, "submitted_at: not an instant such as"),
        ({"submitted_at": "0001-01-01T00:00:00+05:00"}, "submitted_at: not an instant such as"),
        ({"kind": "XX"}, "kind: must be one of AB, C, F, TT, V, 13, 20"),
        ({"own_reference": "x" * 51}, "own_reference: longer than 50 characters"),
        ({"released_on": "20/02/2026"}, "released_on: not a day written YYYY-MM-DD"),
        ({"office": "Fort Erie"}, "office: not 3 or 4 digits"),
        ({"vendor": ""}, "vendor: missing"),
        ({"vendor": "a\u0007b"}, "vendor: holds a control character"),
        ({"currency": "$"}, "currency: not 3 letters"),
        ({"reason_code": "rate"}, "reason_code: only a change has a reason, not version 1"),
        ({"version": "2"}, "reason_code: missing, since this is a change"),
        ({"version": "2", "reason_code": "whim"}, "reason_code: must be one of classification"),
        ({"version": "2", "reason_code": "rate"}, "version: comes out of turn, the next one is 1"),
        ({"line": "0"}, f"line: not a whole number from 1 to {MOST_LINES}"),
        ({"hs_code": "804100000"}, "hs_code: not 10 digits (a spreadsheet may have dropped"),
        ({"description": ""}, "description: missing"),
        ({"origin": "Vietnam"}, "origin: not a country, nor U and a state"),
        ({"tariff_treatment": "MFN"}, "tariff_treatment: not 1 or 2 digits"),
        ({"quantity": "a dozen"}, "quantity: not a number such as 12 or 1250.5"),
        ({"unit": "pieces"}, "unit: not 2 or 3 letters"),
        ({"duty": "95.001"}, "duty: not an amount such as 1234.56"),
        ({"duty": "1,095.00"}, "duty: not an amount such as 1234.56"),
        ({"duty": ""}, "duty: not an amount such as 1234.56"),
        ({"gst": "-1.00"}, "gst: cannot be negative"),
        (
            {"value_for_duty": "999999999999", "duty": "999999999999.99", "gst": "0.01"},
            "the amounts add up to more than a declaration can hold",
        ),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_imported(
    take: Take, cells: dict[str, str], reason: str
) -> None:
    found = reasons(take(OTHER, ROW | cells))

    assert [line for line, _reason in found] == [3]
    assert found[0][1].startswith(reason)


def test_every_bad_row_is_named_by_its_line(take: Take) -> None:
    found = reasons(
        take(
            ROW | {"vendor": "Acme\nLtd"},
            OTHER | {"duty": "x"},
            OTHER | {"line": "2", "gst": "y"},
            OTHER | {"version": "2", "reason_code": "rate"},
        )
    )

    assert found == [
        (2, "vendor: holds a control character"),
        (4, "duty: not an amount such as 1234.56"),
        (5, "gst: not an amount such as 1234.56"),
    ]


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        (
            [ROW, SECOND_LINE | {"vendor": "Acme"}],
            3,
            "vendor: contradicts line 2, the same version",
        ),
        ([ROW, ROW], 3, "line: must be higher than in the row before, of the same version"),
        ([ROW, OTHER, SECOND_LINE], 4, "lines: differs from this version as it is there"),
        ([ROW, CHANGE | {"version": "3"}], 3, "version: comes out of turn, the next one is 2"),
        (
            [ROW, CHANGE | {"submitted_at": "2026-02-01T00:00:00Z"}],
            3,
            "submitted_at: earlier than the version before",
        ),
        (
            [ROW, CHANGE | {"owner": f"{MAPLE}RM0002"}],
            3,
            "number: on file for another program account",
        ),
        ([ROW, CHANGE | {"kind": "C"}], 3, "kind: differs from the versions before"),
        ([ROW, CHANGE | {"own_reference": ""}], 3, "own_reference: differs from the versions"),
    ],
)
def test_rows_that_do_not_fit_together(
    take: Take, rows: list[dict[str, str]], line: int, reason: str
) -> None:
    [(found, told)] = reasons(take(*rows))

    assert found == line
    assert told.startswith(reason)


@pytest.mark.parametrize(
    "cells",
    [
        {"submitter": MAPLE},
        {"submitted_at": "2026-02-24T09:15:01-05:00"},
        {"vendor": "Acme"},
        {"released_on": "2026-02-19"},
        {"duty": "95.01"},
        {"quantity": "12.001"},
        {"description": "Oak stools"},
        {"own_reference": "PO 2"},
        {"owner": f"{MAPLE}RM0002"},
    ],
    ids=str,
)
def test_a_version_on_file_never_changes(take: Take, cells: dict[str, str]) -> None:
    take(ROW)
    outcome = take(ROW | cells, OTHER)

    assert "versions never change" in outcome.errors[0].reason
    assert Declaration.objects.count() == 1


def test_more_lines_than_a_version_may_have(take: Take) -> None:
    lines = [ROW | {"line": str(place)} for place in range(1, MOST_LINES + 1)]

    assert take(*lines).versions == 1
    Declaration.objects.all()
    many = [row | {"number": OTHER["number"]} for row in [*lines, lines[-1]]]
    assert [error.reason for error in take(*many).errors][0] == (
        f"more than {MOST_LINES} lines in one version"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: must name each column once"),
        (b"number;version\n", "line 1: must name each column once"),
        (b"PK\x03\x04", "line 1: must name each column once"),
        (",".join(COLUMNS).encode("utf-16"), "line 1: not UTF-8"),
    ],
)
def test_an_unreadable_file_is_refused(
    take: Take, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)

    with pytest.raises(FileRefused, match=f"^{reason}"):
        take(path)


def test_latin_1_is_refused_in_words(take: Take, write: Write) -> None:
    path = write(ROW | {"vendor": "Ébénisterie"})
    path.write_bytes(path.read_text().encode("latin-1"))

    with pytest.raises(FileRefused, match="line 2: not UTF-8: save the file as “CSV UTF-8”"):
        take(path)


# ---------------------------------------------------------------- the command


def command(path: Path, *options: str) -> str:
    said = StringIO()
    call_command("import_declarations", path, *options, stdout=said, stderr=said)
    return said.getvalue()


def test_the_command_says_what_it_did(write: Write) -> None:
    path = write(ROW, CHANGE)

    assert command(path, "--dry-run").splitlines() == [
        "1 new declarations, 2 new versions, 0 versions already here",
        "Dry run: nothing was imported.",
    ]
    assert command(path) == "1 new declarations, 2 new versions, 0 versions already here\n"
    assert command(path) == "0 new declarations, 0 new versions, 2 versions already here\n"


def test_the_command_fails_with_every_error(write: Write) -> None:
    said = StringIO()
    with pytest.raises(CommandError, match="2 errors. Nothing was imported."):
        call_command(
            "import_declarations",
            write(ROW | {"duty": "x"}, OTHER | {"gst": "y"}),
            stderr=said,
        )

    assert said.getvalue().splitlines() == [
        "line 2: duty: not an amount such as 1234.56",
        "line 3: gst: not an amount such as 1234.56",
    ]


def test_the_command_fails_on_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_declarations", tmp_path / "none.csv")
