"""Business numbers: what people type, what is stored, what is shown.

A business number has nine digits, the last of which is a Luhn check digit. A program account
number adds two letters and four digits; import-export program accounts have the letters RM.
Any spacing, hyphens and case are accepted. Only the compact form is stored and compared.
"""

import re
import unicodedata

from stdnum import luhn

# Longer than any spelling of fifteen characters; more is refused before it is read.
LONGEST_INPUT = 60

BN9_PATTERN = r"^[0-9]{9}\Z"
EXTENSION_PATTERN = r"^RM[0-9]{4}\Z"

# Spaces of every width, dots, hyphens and dashes, and the invisible marks that come with a paste.
_SEPARATORS = re.compile(r"[\s.\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff]+")
_BN15 = re.compile(r"([0-9]{9})([^\W\d_]{2}[0-9]{4})")
_EXTENSION = re.compile(r"([^\W\d_]{2})([0-9]{4})")


class InvalidBN(ValueError):
    """The text is no business or program account number; `code` says in which way.

    Codes: `digits` (not nine digits), `check_digit` (a digit is wrong), `extension` (not RM and
    four digits), `letters` (an account of another program, such as RT for GST/HST).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def compact(text: str) -> str:
    """The text in plain characters, upper case, without spaces, hyphens and dots."""
    if len(text) > LONGEST_INPUT:
        return ""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def parse_bn9(text: str) -> str:
    """Read a business number; raise `InvalidBN` (`digits`, `check_digit`)."""
    bn9 = compact(text)
    if not re.fullmatch(r"[0-9]{9}", bn9):
        raise InvalidBN("digits")
    if not luhn.is_valid(bn9):
        raise InvalidBN("check_digit")
    return bn9


def parse_extension(text: str) -> str:
    """Read a program account's letters and number, or its number alone, as `RM0001`.

    Raises `InvalidBN` (`extension`, `letters`).
    """
    extension = compact(text)
    if re.fullmatch(r"[0-9]{4}", extension):
        extension = f"RM{extension}"
    parts = _EXTENSION.fullmatch(extension)
    if parts is None or parts[2] == "0000":
        raise InvalidBN("extension")
    if parts[1] != "RM":
        raise InvalidBN("letters")
    return extension


def split_bn(text: str) -> tuple[str, str | None]:
    """Read a business number with or without a program: `(bn9, "RM0001")` or `(bn9, None)`.

    Raises `InvalidBN` with any of its codes.
    """
    parts = _BN15.fullmatch(compact(text))
    if parts is None:
        return parse_bn9(text), None
    return parse_bn9(parts[1]), parse_extension(parts[2])


def parse_bn15(text: str) -> tuple[str, str]:
    """Read a program account number as `(bn9, "RM0001")`; raise `InvalidBN` with any code."""
    bn9, extension = split_bn(text)
    if extension is None:
        raise InvalidBN("extension")
    return bn9, extension


def show_bn9(bn9: str) -> str:
    """A compact business number as people read it: `88831 6171`."""
    return f"{bn9[:5]} {bn9[5:]}"


def show_bn15(bn9: str, extension: str) -> str:
    """A program account number as people read it: `88831 6171 RM 0001`."""
    return f"{show_bn9(bn9)} {extension[:2]} {extension[2:]}"
