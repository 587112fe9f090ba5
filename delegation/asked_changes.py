"""A request of a firm that acts for the client already: a renewal or a change of what holds now."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from delegation.access import Access
from delegation.clients import clients_of
from delegation.models import (
    Ceiling,
    Level,
    RelationshipRequest,
    RelationshipTerms,
    Visibility,
)
from delegation.relationships import managed_programs
from delegation.terms import CLIENT_LABELS, Words, extension_label, programs_in_words, until
from pages.formats import end_of_day


class Change(NamedTuple):
    """One thing that a request asks to be otherwise than it is today."""

    what: Words
    today: str
    asked: str


def asked_changes(
    access: Access, waiting: RelationshipRequest, in_force: Sequence[RelationshipTerms]
) -> list[Change]:
    """What a request asks for, where it differs from the terms in force: a PAM's of its own."""
    wished = waiting.wished_last_day
    rows = [
        Change(_("Level"), _each(in_force, "level", Level), str(waiting.get_level_display())),
        Change(
            _("Program accounts"),
            ", ".join(programs_in_words(in_force)),
            _programs(access, waiting, in_force),
        ),
        Change(_("At most"), _each(in_force, "ceiling", Ceiling), waiting.get_ceiling_display()),
        *(
            Change(
                label,
                _each(in_force, rule, Visibility),
                str(Visibility(getattr(waiting, rule)).label),
            )
            for rule, label in CLIENT_LABELS.items()
        ),
        Change(
            _("Last day"),
            _ends(in_force),
            capfirst(until(end_of_day(wished))) if wished else _("As you choose"),
        ),
    ]
    return [row for row in rows if row.today != row.asked]


def _each(terms: Iterable[RelationshipTerms], column: str, words: Any) -> str:
    """What the terms say in one column, each answer once."""
    return ", ".join(sorted({str(words(getattr(row, column)).label) for row in terms}))


def _programs(
    access: Access, waiting: RelationshipRequest, in_force: Sequence[RelationshipTerms]
) -> str:
    """The program accounts asked for, called as the terms of today call them."""
    extensions = sorted(line.extension for line in waiting.lines.all())
    if not access.is_bam:
        mine = {program.extension for program in managed_programs(access)}
        extensions = [one for one in extensions if one in mine]
    if extensions == [""]:
        whole = _("All program accounts, those opened later included")
        return whole if waiting.covers_future else extension_label("")
    known = {row.program.extension: row.program for row in in_force if row.program}
    named = [
        programs_in_words([row])[0]
        for extension in extensions
        for row in in_force
        if row.program and row.program == known.get(extension)
    ]
    others = [extension_label(one) for one in extensions if one not in known]
    return ", ".join([*named, *others])


def _ends(terms: Iterable[RelationshipTerms]) -> str:
    return ", ".join(sorted({capfirst(until(row.effective_end)) for row in terms}))


def asked_of_a_client(access: Access, client_bn9: str) -> dict[str, Any]:
    """How the form of a request begins: with what holds now, where the number is a client's."""
    client = access.clients().filter(bn9=client_bn9).first()
    if client is None:
        return {"client_bn9": client_bn9}
    [known] = clients_of(access, [client])
    terms = _latest(known.terms, access.at)
    extensions = sorted({row.program.extension for row in terms if row.program})
    first = terms[0]
    return {
        "client_bn9": client_bn9,
        "level": first.level,
        "extensions": ", ".join(map(extension_label, extensions))
        if first.level == Level.PROGRAM
        else "",
        "covers_future": any(row.program is None for row in terms),
        "ceiling": first.ceiling,
        **{rule: _within(first.ceiling, getattr(first, rule)) for rule in CLIENT_LABELS},
    }


def _within(ceiling: str, right: str) -> str:
    """What a visibility rule lets do at most: a Reader edits nothing."""
    is_beyond = ceiling == Ceiling.READER and right == Visibility.EDIT
    return Visibility.VIEW if is_beyond else right


def _latest(terms: Sequence[RelationshipTerms], at: datetime) -> list[RelationshipTerms]:
    """The terms in force, or those agreed last where none are."""
    in_force = [row for row in terms if row.in_force_at(at)]
    newest = max(row.starts_at for row in terms)
    return in_force or [row for row in terms if row.starts_at == newest]
