"""Every cell of the readiness board is what one question about one client answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

import pytest

from accounts.models import User
from businesses.models import BusinessAccount
from delegation import board as boards
from delegation import reach
from delegation.access import Access
from delegation.board import Row, View, Wanted, every_row
from delegation.models import Relationship
from delegation.reasons import Reason
from delegation.roles import Action
from delegation.standing import assignments
from delegation.terms import program_label
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW, by_night
from tests.world import World

pytestmark = pytest.mark.django_db

WHOLE = "All program accounts, those opened later included"


@dataclass(frozen=True)
class Said:
    """A submission that nobody wrote, to ask what a rule shows."""

    program_id: int
    owner_id: int
    submitter_id: int
    submitted_at: datetime


def build(seed: int, steps: int) -> tuple[RandomWorld, datetime]:
    """A random world in which a relationship lasts as long as its terms, and an instant of it."""
    found = RandomWorld(World(NOW), Random(seed), steps).build()
    for _ in range(12):
        found._perhaps(found.dice.choice([found._assign, found._join_client_group]))
    for one in Relationship.objects.filter(client__in=found.clients):
        terms = list(one.terms.all())
        ends = [row.ends_at for row in terms]
        one.starts_at = min(row.starts_at for row in terms)
        one.ends_at = None if None in ends else max(end for end in ends if end)
        one.is_open_ended = one.ends_at is None
        one.save()
    return found, found.instant()


def differences(seed: int, steps: int) -> tuple[list[str], int]:
    """What board and single questions disagree about, and how many cells were compared."""
    found, at = build(seed, steps)
    wrong, compared = [], 0
    for firm in found.providers:
        firm.refresh_from_db()
        people = found.staff[firm.pk]
        for person in (*people, found.world.manager(firm)):
            access = Access(person, firm, at)
            if access.own.membership is not Reason.ALLOWED or not access.serves_clients:
                continue
            rows = {row.bn9: row for row in every_row(access, Wanted()) if row.name}
            for client in found.clients:
                said = _cells(rows.get(client.bn9))
                plain = _plain(access, client, [*people, found.world.manager(firm)])
                compared += len(plain)
                wrong += [
                    f"{name} of {client} for {person} at {at}: {said[name]} not {cell}"
                    for name, cell in plain.items()
                    if said[name] != cell
                ]
            wrong += _views(access, rows)
    return wrong, compared


def _cells(row: Row | None) -> dict[str, object]:
    if row is None:
        return dict.fromkeys(("listed", "programs", "importer", "other", "people"), False)
    rules = {str(label): rule for label, rule in row.rules}
    is_open = row.may_do != ("Own submissions only",)
    return {
        "listed": True,
        "programs": set(row.programs) if is_open else False,
        "importer": rules.get("Submitted by the importer", False),
        "other": rules.get("Submitted by others", False),
        "people": False if row.people is None else row.people,
    }


def _plain(access: Access, client: BusinessAccount, people: list[User]) -> dict[str, object]:
    """The same cells, each asked of the one decision. What is not listed has none."""
    firm, at = access.acting_for, access.at
    stands = access.client(client.pk)
    begun = [row for row in stands.terms if row.starts_at <= at]
    if not begun or not stands.assignments:
        return {"listed": False, "people": False, "programs": False}
    # What the firm may do, and not what this person may: a manager reaches all of it.
    manager = Access(access.person, firm, at, own=access.own)
    programs = [
        one
        for one in client.programs.all()
        if manager.decide(Action.VIEW_TRANSACTIONS, one).allowed
    ]
    cells: dict[str, object] = {"listed": True, "programs": False}
    in_force = [row for row in begun if row.in_force_at(at)]
    if programs:
        whole = any(row.program is None for row in in_force)
        cells["programs"] = {WHOLE} if whole else {program_label(one) for one in programs}
    if access.is_bam:
        cells["people"] = sum(_works_for(person, firm, client, at) for person in people)
    if programs and len({(r.visibility_importer, r.visibility_other) for r in in_force}) == 1:
        if len({r.visibility_broker for r in in_force}) == 1:
            cells |= _shown(access, client, programs[0].pk)
    return cells


def _shown(access: Access, client: BusinessAccount, program: int) -> dict[str, object]:
    """What the rules show, by what the decision says of a record of each submitter."""
    stranger = access.acting_for.pk + client.pk + 1_000_000
    words = {}
    for name, submitter in (("importer", client.pk), ("other", stranger)):
        said = Said(program, client.pk, submitter, access.at)
        sees = access.decide(Action.VIEW_TRANSACTIONS, said).allowed
        row = next(t for t in access.client(client.pk).terms if t.in_force_at(access.at))
        rule = getattr(row, f"visibility_{name}")
        words[name] = {"view": "View", "edit": "View and edit"}[rule] if sees else "None"
    return words


def _works_for(person: User, firm: BusinessAccount, client: BusinessAccount, at: datetime) -> bool:
    belongs = Access(person, firm, at).own.membership is Reason.ALLOWED and person.is_active
    return belongs and bool(assignments([person.pk], firm.pk, client.pk, at).get(person.pk))


def _views(access: Access, rows: dict[str, Row]) -> list[str]:
    """The views are parts of the whole, by what the rows themselves say."""
    parts = {
        view: {row.bn9 for row in every_row(access, Wanted(view)) if row.name}
        for view in boards.views_for(access)
        if view is not View.WAITING
    }
    lasting = {bn9 for bn9, row in rows.items() if not row.state.is_over}
    alive = lasting | _between_terms(access, rows)
    wanted = {View.ALL: set(rows), View.ACTIVE: alive, View.EXPIRED: set(rows) - alive}
    if access.is_bam:
        wanted[View.UNASSIGNED] = {bn9 for bn9 in alive if rows[bn9].people == 0}
    return [
        f"{view} for {access.person} at {access.at}: {parts[view]} not {which}"
        for view, which in wanted.items()
        if parts[view] != which
    ]


def _between_terms(access: Access, rows: dict[str, Row]) -> set[str]:
    """Clients whose terms leave a gap now, as no service lets them: the relationship goes on."""
    live = Relationship.objects.filter(provider=access.acting_for, client__bn9__in=rows)
    return {one.client.bn9 for one in live.select_related("client") if one.active_at(access.at)}


@pytest.mark.parametrize("seed", range(100 if NIGHTLY else 2))
def test_the_board_equals_single_questions(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """In every second world few clients are as good as many: the list is walked."""
    monkeypatch.setattr(reach, "FEW", 500 * (seed % 2))
    wrong, compared = differences(seed, 45)
    assert not wrong, "\n".join(wrong)
    assert compared >= 10


def _without_groups(access: Access) -> reach.Staff:
    return replace(whole_staff(access), client_groups={})


def _only_by_name(access: Access, column: str) -> object:
    return reach.Q(
        reach.Exists(
            reach.StaffAssignment.objects.filter(
                provider=access.acting_for,
                person=access.person,
                client=reach.OuterRef(column),
                starts_at__lte=access.at,
            )
        )
    )


whole_staff = reach.staff_of


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        by_night("delegation.board.staff_of", _without_groups),
        by_night("delegation.reach.works_for", _only_by_name),
        ("delegation.reach.works_for", lambda access, column: reach.Q()),
    ],
)
def test_a_board_that_forgets_a_link_is_caught(
    monkeypatch: pytest.MonkeyPatch, link: str, broken: Callable[..., object]
) -> None:
    """The control: without client groups, without groups of employees, without assignments."""
    monkeypatch.setattr(link, broken)
    assert any(differences(seed, 45)[0] for seed in range(8))
