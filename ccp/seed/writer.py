"""Writes rows in bulk: COPY on PostgreSQL, one prepared statement for a table on SQLite.

The keys of rows are given out here, so that rows can name each other before they are written. The
constraints and triggers of the database look at each row as at any other.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models import Max

NULL = r"\N"
"""How COPY reads that there is nothing."""

PLAIN = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)
"""Columns whose values go to the database as they are."""


class Writer:
    """Rows that wait to be written, by table, and how many have been."""

    def __init__(self) -> None:
        self.waiting: dict[type[models.Model], list[models.Model]] = {}
        self.keys: dict[type[models.Model], Iterator[int]] = {}
        self.written: Counter[str] = Counter()

    def add[Row: models.Model](self, row: Row) -> Row:
        """Take a row and give it its key."""
        table = type(row)
        if row.pk is None:
            if table not in self.keys:
                last = table._base_manager.aggregate(last=Max("pk"))["last"] or 0
                self.keys[table] = count(last + 1)
            row.pk = next(self.keys[table])
        self.waiting.setdefault(table, []).append(row)
        return row

    def write(self) -> None:
        """Write what waits, tables in the order in which they came."""
        insert = _copy if connection.vendor == "postgresql" else _execute
        for table, rows in self.waiting.items():
            insert(table, _values(table, rows))
            self.written[table._meta.label] += len(rows)
        self.waiting.clear()

    def finish(self) -> None:
        """Let the database go on counting where the keys given out here end."""
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [*self.keys]):
                cursor.execute(statement)


def _columns(table: type[models.Model]) -> list[models.Field]:
    return list(table._meta.local_concrete_fields)


def _values(table: type[models.Model], rows: list[models.Model]) -> Iterator[list[Any]]:
    """The values of each row as the database takes them."""
    fields = _columns(table)
    read = attrgetter(*(field.attname for field in fields))
    prepare = [(place, _preparing(field)) for place, field in enumerate(fields) if _is_odd(field)]
    for row in rows:
        values = list(read(row))
        for place, prepared in prepare:
            if values[place] is not None:
                values[place] = prepared(values[place])
        yield values


def _is_odd(field: models.Field) -> bool:
    """Whether the values of a column must be written in another form."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return not isinstance(field, PLAIN)


def _preparing(field: models.Field) -> Callable[[Any], Any]:
    if isinstance(field, models.JSONField):
        return partial(json.dumps, ensure_ascii=False)
    return partial(field.get_db_prep_save, connection=connection)


def _insert_into(table: type[models.Model]) -> tuple[str, str]:
    """The table and its columns, quoted. The names are the models', never a visitor's."""
    quote = connection.ops.quote_name
    columns = [quote(str(field.column)) for field in _columns(table)]
    return quote(table._meta.db_table), ", ".join(columns)


def _execute(table: type[models.Model], rows: Iterator[list[Any]]) -> None:
    name, columns = _insert_into(table)
    marks = ", ".join(["%s"] * len(_columns(table)))
    statement = f"INSERT INTO {name} ({columns}) VALUES ({marks})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _copy(table: type[models.Model], rows: Iterator[list[Any]]) -> None:
    name, columns = _insert_into(table)
    file = io.StringIO()
    csv.writer(file).writerows(
        [NULL if value is None else value for value in values] for values in rows
    )
    file.seek(0)
    with connection.cursor() as cursor:
        # The null mark is a mark only where it stands unquoted.
        cursor.copy_expert(f"COPY {name} ({columns}) FROM STDIN (FORMAT csv, NULL '{NULL}')", file)
