"""Processes that act at the same instant on one PostgreSQL database, each with its own connection.

`Racers` keeps a few of them, as starting one costs more than a round. A process is told an act by
its name in `ACTS` and what it is about by primary keys, waits for the others at the start, acts,
and says how it ended: `done`, the code of a refusal, or the name of an error.
"""

import os
from contextlib import ExitStack, suppress
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any
from unittest.mock import patch

SECONDS_TO_START = 60
SECONDS_TO_MEET = 0.4
"""How long one without a lock waits for the others between reading and writing."""

type Job = tuple[str, dict[str, Any], datetime, bool]


def work(database: str, orders: Connection, start: Barrier, middle: Barrier) -> None:
    """What each process does until it is told to stop."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    from tests.delegation import acts

    with connection.cursor() as cursor:
        # Whoever waits for one another is told at once, not after a second.
        cursor.execute("SET deadlock_timeout = '50ms'")
    orders.send("ready")
    while (job := orders.recv()) is not None:
        name, about, at, is_locked = job
        ContentType.objects.clear_cache()
        with ExitStack() as stack:
            if not is_locked:
                for target, unlocked in acts.without_locks(lambda: meet(middle)):
                    stack.enter_context(patch(target, unlocked))
            start.wait(SECONDS_TO_START)
            orders.send(acts.outcome(name, about, at))
    connection.close()


def meet(middle: Barrier) -> None:
    """Wait until the others have read too; one that never comes is waited for only a moment."""
    with suppress(BrokenBarrierError):
        middle.wait(SECONDS_TO_MEET)


class Racers:
    """Processes that act together, round by round."""

    def __init__(self, database: str, number: int) -> None:
        context = get_context("spawn")
        self.start, self.middle = context.Barrier(number), context.Barrier(number)
        pairs = [context.Pipe() for _ in range(number)]
        self.orders = [ours for ours, _theirs in pairs]
        self.processes = [
            context.Process(target=work, args=(database, theirs, self.start, self.middle))
            for _ours, theirs in pairs
        ]
        for process in self.processes:
            process.start()
        for order in self.orders:
            assert order.recv() == "ready"

    def race(
        self, jobs: list[tuple[str, dict[str, Any]]], at: datetime, *, is_locked: bool = True
    ) -> list[str]:
        """How each act ended, all of them begun at once."""
        assert len(jobs) == len(self.orders)
        self.middle.reset()
        for order, (name, about) in zip(self.orders, jobs, strict=True):
            order.send((name, about, at, is_locked))
        return [order.recv() for order in self.orders]

    def stop(self) -> None:
        for order in self.orders:
            order.send(None)
        for process, order in zip(self.processes, self.orders, strict=True):
            process.join(20)
            order.close()
            process.close()
