"""Look-ups: an officer reads a business for a while, and the business reads who looked and why."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import OfficerRole, User
from accounts.services import end_officer_role
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.access import Access, decide
from delegation.models import Lookup, Membership
from delegation.reasons import Reason
from delegation.roles import READ_ONLY, Action
from delegation.standing import Path, PathKind
from officers.services.lookups import end_lookup, open_lookup
from tests.delegation.reading import as_, queries, words
from tests.officers.people import officer
from tests.transactions.factories import declare
from tests.world import World, done, next_bn9
from transactions.models import DeclarationVersion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)


def look(world: World, person: User, business: BusinessAccount) -> Lookup:
    about = {"bn9": business.bn9, "purpose": "Audit 7", "at": world.at}
    return done(open_lookup(actor=person, **about))


def page(name: str, lookup: Lookup, **more: str) -> str:
    return reverse(name, kwargs={"pk": lookup.pk, **more})


@pytest.fixture
def olga(world: World) -> User:
    return officer(world, "Olga")


def test_while_it_lasts_an_officer_views_and_does_nothing_else(
    world: World, maple: BusinessAccount, itn: BusinessAccount, olga: User
) -> None:
    declare(world.program(maple), world.at)
    declare(world.program(itn), world.at)
    [ours] = DeclarationVersion.objects.filter(owner=maple)
    [theirs] = DeclarationVersion.objects.filter(owner=itn)
    assert decide(olga, maple, Action.VIEW_TRANSACTIONS, ours, world.at).reason is (
        Reason.NO_MEMBERSHIP
    )
    lookup = look(world, olga, maple)
    for target in (ours, world.program(maple), maple):
        for action in Action:
            decision = decide(olga, maple, action, target, world.at)
            assert decision.allowed is (action in READ_ONLY), (action, target)
    decision = decide(olga, maple, Action.VIEW_TRANSACTIONS, ours, world.at)
    assert (decision.path.kind, decision.path.until) == (PathKind.OFFICER, world.at + HOUR)
    for acting_for, target in ((maple, theirs), (itn, theirs), (itn, ours)):
        assert not decide(olga, acting_for, Action.VIEW_TRANSACTIONS, target, world.at).allowed
    for at, seen in ((lookup.ends_at - TICK, 1), (lookup.ends_at, 0), (world.at - TICK, 0)):
        assert decide(olga, maple, Action.VIEW_TRANSACTIONS, ours, at).allowed is bool(seen)
        assert Access(olga, maple, at).visible(DeclarationVersion.objects.all()).count() == seen


def test_it_ends_with_the_role_the_account_and_a_membership(
    world: World, maple: BusinessAccount, olga: User
) -> None:
    look(world, olga, maple)

    def sees() -> bool:
        return decide(olga, maple, Action.VIEW_ACTIVITY, maple, world.at).allowed

    def undone(change: Any) -> bool:
        with transaction.atomic():
            change()
            seen = sees()
            transaction.set_rollback(True)
        return seen

    kind = OfficerRole.Kind.LOOKUPS
    assert sees()
    assert not undone(
        lambda: end_officer_role(person=olga, kind=kind, given_by="Root", at=world.at)
    )
    assert not undone(lambda: User.objects.filter(pk=olga.pk).update(is_active=False))
    joined = {"person": olga, "business": maple, "starts_at": world.at}
    assert not undone(lambda: Membership.objects.create(**joined))
    assert not undone(lambda: Membership.objects.create(**joined, suspended_at=world.at))


def test_a_look_up_is_one_officer_s_own(world: World, maple: BusinessAccount, olga: User) -> None:
    """Neither the look-up of a colleague nor the colleague's office opens anything."""
    omar, kind = officer(world, "Omar"), OfficerRole.Kind.LOOKUPS
    lookup = done(open_lookup(actor=olga, bn9=maple.bn9, purpose="Audit", at=world.at))

    def path(person: User) -> Path | None:
        decision = decide(person, maple, Action.VIEW_ACTIVITY, maple, world.at)
        return decision.path if decision.allowed else None

    shown = path(olga)
    assert shown and (shown.source, shown.until) == (str(lookup.pk), lookup.ends_at)
    assert path(omar) is None
    sooner, later = lookup.ends_at - timedelta(minutes=1), lookup.ends_at + timedelta(days=1)
    OfficerRole.objects.filter(person=omar).update(ends_at=sooner)
    OfficerRole.objects.filter(person=olga).exclude(kind=kind).update(ends_at=sooner)
    assert path(olga) == shown
    for ends_at, until in ((later, lookup.ends_at), (sooner, sooner)):
        OfficerRole.objects.filter(person=olga, kind=kind).update(ends_at=ends_at)
        found = path(olga)
        assert found and found.until == until
    OfficerRole.objects.filter(person=olga, kind=kind).update(ends_at=world.at)
    assert path(olga) is None


def test_who_may_look(world: World, maple: BusinessAccount, olga: User) -> None:
    def code(person: User, bn9: str = maple.bn9) -> str:
        answer = open_lookup(actor=person, bn9=bn9, purpose="Audit", at=world.at)
        return answer.code if isinstance(answer, Refusal) else "done"

    recovery = officer(world, "Rita", OfficerRole.Kind.RECOVERY)
    former = officer(world, "Fay")
    Membership.objects.create(
        person=former, business=maple, starts_at=world.at - HOUR, ends_at=world.at
    )
    assert [code(world.person("Zoe")), code(recovery)] == ["not_allowed"] * 2
    assert [code(former), code(olga, next_bn9())] == ["involved", "not_registered"]
    assert [code(olga), code(olga)] == ["done", "done"]  # the newer takes the place of the other
    assert Lookup.objects.filter(ends_at__gt=world.at).count() == 1
    mine = {"actor": olga, "at": world.at}
    [live] = Lookup.objects.filter(ends_at__gt=world.at)
    done(end_lookup(lookup=live, **mine))
    assert isinstance(end_lookup(lookup=live, **mine), Refusal)
    told = Event.objects.filter(chain=business_chain(maple.bn9), verb__startswith="lookup.")
    assert [event.reason for event in told.filter(verb="lookup.open")] == ["Audit", "Audit"]
    for columns in ({"purpose": ""}, {"ends_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Lookup.objects.filter(pk=live.pk).update(**columns)


def test_an_officer_reads_and_the_business_reads_who_looked(
    world: World, maple: BusinessAccount, olga: User, clock: time_machine.Traveller
) -> None:
    record, browser = declare(world.program(maple), world.at), as_(olga)
    world.employee("Rea", maple, RM0001="reader")
    world.relationship(maple, world.broker("North"))
    desk = words(browser.get(reverse("officer_desk")))
    assert "Look up a business" in desk
    form = {"bn9": maple.bn9, "purpose": " "}
    assert browser.post(reverse("lookup_open"), form).status_code == 422
    opened = browser.post(reverse("lookup_open"), form | {"purpose": "Audit 7"}, follow=True)
    overview = words(opened)
    assert all(word in overview for word in ("Audit 7", "Maple", "Reader of RM 0001", "North"))
    lookup = Lookup.objects.get()
    listed = browser.get(page("lookup_declaration_list", lookup))
    assert record.number in words(listed)
    where = {"extension": "RM0001", "number": record.number}
    address = page("lookup_declaration_detail", lookup, **where)
    assert address in listed.content.decode()
    detail = words(browser.get(address))
    assert "Officers look and change nothing." in detail and "The importer" in detail
    assert "You, the importer" not in detail and "Correct this declaration" not in detail
    activity = reverse("activity_list", kwargs={"bn9": maple.bn9})
    told = words(as_(world.manager(maple)).get(activity))
    assert "Audit 7" in told and "Olga" in told and "Officer of the agency" in told
    assert browser.get(activity).status_code == 404
    own = reverse("declaration_detail", kwargs={"bn9": maple.bn9, **where})
    shown = words(as_(world.manager(maple)).get(own))
    assert "Officers of the agency can see it too" in shown and "Olga" not in shown
    clock.move_to(world.at + HOUR)
    assert browser.get(address).status_code == 403


def test_another_officer_finds_no_look_up_but_the_own(
    world: World, maple: BusinessAccount, olga: User
) -> None:
    lookup, omar = look(world, olga, maple), as_(officer(world, "Omar"))
    assert omar.get(page("lookup_detail", lookup)).status_code == 404
    assert omar.post(page("lookup_end", lookup)).status_code == 404
    browser = as_(olga)
    assert browser.post(page("lookup_end", lookup)).status_code == 302
    assert browser.get(page("lookup_detail", lookup)).status_code == 403


def test_who_ends_what_is_over_meanwhile_is_told_and_history_keeps_it(
    world: World, maple: BusinessAccount, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup, browser = look(world, olga, maple), as_(olga)
    entered = Access(olga, maple, world.at), lookup
    monkeypatch.setattr("officers.views.lookups._enter", lambda *_asked: entered)
    done(end_lookup(actor=olga, lookup=lookup, at=world.at))
    answer = browser.post(page("lookup_end", lookup), {"form_key": str(uuid4())}, follow=True)
    assert "This look-up is over already." in words(answer)
    assert Event.objects.get(chain=business_chain(maple.bn9), verb="lookup.end.refused")


def test_the_overview_costs_the_same_however_many_there_are(
    world: World, maple: BusinessAccount, olga: User
) -> None:
    world.employee("Rea", maple, RM0001="reader")
    world.relationship(maple, world.broker("North"))
    lookup, browser = look(world, olga, maple), as_(olga)
    few = queries(browser, page("lookup_detail", lookup))
    for number in range(3):
        world.employee(f"Rea {number}", maple, RM0001="reader", RM0002="editor")
        world.relationship(maple, world.broker(f"North {number}"))
    assert queries(browser, page("lookup_detail", lookup)) == few
