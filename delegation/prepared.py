"""A query that is built once and asked often, with other values.

To build the SQL of a decision takes the processor ten times as long as to ask the database for its
answer, and every page asks. So the query is built of values that stand in for people, businesses
and the instant, and kept; whoever asks puts the true ones in their places.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

type Build = Callable[[Collection[int], Collection[int], datetime], QuerySet[Any, Any]]

_AT = datetime(9000, 1, 1, tzinfo=UTC)


def rows(
    build: Build, people: Collection[int], businesses: Collection[int], at: datetime
) -> Iterator[tuple[Any, ...]]:
    """The rows of `build(people, businesses, at)`, a query of values: 1 query, or none for nobody.

    `build` must put what it is given into its conditions alone, unchanged.
    """
    if not people or not businesses:
        return
    compiler, sql, params = built(build, connection.vendor, len(people), len(businesses))
    keys = (*people, *businesses)
    given: dict[Any, Any] = dict(zip(range(-len(keys), 0), keys, strict=True))
    given[_adapted(_AT)] = _adapted(at)
    with connection.cursor() as cursor:
        cursor.execute(sql, [given.get(value, value) for value in params])
        yield from compiler.results_iter([cursor.fetchall()], tuple_expected=True)


@lru_cache(maxsize=256)
def built(build: Build, _vendor: str, people: int, businesses: int) -> tuple[Any, str, list[Any]]:
    """The compiler, SQL and parameters for so many people and businesses; made once for each.

    The stand-ins for keys are below zero, where no row has one.
    """
    keys = range(-people - businesses, 0)
    query = build(keys[:people], keys[people:], _AT).query
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    if not {*keys, _adapted(_AT)} <= set(params):
        raise ValueError(f"{build} does not put all it is given into its conditions")
    return compiler, sql, list(params)


def _adapted(at: datetime) -> object:
    return connection.ops.adapt_datetimefield_value(at)
