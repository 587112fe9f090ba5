"""Access reviews as they are read: what is looked at, how far each is, the seal of a signed one."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from audit.chain import moment, plain
from audit.models import Event
from audit.services import business_chain
from businesses.models import BusinessAccount
from delegation.models import (
    AccessReview,
    AccessReviewLine,
    BusinessRole,
    EmployeeGroupMember,
    Membership,
    ProgramRole,
    ReviewAnswer,
    ReviewResult,
)
from delegation.models.periods import during
from delegation.roles import Role
from delegation.terms import program_label


@dataclass(frozen=True)
class Choice:
    """What a reviewer chose for one line."""

    answer: ReviewAnswer
    reduce_to: Role | None = None


YEAR = timedelta(days=365)

CHANGES = 100
"""How many reductions and removals are applied at once: each is an act of its own."""

SIGN = "access_review.sign"

SEALED = (
    "position",
    "person_id",
    "person_name",
    "role",
    "scope",
    "since",
    "last_used_on",
    "answer",
    "reduce_to",
    "answered_by_id",
    "result",
    "applied_at",
    "applied_by_id",
)
"""What the digest of a review holds of each line."""


def is_review_due(business: BusinessAccount, at: datetime) -> bool:
    """Whether a year has gone by since the last review was signed, or without any since the start.

    A review that is open says so itself.
    """
    reviews = AccessReview.objects.filter(business=business)
    if reviews.filter(signed_at=None).exists():
        return False
    last = reviews.order_by("-signed_at").values_list("signed_at", flat=True).first()
    if last is None:
        oldest = Membership.objects.filter(business=business).order_by("starts_at")
        last = oldest.values_list("starts_at", flat=True).first()
    return last is not None and at - last > YEAR


def live_grants(
    business: BusinessAccount, at: datetime, *, begun_after: datetime | None = None
) -> Iterator[AccessReviewLine]:
    """A line, not yet of a review, for each live grant, by the name of the person: 4 queries.

    With `begun_after` only for those that began later than that.
    """
    live = during(at) & (Q(starts_at__gt=begun_after) if begun_after else Q())
    members = Membership.objects.filter(during(at), business=business).select_related("person")
    order = ("person__last_name", "person__first_name", "person_id")
    held: dict[int, list[AccessReviewLine]] = {}
    for line in _rows(business, live):
        held.setdefault(line.person_id, []).append(line)
    for member in members.order_by(*order):
        for line in held.get(member.person_id, []):
            line.person_name = member.person.get_full_name()
            line.last_used_on = member.last_used_on
            yield line


def _rows(business: BusinessAccount, live: Q) -> Iterator[AccessReviewLine]:
    managers = BusinessRole.objects.filter(live, content_object=business)
    for row in managers.select_related("permission"):
        yield AccessReviewLine(
            person_id=row.user_id, business_role=row, role=row.role, since=row.starts_at
        )
    roles = ProgramRole.objects.filter(live, content_object__business=business)
    by_program = roles.select_related("permission", "content_object")
    for role in by_program.order_by("content_object__extension"):
        yield AccessReviewLine(
            person_id=role.user_id,
            program_role=role,
            role=role.role,
            scope=program_label(role.content_object),
            since=role.starts_at,
        )
    members = EmployeeGroupMember.objects.filter(
        live, group__business=business, group__archived_at=None
    )
    for member in members.select_related("group").order_by("group__name"):
        yield AccessReviewLine(
            person_id=member.person_id,
            group_member=member,
            scope=member.group.name,
            since=member.starts_at,
        )


def lines_of(review: AccessReview) -> QuerySet[AccessReviewLine]:
    """The lines of a review in their order, each with its grant as it is now."""
    grants = ("business_role", "program_role__content_object__business", "group_member__group")
    return review.lines.select_related("person", "answered_by", *grants).order_by("position")


def begun_since(review: AccessReview, at: datetime) -> list[AccessReviewLine]:
    """The live grants that began after a review was opened: they are no part of it."""
    return list(live_grants(review.business, at, begun_after=review.opened_at))


def answered(review: AccessReview) -> QuerySet[AccessReviewLine]:
    """The lines whose answers wait to be applied."""
    return lines_of(review).filter(result="").exclude(answer="")


def kept(review: AccessReview) -> QuerySet[AccessReviewLine]:
    """Those that are kept as they are."""
    return answered(review).filter(answer=ReviewAnswer.KEEP)


def next_changes(review: AccessReview) -> list[AccessReviewLine]:
    """The reductions and removals that are applied next."""
    return list(answered(review).exclude(answer=ReviewAnswer.KEEP)[:CHANGES])


def answers_digest(review: AccessReview, at: datetime) -> str:
    """What stands for the answers that wait and for their grants as they are now: 1 query."""
    ends = ("business_role__ends_at", "program_role__ends_at", "group_member__ends_at")
    rows = answered(review).values_list("position", "answer", "reduce_to", *ends)
    found = hashlib.sha256()
    for *answer, business, program, group in rows.iterator():
        end = business or program or group
        is_over = end is not None and end <= at
        found.update(_line({"answer": answer, "ends_at": end and moment(end), "is_over": is_over}))
    return found.hexdigest()


def counts(review: AccessReview) -> dict[str, int]:
    """How many lines came to each result; those without one under ""."""
    found = review.lines.order_by().values_list("result").annotate(Count("pk"))
    return dict.fromkeys(("", *ReviewResult.values), 0) | dict(found)


def reducible_to(line: AccessReviewLine) -> list[Role]:
    """The roles below the one that a line is about; none for a manager and for a group."""
    if not line.program_role_id:
        return []
    held = Role(line.role)
    return [role for role in Role if role.rank < held.rank]


def in_words(line: AccessReviewLine) -> str:
    """What a line is about: the role and where it is held, or the employee group."""
    if not line.role:
        return _("Employee group %(group)s") % {"group": line.scope}
    role = str(Role(line.role).label)
    if not line.scope:
        return role
    return _("%(role)s, %(scope)s") % {"role": role, "scope": line.scope}


# ---------------------------------------------------------------- the seal


def digest_of(review: AccessReview) -> str:
    """SHA-256, in hexadecimal, over who opened and signed a review, when, and all of its lines."""
    head = {
        "business": review.business.bn9,
        "opened_at": moment(review.opened_at),
        "opened_by": review.opened_by_id,
        "signed_at": moment(review.signed_at) if review.signed_at else "",
        "signed_by": review.signed_by_id,
    }
    found = hashlib.sha256(_line(head))
    for row in review.lines.order_by("position").values(*SEALED).iterator():
        found.update(_line(row))
    return found.hexdigest()


def is_intact(review: AccessReview) -> bool:
    """Whether a signed review is what was signed, by its own digest and by the history."""
    found = digest_of(review)
    events = Event.objects.filter(
        chain=business_chain(review.business.bn9), verb=SIGN, object_id=str(review.pk)
    )
    told = events.values_list("after__digest", flat=True).first()
    return review.digest == found == told


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(plain(row), sort_keys=True, ensure_ascii=False).encode() + b"\n"


def newest_first(business: BusinessAccount) -> QuerySet[AccessReview]:
    """The signed reviews of a business."""
    signed = AccessReview.objects.filter(business=business, signed_at__isnull=False)
    return signed.select_related("signed_by").order_by(F("signed_at").desc())
