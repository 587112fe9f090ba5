"""The list of routes: every one of them, who may in words, and the fields of its form."""

import json

import pytest
from django.core.management import call_command
from django.test import Client

from ccp.management.commands.routes import described
from ccp.routes import every_route, forms_of
from tests.access.matrix import PUBLIC, Cast, rows
from tests.world import World

pytestmark = pytest.mark.once


def test_the_routes_are_those_of_the_access_matrix(world: World) -> None:
    covered = {row.route for row in rows(Cast(world).build())}
    assert {route.name for route in every_route()} == covered | PUBLIC


@pytest.mark.asvs("2.1.1")
def test_each_method_says_who_may_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("routes", "--json")
    routes = {route["name"]: route for route in json.loads(capsys.readouterr().out)}
    assert len(routes) == len(every_route())
    for route in routes.values():
        assert route["path"].startswith("/") and ":" not in route["path"], route
        assert route["methods"], route
        assert all(one["who"].endswith(".") for one in route["methods"].values()), route
    approve = routes["access_request_approve"]
    assert approve["path"] == "/<language>/businesses/<bn9>/employees/requests/<pk>/approve/"
    assert approve["methods"]["POST"]["rule"] == "can_approve_access_request"
    assert {
        "name": "note",
        "label": "Justification note",
        "type": "text of several lines",
        "required": True,
    } in routes["access_request_create"]["fields"]


def test_the_table_has_a_line_for_each_method(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("routes")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(route.rules) for route in every_route())


@pytest.mark.usefixtures("clock")
def test_the_fields_are_those_of_the_form_that_the_page_shows(world: World) -> None:
    cast = Cast(world).build()
    routes = {route.name: route for route in every_route()}
    seen = 0
    for row in rows(cast):
        [name, *_] = row.expected.get(422, "").split() or [""]
        if not name:
            continue
        browser = Client()
        browser.force_login(cast.people[name])
        form = browser.post(row.url(), dict(row.data)).context.get("form")
        if form is None:  # a button alone, whose page was not read before
            continue
        seen += 1
        assert type(form) in forms_of(routes[row.route].view), row.route
        known = {field["name"] for field in described(routes[row.route])["fields"]}
        if len(forms_of(routes[row.route].view)) > 1:  # the page shows one of them
            continue
        assert known and known <= {*form.fields} | {"scope"}, row.route
    assert seen >= 8
