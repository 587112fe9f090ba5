"""Pages of `docs/` that are written from the code, so that they cannot say anything else.

Who may do what, from the table of roles and the rule that each view states; every route; the states
of whatever has states; and what protection each field asks for. They are in English, for whoever
works on the portal.
"""

import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from django.apps import apps
from django.conf import settings
from django.utils.translation import override

from ccp.protection import CLASSES, PROTECTED, SECRETS, unclassed
from ccp.routes import every_route, who
from delegation.abilities import TableRow, ceiling_rows, granted_by, role_rows
from delegation.employees import roles_in_words
from pages.rules import Rule

DOCS = Path(settings.BASE_DIR) / "docs"
NOTICE = "Written by `manage.py write_docs`; change the code and write it again."


def written() -> dict[str, str]:
    """Each page by its file name."""
    with override("en-ca"):
        return {name: write() for name, write in PAGES.items()}


def stale(folder: Path) -> list[str]:
    """The pages in `folder` that do not say what the code says."""
    return [
        name
        for name, text in written().items()
        if not (folder / name).exists() or (folder / name).read_text() != text
    ]


# ---------------------------------------------------------------- who may do what


def permissions() -> str:
    """The roles, what may be granted, what a provider may, and each rule with its routes."""
    rules: dict[Rule, list[str]] = defaultdict(list)
    for route in every_route():
        for method, rule in route.rules.items():
            rules[rule].append(f"`{method} {route.name}`")
    stated = sorted(rules.items(), key=lambda pair: pair[0].__name__)
    return _page(
        "Who may do what",
        "## Roles inside a business",
        _list(f"**{role.label}**: {role.sentence}" for role in roles_in_words()),
        _roles(role_rows()),
        "## Who grants which role",
        _list(f"**{role}** grants {granted}." for role, granted in granted_by()),
        "## What a service provider may do for a client, at most",
        _roles(ceiling_rows()),
        "## The rules that pages state",
        "A page asks its rule before it shows or does anything, and the service asks it again "
        "under lock.",
        _table(
            ("rule", "who", "asked by"),
            ((f"`{rule.__name__}`", who(rule), ", ".join(used)) for rule, used in stated),
        ),
    )


def _roles(rows: list[TableRow]) -> str:
    heads = ("", *(head for head, _may in rows[0].cells))
    return _table(
        heads,
        ((row.sentence, *("yes" if may else "no" for _head, may in row.cells)) for row in rows),
    )


# ---------------------------------------------------------------- routes and states


def routes() -> str:
    """Every address, its methods and who may use them."""
    return _page(
        "Routes",
        "`<language>` is `en-ca` or `fr-ca`.",
        _table(
            ("route", "method", "address", "rule"),
            (
                (f"`{route.name}`", method, f"`{route.path}`", f"`{rule.__name__}`")
                for route in every_route()
                for method, rule in route.rules.items()
            ),
        ),
    )


def states() -> str:
    """Each table of transitions: from which state to which."""
    parts: list[str] = []
    for module in _with_transitions():
        parts.append(f"## `{module.__name__}`")
        parts.append(inspect.cleandoc(module.__doc__ or "").split("\n\n")[0])
        parts.append(
            _table(
                ("state", "may become"),
                (
                    (str(before) or "none yet", ", ".join(sorted(map(str, after))) or "nothing")
                    for before, after in module.TRANSITIONS.items()
                ),
            )
        )
    return _page("States", *parts)


def _with_transitions() -> Iterator[ModuleType]:
    models = [one.models_module.__name__ for one in apps.get_app_configs() if one.models_module]
    for name in sorted(sys.modules):
        if hasattr(sys.modules[name], "TRANSITIONS") and name.startswith(tuple(models)):
            yield sys.modules[name]


# ---------------------------------------------------------------- what is to be protected


class FieldWithoutClass(Exception):
    """A field of a record of which nobody said what it holds: see `ccp/protection.py`."""


def protection() -> str:
    """What each field of each record holds, and how each secret is kept."""
    if found := unclassed(apps.get_models(include_auto_created=True), PROTECTED):
        raise FieldWithoutClass(", ".join(found))
    return _page(
        "Classes of data",
        "What each class demands, and the tests that hold it: "
        "[Security in figures](security.md#classes-of-data).",
        _list(f"**{name}**: {sentence}" for name, sentence in CLASSES.items()),
        "## Records",
        _table(
            ("record", *CLASSES),
            (
                (f"`{label}`", *(", ".join(fields.get(name, [])) for name in CLASSES))
                for label, fields in sorted(PROTECTED.items())
            ),
        ),
        "## How each secret is kept",
        _table(
            ("how", "what"),
            ((how, ", ".join(f"`{one}`" for one in what.split())) for how, what in SECRETS.items()),
        ),
    )


# ---------------------------------------------------------------- the form of a page


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


PAGES: dict[str, Callable[[], str]] = {
    "permissions.md": permissions,
    "protection.md": protection,
    "routes.md": routes,
    "states.md": states,
}
