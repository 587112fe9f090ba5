"""Starting other programs, waiting until they answer, and stopping none but our own."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.place import ROOT, CannotStand

PROCESSES = Path("/proc")
PATIENCE = 300.0
"""Seconds within which a program must answer or be gone: machines may have much else to do."""


def program(name: str, package: str, *folders: str) -> Path:
    """Where a program is, looked for in these folders too; or which package has it."""
    found = shutil.which(name) or next(
        (str(Path(one) / name) for one in folders if (Path(one) / name).exists()), None
    )
    if found is None:
        raise CannotStand(f"{name} is not installed here (Debian: apt install {package}).")
    return Path(found)


def run(
    command: Sequence[str | Path],
    *,
    also: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    quiet: bool = True,
) -> None:
    """Run a program to its end; what it said is told only if it fails."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment(also or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )
    if done.returncode:
        said = f"\n{done.stdout.strip()}" if done.stdout else ""
        raise CannotStand(f"{Path(command[0]).name} {command[1]} failed.{said}")


def environment(also: Mapping[str, str]) -> dict[str, str]:
    """What this process was told, without anything of another portal's, and `also`.

    Without what libpq reads by itself, too: PGHOSTADDR, PGSERVICE or PGOPTIONS lead elsewhere
    whatever an address says, and not one of its variables is needed beside it.
    """
    listed = {"DJANGO_SETTINGS_MODULE", "GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"} | {
        line.partition("=")[0]
        for line in (ROOT / ".env.example").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in listed and not name.startswith("PG")
    }
    return kept | dict(also)


def until(is_so: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait until it is so; `otherwise` says what to tell where it never is."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise CannotStand(otherwise())
        time.sleep(0.05)


def running(pid_file: Path, *, told: str) -> int | None:
    """The process whose number a file begins with, if its command line holds what ours was told.

    A number outlives its process and goes to another one, which may be the same program: what it
    was told must name the folder.
    """
    if not (PROCESSES / "self" / "cmdline").exists():
        raise CannotStand(f"{PROCESSES} is missing: nobody can say whose a process is.")
    try:
        pid = int(pid_file.read_text().partition("\n")[0])
        os.kill(pid, 0)
        line = (PROCESSES / str(pid) / "cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(f" {told} ") in line.replace(b"\0", b" ") + b" " else None


def stop(pid_file: Path, *, told: str, by: signal.Signals) -> bool:
    """End a process of ours and wait until it is gone; whether there was one."""
    pid = running(pid_file, told=told)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):  # it ended in this instant
        os.kill(pid, by)
    until(lambda: running(pid_file, told=told) != pid, lambda: f"Process {pid} does not end.")
    return True


def end_of(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
