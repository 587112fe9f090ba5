"""Access reviews: open one, answer its lines, apply the answers, sign it.

What an answer does is done by the services that do it elsewhere, which ask right and state again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    AccessReview,
    AccessReviewLine,
    EmployeeGroupMember,
    Membership,
    ProgramRole,
    ReviewAnswer,
    ReviewResult,
)
from delegation.models.periods import during
from delegation.permissions import can_review_access
from delegation.reviews import (
    SIGN,
    Choice,
    answers_digest,
    counts,
    digest_of,
    kept,
    lines_of,
    live_grants,
    next_changes,
    reducible_to,
)
from delegation.roles import Role
from delegation.services import locks
from delegation.services.decisions import Problem, not_allowed
from delegation.services.grants import RoleChange, change_role
from delegation.services.groups import remove_employee_from_group
from delegation.services.rights import end_business_role, end_program_role
from delegation.services.roles import Term
from pages.formats import moment

BATCH = 500


@dataclass(frozen=True)
class Outcome:
    """What became of one answer: its result, or why nothing was done."""

    line: AccessReviewLine
    refusal: Refusal | None = None


@transaction.atomic
def create_access_review(
    *, actor: User, acting_for: BusinessAccount, at: datetime
) -> AccessReview | Refusal:
    """Open a review: keep a line for each grant that lives now."""
    locks.lock_rights(acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    review = AccessReview(business=acting_for, opened_at=at, opened_by=actor)
    problem = _why_not_reviewing(Access(actor, acting_for, at))
    if AccessReview.objects.filter(business=acting_for, signed_at=None).exists():
        problem = problem or ("already_waiting", _("An access review is open already."))
    if problem:
        return _refuse("access_review.create", problem, actor, review, at)
    review.save(force_insert=True)
    lines = list(live_grants(acting_for, at))
    for position, line in enumerate(lines, 1):
        line.review, line.position = review, position
    AccessReviewLine.objects.bulk_create(lines, batch_size=BATCH)
    _record("access_review.create", actor, review, at, lines=len(lines))
    return review


@transaction.atomic
def answer_access_review(
    *,
    actor: User,
    acting_for: BusinessAccount,
    review: AccessReview,
    choices: Mapping[int, Choice],
    at: datetime,
) -> int | Refusal:
    """Keep answers, by position, as drafts. What is applied stays.

    Gives how many lines were written.
    """
    locks.lock_rights(used=[acting_for])
    locked = _lock(review)
    access = Access(actor, acting_for, not_before(at, business_chain(acting_for.bn9)))
    problem = _why_not_open(access, locked)
    lines = list(lines_of(locked).filter(position__in=choices, result=""))
    for line in lines:
        problem = problem or _why_not_answerable(line, choices[line.position], actor)
    if problem:
        return _refuse("access_review.answer", problem, actor, locked, access.at)
    if not lines:
        return 0
    for line in lines:
        choice = choices[line.position]
        line.answer, line.reduce_to = choice.answer, choice.reduce_to or ""
        line.answered_by = actor
    AccessReviewLine.objects.bulk_update(lines, ["answer", "reduce_to", "answered_by"])
    _record("access_review.answer", actor, locked, access.at, answered=len(lines))
    return len(lines)


@transaction.atomic
def apply_access_review(
    *,
    actor: User,
    acting_for: BusinessAccount,
    review: AccessReview,
    expected: str,
    at: datetime,
) -> list[Outcome] | Refusal:
    """Do what was answered next, line by line, each by itself: one that is refused stays open.

    A grant that is over by now is left as it is, whatever was answered. `expected` is the digest of
    the answers and of their grants as the reader saw them.
    """
    locks.lock_rights(acting_for)
    locked = _lock(review)
    _hold(next_changes(locked), acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    problem = _why_not_open(Access(actor, acting_for, at), locked)
    if answers_digest(locked, at) != expected:
        said = _("This review changed while you had the page open. Nothing was applied.")
        problem = problem or ("changed", said)
    if problem:
        return _refuse("access_review.apply", problem, actor, locked, at)
    outcomes = [
        _apply(line, actor, acting_for, at) for line in [*kept(locked), *next_changes(locked)]
    ]
    done = [one.line for one in outcomes if one.refusal is None]
    _write_results(done, actor, at)
    _record("access_review.apply", actor, locked, at, applied=len(done))
    return outcomes


@transaction.atomic
def sign_access_review(
    *,
    actor: User,
    acting_for: BusinessAccount,
    review: AccessReview,
    expected: Mapping[str, int],
    at: datetime,
) -> AccessReview | Refusal:
    """Close a review whose every line has a result, under a digest that the history keeps.

    `expected` are the counts that the reader saw.
    """
    locks.lock_rights(acting_for)
    locked = _lock(review)
    at = not_before(at, business_chain(acting_for.bn9))
    found = counts(locked)
    problem = _why_not_open(Access(actor, acting_for, at), locked)
    if found[""]:
        unfinished = _("Some grants have no result yet. Answer them and apply the answers first.")
        problem = problem or ("not_finished", unfinished)
    if found != dict(expected):
        problem = problem or (
            "changed",
            _("This review changed while you had the page open. Read it again, then sign."),
        )
    if problem:
        return _refuse(SIGN, problem, actor, locked, at)
    locked.signed_at, locked.signed_by = at, actor
    locked.digest = digest_of(locked)
    locked.save()
    results = {key: number for key, number in found.items() if key}
    _record(SIGN, actor, locked, at, digest=locked.digest, **results)
    return locked


# ---------------------------------------------------------------- one line


def _hold(lines: list[AccessReviewLine], business: BusinessAccount) -> None:
    """Hold all that the acts on these lines will, in the order of each of them (decision 45)."""
    people = {line.person for line in lines}
    locks.lock_requests(people, business)
    locks.lock_memberships(people, business)
    locks.lock_groups({line.group_member.group for line in lines if line.group_member})
    locks.lock_roles(people, business)
    locks.lock_histories(people, business)


def _why_not_answerable(line: AccessReviewLine, choice: Choice, actor: User) -> Problem | None:
    """Nothing is raised by a review, and nobody changes the own role except to give it up."""
    if choice.answer is not ReviewAnswer.REDUCE:
        return None
    if line.person == actor:
        return "own_role", _("Your own role can be kept or removed. Another manager can reduce it.")
    if choice.reduce_to not in reducible_to(line):
        return "not_lower", _("A role is reduced to a lower one.")
    return None


def _apply(
    line: AccessReviewLine, actor: User, acting_for: BusinessAccount, at: datetime
) -> Outcome:
    """Let become of a grant what was answered, unless it is over."""
    grant = line.grant
    common: dict[str, Any] = {"actor": actor, "acting_for": acting_for, "at": at}
    answer: Any = None
    if not grant.active_at(at):
        line.result = ReviewResult.CHANGED
    elif line.answer == ReviewAnswer.KEEP:
        line.result = ReviewResult.KEPT
    elif line.answer == ReviewAnswer.REDUCE and isinstance(grant, ProgramRole):
        line.result = ReviewResult.REDUCED
        answer = _reduce(line, grant, common)
    else:
        line.result = ReviewResult.REMOVED
        answer = _remove(grant, common)
    return Outcome(line, answer if isinstance(answer, Refusal) else None)


def _reduce(line: AccessReviewLine, grant: ProgramRole, common: dict[str, Any]) -> Any:
    """A lower role in place of the one held, for as long as that one would have lasted."""
    membership = Membership.objects.get(
        during(common["at"]), person=line.person, business=common["acting_for"]
    )
    change = RoleChange(
        Role(line.reduce_to), frozenset({grant.content_object_id}), Term(None, grant.ends_at)
    )
    return change_role(membership=membership, change=change, **common)


def _write_results(lines: list[AccessReviewLine], actor: User, at: datetime) -> None:
    """Keep what became of the lines, by result: thousands are written as fast as one."""
    for result in ReviewResult:
        keys = [line.pk for line in lines if line.result == result]
        for first in range(0, len(keys), BATCH):
            rows = AccessReviewLine.objects.filter(pk__in=keys[first : first + BATCH])
            rows.update(result=result, applied_at=at, applied_by=actor)


def _remove(grant: Any, common: dict[str, Any]) -> Any:
    if isinstance(grant, EmployeeGroupMember):
        return remove_employee_from_group(member=grant, **common)
    if isinstance(grant, ProgramRole):
        return end_program_role(role=grant, **common)
    return end_business_role(role=grant, **common)


# ---------------------------------------------------------------- what bars an act, and history


def _lock(review: AccessReview) -> AccessReview:
    rows = AccessReview.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("business").get(pk=review.pk)


def _why_not_reviewing(access: Access) -> Problem | None:
    if can_review_access(access).allowed:
        return None
    return not_allowed(access.acting_for, _("You cannot review the access of this business."))


def _why_not_open(access: Access, review: AccessReview) -> Problem | None:
    if review.business_id != access.acting_for.pk:
        return "not_allowed", _("You cannot review the access of this business.")
    if review.signed_at is not None:
        said = _("This review was signed on %(when)s. Nothing was changed.")
        return "already_decided", said % {"when": moment(review.signed_at)}
    return _why_not_reviewing(access)


def _about(actor: User, review: AccessReview, at: datetime) -> dict[str, Any]:
    bn9 = review.business.bn9
    return {
        "at": at,
        "actor": actor,
        "acting_for": bn9,
        "chains": [business_chain(bn9)],
        "object_type": "access_review",
        "object_id": str(review.pk),
        "object_label": review.business.name,
    }


def _record(verb: str, actor: User, review: AccessReview, at: datetime, **after: object) -> None:
    record(verb=verb, after=after, path="own:bam", **_about(actor, review, at))


def _refuse(
    verb: str, problem: Problem, actor: User, review: AccessReview, at: datetime
) -> Refusal:
    return refuse(code=problem[0], message=problem[1], verb=verb, **_about(actor, review, at))
