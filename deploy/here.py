"""The production shape on this machine: PostgreSQL, processes of the portal, nginx, made-up people.

It listens on this machine alone. `up` starts what does not run and says where it is; `down` stops
what `up` started. The world, its secrets and its mail stay in the folder until `down --remove`.
"""

import argparse
import shutil
import sys
from pathlib import Path

from deploy import certificates, database, portal, proxy
from deploy.place import ROOT, CannotStand, Place, hold_to_ours, hold_to_owner, port_of

FOLDER = ROOT / "var" / "loopback"
PORT = 8443


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 0 where it is done."""
    asked = _parser().parse_args(arguments)
    folder = (ROOT / asked.folder).resolve()
    try:
        hold_to_owner(folder)
        if asked.act == "up":
            up(
                _place(folder, asked.port),
                businesses=asked.businesses,
                processes=asked.processes,
            )
        else:
            down(folder, remove=asked.remove)
    except CannotStand as why:
        print(f"deploy/loopback: {why}", file=sys.stderr)
        return 1
    return 0


def up(place: Place, *, businesses: int | None, processes: int) -> None:
    """Start whatever does not run, in order, and say where everything is."""
    database.tools(), proxy.nginx()  # or say what is missing before anything is begun
    place.settle()
    portal.hold_to(place, businesses)
    certificates.make(place)
    started = database.start(place)
    if not portal.is_running(place):
        portal.prepare(place, businesses=businesses, say=_say)
    started |= portal.start(place, processes=processes)
    started |= proxy.start(place)
    _say("The portal is up." if started else "The portal is up already.")
    for what, where in (
        ("address", place.address),
        ("plain HTTP", f"http://localhost:{place.plain_port} (leads to the address)"),
        ("certificate authority", place.ca),
        ("people and passwords", place.people),
        ("mail, codes at sign-in among it", place.mail),
        ("environment of the site", place.folder / "environment"),
        ("database of its owner", place.folder / "environment.owner"),
    ):
        _say(f"  {what:<32} {where}")


def down(folder: Path, *, remove: bool) -> None:
    """Stop what `up` started, in the order of those who ask one another."""
    port = port_of(folder)
    if port is None:
        _say(f"Nothing is there: {folder}")
        return
    if remove:
        hold_to_ours(folder)
    place = Place(folder, port)
    stopped = [part.stop(place) for part in (proxy, portal, database)]
    _say("The portal is down." if any(stopped) else "The portal was down already.")
    if remove:
        shutil.rmtree(folder)
        _say(f"Removed {folder}")


def _place(folder: Path, port: int | None) -> Place:
    """The place that is there, or a new one."""
    there = port_of(folder)
    if port not in {None, there} and there is not None:
        raise CannotStand(
            f"{folder} holds a portal of port {there}: `down --remove` takes it away."
        )
    hold_to_ours(folder)
    return Place(folder, there or port or PORT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/loopback", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    starts = acts.add_parser("up", help="start whatever does not run, and say where it is")
    starts.add_argument("--port", type=_port, help=f"of its address, and the next two ({PORT})")
    starts.add_argument("--businesses", type=_number, help="how many the world has (200)")
    starts.add_argument("--processes", type=_processes, default=4, help="of the portal (4)")
    stops = acts.add_parser("down", help="stop what `up` started")
    stops.add_argument("--remove", action="store_true", help="and take the folder away")
    for act in (starts, stops):
        act.add_argument("--folder", type=Path, default=FOLDER, help="where all of it lies")
    return parser


def _number(text: str, least: int = 1, most: int = 900_000) -> int:
    if text.isdecimal() and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"a whole number from {least} to {most:,}")


def _port(text: str) -> int:
    return _number(text, 1, 65_533)


def _processes(text: str) -> int:
    return _number(text, 4, 64)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
