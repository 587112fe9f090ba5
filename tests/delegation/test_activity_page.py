"""The activity of a business: who did what, for whom, by which right."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.translation import override

from audit.models import Event
from audit.services import business_chain, record
from audit.verbs import sentence
from businesses.models import BusinessAccount
from ccp.refusals import act_of
from ccp.routes import every_route
from delegation.activity import right_in_words
from delegation.services.offers import decline_relationship_offer
from delegation.services.relationships import reject_relationship_request
from tests.delegation.reading import as_, queries, words
from tests.transactions.factories import declare
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def url(business: BusinessAccount) -> str:
    return reverse("activity_list", kwargs={"bn9": business.bn9})


@pytest.mark.parametrize(
    ("person", "status"),
    [("Maple manager", 200), ("Pam", 403), ("Ed", 403), ("ITN manager", 404), ("Stan", 404)],
)
def test_only_managers_read_the_activity(world: World, person: str, status: int) -> None:
    maple = world.importer("Maple")
    world.employee("Pam", maple, RM0001="pam")
    world.employee("Ed", maple, RM0001="editor")
    world.relationship(maple, world.broker("ITN"))

    assert as_(world.person(person)).get(url(maple)).status_code == status


def test_acts_are_told_newest_first(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    waiting = world.relationship_request(itn, maple)
    done(
        reject_relationship_request(
            actor=world.manager(maple),
            acting_for=maple,
            relationship_request=waiting,
            reason="We have a broker.",
            expected_version=1,
            at=world.at,
        )
    )

    page = as_(world.manager(maple)).get(url(maple))

    newest, oldest = page.context["acts"]
    assert (newest.who, newest.acting_for) == ("Maple manager", str(maple))
    assert newest.right == "Business Account Manager of the business"
    assert newest.reason == "We have a broker."
    assert (oldest.who, oldest.acting_for) == (str(itn), "")
    text = words(page)
    assert text.index("Rejected the relationship with ITN") < text.index(
        "Requested a business relationship: ITN"
    )
    assert "Reason: We have a broker." in text
    assert "November 23, 2026, 10:30 a.m. ET" in text


def test_a_refused_attempt_is_told_without_its_code(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    waiting = world.relationship_request(itn, maple)
    act: dict[str, Any] = {
        "actor": world.manager(maple),
        "acting_for": maple,
        "relationship_request": waiting,
        "expected_version": 9,
        "at": world.at,
    }
    reject_relationship_request(reason="No.", **act)

    text = words(as_(world.manager(maple)).get(url(maple)))

    assert "Attempt refused: Rejected the relationship with ITN" in text
    assert "changed" not in text.split("Attempt refused")[1].split("Requested")[0]


def test_what_is_refused_before_the_service_is_told_too(world: World, settings: Any) -> None:
    settings.REFUSED_POSTS_A_DAY = 4
    maple = world.importer("Maple")
    rea = as_(world.employee("Rea Reader", maple, RM0001="reader"))
    pam = as_(world.employee("Pam", maple, RM0001="pam"))
    theirs = {"bn9": maple.bn9, "pk": world.manager(maple).memberships.get().pk}
    where = {"bn9": maple.bn9, "extension": "RM0001"}
    number = declare(world.program(maple), world.at).number
    posted = {"form_key": str(uuid4()), "reason": "Gone."}

    for browser in (rea, pam):
        assert browser.get(reverse("membership_end", kwargs=theirs)).status_code == 403
        for name in ("membership_end", "membership_suspend"):
            assert browser.post(reverse(name, kwargs=theirs), posted).status_code == 403
    correction = reverse("correction_create", kwargs={**where, "number": number})
    invitation = reverse("invitation_create", kwargs={"bn9": maple.bn9})
    for address in (correction, invitation, correction, correction):
        assert rea.post(address, posted).status_code == 403

    first, *_others = events = list(Event.objects.filter(verb__endswith=".refused").order_by("seq"))
    assert first.chain_id == business_chain(maple.bn9) and first.acting_for == maple.bn9
    assert (first.verb, first.reason) == ("membership.end.refused", "role_too_low")
    assert len(events) == 6, "of Rea no more than the limit"
    browser = as_(world.manager(maple))
    text = words(browser.get(url(maple)))
    for said in (
        "Ended the access of Maple manager to the business",
        "Suspended the access of Maple manager to the business",
        f"Corrected declaration {number}",
        "Invited …",
    ):
        assert f"Attempt refused: {said} Rea Reader" in text
    assert "role_too_low" not in text
    with override("fr-ca"):
        assert "Tentative refusée\xa0:" in browser.get(url(maple)).content.decode()


def test_every_posting_page_of_a_business_has_its_act() -> None:
    verbs = {
        act_of(one.name) for one in every_route() if "POST" in one.rules and "<bn9>" in one.path
    }
    assert len(verbs) > 40
    untold = {verb for verb in verbs if sentence(Event(verb=verb)) == verb}
    assert not untold and "dummy" == sentence(Event(verb="dummy"))


def test_both_parties_read_an_act_of_two(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, last_day=date(2027, 3, 31))

    for business in (maple, itn):
        text = words(as_(world.manager(business)).get(url(business)))
        assert "Approved the relationship with ITN" in text
        assert (f"Acting for Maple ({maple.bn_shown})" in text) == (business == maple)
        assert f"Maple ({maple.bn_shown})" in text
        assert (f"Client: {maple.bn_shown}" in text) == (business == itn)


def test_whom_a_business_wrote_to_stays_a_number_until_it_agrees(world: World) -> None:
    maple, itn, wide = world.importer("Maple"), world.broker("ITN"), world.broker("Wide")
    asked, offer = world.relationship_request(itn, maple), world.offer(maple, wide)
    answer: dict[str, Any] = {"reason": "No.", "expected_version": 1, "at": world.at}
    done(
        reject_relationship_request(
            actor=world.manager(maple), acting_for=maple, relationship_request=asked, **answer
        )
    )
    done(
        decline_relationship_offer(
            actor=world.manager(wide), acting_for=wide, relationship_offer=offer, **answer
        )
    )
    pages = {one: as_(world.manager(one)).get(url(one)) for one in (maple, itn, wide)}

    def who(business: BusinessAccount) -> list[str]:
        return [one.who for one in pages[business].context["acts"]]

    assert who(itn)[0] == maple.bn_shown and "Maple" not in words(pages[itn])
    assert wide.bn_shown in who(maple) and "Wide" not in words(pages[maple])
    # Who writes says who it is.
    assert str(itn) in who(maple) and str(maple) in who(wide)


def test_the_activity_of_others_stays_theirs(world: World) -> None:
    maple, cedar = world.importer("Maple"), world.importer("Cedar")
    world.relationship(cedar, world.broker("ITN"))

    page = as_(world.manager(maple)).get(url(maple))

    assert page.context["acts"] == []
    assert "Nothing has been done here yet." in words(page)


def _acts(business: BusinessAccount, world: World, number: int) -> None:
    for serial in range(number):
        record(
            verb="staff_assignment.create",
            at=world.at,
            actor=None,
            acting_for="",
            chains=[business_chain(business.bn9)],
            object_type="test",
            object_id=serial,
            object_label=f"<i>Person {serial}</i>",
        )


def test_acts_come_by_the_page(world: World) -> None:
    maple = world.importer("Maple")
    _acts(maple, world, 30)
    browser = as_(world.manager(maple))

    first = browser.get(url(maple))
    second = browser.get(url(maple), {"after": first.context["page"].next_token})

    assert (len(first.context["acts"]), len(second.context["acts"])) == (25, 5)
    assert "Assigned <i>Person 29</i> to a client" in first.context["acts"][0].sentence
    assert "&lt;i&gt;Person 29&lt;/i&gt;" in first.content.decode()
    assert "The portal" in words(first)
    assert Event.objects.count() == 30


@pytest.mark.nightly
def test_the_page_costs_the_same_for_three_and_twenty_five_firms(world: World) -> None:
    maple = world.importer("Maple")
    counts = []
    for serial in range(1, 26):
        world.relationship_request(world.broker(f"Firm {serial}"), maple)
        if serial in {3, 25}:
            counts.append(queries(as_(world.manager(maple)), url(maple)))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("own:bam", "Business Account Manager of the business"),
        ("own:editor:direct", "Editor of the business"),
        ("provider:reader:3f0c", "Reader at most, by a business relationship"),
        ("residual:reader:3f0c", "Reader of what the firm submitted itself"),
        ("", ""),
        ("system", ""),
    ],
)
def test_a_path_reads_in_words(path: str, said: str) -> None:
    assert right_in_words(path) == said
