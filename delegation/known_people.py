"""The people of a firm whose names a client reads anyway: nobody else of it is ever named to it.

They are those who asked for the relationship or accepted it, whom the written authority names
(decision 35), and those whose names stand on records of the client. Rooms above register what they
keep; this one knows no record.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from accounts.models import User
from delegation.authority import for_the_firm
from delegation.models import Relationship

type Finder = Callable[[Relationship, datetime], Iterable[int]]
"""Finds people of the firm, by primary key, whom a record of the client names by an instant."""

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Count those whom this finds as known."""
    _finders.append(finder)


def people_known(relationship: Relationship, at: datetime) -> list[User]:
    """The people of the firm whom a manager of the client knows by name, by family name."""
    found = {one.person.pk for one in for_the_firm(relationship, at)}
    found |= {pk for finder in _finders for pk in finder(relationship, at)}
    people = User.objects.filter(pk__in=found)
    return list(people.order_by("last_name", "first_name", "pk"))
