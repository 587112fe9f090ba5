"""The French catalogue as functions: what is missing, what is stale, what was never marked."""

import difflib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import polib

from tests.house import ROOT

CATALOGUE = Path("locale/fr/LC_MESSAGES/django.po")
COMPILED = CATALOGUE.with_suffix(".mo")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
MAKEMESSAGES = "makemessages --locale fr --no-obsolete --add-location file --ignore tests".split()
READ_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}
BLOCKS = re.compile(
    r"{%\s*(blocktranslate|comment)\b.*?{%\s*end\1\s*%}|{%.*?%}|{{.*?}}|{#.*?#}|<!DOCTYPE[^>]*>",
    re.DOTALL,
)
WORD = re.compile(r"[^\W\d_]{2,}")


def untranslated(catalogue: polib.POFile) -> list[str]:
    """The messages without French, or with a guess in its place."""
    return [
        entry.msgid
        for entry in catalogue
        if not entry.obsolete and (entry.fuzzy or not entry.translated())
    ]


def broken_placeholders(catalogue: polib.POFile) -> list[str]:
    """The messages whose French does not take the values that the English takes."""
    return [
        f"{entry.msgid!r}: {text!r}"
        for entry in catalogue
        if not entry.obsolete
        for text in ([entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values())
        if not set(PLACEHOLDER.findall(text)) <= _placeholders(entry)
        or (not entry.msgid_plural and set(PLACEHOLDER.findall(text)) != _placeholders(entry))
    ]


def _placeholders(entry: polib.POEntry) -> set[str]:
    return set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))


class _Reader(HTMLParser):
    """Collects what a person reads in a template: text and the attributes that are spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def handle_data(self, data: str) -> None:
        self.read.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read += [value or "" for name, value in attrs if name in READ_ATTRIBUTES]


def unmarked(source: str) -> list[str]:
    """Text of a template that no translation reaches; a mail may begin with `Subject:`."""
    reader = _Reader()
    reader.feed(BLOCKS.sub("", source).removeprefix("Subject:"))
    reader.close()
    return [text.strip() for text in reader.read if WORD.search(text)]


def stale(folder: Path) -> list[str]:
    """The lines that `makemessages` adds (+) to the catalogue or takes away (-).

    It runs in `folder`, a copy of the project that `house.copy_tree` has made.
    """
    subprocess.run(
        [sys.executable, "manage.py", *MAKEMESSAGES], cwd=folder, check=True, capture_output=True
    )
    before, after = (
        [line for line in text.splitlines() if "POT-Creation-Date" not in line]
        for text in ((ROOT / CATALOGUE).read_text(), (folder / CATALOGUE).read_text())
    )
    return [line for line in difflib.unified_diff(before, after, n=0) if line[0] in "+-"]


def compiled(catalogue: Path) -> bytes:
    """The catalogue as `compilemessages` writes it."""
    return subprocess.run(
        ["msgfmt", "--check-format", "-o", "-", catalogue],
        check=True,
        capture_output=True,
    ).stdout
