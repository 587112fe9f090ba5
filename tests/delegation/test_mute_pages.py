"""I do not know this firm, I do not know this person: what they ask is out of sight, untold."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.chain import verify
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.employees import requests_to_decide
from delegation.models import AccessRequest, Decision, Mute, RelationshipRequest
from delegation.relationship_lists import Search, received_request_list
from delegation.services.digests import tell_what_waits
from delegation.services.mutes import end_mute, mute_firm, mute_person
from delegation.services.relationships import received_requests
from tests.delegation.reading import as_, queries, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def url(name: str, business: BusinessAccount, **kwargs: Any) -> str:
    return reverse(name, kwargs={"bn9": business.bn9, **kwargs})


@pytest.fixture
def boss(world: World, maple: BusinessAccount) -> Client:
    """Maple's manager, signed in."""
    return as_(world.manager(maple))


@pytest.fixture
def asked(world: World, maple: BusinessAccount, itn: BusinessAccount) -> RelationshipRequest:
    return world.relationship_request(itn, maple)


@pytest.fixture
def nadia(world: World, maple: BusinessAccount) -> AccessRequest:
    return world.access_request("Nadia", maple, RM0001="editor")


@pytest.fixture
def about(world: World, maple: BusinessAccount) -> dict[str, Any]:
    """Maple's manager acting for Maple, now."""
    return {"actor": world.manager(maple), "acting_for": maple, "at": world.at}


def test_a_firm_is_muted_and_its_requests_are_hidden_and_shown_again(
    world: World, maple: BusinessAccount, itn: BusinessAccount, boss: Client,
    asked: RelationshipRequest,
) -> None:  # fmt: skip
    detail = boss.get(url("relationship_request_detail", maple, pk=asked.pk))
    mute = url("firm_mute", maple, pk=asked.pk)
    assert "I do not know this firm" in words(detail) and mute in detail.content.decode()
    hides = f"You hide every request and every offer of ITN to Maple, {maple.bn_shown}"
    assert hides in words(boss.get(mute))

    answer = boss.post(mute, {"is_reported": "on", "report": "Asks everybody."}, follow=True)

    assert "Requests and offers of ITN are hidden from Maple" in words(answer)
    assert "Reported to the officers: Asks everybody." in words(answer)
    access = world.access(world.manager(maple), maple)
    assert not received_requests(access).exists()
    assert not received_request_list(access, Search()).rows
    assert tell_what_waits(at=world.at) == 0
    row = answer.context["muted"][0]
    assert (row.name, row.waiting) == ("ITN", 1)

    answer = boss.post(url("mute_end", maple, pk=row.mute.pk), follow=True)

    assert "What ITN asks is shown to Maple" in words(answer) and "Nobody is muted." in words(
        answer
    )
    assert list(received_requests(access)) == [asked]
    assert tell_what_waits(at=world.at) == 1


def test_a_firm_mutes_who_offers_and_takes_back_what_it_offered(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    offer, ours = world.offer(maple, itn), world.offer(itn, maple)
    lead, client = as_(world.manager(itn)), as_(world.manager(maple))
    mute = url("client_mute", itn, pk=offer.pk)
    detail = url("relationship_offer_detail", itn, pk=offer.pk)
    read = url("relationship_offer_status", maple, pk=offer.pk)
    assert mute in lead.get(detail).content.decode()
    before = words(client.get(read))

    answer = lead.post(mute, {"is_reported": "on", "report": "Unknown here."}, follow=True)

    assert "Requests and offers of Maple are hidden from ITN" in words(answer)
    [row] = answer.context["muted"]
    assert (row.name, row.waiting) == ("Maple", 1)
    assert lead.get(detail).status_code == 404 and tell_what_waits(at=world.at) == 0
    assert words(client.get(read)) == before, "Who is muted learns nothing."
    ours.refresh_from_db()
    assert ours.decision == Decision.WITHDRAWN
    world.relationship(cedar := world.importer("Cedar"), itn)
    served = world.offer(cedar, itn, programs=("RM0002",))
    shown = lead.get(url("relationship_offer_detail", itn, pk=served.pk))
    assert "I do not know this business" not in words(shown), "It is a client."
    known = lead.post(url("client_mute", itn, pk=served.pk), {})
    assert known.status_code == 422 and "Leave the client first" in words(known)


def test_a_person_is_muted_and_what_comes_later_is_hidden_too(
    world: World, maple: BusinessAccount, boss: Client, nadia: AccessRequest
) -> None:
    pam = world.employee("Pam", maple, RM0001="pam")
    detail = boss.get(url("access_request_detail", maple, pk=nadia.pk))
    assert url("person_mute", maple, pk=nadia.pk) in detail.content.decode()
    boss.post(url("person_mute", maple, pk=nadia.pk), {})
    later = world.later(days=70)  # the request has lapsed by now
    later.access_request("Nadia", maple)

    for reader in (world.manager(maple), pam):
        assert not requests_to_decide(later.access(reader, maple)).exists()
    assert tell_what_waits(at=later.at) == 0
    other = world.importer("Cedar")
    later.access_request("Nadia", other)
    assert requests_to_decide(later.access(world.manager(other), other)).exists()


def test_whoever_is_muted_reads_what_everybody_reads(
    world: World, maple: BusinessAccount, itn: BusinessAccount, about: dict[str, Any],
    asked: RelationshipRequest, nadia: AccessRequest,
) -> None:  # fmt: skip
    """The pages before and after are the same byte for byte, and history tells nothing either."""

    def read() -> list[str]:
        lead, asker = as_(world.manager(itn)), as_(nadia.person)
        pages = [
            lead.get(url("relationship_request_status", itn, pk=asked.pk)),
            lead.get(url("relationship_request_list", itn)),
            lead.get(url("client_list", itn)),
            lead.get(url("activity_list", itn)),
            asker.get(reverse("access_request_status", kwargs={"pk": nadia.pk})),
            asker.get(reverse("first_time_setup")),
        ]
        return [words(page) for page in pages]

    before = read()
    done(mute_firm(relationship_request=asked, report="Unknown.", **about))
    done(mute_person(access_request=nadia, report="", **about))

    assert read() == before
    told = Event.objects.filter(object_type="mute")
    assert {event.chain_id for event in told} == {business_chain(maple.bn9)}
    assert verify(business_chain(maple.bn9)) is None


def test_what_is_known_is_not_muted(
    world: World, maple: BusinessAccount, itn: BusinessAccount, about: dict[str, Any],
    asked: RelationshipRequest,
) -> None:  # fmt: skip
    """Nor twice, nor by somebody who is no manager, nor shown twice."""
    world.relationship(maple, north := world.broker("North"))
    again = world.relationship_request(north, maple)
    world.employee("Eve", maple, RM0001="editor")
    more = world.access_request("Eve", maple, RM0002="editor")
    pam = about | {"actor": world.employee("Pam", maple, RM0001="pam")}
    first = done(mute_firm(relationship_request=asked, report="", **about))
    done(end_mute(mute=first, **about))
    live = done(mute_firm(relationship_request=asked, report="", **about))

    acts: dict[str, Callable[[], Any]] = {
        "acts_for_you": lambda: mute_firm(relationship_request=again, report="", **about),
        "works_here": lambda: mute_person(access_request=more, report="", **about),
        "already_muted": lambda: mute_firm(relationship_request=asked, report="", **about),
        "already_ended": lambda: end_mute(mute=first, **about),
        "not_allowed": lambda: end_mute(mute=live, **pam),
    }
    for code, act in acts.items():
        answer = act()
        assert isinstance(answer, Refusal) and answer.code == code
    assert Mute.objects.filter(ends_at=None).count() == 1


def test_a_report_says_something_and_the_list_costs_the_same(
    world: World, maple: BusinessAccount, boss: Client, about: dict[str, Any],
    asked: RelationshipRequest,
) -> None:  # fmt: skip
    answer = boss.post(url("firm_mute", maple, pk=asked.pk), {"is_reported": "on"})
    assert answer.status_code == 422 and "Write what the officers should know." in words(answer)
    assert not Mute.objects.exists()
    done(mute_firm(relationship_request=asked, report="", **about))
    done(mute_person(access_request=world.access_request("Zoe", maple), report="", **about))
    few = queries(boss, url("mute_list", maple))
    for number in range(5):
        more = world.relationship_request(world.broker(f"Firm {number}"), maple)
        done(mute_firm(relationship_request=more, report="", **about))
        one = world.access_request(f"Person {number}", maple)
        done(mute_person(access_request=one, report="", **about))

    assert queries(boss, url("mute_list", maple)) == few
