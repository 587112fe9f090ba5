"""Nobody is led away from the portal: by no link in a page, a mail or an answer, whoever asks."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client

from tests.accounts.people import FIELDS, PASSWORD, sign_up
from tests.conftest import NIGHTLY
from tests.world import World

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("clock")]

HERE = "https://portal.example"
SAID_HOST = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Host": "evil.example",
    "Forwarded": "host=evil.example;proto=https",
    "X-Original-URL": "https://evil.example/",
    "X-Rewrite-URL": "https://evil.example/",
    "Referer": "https://evil.example/",
}
ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "http:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "//evil.example\\@portal.example/",
    "https://portal.example@evil.example/",
    "https://portal.example.evil.example/",
    "https://portal.example:evil@evil.example/",
    "/\t/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    "\x00//evil.example",
    " //evil.example",
    "//evil%E3%80%82example",
    "//%65vil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "//evil.example/..;/en-ca/",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "ftp://evil.example/",
    "//[::1]/",
    "//0x7f000001/",
    "\u2028//evil.example",
    "/en-ca/../..//evil.example",
    "#@evil.example",
    "?next=//evil.example",
]


def leads_away(answer: HttpResponse) -> bool:
    """Whether a browser that follows the answer leaves the portal. It reads \\ as / and drops
    white space before an address and line breaks and tabs within."""
    told = answer.headers.get("Location", "/").replace("\\", "/").strip("\x00\x20\t\r\n")
    target = urlsplit(urljoin(HERE + "/en-ca/", "".join(told.split())))
    return f"{target.scheme}://{target.netloc}".lower() != HERE


@pytest.fixture
def portal(db: None, settings: Any) -> None:
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = HERE, ["portal.example", "localhost"]
    cache.clear()


def led(payload: str, known: Client, newcomer: Client) -> Iterator[HttpResponse]:
    """Every answer to a parameter that says where to go, in both languages."""
    for language in ("en-ca", "fr-ca"):
        base, next_ = f"/{language}/", {"next": payload}
        for page in ("account/login/", "account/signup/", "profile/create/"):
            yield known.get(base + page, next_)
        for page in ("account/login/", "account/logout/", "account/sign-in/gckey/"):
            yield Client(headers={"host": "localhost"}).post(base + page, next_)
        yield newcomer.post(base + "profile/create/", FIELDS | next_ | {"telephone": "x"})
        yield known.get("/signed-out/", {"state": payload})
        yield known.get(base + quote(payload, safe="/\\:@;?#%"))
    yield known.get(quote(payload, safe="/\\:@;?#%") or "/")


@pytest.mark.asvs("3.7.2")
def test_no_parameter_and_no_path_leads_away(portal: None, world: World) -> None:
    known, newcomer = (Client(headers={"host": "localhost"}) for _ in range(2))
    known.force_login(world.person("Liam"))
    newcomer.force_login(sign_up("new@example.ca"))
    away, answers = [], 0
    tried = ELSEWHERE if NIGHTLY else ELSEWHERE[::6]
    for payload in tried:
        for answer in led(payload, known, newcomer):
            answers += 1
            if leads_away(answer) or answer.status_code >= 500:
                away.append(f"{payload!r}: {answer.status_code} {answer.headers.get('Location')}")
    print(f"{answers} answers to {len(tried)} addresses")
    assert not away, "\n".join(away)
    assert len(ELSEWHERE) >= 28 and answers == 19 * len(tried)


@pytest.mark.parametrize(("said", "is_away"), [("/fr-ca/", False), ("//evil.example", True)])
def test_a_way_out_is_seen(said: str, is_away: bool) -> None:
    response = HttpResponse()
    response.headers["Location"] = said
    assert leads_away(response) is is_away
    response.headers["Location"] = said.replace("/", "\\")
    assert leads_away(response) is is_away


@pytest.mark.asvs("3.7.2", "15.3.7")
def test_a_new_profile_leads_on_and_not_away(portal: None) -> None:
    """The page that reads the parameter and follows it, in full."""
    for number, payload in enumerate(["/en-ca/profile/", *ELSEWHERE[:6]]):
        newcomer = Client(headers={"host": "localhost"})
        newcomer.force_login(sign_up(f"new{number}@example.ca"))
        response = newcomer.post("/en-ca/profile/create/", FIELDS | {"next": payload})
        expected = "/en-ca/profile/" if number == 0 else "/en-ca/"
        assert (response.status_code, response["Location"]) == (302, expected), payload


@pytest.mark.asvs("4.1.3")
@pytest.mark.parametrize("header", SAID_HOST)
def test_links_are_those_of_the_setting_whatever_host_is_named(
    portal: None, settings: Any, header: str, mailoutbox: list[EmailMessage]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    sign_up("ada@example.ca")
    told = {"host": "localhost"} | {header.lower(): SAID_HOST[header]}
    pages = {
        "account/login/": {"login": "ada@example.ca", "password": PASSWORD},
        "account/signup/": {
            "email": "ada@example.ca",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
        "account/password/reset/": {"email": "ada@example.ca"},
        "profile/edit/": {},
    }
    for page, entered in pages.items():
        for answer in (
            Client(headers=told).get(f"/en-ca/{page}"),
            Client(headers=told).post(f"/en-ca/{page}", entered),
        ):
            assert b"evil.example" not in answer.content
            assert not leads_away(answer), page
    assert len(mailoutbox) == 3
    assert not any("evil.example" in f"{mail.subject}{mail.body}" for mail in mailoutbox)
    assert f"{HERE}/en-ca/account/password/reset/" in mailoutbox[1].body


def test_a_host_that_is_not_ours_gets_nothing(portal: None) -> None:
    assert Client(headers={"host": "evil.example"}).get("/en-ca/").status_code == 400
