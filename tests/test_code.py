"""What the code never does: looked for in all of it, and each look is seen to find a sample."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from ccp import settings as portal_settings
from tests import house

pytestmark = pytest.mark.once

type Look = Callable[[str], list[str]]


@cache
def spoken(source: str) -> frozenset[str]:
    """The names of functions and modules that a source imports or calls."""
    found: set[str] = set()
    for node in ast.walk(house.parsed(source)):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0], *(one.name for one in node.names)}
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
    return frozenset(found)


def calls(*names: str) -> Look:
    """Those of the names that a source imports or calls."""
    return lambda source: sorted(spoken(source) & {*names})


def patterns(source: str) -> list[str]:
    """The patterns that are made of anything but constants."""
    return [
        ast.unparse(node)
        for node in ast.walk(house.parsed(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "re"
        and node.args
        and any(
            isinstance(one, ast.Name) and not one.id.isupper() for one in ast.walk(node.args[0])
        )
    ]


def texts(pattern: str) -> Look:
    """What a source says that the pattern finds."""
    return re.compile(pattern).findall


def scripts() -> list[Path]:
    """The scripts of the portal; those of its design system are vendored."""
    return [path for path in house.tracked() if path.parts[0] == "static" and path.suffix == ".js"]


NEVER: dict[str, tuple[Look, str]] = {
    "decodes a second time": (calls("unquote", "unquote_plus", "unquote_to_bytes"), "unquote(x)"),
    "runs text as code": (calls("eval", "exec", "compile", "__import__"), "eval(x)"),
    "runs a program": (calls("subprocess", "os.system", "os.popen"), "import subprocess"),
    "reads objects": (calls("pickle", "marshal", "shelve", "yaml", "dill"), "import pickle"),
    "reads XML": (calls("xml", "lxml", "defusedxml"), "from xml.etree import ElementTree"),
    "makes markup of text": (calls("mark_safe", "SafeString", "safestring"), "mark_safe(x)"),
    "makes templates of text": (calls("Template", "engines"), "Template(x)"),
    "guesses": (calls("random", "uuid1"), "import random"),
    "hashes weakly": (calls("md5", "sha1", "hashlib.md5", "hashlib.sha1"), "hashlib.md5(x)"),
    "builds ciphers": (calls("hazmat", "Crypto", "AES", "Cipher"), "from Crypto import AES"),
    "formats what was chosen": (texts(r"getattr\([^)]*format|\.format_map\("), "x.format_map(y)"),
    "makes patterns of text": (patterns, "re.compile(rf'{typed}')"),
    "writes statements": (calls("RawSQL", "extra", "raw"), "from django.db.models import RawSQL"),
}
ON_PURPOSE = {
    # A tool of those who build the portal.
    "ccp/management/commands/vendor_gcds.py: subprocess",
    "ccp/management/commands/vendor_gcds.py: re.sub(pattern, replacement, selector)",
    # A made-up world is the same for the same seed.
    "ccp/seed/world.py: random",
    # Says what a template gave; makes nothing of text.
    "pages/templatetags/pages.py: SafeString",
    # The patterns of its own columns.
    "transactions/declaration_file.py: re.fullmatch(pattern, text)",
}


@pytest.mark.asvs(
    "1.1.1",
    "1.2.4",
    "1.2.5",
    "1.2.9",
    "1.3.2",
    "1.3.7",
    "1.3.10",
    "1.5.1",
    "1.5.2",
    "6.5.3",
    "11.2.1",
    "11.3.1",
    "11.3.2",
    "11.4.1",
    "11.4.3",
    "11.5.1",
)
@pytest.mark.parametrize("what", NEVER)
def test_the_code_never(what: str) -> None:
    look, sample = NEVER[what]
    assert look(sample), "The look finds its sample."
    found = house.breaches(look, house.modules())
    assert not {*found} - ON_PURPOSE, found


IN_SCRIPTS = {
    "markup": (r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc", "x.innerHTML = y"),
    "code": (r"\beval\(|new Function|setTimeout\(\s*['\"]|javascript:", "eval(x)"),
    "a store": (r"localStorage|sessionStorage|indexedDB|document\.cookie", "localStorage.x = 1"),
    "other sites": (
        r"https?://|(?:window|parent|opener|top)\S*\.postMessage|XMLHttpRequest|importScripts",
        "fetch('https://x')",
    ),
    "prototypes": (r"__proto__|Object\.assign\(\s*\w+\.prototype", "x.__proto__ = y"),
    "plug-ins": (r"ActiveX|applet|\.swf", "new ActiveXObject()"),
}


@pytest.mark.asvs("1.2.3", "3.2.2", "3.7.1", "14.3.3", "15.3.6")
@pytest.mark.parametrize("what", IN_SCRIPTS)
def test_scripts_touch_no(what: str) -> None:
    pattern, sample = IN_SCRIPTS[what]
    assert scripts() and texts(pattern)(sample)
    assert not house.breaches(texts(pattern), scripts())


RUFF = {
    "S102": "exec(x)",
    "S105": "password = 'hunter2hunter2'",
    "S301": "import pickle\npickle.loads(x)",
    "S307": "eval(x)",
    "S308": "from django.utils.safestring import mark_safe\nmark_safe(x)",
    "S311": "import random\nrandom.random()",
    "S324": "import hashlib\nhashlib.md5(x)",
    "S501": "import requests\nrequests.get(x, verify=False, timeout=1)",
    "S113": "import requests\nrequests.get(x)",
    "S506": "import yaml\nyaml.load(x)",
    "S602": "import subprocess\nsubprocess.run(x, shell=True)",
    "S608": "query = 'SELECT * FROM t WHERE x = ' + x",
    "S314": "import xml.etree.ElementTree as e\ne.parse(x)",
}


@pytest.mark.asvs("1.2.4", "1.2.5", "1.3.2", "1.5.2", "11.4.1", "11.5.1", "12.3.2")
def test_the_linter_looks_for_what_is_unsafe(tmp_path: Path) -> None:
    """The rules that each change is held to by `ruff check` find a sample of each."""
    for code, sample in RUFF.items():
        (tmp_path / f"{code}.py").write_text(sample + "\n")
    report = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--output-format=json", "--no-cache",
         "--config", house.ROOT / "pyproject.toml", tmp_path],
        capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    found = {(Path(one["filename"]).stem, one["code"]) for one in json.loads(report)}
    assert {(code, code) for code in RUFF} <= found


SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[bap]-\w+"
    r"|(?i:secret|password|token)\w*\s*[=:]\s*['\"][A-Za-z0-9+/]{32,}['\"]"
)


@pytest.mark.asvs("13.3.1")
def test_no_secret_is_in_the_repository() -> None:
    kinds = {".py", ".toml", ".md", ".txt", ".sh", ".html", ".js", ".example", ".yml", ".json", ""}
    read = [path for path in house.tracked() if path.suffix in kinds and path.name != "uv.lock"]
    found = [
        f"{path}: {match.group()[:40]}"
        for path in read
        for match in SECRET.finditer((house.ROOT / path).read_text(errors="replace"))
    ]
    assert len(read) > 500 and not found, found
    assert SECRET.search("-----BEGIN " + "PRIVATE KEY-----")
    assert SECRET.search("SECRET" + f'_KEY = "{"a1" * 20}"')


@pytest.mark.asvs("15.1.2")
def test_every_dependency_is_pinned_with_its_hash() -> None:
    locked = tomllib.loads((house.ROOT / "uv.lock").read_text())["package"]
    told = [one for one in locked if one["source"].get("registry")]
    files = [
        file for one in told for file in [*one.get("wheels", []), one.get("sdist", {})] if file
    ]
    assert len(told) > 50 and len(files) > len(told)
    assert all(file["hash"].startswith("sha256:") for file in files)
    assert {one["name"] for one in locked} - {one["name"] for one in told} == {"carm-client-portal"}


@pytest.mark.asvs("15.3.5")
def test_types_are_checked_strictly() -> None:
    told = tomllib.loads((house.ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    strict = ("disallow_untyped_defs", "check_untyped_defs", "strict_equality", "warn_unreachable")
    assert all(told[name] for name in strict)
    assert {*told["packages"]} == {*house.ROOMS, "deploy"}


@pytest.mark.asvs("1.2.2", "1.3.6")
def test_nothing_that_is_entered_is_an_address_to_follow() -> None:
    """No record holds an address of the web, a path, or a file."""
    kinds = (models.URLField, models.FileField, models.FilePathField)
    fields = [one for model in apps.get_models() for one in model._meta.get_fields()]
    ours = [one for one in fields if one.model._meta.app_label in house.ROOMS]
    assert len(ours) > 300
    assert not [str(one) for one in ours if isinstance(one, kinds)]


@pytest.mark.asvs("1.3.7", "1.5.2", "7.2.1", "11.4.2")
def test_texts_of_sessions_and_passwords_are_kept_as_they_should_be() -> None:
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert portal_settings.PASSWORD_HASHERS[0].endswith("ScryptPasswordHasher")
    assert all(one["APP_DIRS"] and "loaders" not in one["OPTIONS"] for one in settings.TEMPLATES)
