"""Defects of time: what a stored status, a job or a cache keeps alive, or kills too early."""

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from delegation import standing
from delegation.access import Access
from delegation.ends import End
from delegation.models import AccessRequest, Membership, RelationshipRequest, Status
from delegation.models.requests import RequestQuerySet
from delegation.services import reminders
from delegation.services.rights import suspend_membership
from notices import services as notices
from notices.models import Notice
from tests.access.defects.broken import EVERYTHING, address, clock_at, finds, instead, once_only
from tests.delegation.reading import as_, words
from tests.transactions.factories import declare
from tests.transactions.pages import rows, url
from tests.world import World, done

pytestmark = pytest.mark.usefixtures("clock")

SECOND = timedelta(seconds=1)


def status_in_a_column(self: Any, at: datetime) -> Status:
    return Status(self.decision or Status.PENDING)


def never_ended(self: Any, at: datetime) -> bool:
    return self.relationship.ended_by_id is None


def whatever_the_time(at: datetime, prefix: str = "") -> Q:
    return Q()


@finds(instead("delegation.models.requests.Request.status_at", status_in_a_column))
@finds(instead("delegation.models.relationships.RelationshipTerms.in_force_at", never_ended))
@finds(instead("delegation.access.during", whatever_the_time))
def test_d01_a_date_waits_for_a_job(world: World) -> None:
    """What is over stays usable until a job marks it; here it is over at its second, by itself."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    asked = world.access_request("Eve", maple)
    relationship = world.relationship(maple, itn, rules=EVERYTHING)
    ours = declare(world.program(maple), world.at, submitter=itn)
    theirs = declare(world.program(maple), world.at)
    ben = world.assign("Ben", itn, maple).person

    def decides() -> int:
        form = {"version": "1", "scope": "programs", "RM0001": "reader"}
        page = address("access_request_approve", maple, pk=asked.pk)
        return as_(world.manager(maple)).post(page, form).status_code

    def reads_and_corrects() -> tuple[bool, int]:
        listed = rows(as_(ben).get(url("declaration_list", itn)))
        opened = as_(ben).get(url("correction_create", itn, ours)).status_code
        return f"{theirs.number}00001" in listed, opened

    with clock_at(asked.closes_at - SECOND):
        assert decides() == 200  # in words, to be confirmed
    with clock_at(asked.closes_at):
        assert decides() == 409
    with clock_at(relationship.ends_at - SECOND):
        assert reads_and_corrects() == (True, 200)
    with clock_at(relationship.ends_at):
        assert reads_and_corrects() == (False, 403)


@finds(once_only("delegation_accessrequest", "person_id, bn9", "decision = ''"))
@finds(once_only("delegation_relationshiprequest", "provider_id, client_bn9", "decision = ''"))
def test_d02_a_lapsed_request_blocks_a_new_one(world: World) -> None:
    """What lapsed still counts as waiting; here the same can be asked the second it lapses."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    asked, offered = world.access_request("Eve", maple), world.relationship_request(itn, maple)
    wish = {
        "client_bn9": maple.bn9, "level": "business", "ceiling": "editor",
        "visibility_broker": "view", "visibility_importer": "none", "visibility_other": "none",
    }  # fmt: skip

    def eve_asks() -> int:
        form = {"bn9": maple.bn9, "note": "I work on the declarations."}
        return as_(world.person("Eve")).post("/en-ca/requests/new/", form).status_code

    def itn_asks() -> int:
        page = address("relationship_request_create", itn)
        return as_(world.manager(itn)).post(page, wish).status_code

    for first, ask in ((asked, eve_asks), (offered, itn_asks)):
        with clock_at(first.closes_at - SECOND):
            assert ask() == 409
        with clock_at(first.closes_at):
            assert ask() == 302


@finds(instead("delegation.models.requests.Request.status_at", status_in_a_column))
@finds(
    instead(
        "delegation.models.requests.RequestQuerySet.pending_at",
        lambda self, at: self.filter(decision=""),
    )
)
def test_d03_lists_show_what_lapsed_as_waiting(world: World) -> None:
    """A list counts and shows what lapsed as waiting; here it says what the page itself says."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    asked, offered = world.access_request("Nadia", maple), world.relationship_request(itn, maple)

    def seen(page: str, name: str) -> tuple[bool, int]:
        manager = as_(world.manager(maple))
        doors = manager.get(address("business_home", maple)).context["doors"]
        return name in words(manager.get(address(page, maple))), sum(one.waiting for one in doors)

    for waiting, page, name, left in (
        (asked, "employee_list", "Nadia", 1),
        (offered, "relationship_list", "ITN", 0),
    ):
        with clock_at(waiting.closes_at - SECOND):
            assert seen(page, name) == (True, left + 1)
        with clock_at(waiting.closes_at):
            assert seen(page, name) == (False, left)
    with clock_at(asked.closes_at):
        assert "Lapsed" in words(as_(world.person("Nadia")).get("/en-ca/setup/"))
    with clock_at(offered.closes_at):
        sent = words(as_(world.manager(itn)).get(address("relationship_request_list", itn)))
    assert "Lapsed" in sent and "Waiting" not in sent


@finds(
    instead(
        "delegation.models.requests.Request.status_at",
        lambda self, at: (
            Status.LAPSED
            if at >= self.starts_at + timedelta(days=60)
            else status_in_a_column(self, at)
        ),
    )
)
@finds(
    instead(
        "delegation.models.requests.RequestQuerySet.lapsed_at",
        lambda self, at: self.filter(closes_at__lte=at),
    )
)
def test_d04_what_was_accepted_is_shown_as_lapsed(world: World) -> None:
    """Time passes over what was decided, and it reads as lapsed; here a decision stays one."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.employee("Eve", maple, RM0001="editor")
    world.relationship(maple, itn)
    asked, offered = AccessRequest.objects.get(), RelationshipRequest.objects.get()
    pages = (
        (world.person("Eve"), f"/en-ca/requests/{asked.pk}/"),
        (world.manager(itn), address("relationship_request_status", itn, pk=offered.pk)),
    )

    later = world.at + relativedelta(years=3)
    with clock_at(later):
        for person, page in pages:
            told = words(as_(person).get(page))
            assert "Approved" in told and "apsed" not in told
    for every in (AccessRequest.objects, RelationshipRequest.objects):
        assert isinstance(every.all(), RequestQuerySet)
        assert not every.lapsed_at(later).exists()


def join_until_the_request_would_lapse(**facts: Any) -> Membership:
    return Membership.objects.create(
        person=facts["person"], business=facts["business"], starts_at=facts["at"],
        ends_at=facts["at"] + timedelta(days=60),
    )  # fmt: skip


@finds(instead("delegation.services.roles.join", join_until_the_request_would_lapse))
@finds(
    instead(
        "delegation.services.agreements.Agreement.ends_at",
        property(lambda self: timezone.now() + relativedelta(months=12)),
    )
)
def test_d05_the_end_of_the_asking_ends_the_access(world: World) -> None:
    """The date by which to answer is taken for the end of access; here they are two, by name."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    lapse = world.access_request("Lou", maple).closes_at
    eve = world.employee("Eve", maple, RM0001="editor")
    offered_until = world.relationship_request(world.broker("Other"), maple).closes_at
    relationship = world.relationship(maple, itn, last_day=date(2028, 11, 23))
    page = address("relationship_detail", maple, pk=relationship.pk)

    with clock_at(lapse + SECOND):
        assert as_(eve).get(url("declaration_list", maple)).status_code == 200
    with clock_at(offered_until + SECOND):
        told = words(as_(world.manager(maple)).get(page))
    assert "Active Until the end of November 23, 2028" in told
    assert Status.LAPSED.label != "Expired"


@cache
def remembered(person: int, business: int) -> Any:
    return standing.own_roles([person], [business], timezone.now())


def roles_from_a_cache(people: list[int], businesses: list[int], at: datetime) -> Any:
    return remembered(people[0], businesses[0])


def break_by_remembering_roles(patch: pytest.MonkeyPatch) -> None:
    remembered.cache_clear()
    patch.setattr("delegation.access.own_roles", roles_from_a_cache)


def break_by_remembering_lists(patch: pytest.MonkeyPatch) -> None:
    """Each list is worked out at the instant at which it was worked out first."""
    first: dict[Any, datetime] = {}
    born = Access.__init__

    def init(self: Access, person: Any, acting_for: Any, at: datetime, **known: Any) -> None:
        born(self, person, acting_for, first.setdefault((person.pk, acting_for.pk), at), **known)

    patch.setattr(Access, "__init__", init)


@finds(break_by_remembering_roles)
@finds(break_by_remembering_lists)
def test_d15_a_cache_keeps_an_ended_right(world: World) -> None:
    """An answer is remembered past its end; here each page asks anew, in the same session too."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    end = world.relationship(maple, itn, rules=EVERYTHING).ends_at
    theirs = declare(world.program(maple), world.at)
    eve, ben = world.employee("Eve", maple, RM0001="editor"), world.assign("Ben", itn, maple).person

    def listed() -> list[object]:
        pages = [browser.get(url("declaration_list", firm)) for browser, firm in browsers]
        return [rows(page) if page.status_code == 200 else page.status_code for page in pages]

    with clock_at(end - SECOND):
        browsers = [(as_(eve), maple), (as_(ben), itn)]
        assert listed() == [[f"{theirs.number}00001"]] * 2
    with clock_at(end):
        boss = {"actor": world.manager(maple), "acting_for": maple, "at": end}
        membership = Membership.objects.get(person=eve, business=maple)
        done(suspend_membership(membership=membership, reason="Leave", **boss))
        assert listed() == [403, []]


def only_of_today(progress: Any = iter) -> notices.Sent:
    """Send what was written today: who was not written to on the day never is."""
    keys = Notice.objects.filter(sent_at=None, created_at__date=timezone.localdate())
    return notices.Sent(len(keys), sum(notices.send(one.key) for one in keys))


def only_on_the_day(end: End, today: date) -> int | None:
    left = (end.last_day - today).days
    return left if left in reminders.BOUNDARIES else None


@finds(instead("notices.management.commands.send_due_notices.send_due", only_of_today))
@finds(instead("delegation.services.reminders.boundary_of", only_on_the_day))
@finds(
    instead(
        "delegation.services.reminders.reminder_key",
        lambda end, days: (end.subject, end.last_day, 0),
    )
)
def test_d16_a_day_without_the_job_loses_a_notice(world: World) -> None:
    """A job that misses a day never sends that day's mail; here what is unsent stays due."""
    maple = world.importer("Maple")
    with transaction.atomic():
        world.access_request("Eve", maple)
    Notice.objects.update(created_at=world.at, sent_at=None)
    mail.outbox.clear()

    with clock_at(world.at + timedelta(days=4)):
        call_command("send_due_notices")
        call_command("send_due_notices")
    assert [one.to for one in mail.outbox] == [[world.manager(maple).email]]

    end = world.at + timedelta(days=200)
    world.relationship(maple, world.broker("ITN"), last_day=end.date())
    for days_before in (95, 88, 87, 27, 6, 0):  # never on the 90th, 30th, 7th or last day but one
        with clock_at(end - timedelta(days=days_before)):
            mail.outbox.clear()
            call_command("send_reminders")
            call_command("send_reminders")
            expected = [] if days_before in (95, 87) else [["itn.manager"], ["maple.manager"]]
            said = [one for one in mail.outbox if "ends soon" in one.subject]
            assert sorted([to.split("@")[0] for to in one.to] for one in said) == expected
