"""What the tests of peers' defects share: broken copies to find, a clock to move, pages to open.

Each of these tests names, by `@finds`, code broken as a peer's was. `test_controls.py` runs the
test again with that broken copy in place, and the test must fail.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.urls import get_resolver, reverse

from delegation.models import Visibility
from delegation.services.agreements import Rules
from tests.access.test_matrix import routes
from tests.world import World

type Defect = Callable[[World], None]
type Break = Callable[[pytest.MonkeyPatch], None]

EVERYTHING = Rules(broker=Visibility.EDIT, importer=Visibility.EDIT, other=Visibility.EDIT)
CONTROLS: list[tuple[Defect, Break]] = []
ROOMS = {
    "accounts", "audit", "businesses", "delegation", "notices", "officers", "pages", "registration",
    "transactions",
}  # fmt: skip


def finds(break_it: Break) -> Callable[[Defect], Defect]:
    """Name a broken copy of the code with which the test must fail."""

    def keep(test: Defect) -> Defect:
        CONTROLS.append((test, break_it))
        return test

    return keep


def instead(target: str, broken: object) -> Break:
    """Break by putting something in the place of a function, method or attribute."""
    return lambda patch: patch.setattr(target, broken)


def once_only(table: str, columns: str, condition: str = "1 = 1") -> Break:
    """Break by a unique index that knows nothing of time; it goes with the test's transaction."""

    def bar(patch: pytest.MonkeyPatch) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE UNIQUE INDEX once_only ON {table} ({columns}) WHERE {condition}"
            )

    return bar


def there_is(name: str) -> Break:
    """Break by the arrival of a page that does not exist yet, for which a test waits."""
    return instead("tests.access.defects.broken.routes", lambda *_: [name])


def clock_at(instant: datetime) -> AbstractContextManager[Any]:
    """The clock of the process at an instant. Nothing else happens: no job runs."""
    return time_machine.travel(instant, tick=False)


def address(name: str, business: object, **parts: Any) -> str:
    """The address of a page of a business."""
    return reverse(name, kwargs={"bn9": business.bn9, **parts})


def named(*words: str) -> set[str]:
    """The models and routes of the portal whose name contains one of the words."""
    models = [model for model in apps.get_models() if model._meta.app_label in ROOMS]
    names = {model.__name__.lower() for model in models} | set(routes(get_resolver()))
    return {name for name in names if any(word in name for word in words)}
