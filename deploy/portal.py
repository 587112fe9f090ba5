"""The portal's own processes, and what must be there before they serve."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy import healthy
from deploy.place import ROOT, CannotStand, Place
from deploy.processes import end_of, environment, run, running, until
from deploy.processes import stop as stop_process

SEED = "1"


def prepare(place: Place, *, businesses: int | None, say: Callable[[str], None]) -> None:
    """Bring the tables into step, gather the files, and make the world where there is none."""
    say("Tables and files ...")
    _manage(place.owner(), "migrate", "--verbosity", "0")
    _manage(place.owner(), "grant_site_role", "portal")
    _manage(place.site(), "collectstatic", "--noinput", "--verbosity", "0")
    if place.people.exists():
        return
    number = businesses or 200
    say(f"A world of {number:,} businesses ...")
    made = place.people.with_suffix(".new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    _manage(
        place.owner(), "seed", "--businesses", str(number), "--seed", SEED, "--out", str(made),
        quiet=not sys.stderr.isatty(),
    )  # fmt: skip
    made.rename(place.people)


def hold_to(place: Place, businesses: int | None) -> None:
    """Refuse to take one world for another, before anything is begun."""
    if not place.people.exists():
        return
    there = len(json.loads(place.people.read_text())["businesses"])
    if businesses not in {None, there}:
        raise CannotStand(
            f"A world of {there:,} businesses is here: `down --remove` takes it away."
        )


def is_running(place: Place) -> bool:
    return running(_pid_file(place), told=_told(place)) is not None


def start(place: Place, *, processes: int) -> bool:
    """Start them and wait until they answer; whether there was anything to start."""
    if is_running(place):
        return False
    log = place.folder / "portal.log"
    for left in (place.socket, _pid_file(place)):
        left.unlink(missing_ok=True)
    told = {"WEB_CONCURRENCY": str(processes), "PORTAL_SOCKET": str(place.socket)}
    with log.open("a") as lines:
        process = subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "gunicorn"), "ccp.wsgi",
             "--config", str(ROOT / "deploy" / "gunicorn.py"), "--pid", str(_pid_file(place))],
            cwd=ROOT,
            env=environment(place.site() | told),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            start_new_session=True,
        )  # fmt: skip
    until(
        lambda: answers(place) or process.poll() is not None,
        lambda: f"The portal does not answer.\n{end_of(log)}",
    )
    if process.poll() is not None:
        raise CannotStand(f"The portal does not start.\n{end_of(log)}")
    return True


def answers(place: Place) -> bool:
    """Whether a process of the portal says that it is there."""
    return healthy.answers(place.socket, place.authority)


def stop(place: Place) -> bool:
    """Stop them when they have finished what was begun; whether they ran."""
    return stop_process(_pid_file(place), told=_told(place), by=signal.SIGTERM)


def _pid_file(place: Place) -> Path:
    return place.folder / "portal.pid"


def _told(place: Place) -> str:
    return f"--pid {_pid_file(place)}"


def _manage(variables: dict[str, str], *command: str, quiet: bool = True) -> None:
    run([sys.executable, "manage.py", *command], also=variables, quiet=quiet)
