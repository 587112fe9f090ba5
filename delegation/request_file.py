"""A file of relationship requests: its columns, and what each row asks.

A row is judged by the form of a single request, so that a file can ask for nothing else. What a
row leaves empty is what the form proposes.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from businesses.models import BusinessAccount
from delegation.forms.clients import RelationshipRequestCreateForm
from delegation.models import Ceiling, Level, RelationshipRequest, RequestBatchRow, Visibility
from delegation.services.agreements import Rules
from delegation.services.batches import SENTENCES, CheckedRow, in_each_language
from delegation.services.bulk import Asked
from delegation.services.relationships import Wish
from pages.csv_file import Line, bare
from pages.forms import NOT_OFFERED

MOST_ROWS = 5_000
MOST_BYTES = 4 * 1024 * 1024

COLUMNS: dict[str, tuple[str, str]] = {
    "client_bn9": ("Business number", "Numéro d’entreprise"),
    "level": ("Level", "Niveau"),
    "extensions": ("Program accounts", "Comptes de programme"),
    "covers_future": ("Future program accounts", "Comptes de programme futurs"),
    "ceiling": ("Highest role", "Rôle maximal"),
    "visibility_broker": ("Submitted by the customs broker", "Soumis par le courtier en douane"),
    "visibility_importer": ("Submitted by the importer", "Soumis par l’importateur"),
    "visibility_other": ("Submitted by other business", "Soumis par une autre entreprise"),
    "last_day": ("Last day", "Dernier jour"),
    "comment": ("Comment", "Commentaire"),
}
"""The columns of the template, in English and in French, by the field of the form."""

REPORT: dict[str, tuple[str, str]] = {"row": ("Row", "Ligne"), "problem": ("Problem", "Problème")}
"""The columns that a list of errors adds; a file that brings them back is read without them."""

READ = COLUMNS | REPORT
REQUIRED = ("client_bn9",)

ASKED_ABOVE = gettext_lazy("Row %(row)s asks this business number already.")

GUIDE: dict[str, Promise] = {
    "client_bn9": gettext_lazy("9 digits, with or without spaces. Required."),
    "level": gettext_lazy(
        "business or program. Empty: program where the row names program accounts, else business."
    ),
    "extensions": gettext_lazy(
        "For the program level: RM 0001, RM 0002 and so on, with commas or spaces between them."
    ),
    "covers_future": gettext_lazy("yes or no, for the business level. Empty: no."),
    "ceiling": gettext_lazy("PAM, editor or reader. Empty: editor."),
    "visibility_broker": gettext_lazy("view or edit. Empty: view."),
    "visibility_importer": gettext_lazy("none, view or edit. Empty: none."),
    "visibility_other": gettext_lazy("none, view or edit. Empty: none."),
    "last_day": gettext_lazy("Year-month-day, for example 2027-03-31. Empty: the client chooses."),
    "comment": gettext_lazy("At most 500 characters. The client reads it."),
}
"""What each column holds, as the page says it."""

# What people write in a cell, besides the labels of the form in either language.
_WORDS: dict[str, dict[str, str]] = {
    "level": {"entreprise": Level.BUSINESS, "programme": Level.PROGRAM},
    "ceiling": {
        "gcp": Ceiling.PAM,
        "gestionnaire": Ceiling.PAM,
        "redacteur": Ceiling.EDITOR,
        "redaction": Ceiling.EDITOR,
        "lecteur": Ceiling.READER,
        "lecture": Ceiling.READER,
    },
    "visibility": {
        "aucun": Visibility.NONE,
        "aucune": Visibility.NONE,
        "consulter": Visibility.VIEW,
        "modifier": Visibility.EDIT,
        "modification": Visibility.EDIT,
        "consulter et modifier": Visibility.EDIT,
    },
    "covers_future": {"yes": "on", "y": "on", "oui": "on", "o": "on", "1": "on", "true": "on"}
    | dict.fromkeys(("no", "n", "non", "0", "false"), ""),
}
_YES_OR_NO = gettext_lazy("yes, no")
_OFFERED = {
    "level": gettext_lazy("business, program"),
    "ceiling": gettext_lazy("PAM, editor, reader"),
    "visibility_broker": gettext_lazy("view, edit"),
    "visibility_importer": gettext_lazy("none, view, edit"),
    "visibility_other": gettext_lazy("none, view, edit"),
}
_CHOICES: dict[str, type[TextChoices]] = {
    "level": Level,
    "ceiling": Ceiling,
    "visibility": Visibility,
}


def check(lines: Iterable[Line], firm: BusinessAccount, at: datetime) -> list[CheckedRow]:
    """What each row of a file asks, or what is wrong with it. Two queries, however many rows."""
    read = [_read(line, timezone.localdate(at)) for line in lines]
    numbers = {row.asked.client_bn9 for row in read if row.asked}
    waiting = set(
        RelationshipRequest.objects.pending_at(at)
        .filter(provider=firm)
        .filter(client_bn9__in=numbers)
        .values_list("client_bn9", flat=True)
    )
    first: dict[str, int] = {}
    return [_judged(row, firm, waiting, first) for row in read]


def _judged(
    row: CheckedRow, firm: BusinessAccount, waiting: set[str], first: dict[str, int]
) -> CheckedRow:
    """A row against the firm's own number, its waiting requests and the rows before it."""
    if row.asked is None:
        return row
    bn9, state = row.asked.client_bn9, RequestBatchRow.State.WRONG
    if bn9 == firm.bn9:
        problems = in_each_language(SENTENCES["own_business"])
    elif first.setdefault(bn9, row.number) != row.number:
        problems = in_each_language(ASKED_ABOVE, row=first[bn9])
    elif bn9 in waiting:
        state, problems = (
            RequestBatchRow.State.WAITING,
            in_each_language(SENTENCES["already_waiting"]),
        )
    else:
        return row
    return CheckedRow(row.number, row.cells, row.asked, problems, state)


def _read(line: Line, today: date) -> CheckedRow:
    cells = {name: text for name, text in line.cells.items() if name in COLUMNS}
    form = RelationshipRequestCreateForm(_answers(cells), today=today)
    is_right = form.is_valid() and not line.is_ragged and not _is_odd(cells)
    asked = Asked(form.cleaned_data["client_bn9"], wish_of(form)) if is_right else None
    problems = {} if asked else _problems(line, cells, form)
    state = RequestBatchRow.State.READY if asked else RequestBatchRow.State.WRONG
    return CheckedRow(line.number, cells, asked, problems, state)


def _answers(cells: Mapping[str, str]) -> dict[str, str]:
    """The row as the form of a single request is posted."""
    given = {name: text for name, text in cells.items() if text}
    answers = {
        "level": Level.PROGRAM if "extensions" in given else Level.BUSINESS,
        "ceiling": Ceiling.EDITOR,
        "visibility_broker": Visibility.VIEW,
        "visibility_importer": Visibility.NONE,
        "visibility_other": Visibility.NONE,
    } | {name: _meant(name, text) for name, text in given.items()}
    return {name: str(answer) for name, answer in answers.items() if answer != ""}


def _meant(column: str, text: str) -> str:
    """The answer that a cell means; the text itself where it is none that is known."""
    if column == "extensions":
        return ", ".join(_split(text))
    kind = column.partition("_")[0] if column.startswith("visibility") else column
    words = _words(kind) if kind in _WORDS else {}
    return words.get(bare(text), text)


def _split(text: str) -> list[str]:
    """The program accounts of a cell, with commas, semicolons, lines or spaces between them."""
    marked = re.sub(r"[;\r\n]+", ",", text)
    if "," in marked:
        return [part.strip() for part in marked.split(",") if part.strip()]
    parts = re.findall(r"(?:[^\W\d_]{2})?[\s-]*[0-9]{4}", text)
    return parts if "".join(parts).replace(" ", "") == text.replace(" ", "") else [text]


@cache
def _words(kind: str) -> dict[str, str]:
    """Every word for an answer: its value, its labels in both languages, what else is written."""
    words = {bare(word): str(value) for word, value in _WORDS[kind].items()}
    for choice in _CHOICES[kind] if kind in _CHOICES else ():
        words[bare(choice.value)] = choice.value
        for language, _name in settings.LANGUAGES:
            with override(language):
                words[bare(str(choice.label))] = choice.value
    return words


def _is_odd(cells: Mapping[str, str]) -> bool:
    """Whether the one column that answers yes or no says something else."""
    text = cells.get("covers_future", "")
    return bool(text) and bare(text) not in _WORDS["covers_future"]


def wish_of(form: RelationshipRequestCreateForm) -> Wish:
    """What a valid form asks for."""
    answers = form.cleaned_data
    return Wish(
        level=Level(answers["level"]),
        extensions=answers["extensions"],
        covers_future=answers["covers_future"],
        ceiling=Ceiling(answers["ceiling"]),
        rules=Rules(
            Visibility(answers["visibility_broker"]),
            Visibility(answers["visibility_importer"]),
            Visibility(answers["visibility_other"]),
        ),
        last_day=answers["last_day"],
        comment=answers["comment"],
    )


def _problems(
    line: Line, cells: Mapping[str, str], form: RelationshipRequestCreateForm
) -> dict[str, list[str]]:
    """What is wrong with a row, in each language: the column and what to do.

    The form is asked once: its errors wait for the language in which they are read.
    """
    wrong = [(name, error) for name, errors in form.errors.as_data().items() for error in errors]
    said = {}
    for place, (language, _name) in enumerate(settings.LANGUAGES):
        with override(language):
            told = [
                (name, _sentence(form, name, words))
                for name, error in wrong
                for words in error.messages
            ]
            if _is_odd(cells):
                told.append(("covers_future", _not_offered(cells["covers_future"], _YES_OR_NO)))
            said[language] = [
                _("%(column)s: %(problem)s") % {"column": COLUMNS[name][place], "problem": words}
                for name, words in told
            ]
            if line.is_ragged:
                said[language].append(_("The row has more cells than there are columns."))
    return said


def _sentence(form: RelationshipRequestCreateForm, name: str, error: str) -> str:
    """An error of the form in words that fit a cell: a choice names what can be written."""
    if name not in _OFFERED or error != str(NOT_OFFERED):
        return error
    return _not_offered(str(form.data[name]), _OFFERED[name])


def _not_offered(text: str, offered: Promise) -> str:
    words = _("“%(text)s” is none of these: %(words)s.")
    return words % {"text": text[:40], "words": offered}
