"""What a change of terms would widen and what it would narrow, in words, before it is made."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from businesses.models import ProgramAccount
from delegation.models import Ceiling, RelationshipTerms, Visibility
from delegation.models.relationships import VisibilityRules
from delegation.services.agreements import Agreement
from delegation.terms import CLIENT_LABELS, program_label, until

CEILINGS = (Ceiling.READER, Ceiling.EDITOR, Ceiling.PAM)
RULES = tuple(Visibility)


@dataclass(frozen=True)
class Differences:
    """One sentence for each thing that becomes more, or less."""

    widens: tuple[str, ...]
    narrows: tuple[str, ...]


@dataclass(frozen=True)
class _Facet:
    """One thing that is agreed: how much, to compare, and how it reads."""

    name: str
    rank: float
    words: str


def differences(
    terms: Iterable[RelationshipTerms],
    agreement: Agreement,
    programs: Sequence[ProgramAccount],
    *,
    keeps_others: bool,
) -> Differences:
    """What becomes of each of the programs, where the agreement takes the place of the terms."""
    rows = list(terms)
    found: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for program in programs:
        label = program_label(program)
        before = next((row for row in rows if row.covers(program.pk)), None)
        is_in = agreement.covers_future or program.pk in agreement.programs
        if is_in and before:
            for is_more, words in _changes(before, agreement):
                found[is_more, words].append(label)
        elif program.pk in agreement.programs:
            found[True, _("the firm can act on it")].append(label)
        elif is_in:
            found[True, _("closed, the firm can read what was submitted on it")].append(label)
        elif before and not keeps_others:
            found[False, _("the firm can no longer act on it")].append(label)
    is_whole = any(row.program_id is None for row in rows)
    future = _("Program accounts opened later")
    if agreement.covers_future and not is_whole:
        found[True, _("the firm can act on them")].append(future)
    if is_whole and not agreement.covers_future:
        found[False, _("the firm cannot act on them")].append(future)
    said = _("%(programs)s: %(what)s")
    lines = [
        (is_more, said % {"programs": ", ".join(names), "what": words})
        for (is_more, words), names in found.items()
    ]
    return Differences(
        tuple(line for is_more, line in lines if is_more),
        tuple(line for is_more, line in lines if not is_more),
    )


def _changes(before: RelationshipTerms, agreement: Agreement) -> list[tuple[bool, str]]:
    """Whether each thing that differs becomes more, and in which words."""
    after = RelationshipTerms(
        ceiling=agreement.ceiling,
        may_submit=agreement.may_submit,
        may_pay=agreement.may_pay,
        may_see_amounts=agreement.may_see_amounts,
        **agreement.rules.columns(),
    )
    said = _("%(name)s, from “%(was)s” to “%(becomes)s”")
    pairs = zip(
        _facets(before, before.effective_end), _facets(after, agreement.ends_at), strict=True
    )
    return [
        (
            new.rank > old.rank,
            said % {"name": new.name, "was": old.words, "becomes": new.words},
        )
        for old, new in pairs
        if new.rank != old.rank
    ]


def _facets(terms: RelationshipTerms, ends_at: datetime | None) -> list[_Facet]:
    ceiling = Ceiling(terms.ceiling)
    end = ends_at.timestamp() if ends_at else float("inf")
    return [
        _Facet(_("the most that it can do"), CEILINGS.index(ceiling), str(ceiling.label)),
        *_rules(terms),
        _yes_or_no(_("submit and correct declarations"), terms.may_submit),
        _yes_or_no(_("pay"), terms.may_pay),
        _yes_or_no(_("see the amounts of everybody’s submissions"), terms.may_see_amounts),
        _Facet(_("in force"), end, until(ends_at)),
    ]


def _rules(rules: VisibilityRules) -> list[_Facet]:
    found = []
    for name, label in CLIENT_LABELS.items():
        rule = Visibility(getattr(rules, name))
        found.append(_Facet(str(label), RULES.index(rule), str(rule.label)))
    return found


def _yes_or_no(name: str, is_given: bool) -> _Facet:
    return _Facet(name, int(is_given), _("yes") if is_given else _("no"))
