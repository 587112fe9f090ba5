"""Renewal: what a firm may do goes on, never more of it and never earlier."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.consent import VERSION
from delegation.models import Ceiling, Level, Relationship, Visibility
from delegation.permissions import can_renew_relationship
from delegation.roles import Action
from delegation.services import renewals
from delegation.services.agreements import Rules, continued
from delegation.services.endings import end_relationship, leave_relationship
from delegation.services.renewals import Renewal, renew_relationship
from delegation.terms import extensions, fingerprint, live_terms, renewable_terms
from pages.formats import end_of_day
from tests.access.random_worlds import submission
from tests.conftest import NIGHTLY, by_night
from tests.delegation.reading import as_, confirm, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock"), pytest.mark.once]

ACTIONS = (Action.VIEW_TRANSACTIONS, Action.EDIT_TRANSACTIONS, Action.PAY)
TWO_YEARS = date(2028, 11, 23)
WORLDS = 200 if NIGHTLY else 4


def shown(world: World, relationship: Relationship, actor: User | None = None) -> str:
    """The fingerprint of what the actor, by default the client's manager, could renew now."""
    client = relationship.client
    access = world.access(actor or world.manager(client), client)
    terms = relationship.terms.select_related("program", "relationship")
    return fingerprint(can_renew_relationship(access, renewable_terms(terms, world.at)))


def renew(
    world: World, relationship: Relationship, last_day: date, *programs: str, **who: Any
) -> Relationship | Refusal:
    row = Relationship.objects.get(pk=relationship.pk)
    actor = who.pop("actor", world.manager(row.client))
    return renew_relationship(
        actor=actor,
        acting_for=who.pop("acting_for", row.client),
        relationship=row,
        renewal=Renewal(last_day, frozenset(programs or ("RM0001",))),
        expected_terms=who.pop("expected", shown(world, row, actor)),
        at=world.at,
    )


# ---------------------------------------------------------------- never wider


class Scene:
    """A client, a broker, everybody of the broker, and versions by each kind of submitter."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maple, self.north = world.importer("Maple"), world.broker("North")
        other = world.broker("Other")
        self.people = [world.manager(self.north), world.member("Sam", self.north)]
        world.relationship(self.maple, self.north, last_day=(world.at + timedelta(days=3)).date())
        self.people += [
            world.assign(f"Staff {role}", self.north, self.maple, role).person for role in Ceiling
        ]
        self.versions = [
            submission(program=program, submitter=submitter, at=world.at + timedelta(days=days))
            for program in self.maple.programs.all()
            for submitter in (self.maple, self.north, other)
            for days in (0, 40)
        ]

    def decisions(self, at: datetime) -> set[tuple[int, Action, int]]:
        """Who of the firm may do what with which version."""
        return {
            (access.person.pk, action, version.pk)
            for access in [Access(person, self.north, at) for person in self.people]
            for version in self.versions
            for action in ACTIONS
            if access.decide(action, version).allowed
        }


def widened(scene: Scene, dice: Random) -> set[Any]:
    """Agree to random terms, renew a random part of them, and tell what that opened."""
    world = scene.world
    for _number in range(dice.choice([1, 2, 2])):
        world = world.later(hours=1)
        programs = dice.choice([("RM0001",), ("RM0002",), ("RM0001", "RM0002")])
        whole = dice.random() < 0.3
        rules = Rules(
            dice.choice([Visibility.VIEW, Visibility.EDIT]),
            dice.choice(list(Visibility)),
            dice.choice(list(Visibility)),
        )
        world.relationship(
            scene.maple,
            scene.north,
            programs=("RM0001", "RM0002") if whole else programs,
            level=Level.BUSINESS if whole else Level.PROGRAM,
            covers_future=whole,
            rules=rules,
            ceiling=dice.choice(list(Ceiling)),
            last_day=(world.at + timedelta(days=dice.choice([5, 50, 500]))).date(),
            may_pay=dice.random() < 0.5,
            may_submit=dice.random() < 0.7,
        )
    relationship = Relationship.objects.get(client=scene.maple)
    if dice.random() < 0.2:
        Relationship.objects.update(suspended_at=world.at)
    world = world.later(days=dice.choice([0, 10, 60, 600]))
    relationship.refresh_from_db()
    is_over = not relationship.active_at(world.at)
    before_at = relationship.ends_at - timedelta(microseconds=1) if is_over else world.at
    past = [world.at - timedelta(days=days) for days in (1, 20)]
    before, told = scene.decisions(before_at), [scene.decisions(at) for at in past]
    over = scene.decisions(world.at)
    names = extensions(renewable_terms(relationship.terms.select_related("program"), world.at))
    last_day = (world.at + timedelta(days=dice.choice([1, 90, 900]))).date()
    answer = renew(world, relationship, last_day, *dice.sample(names, dice.randint(1, len(names))))
    after = [world.at, world.at + timedelta(days=1), end_of_day(last_day) - timedelta(seconds=1)]
    opened = {one for at in after for one in scene.decisions(at) - before - over}
    opened |= {
        one for at, then in zip(past, told, strict=True) for one in scene.decisions(at) ^ then
    }
    if isinstance(answer, Refusal):
        assert answer.code == "not_later", answer.code
        return opened
    assert scene.decisions(end_of_day(last_day)) <= over | before
    return opened | ({"shorter"} if not answer.active_at(after[-1]) else set())


def test_a_renewal_never_widens(world: World) -> None:
    """Of any terms, any part, until any day: for nobody of the firm, at no instant."""
    scene, taken = Scene(world), 0
    for seed in range(WORLDS):
        mark = transaction.savepoint_create()
        assert widened(scene, Random(seed)) == set(), f"seed {seed}"
        taken += Event.objects.filter(verb=renewals.VERB).exists()
        transaction.savepoint_rollback(mark)
    assert taken >= WORLDS // 2


@pytest.mark.parametrize(
    "wider", ["visibility_importer", by_night("program_id"), by_night("suspended_at")]
)
def test_a_renewal_that_widens_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, wider: str
) -> None:
    """The control: terms that go on with a rule more, for every program, or though suspended."""

    def more(**about: Any) -> Any:
        row = continued(**about)
        if wider == "suspended_at":
            about["relationship"].suspended_at = None
        else:
            setattr(row, wider, None if wider == "program_id" else Visibility.EDIT)
        return row

    monkeypatch.setattr(renewals, "continued", more)
    scene = Scene(world)
    for seed in range(40):
        mark = transaction.savepoint_create()
        opened = widened(scene, Random(seed))
        transaction.savepoint_rollback(mark)
        if opened:
            return
    pytest.fail("Nothing caught it.")


# ---------------------------------------------------------------- who, and of what


def test_who_renews_what(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    pam = world.employee("Pam", maple, RM0001="pam")
    row = world.relationship(maple, north)
    world.relationship(maple, north, programs=("RM0002",), ceiling=Ceiling.PAM)

    refused = renew(world, row, TWO_YEARS, actor=world.manager(north), acting_for=north)
    assert isinstance(refused, Refusal) and refused.code == "not_allowed"
    editor = renew(world, row, TWO_YEARS, actor=world.employee("Ed", maple, RM0001="editor"))
    assert isinstance(editor, Refusal) and editor.code == "not_allowed"
    beyond = renew(world, row, TWO_YEARS, "RM0002", actor=pam)
    assert isinstance(beyond, Refusal) and beyond.code == "not_later"
    done(renew(world, row, TWO_YEARS, "RM0001", "RM0002", actor=pam))

    lasting = {one.program.extension: one.ends_at for one in live_terms(row.terms.all(), world.at)}
    assert lasting["RM0001"] == end_of_day(TWO_YEARS) > lasting["RM0002"]
    stale = renew(world, row, TWO_YEARS, "RM0002", expected=fingerprint([]))
    assert isinstance(stale, Refusal) and stale.code == "changed"
    late = renew(world, row, date(2031, 11, 24), "RM0002")
    assert isinstance(late, Refusal) and late.code == "expiry_cap"
    for business in (maple, north):
        told = Event.objects.filter(chain=business_chain(business.bn9), verb=renewals.VERB)
        assert told.count() == 1


def test_what_is_over_begins_again_by_a_manager_of_the_business(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    pam = world.employee("Pam", maple, RM0001="pam")
    row = world.relationship(maple, north, rules=Rules(importer=Visibility.VIEW))
    later = world.later(days=60)

    refused = renew(later, row, TWO_YEARS, actor=pam)
    assert isinstance(refused, Refusal) and refused.code == "not_allowed"
    again = done(renew(later, row, TWO_YEARS))
    twice = renew(later, row, TWO_YEARS)

    assert again.pk != row.pk and again.starts_at == later.at
    assert [one.visibility_importer for one in again.terms.all()] == [Visibility.VIEW]
    assert isinstance(twice, Refusal) and twice.code == "already_active"


def test_what_ended_since_the_page_was_read_does_not_begin_again(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north)
    seen = shown(world, row)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.later(minutes=1).at}
    terms = fingerprint(row.terms.all())
    done(end_relationship(relationship=row, expected_terms=terms, reason="", **boss))

    answer = renew(world.later(minutes=2), row, TWO_YEARS, expected=seen)

    assert isinstance(answer, Refusal) and answer.code == "changed"
    assert Relationship.objects.count() == 1


def test_a_firm_that_left_acts_again_only_at_its_own_request(world: World) -> None:
    """Whatever the pair had before: what is over is not begun again without the firm."""
    before = world.earlier(days=99)
    maple, north = before.importer("Maple"), before.broker("North")
    first = world.earlier(days=90).relationship(maple, north)
    again = done(renew(world.earlier(days=1), first, TWO_YEARS))
    lead = {"actor": world.manager(north), "acting_for": north, "at": world.at}
    terms = fingerprint(again.terms.select_related("relationship"))
    done(leave_relationship(relationship=again, expected_terms=terms, reason="", **lead))

    for row in (first, again):
        refused = renew(world, row, TWO_YEARS)
        assert isinstance(refused, Refusal) and refused.code == "left"
    browser, detail = as_(world.manager(maple)), url("relationship_detail", maple, again.pk)
    page = browser.get(detail)
    assert "Offer the firm a relationship, or ask it to send you a request." in words(page)
    offer = f"{url('relationship_offer_create', maple)}?provider_bn9={north.bn9}"
    assert offer in page.content.decode() and north.bn9 in browser.get(offer).content.decode()
    assert url("relationship_renew", maple, again.pk) not in page.content.decode()
    sent = browser.post(url("relationship_renew", maple, again.pk), {}, follow=True)
    assert "North left this relationship" in words(sent)

    anew = world.relationship(maple, north)
    assert done(renew(world.later(days=1), anew, TWO_YEARS)).pk == anew.pk


# ---------------------------------------------------------------- pages


def url(name: str, business: BusinessAccount, pk: UUID | None = None) -> str:
    return reverse(name, kwargs={"bn9": business.bn9} | ({"pk": pk} if pk else {}))


def test_one_click_renews_for_two_years(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north, programs=("RM0001", "RM0002"))
    browser, page = as_(world.manager(maple)), url("relationship_renew", maple, row.pk)

    first = browser.get(page)
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(page, carried(first), follow=True)

    sentence = (
        f"Acting for Maple ({maple.bn_shown}), you renew the authority of North "
        f"({north.bn_shown}) on RM 0001 Maple 1, RM 0002 Maple 2 until the end of November 23, "
        "2028 (Eastern time): it may do what it may do today, and no more."
    )
    assert sentence in words(first)
    assert "was renewed until the end of November 23, 2028 (Eastern time)." in words(answer)
    row.refresh_from_db()
    assert row.ends_at == end_of_day(TWO_YEARS)
    told = {one.to[0]: one.subject for one in mail.outbox}
    assert told["north.manager@example.test"] == "A business relationship was renewed"


def carried(page: HttpResponse, **more: str) -> dict[str, Any]:
    """What the form of a preview posts when it is confirmed."""
    form = (page.context or {})["form"]
    entered = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in entered.items() if value is not None}
    return {**sent, "seal": (page.context or {})["seal"], "confirm": "yes", **more}


def test_less_is_chosen_on_the_form(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north, programs=("RM0001", "RM0002"))
    browser, page = as_(world.manager(maple)), url("relationship_renew", maple, row.pk)
    less = {"last_day": "2027-03-31", "programs": ["RM0002"], "consent_version": VERSION}

    back = browser.post(page, {**less, "change": "yes"})
    early = browser.post(page, {**less, "last_day": "2026-11-30"})
    answer = confirm(browser, page, less)

    assert 'value="2027-03-31"' in back.content.decode()
    assert early.status_code == 422 and "until this one the authority lasts" in words(early)
    assert answer.status_code == 302
    ends = {one.program.extension: one.ends_at for one in live_terms(row.terms.all(), world.at)}
    assert ends["RM0002"] == end_of_day(date(2027, 3, 31)) > ends["RM0001"]


def test_a_renewal_is_read_again_where_terms_changed(world: World) -> None:
    maple, north = world.importer("Maple"), world.broker("North")
    row = world.relationship(maple, north)
    browser, page = as_(world.manager(maple)), url("relationship_renew", maple, row.pk)
    seen = carried(browser.get(page))

    world.relationship(maple, north, rules=Rules(importer=Visibility.EDIT))
    answer = browser.post(page, seen)

    assert answer.status_code == 409 and "This changed since you looked" in words(answer)


def several(browser: Client, page: str, keys: list[UUID], **more: Any) -> HttpResponse:
    return browser.post(page, {"relationship": [str(key) for key in keys], **more})


def test_several_are_renewed_with_a_result_for_each(world: World) -> None:
    maple = world.importer("Maple")
    rows = [world.relationship(maple, world.broker(f"Firm {n}")) for n in range(3)]
    gone = world.broker("Gone")
    rows.append(world.relationship(maple, gone))
    BusinessAccount.objects.filter(pk=gone.pk).update(provider_type="none")
    browser, page = as_(world.manager(maple)), url("relationship_renew_several", maple)
    keys = [row.pk for row in rows]

    nothing = several(browser, page, [])
    preview = several(browser, page, keys)
    assert "This firm is no longer a service provider." in words(preview)
    shown_terms = {
        f"terms-{one.given.pk}": one.fingerprint
        for one, _sentence, is_possible in preview.context["rows"]
        if is_possible
    }
    world.relationship(maple, BusinessAccount.objects.get(legal_name="Firm 2"))
    confirmed = {
        "last_day": "2028-11-23",
        "consent_version": VERSION,
        "confirm": "yes",
        **shown_terms,
    }
    results = several(browser, page, keys[:3], **confirmed)
    again = several(browser, page, keys[:2], **confirmed)

    assert nothing.status_code == 302
    done_ones = {one.label: one.is_done for one in results.context["results"]}
    assert done_ones == {"Firm 0": True, "Firm 1": True, "Firm 2": False}
    assert "Done: 2 of 3" in words(results) and "Nothing was renewed" in words(results)
    assert [one.is_done for one in again.context["results"]] == [True, True]
    assert Event.objects.filter(verb=renewals.VERB).count() == 4
    rows[0].refresh_from_db()
    assert rows[0].ends_at == end_of_day(TWO_YEARS)


def test_what_fails_among_several_leaves_the_others_renewed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a transaction of its own: two people who renew in another order do not block."""
    maple = world.importer("Maple")
    rows = [world.relationship(maple, world.broker(f"Firm {n}")) for n in range(2)]
    browser, page = as_(world.manager(maple)), url("relationship_renew_several", maple)
    keys = [row.pk for row in rows]
    confirmed = {
        "last_day": "2028-11-23", "consent_version": VERSION, "confirm": "yes",
        "form_key": str(rows[0].pk), **{f"terms-{row.pk}": shown(world, row) for row in rows},
    }  # fmt: skip

    def second_fails(**about: Any) -> Any:
        if about["relationship"].pk == rows[1].pk:
            raise RuntimeError
        return renew_relationship(**about)

    monkeypatch.setattr("delegation.views.renewals.renew_relationship", second_fails)
    with pytest.raises(RuntimeError):
        several(browser, page, keys, **confirmed)
    rows[0].refresh_from_db()
    assert rows[0].ends_at == end_of_day(TWO_YEARS)


def test_a_refusal_of_another_kind_is_not_called_renewed(world: World) -> None:
    maple = world.importer("Maple")
    row = world.relationship(maple, world.broker("Firm"), last_day=TWO_YEARS)
    BusinessAccount.objects.filter(pk=row.provider_id).update(provider_type="none")
    page = url("relationship_renew_several", maple)
    confirmed = {
        "last_day": "2028-11-23", "consent_version": VERSION, "confirm": "yes",
        f"terms-{row.pk}": shown(world, row),
    }  # fmt: skip
    results = several(as_(world.manager(maple)), page, [row.pk], **confirmed)
    assert [one.is_done for one in results.context["results"]] == [False]
