"""The folder of a portal on this machine: whose its processes are, and who gets at what."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import database, here, portal, processes, proxy
from deploy.place import CannotStand, Place

pytestmark = pytest.mark.once


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place(Path(tempfile.mkdtemp(prefix="portal-")), 8443)
    found.settle()
    yield found
    shutil.rmtree(found.folder)


def is_closed(path: Path) -> bool:
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def test_only_a_process_of_this_folder_is_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers have gone to another folder's, whose name begins with the name of this one."""
    other = f"{place.folder}2"
    line = (
        f"nginx gunicorn postgres -c {other}/nginx.conf -p {other} --pid {other}/portal.pid "
        f"-D {other}/postgresql -e x"
    )
    bystander = subprocess.Popen([line, "60"], executable=shutil.which("sleep"))
    told = Path(f"/proc/{bystander.pid}/cmdline")  # empty for a moment after the start
    try:
        processes.until(lambda: told.read_bytes() != b"", lambda: "It was never told anything.")
        data = place.folder / "postgresql"
        data.mkdir()
        (data / "PG_VERSION").write_text("17")
        for name in ("nginx.pid", "portal.pid", "postgresql/postmaster.pid"):
            (place.folder / name).write_text(f"{bystander.pid}\n{data}\n")
        assert not any(part.stop(place) for part in (proxy, portal, database))
        assert not portal.is_running(place)
        assert bystander.poll() is None
        pid_file = place.folder / "nginx.pid"
        for words in (f"-p {other}", f"-D {other}/postgresql", f"--pid {other}/portal.pid"):
            assert processes.running(pid_file, told=words) == bystander.pid

        monkeypatch.setattr(processes, "PROCESSES", place.folder / "nowhere")
        for part in (proxy, portal, database):
            with pytest.raises(CannotStand, match="is missing"):
                part.stop(place)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_nobody_else_gets_at_the_socket_and_at_passwords(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root too, where the folder itself is open to the account of PostgreSQL."""
    assert is_closed(place.socket.parent)
    seen = []

    def told(command: list[str], **more: Any) -> None:
        if "--out" in command:
            made = Path(command[command.index("--out") + 1])
            made.write_text("{}")
            seen.append(is_closed(made))

    monkeypatch.setattr(portal, "run", told)
    place.people.with_suffix(".new").touch(mode=0o644)  # of a start that was broken off
    before = os.umask(0o022)
    try:
        portal.prepare(place, businesses=5, say=str)
    finally:
        os.umask(before)
    assert seen == [True] and is_closed(place.people)


@pytest.mark.parametrize("act", ["up", "down"])
def test_a_folder_of_another_host_is_refused_plainly(
    place: Place, capsys: pytest.CaptureFixture[str], act: str
) -> None:
    (place.folder / "environment").write_text("PORTAL_URL=https://portal.example:8443\n")
    assert here.main([act, "--folder", str(place.folder)]) == 1
    assert "no portal of this machine, but https://portal.example:8443" in capsys.readouterr().err


def test_a_folder_that_is_not_ours_is_refused_plainly(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody else's, though it is empty; and one that holds what no portal put there."""
    begun: list[Place] = []
    monkeypatch.setattr(here, "up", lambda place, **more: begun.append(place))
    empty = place.folder.with_name(f"{place.folder.name}-empty")

    def refused(act: str, folder: Path, *more: str) -> str:
        assert here.main([act, "--folder", str(folder), *more]) == 1, (act, more)
        return capsys.readouterr().err

    empty.mkdir()
    try:
        with monkeypatch.context() as patch:
            somebody_else = os.getuid() + 1
            patch.setattr(os, "getuid", lambda: somebody_else)
            for folder in (empty, place.folder):
                assert "belongs to another account" in refused("up", folder)
                assert "belongs to another account" in refused("down", folder, "--remove")
            with pytest.raises(CannotStand, match="another account"):
                Place(empty, 8443).settle()
        assert here.main(["up", "--folder", str(empty)]) == 0, "The control: it is ours now."
    finally:
        shutil.rmtree(empty)

    (foreign := place.folder / "letters").touch()
    assert "not the portal's: letters" in refused("up", place.folder)
    assert "not the portal's: letters" in refused("down", place.folder, "--remove")
    assert "is no folder" in refused("up", foreign)
    (place.folder / "environment").unlink()
    assert "holds no portal" in refused("up", place.folder)
    assert foreign.exists() and [one.folder for one in begun] == [empty]


def test_the_environment_of_whoever_calls_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq would follow these before, or beside, the address that our programs are told."""
    leading = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSFILE", "PGOPTIONS")
    for name in (*leading, "DATABASE_URL", "GUNICORN_CMD_ARGS", "KEPT"):
        monkeypatch.setenv(name, "elsewhere")
    told = processes.environment({"PGPASSWORD": "ours"})
    assert told["KEPT"] == "elsewhere" and told["PGPASSWORD"] == "ours"
    assert "elsewhere" not in {value for name, value in told.items() if name != "KEPT"}
