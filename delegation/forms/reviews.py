"""Forms of access reviews: answer the lines of a page, find a line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from delegation.models import AccessReviewLine, ReviewAnswer
from delegation.reviews import Choice, in_words, reducible_to
from delegation.roles import Role
from pages.forms import PortalForm

NAMED = re.compile(r"line_([0-9]{1,9})")


class AnsweredLine(NamedTuple):
    """A line on the page; without a field where it is applied already."""

    line: AccessReviewLine
    field: BoundField | None
    is_over: bool


class AccessReviewAnswerForm(PortalForm):
    """What shall become of each grant on the page: one choice a line."""

    def __init__(
        self,
        *args: Any,
        lines: Sequence[AccessReviewLine],
        own: int,
        over: set[int],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.lines, self.over = lines, over
        for line in lines:
            if line.result:
                continue
            below = [] if line.person_id == own else reducible_to(line)
            self.fields[_name(line)] = forms.ChoiceField(
                label=_("Answer for %(name)s: %(access)s")
                % {"name": line.person_name, "access": in_words(line)},
                required=False,
                initial=line.reduce_to or line.answer,
                # What is written is what the reader changed, whatever others answered meanwhile.
                show_hidden_initial=True,
                choices=_answers(below),
            )

    def rows(self) -> Iterator[AnsweredLine]:
        """The lines with their fields, for the page."""
        for line in self.lines:
            field = None if line.result else self[_name(line)]
            yield AnsweredLine(line, field, line.pk in self.over)

    def choices(self, *, keep_the_rest: bool) -> dict[int, Choice]:
        """What the reader chose, by position; with `keep_the_rest` what has no answer is kept."""
        chosen = {}
        for line in self.lines:
            name = _name(line)
            value = self.cleaned_data.get(name, "")
            if value and name in self.changed_data:
                chosen[line.position] = _choice(value)
            elif keep_the_rest and not line.answer and not line.result:
                chosen[line.position] = Choice(ReviewAnswer.KEEP)
        return chosen


class AccessReviewFilterForm(PortalForm):
    """Find lines of a review."""

    STATES = [
        ("", pgettext_lazy("access review", "All")),
        ("open", _("Without an answer")),
        ("answered", _("Answered, not applied")),
        ("applied", _("Applied")),
    ]

    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    state = forms.ChoiceField(label=_("Status"), choices=STATES, required=False)


def _name(line: AccessReviewLine) -> str:
    return f"line_{line.position}"


def _answers(below: Iterable[Role]) -> list[tuple[str, Any]]:
    return [
        ("", pgettext_lazy("access review", "No answer yet")),
        (ReviewAnswer.KEEP.value, ReviewAnswer.KEEP.label),
        *((role.value, _("Reduce to %(role)s") % {"role": role.label}) for role in below),
        (ReviewAnswer.REMOVE.value, ReviewAnswer.REMOVE.label),
    ]


def positions_in(posted: Iterable[str]) -> list[int]:
    """The positions of the lines that a post names."""
    return [int(found[1]) for name in posted if (found := NAMED.fullmatch(name))]


def _choice(value: str) -> Choice:
    if value in Role:
        return Choice(ReviewAnswer.REDUCE, Role(value))
    return Choice(ReviewAnswer(value))
