"""Writing events: in the act's transaction, in each chain it concerns, one after another."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from audit import verbs
from audit.chain import verify
from audit.models import Chain, Event
from audit.request_id import RequestIdMiddleware, request_id
from audit.services import Refusal, business_chain, record, refuse

CLIENT, FIRM = business_chain("888316171"), business_chain("123456782")


def act(at: datetime, *chains: str, **more: Any) -> None:
    """Record an act in `chains`, in a transaction of its own."""
    said: dict[str, Any] = {
        "verb": "relationship.end",
        "actor": None,
        "object_type": "relationship",
        "object_id": 1,
    }
    with transaction.atomic():
        record(at=at, chains=chains, **(said | more))


def test_an_act_of_two_parties_is_in_both_chains(db: None, at: datetime) -> None:
    act(at, CLIENT)
    act(at, CLIENT, FIRM, reason="No longer needed", acting_for="888316171", path="own")
    in_client, in_firm = Event.objects.filter(reason__gt="").order_by("-seq")
    assert (in_client.chain_id, in_client.seq) == (CLIENT, 2)
    assert (in_firm.chain_id, in_firm.seq) == (FIRM, 1)
    assert in_client.hash != in_firm.hash
    assert verify(CLIENT) is verify(FIRM) is None
    assert dict(Chain.objects.values_list("key", "length")) == {CLIENT: 2, FIRM: 1}


def test_heads_are_locked_in_the_order_of_their_keys(db: None, at: datetime) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        act(at, FIRM, CLIENT, FIRM)
    statements = [query["sql"] for query in queries]
    locking = next(sql for sql in statements if sql.startswith("SELECT"))
    assert 'ORDER BY "audit_chain"."key" ASC' in locking
    assert connection.vendor == "sqlite" or locking.endswith("FOR UPDATE")
    assert Event.objects.count() == 2


def test_an_event_costs_four_statements(
    db: None, at: datetime, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(4), transaction.atomic(savepoint=False):
        record(
            verb="x",
            at=at,
            actor=None,
            chains=[CLIENT, FIRM],
            object_type="relationship",
            object_id=1,
        )


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_its_act(at: datetime) -> None:
    with pytest.raises(TransactionManagementError):
        record(verb="x", at=at, actor=None, chains=["a"], object_type="x", object_id=1)


def test_an_event_goes_with_its_act(db: None, at: datetime) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        act(at, CLIENT)
        raise ZeroDivisionError
    assert not Event.objects.exists()
    assert not Chain.objects.exists()


def test_an_event_needs_a_chain_and_a_time_zone(db: None, at: datetime) -> None:
    with pytest.raises(ValueError, match="at least one chain"):
        act(at)
    with pytest.raises(ValueError, match="time zone"):
        act(at.replace(tzinfo=None), CLIENT)


@pytest.mark.asvs("16.3.2")
def test_a_refusal_is_recorded_and_returned(db: None, at: datetime) -> None:
    with transaction.atomic():
        answer = refuse(
            code="last_bam",
            message=_("French"),
            verb="membership.leave",
            at=at,
            actor=None,
            chains=[CLIENT],
            object_type="membership",
            object_id=3,
            object_label="Ada Okafor",
        )
    assert answer == Refusal("last_bam", _("French"))
    event = Event.objects.get()
    assert (event.verb, event.reason) == ("membership.leave.refused", "last_bam")


class Told:
    """An event, as far as a sentence needs one."""

    def __init__(self, verb: str, object_label: str = "", actor_name: str = "") -> None:
        self.verb, self.object_label, self.actor_name = verb, object_label, actor_name


@pytest.fixture
def sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "_sentences", {"profile.edit": _("Changed the personal profile")})
    verbs.register({"access_request.approve": "%(actor)s approved the request from %(object)s"})


@pytest.mark.usefixtures("sentences")
def test_an_event_is_told_in_a_sentence() -> None:
    event = Told("access_request.approve", "100 % Érable", "Ada Okafor")
    assert verbs.sentence(event) == "Ada Okafor approved the request from 100 % Érable"
    refused = Told("access_request.approve.refused", "Bo", "Ada")
    assert verbs.sentence(refused) == "Attempt refused: Ada approved the request from Bo"
    assert verbs.sentence(Told("moon.land")) == "moon.land"


@pytest.mark.usefixtures("sentences")
def test_a_verb_belongs_to_one_room() -> None:
    with pytest.raises(ValueError, match=r"access_request\.approve"):
        verbs.register({"access_request.approve": "Approved"})


@pytest.mark.usefixtures("sentences")
def test_the_sentence_waits_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    verbs.register({"language": _("French")})
    with override("fr-ca"):
        assert verbs.sentence(Told("language")) == "Français"


def test_each_request_has_an_id_of_its_own(db: None, at: datetime, rf: Any) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        act(at, CLIENT)
        return HttpResponse()

    middleware = RequestIdMiddleware(answer)
    request = rf.get("/", headers={"X-Request-Id": "chosen-by-the-visitor"})
    told = [middleware(request)["X-Request-Id"] for _ in range(2)]
    assert told == list(Event.objects.order_by("seq").values_list("request_id", flat=True))
    assert len({*told, "chosen-by-the-visitor"}) == 3
    assert request_id.get() == ""
