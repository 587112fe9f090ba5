"""The rules of the house as functions: each takes source text and returns what breaks the rule."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

from django.template.backends.django import get_installed_libraries
from django.template.base import Lexer, TokenType
from django.template.defaulttags import register as builtin_tags

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "ccp",
    "officers",
    "transactions",
    "registration",
    "delegation",
    "businesses",
    "accounts",
    "notices",
    "audit",
    "pages",
)
FORBIDDEN_NAMES = frozenset(
    "utils helpers mixins managers selectors signals constants core common".split()
)
LONGEST_FUNCTION = 40

type Function = ast.FunctionDef | ast.AsyncFunctionDef
type Check = Callable[[str], list[str]]


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project, as paths from its root; not what git ignores."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return tuple(Path(line) for line in sorted(listing) if (ROOT / line).is_file())


def modules() -> list[Path]:
    """The Python files of the rooms, but for migrations."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] in ROOMS and "migrations" not in path.parts
    ]


def templates() -> list[Path]:
    """The templates, pages and mails alike."""
    return [path for path in tracked() if path.parts[0] == "templates"]


def read(path: Path) -> str:
    return (ROOT / path).read_text()


def breaches(check: Check, paths: Iterable[Path]) -> list[str]:
    """What `check` finds in the files, each line with its file."""
    return [f"{path}: {found}" for path in paths for found in check(read(path))]


def copy_tree(folder: Path) -> None:
    """Copy the project into `folder`, for a command that writes, or to break it on purpose."""
    for path in tracked():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / path)


# ---------------------------------------------------------------- Python


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def functions(source: str) -> list[Function]:
    return [
        node
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(function: Function) -> int:
    """The lines of a function from `def` to its end, without its docstring."""
    return lines(function) - (lines(function.body[0]) if ast.get_docstring(function) else 0)


def lines(node: Function | ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def long_functions(source: str) -> list[str]:
    """No function is longer than 40 lines."""
    return [
        f"{function.name} has {length(function)} lines"
        for function in functions(source)
        if length(function) > LONGEST_FUNCTION
    ]


def hidden_imports(source: str) -> list[str]:
    """Imports stand at the top: none inside a function, none for the type checker alone."""
    found = [
        f"line {node.lineno}: import inside {function.name}"
        for function in functions(source)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    if "TYPE_CHECKING" in source:
        found.append("TYPE_CHECKING")
    return found


def signals(source: str) -> list[str]:
    """Rules are called, not signalled."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.ImportFrom)
        and (node.module == "django.dispatch" or (node.module or "").endswith("signals"))
    ]


def clock_reads(source: str) -> list[str]:
    """Whoever acts is told the time: models and services read no clock."""
    return [
        f"line {node.lineno}: {ast.unparse(node.func)}()"
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "today", "localdate", "localtime", "utcnow"}
        and not node.args
    ]


def positional_services(source: str) -> list[str]:
    """A service that acts at a time (`at`) names every argument."""
    return [
        f"{function.name}({', '.join(argument.arg for argument in function.args.args)}, ...)"
        for function in functions(source)
        if any(argument.arg == "at" for argument in function.args.kwonlyargs)
        and function.args.args
        and not function.name.startswith("_")
    ]


OF_REQUEST = {"build_absolute_uri", "get_host", "get_raw_uri", "get_port", "get_current_site"}
HOST_HEADER = re.compile(r"(HTTP_)?(X[-_])?(HOST|FORWARDED|ORIGINAL|REWRITE|REAL)([-_]\w+)*", re.I)


def hosts_of_requests(source: str) -> list[str]:
    """Where the portal stands is a setting: no link and no decision follows what a visitor says."""
    named = [
        (node.lineno, getattr(node, "attr", "") or getattr(node, "id", ""))
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Attribute | ast.Name)
    ]
    read = [
        (node.lineno, node.value)
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    found = [one for one in named if one[1] in OF_REQUEST]
    found += [one for one in read if HOST_HEADER.fullmatch(one[1]) and len(one[1]) > 6]
    return [f"line {line}: {name}" for line, name in found]


# ---------------------------------------------------------------- templates

INLINE = re.compile(
    r"<style\b|<script(?![^>]*\bsrc=)[^>]*>|\sstyle\s*=|\son[a-z]+\s*=|javascript:", re.IGNORECASE
)


def inline_code(source: str) -> list[str]:
    """Pages carry no script and no style of their own: the content security policy bars them."""
    return [match.group().strip() for match in INLINE.finditer(source)]


ASKS_HOST = re.compile(r"request\.(?:get_host|build_absolute_uri|get_raw_uri|META|headers)")


def hosts_in_pages(source: str) -> list[str]:
    """A page asks for no host and no header of the request."""
    return ASKS_HOST.findall(source)


GLUED_COLON = re.compile(r"\}\}\s*:|:\s*[\"']\s*%\}[ \t]*\{\{")


def glued_colons(source: str) -> list[str]:
    """A colon between two values is part of a translation: French sets a space before it."""
    outside = re.sub(r"\{% blocktranslate.*?\{% endblocktranslate %\}", "", source, flags=re.DOTALL)
    return [match.group() for match in GLUED_COLON.finditer(outside)]


def loads(source: str) -> list[str]:
    """The libraries that a template loads, in order."""
    return [
        library
        for token in Lexer(source).tokenize()
        if token.token_type == TokenType.BLOCK and token.split_contents()[0] == "load"
        for library in token.split_contents()[1:]
    ]


def unused_loads(source: str) -> list[str]:
    """A template loads only what it uses."""
    tokens = Lexer(source).tokenize()
    tags = {token.split_contents()[0] for token in tokens if token.token_type == TokenType.BLOCK}
    expressions = " ".join(token.contents for token in tokens if token.token_type != TokenType.TEXT)
    filters = set(re.findall(r"\|\s*(\w+)", expressions))
    installed = get_installed_libraries()
    unused = []
    for name in loads(source):
        library = import_module(installed[name]).register if name in installed else builtin_tags
        if not tags & set(library.tags) and not filters & set(library.filters):
            unused.append(f"{{% load {name} %}}")
    return unused


def unused_templates(names: Iterable[str], code: Iterable[str], pages: Iterable[str]) -> list[str]:
    """Every template is named by code, whole or in an f-string, or by another template."""
    sources = list(code)
    text = "\n".join([*sources, *pages])
    built = [re.compile(pattern) for source in sources for pattern in built_names(source)]
    return [
        name
        for name in names
        if name not in text and not any(pattern.fullmatch(name) for pattern in built)
    ]


def built_names(source: str) -> list[str]:
    """The names of templates that f-strings build, as regular expressions."""
    patterns = [
        "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
            for part in node.values
        )
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.JoinedStr)
    ]
    return [pattern for pattern in patterns if pattern.endswith((r"\.html", r"\.txt"))]


# ---------------------------------------------------------------- the project


def broken_contracts(root: Path) -> list[str]:
    """The import contracts of `pyproject.toml` that the project in `root` breaks."""
    report = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
    ).stdout
    if "Contracts:" not in report:
        return [report]
    return re.findall(r"^(.+) BROKEN", report, re.MULTILINE)


MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def unfinished(source: str) -> list[str]:
    """Nothing is promised in a comment."""
    return [match.group() for match in MARKS.finditer(source)]


def forbidden_names(paths: Iterable[Path]) -> list[str]:
    """No module is named by what kind of thing it holds."""
    return [
        str(path)
        for path in paths
        if path.suffix == ".py" and FORBIDDEN_NAMES & {path.stem, *path.parent.parts}
    ]


def unexplained_dependencies(pyproject: str) -> list[str]:
    """Every dependency has its reason beside it."""
    return re.findall(r'^    "([^"]+)",?\s*$', _dependency_part(pyproject), re.MULTILINE)


def _dependency_part(pyproject: str) -> str:
    """From the list of dependencies to the first table of a tool."""
    return pyproject[pyproject.index("dependencies = [") :].split("\n[tool.")[0]


def environment_variables(settings: str) -> set[str]:
    """The variables that the settings read, by `os.environ` or `required`."""
    return set(re.findall(r'(?:environ(?:\.get\(|\[)|getenv\(|\brequired\()\s*"(\w+)"', settings))


def circular(dependencies: dict[str, set[str]]) -> list[str]:
    """The nodes from which a way leads back to themselves."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        open_nodes = [start]
        while open_nodes:
            for following in dependencies.get(open_nodes.pop(), set()) - seen:
                seen.add(following)
                open_nodes.append(following)
        return seen

    return sorted(node for node in dependencies if node in reachable(node))
