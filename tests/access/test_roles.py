"""What each role may do, against a second table written by hand from the domain page."""

import itertools

import pytest

from delegation.access import Access
from delegation.roles import TABLE, Action, Role, grantable_by, may, strongest, weakest
from tests.access.random_worlds import submission
from tests.world import World

#                      BAM    PAM    Editor Reader
BY_HAND = {
    "view_transactions": "yes    yes    yes    yes",
    "edit_transactions": "yes    yes    yes    no",
    "pay": "yes    yes    yes    no",
    "manage_employees": "yes    yes    no     no",
    "manage_relationships": "yes    yes    no     no",
    "manage_clients": "yes    no     no     no",
    "manage_business": "yes    no     no     no",
    "view_activity": "yes    no     no     no",
}
EXPECTED = {
    (role, action): cell == "yes"
    for action, cells in BY_HAND.items()
    for role, cell in zip(("bam", "pam", "editor", "reader"), cells.split(), strict=True)
}
ON_A_BUSINESS = ("manage_clients", "manage_business", "view_activity")


def wrong_cells() -> list[tuple[str, str]]:
    """The cells in which the portal's table and the one written by hand differ."""
    return [
        (role.value, action.value)
        for role, action in itertools.product(Role, Action)
        if may(role, action) is not EXPECTED[role.value, action.value]
    ]


def test_the_table_is_that_of_the_domain_page() -> None:
    assert len(EXPECTED) == len(Role) * len(Action)
    assert wrong_cells() == []
    assert not any(may(None, action) for action in Action)


@pytest.mark.parametrize("cell", sorted(EXPECTED), ids=" ".join)
def test_every_flipped_cell_is_caught(
    monkeypatch: pytest.MonkeyPatch, cell: tuple[str, str]
) -> None:
    role, action = Role(cell[0]), Action(cell[1])
    monkeypatch.setitem(TABLE, role, TABLE[role] ^ {action})
    assert wrong_cells() == [cell]


@pytest.mark.parametrize("role", ["bam", "pam", "editor", "reader"])
def test_the_decision_follows_the_table(world: World, role: str) -> None:
    """On a program account and a record of it; what concerns the business is the BAM's alone."""
    maple = world.importer("Maple")
    person = world.manager(maple) if role == "bam" else world.employee("Pat", maple, RM0001=role)
    program, access = world.program(maple), Access(person, maple, world.at)
    record = submission(program=program, submitter=maple, at=world.at)

    for action in Action:
        expected = EXPECTED[role, action.value]
        assert access.decide(action, program).allowed is expected, action
        assert access.decide(action, record).allowed is expected, action
        assert access.decide(action, maple).allowed is (role == "bam"), action
    assert str(access.role_on(program)) == role
    assert access.role_on(world.program(maple, "RM0002")) is (Role.BAM if role == "bam" else None)


def test_the_strongest_and_the_weakest_role() -> None:
    order = [Role.BAM, Role.PAM, Role.EDITOR, Role.READER]
    for high, low in itertools.combinations(order, 2):
        assert strongest(low, high) is strongest(high, None, low) is high
        assert weakest(low, high) is weakest(high, low) is low
    assert strongest() is strongest(None) is None


@pytest.mark.parametrize(
    ("role", "grants"),
    [
        (Role.BAM, ["bam", "pam", "editor", "reader"]),
        (Role.PAM, ["editor", "reader"]),
        (Role.EDITOR, []),
        (Role.READER, []),
        (None, []),
    ],
)
def test_nobody_grants_above_the_own_right(role: Role | None, grants: list[str]) -> None:
    assert [granted.value for granted in grantable_by(role)] == grants
