"""What a visibility rule would open at once: how many records, since when, of how many firms.

Rooms above register what they count; this one knows no record. A count is capped, so that a page
costs the same for an importer with ten declarations and one with a million.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.models import BusinessAccount, ProgramAccount
from delegation.models import Visibility
from delegation.terms import CLIENT_LABELS, Words
from pages.formats import day, whole

MOST = 1000
"""What is more than this reads as “1,000+”."""


@dataclass(frozen=True)
class Opening:
    """The records of one kind of submitter that are there now; `count` is at most one over `MOST`.

    `firms` is how many businesses submitted them. Where there are too many, neither they nor the
    oldest need be known.
    """

    count: int = 0
    oldest: datetime | None = None
    firms: int = 0

    def __str__(self) -> str:
        return whole(self.count) if self.count <= MOST else f"{whole(MOST)}+"


type Counter = Callable[[BusinessAccount | None, Sequence[ProgramAccount]], Mapping[str, Opening]]
"""Counts what the programs hold for a provider, by the name of the visibility rule.

Of no provider, everybody but the client is another firm.
"""

_counters: list[Counter] = []


def register(counter: Counter) -> None:
    """Count what this knows beside each visibility rule."""
    _counters.append(counter)


def openings(
    provider: BusinessAccount | None, programs: Iterable[ProgramAccount]
) -> dict[str, Opening]:
    """What each rule, by its name, would open to the provider on these programs now.

    Of an offer nobody knows who the provider is, nor whether there is one.
    """
    known = list(programs)
    if not known:
        return dict.fromkeys(CLIENT_LABELS, Opening())
    counted = [counter(provider, known) for counter in _counters]
    return {rule: _together([one[rule] for one in counted]) for rule in CLIENT_LABELS}


def offered(found: Mapping[str, Opening]) -> dict[str, str]:
    """Beside each rule of a form, by its name: what it opens with each answer."""
    said = {}
    for rule, opening in found.items():
        words = _("Declarations that View opens now: %(count)s. None opens: 0.")
        if rule == "visibility_broker":
            words = _("Declarations that the firm submitted itself and sees now: %(count)s.")
        said[rule] = " ".join([words % {"count": opening}, *_more(rule, opening)])
    return said


def chosen(
    found: Mapping[str, Opening], rules: Mapping[str, Visibility]
) -> list[tuple[Words, str]]:
    """What each rule opens as it was chosen."""
    said: list[tuple[Words, str]] = []
    for rule, opening in found.items():
        is_open = rules[rule] != Visibility.NONE
        words = _("Declarations that this opens now: %(count)s.")
        told = [words % {"count": opening if is_open else whole(0)}]
        said.append((CLIENT_LABELS[rule], " ".join([*told, *(_more(rule, opening) * is_open)])))
    return said


def _more(rule: str, opening: Opening) -> list[str]:
    """Since when, and of how many others, as far as it is known."""
    said = []
    if opening.oldest:
        said.append(
            _("The oldest is of %(day)s.") % {"day": day(timezone.localdate(opening.oldest))}
        )
    if rule == "visibility_other" and opening.firms:
        said.append(_("Other firms that submitted them: %(count)s.") % {"count": opening.firms})
    return said


def _together(parts: Sequence[Opening]) -> Opening:
    oldest = min((one.oldest for one in parts if one.oldest), default=None)
    count = min(sum(one.count for one in parts), MOST + 1)
    return Opening(count, oldest, max((one.firms for one in parts), default=0))
