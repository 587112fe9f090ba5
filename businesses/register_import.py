"""Writes a register file into the sandbox register: all of it, or nothing of it.

The file is read once for each kind of record, parents first, so that its rows may stand in any
order and only a batch of them is in memory. A row equal to what is on file changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import Path

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from businesses.models import (
    BusinessAccount,
    ProgramAccount,
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.register_file import (
    RECORDS,
    Row,
    read_rows,
    to_entity,
    to_payment,
    to_program,
    to_statement,
    to_transaction,
)
from businesses.register_sandbox import SandboxRegister
from businesses.services import link_new_programs
from businesses.table_file import BadRow, Cells, RowError

BATCH = 1000

type Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """How rows of one kind of record are read, known again and written.

    `owner` is the part of a row that names the row it hangs on, a row of the kind `parent`.
    """

    model: type[models.Model]
    read: Callable[[Cells], models.Model]
    key: tuple[str, ...]
    rest: tuple[str, ...]
    parent: str = ""
    owner: tuple[str, ...] = ()


_ACCOUNT = ("entity_id", "extension")
_ENTITY_FACTS = (
    "legal_name",
    "operating_name",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "emails",
    "provider_type",
)

KINDS: dict[str, Kind] = {
    "entity": Kind(RegisterEntity, to_entity, ("bn9",), _ENTITY_FACTS),
    "program": Kind(
        RegisterProgram, to_program, _ACCOUNT, ("name", "kind", "is_open"), "entity", _ACCOUNT[:1]
    ),
    "transaction": Kind(
        RegisterTransaction,
        to_transaction,
        ("number",),
        ("accounted_on", "duties_and_taxes"),
        "program",
        _ACCOUNT,
    ),
    "payment": Kind(
        RegisterPayment, to_payment, (*_ACCOUNT, "paid_on", "amount"), (), "program", _ACCOUNT
    ),
    "statement": Kind(
        RegisterStatement,
        to_statement,
        (*_ACCOUNT, "issued_on"),
        ("balance",),
        "program",
        _ACCOUNT,
    ),
}


@dataclass(slots=True)
class Outcome:
    """What an import did, in rows by kind of record, and every row that it refused."""

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    errors: list[BadRow] = field(default_factory=list)


def import_register(
    path: Path, *, dry_run: bool = False, progress: Callable[[int], object] | None = None
) -> Outcome:
    """Import the file; with any bad row, or in a dry run, leave the register as it was.

    `progress` is told of rows as they are done. Raises `FileRefused` for an unreadable file.
    """
    outcome = Outcome()
    with transaction.atomic():
        for record in RECORDS:
            seen: dict[Key, tuple[int, Key]] = {}
            for batch in batched(_rows_of(path, record, outcome), BATCH, strict=False):
                _write(record, _read(record, batch, seen, outcome), outcome)
                if progress:
                    progress(len(batch))
        if dry_run or outcome.errors:
            transaction.set_rollback(True)
    outcome.errors.sort(key=lambda error: error.line)
    return outcome


@transaction.atomic
def link_gained_programs(*, at: datetime) -> int:
    """Link the program accounts that registered businesses gained in the register; count them."""
    linked = ProgramAccount.objects.filter(
        business__bn9=OuterRef("entity__bn9"), extension=OuterRef("extension")
    )
    numbers = RegisterProgram.objects.filter(
        ~Exists(linked), entity__bn9__in=BusinessAccount.objects.values("bn9")
    ).values("entity__bn9")
    gained = 0
    for business in BusinessAccount.objects.filter(bn9__in=numbers).order_by("pk"):
        entity = SandboxRegister().find(business.bn9)
        if entity:
            gained += len(link_new_programs(business=business, entity=entity, at=at))
    return gained


def _rows_of(path: Path, record: str, outcome: Outcome) -> Iterator[Row]:
    """The rows of one kind; rows of no kind are reported on the first reading."""
    is_first = record == next(iter(RECORDS))
    for row in read_rows(path):
        if isinstance(row, BadRow):
            if is_first:
                outcome.errors.append(row)
        elif row.record == record:
            yield row


def _read(
    record: str, rows: Iterable[Row], seen: dict[Key, tuple[int, Key]], outcome: Outcome
) -> list[tuple[int, models.Model]]:
    """The items that rows describe, with their lines; one repeated in the file comes once."""
    kind = KINDS[record]
    items = []
    for row in rows:
        try:
            item = kind.read(row.cells)
        except RowError as wrong:
            outcome.errors.append(BadRow(row.line, str(wrong)))
            continue
        facts = _values(item, kind.owner + kind.rest)
        line, first_facts = seen.setdefault(_values(item, kind.key), (row.line, facts))
        if line == row.line:
            items.append((row.line, item))
        elif facts == first_facts:
            outcome.unchanged[record] += 1
        else:
            outcome.errors.append(BadRow(row.line, f"contradicts line {line}"))
    return items


def _write(record: str, items: list[tuple[int, models.Model]], outcome: Outcome) -> None:
    kind = KINDS[record]
    on_file = _on_file(kind, [item for _line, item in items])
    parents = _parents_on_file(kind, [item for _line, item in items])
    written = []
    for line, item in items:
        old = on_file.get(_values(item, kind.key))
        if kind.parent and _values(item, kind.owner) not in parents:
            reason = f"no such {kind.parent} in the file or the register"
            outcome.errors.append(BadRow(line, reason))
        elif old is None:
            outcome.created[record] += 1
            written.append(item)
        elif _values(old, kind.owner) != _values(item, kind.owner):
            outcome.errors.append(BadRow(line, "on file for another program account"))
        elif _values(old, kind.rest) == _values(item, kind.rest):
            outcome.unchanged[record] += 1
        else:
            outcome.changed[record] += 1
            written.append(item)
    kind.model._default_manager.bulk_create(
        written,
        update_conflicts=bool(kind.rest),
        unique_fields=kind.key if kind.rest else None,
        update_fields=kind.rest or None,
    )


def _on_file(kind: Kind, items: list[models.Model]) -> dict[Key, models.Model]:
    """What the register holds under the keys of these items (and some more), by key."""
    lookups = {f"{name}__in": {getattr(item, name) for item in items} for name in kind.key}
    rows = kind.model._default_manager.filter(**lookups)
    return {_values(row, kind.key): row for row in rows}


def _parents_on_file(kind: Kind, items: list[models.Model]) -> set[Key]:
    """The keys of the rows that these items may hang on."""
    if not kind.parent:
        return set()
    parent = KINDS[kind.parent]
    wanted = {_values(item, kind.owner)[0] for item in items}
    rows = parent.model._default_manager.filter(**{f"{parent.key[0]}__in": wanted})
    return set(rows.values_list(*parent.key))


def _values(item: models.Model, names: tuple[str, ...]) -> Key:
    return tuple(getattr(item, name) for name in names)
