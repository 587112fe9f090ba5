"""The countries that an address can be in, by their two-letter codes (ISO 3166-1, and Kosovo)."""

import csv
import unicodedata
from functools import cache
from pathlib import Path

from accounts.models import Language

FILE = Path(__file__).parent / "texts" / "countries.csv"
FIRST = ("CA", "US")
"""Where most addresses are: these stand above the others."""


@cache
def countries(language: Language) -> tuple[tuple[str, str], ...]:
    """Code and name of each country, by name without regard to accents."""
    column = "french" if language == Language.FRENCH else "english"
    with FILE.open(encoding="utf-8", newline="") as file:
        names = {row["code"]: row[column] for row in csv.DictReader(file)}
    others = sorted(names.keys() - set(FIRST), key=lambda code: _plain(names[code]))
    return tuple((code, names[code]) for code in (*FIRST, *others))


def country_name(code: str, language: Language) -> str:
    """The name of a country; a code that is not known stands for itself."""
    return dict(countries(language)).get(code, code)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
