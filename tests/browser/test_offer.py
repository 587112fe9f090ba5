"""A client offers a firm a relationship and the firm accepts, in a browser without scripts."""

from collections.abc import Callable

import pytest
import time_machine
from django.core.management import call_command
from playwright.sync_api import Page

from accounts.models import User
from ccp.demo import BOREALES, CAMILLE, GRACE, ITN, DemoPerson
from delegation.models import RelationshipOffer, RelationshipTerms
from tests.browser.visitor import Visitor
from tests.chromium import sign_in
from tests.conftest import by_night

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", [by_night("en-ca"), by_night("fr-ca")])
def test_an_offer_is_made_withdrawn_made_again_and_accepted(
    new_page: Callable[..., Page], portal: str, at, language: str
) -> None:
    with time_machine.travel(at, tick=True):
        call_command("demo", verbosity=0)

        def sit_down(person: DemoPerson) -> Visitor:
            page = new_page(javascript=False)
            sign_in(page, User.objects.get(email=person.email), portal)
            return Visitor(page, language, scripts=False)

        camille, grace = sit_down(CAMILLE), sit_down(GRACE)
        for ends in ("Withdraw the offer", ""):
            camille.visit("relationship_list", bn9=BOREALES)
            camille.follow("relationship_offer_create", bn9=BOREALES)
            camille.press("Continue", status=422)
            camille.fill(provider_bn9=ITN, visibility_importer="view", consent=True)
            camille.press("Continue")
            camille.press("Change my choice")
            camille.fill(comment="2026")
            camille.press("Continue")
            assert not camille.reads("Integral"), "Whose number it is stays unsaid."
            camille.press("Make the offer")
            if ends:
                camille.press(ends)
        offer = RelationshipOffer.objects.get(client__bn9=BOREALES, decision="")
        grace.visit("client_list", bn9=ITN)
        grace.follow("relationship_offer_received_list", bn9=ITN)
        grace.follow("relationship_offer_detail", bn9=ITN, pk=offer.pk)
        grace.press("Accept the offer", status=422)
        grace.fill(accept=True)
        grace.press("Accept the offer")
        camille.visit("relationship_offer_list", bn9=BOREALES)
        assert camille.reads("Integral"), "Who accepted is known."
        terms = RelationshipTerms.objects.filter(relationship__offer=offer)
        assert {row.visibility_importer for row in terms} == {"view"}
