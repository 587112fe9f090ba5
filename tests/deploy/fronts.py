"""The shipped proxy on this machine, with a stand-in behind it that writes down what reaches it."""

import contextlib
import http.server
import os
import random
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from deploy import certificates, proxy
from deploy.place import HOST, Place
from deploy.processes import PATIENCE

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="needs nginx (Debian: nginx-light)")

WORKERS = 16
SAID = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Cache-Control": "private",
}
"""What the portal says with each answer, and the stand-in too, but under /bare/."""


@dataclass
class Seen:
    """A request as it reached what stands behind the proxy."""

    line: str
    headers: Message
    body: bytes


class StandIn(http.server.BaseHTTPRequestHandler):
    """Answers everything, trusts the length of a body, and goes on reading after it."""

    protocol_version = "HTTP/1.1"
    server: "Behind"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.seen.append(Seen(self.requestline, self.headers, body))
        self.send_response(304 if self.path.startswith("/same/") else 200)
        for name, value in {} if "/bare/" in self.path else SAID.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", "6000")
        self.end_headers()
        self.wfile.write(b"secret" * 1000)

    do_GET = do_POST = answer

    def log_message(self, *said: object) -> None:
        pass

    def address_string(self) -> str:
        return "proxy"


class Behind(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The stand-in at its socket."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.seen: list[Seen] = []
        super().__init__(str(path), StandIn)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *said: object) -> None:
        pass

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        Path(str(self.server_address)).unlink()


@dataclass
class Answer:
    """A status, its headers in order, and the body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for said, value in self.headers if said.lower() == name.lower()]


@dataclass
class Front:
    """A proxy that runs, and how to speak to it."""

    place: Place
    behind: Behind

    def open(self, *, tls: bool = True, named: str = HOST) -> socket.socket:
        """A connection, in TLS that is verified."""
        port = self.place.port if tls else self.place.plain_port
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if not tls:
            return plain
        context = ssl.create_default_context(cafile=str(self.place.ca))
        context.check_hostname = named == HOST
        return context.wrap_socket(plain, server_hostname=named)

    def send(self, raw: bytes, *, tls: bool = True, named: str = HOST) -> Answer | None:
        """What is answered to these bytes; None where the connection is closed without a word."""
        with self.open(tls=tls, named=named) as line:
            line.sendall(raw)
            return answered(line)

    def get(self, path: str, *more: str, tls: bool = True, host: str = "") -> Answer | None:
        """What is answered to a request for a page, with more lines in its head."""
        return self.send(request("GET", path, *more, host=host or self.place.authority), tls=tls)

    def asked(self, path: str, *more: str, tls: bool = True) -> Answer:
        """The same, where something is answered."""
        found = self.get(path, *more, tls=tls)
        assert found is not None
        return found


def request(method: str, path: str, *more: str, host: str = HOST, body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def answered(line: socket.socket) -> Answer | None:
    """Read one answer, as long as it says that it is; None where there is none."""
    got = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while not (found := _whole(got)) and (part := line.recv(65536)):
            got += part
        return found
    return None


def _whole(got: bytes) -> Answer | None:
    """The answer, if all of it is there."""
    head, ended, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (one.partition(":") for one in lines)]
    length = next((int(value) for name, value in pairs if name == "Content-Length"), None)
    if not ended or (length is None and "304" not in first and body[-5:] != b"0\r\n\r\n"):
        return None
    if "304" not in first and length is not None and len(body) < length:
        return None
    return Answer(int(first.split()[1]), pairs, body)


@contextlib.contextmanager
def front(*changes: tuple[str, str]) -> Iterator[Front]:
    """The proxy as it is shipped, or with some words of its configuration changed."""
    template = proxy.TEMPLATE.read_text()
    for before, after in changes:
        assert before in template, before
        template = template.replace(before, after)
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    place = Place(folder, free_port())
    try:
        place.settle()
        certificates.make(place)
        behind = Behind(place.socket)
        try:
            proxy.start(place, template)
            yield Front(place, behind)
        finally:
            proxy.stop(place)
            if place.socket.exists():
                behind.end()
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """A port that is free, and the two after it.

    Below those that the system gives away by itself, and not where another worker of the same run
    looks: until they are listened at nothing holds them.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    while True:
        first = random.randrange(20_000 + 3 * worker, 32_000, 3 * WORKERS)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in (first, first + 1, first + 2):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


def speaks(place: Place, version: str) -> bool:
    """Whether the proxy takes this version of TLS from a client that would take anything."""
    said: Any = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{place.port}", "-servername", HOST,
         f"-{version}", "-cipher", "ALL:@SECLEVEL=0", "-CAfile", str(place.ca)],
        input=b"", capture_output=True,
    )  # fmt: skip
    return b"Cipher is (NONE)" not in said.stdout and b"Verify return code: 0" in said.stdout
