"""Pages by key, as a rule newest first: page 400 costs what page 1 costs, new rows move nothing.

A page ends with a token that names the last row looked at; the next page is what stands below that
row. The row may be one that the reader must not know of, so that nobody can read a token.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from cryptography.fernet import InvalidToken
from django.db.models import Field, Model, Q, QuerySet

from pages.cipher import cipher


@dataclass(frozen=True)
class Page[Row: Model]:
    """Some rows of a list, and the token of the rows below them ("" at the end)."""

    rows: list[Row]
    next_token: str
    is_first: bool = True


def page_by_key[Row: Model](
    queryset: QuerySet[Row, Any],
    *,
    key: tuple[str, ...] = ("declared_at", "id"),
    after: str = "",
    size: int = 25,
    is_ascending: bool = False,
) -> Page[Row]:
    """The `size` rows of `queryset` below the row that the token `after` names.

    `key` names plain columns of the model, most significant first; together they are unique and
    never null. A token that is broken, altered or of another list reads as the first page.
    """
    name = queryset.model._meta.label
    return page_of_lists(
        [queryset], name=name, key=key, after=after, size=size, is_ascending=is_ascending
    )


def page_of_lists[Row: Model](
    querysets: Sequence[QuerySet[Row, Any]],
    *,
    name: str,
    key: tuple[str, ...],
    after: str = "",
    size: int = 25,
    is_ascending: bool = False,
) -> Page[Row]:
    """A page of several lists read as one, in the order of the `key` that their rows share.

    `name` is that of the whole: a token opens no list of another name or key.
    """
    salt = _salt(name, key)
    place = _read(after, salt=salt, length=len(key))
    found: list[Row] = []
    for queryset in querysets:
        rows = queryset.order_by(*(column if is_ascending else f"-{column}" for column in key))
        if place:
            rows = rows.filter(_below(queryset.model, key, place, "gt" if is_ascending else "lt"))
        found += rows[: size + 1]
    found.sort(key=attrgetter(*key), reverse=not is_ascending)
    token = _write(found[size - 1], key, salt=salt) if len(found) > size else ""
    return Page(rows=found[:size], next_token=token, is_first=not place)


def place_of[Row: Model](
    model: type[Row], *, after: str, key: tuple[str, ...] = ("declared_at", "id")
) -> tuple[Any, ...]:
    """The key of the row that a token of `page_by_key` names; empty on the first page."""
    place = _read(after, salt=_salt(model._meta.label, key), length=len(key))
    return tuple(
        _column(model, name).to_python(text) for name, text in zip(key, place, strict=False)
    )


def token_of(row: Model, *, key: tuple[str, ...] = ("declared_at", "id")) -> str:
    """The token of the rows below this one, as `page_by_key` writes it."""
    return _write(row, key, salt=_salt(row._meta.label, key))


def _salt(name: str, key: tuple[str, ...]) -> str:
    return f"{name}:{','.join(key)}"


def _below(model: type[Model], key: tuple[str, ...], place: list[str], side: str) -> Q:
    """`(a, b) < (x, y)` as `a <= x AND (a < x OR b < y)`, which an index on (a, b) answers.

    `side` is "lt", or "gt" for an ascending list.
    """
    column, *rest = key
    value = _column(model, column).to_python(place[0])
    if not rest:
        return Q((f"{column}__{side}", value))
    further = _below(model, tuple(rest), place[1:], side)
    return Q((f"{column}__{side}e", value)) & (Q((f"{column}__{side}", value)) | further)


def _column(model: type[Model], name: str) -> "Field[Any, Any]":
    return next(field for field in model._meta.concrete_fields if field.name == name)


def _write(row: Model, key: tuple[str, ...], *, salt: str) -> str:
    place = [_column(type(row), name).value_to_string(row) for name in key]
    return cipher(salt).encrypt(json.dumps(place).encode()).decode()


def _read(token: str, *, salt: str, length: int) -> list[str]:
    """The values in `token`, or nothing unless it was written here for this list."""
    if not token:
        return []
    try:
        place: list[str] = json.loads(cipher(salt).decrypt(token))
    except (InvalidToken, ValueError):
        return []
    return place if len(place) == length else []
