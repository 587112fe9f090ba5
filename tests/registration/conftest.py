"""Who claims, when and in which language, and the browser of that person."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from accounts.models import User
from tests.world import World


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Each test begins in English, whatever page the one before has read."""
    with translation.override("en-ca"):
        yield


@pytest.fixture
def person(world: World) -> User:
    """Somebody without any business."""
    return world.person("Liam Walsh")


@pytest.fixture
def visitor(client: Client, person: User, clock: time_machine.Traveller) -> Client:
    """The person, signed in at the moment of the test."""
    client.force_login(person)
    return client
