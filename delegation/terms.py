"""What was agreed between a client and a provider, in words.

Both sides read the same sentences.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from businesses.models import ProgramAccount
from delegation.models import Ceiling, Level, RelationshipTerms, Visibility
from delegation.models.relationships import VisibilityRules
from pages import formats
from pages.formats import day, last_day

type Words = str | Promise

CLIENT_LABELS: dict[str, Words] = {
    "visibility_broker": gettext_lazy("Submitted by the customs broker"),
    "visibility_importer": gettext_lazy("Submitted by you (the importer)"),
    "visibility_other": gettext_lazy("Submitted by other business"),
}
"""The visibility rules as the client reads them."""

PROVIDER_LABELS: dict[str, Words] = CLIENT_LABELS | {
    "visibility_importer": gettext_lazy("Submitted by the importer (your client)")
}
"""The visibility rules as the provider reads them, to whom “you” would be itself."""


RIGHTS: dict[str, Words] = {
    "may_submit": gettext_lazy("Submit and correct declarations, where it is a customs broker"),
    "may_pay": gettext_lazy("Pay"),
    "may_see_amounts": gettext_lazy("See the amounts of everybody’s submissions"),
}
"""What else can be agreed to, by name."""


@dataclass(frozen=True)
class State:
    """A state in one word, and what it means; `kind` is that of the status tag.

    `reason` is why it was ended, where somebody wrote it down.
    """

    kind: str
    label: str
    detail: str = ""
    is_over: bool = False
    reason: str = ""


# Scope and time


def program_label(program: ProgramAccount) -> str:
    """A program account by its extension and name: `RM 0001 Furniture`."""
    return f"{extension_label(program.extension)} {program.name}".strip()


def extension_label(extension: str) -> str:
    """An extension as people read it, `RM 0001`; the empty one stands for the whole business."""
    return f"{extension[:2]} {extension[2:]}" if extension else _("The whole business")


def programs_in_words(terms: Iterable[RelationshipTerms]) -> tuple[str, ...]:
    """The program accounts that the terms cover, by extension."""
    programs = {row.program for row in terms}
    if None in programs:
        return (_("All program accounts, those opened later included"),)
    return tuple(sorted(program_label(program) for program in programs if program))


def until(ends_at: datetime | None) -> str:
    """Until when, or that there is no end."""
    return _("with no expiry date") if ends_at is None else formats.until(ends_at)


# Terms that are kept


def live_terms(terms: Iterable[RelationshipTerms], at: datetime) -> list[RelationshipTerms]:
    """The terms that are not over, also where the relationship is suspended: what can be ended."""
    return [row for row in terms if row.active_at(at) and row.relationship.active_at(at)]


def renewable_terms(terms: Iterable[RelationshipTerms], at: datetime) -> list[RelationshipTerms]:
    """The terms that can go on until a later day: those that have an end and are not over.

    Of a relationship that is over, those that lasted until its end.
    """
    rows = [row for row in terms if row.effective_start <= at]
    if any(row.relationship.active_at(at) for row in rows):
        return [row for row in live_terms(rows, at) if row.ends_at is not None]
    ends = {row.pk: row.effective_end for row in rows if row.effective_end}
    last = max(ends.values(), default=None)
    return [row for row in rows if ends.get(row.pk) == last and row.effective_start < ends[row.pk]]


def extensions(terms: Iterable[RelationshipTerms]) -> list[str]:
    """The program accounts of the terms by extension, as history keeps them; "" for all of them."""
    return sorted(row.program.extension if row.program else "" for row in terms)


def fingerprint(terms: Iterable[RelationshipTerms]) -> str:
    """What a page carries of the terms that it shows, to know them again: SHA-256 in hex.

    They are others once their end has moved.
    """
    ends = {row.pk: row.effective_end for row in terms}
    shown = [f"{pk}:{end.timestamp() if end else ''}" for pk, end in sorted(ends.items())]
    return sha256(" ".join(shown).encode()).hexdigest()


@dataclass(frozen=True)
class Agreed:
    """Terms that were agreed together, for one or several program accounts, in words.

    They differ in nothing but the program account: rights, signature and consent are of each.
    """

    programs: tuple[str, ...]
    level: str
    ceiling: str
    rules: tuple[tuple[Words, str], ...]
    rights: tuple[str, ...]
    until: str
    open_end_reason: str
    consent_version: str
    is_in_force: bool
    agreed_by: str
    agreed_at: datetime


def agreed(
    terms: Iterable[RelationshipTerms], at: datetime, labels: dict[str, Words]
) -> list[Agreed]:
    """The terms in words, newest first; those of one act that ended in one stand together."""
    ordered = sorted(terms, key=_act, reverse=True)
    groups = (list(rows) for _key, rows in groupby(ordered, key=_act))
    return [_agreed(rows, at, labels) for rows in groups]


def _act(terms: RelationshipTerms) -> tuple[datetime, str]:
    """What terms must have in common to stand together: everything but the program account."""
    apart = {"id", "program_id", "starts_at", "ends_at"}
    kept = [
        str(getattr(terms, field.attname))
        for field in RelationshipTerms._meta.concrete_fields
        if field.attname not in apart
    ]
    return terms.starts_at, "\0".join([str(terms.effective_end), *kept])


def _agreed(rows: Sequence[RelationshipTerms], at: datetime, labels: dict[str, Words]) -> Agreed:
    first = rows[0]
    return Agreed(
        programs=programs_in_words(rows),
        level=str(Level(first.level).label),
        ceiling=str(Ceiling(first.ceiling).label),
        rules=rules_in_words(first, labels),
        rights=tuple(str(label) for name, label in RIGHTS.items() if getattr(first, name)),
        until=until(first.effective_end),
        open_end_reason=first.open_end_reason,
        consent_version=first.consent_version,
        is_in_force=first.in_force_at(at),
        agreed_by=first.agreed_by.get_full_name(),
        agreed_at=first.agreed_at,
    )


def rules_in_words(
    rules: VisibilityRules, labels: dict[str, Words]
) -> tuple[tuple[Words, str], ...]:
    """Each visibility rule: whose submissions, and what may be done with them."""
    return tuple(
        (label, str(Visibility(getattr(rules, rule)).label)) for rule, label in labels.items()
    )


def state_of(
    terms: Collection[RelationshipTerms], at: datetime, *, lasts_elsewhere: bool = False
) -> State:
    """What a relationship is now, by all the terms of it, begun by now, that its reader may know.

    The terms decide and not the relationship's row: authority lasts as long as both. Where all
    of them are over, `lasts_elsewhere` says that others, which the reader may not know, are not.
    """
    ends = [row.effective_end for row in terms if row.in_force_at(at)]
    if ends:
        ends_at = None if None in ends else max(end for end in ends if end)
        return State("success", _("Active"), capfirst(until(ends_at)))
    if any(row.active_at(at) and row.relationship.active_at(at) for row in terms):
        return State("warning", _("Suspended"), _("Nobody of the firm has access"))
    ended_at, is_deliberate, reason = max(
        (row.effective_end or at, row.ended_by_id is not None, row.relationship.end_reason)
        for row in terms
    )
    on = {"day": day(last_day(ended_at))}
    if is_deliberate:
        label = _("Ended on your program accounts") if lasts_elsewhere else _("Ended")
        return State("neutral", label, _("On %(day)s") % on, is_over=True, reason=reason)
    label = _("Expired on your program accounts") if lasts_elsewhere else _("Expired")
    expired = _("At the end of %(day)s (Eastern time)") % on
    return State("neutral", label, expired, is_over=True)
