"""Who may do each act of a registration."""

from accounts.models import User
from registration.models import Registration


def can_view_registration(person: User, registration: Registration) -> bool:
    """The person who began the registration; for everybody else it does not exist."""
    return registration.person_id == person.pk
