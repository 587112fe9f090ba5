"""What waits for a lock, on PostgreSQL."""

import time

from django.db import connection


def until_somebody_waits_for_a_lock() -> None:
    """Return as soon as another connection waits for what this one holds."""
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited")
