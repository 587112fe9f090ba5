"""The look at a page is looked at: each thing that it must see is done on purpose."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.looks import wrongs

SOUND = """<!doctype html><html lang="{language}">
<head><title>{title}</title><meta name="viewport" content="width=device-width"></head>
<body><main><h1>{title}</h1>{body}</main></body></html>"""


@pytest.fixture
def page(chromium: Browser, scripts: bool) -> Iterator[Page]:
    """A page of no server."""
    with chromium.new_context(java_script_enabled=scripts) as context:
        yield context.new_page()


@pytest.fixture
def scripts() -> bool:
    return True


def page_of(language: str = "en-ca", title: str = "Renvois", body: str = "") -> str:
    return SOUND.format(language=language, title=title, body=body)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
def test_a_sound_page_is_left_alone(page: Page, language: str, scripts: bool) -> None:
    page.set_content(page_of(language, body='<a href="/" lang="es-mx">The home of an account</a>'))

    assert wrongs(page, language, scripts=scripts) == []


@pytest.mark.parametrize(
    ("wrong", "html"),
    [
        ("label", page_of(body="<input>")),
        ("label", page_of(body="<details><summary>Plus</summary><input></details>")),
        ("color-contrast", page_of(body='<p style="color: #bbb; background: #fff">Renvoi</p>')),
        ("pixels wider", page_of(body='<p style="width: 400px">Renvoi</p>')),
        ("main headings", page_of(body="<h1>Encore</h1>")),
        ("language", page_of("fr-ca")),
        ("title", page_of(title="")),
    ],
)
def test_what_is_wrong_is_seen(page: Page, wrong: str, html: str) -> None:
    page.set_content(html)

    assert any(wrong in one for one in wrongs(page, "en-ca"))


@pytest.mark.parametrize(
    "body",
    [
        "<p>Retour à Home</p>",
        '<p lang="fr-ca">Numéro of program</p>',
        '<button aria-label="Submit">Envoyer</button>',
        "<details><summary>Plus</summary>Choose an account</details>",
    ],
)
def test_english_on_a_french_page_is_seen(page: Page, body: str) -> None:
    page.set_content(page_of("fr-ca", body=body))

    assert any("English" in one for one in wrongs(page, "fr-ca"))
