"""The pages of an offer: a client offers by a number and the firm of that number answers."""

from typing import Any

import pytest
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.consent import OFFER_VERSION
from delegation.models import Relationship, RelationshipOffer, Status, Visibility
from delegation.services.agreements import Rules
from tests.delegation.reading import as_, confirm, queries, words
from tests.transactions.factories import declare
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def url(name: str, business: BusinessAccount, offer: RelationshipOffer | None = None) -> str:
    named = {"pk": offer.pk} if offer else {}
    return reverse(f"relationship_offer_{name}", kwargs={"bn9": business.bn9, **named})


def filled(bn9: str, **changed: Any) -> dict[str, Any]:
    """The form of an offer as a manager fills it in."""
    return {
        "provider_bn9": bn9,
        "consent_version": OFFER_VERSION,
        "level": "program",
        "programs": ["RM0001"],
        "ceiling": "editor",
        "rights": ["may_submit"],
        "end": "date",
        "last_day": "2027-03-31",
        "open_end_reason": "",
        "visibility_broker": "view",
        "visibility_importer": "view",
        "visibility_other": "none",
        "comment": "Welcome aboard.",
        "consent": "on",
        **changed,
    }


def test_a_client_offers_by_a_number_and_reads_nothing_of_whose_it_is(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    for submitter in (maple, itn):
        declare(world.program(maple), world.at, submitter=submitter)
    browser, create = as_(world.manager(maple)), url("create", maple)
    assert "Declarations that View opens now: 1" in words(browser.get(create))
    for wrong in ({"consent": ""}, {"last_day": "2020-01-01"}, {"provider_bn9": maple.bn9}):
        assert browser.post(create, filled(itn.bn9, **wrong)).status_code == 422

    preview = browser.post(create, filled(itn.bn9))

    assert preview.status_code == 200 and not RelationshipOffer.objects.exists()
    said = words(preview)
    assert f"you offer the business number {itn.bn_shown} program management of" in said
    assert "Declarations that this opens now: 1" in said and "ITN" not in said
    assert browser.post(create, filled(itn.bn9, confirm="yes", seal="old")).status_code == 409
    made = confirm(browser, create, filled(itn.bn9))
    offer = RelationshipOffer.objects.get()
    assert made["Location"] == url("status", maple, offer)
    assert "ITN" not in words(browser.get(made["Location"]))
    assert confirm(browser, create, filled(itn.bn9)).status_code == 409, "One waits already."
    home = browser.get(reverse("relationship_list", kwargs={"bn9": maple.bn9}))
    assert "1 offer of this business waits for the answer of a firm" in words(home)

    withdrawn = browser.post(url("withdraw", maple, offer))
    assert withdrawn.status_code == 302
    offer.refresh_from_db()
    assert offer.status_at(world.later(days=1).at) is Status.WITHDRAWN
    assert browser.post(url("withdraw", maple, offer)).status_code == 409


def test_the_lists_find_a_firm_by_its_name_once_it_accepted_and_cost_the_same(
    world: World,
) -> None:
    maple = world.importer("Maple")
    itn, wide = world.broker("ITN"), world.broker("Wide")
    boss, lead = as_(world.manager(maple)), as_(world.manager(itn))
    sent, received = url("list", maple), url("received_list", itn)
    offers = [world.offer(maple, firm) for firm in (itn, wide)]
    world.offer(world.importer("Cedar"), itn)
    few = queries(boss, sent), queries(lead, received)
    accepted = lead.post(url("accept", itn, offers[0]), {"version": 1, "accept": "on"})
    assert accepted.status_code == 302
    for number in range(3):
        world.offer(maple, world.broker(f"Firm {number}"), rules=Rules(Visibility.EDIT))
        world.offer(world.importer(f"Client {number}"), itn)

    # One more, once any firm accepted, for the names of all that did.
    assert (queries(boss, sent), queries(lead, received)) == (few[0] + 1, few[1] + 1)
    assert "ITN" in words(boss.get(sent, {"name": "itn"}))
    assert wide.bn_shown not in words(boss.get(sent, {"name": "wide"}))
    assert wide.bn_shown in words(boss.get(sent, {"name": wide.bn9[:8]}))
    assert "Client 1" in words(lead.get(received, {"name": "client 1"}))
    assert "No offer of this list fits" in words(lead.get(received, {"name": "Maple tree"}))


def test_a_firm_reads_an_offer_and_accepts_or_declines_it(world: World) -> None:
    before = world.earlier(hours=1)
    maple, itn = before.importer("Maple"), before.broker("ITN")
    offer = before.offer(maple, itn)
    lead, boss = as_(world.manager(itn)), as_(world.manager(maple))
    for page in ("client_list", "business_home"):
        shown = words(lead.get(reverse(page, kwargs={"bn9": itn.bn9})))
        assert "1 offer of a client waits" in shown or "1 request waiting" in shown
    said = words(lead.get(url("detail", itn, offer)))
    assert "RM 0001 Maple 1" in said and "What the client agreed to" in said
    accept, decline = url("accept", itn, offer), url("decline", itn, offer)
    assert lead.post(accept, {"version": 1}).status_code == 422
    assert lead.post(decline, {"version": 1, "reason": ""}).status_code == 422
    assert lead.post(decline, {"version": 1, "reason": "Not our trade"}).status_code == 302
    assert "Not our trade" in words(boss.get(url("status", maple, offer)))
    late = lead.post(accept, {"version": 1, "accept": "on"})
    assert late.status_code == 409 and "was declined" in words(late)

    stale = world.offer(maple, itn)
    maple.programs.filter(extension="RM0001").update(closed_at=world.at)
    page = words(lead.get(url("detail", itn, stale)))
    assert "cannot be accepted any more" in page and "Accept the offer" not in page
    refused = lead.post(url("accept", itn, stale), {"version": 1, "accept": "on"})
    assert refused.status_code == 409 and not Relationship.objects.exists()
