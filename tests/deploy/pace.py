"""How long pages take at a pace: `python -m tests.deploy.pace FOLDER --rate 30 --seconds 60`.

The folder is that of a portal which `deploy/loopback up` started. Its client with a waiting request
and its firm with the most declarations ask for pages through the proxy, each at its moment, whether
or not those before are answered: time spent waiting for others counts.
"""

import argparse
import http.client
import json
import random
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from deploy.place import HOST, Place, port_of
from tests.deploy.visitors import browser, sign_in

ASKING = 32
"""Connections that are asked through."""


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    cookie: str


@dataclass
class Asked:
    """What was answered: seconds since the moment at which each page was due, by page."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def pages(place: Place) -> list[Page]:
    """Pages of a client and of a firm, with the session of a manager of each."""
    world = json.loads(place.people.read_text())
    firms = {one["bn9"]: one for one in world["businesses"] if one["status"] == "active"}
    owned = Counter(one["bn9"] for one in world["declarations"])
    sent = Counter(by for one in world["declarations"] for by in one["submitters"])
    asked = max(
        (one for one in world["relationship_requests"]
         if one["state"] == "waiting" and firms.get(one["client_bn9"], {}).get("managers")),
        key=lambda one: owned[one["client_bn9"]],
    )  # fmt: skip
    client = asked["client_bn9"]
    firm = next(bn9 for bn9, _ in sent.most_common() if firms.get(bn9, {}).get("managers"))
    ours, theirs = f"/en-ca/businesses/{client}/", f"/en-ca/businesses/{firm}/"
    session, of_firm = (_session(place, world, firms[bn9]) for bn9 in (client, firm))
    return [
        Page("dashboard", ours, session),
        Page("declarations", f"{ours}transactions/", session),
        Page("decision", f"{ours}relationships/requests/{asked['id']}/", session),
        Page("firm", f"{theirs}transactions/", of_firm),
    ]


def _session(place: Place, world: dict[str, Any], business: dict[str, Any]) -> str:
    with browser(place) as visitor:
        sign_in(place, visitor, business["managers"][0], world["password"])
        return str(visitor.cookies["__Host-session"])


def ask(place: Place, which: list[Page], *, rate: float, seconds: float) -> Asked:
    """Ask for `rate` pages a second, in an order that is always the same."""
    due: SimpleQueue[tuple[float, Page] | None] = SimpleQueue()
    asked = Asked({page.name: [] for page in which})
    crowd = [threading.Thread(target=_answer, args=(place, due, asked)) for _ in range(ASKING)]
    for one in crowd:
        one.start()
    order, begun = random.Random(1), time.monotonic()
    for number in range(int(rate * seconds)):
        moment = begun + number / rate
        time.sleep(max(0.0, moment - time.monotonic()))
        due.put((moment, order.choice(which)))
    for _ in crowd:
        due.put(None)
    for one in crowd:
        one.join()
    return asked


def _answer(place: Place, due: SimpleQueue[tuple[float, Page] | None], asked: Asked) -> None:
    context = ssl.create_default_context(cafile=str(place.ca))
    line = http.client.HTTPSConnection(HOST, place.port, context=context, timeout=30)
    while (next_one := due.get()) is not None:
        moment, page = next_one
        try:
            line.request("GET", page.path, headers={"Cookie": f"__Host-session={page.cookie}"})
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                asked.errors.append(f"{page.name} {answer.status}")
        except OSError as why:
            asked.errors.append(f"{page.name} {why}")
            line.close()
        asked.seconds[page.name].append(time.monotonic() - moment)
    line.close()


def _told(name: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p95, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.95, 0.99))
    return f"{name:<14}{len(ordered):>6} pages  p50 {p50:.0f}  p95 {p95:.0f}  p99 {p99:.0f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.pace", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=float, default=30, help="pages a second (30)")
    parser.add_argument("--seconds", type=float, default=60, help="for how long (60)")
    parser.add_argument("--only", action="append", help="dashboard, declarations, decision, firm")
    told = parser.parse_args()
    place = Place(told.folder.resolve(), port_of(told.folder) or 0)
    which = [one for one in pages(place) if not told.only or one.name in told.only]
    asked = ask(place, which, rate=told.rate, seconds=told.seconds)
    for name, seconds in asked.seconds.items():
        print(_told(name, seconds))
    print(_told("all", [one for seconds in asked.seconds.values() for one in seconds]))
    print(f"{len(asked.errors)} errors {asked.errors[:3] or ''}")
    return bool(asked.errors)


if __name__ == "__main__":
    raise SystemExit(main())
