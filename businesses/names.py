"""Names and addresses as they are compared with the CRA register.

Two spellings of one name or address give one key. The keys are for comparison only: words are
shortened and punctuation is gone. A blank text gives a blank key, so callers refuse blank answers
before they compare. Rule: legal name and address are compared after normalising case, accents,
punctuation, legal forms and street abbreviations.
"""

import re
import unicodedata

from localflavor.ca.ca_provinces import PROVINCES_NORMALIZED
from localflavor.us.us_states import STATES_NORMALIZED

# Longer than any name or address line on file; what follows is not read.
LONGEST_TEXT = 500

# Letters that do not come apart into a base letter and an accent.
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
# Marks inside a word: O’Brien is OBrien, S.E.N.C. is SENC.
_INSIDE_WORD = re.compile(r"[.'’‘ʼ`]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_ORDINAL = re.compile(r"([0-9]+)(?:st|nd|rd|th|er|ers|re|ere|e|eme|ieme)")


def _table(*rows: str) -> dict[str, str]:
    """Every word of a row stands for the row's first word."""
    return {word: row.split()[0] for row in rows for word in row.split()}


_NAME_WORDS = _table(
    "and et",
    "ltd limited ltee limitee",
    "inc incorporated incorporee",
    "corp corporation",
    "co company cie compagnie",
    "llp sencrl",
    "st saint",
    "ste sainte",
)

# "St" is both a saint and a street, "Ste" both a saint and a suite: one word for both readings.
_ADDRESS_WORDS = _table(
    "st saint street str rue",
    "ste sainte suite unit unite bureau bur office apt apartment appartement app local room rm",
    "ave avenue av",
    "blvd boulevard boul bd",
    "rd road chemin ch chem",
    "rte route",
    "dr drive promenade prom",
    "cres crescent croissant crois",
    "crt court ct cour",
    "pl place",
    "sq square carre car",
    "terr terrasse terrace",
    "hwy highway autoroute aut",
    "pky parkway pkwy promenades",
    "lane ln ruelle",
    "cir circle cercle",
    "rang rg range concession conc",
    "trl trail sentier",
    "mt mount mont",
    "ft fort",
    "floor fl etage",
    "bldg building batiment edifice immeuble",
    "station stn succursale succ",
    "n north nord",
    "s south sud",
    "e east est",
    "w west ouest o",
    "and et",
)
_DIRECTIONS = {
    **dict.fromkeys(["ne", "northeast"], ["n", "e"]),
    **dict.fromkeys(["nw", "northwest", "no"], ["n", "w"]),
    **dict.fromkeys(["se", "southeast"], ["s", "e"]),
    **dict.fromkeys(["sw", "southwest", "so"], ["s", "w"]),
}
_REGIONS: dict[str, dict[str, str]] = {
    "CA": PROVINCES_NORMALIZED
    | {
        "colombie britannique": "BC",
        "nouveau brunswick": "NB",
        "terre neuve et labrador": "NL",
        "terre neuve": "NL",
        "tn": "NL",
        "nouvelle ecosse": "NS",
        "territoires du nord ouest": "NT",
        "ile du prince edouard": "PE",
        "territoire du yukon": "YT",
    },
    "US": STATES_NORMALIZED,
}
_POST_BOX = re.compile(r"\b(?:p ?o ?box|post office box|case postale|c ?p)\b")
_NUMBER_SIGN = re.compile(r"\bno (?=[0-9])")
_SUITE = "ste"


def _plain(text: str) -> str:
    """Lower case, no accents, words separated by one space."""
    text = text[:LONGEST_TEXT].replace("´", "’")  # NFKC would make a space of it
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS).replace("&", " and "))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return _BETWEEN_WORDS.sub(" ", _INSIDE_WORD.sub("", text)).strip()


def normal_name(text: str) -> str:
    """The key under which a legal or operating name is compared; blank for a blank name."""
    return "".join(_NAME_WORDS.get(word, word) for word in _plain(text).split())


def normal_street(text: str) -> str:
    """The key under which a street address is compared, whatever the order of its parts.

    "Suite 200, 123 Main St. N", "200-123 North Main Street" and "123 rue Main Nord, bureau 200"
    are one address.
    """
    words: list[str] = []
    for word in _NUMBER_SIGN.sub("", _POST_BOX.sub("box", _plain(text))).split():
        ordinal = _ORDINAL.fullmatch(word)
        word = ordinal[1] if ordinal else word
        words += _DIRECTIONS.get(word, [_ADDRESS_WORDS.get(word, word)])
    return " ".join(sorted(word for word in words if word != _SUITE))


def normal_region(text: str, country: str) -> str:
    """A province, territory or state as its postal abbreviation, else its plain words."""
    plain = _plain(text)
    known: str | None = _REGIONS.get(country, {}).get(plain)
    return known or plain.replace(" ", "")


def normal_address(*, street: str, city: str, region: str, postal_code: str, country: str) -> str:
    """The key under which an address is compared; `country` is its two-letter code."""
    country = country.strip().upper()
    return "|".join(
        [
            normal_street(street),
            "".join(_ADDRESS_WORDS.get(word, word) for word in _plain(city).split()),
            normal_region(region, country),
            _plain(postal_code).replace(" ", ""),
            country,
        ]
    )
