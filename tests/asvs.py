"""ASVS 5.0.0, levels 1 and 2: what applies, and which test or page proves it.

`docs/asvs.csv` has a row for each item. Whether it applies is written by hand: `yes`, `no: why`,
`person: what` (to be judged where the portal runs). Tests are marked with the items that they
prove; the column `proof` is those tests, and the parts of `docs/` that `documents` names.
`python -m tests.asvs` writes the column anew and prints the counts.
"""

import ast
import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests import house

TABLE = house.ROOT / "docs" / "asvs.csv"
COLUMNS = ("asvs", "level", "class", "applies", "proof", "test")


@dataclass
class Item:
    """One requirement: `test` says in our words how it is tried, `proof` where."""

    number: str
    level: str
    kind: str
    applies: str
    proof: str
    test: str

    @property
    def state(self) -> str:
        """`yes`, `no` or `person`."""
        return self.applies.partition(":")[0]

    @property
    def documents(self) -> list[str]:
        """The parts of `docs/` that prove it, as `docs/page.md#part`."""
        return [one for one in self.proof.split("; ") if one.startswith("docs/")]


def read(text: str) -> list[Item]:
    return [Item(*(row[name] for name in COLUMNS)) for row in csv.DictReader(io.StringIO(text))]


def written(items: Iterable[Item]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in items:
        writer.writerow([one.number, one.level, one.kind, one.applies, one.proof, one.test])
    return out.getvalue()


def marked(paths: Iterable[Path]) -> dict[str, list[str]]:
    """The tests that are marked with each item, by its number."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for function in house.functions(house.read(path)):
            for decorator in function.decorator_list:
                if ast.unparse(decorator).startswith("pytest.mark.asvs("):
                    assert isinstance(decorator, ast.Call)
                    for number in decorator.args:
                        found[str(ast.literal_eval(number))].append(f"{path}::{function.name}")
    return {number: sorted({*tests}) for number, tests in found.items()}


def modules() -> list[Path]:
    return [path for path in house.tracked() if path.parts[0] == "tests" and path.suffix == ".py"]


def proved(items: list[Item], found: dict[str, list[str]]) -> list[Item]:
    """The same items with the tests that prove them."""
    return [
        Item(one.number, one.level, one.kind, one.applies,
             "; ".join([*one.documents, *found.get(one.number, [])]), one.test)
        for one in items
    ]  # fmt: skip


def parts(page: str) -> set[str]:
    """The parts of a page, as links name them."""
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def wrongs(items: list[Item], found: dict[str, list[str]]) -> list[str]:
    """What is wrong with the table: items without proof, proof of nothing, pages that are not."""
    known = {one.number for one in items}
    wrong = [f"{number}: marked, and no item" for number in sorted({*found} - known)]
    for one in items:
        if one.state not in {"yes", "no", "person"}:
            wrong.append(f"{one.number}: applies {one.applies!r}")
        if one.state != "yes" and not one.applies.partition(":")[2].strip():
            wrong.append(f"{one.number}: does not say why")
        if one.state == "yes" and not one.proof:
            wrong.append(f"{one.number}: nothing proves it")
        if one.state != "yes" and found.get(one.number):
            wrong.append(f"{one.number}: is marked and does not apply")
        for document in one.documents:
            path, _, part = document.partition("#")
            if not (house.ROOT / path).exists():
                wrong.append(f"{one.number}: no page {path}")
            elif part and part not in parts((house.ROOT / path).read_text()):
                wrong.append(f"{one.number}: no part {document}")
    return wrong


def counts(items: Iterable[Item]) -> str:
    """How many items of each class are in each state, as a line for each class."""
    of = Counter((one.kind, one.state) for one in items)
    states = ("yes", "person", "no")
    lines = ["class  proved   person  does not apply"]
    for kind in sorted({kind for kind, _ in of}):
        lines.append(f"{kind:5}" + "".join(f"{of[kind, state]:9}" for state in states))
    totals = [sum(of[kind, state] for kind, _ in {*of} if _ == state) for state in states]
    return "\n".join([*lines, "all  " + "".join(f"{number:9}" for number in totals)])


if __name__ == "__main__":
    items = proved(read(TABLE.read_text()), marked(modules()))
    TABLE.write_text(written(items))
    print(counts(items))
