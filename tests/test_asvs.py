"""Each item of ASVS 5.0.0 (levels 1 and 2) that applies has a test or a page that proves it."""

import pytest

from tests.asvs import TABLE, Item, counts, marked, modules, parts, proved, read, written, wrongs

pytestmark = pytest.mark.once


def item(number: str = "1.1.1", applies: str = "yes", proof: str = "") -> Item:
    return Item(number, "1", "A", applies, proof, "")


def test_every_item_that_applies_is_proved() -> None:
    items, found = read(TABLE.read_text()), marked(modules())
    print("\n" + counts(items))
    assert len(items) == 253
    assert wrongs(proved(items, found), found) == []


def test_the_table_names_the_tests_that_there_are() -> None:
    text = TABLE.read_text()
    again = written(proved(read(text), marked(modules())))
    assert text == again, "Run `python -m tests.asvs`."


def test_what_is_wrong_with_a_table_is_seen() -> None:
    for broken, found in (
        (item(), {}),
        (item(proof="docs/security.md#nothing"), {}),
        (item(proof="docs/nothing.md"), {}),
        (item(applies="no:"), {}),
        (item(applies="not yet: later"), {}),
        (item(applies="no: there is none"), {"1.1.1": ["tests/x.py::test_x"]}),
        (item(proof="tests/x.py::test_x"), {"1.1.1": ["tests/x.py::test_x"], "0.0.0": ["y"]}),
    ):
        assert len(wrongs([broken], found)) == 1, broken
    assert wrongs([item(proof="docs/security.md#limits")], {}) == []
    assert parts("# A page\n## Keys and algorithms\n") == {"a-page", "keys-and-algorithms"}
