"""How many tries a person has left: counted in the database, never in a session or a cache.

Rule: at most 3 tries per person and business number in an hour, and 10 per business number in a
day, whoever tries. Both windows slide. A try that the lock refused is not judged and not counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from registration.models import Attempt

OF_PERSON, HOUR = 3, timedelta(hours=1)
OF_NUMBER, DAY = 10, timedelta(days=1)


@dataclass(frozen=True)
class Tries:
    """How many tries are left; `again_at` is when the next one opens where none is."""

    left: int
    again_at: datetime | None = None


def tries(person: User, bn9: str, at: datetime) -> Tries:
    """The tries that a person has left for a business number. One query.

    The count can be trusted only under the lock on the `ClaimedNumber`.
    """
    recent = Attempt.objects.filter(number_id=bn9, at__gt=at - DAY).order_by("-at")
    rows = list(recent.values_list("person_id", "at"))
    of_number = [tried_at for _, tried_at in rows]
    of_person = [
        tried_at for person_id, tried_at in rows if person_id == person.pk and tried_at > at - HOUR
    ]
    left = max(0, min(OF_PERSON - len(of_person), OF_NUMBER - len(of_number)))
    if left:
        return Tries(left)
    opens = [
        tried[limit - 1] + window
        for tried, limit, window in ((of_person, OF_PERSON, HOUR), (of_number, OF_NUMBER, DAY))
        if len(tried) >= limit
    ]
    return Tries(0, max(opens))
