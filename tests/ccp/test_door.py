"""What the framework reads before any layer that answers for faults cannot break the portal."""

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from ccp.door import Door, without_encoding

ENCODINGS = ["hex", "base64", "zip", "rot13", "idna", "undefined", "utf-16", "utf-8", "\x00", "'"]
HEALTH = "/healthz/"


def answer(door: WSGIHandler, kind: str, query: str = "a=b") -> Any:
    environ = RequestFactory().generic("GET", HEALTH, QUERY_STRING=query).environ
    return door({**environ, "CONTENT_TYPE": kind}, lambda status, headers: None)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_that_a_visitor_names_breaks_an_answer(db: None, encoding: str) -> None:
    for query in ("a=b", "&" * 5000, "%zz=\x00"):
        for name in ("charset", "charset*", "CHARSET"):
            found = answer(Door(), f"text/plain; {name}={encoding}", query)
            assert found.status_code == 200 and "Content-Security-Policy" in found.headers


def test_without_the_door_it_would(db: None) -> None:
    """The control."""
    with pytest.raises(Exception, match="hex|decod"):
        answer(WSGIHandler(), "text/plain; charset=hex")


@pytest.mark.parametrize(
    ("kind", "let_in"),
    [
        ("", ""),
        ("application/x-www-form-urlencoded; charset=UTF-8", "application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=a-b", 'multipart/form-data; boundary="a-b"'),
        ('multipart/form-data; charset=hex; boundary="a b"', 'multipart/form-data; boundary="a b"'),
        ("text/plain; " + "x" * 20_000, ""),
    ],
)
def test_a_body_keeps_its_kind_and_its_boundary(kind: str, let_in: str) -> None:
    assert without_encoding(kind) == let_in
