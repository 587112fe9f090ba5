"""The Terms & Conditions on delegation of authority: versioned, hashed, in both languages.

A version is a pair of files in `texts/` that never change: whoever changes a word makes a new one.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from accounts.models import Language

VERSION = "1"
TEXTS = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Section:
    """A heading and the paragraphs under it, parted by blank lines."""

    heading: str
    text: str


@dataclass(frozen=True)
class Terms:
    """One version in both languages, with the SHA-256 of each text in hexadecimal."""

    version: str
    english: str
    french: str
    hash_en: str
    hash_fr: str

    def title(self, language: Language) -> str:
        """The first line."""
        return self._text(language).partition("\n")[0]

    def sections(self, language: Language) -> list[Section]:
        """What stands below the title; each section begins with `## `."""
        parts = self._text(language).split("\n## ")[1:]
        split = (part.partition("\n") for part in parts)
        return [Section(heading, text.strip()) for heading, _, text in split]

    def _text(self, language: Language) -> str:
        return self.french if language == Language.FRENCH else self.english


@cache
def terms_in_force() -> Terms:
    """The version that a registration has to accept."""
    english, french = (
        (TEXTS / f"terms-{VERSION}.{language}.txt").read_text("utf-8") for language in ("en", "fr")
    )
    return Terms(VERSION, english, french, _hash(english), _hash(french))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
