"""The demo world holds together, and so do its story and its people."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from businesses.models import BusinessAccount
from ccp import demo
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    Status,
)
from transactions.declarations import visible_declarations


@pytest.fixture
def told(db: None, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of the world that it made."""
    call_command("demo")
    return capsys.readouterr().out


def seen(person: demo.DemoPerson, bn9: str, at: datetime) -> set[str]:
    """The numbers of the declarations that a demo person sees, acting for a business."""
    user = User.objects.get(email=person.email)
    access = Access(user, BusinessAccount.objects.get(bn9=bn9), at)
    return set(visible_declarations(access).values_list("number", flat=True))


@pytest.mark.usefixtures("clock")
def test_the_demo_introduces_everybody_and_is_made_once(
    told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert all(person.email in told for person in demo.PEOPLE)
    assert demo.PASSWORD in told
    people = User.objects.count()
    call_command("demo")
    assert capsys.readouterr().out == told
    assert User.objects.count() == people


@pytest.mark.usefixtures("told")
def test_one_relationship_is_over_and_requests_wait(at: datetime) -> None:
    over = Relationship.objects.get(client__bn9=demo.BOREALES, provider__bn9=demo.SAINT_LAURENT)
    assert over.ends_at and over.ends_at < at
    assert RelationshipRequest.objects.filter(client_bn9=demo.PRAIRIE, decision="").exists()
    assert AccessRequest.objects.filter(bn9=demo.MAPLE, decision="").count() == 1
    assert {offer.status_at(at) for offer in RelationshipOffer.objects.all()} == {*Status}


@pytest.mark.usefixtures("told")
def test_each_of_the_demo_people_sees_what_the_story_says(at: datetime) -> None:
    manager = seen(demo.OLIVIA, demo.MAPLE, at)
    assert seen(demo.SOFIA, demo.MAPLE, at) < manager
    assert seen(demo.BEN, demo.ITN, at) and seen(demo.BEN, demo.ITN, at) < manager
    assert not seen(demo.HANA, demo.ITN, at)
    expired = seen(demo.JULIE, demo.SAINT_LAURENT, at)
    assert expired and expired < seen(demo.CAMILLE, demo.BOREALES, at)


@pytest.mark.asvs("6.3.2", "15.2.3")
def test_production_refuses_the_demo(settings: Any) -> None:
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
