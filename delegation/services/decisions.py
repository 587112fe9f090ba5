"""What deciding a waiting request has in common, whether a person or a firm asked."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    Decision,
    RelationshipRequest,
    RelationshipRequestLine,
    Status,
)
from delegation.models.requests import TRANSITIONS, Request
from delegation.permissions import why_undecidable
from delegation.reasons import Reason
from delegation.roles import Action
from delegation.terms import program_label
from pages.formats import moment

Problem = tuple[str, str]
"""The code and the words of a refusal."""


def lock[W: Request](waiting: W) -> W:
    """The request as it is now, held until the transaction ends."""
    return QuerySet(type(waiting)).select_for_update(no_key=True).get(pk=waiting.pk)


def why_not_decidable(
    waiting: Request, decision: Decision, expected_version: int | None, at: datetime
) -> Problem | None:
    """Why the locked request cannot be decided so now, or nothing.

    `expected_version` is the version that the form showed; empty where no form shows one.
    """
    status = waiting.status_at(at)
    if decision not in TRANSITIONS[status]:
        return _already(waiting, status, is_asker=decision is Decision.WITHDRAWN)
    if expected_version is not None and waiting.version != expected_version:
        return "changed", _(
            "This request changed while you had the page open. Nothing was decided. Read it again, "
            "then decide."
        )
    return None


def why_not_yours(
    access: Access,
    waiting: AccessRequest | RelationshipRequest,
    lines: list[AccessRequestLine] | list[RelationshipRequestLine],
    action: Action,
) -> Problem | None:
    """The refusal where no line is the person's to decide."""
    return None if lines else ("not_allowed", why_undecidable(access, waiting, action))


def not_allowed(acting_for: BusinessAccount, words: str) -> Problem:
    """The refusal of what a person may not do; where a business is not active, that is why."""
    is_active = acting_for.status == BusinessAccount.Status.ACTIVE
    return "not_allowed", words if is_active else str(Reason.BUSINESS_NOT_ACTIVE.label)


def why_closed(access: Access, programs: Iterable[ProgramAccount]) -> Problem | None:
    """The refusal to give anything on a program account that is closed."""
    closed = access.closed_programs(access.acting_for.pk)
    for program in programs:
        if program.pk in closed:
            said = _("%(program)s is closed: nothing can be given on it.")
            return "program_closed", said % {"program": program_label(program)}
    return None


def decide_line(
    line: AccessRequestLine | RelationshipRequestLine,
    decision: Decision,
    actor: User,
    at: datetime,
    reason: str = "",
) -> None:
    """Decide one line, once; `reason` is what the asker reads of a rejection."""
    line.decision, line.reason = decision, reason
    line.decided_at, line.decided_by = at, actor
    line.save()


def close_if_decided(
    waiting: AccessRequest | RelationshipRequest, actor: User, at: datetime
) -> None:
    """Close the request when no line waits any more; every change counts as a version."""
    decisions = set(waiting.lines.values_list("decision", flat=True))
    if "" in decisions:
        waiting.version += 1
        waiting.save()
        return
    approved = Decision.APPROVED in decisions
    close(waiting, Decision.APPROVED if approved else Decision.REJECTED, actor, at)


def close(waiting: Request, decision: Decision, actor: User, at: datetime) -> None:
    """Decide a request for good: it stops waiting at this instant."""
    waiting.decision = decision
    waiting.decided_at, waiting.decided_by = at, actor
    waiting.closes_at = at
    waiting.version += 1
    waiting.save()


def own_path(access: Access) -> str:
    """The path that an event of a decision names."""
    return "own:bam" if access.is_bam else "own:pam"


def _already(waiting: Request, status: Status, *, is_asker: bool) -> Problem:
    """Who decided, and when: what the loser of a race reads. Whoever asked learns no name."""
    if status is Status.LAPSED:
        return "lapsed", _("This request lapsed on %(when)s, unanswered. Nothing was changed.") % {
            "when": moment(waiting.closes_at)
        }
    if waiting.decided_at is None or waiting.decided_by is None:
        raise ValueError("A decided request names its person and instant.")
    if is_asker:
        return "already_decided", _("This request was closed on %(when)s. Nothing was changed.") % {
            "when": moment(waiting.decided_at)
        }
    words = {
        Status.APPROVED: _("%(name)s already approved this request on %(when)s."),
        Status.REJECTED: _("%(name)s already rejected this request on %(when)s."),
        Status.WITHDRAWN: _("%(name)s withdrew this request on %(when)s."),
    }
    message = words[status] % {
        "name": waiting.decided_by.get_full_name(),
        "when": moment(waiting.decided_at),
    }
    return "already_decided", message + " " + _("Nothing was changed.")
