"""Many acts at once: every chain stays whole, and nobody waits for somebody who waits back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import permutations

import pytest
from django.db import DatabaseError, connection, transaction

from audit import services
from audit.chain import verify
from audit.models import Chain, Event
from audit.services import record

CHAINS = ["business:1", "business:2", "person:1", "person:2"]
WORKERS, ROUNDS = 4, 2


def write_everywhere(at: datetime, worker: int) -> int:
    """Record acts in pairs of chains, each worker in another order; count what failed."""
    failed = 0
    pairs = list(permutations(CHAINS, 2))
    try:
        for number in range(ROUNDS * len(pairs)):
            try:
                with transaction.atomic():
                    record(
                        verb="x",
                        at=at,
                        actor=None,
                        chains=pairs[(worker * 5 + number * 7) % len(pairs)],
                        object_type="x",
                        object_id=number,
                    )
            except DatabaseError:
                failed += 1
    finally:
        connection.close()
    return failed


def failures(at: datetime) -> int:
    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(lambda worker: write_everywhere(at, worker), range(WORKERS)))


@pytest.mark.django_db(transaction=True)
def test_chains_stay_whole_when_many_write_at_once(at: datetime) -> None:
    assert failures(at) == 0
    assert Event.objects.count() == WORKERS * ROUNDS * 24
    assert Chain.objects.count() == len(CHAINS)
    assert [verify(chain) for chain in CHAINS] == [None] * len(CHAINS)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_writers_collide(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(keys: list[str]) -> list[Chain]:
        Chain.objects.bulk_create([Chain(key=key) for key in keys], ignore_conflicts=True)
        return list(Chain.objects.filter(pk__in=keys))

    monkeypatch.setattr(services, "_locked_heads", unlocked)
    assert failures(at) > 0
