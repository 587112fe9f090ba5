"""The shape in containers: cannot be started here, and is held to what can be read of it."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from ccp.checks import unmet
from tests import house
from tests.ccp.production import production

pytestmark = pytest.mark.once

TOLD = {
    "SECRET_KEY": "tWq3vN8zKf1xLr6uYb0mHc5dJs9gPa2eQo7iXk4jVn-RZT_UwMBCDFG",
    "PORTAL_URL": "https://portal.example",
    "ALLOWED_HOSTS": "portal.example",
    "SITE_PASSWORD": "a1",
    "OWNER_PASSWORD": "b2",
    "POSTGRES_PASSWORD": "c3",
    "CERTIFICATES": "/certificates",
    "MAIL_HOST": "mail.example",
    "MAIL_FROM": "portal@mail.example",
    "GCKEY_ISSUER": "https://gckey.example",
    "GCKEY_CLIENT_ID": "portal",
    "GCKEY_CLIENT_SECRET": "kept",
    "GCKEY_ACR": "level-2",
}
"""What whoever runs it must say."""

SECRET = re.compile(r"PASSWORD|SECRET")
WORKS_BY_THE_HOUR = {
    "send_due_notices", "send_reminders", "forget_sessions", "forget_submissions", "forget_drafts",
}  # fmt: skip


def text(name: str) -> str:
    return house.read(Path("deploy") / name)


def services(told: dict[str, str] = TOLD) -> dict[str, Any]:
    """The services as they are read with these variables."""

    def value(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2]
        if otherwise == ":?" and not told.get(name):
            raise LookupError(name)
        return told.get(name) or (otherwise or "").removeprefix(":-")

    filled = re.sub(r"(?<!\$)\$\{(\w+)(:\?|:-\w*)?\}", value, text("compose.yml"))
    found: dict[str, Any] = yaml.safe_load(filled)["services"]
    return found


def test_the_portal_in_it_is_told_what_production_demands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("portal", "jobs", "migrations"):
        said = services()[name]["environment"].items()
        told = {key: str("" if value is None else value) for key, value in said}
        of = production(monkeypatch, **told)
        assert unmet(SimpleNamespace(**of)) == [], name
        user = "portal_owner" if name == "migrations" else "portal"
        database = of["DATABASES"]["default"]
        assert (database["HOST"], database["USER"]) == ("/run/postgresql", user)
    needed = {"SITE_PASSWORD", "OWNER_PASSWORD", "POSTGRES_PASSWORD", "SECRET_KEY", "CERTIFICATES"}
    for name in needed:
        with pytest.raises(LookupError):
            services(TOLD | {name: ""})


def test_nothing_in_it_can_do_more_than_it_must() -> None:
    for name, one in services().items():
        assert one["read_only"] and one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["user"].split(":")[0] not in {"0", "root"}, name
        assert bool(one.get("ports")) == (name == "proxy"), name
        assert ":" in one["image"] or "build" in one, name
        assert one.get("healthcheck") or name == "portal", name
    assert services()["database"]["network_mode"] == "none"
    assert not {*services()["proxy"]["networks"]} & {*services()["portal"]["networks"]}
    literal = [
        line
        for line in text("compose.yml").splitlines()
        if SECRET.search(line.partition(":")[0]) and not re.search(r": \$\{\w+:[?-]\}$", line)
    ]
    assert literal == []


def test_the_proxy_in_it_is_the_one_that_is_tried() -> None:
    proxy = services()["proxy"]
    names = {*re.findall(r"\$\{([A-Z_]+)\}", text("nginx.conf"))}
    assert names <= {*proxy["environment"]}
    assert {*re.findall(r"\$\$([A-Z_]+)", proxy["command"][2])} == names
    for service in services().values():
        for mounted in service["volumes"]:
            source = mounted.partition(":")[0]
            assert not source.startswith("./") or (house.ROOT / "deploy" / source).exists(), mounted


def test_an_image_has_no_rights_and_nothing_that_is_not_needed() -> None:
    lines = text("Dockerfile").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert all(re.fullmatch(r"FROM [a-z]+:\d[\w.-]*( AS built)?", line)
               for line in lines if line.startswith("FROM"))  # fmt: skip
    assert "--locked --no-default-groups" in text("Dockerfile") and "HEALTHCHECK" in str(lines)
    left_out = {*house.read(Path(".dockerignore")).splitlines()}
    assert left_out >= {".git", "**/.env*", "**/*.key", "**/*.pem", ".venv", "var", "tests"}
    assert {".env*", "!.env.example"} <= {*house.read(Path(".gitignore")).splitlines()}


def test_what_works_by_the_clock_is_called() -> None:
    called = {*re.findall(r"manage\.py (\w+)", text("jobs"))}
    assert called == WORKS_BY_THE_HOUR <= {*get_commands()}
    for script in ("jobs", "loopback", "advisories"):
        assert subprocess.run(["sh", "-n", house.ROOT / "deploy" / script]).returncode == 0
