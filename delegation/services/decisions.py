"""What deciding a waiting request has in common, whether a person or a firm asked."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    Decision,
    RelationshipRequest,
    RelationshipRequestLine,
    Status,
)
from delegation.models.requests import TRANSITIONS
from pages.formats import moment

Waiting = AccessRequest | RelationshipRequest
Problem = tuple[str, str]
"""The code and the words of a refusal."""


def lock[W: (AccessRequest, RelationshipRequest)](waiting: W) -> W:
    """The request as it is now, held until the transaction ends."""
    return type(waiting)._default_manager.select_for_update(no_key=True).get(pk=waiting.pk)


def why_not_decidable(
    waiting: Waiting, decision: Decision, expected_version: int | None, at: datetime
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
    lines: list[AccessRequestLine] | list[RelationshipRequestLine],
) -> Problem | None:
    """The refusal where no line is the person's to decide."""
    if lines:
        return None
    return "not_allowed", _("Nothing in this request is yours to decide.")


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


def close_if_decided(waiting: Waiting, actor: User, at: datetime) -> None:
    """Close the request when no line waits any more; every change counts as a version."""
    decisions = set(waiting.lines.values_list("decision", flat=True))
    if "" in decisions:
        waiting.version += 1
        waiting.save()
        return
    approved = Decision.APPROVED in decisions
    close(waiting, Decision.APPROVED if approved else Decision.REJECTED, actor, at)


def close(waiting: Waiting, decision: Decision, actor: User, at: datetime) -> None:
    """Decide a request for good: it stops waiting at this instant."""
    waiting.decision = decision
    waiting.decided_at, waiting.decided_by = at, actor
    waiting.closes_at = at
    waiting.version += 1
    waiting.save()


def own_path(access: Access) -> str:
    """The path that an event of a decision names."""
    return "own:bam" if access.is_bam else "own:pam"


def _already(waiting: Waiting, status: Status, *, is_asker: bool) -> Problem:
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
