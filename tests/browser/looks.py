"""What every page owes its reader, looked at in the browser: `wrongs` names what it fails in.

A page says which language it is in and is in it, has a title and one main heading, is no wider
than its window, and breaks no rule of accessibility.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.chromium import AXE_RULES, overflow

WIDTHS = WIDE, NARROW = 1280, 320
HEIGHT = 900

ENGLISH = re.compile(
    r"\b(the|of|and|your|you|with|this|that|from|by|is|are|was|has|been|will|not|for|to"
    r"|home|next|previous|submit|request|requests|sign|welcome|approve|approved|reject|rejected"
    r"|waiting|employees?|business|broker|reader|editor|manager|yes|none|view|edit|draft|ends"
    r"|since|until|show|find|cancel|confirm|account|accounts|number)\b",
    re.IGNORECASE,
)
"""Words that the portal's English is full of and that its French has no use for."""

READ = """() => {
  const page = document.documentElement;
  const inAnother = `[lang]:not([lang="${page.lang}"])`;
  const spoken = ["aria-label", "alt", "placeholder", "title"].flatMap(name =>
    [...document.querySelectorAll(`[${name}]`)].map(one => one.getAttribute(name)));
  const marked = [...document.querySelectorAll(`body ${inAnother}`)].map(one => one.innerText);
  const text = marked.reduce((all, one) => all.replace(one, ""), document.body.innerText);
  return {
    language: page.lang,
    title: document.title.trim(),
    headings: document.querySelectorAll("h1").length,
    text: [document.title, ...spoken, text].join("\\n"),
  };
}"""
AXE = Axe().axe_script
TRY_RULES = """rules => axe.run(rules).then(found => found.violations.flatMap(one =>
  one.nodes.map(node => `${one.id}: ${one.help}: ${node.html}`)))"""
"""Only what is broken leaves the browser: the whole report takes longer than the rules."""
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = !one.open })"


def wrongs(
    page: Page,
    language: str,
    *,
    scripts: bool = True,
    widths: tuple[int, ...] = WIDTHS,
    written: Collection[str] = (),
) -> list[str]:
    """What is wrong with the page shown, in windows of these widths, its own first.

    What people have `written` themselves is in whatever language they have written it.

    In the narrow one what is folded is unfolded, and the other way round. The rules of
    accessibility are a script: they are tried where `scripts` run.
    """
    if scripts:
        page.evaluate(AXE)
    now = page.viewport_size["width"] if page.viewport_size else WIDE
    found: list[str] = []
    for width in sorted(widths, key=lambda one: one != now):
        if width != now:
            page.set_viewport_size({"width": width, "height": HEIGHT})
        if width == NARROW:
            page.evaluate(UNFOLD)
        found += [
            f"at {width} pixels: {wrong}" for wrong in _wrongs(page, language, scripts, written)
        ]
        if width == NARROW:
            page.evaluate(UNFOLD)
    return found


def _wrongs(page: Page, language: str, scripts: bool, written: Collection[str]) -> Iterator[str]:
    read: dict[str, Any] = page.evaluate(READ)
    if read["language"] != language:
        yield f"the page says that its language is {read['language']!r}"
    if not read["title"]:
        yield "no title"
    if read["headings"] != 1:
        yield f"{read['headings']} main headings"
    if beyond := overflow(page):
        yield f"{beyond} pixels wider than the window"
    if language.startswith("fr"):
        text = read["text"]
        for one in written:
            text = text.replace(one, "")
        yield from (f"English: {word}" for word in sorted(set(ENGLISH.findall(text))))
    if scripts:
        yield from page.evaluate(TRY_RULES, AXE_RULES)
