"""What every act of a person on the own account begins and ends with: the lock, and the event."""

from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from accounts.models import User
from audit.services import person_chain


def locked(person: User) -> User:
    """The person as the row is now, which nobody else decides about meanwhile."""
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)


def own_event(
    verb: str, person: User, at: datetime, label: str | Promise = "", **more: Any
) -> dict[str, Any]:
    """The event of such an act, as `record` and `refuse` take it; `label` names another object."""
    return {
        "verb": verb,
        "at": at,
        "actor": person,
        "chains": [person_chain(person)],
        "object_type": "person",
        "object_id": person.pk,
        "object_label": label or person.get_full_name(),
        "path": "own",
        **more,
    }
