"""The text that a client agrees to when it gives a provider authority: versioned, hashed, kept."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

VERSION = "2"
OFFER_VERSION = "offer-1"
"""The version of an approval, change or renewal, and that of an offer, agreed to beforehand."""

_TEXTS = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class ConsentText:
    """A version of the consent in both languages with the SHA-256 of each text, in hex."""

    version: str
    en: str
    fr: str
    hash_en: str
    hash_fr: str

    def in_language(self, language: str) -> str:
        """The text for a language code such as `fr-ca`."""
        return self.fr if language.startswith("fr") else self.en


@cache
def relationship_consent(version: str = VERSION) -> ConsentText:
    """The consent to a business relationship, as shown above the button that gives or offers it."""
    en, fr = (
        (_TEXTS / f"relationship-consent-{version}.{language}.txt").read_text("utf-8").strip()
        for language in ("en", "fr")
    )
    return ConsentText(version, en, fr, _digest(en), _digest(fr))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
