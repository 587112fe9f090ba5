"""Program accounts to choose from. A business may have hundreds: a form shows a part of them.

It draws at most `SHOWN`: first those that are chosen already, then the others by number. A search
names others and a button goes on to the next; both post the form, which comes back unjudged. What
is chosen and not drawn stays chosen: it stands in one hidden input beside those that are drawn.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.bn import InvalidBN, parse_bn15
from pages.forms import PortalForm

SHOWN = 25
"""How many program accounts one page of a form draws."""
NAMED = 10
"""How many of those that are chosen and not drawn it names."""
FIND = "find_programs"
"""The button that looks for program accounts; its value is the one after which they begin."""
ENTER = "enter"
"""The button that a browser presses when somebody presses Enter in a field: the first one of the
form, which nobody sees. It looks for program accounts where other words are looked for than those
that the page was drawn with, in `FOUND`, and otherwise goes on."""
FOUND = "found"
KEPT = "_kept"
"""The end of the name of the input that holds what is chosen and not drawn."""


@dataclass(frozen=True)
class Found:
    """The values drawn, the one after which the next page begins ("" at the end), and whether
    there are others: only then is there anything to look for.
    """

    shown: tuple[str, ...]
    next_after: str
    is_part: bool
    is_first: bool


def find_programs(
    labels: Mapping[str, str], first: Collection[str], *, words: str = "", after: str = ""
) -> Found:
    """A page of `labels` in their order, all of whose words are looked for, below `after`.

    On the page without either, those in `first` come first, where they leave room for others.
    """
    if len(labels) <= SHOWN:
        return Found(tuple(labels), "", is_part=False, is_first=True)
    values, wanted = list(labels), _wanted(words)
    below = values[values.index(after) + 1 :] if after else values
    every = [value for value in below if _has(labels[value], wanted)]
    ahead = [value for value in every if value in first] if not after and not words else []
    if len(ahead) >= SHOWN:
        ahead = []
    rest = [value for value in every if value not in ahead]
    shown = rest[: SHOWN - len(ahead)]
    next_after = shown[-1] if len(rest) > len(shown) else ""
    return Found((*ahead, *shown), next_after, is_part=True, is_first=not after)


def _wanted(words: str) -> list[str]:
    """The words looked for; a program account number is looked for by its extension."""
    with suppress(InvalidBN):
        words = parse_bn15(words)[1]
    return words.casefold().split()


def _has(label: str, wanted: Collection[str]) -> bool:
    """Whether a label has all the words."""
    text = label.casefold()
    joined = text.replace("rm ", "rm")
    return all(word in text or word in joined for word in wanted)


class FindsPrograms(PortalForm):
    """A form over program accounts, which shows those that are looked for.

    A form calls `look` once it knows the labels by value and what is chosen of them.
    """

    find = forms.CharField(
        label=_("Find a program account by its number or name"), max_length=100, required=False
    )

    def look(
        self, labels: Mapping[str, str], chosen: Mapping[str, str], first: Collection[str] = ()
    ) -> Found:
        """Find what the page draws, `first` and chosen ones before others.

        `chosen` says of each value that is chosen how it is named where it is not drawn.
        """
        words, after = str(self["find"].value() or ""), str(self.data.get(FIND, ""))
        self.found = find_programs(
            labels, {*chosen, *first}, words=words, after=after if after in labels else ""
        )
        elsewhere = [name for value, name in chosen.items() if value not in self.found.shown]
        self.elsewhere, self.more_elsewhere = elsewhere[:NAMED], len(elsewhere[NAMED:])
        return self.found

    @property
    def is_finding(self) -> bool:
        """Whether the post looks for program accounts and decides nothing."""
        words = str(self["find"].value() or "")
        return FIND in self.data or (ENTER in self.data and words != self.data.get(FOUND, ""))


class KeptPrograms(forms.HiddenInput):
    """Values in one hidden input, for a page that draws none of them."""

    def format_value(self, value: Any) -> str:
        """The values, apart by spaces."""
        return " ".join(value or ())

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the input says, under the name that the check boxes leave to it."""
        return super().get_context(f"{name}{KEPT}", value, attrs)


class ProgramBoxes(forms.CheckboxSelectMultiple):
    """A check box for each program account drawn; those ticked elsewhere are in `KEPT`."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """All that are ticked, drawn or not."""
        ticked = super().value_from_datadict(data, files, name) or []
        return list(dict.fromkeys([*ticked, *str(data.get(f"{name}{KEPT}", "")).split()]))


class ProgramsField(forms.MultipleChoiceField):
    """Program accounts that are ticked."""

    widget = ProgramBoxes
    hidden_widget = KeptPrograms


class ProgramsForm(FindsPrograms):
    """A form in which program accounts are ticked, in its field `programs`."""

    kept_name = f"programs{KEPT}"

    programs = ProgramsField(label=_("Program accounts"))

    def offer(self, labels: Mapping[str, str]) -> None:
        """Let these program accounts be ticked, by value and in its order; draw a part of them."""
        field = self.fields["programs"]
        ticked = [value for value in self["programs"].value() or () if value in labels]
        shown = self.look(labels, {value: labels[value] for value in ticked}).shown
        field.choices = list(labels.items())  # type: ignore[attr-defined]
        field.widget.choices = [(value, labels[value]) for value in shown]
        self.kept = " ".join(value for value in ticked if value not in shown)
