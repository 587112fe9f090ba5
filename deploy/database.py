"""A PostgreSQL of the shape's own: its folder, its port, two roles. Never run as root."""

import os
import shutil
from pathlib import Path

from deploy.place import HOST, ROOT, CannotStand, Place
from deploy.processes import PATIENCE, program, run, running


def start(place: Place) -> bool:
    """Start it, made if it is not there yet; whether there was anything to start."""
    data = place.folder / "postgresql"
    if not (data / "PG_VERSION").exists():
        _make(place, data)
    is_started = not _is_running(place)
    if is_started:
        _start(place, data)
    _make_roles(place)  # also where an earlier start ended before them
    return is_started


def _start(place: Place, data: Path) -> None:
    told = (
        f"-p {place.database_port} -c listen_addresses={HOST} -c unix_socket_directories='' "
        "-c log_lock_waits=on"
    )
    log = data / "server.log"
    _as_nobody_special(place, *_control(data), "-l", log, "-o", told, "start")


def stop(place: Place) -> bool:
    """Stop it; whether it ran."""
    data = place.folder / "postgresql"
    if not (data / "PG_VERSION").exists() or not _is_running(place):
        return False
    _as_nobody_special(place, *_control(data), "-m", "fast", "stop")
    return True


def _control(data: Path) -> list[str | Path]:
    """What starts and stops it, and waits as long as everything else here."""
    return [_tool("pg_ctl"), "-D", data, "-w", "-t", str(int(PATIENCE))]


def tools() -> Path:
    """The folder of the newest PostgreSQL that is installed."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda found: float(found.parent.parent.name),
    )
    return (versions[-1] if versions else program("initdb", "postgresql")).parent


def _tool(name: str) -> Path:
    return tools() / name


def _is_running(place: Place) -> bool:
    data = place.folder / "postgresql"
    return running(data / "postmaster.pid", told=f"-D {data}") is not None


def _make(place: Place, data: Path) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    password = place.folder / "password"
    password.touch(mode=0o600)
    password.write_text(place.owner()["PGPASSWORD"])
    if os.getuid() == 0:
        shutil.chown(data, "postgres")
        shutil.chown(password, "postgres")
    try:
        _as_nobody_special(
            place, _tool("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256",
            f"--pwfile={password}", "-E", "UTF8", "--no-locale",
        )  # fmt: skip
    except CannotStand:
        shutil.rmtree(data)
        raise
    finally:
        password.unlink()


def _make_roles(place: Place) -> None:
    run(
        [_tool("psql"), "--no-psqlrc", "--quiet", "-h", HOST, "-p", str(place.database_port),
         "-U", "postgres", "-d", "postgres", "-f", ROOT / "deploy" / "roles.sql"],
        also=place.owner(),
    )  # fmt: skip


def _as_nobody_special(place: Place, *command: str | Path) -> None:
    """PostgreSQL refuses to run as root: there it runs as the account of its package."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    run([*prefix, *command], folder=place.folder)
