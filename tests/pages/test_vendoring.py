"""The design system's style sheets, rewritten for ordinary markup."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from ccp.management.commands.vendor_gcds import (
    FONT_FILES,
    ordinary,
    rewritten,
    used_tokens,
    without_comments,
)

STATIC = Path(settings.BASE_DIR) / "static"
GCDS = (STATIC / "gcds/gcds.css").read_text()
PORTAL = (STATIC / "portal.css").read_text()


@pytest.mark.parametrize(
    ("shadow", "light"),
    [
        (":host .gcds-button", ".gcds-button"),
        (":host .gcds-checkbox gcds-label>label:before", ".gcds-checkbox .gcds-label:before"),
        (":host .error-message::part(text)", ".error-message"),
        (":host .details__panel ::slotted(:first-child)", ".details__panel>:first-child"),
        (":host .details__panel ::slotted(:not(:last-child))", ".details__panel>:not(:last-child)"),
        (
            ":host .gcds-details .details__summary[aria-expanded=true]:before",
            ".gcds-details[open]>summary:before",
        ),
        (":host(.gcds-breadcrumbs-item)", ".gcds-breadcrumbs li"),
        (":host", ""),
        (":host slot", ""),
        (":host([disabled]) .gcds-button", ""),
        (":host .error-message gcds-icon", ""),
    ],
)
def test_a_selector(shadow: str, light: str) -> None:
    assert ordinary(shadow) == light


def test_a_style_sheet_keeps_its_layers_and_loses_its_host() -> None:
    css = """@layer reset, default;/* the host */
    @layer reset{:host{display:block}}
    @layer default{@media (width < 48em){:host .a,:host slot{margin:0!important}}}"""

    assert rewritten(without_comments(css)) == (
        "@layer reset, default;\n@layer default{@media (width < 48em){.a{margin:0}}}"
    )


def test_tokens_bring_the_tokens_that_they_need() -> None:
    tokens = {"--gcds-a": "var(--gcds-b)", "--gcds-b": "1px", "--gcds-c": "2px"}

    assert used_tokens("x{margin:var( --gcds-a )}", tokens) == {
        "--gcds-a": "var(--gcds-b)",
        "--gcds-b": "1px",
    }


def test_every_token_in_use_is_there() -> None:
    used = set(re.findall(r"var\(\s*(--[\w-]+)", GCDS + PORTAL))
    declared = set(re.findall(r"(--[\w-]+):", GCDS + PORTAL))

    assert used - declared == set()


def test_every_token_that_the_portal_sets_is_used() -> None:
    used = set(re.findall(r"var\(\s*(--[\w-]+)", GCDS + PORTAL))

    assert set(re.findall(r"^\s+(--[\w-]+):", PORTAL, flags=re.MULTILINE)) - used == set()


@pytest.mark.asvs("14.2.3")
def test_nothing_comes_from_elsewhere() -> None:
    sources = re.findall(r"url\([\"']?([^\"')]+)", GCDS + PORTAL)

    assert all(source.startswith(("fonts/", "data:")) for source in sources)
    assert "@import" not in GCDS + PORTAL
    for file in FONT_FILES:
        assert (STATIC / f"gcds/fonts/{file.split('/')[1]}.woff2").is_file()
