"""How days, moments and amounts are written, and where a local day begins and ends.

The language is the active translation. Forms: English (Canada) and French (Canada) of the
Canada.ca content style guides. The spaces inside a time do not break; in French neither do those
inside a date or an amount, the first of the month is "1er" and a negative amount carries the
minus sign.
"""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS
from django.utils.translation import get_language
from django.utils.translation import gettext as _

EASTERN = ZoneInfo("America/Toronto")
CENT = Decimal("0.01")
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def is_french() -> bool:
    """Whether the page is being written in French."""
    return (get_language() or "").startswith("fr")


def money(amount: Decimal) -> str:
    """An amount in Canadian dollars, rounded half up to the cent: `$1,234.56`, `1 234,56 $`."""
    cents = amount.quantize(CENT, ROUND_HALF_UP)
    digits = f"{abs(cents):,.2f}"
    if is_french():
        digits = digits.replace(",", NO_BREAK).replace(".", ",")
        return f"{MINUS if cents < 0 else ''}{digits}{NO_BREAK}$"
    return f"{'-' if cents < 0 else ''}${digits}"


def whole(number: int) -> str:
    """A whole number with its thousands apart: `1,000` or `1 000`."""
    digits = f"{number:,}"
    return digits.replace(",", NO_BREAK) if is_french() else digits


def day(on: date) -> str:
    """A day in words: `November 22, 2026`, `22 novembre 2026`, `1er décembre 2026`."""
    month = str(MONTHS[on.month])
    if is_french():
        return NO_BREAK.join(["1er" if on.day == 1 else str(on.day), month, str(on.year)])
    return f"{month} {on.day}, {on.year}"


def moment(at: datetime) -> str:
    """An instant in Eastern time, to the minute.

    `November 22, 2026, 3:05 p.m. ET`, `22 novembre 2026 à 15 h 05 (heure de l’Est)`.
    """
    between = " à " if is_french() else ", "
    return f"{day(at.astimezone(EASTERN))}{between}{time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """The minute of an instant, in Eastern time: `3:05 p.m. ET`, `15 h 05 (heure de l’Est)`."""
    local = at.astimezone(EASTERN)
    if is_french():
        return f"{local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02} (heure de l’Est)"
    half = "a.m." if local.hour < 12 else "p.m."
    return NO_BREAK.join([f"{local.hour % 12 or 12}:{local.minute:02}", half, "ET"])


def start_of_day(on: date) -> datetime:
    """The instant at which the local day begins: midnight in Toronto."""
    return datetime.combine(on, time.min, tzinfo=EASTERN)


def end_of_day(on: date) -> datetime:
    """The instant at which the local day is over, exclusive: midnight of the next day."""
    return start_of_day(on + timedelta(days=1))


def last_day(ends_at: datetime) -> date:
    """The last local day that a period ending at `ends_at`, exclusive, touches."""
    return (ends_at - timedelta(microseconds=1)).astimezone(EASTERN).date()


def until(ends_at: datetime) -> str:
    """Until when a period lasts: a local day where it ends with one, else the moment."""
    last = last_day(ends_at)
    if ends_at == end_of_day(last):
        return _("until the end of %(day)s (Eastern time)") % {"day": day(last)}
    return _("until %(moment)s") % {"moment": moment(ends_at)}
