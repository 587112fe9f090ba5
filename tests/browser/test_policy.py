"""Every page as a browser judges it.

None breaks the content security policy or asks elsewhere, and each owes its reader what `looks`
names: in both languages, in a wide and in a narrow window.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Page

from tests.access.matrix import Cast, rows
from tests.browser.looks import HEIGHT, WIDE, wrongs
from tests.chromium import Faults, sign_in
from tests.world import World

pytestmark = [pytest.mark.once, pytest.mark.nightly]

PERSONAS = ("orphan", "reader", "pam", "bam", "bam_itn", "own_only", "expired", "officer")
FILE = re.compile(r"export|template|errors|feed_read|health|session_status")
LISTEN = """addEventListener("securitypolicyviolation", event =>
  report(`${event.violatedDirective} ${event.blockedURI} on ${event.documentURI}`))"""


@dataclass
class Judged:
    """How many pages a browser opened, and what it reported of them."""

    pages: int = 0
    reports: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)


@contextmanager
def judging(page: Page, portal: str) -> Iterator[Judged]:
    """Note every breach of the policy, and every request that goes elsewhere."""
    judged = Judged()
    page.expose_function("report", lambda one: judged.reports.append(one))
    page.add_init_script(LISTEN)
    page.on(
        "request",
        lambda asked: (
            judged.elsewhere.append(asked.url)
            if not asked.url.startswith((portal, "data:"))
            else None
        ),
    )
    yield judged


def open_page(page: Page, path: str, judged: Judged) -> None:
    response = page.goto(path, wait_until="networkidle")
    assert response is not None
    judged.pages += "text/html" in response.headers.get("content-type", "")


def look_at(page: Page, path: str, judged: Judged, written: Collection[str]) -> None:
    open_page(page, path, judged)
    found = wrongs(page, path.split("/")[1], written=written)
    judged.wrongs += [f"{path} {wrong}" for wrong in found]
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})


@pytest.mark.asvs("3.4.3", "14.2.3")
def test_every_page_is_sound(
    world: World, new_page: Callable[..., Page], portal: str, at: datetime
) -> None:
    cast, pages = Cast(world).build(), 0
    about = [word for one in world.people.values() for word in (one.email, one.last_name) if word]
    written = [*world.people, *about, "I work on the declarations."]
    with time_machine.travel(at, tick=True):
        for persona in PERSONAS:
            page = new_page()
            sign_in(page, cast.people[persona], portal)
            with judging(page, portal) as judged:
                for path in shown_to(persona, cast):
                    look_at(page, path, judged, written)
            found = judged.reports + judged.elsewhere + judged.wrongs
            assert not found, "\n".join([persona, *found])
            pages += judged.pages
    print(f"{pages} pages opened")
    assert pages > 300


def shown_to(persona: str, cast: Cast) -> list[str]:
    """The addresses of the pages that a persona reads, in both languages; no files."""
    shown = {
        row.url()
        for row in rows(cast)
        if row.method == "GET" and row.status(persona) == 200 and not FILE.search(row.route)
    }
    return sorted(shown | {path.replace("/en-ca/", "/fr-ca/") for path in shown})


def test_a_page_that_breaks_it_is_seen(
    new_page: Callable[..., Page], portal: str, faults: Faults, settings: Any, db: None
) -> None:
    """The control: a script, a style and a picture that the policy bars."""
    settings.ROOT_URLCONF = "tests.ccp.planted"
    page = new_page()
    with judging(page, portal) as judged:
        open_page(page, "/planted/inline/", judged)
    assert {one.partition(" ")[0] for one in judged.reports} >= {"script-src-elem", "img-src"}
    assert page.title() == "x"
    faults.seen.clear()
