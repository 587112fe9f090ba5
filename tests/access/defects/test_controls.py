"""Every test of a peer's defect finds the code broken as the peer's was, and stands in the docs."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError

from tests.access.defects import test_people, test_reach, test_time
from tests.access.defects.broken import CONTROLS, Break, Defect
from tests.world import World

ASSURANCE = Path("docs/assurance.md")
TESTS = {
    name: test
    for module in (test_people, test_reach, test_time)
    for name, test in vars(module).items()
    if name.startswith("test_d")
}
ROW = re.compile(r"^\| D(\d+) \|.*\| `(test_d(\d\d)_\w+)` \|$", re.MULTILINE)


@pytest.mark.nightly
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("test", "break_it"), CONTROLS, ids=[test.__name__ for test, _broken in CONTROLS]
)
def test_the_broken_copy_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, test: Defect, break_it: Break
) -> None:
    break_it(monkeypatch)
    with pytest.raises((AssertionError, IntegrityError, pytest.fail.Exception)):
        test(world)


def test_each_defect_has_a_test_a_control_and_a_row() -> None:
    assert sorted(name[6:8] for name in TESTS) == [f"{number:02}" for number in range(1, 25)]
    assert {test.__name__ for test, _broken in CONTROLS} == set(TESTS)
    stated = ROW.findall(ASSURANCE.read_text())
    assert [(int(number), int(named)) for number, _name, named in stated] == [
        (number, number) for number in range(1, 25)
    ]
    assert {name for _number, name, _named in stated} == set(TESTS)
