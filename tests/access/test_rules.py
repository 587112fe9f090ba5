"""Each view states who may; what it states is what decides, and without it nothing opens."""

import sys
from collections.abc import Iterator

import pytest
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from ccp.routes import every_route, every_route_has_a_rule
from delegation.access import Decision
from delegation.reasons import Reason
from pages.rules import Rule, any_person, anyone, rule
from tests.access.matrix import PUBLIC, Cast, Row, rows
from tests.house import ROOMS
from tests.world import World

pytestmark = pytest.mark.once


class No(Decision):
    """A refusal that is also false and empty, whatever kind of answer a rule gives."""

    def __init__(self) -> None:
        super().__init__(Reason.ROLE_TOO_LOW)

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0


def refusing(asked: Rule, patch: pytest.MonkeyPatch) -> None:
    """Let the predicate `asked` say no to everybody, wherever a room or a view names it."""

    def about_account(access: object) -> No:
        return No()

    def about_object(*about: object) -> No:
        return No()

    by_account = asked.__code__.co_varnames[: asked.__code__.co_argcount] == ("access",)
    no: Rule = about_account if by_account else about_object
    for route in every_route():
        for method, stated in route.rules.items():
            if stated is asked:
                patch.setitem(route.rules, method, no)
    for name, module in [*sys.modules.items()]:
        if name.split(".")[0] in ROOMS:
            for key, found in [*vars(module).items()]:
                if found is asked:
                    patch.setattr(module, key, no)


def admitted(row: Row) -> str:
    """Somebody whom the page answers with more than a refusal; nobody where none is."""
    for status, names in row.expected.items():
        if status in (200, 302, 422):
            return names.split()[0]
    return ""


@pytest.mark.nightly
@pytest.mark.usefixtures("clock")
def test_a_rule_that_says_no_closes_every_page_that_states_it(world: World) -> None:
    cast = Cast(world).build()
    every = list(rows(cast))
    stated = {
        (route.name, method): asked
        for route in every_route()
        for method, asked in route.rules.items()
        if asked not in (anyone, any_person)
    }
    met, still_open = set(), []
    for asked in {*stated.values()}:
        with pytest.MonkeyPatch.context() as patch:
            refusing(asked, patch)
            for row in every:
                persona = admitted(row)
                if stated.get((row.route, row.method)) is not asked or not persona:
                    continue
                browser = Client()
                browser.force_login(cast.people[persona])
                call = browser.get if row.method == "GET" else browser.post
                status = call(row.url(), dict(row.data)).status_code
                met.add((row.route, row.method))
                if status not in (403, 404):
                    still_open.append(f"{row.method} {row.route} {asked.__name__}: {status}")
    assert not still_open, "\n".join(still_open)
    print(f"{len(met)} of {len(stated)} stated rules were made to refuse")
    assert len(met) >= 35


def unruled(request: HttpRequest) -> HttpResponse:
    """A view whose author forgot who may."""
    return HttpResponse("open")


@rule(get=anyone)
def ruled(request: HttpRequest) -> HttpResponse:
    """A view for anyone to read."""
    return HttpResponse("open")


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A plain refusal: the addresses below have none of the portal's pages."""
    return HttpResponse("refused", status=403)


urlpatterns = [path("unruled/", unruled, name="unruled"), path("ruled/", ruled, name="ruled")]


@pytest.mark.urls(__name__)
def test_a_view_without_a_rule_fails_the_build() -> None:
    [error] = every_route_has_a_rule()
    assert error.id == "ccp.E001" and "unruled" in error.msg


def test_every_route_of_the_portal_has_a_rule() -> None:
    assert every_route_has_a_rule() == []
    assert every_route_has_a_rule in checks.registry.registry.get_checks()


@pytest.mark.asvs("8.3.1")
@pytest.mark.urls(__name__)
def test_a_view_without_a_rule_opens_for_nobody(world: World, client: Client) -> None:
    client.force_login(world.person("Olivia"))
    assert client.get("/unruled/").status_code == 403
    assert client.get("/ruled/").status_code == 200


@pytest.mark.asvs("3.5.3", "8.2.1")
@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_method_without_a_rule_is_refused(client: Client) -> None:
    answer = client.post("/ruled/")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert client.head("/ruled/").status_code == 200


def test_what_anyone_may_read_anyone_may_post() -> None:
    with pytest.raises(TypeError):
        rule(get=anyone, post=any_person)


@pytest.mark.django_db
def test_the_table_says_which_pages_of_sign_in_ask_for_sign_in(client: Client) -> None:
    for route in every_route():
        if route.name in PUBLIC:
            if "GET" not in route.rules:
                continue
            path = route.path.replace("<language>", "en-ca").replace("<pk>", "1")
            answer = client.get(path)
            is_sent_away = f"/account/login/?next={answer.wsgi_request.path}" in answer.get(
                "Location", ""
            )
            assert is_sent_away is (route.rules["GET"] is any_person), route.name
