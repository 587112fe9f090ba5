"""The readiness board: who is listed to whom, what each cell says, and what it costs."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from businesses.models import BusinessAccount
from delegation.models import Ceiling, Visibility
from delegation.services.agreements import Rules
from delegation.services.clients import (
    add_client_to_group,
    create_client_group,
    create_staff_assignment,
)
from tests.conftest import by_night
from tests.delegation.reading import as_, queries, words
from tests.world import World, done, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TORONTO = ZoneInfo("America/Toronto")


def url(name: str, firm: BusinessAccount) -> str:
    return reverse(name, kwargs={"bn9": firm.bn9})


def names(page: HttpResponse) -> list[str]:
    return [row.name or row.bn for row in page.context["clients"]]


def downloaded(browser: Client, firm: BusinessAccount, **asked: str) -> str:
    answer = browser.get(url("client_export", firm), asked)
    assert answer["Content-Type"].startswith("text/csv")
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def manager(world: World, itn: BusinessAccount) -> Client:
    """The browser of ITN's manager."""
    return as_(world.manager(itn))


@pytest.fixture
def several(world: World, itn: BusinessAccount, clock: time_machine.Traveller) -> str:
    """Six clients in all states, a number that waits, and Ben who works for one of them."""
    world.relationship(world.importer("Old"), itn)  # 30 days
    gone = world.importer("Gone")
    world.relationship(gone, itn, last_day=world.at.date())
    world.relationship(world.importer("Steady"), itn, last_day=date(2028, 6, 30))
    soon = world.importer("Soon")
    world.relationship(soon, itn, last_day=date(2027, 2, 1))
    world.assign("Ben", itn, soon)
    waits = next_bn9()
    world.relationship_request(itn, waits)
    clock.move_to(datetime(2026, 12, 1, tzinfo=TORONTO))
    return f"{waits[:5]} {waits[5:]}"


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("", {"Old", "Gone", "Steady", "Soon", "waits"}),
        ("active", {"Old", "Steady", "Soon"}),
        ("ending", ["Old", "Soon"]),
        ("waiting", {"waits"}),
        ("expired", {"Gone"}),
        ("unassigned", {"Old", "Steady"}),
    ],
)
def test_each_view_shows_its_clients(
    several: str, manager: Client, itn: BusinessAccount, view: str, shown: Any
) -> None:
    page = manager.get(url("client_list", itn), {"view": view})

    found = ["waits" if name == several else name for name in names(page)]
    assert found == shown if isinstance(shown, list) else set(found) == shown
    assert len(found) == len(set(found))
    for name in names(page):
        assert name.replace(" ", "") in downloaded(manager, itn, view=view)


def test_a_row_says_what_is_missing_and_where_it_is_done(
    several: str, manager: Client, itn: BusinessAccount
) -> None:
    rows = {row.name: row for row in manager.get(url("client_list", itn)).context["clients"]}

    said = {name: [step.words for step in row.missing] for name, row in rows.items()}
    assert said["Steady"] == ["Nobody is assigned."]
    assert said["Soon"] == ["It ends after February 1, 2027."]
    assert said["Old"] == ["Nobody is assigned.", "It ends after December 23, 2026."]
    assert said["Gone"] == ["The relationship is over."]
    assert said[""] == ["No answer since November 23, 2026."]
    assert (rows["Gone"].may_do, rows["Gone"].rules) == (("Own submissions only",), ())
    assert rows["Soon"].staff == "1 person" and rows["Old"].staff == "Nobody"
    for row in rows.values():
        for step in row.missing:
            assert step.is_act or manager.get(step.url).status_code == 200


def test_those_who_are_not_assigned_learn_nothing(
    several: str, world: World, itn: BusinessAccount
) -> None:
    ben, una = as_(world.person("Ben")), as_(world.member("Una", itn))

    page = ben.get(url("client_list", itn))
    assert names(page) == ["Soon"]
    assert page.context["clients"][0].staff == "" and not page.context["clients"][0].missing
    for asked in ({}, {"view": "active"}, {"name": "o"}, {"view": "expired"}):
        page = una.get(url("client_list", itn), asked)
        assert names(page) == []
        assert not {"Old", "Gone", "Steady", "Soon"} & set(words(page).split())
        assert len(downloaded(una, itn, **asked).splitlines()) == 1
    for view in ("waiting", "unassigned"):
        assert una.get(url("client_list", itn), {"view": view}).status_code == 422
    assert several not in words(ben.get(url("client_list", itn)))
    assert "Soon" in downloaded(ben, itn) and "Old" not in downloaded(ben, itn)


def test_a_silent_client_and_an_unregistered_number_read_the_same(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    numbers = (maple.bn9, next_bn9())
    pages, files = [], []
    for bn9 in numbers:
        waiting = world.relationship_request(itn, bn9)
        for asked in ({"view": "waiting"}, {"name": bn9}, {"name": "Maple"}, {}):
            page = manager.get(url("client_list", itn), asked).content.decode()
            listed = page[page.index("<h1") : page.index("</main>")].replace(str(waiting.pk), "KEY")
            pages.append(listed.replace(bn9, "BN").replace(f"{bn9[:5]} {bn9[5:]}", "BN"))
            files.append(downloaded(manager, itn, **asked).replace(bn9, "BN"))
        waiting.lines.all().delete()
        type(waiting).objects.filter(pk=waiting.pk).delete()

    assert pages[:4] == pages[4:]
    assert files[:4] == files[4:]
    assert "Maple" not in "".join(files)


def test_clients_are_found_by_program_account_and_filters(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    cedar = world.importer("Cedar")
    world.relationship(maple, itn, programs=("RM0001",))
    world.relationship(cedar, itn, level="business", covers_future=True)
    act: dict[str, Any] = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    group = done(create_client_group(name="Furniture", **act))
    done(add_client_to_group(group=group, client=cedar, **act))

    def found(**asked: str) -> set[str]:
        return set(names(manager.get(url("client_list", itn), asked)))

    assert found(name=f"{maple.bn9} RM0001") == {"Maple"}
    assert found(name=f"{maple.bn_shown} RM 0002") == set()
    assert found(name="RM 0002") == {"Cedar"}
    assert found(name="rm0001") == {"Maple", "Cedar"}
    assert found(level="business") == {"Cedar"} and found(level="program") == {"Maple"}
    assert found(group=str(group.pk)) == {"Cedar"}
    assert found(group=str(group.pk), name="Maple") == set()


def test_rules_that_differ_say_so(
    world: World, itn: BusinessAccount, maple: BusinessAccount, manager: Client
) -> None:
    world.relationship(maple, itn, rules=Rules(importer=Visibility.VIEW))
    [before] = manager.get(url("client_list", itn)).context["clients"]
    world.relationship(maple, itn, programs=("RM0002",), ceiling=Ceiling.READER)

    [after] = manager.get(url("client_list", itn)).context["clients"]

    assert ("Submitted by the importer", "View") in before.rules
    assert after.rules == (("Visibility", "Differs by program account"),)
    assert len(after.may_do) == 2


@pytest.mark.parametrize("assigned", ["alone", by_night("by group")])
def test_pages_cost_the_same_for_any_number(
    world: World, itn: BusinessAccount, manager: Client, assigned: str
) -> None:
    """Three clients cost the queries of thirty, in every view and in the file."""
    act: dict[str, Any] = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    group = done(create_client_group(name="Furniture", **act))
    ben = world.member("Ben", itn)
    if assigned == "by group":
        done(create_staff_assignment(assignee=ben, target=group, role=Ceiling.READER, **act))
    counts: dict[int, list[int]] = {3: [], 30: []}
    for serial in range(1, 31):
        client = world.importer(f"Client {serial}", programs=1)
        world.relationship(client, itn)
        if assigned == "by group":
            done(add_client_to_group(group=group, client=client, **act))
        else:
            world.assign("Ben", itn, client)
        world.relationship_request(itn, next_bn9())
        if serial in counts:
            for view in ("all", "active", "ending", "expired", "waiting", "unassigned"):
                counts[serial].append(queries(manager, f"{url('client_list', itn)}?view={view}"))
            counts[serial].append(queries(as_(ben), url("client_list", itn)))

    assert counts[3] == counts[30]
    assert max(counts[30]) <= 22, counts


def test_sent_requests_are_found_reminded_and_withdrawn_where_they_are_listed(
    world: World, itn: BusinessAccount, manager: Client, clock: time_machine.Traveller
) -> None:
    maple, silent = world.importer("Maple"), next_bn9()
    world.relationship(maple, itn)
    waiting = [world.relationship_request(itn, bn9) for bn9 in (silent, next_bn9(), next_bn9())]
    sent, board = url("relationship_request_list", itn), url("client_list", itn)
    first = words(manager.get(sent))
    assert "you can remind it from November 30, 2026" in first and "Withdraw" in first
    few = queries(manager, sent)
    for _ in range(4):
        world.relationship_request(itn, next_bn9())
    clock.move_to(world.later(days=8).at)
    manager = as_(world.manager(itn))
    assert queries(manager, sent) == few

    assert "Maple" in words(manager.get(sent, {"name": "map"}))
    found = manager.get(sent, {"name": silent})
    assert [row.pk for row in found.context["requests"]] == [waiting[0].pk]
    nudge = reverse("relationship_request_nudge", kwargs={"bn9": itn.bn9, "pk": waiting[0].pk})
    for page in (sent, board):
        assert f'action="{nudge}"' in manager.get(page).content.decode()
    assert manager.post(nudge).status_code == 302
    for page in (sent, board):
        assert f'action="{nudge}"' not in manager.get(page).content.decode()


def test_the_board_speaks_french(
    several: str, world: World, itn: BusinessAccount, manager: Client
) -> None:
    with override("fr-ca"):
        page = words(manager.get(url("client_list", itn)))
        file = downloaded(manager, itn)
        sent = manager.get(url("relationship_request_list", itn))

    assert "Personne n’est assigné" in page and "Ce qui manque" in page
    assert file.splitlines()[0].count(";") == 9
    assert sent.status_code == 200


def test_a_formula_in_a_name_stays_text(
    world: World, itn: BusinessAccount, manager: Client
) -> None:
    world.relationship(world.importer("=cmd()"), itn)

    assert '"\'=cmd()"' in downloaded(manager, itn)
