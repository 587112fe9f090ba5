"""A provider's list is read from what is open to it: equal to the one decision, page by page."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from pathlib import Path
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Visibility
from delegation.roles import Action
from delegation.services.agreements import Rules
from tests import multitude
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW
from tests.effort import effort
from tests.transactions.factories import change, declare
from tests.transactions.test_import import COLUMNS, ROW
from tests.world import World
from transactions import declarations, streams
from transactions.declaration_import import import_declarations
from transactions.declarations import Submitter, Wanted, list_declarations
from transactions.models import ClientDeclaration, DeclarationParty, DeclarationVersion

pytestmark = pytest.mark.django_db

ASKED = ("", "", *Submitter.values)
FAR = 50


def every_page(access: Access, wanted: Wanted) -> list[tuple[int, int]]:
    """The declarations of all pages, and the version that each shows.

    A page that others follow is never empty, and where its steps reach over all that is passed
    over it is full.
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
        assert len(listing.page.rows) >= least


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
        patch.setattr(streams, "GLANCES", (glance,))
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
    monkeypatch.setattr(streams, "GLANCES", ())
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
    monkeypatch.setattr(streams, "GLANCES", (10,))
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


def test_what_strangers_declare_is_never_read(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    """By every filter, and by whoever works for one client: the same queries, the same work.

    PostgreSQL may plan again as tables grow: a few rows more are of that.
    """
    harbour, program = world.broker("Harbour"), world.program(maple)
    world.relationship(maple, itn, rules=Rules(importer=Visibility.VIEW, other=Visibility.VIEW))
    world.assign("Ben", itn, maple)
    people = (world.manager(itn), world.person("Ben"))
    for days, submitter in enumerate((maple, itn, harbour), 1):
        mine = declare(program, world.at - timedelta(days=days), submitter=submitter)
    wishes = [Wanted(), Wanted(number=mine.number), Wanted(extension=program.extension)]
    wishes += [Wanted(submitter=one) for one in Submitter.values]
    wishes += [Wanted(client_bn9=maple.bn9, last_day=world.at.date())]
    stranger, costs = declare(world.program(world.importer("Elm")), world.at), []
    for number in (20, 600):
        list(multitude.declarations(world, stranger, number))
        for person, wanted in product(people, wishes):
            with effort() as spent:
                assert list_declarations(world.access(person, itn), wanted).page.rows
            costs.append(spent)
    few, many = costs[: len(costs) // 2], costs[len(costs) // 2 :]
    assert [one.queries for one in few] == [one.queries for one in many]
    assert not [pair for pair in zip(few, many, strict=True) if pair[1].steps > pair[0].steps + 5]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_relationship_that_begins_during_an_import_misses_nothing(
    world: World, tmp_path: Path
) -> None:
    """Neither sees yet what the other writes; the later of both brings it to the list."""
    with transaction.atomic():
        maple, itn = world.importer("Maple"), world.broker("ITN")

    def relate(_lines: int) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(relate_and_close).result()

    def relate_and_close() -> None:
        try:
            with transaction.atomic():
                world.relationship(maple, itn)
        finally:
            connection.close()

    path = tmp_path / "declarations.csv"
    row = ROW | {"owner": f"{maple.bn9}RM0001", "submitter": maple.bn9}
    cells = ",".join(row.get(name, "") for name in COLUMNS)
    path.write_text(f"{','.join(COLUMNS)}\n{cells}\n")
    outcome = import_declarations(path=path, at=world.at, progress=relate)

    assert outcome.declarations == 1 and not outcome.errors
    [kept] = ClientDeclaration.objects.all()
    assert (kept.provider, kept.declaration.owner) == (itn, maple)


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
