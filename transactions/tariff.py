"""Words and forms of the customs tariff: how a code is written, and what it stands for."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from localflavor.us.us_states import CONTIGUOUS_STATES, NON_CONTIGUOUS_STATES

from accounts.models import Language
from businesses.countries import countries

TREATMENTS: dict[str, str | Promise] = {
    "2": _("Most-Favoured-Nation"),
    "3": _("General"),
    "9": _("General Preferential"),
    "10": _("United States"),
    "11": _("Mexico"),
    "14": _("Chile"),
    "25": _("Peru"),
    "30": _("Korea"),
    "31": _("European Union (CETA)"),
    "33": _("Trans-Pacific Partnership (CPTPP)"),
    "34": _("United Kingdom"),
}
"""The tariff treatments that most goods come under, by the code that a declaration gives.

Sources: CBSA Customs Notices 23-21 (10, 11), 21-23 (33) and 21-06 (34); CBSA as told by the
brokers' society, June 2017 (31); a list published in August 2016 (the others). Any other code is
shown as it is.
"""

STATES = frozenset(code for code, _name in (*CONTIGUOUS_STATES, *NON_CONTIGUOUS_STATES))


def is_origin(code: str) -> bool:
    """Whether goods can come from there: a country, or U and a state of the United States."""
    if len(code) == 3:
        return code[0] == "U" and code[1:] in STATES
    return code in dict(countries(Language.ENGLISH))


def show_hs_code(code: str) -> str:
    """A classification number as the tariff prints it: `9403.60.10.00`.

    Heading and subheading, Canadian tariff item, statistical suffix. Source: CBSA, How to read
    tariff classification numbers.
    """
    return f"{code[:4]}.{code[4:6]}.{code[6:8]}.{code[8:]}"


def show_treatment(code: str) -> str:
    """A tariff treatment by its code, and its name where it is known: `2, Most-Favoured-Nation`."""
    name = TREATMENTS.get(code)
    return f"{code}, {name}" if name else code
