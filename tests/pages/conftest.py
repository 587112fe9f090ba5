from datetime import datetime

import pytest

from accounts.models import PersonalProfile, User


@pytest.fixture
def person(db: None, at: datetime) -> User:
    """A person who can open pages."""
    person = User.objects.create(email="ana@example.com", first_name="Ana", last_name="Tremblay")
    PersonalProfile.objects.create(user=person, telephone="613-555-1234", created_at=at)
    return person
