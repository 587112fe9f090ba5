"""What became of a request, in words, whether a person or a firm asked: its lines tell it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from django.db.models.enums import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from delegation.access import Access
from delegation.models import AccessRequest, Decision, RelationshipRequest, Status
from delegation.roles import Action
from delegation.terms import State, extension_label

type Words = str | Promise

TAGS = {
    Status.PENDING: "warning",
    Status.LAPSED: "neutral",
    Status.APPROVED: "success",
    Status.REJECTED: "danger",
    Status.WITHDRAWN: "neutral",
}
"""The kind of status tag of a request."""


class Stage(TextChoices):
    """Where a request stands for the manager who reads the list."""

    WAITING = "waiting", gettext_lazy("Waiting for my decision")
    DECIDED = "decided", pgettext_lazy("requests", "Decided")
    LAPSED = "lapsed", pgettext_lazy("requests", "Lapsed")


class DecidedLine(Protocol):
    """A line of a request in words, as far as what became of it is told."""

    @property
    def decision(self) -> Decision | None: ...

    @property
    def decided_at(self) -> datetime | None: ...

    @property
    def reason(self) -> str: ...


class Titles(NamedTuple):
    """What the one who asked reads about each thing that can happen to a request."""

    sent: Words
    waiting: Words
    approved: Words
    in_part: Words
    rejected: Words
    withdrawn: Words
    lapsed: Words


@dataclass(frozen=True)
class Step[Line]:
    """One entry of a request's timeline."""

    title: Words
    at: datetime | None
    lines: tuple[Line, ...] = ()
    reason: str = ""


def request_tag(status: Status) -> State:
    """The status of a request or a line as a tag; what waits reads the same for everybody."""
    is_over = status is not Status.PENDING
    return State(TAGS[status], str(status.label) if is_over else _("Waiting"), is_over=is_over)


def request_state(waiting: AccessRequest | RelationshipRequest, at: datetime) -> State:
    """The headline of a request: how it ended, and that something was approved before it did."""
    status = waiting.status_at(at)
    lines = waiting.lines.all()
    approved = [line for line in lines if line.decision == Decision.APPROVED]
    if status is Status.PENDING or not 0 < len(approved) < len(lines):
        return request_tag(status)
    return State(TAGS[Status.APPROVED], _("Approved in part"), is_over=True)


def is_approved(lines: Iterable[DecidedLine]) -> bool:
    """Whether anything that was asked for was given."""
    return any(line.decision is Decision.APPROVED for line in lines)


def not_givable(
    waiting: AccessRequest | RelationshipRequest, access: Access, action: Action
) -> list[str]:
    """What waits in a request and cannot be given by anybody, one sentence for each.

    Whether a program account exists is for a BAM to know; a PAM learns it of its own.
    """
    business = access.acting_for
    closed = access.closed_programs(business.pk)
    known = {program.extension: program for program in access.overseen(action)}
    said = []
    for extension in sorted({line.extension for line in waiting.lines.all() if not line.decision}):
        about = {"program": extension_label(extension), "business": business.name}
        if extension in known and known[extension].pk in closed:
            said.append(_("%(program)s is closed: nothing can be given on it.") % about)
        elif extension and extension not in known and access.is_bam:
            words = _("%(program)s is not a program account of %(business)s: nothing can be given.")
            said.append(words % about)
    return said


def steps_of[Line: DecidedLine](
    waiting: AccessRequest | RelationshipRequest,
    lines: Collection[Line],
    titles: Titles,
    at: datetime,
) -> list[Step[Line]]:
    """What happened, newest first, beginning with what is awaited: one step for each act."""
    acts: dict[tuple[datetime, bool], list[Line]] = defaultdict(list)
    for line in lines:
        if line.decided_at:
            acts[line.decided_at, line.decision is Decision.WITHDRAWN].append(line)
    steps: list[Step[Line]] = [Step(titles.sent, waiting.starts_at)]
    for (decided_at, _is_withdrawal), act in sorted(acts.items()):
        steps.append(Step(_title(act, titles), decided_at, tuple(act), act[0].reason))
    status = waiting.status_at(at)
    if status is Status.LAPSED:
        steps.append(Step(titles.lapsed, waiting.closes_at))
    if status is Status.PENDING:
        steps.append(Step(titles.waiting, None))
    return steps[::-1]


def _title(act: Sequence[DecidedLine], titles: Titles) -> Words:
    """What one act did to the lines that it decided."""
    decisions = {line.decision for line in act}
    if Decision.WITHDRAWN in decisions:
        return titles.withdrawn
    if decisions == {Decision.APPROVED}:
        return titles.approved
    return titles.rejected if decisions == {Decision.REJECTED} else titles.in_part
