"""The house keeps its own rules, and each rule is seen to fail on a broken sample."""

import re
import statistics
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.template import TemplateDoesNotExist, engines
from django.template.loader import get_template

from ccp.protection import PROTECTED, read, unclassed
from tests import house

pytestmark = pytest.mark.once

PYTHON_RULES = {
    house.long_functions: "def f():\n" + "    x = 1\n" * 40,
    house.hidden_imports: "def f():\n    import os\n",
    house.signals: "from django.db.models.signals import post_save\n",
    house.hosts_of_requests: "link = request.build_absolute_uri(path)\n",
}
TEMPLATE_RULES = {
    house.inline_code: '<p style="color: red">',
    house.unused_loads: "{% load i18n static %}{% translate 'x' %}",
    house.glued_colons: "{{ program }}: {{ role }}",
    house.hosts_in_pages: "https://{{ request.get_host }}/",
}


def none(found: list[str]) -> None:
    assert not found, f"{len(found)} found\n" + "\n".join(found[:40])


@pytest.mark.parametrize("check", PYTHON_RULES, ids=lambda check: check.__name__)
def test_python_keeps_the_rule(check: house.Check) -> None:
    assert len(house.modules()) > 20
    none(house.breaches(check, house.modules()))


@pytest.mark.asvs("1.2.3")
@pytest.mark.parametrize("check", TEMPLATE_RULES, ids=lambda check: check.__name__)
def test_templates_keep_the_rule(check: house.Check) -> None:
    assert house.templates()
    none(house.breaches(check, house.templates()))


@pytest.mark.asvs("1.2.3")
@pytest.mark.parametrize(
    ("check", "broken"),
    [
        *PYTHON_RULES.items(),
        *TEMPLATE_RULES.items(),
        (house.hidden_imports, "if TYPE_CHECKING: pass"),
        (house.signals, "from django.dispatch import receiver"),
        (house.hosts_of_requests, "host = request.headers['X-Forwarded-Host']"),
        (house.hosts_of_requests, "host = request.META['HTTP_HOST']"),
        (house.hosts_of_requests, "site = get_current_site(request)"),
        (house.inline_code, "<script>go()</script>"),
        (house.inline_code, "<style>p {}</style>"),
        (house.inline_code, '<a onclick="go()">'),
        (house.inline_code, '<a href="javascript:go()">'),
        (house.glued_colons, '{% translate "Programs:" %} {{ programs }}'),
        (house.clock_reads, "at = timezone.now()"),
        (house.clock_reads, "at = date.today()"),
        (house.positional_services, "def close(account, *, at): pass"),
        (house.unfinished, "# TO" + "DO later"),
        (house.unexplained_dependencies, 'dependencies = [\n    "django>=6",\n]\n[tool.x]'),
    ],
)
def test_the_rule_is_seen_to_fail(check: house.Check, broken: str) -> None:
    assert check(broken)


@pytest.mark.parametrize(
    ("check", "sound"),
    [
        (house.long_functions, "def f():\n" + "    x = 1\n" * 39),
        (house.hidden_imports, "import os\n"),
        (house.inline_code, '<script src="/static/portal.js"></script>'),
        (house.unused_loads, "{% load i18n %}{% translate 'x' %}"),
        (house.glued_colons, "{% blocktranslate %}{{ a }}: {{ b }}{% endblocktranslate %}"),
        (house.clock_reads, "starts = at.now"),
        (house.positional_services, "def close(*, account, at): pass"),
        (house.unexplained_dependencies, 'dependencies = [\n    "a>=6",  # reason\n]\n[tool.x]'),
    ],
)
def test_the_rule_lets_sound_code_pass(check: house.Check, sound: str) -> None:
    assert check(sound) == []


def test_most_functions_are_short() -> None:
    lengths = [
        house.length(function)
        for path in house.modules()
        for function in house.functions(house.read(path))
    ]

    assert statistics.median(lengths) <= 10


def test_models_and_services_read_no_clock() -> None:
    told = [
        path
        for path in house.modules()
        if {"models", "services", "permissions"} & {path.stem, *path.parts} or path.stem == "access"
    ]

    assert told
    none(house.breaches(house.clock_reads, told))


def test_services_name_their_arguments() -> None:
    services = [path for path in house.modules() if {"services"} & {path.stem, *path.parts}]

    assert services
    none(house.breaches(house.positional_services, services))


def test_no_module_is_named_by_its_kind() -> None:
    none(house.forbidden_names(house.tracked()))
    assert house.forbidden_names([Path("audit/utils.py"), Path("audit/core/x.py")]) != []


def test_nothing_is_promised_in_a_comment() -> None:
    written = [
        path
        for path in house.tracked()
        if path.suffix in {".py", ".html", ".txt", ".md", ".toml", ".css", ".js", ".sh"}
        and path.name != "house.py"
    ]

    none(house.breaches(house.unfinished, written))


def test_every_dependency_has_its_reason() -> None:
    none(house.unexplained_dependencies(house.read(Path("pyproject.toml"))))


def test_every_setting_of_the_environment_is_listed() -> None:
    read = house.environment_variables(house.read(Path("ccp/settings.py"))) | {"DATABASE_URL"}
    read |= {*re.findall(r"(?<!\$)\$\{(\w+)", house.read(Path("deploy/compose.yml")))}
    listed = set(re.findall(r"^(\w+)=", house.read(Path(".env.example")), re.MULTILINE))

    assert read == listed
    assert house.environment_variables('os.environ.get("ONE"), os.environ["TWO"]') == {"ONE", "TWO"}


@pytest.mark.asvs("14.1.1")
def test_every_field_has_its_class_of_protection() -> None:
    """What a new field of a record holds is said in `ccp/protection.py`."""
    models = apps.get_models(include_auto_created=True)
    assert len(models) > 50
    none(unclassed(models, PROTECTED))
    told = PROTECTED | read(
        "accounts.CodeTries\n    personal person person\n    other wrong\n    public newest_at gone"
    )
    assert unclassed(models, told) == [
        "accounts.CodeTries.gone", "accounts.CodeTries.person", "accounts.CodeTries.wrong",
    ]  # fmt: skip


def test_every_template_is_used() -> None:
    ours = [str(path.relative_to("templates")) for path in house.templates()]
    code = [house.read(path) for path in house.modules()]
    pages = [house.read(path) for path in house.templates()]

    none([name for name in house.unused_templates(ours, code, pages) if not overrides(name)])


def test_an_unused_template_is_seen() -> None:
    names = ["a/named.html", "a/built_x.html", "a/included.html", "a/lost.html"]
    code = ["render('a/named.html', f'a/built_{kind}.html')"]

    assert house.unused_templates(names, code, ["{% include 'a/included.html' %}"]) == [
        "a/lost.html"
    ]


def overrides(name: str) -> bool:
    """Whether an installed package has a template of this name, so that ours takes its place."""
    packaged = [loader for loader in engines["django"].engine.template_loaders[0].loaders[1:]]
    for loader in packaged:
        try:
            loader.get_template(name)
        except TemplateDoesNotExist:
            continue
        return True
    return False


def test_templates_parse() -> None:
    for path in house.templates():
        get_template(str(path.relative_to("templates")))


def test_migrations_of_two_apps_do_not_wait_for_each_other() -> None:
    dependencies: dict[str, set[str]] = {}
    for (app, _name), migration in MigrationLoader(None).disk_migrations.items():
        others = {other for other, _ in migration.dependencies if other != app}
        dependencies.setdefault(app, set()).update(others - {"__setting__"})

    assert (
        house.circular({app: dependencies[app] for app in house.ROOMS if app in dependencies}) == []
    )
    assert house.circular({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def test_rooms_import_only_what_they_may() -> None:
    none(house.broken_contracts(house.ROOT))


def test_a_forbidden_import_is_seen(tmp_path: Path) -> None:
    house.copy_tree(tmp_path)
    for module, line in {
        "pages/paging.py": "import delegation.roles",
        "audit/models.py": "from audit import services",
        "accounts/models.py": "import guardian.models",
    }.items():
        with (tmp_path / module).open("a") as file:
            file.write(f"{line}\n")

    assert len(house.broken_contracts(tmp_path)) == 3
