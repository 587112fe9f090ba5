"""How much the database works for what is asked: counted, which no slow machine changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass
class Effort:
    """Queries, and what they read: rows on PostgreSQL, steps of its loops on SQLite."""

    queries: int = 0
    steps: int = 0


@contextmanager
def effort() -> Iterator[Effort]:
    """Count what is asked of the database meanwhile, and what it reads."""
    spent = Effort()
    if connection.vendor == "sqlite":
        connection.ensure_connection()

        def step() -> None:
            spent.steps += 1

        connection.connection.set_progress_handler(step, 1)
    else:
        with connection.cursor() as cursor:
            # What a table is small enough to be read whole for says nothing.
            cursor.execute("SET LOCAL enable_seqscan = off")
        spent.steps -= _rows_read()
    try:
        with CaptureQueriesContext(connection) as captured:
            yield spent
    finally:
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(None, 1)
        else:
            spent.steps += _rows_read()
    spent.queries = len(captured)


def _rows_read() -> int:
    """The rows that this transaction has read so far, of tables and of indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
        return int(cursor.fetchone()[0])
