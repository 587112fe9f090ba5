"""What a list shows is what a point decision allows, in random worlds at random instants."""

from random import Random

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from delegation.access import Access
from delegation.roles import Action
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW
from tests.world import World
from transactions.models import DeclarationVersion

OWN_RECORDS = Access.own_records


def differences(seed: int, steps: int) -> tuple[list[str], int]:
    """What the two forms disagree about in the world of `seed`, and how many were compared."""
    random_world = RandomWorld(World(NOW), Random(seed), steps).build()
    versions = random_world.versions()
    at = random_world.instant()
    found, compared = [], 0
    for person, business in random_world.standings():
        point = Access(person, business, at)
        allowed = {v.pk for v in versions if point.decide(Action.VIEW_TRANSACTIONS, v).allowed}
        listed = set(
            Access(person, business, at)
            .visible(DeclarationVersion.objects.filter(pk__in=[v.pk for v in versions]))
            .values_list("pk", flat=True)
        )
        compared += len(versions)
        if allowed != listed:
            found.append(f"{person} for {business} at {at}: {allowed ^ listed}")
    return found, compared


@pytest.mark.asvs("8.4.1")
@pytest.mark.django_db
@settings(max_examples=400 if NIGHTLY else 6)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(20, 70))
def test_list_equals_point(seed: int, steps: int) -> None:
    found, compared = differences(seed, steps)
    assert not found
    assert compared or steps < 40


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("_of_assigned_clients", lambda self: Q()),
        ("_provided", lambda self: Q(submitter_id=self.acting_for.pk)),
        ("own_records", lambda self: Q(pk__in=[]) if self.lookup else OWN_RECORDS(self)),
        ("own_records", lambda self: Q(owner_id=self.acting_for.pk)),
    ],
)
def test_a_broken_list_is_caught(
    monkeypatch: pytest.MonkeyPatch, link: str, broken: object
) -> None:
    """The control: with one link of the chain missing, some world shows a difference."""
    monkeypatch.setattr(Access, link, broken)
    assert any(differences(seed, 60)[0] for seed in range(8))
