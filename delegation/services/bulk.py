"""Many relationship requests in one act: what one by one would do, in few statements.

The rules, the rows and the history are those of `create_relationship_request`, in the order asked;
a property test compares the two.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record_all, refused
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import RelationshipRequest, RelationshipRequestLine
from delegation.services import locks
from delegation.services.decisions import Problem
from delegation.services.limits import count_relationship_requests, why_too_many
from delegation.services.relationships import (
    ALREADY_WAITING,
    Wish,
    about_creation,
    about_refused_creation,
    new_lines,
    new_request,
    why_not_askable,
)


class Asked(NamedTuple):
    """What is asked of one business number."""

    client_bn9: str
    wish: Wish


@transaction.atomic
def create_relationship_requests(
    *, actor: User, acting_for: BusinessAccount, asked: Sequence[Asked], at: datetime
) -> list[RelationshipRequest | Refusal]:
    """Ask many business numbers for authority as a service provider; the answers are in order.

    The count of the firm is locked first, so that nobody else asks for it meanwhile.
    """
    if not asked:
        return []
    locks.lock_rights(used=[acting_for])
    at = not_before(at, business_chain(acting_for.bn9))
    counted = count_relationship_requests(acting_for, len(asked), at)
    access, taken = Access(actor, acting_for, at), _waiting(acting_for, asked, at)
    answers: list[RelationshipRequest | Refusal] = []
    lines: list[RelationshipRequestLine] = []
    acts: list[dict[str, Any]] = []
    for place, (client_bn9, wish) in enumerate(asked):
        problem = _why_not(access, client_bn9, taken, is_too_many=place >= counted.allowed)
        if problem:
            answers.append(Refusal(*problem))
            # Of what came after the limit, history keeps the first of the day.
            if place < counted.allowed or (place == counted.allowed and counted.is_first):
                about = about_refused_creation(actor, acting_for, client_bn9, at)
                acts.append(refused(problem[0], about))
            continue
        waiting = new_request(actor, acting_for, client_bn9, wish, at)
        taken.add(client_bn9)
        answers.append(waiting)
        lines += new_lines(waiting, wish)
        acts.append(about_creation(actor, acting_for, waiting, wish, at))
    RelationshipRequest.objects.bulk_create(
        one for one in answers if isinstance(one, RelationshipRequest)
    )
    RelationshipRequestLine.objects.bulk_create(lines)
    if acts:
        record_all(acts)
    return answers


def _waiting(acting_for: BusinessAccount, asked: Sequence[Asked], at: datetime) -> set[str]:
    """The numbers, of those asked, at which a request of the firm waits."""
    waiting = RelationshipRequest.objects.pending_at(at).filter(
        provider=acting_for,
        client_bn9__in={one.client_bn9 for one in asked},
    )
    return set(waiting.values_list("client_bn9", flat=True))


def _why_not(
    access: Access, client_bn9: str, taken: set[str], *, is_too_many: bool
) -> Problem | None:
    if is_too_many:
        return why_too_many(access.at)
    problem = why_not_askable(access, client_bn9)
    if problem or client_bn9 not in taken:
        return problem
    return "already_waiting", str(ALREADY_WAITING)
