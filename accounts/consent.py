"""The statements that people agree to, each in versions whose text never changes.

A version is a pair of files in `texts/`, one per language. What is kept of a consent is the version
and the hash of both texts: the statement is one, in two languages. Whoever changes a word makes a
new version.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from accounts.models import Consent, Language

TEXTS = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Block:
    """A piece of a statement: a heading, a paragraph, or the items of a list."""

    kind: Literal["heading", "paragraph", "list"]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One version of a statement, in both languages."""

    kind: Consent.Kind
    version: str
    english: str
    french: str

    @property
    def text_hash(self) -> str:
        """SHA-256, in hexadecimal, of both texts."""
        return hashlib.sha256(f"{self.english}\0{self.french}".encode()).hexdigest()

    def text(self, language: Language) -> str:
        return self.french if language == Language.FRENCH else self.english

    def title(self, language: Language) -> str:
        """The first line, without its mark."""
        return self.text(language).partition("\n")[0].removeprefix("# ")

    def blocks(self, language: Language) -> list[Block]:
        """The text below the title: blank lines part it, `## ` and `- ` mark it."""
        _, _, body = self.text(language).partition("\n")
        return [_block(piece) for piece in body.strip().split("\n\n")]


@cache
def privacy_statement() -> Statement:
    """The privacy and consent statement in force."""
    return _read(Consent.Kind.PRIVACY, "1")


def _read(kind: Consent.Kind, version: str) -> Statement:
    english, french = (
        (TEXTS / f"{kind}-{version}.{language}.txt").read_text("utf-8") for language in ("en", "fr")
    )
    return Statement(kind, version, english, french)


def _block(piece: str) -> Block:
    lines = piece.split("\n")
    if piece.startswith("## "):
        return Block("heading", (piece.removeprefix("## "),))
    if piece.startswith("- "):
        return Block("list", tuple(line.removeprefix("- ") for line in lines))
    return Block("paragraph", (" ".join(lines),))
