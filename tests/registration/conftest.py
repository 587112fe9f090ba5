"""Who claims, when and in which language, and the browser of that person."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from accounts.models import User
from registration import steady
from tests.world import World


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Each test begins in English, whatever page the one before has read."""
    with translation.override("en-ca"):
        yield


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for an answer that is held back; those of the waiting say so."""
    monkeypatch.setattr(steady, "ANSWER_AFTER", 0.0)


@pytest.fixture
def person(world: World) -> User:
    """Somebody without any business."""
    return world.person("Liam Walsh")


@pytest.fixture
def visitor(client: Client, person: User, clock: time_machine.Traveller) -> Client:
    """The person, signed in at the moment of the test."""
    client.force_login(person)
    return client
