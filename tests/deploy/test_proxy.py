"""The proxy as it is shipped: what it speaks, what it lets through, and what it says by itself."""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from django.conf import settings

from deploy import processes, proxy
from tests.deploy.fronts import SAID, Answer, Front, front, needs_nginx, request, speaks

pytestmark = [pytest.mark.once, needs_nginx]

LOOSE = (
    ("TLSv1.2 TLSv1.3", "TLSv1 TLSv1.1 TLSv1.2"),
    ("ssl_ciphers ECDHE", "ssl_ciphers ALL:@SECLEVEL=0:ECDHE"),
    ("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for"),
    ('X-Forwarded-Host "";', "X-Forwarded-Host $http_x_forwarded_host;"),
    ("proxy_set_header Host ${AUTHORITY};", "proxy_set_header Host $http_host;"),
    ("gzip off;", "gzip on;"),
    ("add_header X-Frame-Options $frames always;", ""),
    ("add_header Strict-Transport-Security $transport always;",
     "add_header Strict-Transport-Security max-age=1 always;"),
    ("server_name ${HOST};", "server_name ${HOST} evil.example;"),
    ("return 301 https://${AUTHORITY}$request_uri;", "proxy_pass http://portal;"),
    ("client_max_body_size 5m", "client_max_body_size 6m"),
    ("server_tokens off", "server_tokens on"),
)  # fmt: skip
"""A proxy that is careless: the control of every look here."""


@pytest.fixture(scope="module")
def shipped() -> Iterator[Front]:
    with front() as found:
        yield found


@pytest.fixture(scope="module")
def loose() -> Iterator[Front]:
    with front(*LOOSE) as found:
        yield found


def wrongs(answer: Answer, **but: str) -> list[str]:
    """What an answer does not say, says twice or says otherwise than the portal would."""
    said = {name: answer.all(name) for name in SAID}
    wrong = [name for name, values in said.items() if len(values) != 1]
    wrong += [name for name, value in but.items() if said[name.replace("_", "-")] != [value]]
    [server] = answer.all("Server")
    return wrong + ([server] if re.search(r"\d", server) else [])


@pytest.mark.asvs("12.1.1", "12.1.2")
def test_it_speaks_tls_of_today_alone(shipped: Front, loose: Front) -> None:
    versions = ("tls1", "tls1_1", "tls1_2", "tls1_3")
    assert [one for one in versions if speaks(shipped.place, one)] == ["tls1_2", "tls1_3"]
    assert [one for one in versions if speaks(loose.place, one)] == ["tls1", "tls1_1", "tls1_2"]
    with shipped.open() as line:
        assert line.cipher()[0] == "TLS_AES_256_GCM_SHA384"
    for weak in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{shipped.place.port}", "-tls1_2"]
        said = subprocess.run([*command, "-cipher", f"{weak}:@SECLEVEL=0"], input=b"",
                              capture_output=True).stdout  # fmt: skip
        assert b"Cipher is (NONE)" in said, weak


@pytest.mark.asvs("4.1.2", "12.2.1")
def test_plain_http_tells_the_way_to_tls_and_nothing_else(shipped: Front, loose: Front) -> None:
    before = len(shipped.behind.seen)
    for raw in ("GET", "POST", "PUT"):
        body = b"name=secret" if raw == "POST" else b""
        sent = request(raw, "/en-ca/?a=b", f"Content-Length: {len(body)}", body=body)
        answer = shipped.send(sent, tls=False)
        assert answer and answer.status == 301
        assert answer.all("Location") == [f"{shipped.place.address}/en-ca/?a=b"]
        assert not answer.all("Strict-Transport-Security") and not answer.all("Set-Cookie")
        assert b"secret" not in answer.body
    spoken = shipped.send(request("GET", "/en-ca/", host=shipped.place.authority), tls=False)
    assert spoken and spoken.status == 301
    assert len(shipped.behind.seen) == before
    assert loose.asked("/en-ca/", tls=False).body.startswith(b"secret")


SMUGGLED = {
    "CL.TE": ("Content-Length: 44", "Transfer-Encoding: chunked"),
    "TE.CL": ("Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": ("Content-Length: 5", "Content-Length: 44"),
    "a length twice": ("Content-Length: 5", "Content-Length: 5"),
    "lengths in a row": ("Content-Length: 5, 44",),
    "a length with a sign": ("Content-Length: +5",),
    "a length in sixteens": ("Content-Length: 0x5",),
    "a space before the colon": ("Transfer-Encoding : chunked", "Content-Length: 5"),
    "an unknown encoding": ("Transfer-Encoding: xchunked", "Content-Length: 5"),
    "two encodings": ("Transfer-Encoding: chunked, identity",),
    "a folded encoding": ("Transfer-Encoding:", " chunked", "Content-Length: 5"),
    "two hosts": ("Host: evil.example", "Content-Length: 44"),
}
UNKNOWN = {"an unknown encoding", "two encodings"}
HIDDEN = b"0\r\n\r\nGET /smuggled/ HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.asvs("4.2.1")
def test_no_request_is_hidden_in_another(shipped: Front) -> None:
    place, before = shipped.place, len(shipped.behind.seen)
    for name, head in SMUGGLED.items():
        answer = shipped.send(request("POST", "/en-ca/", *head, host=place.authority, body=HIDDEN))
        assert answer and answer.status == (501 if name in UNKNOWN else 400), name
        assert wrongs(answer) == [], name
    assert len(shipped.behind.seen) == before

    sound = request("POST", "/sound/", "Transfer-Encoding: chunked", host=place.authority)
    assert shipped.send(sound + b"5\r\na=b&c\r\n0\r\n\r\n").status == 200
    [seen] = shipped.behind.seen[before:]
    assert seen.body == b"a=b&c" and seen.headers["Content-Length"] == "5"


def test_a_hidden_request_is_seen_where_no_proxy_is(shipped: Front) -> None:
    """The control: what stands behind believes a length, and takes the rest for a request."""
    before = len(shipped.behind.seen)
    head = SMUGGLED["TE.CL"]
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(shipped.place.socket))
        sent = request("POST", "/", *head, body=HIDDEN)
        line.sendall(sent.replace(b"Connection: close\r\n", b""))
        line.shutdown(1)
        while line.recv(65536):
            pass
    assert [one.line for one in shipped.behind.seen[before:]][1:] == ["GET /smuggled/ HTTP/1.1"]


INVENTED = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Port: 1",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Ssl: off",
    "X-Real-IP: 203.0.113.9",
    "X-Original-URL: /officers/",
    "X-Rewrite-URL: /officers/",
    "Forwarded: for=203.0.113.9;host=evil.example",
    "Proxy: http://evil.example",
    "X_Forwarded_For: 203.0.113.9",
    "Script_Name: /evil",
    "Remote_User: admin",
)


@pytest.mark.asvs("4.1.3", "15.3.4")
def test_what_a_visitor_says_of_addresses_is_not_handed_on(shipped: Front, loose: Front) -> None:
    def handed_on(by: Front) -> dict[str, list[str]]:
        assert by.asked("/said/", *INVENTED).status == 200
        head = by.behind.seen[-1].headers
        names = {line.partition(":")[0] for line in INVENTED} | {"Host"}
        found = {name: head.get_all(name, []) for name in names}
        return {name: values for name, values in found.items() if values}

    told = {"X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Proto": ["https"]}
    assert handed_on(shipped) == told | {"Host": [shipped.place.authority]}
    assert handed_on(loose)["X-Forwarded-For"] == ["203.0.113.9, 127.0.0.1"]
    assert handed_on(loose)["X-Forwarded-Host"] == ["evil.example"]


def test_a_host_that_is_not_ours_gets_no_answer(shipped: Front, loose: Front) -> None:
    before = len(shipped.behind.seen)
    for host in ("evil.example", "127.0.0.1", "localhost.evil.example"):
        assert shipped.get("/en-ca/", host=host) is None, host
        assert shipped.get("/en-ca/", tls=False, host=host) is None, host
    no_host = shipped.send(b"GET /en-ca/ HTTP/1.1\r\n\r\n")
    assert no_host and no_host.status == 400 and wrongs(no_host) == []
    assert shipped.send(request("GET", "/", host="evil.example"), named="evil.example") is None
    assert len(shipped.behind.seen) == before
    assert loose.get("/en-ca/", host="evil.example") is not None


@pytest.mark.asvs("3.4.1", "3.4.3", "3.4.4", "3.4.5", "3.4.6")
def test_every_header_is_said_once_whoever_answers(shipped: Front, loose: Front) -> None:
    place = shipped.place
    answers = {
        "the portal": shipped.asked("/said/"),
        "what stands before it": shipped.asked("/bare/"),
        "a long address": shipped.asked("/" + "a" * 5000),
        "a long header": shipped.asked("/", "X-A: " + "a" * 5000),
        "no request": shipped.send(b"GARBAGE\r\n\r\n"),
        "a method of the proxy": shipped.send(request("TRACE", "/", host=place.authority)),
        "a page of the proxy": shipped.asked("/proxy/413.html"),
    }
    for name, answer in answers.items():
        assert answer and wrongs(answer) == [], name
    assert answers["the portal"].all("Cache-Control") == ["private"]
    assert answers["what stands before it"].all("Cache-Control") == ["no-store"]
    assert [one.status for one in answers.values() if one][2:6] == [414, 400, 400, 405]
    unchanged = shipped.asked("/same/bare/")
    assert unchanged.status == 304 and not unchanged.all("Cache-Control")

    careless = loose.asked("/bare/")
    assert "X-Frame-Options" in wrongs(careless)
    assert any("nginx/" in one for one in wrongs(careless))
    assert "Strict-Transport-Security" in wrongs(loose.asked("/said/"))


def test_what_is_too_large_is_turned_away_with_a_page(shipped: Front, loose: Front) -> None:
    most = settings.BODY_MAX_BYTES

    def sent(by: Front, length: int, body: bytes = b"") -> Answer:
        head = f"Content-Length: {length}"
        answer = by.send(request("POST", "/said/", head, host=by.place.authority, body=body))
        assert answer
        return answer

    assert sent(shipped, most, b"a" * most).status == 200
    before = len(shipped.behind.seen)
    refused = sent(shipped, most + 1)
    assert refused.status == 413 and wrongs(refused) == []
    assert says_both(refused.body) and len(shipped.behind.seen) == before
    assert sent(loose, most + 1, b"a" * (most + 1)).status == 200


def says_both(page: bytes) -> bool:
    """Whether a page is a page, whole, in English and in French."""
    parsed = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.decode())
    french = parsed.find(".//div[@lang='fr-CA']")
    return parsed.get("lang") == "en-CA" and french is not None and french.find("h2") is not None


def test_where_the_portal_is_gone_a_page_says_so() -> None:
    with front() as alone:
        alone.behind.end()
        answer = alone.asked("/en-ca/")
        assert answer.status == 502 and wrongs(answer) == [] and says_both(answer.body)
        assert answer.all("Retry-After") == ["10"]
        log = alone.place.folder / "access.log"  # written once the answer is out
        processes.until(lambda: log.read_text().endswith("\n"), lambda: "Nothing was logged.")
        assert '"status":502' in log.read_text() and "en-ca" not in log.read_text()
        assert (alone.place.folder / "nginx.log").read_text() == ""


def test_pages_are_not_compressed(shipped: Front, loose: Front) -> None:
    ask = "Accept-Encoding: gzip, br"
    assert not shipped.asked("/said/", ask).all("Content-Encoding")
    assert shipped.behind.seen[-1].headers["Accept-Encoding"] == "gzip, br"
    assert loose.asked("/said/", ask).all("Content-Encoding") == ["gzip"]


def test_half_a_request_waits_at_the_proxy(shipped: Front) -> None:
    before = len(shipped.behind.seen)
    head = request("POST", "/slow/", "Content-Length: 100", host=shipped.place.authority)
    lines = [shipped.open() for _ in range(20)]
    try:
        for line in lines:
            line.sendall(head + b"half")
        assert shipped.asked("/said/").status == 200
        assert [one.line.split()[1] for one in shipped.behind.seen[before:]] == ["/said/"]
    finally:
        for line in lines:
            line.close()


@pytest.mark.nightly
def test_whoever_is_slow_is_let_go(shipped: Front) -> None:
    with shipped.open() as line:
        head = request("POST", "/slow/", "Content-Length: 100", host=shipped.place.authority)
        line.sendall(head + b"half")
        with pytest.raises(ConnectionResetError):  # after ten seconds
            line.recv(1)
    assert not [one for one in shipped.behind.seen if "/slow/" in one.line]


def test_the_pages_of_the_proxy_are_those_it_names() -> None:
    folder = Path(settings.BASE_DIR) / "deploy" / "errors"
    named = set(re.findall(r"/proxy/(\w+\.html)", proxy.TEMPLATE.read_text()))
    assert {one.name for one in folder.iterdir()} == named
    for one in folder.iterdir():
        assert says_both(one.read_bytes()), one.name
