"""A browser for tests: Debian's Chromium, with and without JavaScript, that fails on faults.

A test asks for `page` (JavaScript on), `plain_page` (off) or `new_page(javascript=, width=)`.
Whatever the browser complains of (a script error, a breach of the content security policy, a
resource that does not load, an answer of 500) fails the test when it ends.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    sync_playwright,
)

CHROMIUM = shutil.which("chromium")
# No host but this machine resolves, so that nothing waits for a network that is not there.
ARGUMENTS = [
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# Chromium's console repeats every answer of 400 and above; `Faults.answered` judges those.
STATUS_MESSAGE = "Failed to load resource: the server responded with a status of"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives the browser, so that `-m browser` finds all of it."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@dataclass
class Faults:
    """What the browser complained of; `expected` takes out what a test provoked on purpose."""

    seen: list[str] = field(default_factory=list)

    def expected(self, part: str) -> list[str]:
        """Remove and return the faults that contain `part`."""
        found = [fault for fault in self.seen if part in fault]
        self.seen = [fault for fault in self.seen if part not in fault]
        return found

    def watch(self, page: Page) -> None:
        page.on("console", self._spoke)
        page.on("pageerror", lambda error: self.seen.append(f"script error: {error}"))
        page.on("response", self._answered)

    def _spoke(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(STATUS_MESSAGE):
            self.seen.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400):
            self.seen.append(f"{response.status} from {response.url}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the run; where it is not installed the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code: it
    # opens connections anew, when it starts and when it stops, and none may stay behind.
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def portal(live_server: Any, settings: Any) -> str:
    """The address of a running portal; links in its mail lead back to it."""
    settings.PORTAL_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What the browser complains of during the test; whatever is left at its end fails it."""
    faults = Faults()
    yield faults
    assert not faults.seen, "\n".join(faults.seen)


@pytest.fixture
def new_page(chromium: Browser, portal: str, faults: Faults) -> Iterator[Callable[..., Page]]:
    """A function that opens a visitor's page of the portal; addresses may be relative to it."""
    contexts = []

    def open_page(*, javascript: bool = True, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=portal,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        faults.watch(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A visitor's page, JavaScript on."""
    return new_page()


@pytest.fixture
def plain_page(new_page: Callable[..., Page]) -> Page:
    """A visitor's page, JavaScript off."""
    return new_page(javascript=False)


def sign_in(page: Page, person: Any, portal: str) -> None:
    """Sign `person` in on `page` without walking through the sign-in pages."""
    client = Client()
    client.force_login(person)
    page.context.add_cookies(
        [
            {"name": name, "value": morsel.value, "url": portal}
            for name, morsel in client.cookies.items()
        ]
    )


def press(target: Locator) -> Response:
    """Press a link or a button of a page and wait for the page that it leads to.

    A click alone comes back before the browser has left the page: whatever is then asked of it may
    be asked of the page before, or of none.
    """
    with target.page.expect_navigation() as arrival:
        target.click()
    assert arrival.value is not None, "The click led to a place on the same page."
    return arrival.value


def axe_violations(page: Page) -> list[str]:
    """The accessibility rules (WCAG 2.0 to 2.2 A and AA, best practice) that `page` breaks.

    The rules are a script: they need a page whose JavaScript is on.
    """
    results = Axe().run(page, options=AXE_RULES)
    return [
        f"{violation['id']}: {violation['help']}: {node['html']}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels `page` is wider than its window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
