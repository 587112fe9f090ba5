"""The end of a relationship: by the client, whole or in part, and by the provider who leaves."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.access import decide
from delegation.invariants import CHECKS
from delegation.models import (
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipTerms,
    Visibility,
)
from delegation.roles import Action
from delegation.services.agreements import Agreement, Rules, default_last_day
from delegation.services.endings import end_relationship, leave_relationship
from delegation.services.relationships import (
    approve_relationship_request,
    withdraw_relationship_request,
)
from delegation.terms import fingerprint, live_terms
from tests.delegation.reading import as_, words
from tests.transactions.factories import declare
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

EVERYTHING = Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)
BOTH = ("RM0001", "RM0002")


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    """An importer with RM0001 and RM0002."""
    return world.earlier(days=9).importer("Maple")


@pytest.fixture
def itn(world: World, maple: BusinessAccount) -> BusinessAccount:
    """A broker that edits everything on both program accounts of Maple, and its Ben who works."""
    before = world.earlier(days=9)
    itn = before.broker("ITN")
    before.relationship(maple, itn, programs=BOTH, rules=EVERYTHING)
    before.assign("Ben", itn, maple)
    return itn


def related(maple: BusinessAccount, itn: BusinessAccount) -> Relationship:
    return Relationship.objects.filter(client=maple, provider=itn).latest("starts_at")


def part(
    world: World,
    actor: User,
    acting_for: BusinessAccount,
    relationship: Relationship,
    reason: str = "",
    terms: list[RelationshipTerms] | None = None,
) -> Relationship | Refusal:
    """Leave as the provider, else end what the form showed: by default all."""
    is_provider = acting_for == relationship.provider
    shown = live_terms(relationship.terms.all(), world.at) if terms is None else terms
    return (leave_relationship if is_provider else end_relationship)(
        actor=actor,
        acting_for=acting_for,
        relationship=relationship,
        expected_terms=fingerprint(shown),
        reason=reason,
        at=world.at,
    )


def agree(world: World, maple: BusinessAccount, itn: BusinessAccount, **more: Any) -> Any:
    """The client's manager approves what waits, for RM0001 unless `more` says otherwise."""
    waiting = RelationshipRequest.objects.get(client_bn9=maple.bn9, provider=itn, decision="")
    about: dict[str, Any] = {
        "level": Level.PROGRAM,
        "programs": frozenset({world.program(maple).pk}),
        "ceiling": "editor",
        "rules": EVERYTHING,
        "last_day": default_last_day(world.at.date()),
    }
    return approve_relationship_request(
        actor=more.pop("actor", world.manager(maple)),
        acting_for=maple,
        relationship_request=waiting,
        expected_version=more.pop("expected_version", waiting.version),
        agreement=Agreement(**(about | more)),
        at=world.at,
    )


def sees(world: World, person: User, itn: BusinessAccount, declaration: Any) -> bool:
    version = declaration.versions.get()
    return decide(person, itn, Action.VIEW_TRANSACTIONS, version, world.at).allowed


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


# What an end does


@pytest.mark.parametrize("side", ["client", "provider"])
def test_an_end_acts_at_once_and_leaves_what_the_firm_submitted(
    world: World, maple: BusinessAccount, itn: BusinessAccount, side: str
) -> None:
    ben, program = world.person("Ben"), world.program(maple)
    before = world.at - timedelta(days=2)
    ours, theirs = declare(program, before, submitter=itn), declare(program, before)
    assert sees(world, ben, itn, ours) and sees(world, ben, itn, theirs)

    acting_for = maple if side == "client" else itn
    done(part(world, world.manager(acting_for), acting_for, related(maple, itn), "Moved"))

    late = declare(program, world.at, submitter=itn)
    assert sees(world, ben, itn, ours)
    assert not sees(world, ben, itn, theirs) and not sees(world, ben, itn, late)
    assert not decide(ben, itn, Action.EDIT_TRANSACTIONS, ours.versions.get(), world.at).allowed
    row = related(maple, itn)
    assert (row.ends_at, row.ended_by, row.end_reason) == (
        world.at,
        world.manager(acting_for),
        "Moved",
    )
    assert {terms.ends_at for terms in row.terms.all()} == {world.at}
    assert breaches(world) == []


def test_an_open_end_ends_too(world: World, maple: BusinessAccount) -> None:
    cedar = world.broker("Cedar")
    world.relationship_request(cedar, maple)
    every = frozenset(maple.programs.values_list("pk", flat=True))
    whole = {"level": Level.BUSINESS, "covers_future": True, "programs": every}
    done(agree(world, maple, cedar, last_day=None, open_end_reason="Standing mandate", **whole))
    done(part(world, world.manager(maple), maple, related(maple, cedar)))
    row = related(maple, cedar)
    assert not row.is_open_ended and row.ends_at == world.at
    assert breaches(world) == []


def test_after_an_end_a_new_request_is_approved(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    done(part(world, world.manager(maple), maple, related(maple, itn)))
    for later in (world, world.later(days=1)):
        later.relationship_request(itn, maple)
        row = done(agree(later, maple, itn))
        assert row.starts_at == later.at and row.active_at(later.at)
        done(part(later, later.manager(itn), itn, row))
    assert Relationship.objects.count() == 3
    assert breaches(world) == []


def test_what_a_firm_asked_for_before_it_left_is_not_approved(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    """That it left is the newer word of it: what it wants now it asks for now."""
    waiting = world.relationship_request(itn, maple)
    later = world.later(days=1)
    done(part(later, later.manager(itn), itn, related(maple, itn)))
    refused = agree(later, maple, itn)
    assert isinstance(refused, Refusal) and refused.code == "left"
    assert "Reject it" in str(refused.message) and not related(maple, itn).active_at(later.at)
    done(
        withdraw_relationship_request(
            actor=world.manager(itn), acting_for=itn, relationship_request=waiting, at=later.at
        )
    )
    later.relationship_request(itn, maple)
    assert done(agree(later, maple, itn)).active_at(later.at)


# Who may


def test_a_pam_ends_what_its_own_program_gave(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    pam, row = world.employee("Pam", maple, RM0001="pam"), related(maple, itn)
    [mine] = row.terms.filter(program__extension="RM0001")
    done(part(world, pam, maple, row, "Enough", [mine]))
    access = world.access(world.person("Ben"), itn)
    allowed = {
        program.extension: access.decide(Action.VIEW_TRANSACTIONS, program).allowed
        for program in maple.programs.all()
    }
    assert allowed == {"RM0001": False, "RM0002": True}
    row.refresh_from_db()
    assert row.active_at(world.at) and row.ended_by is None
    assert Event.objects.filter(verb="relationship.end", path="own:pam").count() == 2
    assert breaches(world) == []


def test_the_last_terms_take_the_relationship_with_them(
    world: World, maple: BusinessAccount
) -> None:
    cedar, pam = world.broker("Cedar"), world.employee("Pam", maple, RM0001="pam")
    world.relationship(maple, cedar)
    done(part(world, pam, maple, related(maple, cedar)))
    assert related(maple, cedar).ended_by == pam


def test_a_pam_does_not_end_business_management(world: World, maple: BusinessAccount) -> None:
    cedar, pam = world.broker("Cedar"), world.employee("Pam", maple, RM0001="pam")
    world.relationship(maple, cedar, programs=BOTH, level=Level.BUSINESS)
    refusal = part(world, pam, maple, related(maple, cedar))
    assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"
    page = reverse("relationship_end", kwargs={"bn9": maple.bn9, "pk": related(maple, cedar).pk})
    detail = reverse(
        "relationship_detail", kwargs={"bn9": maple.bn9, "pk": related(maple, cedar).pk}
    )
    assert as_(pam).get(page).status_code == as_(pam).post(page).status_code == 403
    assert "End this relationship" not in words(as_(pam).get(detail))


def test_a_reader_is_shown_nothing_of_a_relationship_that_is_over(
    world: World, maple: BusinessAccount
) -> None:
    cedar = world.broker("Cedar")
    world.relationship_request(cedar, maple)
    every = frozenset(maple.programs.values_list("pk", flat=True))
    done(agree(world, maple, cedar, level=Level.BUSINESS, covers_future=True, programs=every))
    done(part(world, world.manager(maple), maple, related(maple, cedar)))
    browser = as_(world.employee("Rea", maple, RM0001="reader"))
    for answer in (browser.get(end_url(maple, cedar)), browser.post(end_url(maple, cedar))):
        assert answer.status_code == 403 and "Cedar" not in words(answer)


def test_what_was_given_on_a_closed_program_is_taken_back(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    pam, row = world.employee("Pam", maple, RM0001="pam"), related(maple, itn)
    maple.programs.filter(extension="RM0001").update(closed_at=world.at)
    [mine] = row.terms.filter(program__extension="RM0001")
    done(part(world, pam, maple, row, terms=[mine]))


@pytest.mark.parametrize("side", ["client", "provider"])
def test_in_an_account_that_is_not_active_a_relationship_still_ends(
    world: World, maple: BusinessAccount, itn: BusinessAccount, side: str
) -> None:
    acting_for = maple if side == "client" else itn
    acting_for.status = BusinessAccount.Status.SUSPENDED
    acting_for.save()
    browser = as_(world.manager(acting_for))
    address = end_url(maple, itn) if side == "client" else leave_url(maple, itn)
    page = browser.get(address)
    assert page.status_code == 200 and "This business account is not active" in words(page)
    assert browser.post(address, confirmed(page)).status_code == 302
    assert not live_terms(related(maple, itn).terms.all(), world.at)


@pytest.mark.parametrize(
    "name", ["Ed", "Ben", "ITN manager", "Maple manager", "Zebra manager", "Liam"]
)
def test_nobody_else_ends_anything(
    world: World, maple: BusinessAccount, itn: BusinessAccount, name: str
) -> None:
    world.employee("Ed", maple, RM0001="editor")
    row = related(maple, itn)
    world.importer("Zebra")
    for acting_for in (maple, itn):
        if world.manager(acting_for) != world.person(name):
            refusal = part(world, world.person(name), acting_for, row)
            assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"
    assert len(live_terms(row.terms.all(), world.at)) == 2


# What a form showed, and crossed clocks


def test_a_form_from_before_a_new_agreement_ends_nothing(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    row = related(maple, itn)
    shown = live_terms(row.terms.all(), world.at)
    world.relationship_request(itn, maple)
    done(agree(world, maple, itn))
    refusal = part(world, world.manager(maple), maple, row, terms=shown)
    assert isinstance(refusal, Refusal) and refusal.code == "changed"
    assert len(live_terms(row.terms.all(), world.at)) == 2


def test_a_form_from_before_the_end_approves_nothing(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    waiting = world.relationship_request(itn, maple)
    done(part(world, world.manager(itn), itn, related(maple, itn)))
    refusal = agree(world, maple, itn, expected_version=waiting.version)
    assert isinstance(refusal, Refusal) and refusal.code == "changed"
    assert done(agree(world, maple, itn)).starts_at == world.at


def test_an_approval_that_waited_for_an_end_begins_anew(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    row = related(maple, itn)
    world.relationship_request(itn, maple)
    later = world.later(minutes=5)
    done(part(later, world.manager(maple), maple, row))
    new = done(agree(world, maple, itn))
    row.refresh_from_db()
    assert row.ends_at == later.at == new.starts_at and new.pk != row.pk
    assert breaches(later) == []


def test_an_end_that_waited_for_an_approval_is_told(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    row = related(maple, itn)
    shown = live_terms(row.terms.all(), world.at)
    later = world.later(minutes=5)
    later.relationship_request(itn, maple)
    done(agree(later, maple, itn))
    refusal = part(world, world.manager(itn), itn, row, terms=shown)
    assert isinstance(refusal, Refusal) and refusal.code == "changed"


def test_whose_right_is_over_by_then_ends_nothing(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    ana, row = world.employee("Ana", maple), related(maple, itn)
    later = world.later(minutes=5)
    boss = as_(world.manager(maple))
    membership = ana.memberships.get(business=maple)
    address = reverse("membership_end", kwargs={"bn9": maple.bn9, "pk": membership.pk})
    assert boss.post(address, {"confirm": "yes"}).status_code == 302
    refusal = part(later, ana, maple, row)
    assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"


# History and mail


@pytest.mark.parametrize("side", ["client", "provider"])
def test_both_sides_are_told_and_both_histories_tell(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    side: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    world.manager(itn).language = "fr-ca"
    world.manager(itn).save()
    acting_for, verb = (
        (maple, "relationship.end") if side == "client" else (itn, "relationship.leave")
    )
    with django_capture_on_commit_callbacks(execute=True):
        row = related(maple, itn)
        done(part(world, world.manager(acting_for), acting_for, row, "We moved."))
        again = part(world, world.manager(acting_for), acting_for, row, "We moved.")
    assert isinstance(again, Refusal) and again.code == "already_ended"
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert set(letters) == {world.manager(maple).email, world.manager(itn).email}
    assert len(mail.outbox) == 2
    ours, theirs = letters[world.manager(maple).email], letters[world.manager(itn).email]
    assert ours.subject == "A business relationship has ended"
    assert theirs.subject == "Une relation d’affaires a pris fin"
    for letter in letters.values():
        assert "We moved." in letter.body and "Maple" in letter.body
        assert "manager" not in letter.body
    assert f"/en-ca/businesses/{maple.bn9}/relationships/{row.pk}/" in ours.body
    assert f"/fr-ca/businesses/{itn.bn9}/clients/{maple.bn9}/" in theirs.body
    told = Event.objects.filter(verb=verb)
    assert {event.chain_id for event in told} == {
        business_chain(maple.bn9),
        business_chain(itn.bn9),
    }
    refused = Event.objects.get(verb=f"{verb}.refused")
    assert refused.chain_id == business_chain(acting_for.bn9)


def test_a_part_is_told_as_a_part(
    world: World,
    maple: BusinessAccount,
    itn: BusinessAccount,
    django_capture_on_commit_callbacks: Any,
) -> None:
    pam, row = world.employee("Pam", maple, RM0001="pam"), related(maple, itn)
    with django_capture_on_commit_callbacks(execute=True):
        done(
            part(world, pam, maple, row, terms=list(row.terms.filter(program__extension="RM0001")))
        )
    assert {letter.subject for letter in mail.outbox} == {"A business relationship was narrowed"}
    assert all("RM 0001 Maple 1" in letter.body for letter in mail.outbox)
    assert not any("RM 0002" in letter.body for letter in mail.outbox)


def test_the_activity_of_both_names_the_end(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    done(part(world, world.manager(maple), maple, related(maple, itn), "We moved."))
    for business in (maple, itn):
        page = as_(world.manager(business)).get(
            reverse("activity_list", kwargs={"bn9": business.bn9})
        )
        newest = page.context["acts"][0]
        assert newest.sentence == "Ended the relationship with ITN, whole or in part"
        assert newest.about == ("" if business == maple else f"Client: {maple.bn_shown}")
        assert newest.who == ("Maple manager" if business == maple else str(maple))
        assert newest.reason == "We moved."


# The pages


def end_url(maple: BusinessAccount, itn: BusinessAccount) -> str:
    pk = related(maple, itn).pk
    return reverse("relationship_end", kwargs={"bn9": maple.bn9, "pk": pk})


def leave_url(maple: BusinessAccount, itn: BusinessAccount) -> str:
    return reverse("relationship_leave", kwargs={"bn9": itn.bn9, "client_bn9": maple.bn9})


def confirmed(page: Any, **more: str) -> dict[str, str]:
    return {"confirm": "yes", "terms": page.context["fingerprint"], **more}


def test_the_client_ends_by_the_page(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser, address = as_(world.manager(maple)), end_url(maple, itn)
    detail = browser.get(address.removesuffix("end/"))
    assert address in detail.content.decode()
    page = browser.get(address)
    text = words(page)
    assert f"you end the authority of ITN, {itn.bn_shown}" in text
    assert "RM 0001 Maple 1" in text and "RM 0002 Maple 2" in text
    assert "As Expired Users, its assigned employees can still read" in text
    answer = browser.post(address, confirmed(page, reason="We moved."), follow=True)
    text = words(answer)
    assert f"The authority of ITN to act for Maple, {maple.bn_shown}, has ended." in text
    assert "Ended" in text and "Reason: We moved." in text and "End this relationship" not in text
    assert browser.get(address).status_code == 302
    late = browser.post(address, confirmed(page))
    assert late.status_code == 409
    assert "This relationship is over already. Nothing was changed." in words(late)


def test_the_provider_leaves_by_the_page(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser, address = as_(world.manager(itn)), leave_url(maple, itn)
    assert address in browser.get(address.removesuffix("leave/")).content.decode()
    page = browser.get(address)
    assert f"you give back the authority to act for Maple, {maple.bn_shown}" in words(page)
    answer = browser.post(address, confirmed(page, reason="Too far."), follow=True)
    text = words(answer)
    assert f"ITN no longer acts for Maple, {maple.bn_shown}." in text
    assert "Expired User" in text and "Reason: Too far." in text
    assert "Leave this client" not in text
    assert browser.get(address).status_code == 302
    assert browser.post(address, confirmed(page)).status_code == 409


def test_who_works_for_a_client_does_not_leave_it(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    address = leave_url(maple, itn)
    browser = as_(world.person("Ben"))
    assert "Leave this client" not in words(browser.get(address.removesuffix("leave/")))
    assert browser.get(address).status_code == browser.post(address).status_code == 403


def test_a_page_from_before_a_new_agreement_shows_what_holds_now(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser, address = as_(world.manager(maple)), end_url(maple, itn)
    old = browser.get(address)
    world.relationship_request(itn, maple)
    done(agree(world, maple, itn))
    answer = browser.post(address, confirmed(old))
    assert answer.status_code == 409
    assert "What was agreed changed while you had the page open." in words(answer)
    assert browser.post(address, confirmed(answer)).status_code == 302


@pytest.mark.parametrize("sent", [{}, {"confirm": "yes"}, {"confirm": "yes", "terms": "x" * 65}])
def test_nothing_ends_without_the_form(
    world: World, maple: BusinessAccount, itn: BusinessAccount, sent: dict[str, str]
) -> None:
    for business, address in ((maple, end_url(maple, itn)), (itn, leave_url(maple, itn))):
        assert as_(world.manager(business)).post(address, sent).status_code == 422
    assert related(maple, itn).active_at(world.at)


def test_a_pam_reads_which_part_ends(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser = as_(world.employee("Pam", maple, RM0001="pam"))
    page = browser.get(end_url(maple, itn))
    assert "RM 0001" in words(page) and "RM 0002" not in words(page)
    answer = browser.post(end_url(maple, itn), confirmed(page), follow=True)
    text = words(answer)
    assert "What a Business Account Manager agreed to" in words(page)
    said = f"The authority of ITN to act for Maple, {maple.bn_shown}, has ended"
    assert f"{said} on these program accounts: RM 0001 Maple 1." in text
    assert f"{said}." not in text
    assert "Ended on your program accounts On November 23, 2026" in text
    assert "What was agreed on other program accounts stays as it is." in text
    assert "RM 0002" not in text and related(maple, itn).active_at(world.at)


def test_a_pam_who_ends_all_there_is_reads_so(world: World, maple: BusinessAccount) -> None:
    cedar = world.broker("Cedar")
    world.relationship(maple, cedar)
    browser = as_(world.employee("Pam", maple, RM0001="pam"))
    page = browser.get(end_url(maple, cedar))
    assert "What stays" not in words(page)
    text = words(browser.post(end_url(maple, cedar), confirmed(page), follow=True))
    assert f"The authority of Cedar to act for Maple, {maple.bn_shown}, has ended." in text
    assert "Ended On November 23, 2026" in text and "stays as it is" not in text


def test_the_same_form_sent_twice_ends_once(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser = as_(world.manager(maple))
    sent = confirmed(browser.get(end_url(maple, itn)), form_key=str(uuid4()))
    assert [browser.post(end_url(maple, itn), sent).status_code for _ in range(2)] == [302, 302]
    assert Event.objects.filter(verb__startswith="relationship.end").count() == 2


def test_a_foreign_relationship_does_not_exist(
    world: World, maple: BusinessAccount, itn: BusinessAccount
) -> None:
    browser = as_(world.manager(world.importer("Zebra")))
    zebra = BusinessAccount.objects.get(legal_name="Zebra")
    for pk in (related(maple, itn).pk, uuid4()):
        address = reverse("relationship_end", kwargs={"bn9": zebra.bn9, "pk": pk})
        assert browser.get(address).status_code == 404
    assert browser.get(end_url(maple, itn)).status_code == 404
