"""Reminders of coming ends: once at each boundary, whenever the job runs, to those concerned."""

import tracemalloc
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import (
    BusinessRole,
    Membership,
    ProgramRole,
    Relationship,
    Reminder,
    StaffAssignment,
)
from delegation.services import reminders as module
from delegation.services.endings import end_relationship
from delegation.services.reminders import Written, write_reminders
from delegation.terms import fingerprint
from notices.models import Notice
from pages.formats import EASTERN, end_of_day
from tests.conftest import by_night
from tests.delegation.test_faults import everything
from tests.world import World, done

pytestmark = pytest.mark.django_db

BOUNDARIES = (90, 30, 7, 1)
LAST_DAY = date(2027, 3, 31)


def morning(day: date) -> datetime:
    """When the job runs on a day."""
    return datetime(day.year, day.month, day.day, 6, tzinfo=EASTERN)


def run(day: date) -> Written:
    return write_reminders(at=morning(day))


def expected(last_day: date, runs: Iterable[date]) -> list[tuple[date, int]]:
    """On which days which boundary is announced: the nearest that is reached, once."""
    said: list[tuple[date, int]] = []
    for day in sorted(runs):
        left = (last_day - day).days
        reached = [days for days in BOUNDARIES if left <= days]
        if left >= 0 and reached and min(reached) not in [days for _day, days in said]:
            said.append((day, min(reached)))
    return said


def announced() -> list[tuple[date, int]]:
    rows = Reminder.objects.order_by("made_at").values_list("made_at", "days_before")
    return [(timezone.localdate(made_at), days) for made_at, days in rows]


def related(world: World, last_day: date = LAST_DAY, **more: Any) -> Relationship:
    """Maple gave ITN authority 200 days before it ends."""
    before = World(morning(last_day - timedelta(days=200)), world.people)
    maple, itn = before.importer("Maple"), before.broker("ITN")
    return before.relationship(maple, itn, last_day=last_day, **more)


EVERY_DAY = range(100, -3, -1)
SKIPPED = (92, 91, 87, 31, 28, 8, 4, 3, 2, 0, -1)


@pytest.mark.parametrize(
    ("last_day", "days_before"),
    [
        (LAST_DAY, SKIPPED),
        by_night(LAST_DAY, EVERY_DAY),
        (LAST_DAY, (40, 6, 5)),  # what was skipped at 90 is said at 40, and 30 never
        (LAST_DAY, (0,)),
        (LAST_DAY, (-1,)),
        (date(2027, 3, 14), (8, 7, 6, 1, 0)),  # the clock goes forward on the last day
        (date(2026, 11, 1), (31, 30, 29, 7, 1)),  # and back
        (date(2028, 2, 29), (91, 90, 30, 7, 1, 0)),
        (date(2028, 3, 30), (31, 30, 1)),  # 30 days before is 29 February
        *(by_night(date(2027, 1, 1) + timedelta(days=17 * one), EVERY_DAY) for one in range(40)),
    ],
)
def test_each_boundary_is_announced_once_whichever_days_are_skipped(
    world: World, last_day: date, days_before: Iterable[int]
) -> None:
    related(world, last_day)
    days = [last_day - timedelta(days=one) for one in days_before]
    for day in days:
        run(day)
        run(day)
    assert announced() == expected(last_day, days)
    told = Notice.objects.filter(key__startswith="reminder:")
    assert told.filter(recipient=world.person("ITN manager")).count() == len(announced())


def test_a_reminder_that_forgets_its_boundary_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: keyed by what ends alone, the nearer boundaries are never announced."""
    monkeypatch.setattr(module, "reminder_key", lambda end, days: (end.subject, end.last_day, 0))
    related(world)
    days = [LAST_DAY - timedelta(days=one) for one in (90, 30, 7, 1)]
    for day in days:
        run(day)
    assert len(announced()) == 1 != len(expected(LAST_DAY, days))


def test_both_sides_are_told_in_their_language(
    world: World, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    world.person("ITN manager", language="fr-ca")
    relationship = related(world)
    itn = relationship.provider
    world.assign("Ben", itn, relationship.client)
    world.member("Hana", itn)
    quiet = world.assign("Quin", itn, relationship.client).person
    quiet.profile.notify_by_email = False
    quiet.profile.save()
    mailoutbox.clear()

    clock.move_to(morning(date(2027, 3, 24)))
    output = StringIO()
    call_command("send_reminders", stdout=output)
    assert output.getvalue() == "1 coming ends announced in 3 mails.\n"
    mails = {mail.to[0]: mail for mail in mailoutbox}
    assert set(mails) == {
        "maple.manager@example.test", "itn.manager@example.test", "ben@example.test"
    }  # fmt: skip
    client = mails["maple.manager@example.test"]
    assert client.subject == "Access that ends soon"
    assert "March 31, 2027, in 7 days" in client.body
    assert f"The authority of ITN, {itn.bn_shown}. Program accounts: RM 0001 Maple 1" in client.body
    assert f"/en-ca/businesses/{relationship.client.bn9}/relationships/" in client.body
    firm = mails["itn.manager@example.test"]
    assert firm.extra_headers["Content-Language"] == "fr-ca"
    assert "31\u00a0mars\u00a02027, dans 7 jours" in firm.body
    assert "from your client Maple" in mails["ben@example.test"].body


def test_nothing_is_said_of_what_was_renewed_narrowed_or_ended(world: World) -> None:
    relationship = related(world)
    maple, itn = relationship.client, relationship.provider
    run(LAST_DAY - timedelta(days=90))
    assert announced() == [(date(2026, 12, 31), 90)]

    renewed = World(morning(date(2027, 1, 15)), world.people)
    renewed.relationship(maple, itn, last_day=date(2028, 3, 31))
    assert run(date(2027, 3, 1)) == run(date(2027, 3, 30)) == Written()
    assert run(date(2028, 1, 1)).ends == 1

    relationship.refresh_from_db()
    live = relationship.terms.filter(ends_at=end_of_day(date(2028, 3, 31)))
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": morning(date(2028, 1, 2))}
    form = {"expected_terms": fingerprint(live), "reason": "Moved"}
    done(end_relationship(relationship=relationship, **form, **boss))
    assert run(date(2028, 3, 30)) == Written()


def test_what_was_agreed_for_less_is_not_announced_at_once(world: World) -> None:
    """Agreed for 30 days, it is announced 7 days before: nobody is reminded of today's choice."""
    world.relationship(world.importer("Maple"), world.broker("ITN"))
    days = [timezone.localdate(world.at) + timedelta(days=one) for one in range(31)]
    for day in days[20:]:
        run(day)
    assert [left for _day, left in announced()] == [7, 1]


def test_an_employee_and_the_managers_are_told(world: World) -> None:
    before = world.earlier(days=200)
    maple = before.importer("Maple")
    eve, ana = before.employee("Eve", maple, RM0001="editor"), before.employee("Ana", maple)
    gone = before.employee("Zoe", maple, RM0002="reader")
    ends_at = end_of_day(date(2026, 11, 30))
    ProgramRole.objects.filter(user__in=[eve, gone]).update(ends_at=ends_at)
    Membership.objects.filter(person=gone).update(ends_at=ends_at)
    BusinessRole.objects.filter(user=ana).update(ends_at=ends_at)
    out = before.employee("Out", maple, RM0001="reader")
    ProgramRole.objects.filter(user=out).update(ends_at=ends_at)
    User.objects.filter(pk=out.pk).update(is_active=False)

    assert run(date(2026, 11, 23)) == Written(ends=3, mails=4)
    said = {one.recipient: one.body for one in Notice.objects.filter(key__startswith="reminder:")}
    assert "Your role of Editor on RM 0001 Maple 1" in said[eve]
    assert "Your role of Business Account Manager for the whole business" in said[ana]
    assert "Your access to this business." in said[gone]
    manager = said[world.manager(maple)]
    assert "The role of Eve: Editor on RM 0001 Maple 1" in manager
    assert "The access of Zoe to this business." in manager
    assert "The role of Ana: Business Account Manager for the whole business" in manager
    assert "Ana" not in said[ana] and "Zoe" in said[ana]


def test_the_job_changes_no_access(world: World) -> None:
    related(world)
    before = everything()
    assert run(LAST_DAY).mails == 2
    after = everything()
    assert {table for table in before if before[table] != after[table]} == {
        "delegation_reminder", "delegation_reminderday", "notices_notice"
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_processes_at_once_remind_once(world: World) -> None:
    with transaction.atomic():
        related(world)

    def work(_: int) -> int:
        try:
            return run(LAST_DAY).mails
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [0, 0, 0, 2]
    assert Reminder.objects.count() == 1
    assert Notice.objects.filter(key__startswith="reminder:").count() == 2


# ---------------------------------------------------------------- at size


def many(world: World, count: int) -> BusinessAccount:
    """A broker whose `count` clients gave it authority that ends on one day, each with a BAM."""
    before = world.earlier(days=200)
    maple, itn = before.importer("Maple"), before.broker("ITN")
    pattern = before.relationship(maple, itn, last_day=LAST_DAY)
    terms = pattern.terms.get()
    people = User.objects.bulk_create(
        User(username=f"m{one}", email=f"m{one}@example.test") for one in range(count)
    )
    clients = BusinessAccount.objects.bulk_create(
        BusinessAccount(bn9=f"{700_000_000 + one}", legal_name=f"Client {one}", status="active")
        for one in range(count)
    )
    start = {"starts_at": before.at}
    Membership.objects.bulk_create(
        Membership(person=one, business=client, **start)
        for one, client in zip(people, clients, strict=True)
    )
    bam = BusinessRole.objects.filter(content_object=maple).get()
    BusinessRole.objects.bulk_create(
        BusinessRole(user=one, content_object=client, permission=bam.permission, **start)
        for one, client in zip(people, clients, strict=True)
    )
    made = Relationship.objects.bulk_create(
        Relationship(
            client=client, provider=itn, ends_at=pattern.ends_at, request=pattern.request, **start
        )
        for client in clients
    )
    rows = []
    for one in made:
        terms.pk, terms.relationship, terms.program = None, one, None
        rows.append(
            type(terms)(**{f.attname: getattr(terms, f.attname) for f in terms._meta.fields})
        )
    type(terms).objects.bulk_create(rows)
    ben = before.member("Ben", itn)
    common = {"provider": itn, "role": "editor", "assigned_by": world.manager(itn), **start}
    StaffAssignment.objects.bulk_create(
        StaffAssignment(person=ben, client=client, **common) for client in clients[:100]
    )
    return itn


def captured(day: date) -> tuple[int, Written]:
    with CaptureQueriesContext(connection) as queries:
        written = run(day)
    return len(queries), written


def test_a_firm_with_many_clients_gets_one_mail(world: World) -> None:
    many(world, 40)
    asked, written = captured(LAST_DAY - timedelta(days=7))
    assert written == Written(ends=41, mails=43)
    for name in ("ITN manager", "Ben"):
        body = Notice.objects.get(
            recipient=world.person(name), template__endswith="reminder.txt"
        ).body
        assert body.count("in 7 days") == 25
    assert (
        "And 16 more."
        in Notice.objects.get(
            recipient=world.person("ITN manager"), template__endswith="reminder.txt"
        ).body
    )
    print(f"{asked} queries")
    assert asked <= 20


@pytest.mark.nightly
@pytest.mark.postgres
def test_twenty_thousand_ends_in_one_day(world: World) -> None:
    """Bounded: a further 500 ends cost a fixed number of queries, and little memory each."""
    size = 20_000
    many(world, size)
    tracemalloc.start()
    asked, written = captured(LAST_DAY - timedelta(days=7))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written.ends == size + 1
    print(f"{written}: {asked} queries, {peak / 2**20:.0f} MiB at most")
    assert asked <= 20 + 12 * size / module.BATCH
    assert peak < 200 * 2**20
