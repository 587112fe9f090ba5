"""Every route, by every persona: the exact status, no trace of others, and nothing left out."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from audit.models import Event
from tests.access.matrix import EVERYBODY, PUBLIC, Cast, rows
from tests.world import World

pytestmark = pytest.mark.once


def routes(resolver: URLResolver | None = None) -> Iterator[str]:
    """The name of every page."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLPattern):
            yield str(found.name)
        else:
            yield from routes(found)


def without_a_row(names: set[str], covered: set[str]) -> set[str]:
    """The routes that the matrix says nothing of."""
    return names - covered - PUBLIC


@pytest.mark.asvs("8.1.1")
def test_every_route_has_a_row(world: World) -> None:
    covered = {row.route for row in rows(Cast(world).build())}
    assert not without_a_row(set(routes()), covered)
    assert without_a_row({*routes(), "dummy"}, covered) == {"dummy"}


@pytest.mark.asvs("3.5.3", "8.2.1", "8.2.2")
@pytest.mark.long
@pytest.mark.usefixtures("clock")
def test_the_matrix(world: World) -> None:
    cast = Cast(world).build()
    browsers = {name: Client() for name in EVERYBODY.split()}
    for name, browser in browsers.items():
        browser.force_login(cast.people[name])
    browsers["anonymous"] = Client()
    asked, wrong = 0, []
    newest = Event.objects.latest("pk").pk
    for row in rows(cast):
        for name, browser in browsers.items():
            expected = row.anonymous if name == "anonymous" else row.status(name)
            if name == "anonymous" and row.method == "POST":
                expected = 302
            call = browser.get if row.method == "GET" else browser.post
            answer = call(row.url(), dict(row.data))
            asked += 1
            if answer.status_code != expected:
                wrong.append(f"{row.method} {row.url()} by {name}: {answer.status_code}")
            if expected in (404, 302) and b"Quillon" in answer.content:
                wrong.append(f"{row.method} {row.url()} by {name}: names a foreign business")
    print(f"{asked} answers asked for")
    assert not wrong, "\n".join(wrong)
    assert asked > 900
    # Looking, and posting nothing, changed nothing but the attempts that were refused.
    assert not Event.objects.filter(pk__gt=newest).exclude(verb__endswith=".refused").exists()
