"""Offers of a client to a firm: what they give, until when they stand, and who answers them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.authority import Act, for_the_firm, written_authority
from delegation.invariants import CHECKS
from delegation.models import (
    Ceiling,
    Level,
    Mute,
    ProgramRole,
    Relationship,
    RelationshipOffer,
    RelationshipTerms,
    Status,
    Visibility,
)
from delegation.offers import received_offers
from delegation.services.agreements import Agreement, Rules
from delegation.services.digests import tell_what_waits
from delegation.services.endings import end_relationship
from delegation.services.mutes import end_mute, mute_firm
from delegation.services.offers import (
    accept_relationship_offer,
    create_relationship_offer,
    decline_relationship_offer,
    withdraw_relationship_offer,
)
from delegation.services.relationships import reject_relationship_request
from delegation.services.rights import end_membership, end_program_role
from delegation.terms import fingerprint
from notices.models import Notice
from tests.conftest import by_night
from tests.world import World, done, next_bn9

RULES = Rules(Visibility.EDIT, Visibility.VIEW, Visibility.NONE)
BOUNDS = {"level": Level.PROGRAM, "ceiling": Ceiling.READER, "last_day": None}


@pytest.fixture
def maple(world: World) -> BusinessAccount:
    return world.importer("Maple")


@pytest.fixture
def north(world: World) -> BusinessAccount:
    return world.broker("North")


def accept(
    world: World,
    offer: RelationshipOffer,
    firm: BusinessAccount,
    by: User | None = None,
    version: int = 1,
) -> Relationship | Refusal:
    """The firm's answer that it takes the offer."""
    return accept_relationship_offer(
        actor=by or world.manager(firm),
        acting_for=firm,
        relationship_offer=offer,
        expected_version=version,
        at=world.at,
    )


def code(answer: object) -> str:
    """The code of a refusal; "done" of anything else."""
    return answer.code if isinstance(answer, Refusal) else "done"


def try_offer(world: World, client: BusinessAccount, bn9: str, by: User, **changed: Any) -> str:
    """How an offer of one program account ends; it is taken back where it succeeds."""
    agreement: dict[str, Any] = {
        "level": Level.PROGRAM,
        "programs": frozenset({world.program(client).pk}),
        "ceiling": Ceiling.EDITOR,
        "rules": Rules(),
        "last_day": (world.at + timedelta(days=30)).date(),
        **changed,
    }
    with transaction.atomic():
        answer = create_relationship_offer(
            actor=by,
            acting_for=client,
            provider_bn9=bn9,
            agreement=Agreement(**agreement),
            comment="",
            at=world.at,
        )
        transaction.set_rollback(True)
    return code(answer)


def told(world: World, business: BusinessAccount) -> list[str]:
    """What history tells a business of offers."""
    events = Event.objects.filter(chain=business_chain(business.bn9))
    return list(events.filter(verb__startswith="relationship_offer").values_list("verb", flat=True))


def test_accepting_gives_exactly_what_was_offered_by_whoever_offered_it(
    world: World, maple: BusinessAccount, north: BusinessAccount
) -> None:
    offer = world.offer(
        maple, north, rules=RULES, ceiling=Ceiling.READER, may_pay=True, may_submit=False
    )
    assert not Relationship.objects.exists(), "An offer gives nothing."
    world = world.later(days=3)

    relationship = done(accept(world, offer, north))

    [terms] = RelationshipTerms.objects.all()
    assert (relationship.offer, relationship.request) == (offer, None)
    assert (terms.program, terms.level, terms.ceiling) == (
        world.program(maple), Level.PROGRAM, Ceiling.READER,
    )  # fmt: skip
    assert {name: getattr(terms, name) for name in RULES.columns()} == RULES.columns()
    assert (terms.may_pay, terms.may_submit, terms.may_see_amounts) == (True, False, False)
    assert (terms.agreed_by, terms.consent_version) == (world.manager(maple), "offer-1")
    assert terms.starts_at == world.at and offer.closes_at == terms.ends_at
    document = written_authority(relationship, [terms], world.at)
    assert [(one.person.get_full_name(), one.act, one.at) for one in document.agreed_by] == [
        ("North manager", Act.ACCEPTED, world.at),
        ("Maple manager", Act.AGREED, offer.starts_at),
    ]
    created, accepted = "relationship_offer.create", "relationship_offer.accept"
    assert told(world, maple) == told(world, north) == [created, accepted]
    [mail] = Notice.objects.filter(key__startswith="relationship_offer_accepted")
    assert mail.recipient == world.manager(maple) and "North" in mail.body
    assert not [line for check in CHECKS for line in check(world.at)[1]]


def test_every_program_account_is_that_of_the_day_of_the_answer_only_where_future_ones_count(
    world: World, maple: BusinessAccount, north: BusinessAccount
) -> None:
    both = {"level": Level.BUSINESS, "programs": ("RM0001", "RM0002")}
    wide = world.offer(maple, north, covers_future=True, **both)
    today = world.offer(maple, south := world.broker("South"), **both)
    maple.programs.create(extension="RM0009", opened_at=world.at)
    world = world.later(days=1)

    of_all = done(accept(world, wide, north)).terms.get()
    of_two = done(accept(world, today, south)).terms.all()

    assert of_all.program is None
    assert sorted(str(row.program and row.program.extension) for row in of_two) == [
        "RM0001", "RM0002",
    ]  # fmt: skip


def leaves(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    membership = ana.memberships.get(business=maple)
    by = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_membership(membership=membership, reason="Left", **by))


def is_disabled(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    ana.is_active = False
    ana.save()


def closes(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    maple.programs.filter(extension="RM0001").update(closed_at=world.at)


def stops(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    BusinessAccount.objects.filter(pk=maple.pk).update(status="suspended")


def agrees(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    world.relationship(maple, north)


def ends(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    row = world.relationship(maple, north)
    about = {"expected_terms": fingerprint(row.terms.all()), "reason": "", "at": world.at}
    boss = {"actor": world.manager(maple), "acting_for": maple}
    done(end_relationship(relationship=row, **about, **boss))


def rejects(world: World, maple: BusinessAccount, north: BusinessAccount, ana: User) -> None:
    asked = world.relationship_request(north, maple)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(
        reject_relationship_request(
            relationship_request=asked, reason="No", expected_version=asked.version, **boss
        )
    )


@pytest.mark.parametrize(
    "happens",
    [leaves, closes, ends, rejects, *(by_night(one) for one in (is_disabled, stops, agrees))],
)
def test_an_offer_stands_only_while_its_maker_may_give_it(
    world: World,
    maple: BusinessAccount,
    north: BusinessAccount,
    happens: Callable[..., None],
) -> None:
    ana = world.employee("Ana", maple)
    offer = world.offer(maple, north, by=ana, rules=RULES)
    world = world.later(days=1)
    happens(world, maple, north, ana)
    before = list(RelationshipTerms.objects.values())
    world = world.later(hours=1)

    answer = accept(world, offer, north)

    assert isinstance(answer, Refusal) and answer.code == "stands_no_more"
    assert "Ask the client" in str(answer.message), "Nothing tells what happened at the client."
    assert list(RelationshipTerms.objects.values()) == before
    assert offer.status_at(world.at) is Status.PENDING


def test_a_firm_that_is_not_known_keeps_no_offer_and_gets_none(
    world: World, maple: BusinessAccount, north: BusinessAccount
) -> None:
    offer, asked = world.offer(maple, north), world.relationship_request(north, maple)
    world = world.later(hours=1)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    mute = done(mute_firm(relationship_request=asked, report="", **boss))

    answer = accept(world, offer, north)
    assert isinstance(answer, Refusal) and answer.code == "already_decided"
    assert RelationshipOffer.objects.get().status_at(world.at) is Status.WITHDRAWN
    assert try_offer(world, maple, north.bn9, world.manager(maple)) == "muted"
    done(end_mute(mute=mute, **boss))
    assert try_offer(world, maple, north.bn9, world.manager(maple)) == "done"


def test_an_offer_adds_to_what_the_firm_has_elsewhere_and_never_touches_it(
    world: World, maple: BusinessAccount, north: BusinessAccount
) -> None:
    relationship = world.relationship(maple, north, programs=("RM0002",))
    offer = world.offer(maple, north)
    assert try_offer(world, maple, north.bn9, world.manager(maple)) == "already_waiting"
    world = world.later(hours=1)
    zoe = world.employee("Zoe", north)

    assert done(accept(world, offer, north, by=zoe)) == relationship

    assert [(one.person, one.act) for one in for_the_firm(relationship, world.at)] == [
        (world.manager(north), Act.ASKED),
        (zoe, Act.ACCEPTED),
    ]
    live = relationship.terms.filter(ends_at__gt=world.at).order_by("program__extension")
    assert [row.program and row.program.extension for row in live] == ["RM0001", "RM0002"]
    again = {"by": world.manager(maple), "bn9": north.bn9}
    assert try_offer(world, maple, **again) == "acts_already"


def test_who_offers_what(world: World, maple: BusinessAccount) -> None:
    firm = next_bn9()
    pam = world.employee("Pam", maple, RM0001="pam")
    editor = world.employee("Ed", maple, RM0001="editor")
    boss, other = world.manager(maple), frozenset({world.program(maple, "RM0002").pk})
    whole = {"level": Level.BUSINESS, "covers_future": True}
    for expected, by, changed in [
        ("done", boss, {**whole, "ceiling": Ceiling.PAM}),
        ("done", pam, {}),
        ("above_own_right", pam, {"programs": other}),
        ("above_own_right", pam, {"ceiling": Ceiling.PAM}),
        ("above_own_right", pam, {"level": Level.BUSINESS}),
        ("not_allowed", editor, {}),
        ("no_programs", boss, {"programs": frozenset()}),
        ("open_end_reason", boss, {"last_day": None}),
        ("expiry_cap", boss, {"last_day": (world.at + timedelta(days=3000)).date()}),
    ]:
        assert try_offer(world, maple, firm, by, **changed) == expected, (by, changed)
    assert try_offer(world, maple, maple.bn9, boss) == "own_business"
    world.offer(maple, firm, programs=("RM0001", "RM0002"))
    offer = RelationshipOffer.objects.get()
    mine = {"acting_for": maple, "relationship_offer": offer, "at": world.at}
    assert code(withdraw_relationship_offer(actor=pam, **mine)) == "not_allowed"
    assert code(withdraw_relationship_offer(actor=boss, **mine)) == "done"


def test_who_answers_an_offer_and_only_once(
    world: World, maple: BusinessAccount, north: BusinessAccount, settings: Any
) -> None:
    pam = world.employee("Pat", maple, RM0001="pam", RM0002="pam")
    offer = world.offer(maple, north, by=pam)
    south, lead = world.broker("South"), world.manager(north)
    clerk = world.employee("Cleo", north, RM0001="pam")
    both = world.employee("Bo", maple)
    world.employee("Bo", north)
    assert code(accept(world, offer, south)) == "not_allowed"
    assert code(accept(world, offer, north, clerk)) == "not_allowed"
    assert code(accept(world, offer, north, version=2)) == "changed"
    own = world.offer(world.importer("Cedar"), north)
    RelationshipOffer.objects.filter(pk=own.pk).update(offered_by=both)
    assert code(accept(world, own, north, both)) == "not_allowed", "Nobody answers oneself."
    BusinessAccount.objects.filter(pk=north.pk).update(provider_type="none")
    north.refresh_from_db()
    assert code(accept(world, offer, north)) == "not_allowed"
    answer = {"acting_for": north, "expected_version": 1, "relationship_offer": offer}
    by = {**answer, "actor": lead, "at": world.at, "reason": "Too far"}
    assert code(decline_relationship_offer(**{**by, "actor": clerk})) == "not_allowed"

    role = {"role": ProgramRole.objects.get(user=pam, content_object=world.program(maple))}
    done(end_program_role(actor=world.manager(maple), acting_for=maple, at=world.at, **role))
    declined = done(decline_relationship_offer(**by))

    assert (declined.reason, declined.status_at(world.at)) == ("Too far", Status.REJECTED)
    assert code(decline_relationship_offer(**by)) == "already_decided"
    mine = {"acting_for": maple, "relationship_offer": offer, "at": world.at}
    late = withdraw_relationship_offer(actor=world.manager(maple), **mine)
    assert code(late) == "already_decided"
    mails = Notice.objects.filter(key__startswith="relationship_offer_declined")
    assert {mail.recipient for mail in mails} == {world.manager(maple), both}
    assert "Too far" in mails[0].body and "North" not in mails[0].body
    settings.RELATIONSHIP_OFFERS_A_DAY = 1
    assert try_offer(world, maple, next_bn9(), world.manager(maple)) == "too_many"


def test_an_offer_waits_for_a_firm_that_registers_and_lapses_with_what_it_offers(
    world: World, maple: BusinessAccount
) -> None:
    number, importer = next_bn9(), world.importer("Birch")
    world.offer(maple, importer)
    offer = world.offer(maple, number)
    assert tell_what_waits(at=world.at) == 0, "Who serves no clients is told of no offer."
    later = world.later(days=2)
    firm = later.broker("Late", bn9=number)

    assert tell_what_waits(at=later.at) == 1 and tell_what_waits(at=later.at) == 0

    [mail] = Notice.objects.filter(template="delegation/email/relationship_offer_waiting.txt")
    assert mail.recipient == later.manager(firm)
    access = later.access(later.manager(firm), firm)
    assert list(received_offers(access)) == [offer]
    Mute.objects.create(
        business=firm, provider=maple, muted_by=later.manager(firm), starts_at=later.at
    )
    assert not received_offers(access).exists()
    over = World(offer.closes_at, world.people)
    assert code(accept(over, offer, firm)) == "lapsed"
