"""The critic is criticized: each thing that must fail a test is done on purpose."""

import socket
import warnings

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.db.backends.postgresql import psycopg_any
from django.template import engines
from playwright.sync_api import Page

from audit.models import Chain
from tests.chromium import Faults, axe_violations, overflow
from tests.conftest import NetworkUsed

POLICY = "default-src 'none'"


def test_an_undefined_template_variable_fails() -> None:
    template = engines["django"].from_string("{{ nobody_defined_this }}")

    with pytest.raises(pytest.fail.Exception, match="nobody_defined_this"):
        template.render({})


def test_a_defined_template_variable_passes() -> None:
    assert engines["django"].from_string("{{ word }}").render({"word": "yes"}) == "yes"


@pytest.mark.django_db
def test_an_unordered_page_fails() -> None:
    with pytest.raises(Warning, match="unordered"):
        Paginator(Chain.objects.all(), 10).page(1)


def test_a_deprecation_fails() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


@pytest.mark.asvs("1.3.6", "13.2.4", "13.2.5")
@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_another_machine_is_out_of_reach(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

    with socket.socket(family) as outgoing, pytest.raises(NetworkUsed):
        outgoing.connect(address)


def test_the_driver_is_the_one_of_production() -> None:
    assert not psycopg_any.is_psycopg3


@pytest.mark.django_db
def test_sqlite_takes_its_write_lock_at_the_start() -> None:
    if connection.vendor == "sqlite":
        assert connection.transaction_mode == "IMMEDIATE"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_that_commits_leaves_nothing(time: str) -> None:
    assert not Chain.objects.exists()

    Chain.objects.create(key="left behind")


def test_the_browser_reports_a_script_error(page: Page, faults: Faults) -> None:
    page.evaluate("setTimeout(() => { throw new Error('on purpose') })")
    page.wait_for_timeout(50)

    assert faults.expected("on purpose")


@pytest.mark.parametrize("javascript", [True, False])
def test_the_browser_reports_a_breach_of_the_policy(new_page, faults, javascript: bool) -> None:
    page = new_page(javascript=javascript)
    page.route(
        "**/inline",
        lambda route: route.fulfill(
            body="<p style='color:red'>Red</p>",
            content_type="text/html",
            headers={"Content-Security-Policy": POLICY},
        ),
    )

    page.goto("/inline")

    assert faults.expected("Content Security Policy")


def test_the_browser_reports_what_does_not_load(page: Page, faults: Faults) -> None:
    page.route(
        "**/picture",
        lambda route: route.fulfill(
            body="<img src='/static/none.png' alt=''>", content_type="text/html"
        ),
    )

    page.goto("/picture", wait_until="networkidle")

    assert faults.expected("404 from")


def test_accessibility_faults_are_found(page: Page) -> None:
    page.set_content("<html><body><img src='data:,'><input></body></html>")

    found = {violation.split(":")[0] for violation in axe_violations(page)}
    assert {"document-title", "html-has-lang", "image-alt", "label"} <= found


def test_a_page_too_wide_is_found(new_page) -> None:
    page = new_page(width=320)

    page.set_content("<div style='width: 400px'>Wide</div>")

    assert overflow(page) > 0
