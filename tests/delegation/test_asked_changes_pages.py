"""Renewals and changes that a firm asks for, and reminding of what waits."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import Ceiling, RelationshipRequest, Visibility
from delegation.services.agreements import Rules
from notices.models import Notice
from tests.delegation.reading import as_, words
from tests.world import World, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_a_renewal_shows_the_client_what_would_change(
    world: World, itn: BusinessAccount, maple: BusinessAccount
) -> None:
    world.relationship(maple, itn, last_day=date(2027, 1, 31), ceiling=Ceiling.READER)
    ask = reverse("relationship_request_create", kwargs={"bn9": itn.bn9})
    manager = as_(world.manager(itn))
    of_client = reverse("client_detail", kwargs={"bn9": itn.bn9, "client_bn9": maple.bn9})
    assert f"{ask}?client_bn9={maple.bn9}" in manager.get(of_client).content.decode()

    form = manager.get(ask, {"client_bn9": maple.bn9}).context["form"]
    shown = {name: form[name].value() for name in ("level", "extensions", "ceiling")}
    assert shown == {"level": "program", "extensions": "RM 0001", "ceiling": "reader"}
    asked = {name: form[name].value() or "" for name in form.fields}
    asked |= {"extensions": "RM 0001, RM 0002", "last_day": "2028-01-31", "covers_future": ""}
    sent = manager.post(ask, asked | {"visibility_importer": "view"})
    assert sent.status_code == 302, words(sent)

    waiting = RelationshipRequest.objects.get(decision="")
    assert "Your firm asked this client for a renewal or a change on" in words(
        manager.get(of_client)
    )
    detail = reverse("relationship_request_detail", kwargs={"bn9": maple.bn9, "pk": waiting.pk})
    page = as_(world.manager(maple)).get(detail)
    changes = {str(row.what): (row.today, row.asked) for row in page.context["changes"]}
    assert changes == {
        "Program accounts": ("RM 0001 Maple 1", "RM 0001 Maple 1, RM 0002"),
        "Submitted by you (the importer)": ("None", "View"),
        "Last day": (
            "Until the end of January 31, 2027 (Eastern time)",
            "Until the end of January 31, 2028 (Eastern time)",
        ),
    }
    assert "Renewal or change" in words(page)
    assert "I do not know this firm" not in words(page), "It acts for the business."
    world.relationship_request(world.broker("Other"), maple)
    for route in ("relationship_list", "received_request_list"):
        listed = words(as_(world.manager(maple)).get(reverse(route, kwargs={"bn9": maple.bn9})))
        assert listed.count("Renewal or change") == 1, "Who acts for nobody asks for a beginning."


def test_a_first_request_is_no_change(
    world: World, itn: BusinessAccount, maple: BusinessAccount
) -> None:
    world.relationship(maple, world.broker("Other"), rules=Rules(importer=Visibility.EDIT))
    waiting = world.relationship_request(itn, maple)

    detail = reverse("relationship_request_detail", kwargs={"bn9": maple.bn9, "pk": waiting.pk})

    assert "Renewal or change" not in words(as_(world.manager(maple)).get(detail))


def test_a_reminder_is_the_same_for_a_number_that_nobody_registered(
    world: World, itn: BusinessAccount, maple: BusinessAccount, clock: time_machine.Traveller
) -> None:
    told = []
    requests = [world.relationship_request(itn, one) for one in (maple, next_bn9())]
    RelationshipRequest.objects.update(told_at=world.at)
    for days in (6, 7, 7):
        clock.move_to(world.at + timedelta(days=days))
        manager = as_(world.manager(itn))
        answers = []
        for waiting in requests:
            number = f"{waiting.client_bn9[:5]} {waiting.client_bn9[5:]}"
            url = reverse("relationship_request_nudge", kwargs={"bn9": itn.bn9, "pk": waiting.pk})
            answer = manager.post(url, follow=True)
            answers.append((answer.status_code, words(answer).replace(number, "BN")))
        assert answers[0] == answers[1]
        told.append(answers[0])

    assert [status for status, _text in told] == [409, 200, 409]
    assert "You can remind the client from" in told[0][1]
    assert "You can remind the client again from" in told[2][1]
    assert "BN is reminded of your request." in told[1][1]
    assert not Notice.objects.filter(template__contains="relationship_request").exists()
    for waiting in requests:
        waiting.refresh_from_db()
        assert waiting.told_at is None and waiting.nudged_at
