"""Whatever is sent to the portal, it answers: no fault, and nothing that takes long.

`NIGHTLY=1 MALFORMED=100000` says how many requests; each run of a seed sends the same ones.
"""

import logging
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ccp.routes import every_route
from tests.access.matrix import PUBLIC, Cast, rows
from tests.ccp.malformed import Place, drawn, send
from tests.conftest import NIGHTLY
from tests.world import World

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("clock")]

NUMBER = int(os.environ.get("MALFORMED", "100000" if NIGHTLY else "200"))
AT_ONCE = 10_000


def places(cast: Cast) -> Iterator[Place]:
    """Every address of the portal with the methods and the fields that it has."""
    names = {route.name: tuple(one.name for one in route.fields) for route in every_route()}
    parts = {route.name: re.findall(r"<(\w+)>", route.path) for route in every_route()}
    known = {"provider": "gckey"}
    for row in rows(cast):
        let_in = [row.expected.get(status, "") for status in (200, 302, 422)]
        people, method = tuple(" ".join(let_in).split()), row.method
        if 405 in row.expected:
            people, method = ("bam", "bam_itn", "officer", "orphan"), "POST"
        yield Place(row.url(), method, names[row.route], tuple(row.data.items()), people)
    for name in sorted(PUBLIC - {"account_logout"}):
        said = {part: known.get(part, 1) for part in parts[name] if part != "language"}
        yield Place(reverse(name, kwargs=said), "POST", names[name], people=("orphan",))
    yield Place("/static/portal.css", "GET")


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of refusals need no line each."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def visitors(cast: Cast) -> dict[str, Client]:
    """A browser for each of the personas, and one of nobody."""
    browsers = {name: Client() for name in ("anonymous", *cast.people)}
    for name, person in cast.people.items():
        browsers[name].force_login(person)
    return browsers


@pytest.mark.asvs("1.4.2", "2.2.1", "2.2.2", "16.5.1")
@pytest.mark.long
@pytest.mark.usefixtures("quiet")
def test_nothing_that_is_sent_breaks_the_portal(world: World) -> None:
    cast = Cast(world).build()
    addresses = list(dict.fromkeys(places(cast)))
    random.Random(0).shuffle(addresses)
    for seed, begins in enumerate(range(0, NUMBER, AT_ONCE)):
        number = min(AT_ONCE, NUMBER - begins)
        found = send(visitors(cast), drawn(addresses, number, seed))
        print(f"seed {seed}: {dict(sorted(found.answers.items()))}, slowest {found.slowest:.2f} s")
        assert not found.wrong, f"{len(found.wrong)} wrong\n" + "\n".join(found.wrong[:40])
        # Not all of it is turned away at the door.
        assert found.answers[200] + found.answers[422] > number / 8


@pytest.mark.asvs("1.4.2")
@pytest.mark.usefixtures("quiet", "db")
def test_a_page_that_trusts_what_it_is_given_is_found(settings: Any) -> None:
    """The control: one page that breaks and one that takes long, found among few requests."""
    settings.ROOT_URLCONF = "tests.ccp.planted"
    for path, said in (("/planted/trusts/", "500"), ("/planted/dawdles/", "200")):
        requests = drawn([Place(path, "GET", ("page", "q"))], 400, 0)
        found = send({"anonymous": Client()}, requests, most_seconds=0.2)
        assert any(one.startswith(said) for one in found.wrong), path
