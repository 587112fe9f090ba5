from datetime import datetime

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.people import give_profile, sign_up


@pytest.fixture(autouse=True)
def fresh_rate_limits(db: None) -> None:
    """The cache table keeps the rate limits of signing in from one test to the next."""
    cache.clear()


@pytest.fixture
def newcomer() -> User:
    """A person who has signed up and has no profile yet."""
    return sign_up()


@pytest.fixture
def person(newcomer: User, at: datetime) -> User:
    """A person with a profile."""
    return give_profile(newcomer, at)


@pytest.fixture
def newcomer_client(client: Client, newcomer: User) -> Client:
    client.force_login(newcomer)
    return client


@pytest.fixture
def person_client(client: Client, person: User) -> Client:
    client.force_login(person)
    return client
