"""Access requests in a list, and several of them decided at once, each by itself."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.access_requests import as_wished
from delegation.models import AccessRequest, AccessRequestLine, Membership
from delegation.roles import Role
from delegation.services.employees import (
    Grants,
    approve_access_request,
    reject_access_request,
)
from tests.delegation.reading import as_, queries, words
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")


def url(name: str, maple: BusinessAccount) -> str:
    return reverse(name, kwargs={"bn9": maple.bn9})


def decide(
    browser: Client, page: str, asked: Iterable[AccessRequest], between: Any = None, **more: str
) -> str:
    """Tick requests, read the preview, confirm it, and read what became of each."""
    chosen = {"chosen": [str(one.pk) for one in asked], "form_key": str(uuid4())}
    preview = browser.post(page, chosen)
    assert preview.status_code == 200, words(preview)
    seals = {f"seal_{one.shown['pk']}": one.seal for one in preview.context["chosen"]}
    if between:
        between()
    shown = [one.shown["pk"] for one in preview.context["chosen"]]
    confirmed = chosen | {"chosen": shown, "confirm": "yes"} | seals | more
    first, second = (browser.post(page, confirmed) for _ in "ab")
    assert first.status_code == 302, words(first)
    assert second["Location"] == first["Location"], "The same post twice has one effect."
    return words(browser.get(first["Location"]))


# ---------------------------------------------------------------- one by one, and at once


def requests_of_every_kind(world: World, maple: BusinessAccount) -> list[AccessRequest]:
    """Wishes that can be given, and every reason why one cannot."""
    boss = world.manager(maple)
    world.employee("Pia", maple, RM0001="pam")
    world.employee("Rita", maple, RM0001="reader", RM0002="reader")
    world.employee("Sue", maple, RM0001="reader")
    Membership.objects.filter(person=world.person("Sue")).update(suspended_at=world.at)
    wishes: list[tuple[str, dict[str, str]]] = [
        ("Eve", {"RM0001": "editor"}),
        ("Ian", {"RM0001": "reader", "RM0002": "pam"}),
        ("Una", {}),
        ("Rita", {"RM0001": "editor"}),
        ("Pia", {"RM0001": "reader"}),
        ("Sue", {"RM0002": "reader"}),
        ("Dis", {"RM0001": "reader"}),
        ("Clo", {"RM0003": "reader"}),
        ("Abe", {"RM0009": "reader"}),
        ("Max", {"RM0002": "reader"}),
        ("Kim", {"RM0001": "pam"}),
        ("Lea", {"RM0001": "reader"}),
        ("Ned", {"RM0001": "reader"}),
    ]
    asked = [world.access_request(name, maple, **wish) for name, wish in wishes]
    User.objects.filter(pk=world.person("Dis").pk).update(is_active=False)
    ProgramAccount.objects.filter(business=maple, extension="RM0003").update(closed_at=world.at)
    lea = {"actor": boss, "acting_for": maple, "at": world.at, "expected_version": 1}
    done(reject_access_request(access_request=asked[-2], reason="No", **lea))
    AccessRequest.objects.filter(pk=asked[-1].pk).update(
        starts_at=world.at - timedelta(days=61), closes_at=world.at - timedelta(days=1)
    )
    return list(AccessRequest.objects.filter(bn9=maple.bn9).order_by("person__first_name"))


def outcome(maple: BusinessAccount, asked: Iterable[AccessRequest], world: World) -> list[Any]:
    """What every request became and what every person holds."""
    lines = AccessRequestLine.objects.filter(request__in=asked).order_by("request", "extension")
    return [
        list(lines.values_list("request", "extension", "decision", "granted_role", "reason")),
        [(one.person_id, roles_of(maple, one.person, world.at)) for one in asked],
        [AccessRequest.objects.get(pk=one.pk).version for one in asked],
    ]


def singly(
    actor: User, maple: BusinessAccount, asked: Iterable[AccessRequest], world: World, **other: Role
) -> list[Any]:
    """The same people decided about one after the other, each wish read and given by hand."""
    programs = {one.extension: one.pk for one in maple.programs.all()}
    is_bam = world.access(actor, maple).is_bam
    for one in asked:
        mine = [line for line in one.lines.all() if is_bam or line.extension == "RM0001"]
        if not mine or not all(line.extension in programs and line.wished_role for line in mine):
            continue
        approve_access_request(
            actor=actor,
            acting_for=maple,
            access_request=one,
            grants=Grants(
                programs={
                    programs[line.extension]: other.get(
                        one.person.first_name, Role(line.wished_role)
                    )
                    for line in mine
                }
            ),
            expected_version=one.version,
            at=world.at,
        )
    return outcome(maple, asked, world)


@pytest.mark.parametrize("who", ["Boss", "Pam"])
def test_at_once_gives_what_one_by_one_gives(who: str, world: World) -> None:
    maple = world.importer("Maple", programs=3)
    pam = world.employee("Pam", maple, RM0001="pam")
    actor = world.manager(maple) if who == "Boss" else pam
    asked = requests_of_every_kind(world, maple)

    def undone(act: Callable[[], list[Any]]) -> list[Any]:
        with transaction.atomic():
            found = act()
            transaction.set_rollback(True)
        return found

    def at_once() -> list[Any]:
        decide(as_(actor), url("access_requests_approve", maple), asked)
        return outcome(maple, asked, world)

    given = undone(at_once)
    assert given == undone(lambda: singly(actor, maple, asked, world))
    # The control: another role for one person is seen.
    assert given != undone(lambda: singly(actor, maple, asked, world, Eve=Role.READER))
    able = [one.name for one in as_wished(Access(actor, maple, world.at), asked) if not one.why_not]
    assert able == (
        ["Eve", "Ian", "Kim", "Max", "Pia", "Rita"] if who == "Boss" else ["Eve", "Ian", "Rita"]
    )


def test_each_result_says_what_happened_and_who_was_faster(
    world: World, maple: BusinessAccount
) -> None:
    ben = world.employee("Ben", maple)
    asked = [world.access_request(name, maple, RM0001="editor") for name in ("Eve", "Ian", "Una")]

    def meanwhile() -> None:
        by_ben = {"actor": ben, "acting_for": maple, "expected_version": 1, "at": world.at}
        done(reject_access_request(access_request=asked[1], reason="Unknown", **by_ben))
        world.employee("Una", world.importer("Zebra"))
        AccessRequest.objects.filter(pk=asked[2].pk).update(version=2)

    browser = as_(world.manager(maple))
    page = decide(browser, url("access_requests_approve", maple), asked, meanwhile)
    assert "Done: 1 of 3" in page
    assert "Eve Done RM 0001 Maple 1: Editor" in page
    assert "Ian Not done Ben already rejected this request on November 23, 2026" in page
    assert "Una Not done This request changed while you had the page open." in page
    assert roles_of(maple, world.person("Una"), world.at)["RM0001"] is None
    decided = Event.objects.filter(verb="access_request.approve", acting_for=maple.bn9)
    assert decided.filter(object_id=str(asked[0].pk)).count() == 2  # one in each chain


def test_rejecting_several_needs_a_reason_that_each_reads(
    world: World, maple: BusinessAccount
) -> None:
    pam = as_(world.employee("Pam", maple, RM0001="pam"))
    asked = [
        world.access_request("Eve", maple, RM0001="editor", RM0002="reader"),
        world.access_request("Ian", maple, RM0001="pam"),
    ]
    page, chosen = url("access_requests_reject", maple), {"chosen": [one.pk for one in asked]}
    answer = pam.post(page, {**chosen, "confirm": "yes"})
    assert answer.status_code == 422 and "Write why you reject the requests." in words(answer)
    assert "the rest goes on waiting" in words(answer)
    page = decide(pam, page, asked, reason="Ask for RM 0002.")
    assert "Done: 2 of 2" in page and "The rest goes on waiting for other managers." in page
    lines = AccessRequestLine.objects.filter(request__in=asked)
    assert set(lines.values_list("extension", "reason")) == {
        ("RM0001", "Ask for RM 0002."),
        ("RM0002", ""),
    }


def test_a_choice_that_is_none_is_refused_in_words(world: World, maple: BusinessAccount) -> None:
    foreign = world.access_request("Eve", world.importer("Zebra"))
    pam, hers = as_(world.employee("Pam", maple, RM0001="pam")), ("x", "access_requests_approve")
    elsewhere = world.access_request("Ian", maple, RM0002="reader")
    for chosen, said in [
        ([], "Choose at least one request."),
        (["x"], "These requests are not there."),
        ([foreign.pk], "These requests are not there."),
        ([elsewhere.pk], "These requests are not there."),
        ([str(uuid4()) for _ in range(26)], "Choose at most 25 requests at once."),
    ]:
        answer = pam.post(url(hers[1], maple), {"chosen": chosen})
        assert answer.status_code == 422 and said in words(answer), chosen
    # What was not shown is not given, though it is confirmed.
    mine = world.access_request("Una", maple, RM0001="reader")
    answer = pam.post(url(hers[1], maple), {"chosen": [mine.pk], "confirm": "yes"})
    assert "Una Not done" in words(pam.get(answer["Location"]))


# ---------------------------------------------------------------- the list


def test_requests_are_found_by_stage_program_role_and_name(
    world: World, maple: BusinessAccount
) -> None:
    boss = as_(world.manager(maple))
    world.earlier(days=70).access_request("Old", maple, RM0001="reader")
    world.employee("Dee", maple, RM0002="editor")
    world.earlier(days=3).access_request("Eve", maple, RM0001="editor", RM0002="reader")
    world.access_request("Ian", maple)
    everybody = {"Old", "Dee", "Eve", "Ian"}

    def found(**search: str) -> set[str]:
        answer = boss.get(url("access_request_list", maple), search)
        assert answer.status_code == 200
        page = words(answer)
        return {name for name in everybody if f"{name} {name.lower()}@" in page}

    assert found() == {"Eve", "Ian"}
    assert found(stage="decided") == {"Dee"}
    assert found(stage="lapsed") == {"Old"}
    assert found(program="rm 0002") == {"Eve"}
    assert found(role="reader", program="0001") == set()
    assert found(role="reader") == {"Eve"}
    assert found(name="ian@") == {"Ian"}
    answer = boss.get(url("access_request_list", maple), {"stage": "unheard of"})
    assert answer.status_code == 422


def test_the_list_is_paged_and_costs_the_same(world: World, maple: BusinessAccount) -> None:
    boss, pam = as_(world.manager(maple)), as_(world.employee("Pam", maple, RM0001="pam"))
    listed, approve = url("access_request_list", maple), url("access_requests_approve", maple)
    counts = []
    for browser in (boss, pam):
        browser.get("/healthz/")  # a session that a test begins notes its beginning
    for until in (4, 40):
        for number in range(AccessRequest.objects.count(), until):
            world.earlier(hours=until - number).access_request(
                f"Asker {number}", maple, RM0001="reader"
            )
        keys = AccessRequest.objects.filter(decision="").values_list("pk", flat=True)[:25]
        with CaptureQueriesContext(connection) as preview:
            assert boss.post(approve, {"chosen": list(keys)}).status_code == 200
            previewing = len(preview)
        counts.append((queries(boss, listed), queries(pam, listed), previewing))
    assert counts[0] == counts[1]
    page = boss.get(listed)
    rest = boss.get(listed, {"after": page.context["page"].next_token})
    shown = [row.access_request.pk for one in (page, rest) for row in one.context["listed"]]
    assert len(shown) == len(set(shown)) == 39 and len(page.context["listed"]) == 25
