"""Writes a file of declarations: all of it, or nothing of it.

A version on file equal to the file's changes nothing, so that a file imported twice has the effect
of once; one that differs is an error, since versions never change.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import Path

from django.db import connection, transaction

from audit.services import business_chain, record
from businesses.models import BusinessAccount, ProgramAccount
from businesses.table_file import BadRow
from delegation.models import Relationship
from transactions.declaration_file import LINE_COLUMNS, BadVersion, FileVersion, read_versions
from transactions.models import (
    BY_FILE,
    ClientDeclaration,
    Declaration,
    DeclarationLine,
    DeclarationVersion,
    build_version,
)

BATCH = 500

type Key = tuple[str, int]
type Pair = tuple[int, int]
"""A client and a firm."""


@dataclass(slots=True)
class Outcome:
    """What an import did, and every row that it refused."""

    declarations: int = 0
    versions: int = 0
    unchanged: int = 0
    errors: list[BadRow] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """What the portal holds that a batch speaks of, and what the batch adds to it."""

    programs: dict[tuple[str, str], ProgramAccount]
    submitters: dict[str, BusinessAccount]
    declarations: dict[str, Declaration]
    versions: dict[Key, DeclarationVersion]
    lines: dict[Key, list[DeclarationLine]]
    added: list[Key] = field(default_factory=list)


def import_declarations(
    *,
    path: Path,
    at: datetime,
    dry_run: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Outcome:
    """Import the file; with any bad row, or in a dry run, leave everything as it was.

    `progress` is told of lines as they are done. Raises `FileRefused` for an unreadable file.
    """
    outcome = Outcome()
    received: Counter[tuple[str, str]] = Counter()
    broken, firms = {""}, set[Pair]()
    with transaction.atomic():
        for batch in batched(_readable(path, broken, outcome), BATCH, strict=False):
            books = _open_books(batch)
            for version in batch:
                _enter(version, books, broken, outcome)
            firms |= _firms_of({version.bn9 for version in batch})
            _write(books)
            received.update(_parties(books))
            if progress:
                progress(sum(len(version.lines) for version in batch))
        _bring_to_new_firms({owner for owner, _submitter in received}, firms)
        for (owner, submitter), versions in received.items():
            _record(path, owner, submitter, versions, at)
        if dry_run or outcome.errors:
            transaction.set_rollback(True)
    outcome.errors.sort(key=lambda error: error.line)
    return outcome


def _readable(path: Path, broken: set[str], outcome: Outcome) -> Iterator[FileVersion]:
    for version in read_versions(path):
        if isinstance(version, BadVersion):
            outcome.errors += version.errors
            broken.add(version.number)
        else:
            yield version


def _open_books(batch: tuple[FileVersion, ...]) -> Books:
    """All that the batch speaks of, in five queries; declarations on file are held locked."""
    numbers = {version.number for version in batch}
    owners = {version.bn9 for version in batch}
    submitters = {version.submitter for version in batch}
    programs = ProgramAccount.objects.filter(business__bn9__in=owners).select_related("business")
    declarations = Declaration.objects.filter(number__in=numbers).select_for_update(no_key=True)
    by_number = {declaration.number: declaration for declaration in declarations.order_by("pk")}
    versions = DeclarationVersion.objects.filter(declaration__in=by_number.values())
    by_key = {
        (version.declaration.number, version.number): version
        for version in versions.select_related("declaration", "submitter")
    }
    keys = {version.pk: key for key, version in by_key.items()}
    asked = {(version.number, version.version) for version in batch}
    lines: dict[Key, list[DeclarationLine]] = {}
    compared = [version for key, version in by_key.items() if key in asked]
    for line in DeclarationLine.objects.filter(version__in=compared).order_by("number"):
        lines.setdefault(keys[line.version_id], []).append(line)
    return Books(
        programs={(program.business.bn9, program.extension): program for program in programs},
        submitters={one.bn9: one for one in BusinessAccount.objects.filter(bn9__in=submitters)},
        declarations=by_number,
        versions=by_key,
        lines=lines,
    )


def _enter(version: FileVersion, books: Books, broken: set[str], outcome: Outcome) -> None:
    """Enter a version into the books, or report why not."""
    key = version.number, version.version
    reason = _why_not(version, books)
    if reason:
        if version.number not in broken:
            outcome.errors.append(BadRow(version.line, reason))
        broken.add(version.number)
    elif key in books.versions:
        outcome.unchanged += 1
    else:
        _add(version, key, books)
        outcome.versions += 1
        outcome.declarations += version.version == 1


def _why_not(version: FileVersion, books: Books) -> str | None:
    program = books.programs.get((version.bn9, version.extension))
    if program is None:
        return "owner: no such program account in the portal"
    if version.submitter not in books.submitters:
        return "submitter: no such business account in the portal"
    declaration = books.declarations.get(version.number)
    if (version.number, version.version) in books.versions:
        return _why_not_equal(version, books)
    next_number = declaration.latest_number + 1 if declaration else 1
    if version.version != next_number:
        return f"version: comes out of turn, the next one is {next_number}"
    return _why_not_next(version, declaration, program, books) if declaration else None


def _why_not_next(
    version: FileVersion, declaration: Declaration, program: ProgramAccount, books: Books
) -> str | None:
    """Why a version does not follow those of its declaration."""
    if declaration.program_id != program.pk:
        return "number: on file for another program account"
    for column in ("kind", "own_reference"):
        if getattr(version, column) != getattr(declaration, column):
            return f"{column}: differs from the versions before"
    before = books.versions[version.number, declaration.latest_number]
    if version.submitted_at < before.submitted_at:
        return "submitted_at: earlier than the version before"
    return None


def _why_not_equal(version: FileVersion, books: Books) -> str | None:
    """Why a version is not the one that is there already."""
    key = version.number, version.version
    there, declaration = books.versions[key], books.declarations[version.number]
    program = books.programs[version.bn9, version.extension]
    on_file = {
        "owner": declaration.program_id,
        "submitter": there.submitter.bn9,
        "submitted_at": there.submitted_at,
        "kind": declaration.kind,
        "own_reference": declaration.own_reference,
        **{name: getattr(there, name) for name in version.facts},
        "lines": [_cells(line) for line in books.lines.get(key, [])],
    }
    in_file = {
        "owner": program.pk,
        "submitter": version.submitter,
        "submitted_at": version.submitted_at,
        "kind": version.kind,
        "own_reference": version.own_reference,
        **version.facts,
        "lines": [_cells(line) for line in version.lines],
    }
    differing = [name for name in in_file if in_file[name] != on_file[name]]
    if differing:
        return f"{differing[0]}: differs from this version as it is there; versions never change"
    return None


def _cells(line: DeclarationLine) -> list[object]:
    return [getattr(line, "number" if name == "line" else name) for name in LINE_COLUMNS]


def _add(version: FileVersion, key: Key, books: Books) -> None:
    program = books.programs[version.bn9, version.extension]
    declaration = books.declarations.setdefault(
        version.number,
        Declaration(
            number=version.number,
            program=program,
            owner=program.business,
            declared_at=version.submitted_at,
            kind=version.kind,
            own_reference=version.own_reference,
        ),
    )
    declaration.latest_number = version.version
    built = build_version(
        declaration,
        number=version.version,
        submitter=books.submitters[version.submitter],
        submitted_at=version.submitted_at,
        submitted_by=None,
        acting_under=BY_FILE,
        **version.facts,
    )
    for line in version.lines:
        line.version = built
    books.versions[key], books.lines[key] = built, version.lines
    books.added.append(key)


def _write(books: Books) -> None:
    """Write what was added, declarations first."""
    touched = {number: books.declarations[number] for number, _version in books.added}
    new = [declaration for declaration in touched.values() if declaration.pk is None]
    old = [declaration for declaration in touched.values() if declaration.pk is not None]
    Declaration.objects.bulk_create(new)
    Declaration.objects.bulk_update(old, ["latest_number"])
    DeclarationVersion.objects.bulk_create(books.versions[key] for key in books.added)
    DeclarationLine.objects.bulk_create(line for key in books.added for line in books.lines[key])


def _parties(books: Books) -> Iterator[tuple[str, str]]:
    """The owner and the submitter of each version added."""
    for key in books.added:
        version = books.versions[key]
        yield books.declarations[key[0]].owner.bn9, version.submitter.bn9


def _firms_of(owners: set[str]) -> set[Pair]:
    """The firms that act or acted for the owners: their lists are brought what is written."""
    held = Relationship.objects.filter(client__bn9__in=owners)
    return set(held.values_list("client_id", "provider_id"))


def _bring_to_new_firms(owners: set[str], known: set[Pair]) -> None:
    """Bring the lists of firms whose relationship began meanwhile what neither side saw.

    Either waits for the other: on PostgreSQL a relationship that begins takes a lock named after
    its client (a trigger of migration 0005), as this does. It is no lock of a row: whoever begins a
    relationship holds rows in an order of its own. SQLite has one writer at a time.
    """
    if connection.vendor == "postgresql":
        clients = BusinessAccount.objects.filter(bn9__in=owners).order_by("pk")
        for pk in clients.values_list("pk", flat=True):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"declarations of {pk}"],
                )
    for client, provider in _firms_of(owners) - known:
        declared = Declaration.objects.filter(owner=client).values_list("pk", "declared_at")
        ClientDeclaration.objects.bulk_create(
            (
                ClientDeclaration(provider_id=provider, declaration_id=pk, declared_at=at)
                for pk, at in declared
            ),
            ignore_conflicts=True,
        )


def _record(path: Path, owner: str, submitter: str, versions: int, at: datetime) -> None:
    """One event for each pair of an owner and a submitter, in the history of both."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    record(
        verb="declaration.import",
        at=at,
        actor=None,
        acting_for=submitter,
        chains={business_chain(owner), business_chain(submitter)},
        object_type="declaration_file",
        object_id=digest,
        object_label=path.name,
        after={"owner": owner, "submitter": submitter, "versions": versions},
        path=BY_FILE,
    )
