"""Pages by key: every row once, in order, whatever is added meanwhile."""

import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core import signing
from django.db.models import QuerySet
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from pages.models import Submission
from pages.paging import page_by_key

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = ("created_at", "id")


def add(person: User, minutes: list[int]) -> None:
    """Rows of the given minutes; equal minutes are ties."""
    first = Submission.objects.count()
    Submission.objects.bulk_create(
        Submission(
            key=UUID(int=first + place),
            user=person,
            digest="0",
            created_at=START + timedelta(minutes=minute),
        )
        for place, minute in enumerate(minutes)
    )


def rows() -> QuerySet[Submission]:
    return Submission.objects.all()


def walk(size: int, *, is_ascending: bool = False) -> list[Submission]:
    """All rows, page after page."""
    seen, token = [], ""
    while True:
        page = page_by_key(rows(), key=KEY, after=token, size=size, is_ascending=is_ascending)
        assert len(page.rows) <= size
        assert page.is_first == (not token)
        seen += page.rows
        token = page.next_token
        if not token:
            return seen


@settings(max_examples=25)
@given(minutes=st.lists(st.integers(0, 4), max_size=12), size=st.integers(1, 5))
def test_every_row_comes_once_newest_first(minutes: list[int], size: int) -> None:
    person, _ = User.objects.get_or_create(email="walker@example.com")
    Submission.objects.all().delete()
    add(person, minutes)

    assert walk(size) == list(rows().order_by("-created_at", "-id"))
    assert walk(size, is_ascending=True) == list(rows().order_by("created_at", "id"))


def test_what_is_added_above_moves_nothing(person: User) -> None:
    add(person, [1, 2, 3, 4])
    first = page_by_key(rows(), key=KEY, size=2)
    add(person, [5, 5, 4])

    second = page_by_key(rows(), key=KEY, after=first.next_token, size=2)

    assert [row.created_at.minute for row in first.rows] == [4, 3]
    assert [row.created_at.minute for row in second.rows] == [2, 1]
    assert second.next_token == ""


def test_the_row_that_the_token_names_may_be_gone(person: User) -> None:
    add(person, [1, 2, 3])
    first = page_by_key(rows(), key=KEY, size=2)
    first.rows[-1].delete()

    assert [
        row.created_at.minute
        for row in page_by_key(rows(), key=KEY, after=first.next_token, size=2).rows
    ] == [1]


def test_a_full_last_page_has_no_next(person: User) -> None:
    add(person, [1, 2])

    assert page_by_key(rows(), key=KEY, size=2).next_token == ""


@pytest.mark.asvs("11.3.3")
def test_a_broken_or_foreign_token_reads_as_the_first_page(person: User) -> None:
    add(person, [1, 2, 3])
    token = page_by_key(rows(), key=KEY, size=1).next_token
    foreign = page_by_key(rows(), key=("digest", "id"), size=1).next_token
    forged = signing.dumps(["2026-11-23", "1"], salt="another place")

    for broken in ["x", token[:-1], "\x00", "é", "a:b:c", foreign, forged, "9" * 100_000]:
        page = page_by_key(rows(), key=KEY, after=broken, size=1)
        assert page.is_first
        assert page.rows[0].created_at.minute == 3


def test_a_page_is_one_query_without_offset(
    person: User, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    add(person, [1, 2, 3])
    token = page_by_key(rows(), key=KEY, size=1).next_token

    with django_assert_num_queries(1) as queries:  # type: ignore[operator]
        page_by_key(rows(), key=KEY, after=token, size=1)

    assert "OFFSET" not in queries[0]["sql"]


def test_a_token_tells_nothing_of_the_row_that_it_names(person: User) -> None:
    """The row may be hidden from whoever holds the token."""
    add(person, [1, 2, 3])
    row = page_by_key(rows(), key=KEY, size=1).rows[0]
    token = page_by_key(rows(), key=KEY, size=1).next_token

    plain = b"".join(
        urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in re.split("[:.]", token)
    )
    assert str(row.created_at.year).encode() not in plain
    assert f'"{row.pk}"'.encode() not in plain
