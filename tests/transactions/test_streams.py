"""A provider's list is read from what is open to it: equal to the one decision, page by page."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.roles import Action
from tests import multitude
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW
from tests.transactions.factories import change, declare
from tests.world import World
from transactions import declarations, streams
from transactions.declarations import Submitter, Wanted, list_declarations
from transactions.models import DeclarationParty, DeclarationVersion

pytestmark = pytest.mark.django_db

ASKED = ("", "", *Submitter.values)
FAR = 50


def every_page(access: Access, wanted: Wanted) -> list[tuple[int, int]]:
    """The declarations of all pages, and the version that each shows.

    A page that others follow is never empty but for a filter by submitter, and where its steps
    reach over all that is passed over it is full.
    """
    found: list[tuple[int, int]] = []
    least = declarations.PAGE if declarations.STEPS[-1] >= FAR else 1
    token = ""
    while True:
        listing = list_declarations(access, wanted, after=token)
        found += [(row.pk, listing.newest[row.pk].number) for row in listing.page.rows]
        token = listing.page.next_token
        if not token:
            return found
        assert wanted.submitter or len(listing.page.rows) >= least


def differences(
    seed: int, steps: int, glance: int, sizes: tuple[int, ...] = (4, FAR)
) -> tuple[list[str], int]:
    """Where all pages together are not what the one decision says, and how many were compared."""
    random_world = RandomWorld(World(NOW), Random(seed), steps).build()
    dice, at = random_world.dice, random_world.instant()
    for one in random_world.versions()[::2]:
        submitter = dice.choice([one.owner, *random_world.providers])
        change(one.declaration, submitter, one.submitted_at + timedelta(days=dice.randint(1, 30)))
    versions, found, compared = random_world.versions(), [], 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "GLANCE", glance)
        patch.setattr(declarations, "PAGE", 3)
        patch.setattr(declarations, "STEPS", sizes)
        for person, business in random_world.standings():
            access, wanted = Access(person, business, at), Wanted(submitter=dice.choice(ASKED))
            if not access.serves_clients:
                continue
            newest: dict[int, DeclarationVersion] = {}
            for one in versions:
                if one.submitted_at <= at and access.decide(Action.VIEW_TRANSACTIONS, one).allowed:
                    newest[one.declaration_id] = one
            asked = [
                one
                for one in newest.values()
                if wanted.submitter in ("", declarations.submitter_of(access, one))
            ]
            asked.sort(key=lambda one: (one.declaration.declared_at, one.declaration_id))
            expected = [(one.declaration_id, one.number) for one in reversed(asked)]
            compared += len(versions)
            if (shown := every_page(access, wanted)) != expected:
                found.append(f"{person} for {business} at {at}, {wanted}: {shown} not {expected}")
    return found, compared


@settings(max_examples=300 if NIGHTLY else 2)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(20, 60),
    glance=st.sampled_from((0, 5)),
    sizes=st.sampled_from(((4, FAR), (2, 1))),
)
def test_all_pages_together_are_what_may_be_seen(
    seed: int, steps: int, glance: int, sizes: tuple[int, ...]
) -> None:
    assert not differences(seed, steps, glance, sizes)[0]


def test_as_of_a_past_instant_no_page_that_others_follow_is_empty(
    world: World, maple: BusinessAccount, itn: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ITN sees its own alone, and submitted of the others only after the instant."""
    monkeypatch.setattr(declarations, "STEPS", (2, 2))
    world.relationship(maple, itn)
    first = declare(world.program(maple), world.at, submitter=itn)
    for minutes in range(1, 8):
        later = declare(world.program(maple), world.at + timedelta(minutes=minutes))
        change(later, itn, world.at + timedelta(days=9))
    access = Access(world.manager(itn), itn, world.at + timedelta(days=1))

    assert every_page(access, Wanted()) == [(first.pk, 1)]


def test_what_a_firm_imported_is_not_met_among_what_it_submitted_for_others(
    world: World, maple: BusinessAccount, itn: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "GLANCE", 0)
    monkeypatch.setattr(declarations, "STEPS", (1, 1))
    world.relationship(maple, itn)
    theirs = declare(world.program(maple), world.at - timedelta(days=1), submitter=itn)
    for _place in range(3):
        declare(world.program(itn), world.at)
    listing = list_declarations(
        world.access(world.manager(itn), itn), Wanted(submitter=Submitter.ACTING_FOR)
    )

    assert listing.page.rows == [theirs] and listing.page.next_token == ""


@pytest.mark.parametrize(
    ("link", "broken", "glance"),
    [
        ("_shown", lambda terms: set(), 500),
        ("_among", lambda seen, own, terms: own, 0),
    ],
)
def test_a_stream_that_is_left_out_is_caught(
    monkeypatch: pytest.MonkeyPatch, link: str, broken: object, glance: int
) -> None:
    monkeypatch.setattr(streams, link, broken)
    assert any(differences(seed, 60, glance)[0] for seed in range(8))


def test_what_is_hidden_is_never_met(
    world: World, maple: BusinessAccount, itn: BusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are hidden before the first that can be seen: one page, the same queries."""
    monkeypatch.setattr(streams, "GLANCE", 10)
    world.relationship(maple, itn)
    first = declare(world.program(maple), world.at - timedelta(days=9), submitter=itn)
    hidden, counts = declare(world.program(maple), world.at), []
    for number in (20, 700):
        list(multitude.declarations(world, hidden, number))
        access = world.access(world.manager(itn), itn)
        with CaptureQueriesContext(connection) as captured:
            listing = list_declarations(access, Wanted())
        assert listing.page.rows == [first] and listing.page.next_token == ""
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_every_submitter_is_kept_once(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    harbour = world.broker("Harbour")
    declaration = declare(world.program(maple), world.at, submitter=harbour)
    for days, firm in enumerate((itn, maple, harbour, maple), 1):
        change(declaration, firm, world.at + timedelta(days=days))
    kept = DeclarationParty.objects.filter(declaration=declaration).order_by("pk")
    assert [(one.submitter, one.side, one.declared_at) for one in kept] == [
        (harbour, "other", world.at),
        (itn, "again", world.at),
        (maple, "importer", world.at),
    ]
