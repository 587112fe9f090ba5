"""Requests that no browser sends: drawn from a seed, at every address, broken in every part.

What the tests' client would put right is left as it is: each request goes to the portal as an
application server hands it over, through every layer.
"""

import io
import json
import logging
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from ccp.door import Door

MOST_SECONDS = 2.0
"""Of processor time, which no busy machine lengthens."""

NUMBERS = (
    "0", "-1", "2147483648", "9223372036854775808", "-9223372036854775809", "1" + "0" * 30,
    "9" * 5000, "1e9", "0x10", "1_000", "NaN", "Infinity", "\uff11\uff12", "\u00b2", "1.5", " 7 ",
)  # fmt: skip
DAYS = (
    "0000-00-00",
    "2026-02-30",
    "9999-12-31",
    "10000-01-01",
    "0001-01-01",
    "2026-13-45",
    "today",
)
TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800".encode("utf-16", "surrogatepass").decode("latin1"),
    "\u202e\u2066", "'\" OR 1=1 --", "%s%n{0}{}{{7*7}}", "<script>alert(1)</script>", "\r\nX: 1",
    "../../etc/passwd", "\ufeff", "\U0001f4a9" * 50, "x" * 70_000, "\x1b[31m", "null", "[]", "{}",
    "00000000-0000-0000-0000-000000000000", "=cmd|' /C calc'!A1", "\u0130\u0131\u00df", "a,b;c",
)  # fmt: skip
VALUES = (*NUMBERS, *DAYS, *TEXTS)
ESCAPES = (
    "%", "%z", "%zz", "%2", "%u0041", "%00", "%ff%fe", "%c3%28", "%ed%a0%80", "%c0%af", "%f5%80",
    "%2e%2e%2f", "..%2f..%2f", "%5c..%5c", "%0d%0a", "+", "%25%32%65", "%09", ";",
    "//", "/./", "/../",
)  # fmt: skip
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "X",
)
TYPES = (
    "", "application/json", "text/xml", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 300, "multipart/form-data; boundary=\u00e9",
    "application/x-www-form-urlencoded; charset=utf-16", "multipart/mixed; boundary=x", "a/b/c",
    "application/x-www-form-urlencoded; charset=nothing", "multipart/form-data; boundary=x",
    "text/plain; charset*=nothing''x", "application/x-www-form-urlencoded; charset=\x00",
    "text/plain; charset", ";;;", "\xff\xfe",
)  # fmt: skip
BODIES = (
    b"", b"\xff\xfe\x00", b"{", b'{"a": [1, {"b": null}]}', b"[" * 2000, b"a" * 100_000, b"&&&=&=",
    b"=" * 3000, b"a=%ff%00&a=%ed%a0%80", b"&".join(b"a%d=1" % one for one in range(2100)),
    b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', b"--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\x00b.csv"'
    b"\r\n\r\n\xff\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../a"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data; name*=utf-8''%ff\r\n\r\n1\r\n--x--\r\n",
    b"--x\r\n" + b"A: b\r\n" * 2000 + b"\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    + b'"' * 9999 + b"\r\n--x--\r\n",
)  # fmt: skip
HEADERS = {
    "HTTP_HOST": ("[::1", "a b", "", ":80", "x" * 300, "localhost:99999", "localhost.", "\xff",
                  "a@b"),
    "HTTP_ACCEPT_LANGUAGE": ("*;q=9", ",".join(["fr"] * 500), "\xff\xfe", "x" * 5000,
                             "fr-" * 99, ";"),
    "HTTP_REFERER": ("http://[", "\xff", "javascript:1", "https://evil.example/", "http://a:b:c/"),
    "HTTP_ORIGIN": ("null", "http://[", "https://evil.example", "\xff", "://"),
    "HTTP_X_FORWARDED_FOR": ("x", "1.2.3.4,,", "::1%eth0", "," * 500, "\xff"),
    "HTTP_X_FORWARDED_HOST": ("evil.example",),
    "HTTP_IF_NONE_MATCH": ('"', "W/", "*", "\xff", '"a", ' * 500),
    "HTTP_IF_MODIFIED_SINCE": ("yesterday", "Thu, 01 Jan 0000 00:00:00 GMT", "\xff"),
    "HTTP_RANGE": ("bytes=-1", "bytes=0-99999999999999999999", "bytes=a-b", "items=1"),
    "HTTP_SEC_FETCH_SITE": ("cross-site", "\xff", "same-site"),
    "HTTP_USER_AGENT": ("", "\xff" * 3000, "<script>"),
    "HTTP_ACCEPT": ("*/*;q=x", "\xff", ";;", "application/json"),
    "HTTP_X_REQUESTED_WITH": ("XMLHttpRequest",),
    "HTTP_AUTHORIZATION": ("Basic \xff", "Bearer x", "Digest"),
    "CONTENT_LENGTH": ("abc", "-1", "1e3", "\uff11".encode().decode("latin1"), "9" * 5000, "7"),
    "HTTP_TRANSFER_ENCODING": ("chunked", "identity, chunked"),
}  # fmt: skip
COOKIES = (
    "sessionid=\x7f", "sessionid=" + "a" * 9000, "sessionid=../../x", "sessionid=' OR 1=1", "=;=;=",
    'sessionid="\\400\\999"', "csrftoken=\xff", "csrftoken=short", "django_language=../../../x",
    "messages=!!!", "; ".join(f"c{one}=1" for one in range(300)), "sessionid=\xe9; sessionid=b",
)  # fmt: skip


TOKEN = "m" * 32
"""What a form and its cookie both say, so that the form is read."""


@dataclass(frozen=True)
class Place:
    """An address that exists, the method it takes, the names that it reads, and who gets in."""

    path: str
    method: str
    names: tuple[str, ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    people: tuple[str, ...] = ()


@dataclass
class Sent:
    """One request as it is handed over; `about` tells it again where it fails."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    kind: str = "application/x-www-form-urlencoded"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        shown = {name: value[:60] for name, value in self.headers.items()}
        body = f"{self.kind[:60]!r} {self.body[:200]!r}"
        return f"{self.method} {self.path[:120]}?{self.query[:200]} {body} {shown}"

    def environ(self, cookie: str) -> dict[str, Any]:
        """What an application server hands to the portal."""
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin1"),
            "QUERY_STRING": self.query,
            "CONTENT_TYPE": self.kind,
            "CONTENT_LENGTH": str(len(self.body)),
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": cookie,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **self.headers,
        }


# ---------------------------------------------------------------- how a request is broken


def in_address(draw: random.Random, place: Place) -> Sent:
    """A piece of the address is another, or an escape stands in it."""
    parts = place.path.split("/")
    at = draw.randrange(1, len(parts))
    broken = draw.choice([draw.choice(ESCAPES), quote(draw.choice(VALUES)[:3000], safe="")])
    parts[at] = draw.choice([broken, parts[at] + broken, broken + parts[at]])
    return Sent(place.method, "/".join(parts))


def in_query(draw: random.Random, place: Place) -> Sent:
    """What is asked for in the address: wrong, doubled or broken."""
    names = (*place.names * 4, "page", "after", "before", "next", "q", "as", "state", "code", "at")
    pairs = [(draw.choice(names), draw.choice(VALUES)) for _ in range(draw.randint(1, 6))]
    said = urlencode(pairs, errors="surrogatepass")
    return Sent(place.method, place.path, said + draw.choice(["", "&", "&" + draw.choice(ESCAPES)]))


def in_form(draw: random.Random, place: Place) -> Sent:
    """What is entered: each field of the page, and some of no page, with what nobody means."""
    told = dict(place.data)
    told |= {name: draw.choice(VALUES) for name in place.names if draw.random() < 0.7}
    told |= {"form_key": draw.choice(VALUES)} if draw.random() < 0.3 else {}
    pairs = [*told.items(), *draw.sample([*told.items()], min(2, len(told)))]
    return Sent("POST", place.path, body=urlencode(pairs, errors="surrogatepass").encode())


def in_body(draw: random.Random, place: Place) -> Sent:
    """A body of another kind than it says, or of none."""
    body = draw.choice(BODIES)
    if draw.random() < 0.3:
        body = json.dumps({name: draw.choice(VALUES) for name in place.names}).encode()
    return Sent("POST", place.path, body=body, kind=draw.choice(TYPES))


def in_headers(draw: random.Random, place: Place) -> Sent:
    """Headers that say nothing sensible."""
    names = draw.sample([*HEADERS], draw.randint(1, 4))
    said = {name: draw.choice(HEADERS[name]) for name in names}
    return Sent(place.method, place.path, headers=said)


def in_cookies(draw: random.Random, place: Place) -> Sent:
    """Cookies that the portal never gave."""
    return Sent(place.method, place.path, headers={"HTTP_COOKIE": draw.choice(COOKIES)})


def in_method(draw: random.Random, place: Place) -> Sent:
    """A method that the page does not have."""
    return Sent(draw.choice(METHODS), place.path, body=draw.choice(BODIES), kind=draw.choice(TYPES))


WAYS: tuple[Callable[[random.Random, Place], Sent], ...] = (
    in_address, in_query, in_form, in_form, in_body, in_headers, in_cookies, in_method,
)  # fmt: skip


def drawn(places: Sequence[Place], number: int, seed: int) -> Iterator[tuple[str, Sent]]:
    """So many broken requests and who sends each, the same for the same seed.

    Every address is tried in turn: mostly by somebody who gets in, else by somebody of no account.
    """
    draw = random.Random(seed)
    for one in range(number):
        place = places[one % len(places)]
        who = draw.choice(place.people) if place.people and draw.random() < 0.9 else "anonymous"
        yield who, draw.choice(WAYS)(draw, place)


# ---------------------------------------------------------------- what comes of it


@dataclass
class Found:
    """How many requests were sent, what they got, and which of them went wrong."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0


def send(
    visitors: Mapping[str, Client],
    requests: Iterator[tuple[str, Sent]],
    most_seconds: float = MOST_SECONDS,
) -> Found:
    """Send each request as whom it is drawn for; wrong is a fault, and what takes long.

    One in seven has no token of a form; the others do, and go on to what the form says.
    """
    found, portal = Found(), Door()
    for number, (who, sent) in enumerate(requests):
        cookies = [f"{name}={one.value}" for name, one in visitors[who].cookies.items()]
        environ = sent.environ("; ".join([*cookies, f"csrftoken={TOKEN}"]))
        if number % 7:
            environ["HTTP_X_CSRFTOKEN"] = TOKEN
        begun = time.thread_time()
        with raised() as faults:
            status = answer(portal, environ)
        spent = time.thread_time() - begun
        found.answers[status] += 1
        found.slowest = max(found.slowest, spent)
        if status >= 500 or spent > most_seconds:
            found.wrong.append(f"{status} in {spent:.1f} s {faults[:1]} by {who}: {sent.about}")
    return found


def answer(portal: Door, environ: dict[str, Any]) -> int:
    """The status of the answer, read to its end; 599 where there is none."""
    begun: list[str] = []
    try:
        body = portal(environ, lambda status, headers: begun.append(status))
        for _ in body:
            pass
        body.close()  # type: ignore[attr-defined]
    except Exception:
        logging.getLogger(__name__).exception("No answer")
        return 599
    return int(begun[0].split()[0])


@contextmanager
def raised() -> Iterator[list[str]]:
    """What views raised meanwhile, which the portal answers with a page of its own."""
    faults: list[str] = []

    def note(sender: object, **named: object) -> None:
        last = traceback.extract_tb(sys.exc_info()[2])[-1]
        faults.append(f"{sys.exc_info()[1]!r:.200} at {last.filename}:{last.lineno}")

    got_request_exception.connect(note)
    # The connection is that of the test, whose end is not that of a request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield faults
    finally:
        got_request_exception.disconnect(note)
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
