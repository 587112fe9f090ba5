"""The production shape on this machine, started as anybody starts it. It is slow: by night."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deploy import database, portal
from deploy.place import ROOT, CannotStand, Place
from deploy.processes import environment, running, until
from tests.deploy.fronts import free_port, needs_nginx
from tests.deploy.visitors import SIGN_IN, browser, sign_in, token

pytestmark = [pytest.mark.once, pytest.mark.nightly, needs_nginx]


def has_postgresql() -> bool:
    try:
        return bool(database.tools())
    except CannotStand:
        return False


def loopback(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "deploy" / "loopback"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """It runs, with five businesses; and nothing of it is left."""
    if not has_postgresql():
        pytest.skip("needs PostgreSQL (Debian: postgresql)")
    # Not where tests write: PostgreSQL has to get there as somebody else.
    found = Place(Path(tempfile.mkdtemp(prefix="portal-")), free_port())
    there = ("--folder", str(found.folder))
    try:
        began = loopback("up", *there, "--port", str(found.port), "--businesses", "5")
        assert began.returncode == 0, began.stderr
        assert found.address in began.stdout and str(found.people) in began.stdout
        yield found
    finally:
        ended = loopback("down", *there, "--remove")
        shutil.rmtree(found.folder, ignore_errors=True)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture
def visitor(place: Place) -> Iterator[requests.Session]:
    with browser(place) as session:
        yield session


def test_somebody_signs_in_through_it(place: Place, visitor: requests.Session) -> None:
    person = json.loads(place.people.read_text())["people"][0]

    home = sign_in(place, visitor, person["email"], person["password"])

    assert home.status_code == 200 and person["family_name"] in home.text
    assert {cookie.name for cookie in visitor.cookies} == {"__Host-session", "__Host-csrf"}
    assert all(cookie.secure for cookie in visitor.cookies)
    assert visitor.get(f"{place.address}/en-ca/profile/").status_code == 200


def test_an_address_that_a_visitor_invents_dodges_no_limit(place: Place) -> None:
    """Ten wrong passwords a minute, of an address: it is the proxy that says which one it is."""
    page, told = place.address + SIGN_IN, []
    with browser(place, "127.0.0.9") as visitor:
        form = {"csrfmiddlewaretoken": token(visitor, page), "password": "x" * 14}
        for one in range(12):
            visitor.headers["X-Forwarded-For"] = f"198.51.100.{one}"
            sent = visitor.post(page, form | {"login": f"nobody{one}@example.ca"})
            told.append("You tried too often" in sent.text)
    assert told == [False] * 10 + [True] * 2


def test_files_are_compressed_and_kept_and_pages_are_not(
    place: Place, visitor: requests.Session
) -> None:
    page = visitor.get(f"{place.address}/en-ca/")
    assert "Content-Encoding" not in page.headers and page.headers["Cache-Control"] == "no-store"
    [style, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    file = visitor.get(place.address + style)
    assert file.headers["Content-Encoding"] in {"gzip", "br"}
    assert "immutable" in file.headers["Cache-Control"]
    for answer in (page, file):
        assert answer.headers["Strict-Transport-Security"].count("max-age") == 1


def test_it_is_as_safe_as_production(place: Place) -> None:
    """The checks of a deployment, as the site's own role, which cannot change history."""

    def check(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [".venv/bin/python", "manage.py", "check", "--deploy", "--database", "default"],
            cwd=ROOT, env=environment(variables), capture_output=True, text=True,
        )  # fmt: skip

    assert check(place.site()).returncode == 0
    assert "can change audit_event" in check(place.owner()).stderr
    assert not portal.answers(Place(place.folder / "elsewhere", place.port))


def test_up_starts_what_is_missing_and_down_stops_it(
    place: Place, visitor: requests.Session
) -> None:
    there = ("--folder", str(place.folder))
    again = loopback("up", *there)
    assert again.returncode == 0 and "is up already" in again.stdout
    other = loopback("up", *there, "--businesses", "6")
    assert other.returncode == 1 and "5 businesses is here" in other.stderr
    portal.stop(place)
    gone = visitor.get(f"{place.address}/en-ca/")
    assert gone.status_code == 502 and "répond pas" in gone.text

    assert "is up." in loopback("up", *there).stdout
    assert visitor.get(f"{place.address}/en-ca/").status_code == 200
    pid = running(file := place.folder / "portal.pid", told=f"--pid {file}")
    children = Path(f"/proc/{pid}/task/{pid}/children")
    until(lambda: len(children.read_text().split()) >= 4, lambda: "Processes are missing.")

    for said in ("is down.", "was down already"):
        ended = loopback("down", *there)
        assert ended.returncode == 0 and said in ended.stdout
    with pytest.raises(requests.ConnectionError):
        visitor.get(place.address)
    begun = time.monotonic()
    assert loopback("up", *there).returncode == 0
    print(f"\nUp again with its world in {time.monotonic() - begun:.0f} s")


def test_a_start_that_ended_before_the_roles_is_made_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not has_postgresql():
        pytest.skip("needs PostgreSQL (Debian: postgresql)")
    half = Place(Path(tempfile.mkdtemp(prefix="portal-")), free_port())
    half.settle()
    whole, cut = ROOT / "deploy" / "roles.sql", half.folder / "deploy" / "roles.sql"
    cut.parent.mkdir()
    cut.write_text(whole.read_text().replace("'CREATE DATABASE portal", "'CREATE NOTHING"))
    try:
        with monkeypatch.context() as patch:
            patch.setattr(database, "ROOT", half.folder)
            with pytest.raises(CannotStand, match="NOTHING"):
                database.start(half)
        assert not database.start(half), "It runs, and what was missing is there now."
        for variables in (half.site(), half.owner()):
            asked = [database.tools() / "psql", variables["DATABASE_URL"], "-c", "SELECT 1"]
            assert subprocess.run(asked, capture_output=True).returncode == 0
    finally:
        database.stop(half)
        shutil.rmtree(half.folder)
