"""The made-up world: the same for the same seed, whole by every rule, and told as it is."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from businesses.models import BusinessAccount
from businesses.register import get_register
from ccp.management.commands.check_invariants import EVERY_CHECK
from ccp.seed.offers import STATES as OFFERED
from ccp.seed.relationships import AGREED, UNDECIDED
from ccp.seed.world import PASSWORD
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    Membership,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    StaffAssignment,
    Status,
)
from registration.evidence import judge
from registration.models import ENTITY, Registration
from transactions.declarations import visible_declarations
from transactions.models import Declaration, DeclarationVersion

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def make(folder: Path, at: datetime, *, businesses: int = 30, seed: int = 7) -> dict[str, Any]:
    """Make a world on the day of `at`, and read what the command tells of it."""
    out = folder / "world.json"
    call_command("seed", businesses=businesses, seed=seed, day=timezone.localdate(at), out=out)
    told: dict[str, Any] = json.loads(out.read_text())
    return told


@pytest.fixture
def told(tmp_path: Path, at: datetime) -> dict[str, Any]:
    """What is told of a world of 30 businesses."""
    return make(tmp_path, at)


def test_the_same_seed_makes_the_same_world(tmp_path: Path, at: datetime) -> None:
    worlds = []
    for seed in (7, 7, 8):
        with transaction.atomic():
            worlds.append(make(tmp_path, at, seed=seed))
            transaction.set_rollback(True)

    assert worlds[0] == worlds[1]
    assert worlds[0]["businesses"] != worlds[2]["businesses"]


def test_the_world_keeps_every_rule(told: dict[str, Any], at: datetime) -> None:
    looked = 0
    for check in EVERY_CHECK:
        rows, broken = check(at)
        assert not broken, broken[:5]
        looked += rows
    call_command("verify_history")
    assert looked > 5_000
    # The control: a rule that the rows break is seen to be broken.
    Membership.objects.filter(person__email=told["businesses"][0]["managers"][0]).delete()
    assert any(check(at)[1] for check in EVERY_CHECK)


def test_the_database_goes_on_counting_after_the_keys_of_the_world(told: dict[str, Any]) -> None:
    assert User.objects.create(email="late@example.test").pk > len(told["people"])


def test_every_state_is_there(told: dict[str, Any], at: datetime) -> None:
    assert {one["state"] for one in told["relationships"]} >= {*AGREED}
    assert {one["state"] for one in told["relationship_requests"]} == {
        *UNDECIDED,
        "approved",
        "partly",
    }
    assert {one["state"] for one in told["relationship_offers"]} == {*OFFERED}
    for model in (AccessRequest, RelationshipRequest, RelationshipOffer):
        assert {one.status_at(at) for one in model.objects.all()} == {*Status}, model
    related = Relationship.objects
    assert related.filter(starts_at__gt=at).exists()
    assert related.filter(ends_at__range=(at, at + timedelta(days=30))).exists()
    assert related.filter(is_open_ended=True).exists()
    assert related.filter(suspended_at__lte=at).exists()
    kinds = StaffAssignment.objects.values_list("person", "client").distinct()
    assert {(bool(person), bool(client)) for person, client in kinds} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }
    several = DeclarationVersion.objects.filter(number__gt=1)
    assert several.exclude(submitter=several.first().submitter).exists()  # type: ignore[union-attr]


def test_anyone_can_be_acted_as(told: dict[str, Any]) -> None:
    assert told["password"] == PASSWORD
    for person in told["people"]:
        user = User.objects.get(email=person["email"])
        assert user.is_active is person["is_active"] and user.has_profile
        assert user.emailaddress_set.filter(verified=True, primary=True).exists()
    assert User.objects.get(email=told["people"][0]["email"]).check_password(PASSWORD)


def test_what_is_told_of_a_business_registers_it(told: dict[str, Any]) -> None:
    facts = next(one for one in told["unregistered"] if one["answers"])
    answers = facts["answers"]
    claim = Registration(
        bn9=facts["bn9"],
        extension=answers["extension"],
        transaction_number=answers["transaction_number"],
        transaction_total=Decimal(answers["transaction_total"]),
        payment_on=date.fromisoformat(answers["payment_on"]),
        payment_amount=Decimal(answers["payment_amount"]),
        **{name: facts[name] for name in ENTITY},
    )
    entity = get_register().find(facts["bn9"])
    assert judge(claim, entity, is_registered=False).is_proven
    claim.legal_name = "Somebody Else Ltd."
    assert not judge(claim, entity, is_registered=False).is_proven


def test_the_marker_of_a_business_is_its_own(told: dict[str, Any]) -> None:
    markers = {one["bn9"]: one["marker"] for one in told["businesses"]}
    assert len({*markers.values()}) == len(markers) == 30
    for number, bn9 in Declaration.objects.values_list("own_reference", "owner__bn9"):
        assert [one for one in markers.values() if one in number] == [markers[bn9]]


def test_lists_of_a_manager_and_of_a_broker_open(
    told: dict[str, Any], client: Client, at: datetime
) -> None:
    clients: dict[str, int] = {}
    for one in told["relationships"]:
        clients[one["provider"]] = clients.get(one["provider"], 0) + 1
    broker = max(clients, key=lambda bn9: clients[bn9])
    for bn9 in (told["businesses"][1]["bn9"], broker):
        [facts] = [one for one in told["businesses"] if one["bn9"] == bn9]
        manager = User.objects.get(email=facts["managers"][0])
        client.force_login(manager)
        for page in ("declaration_list", "business_home", "activity_list"):
            assert client.get(reverse(page, kwargs={"bn9": bn9})).status_code == 200, page
    access = Access(manager, BusinessAccount.objects.get(bn9=broker), at)
    assert visible_declarations(access).exists()


def test_a_second_world_of_the_seed_is_refused(told: dict[str, Any]) -> None:
    before = Event.objects.count()
    with pytest.raises(CommandError):
        call_command("seed", businesses=30, seed=7)
    assert Event.objects.count() == before


@pytest.mark.asvs("15.2.3")
def test_no_world_is_made_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "IS_PRODUCTION", True)
    with pytest.raises(CommandError, match="production"):
        call_command("seed", businesses=30, seed=7)
    assert not BusinessAccount.objects.exists()


@pytest.mark.parametrize("businesses", ["0", "-3", "many", "900001"])
def test_a_world_has_a_size(businesses: str) -> None:
    with pytest.raises(CommandError, match="whole number"):
        call_command("seed", "--businesses", businesses, "--seed", "7")


def test_the_smallest_world_is_a_world(tmp_path: Path, at: datetime) -> None:
    told = make(tmp_path, at, businesses=1)
    assert len(told["businesses"]) == 1
    assert not any(check(at)[1] for check in EVERY_CHECK)
