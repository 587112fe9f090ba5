"""Reminders of coming ends: 90, 30, 7 and 1 days before, to both sides, one mail a day to each.

Nothing here changes access. The job may be run at any time, twice, in two processes, or not for
days: what is said is worked out from what holds when it runs, and said once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched, chain

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.ends import End, Kind, employee_ends, ending_terms, relationship_ends
from delegation.models.reminders import Reminder, ReminderDay
from delegation.recipients import managers_by_business, staff_by_pair
from notices.services import Letter, notify_all
from pages.formats import end_of_day

BOUNDARIES = (90, 30, 7, 1)
"""How many days before the last day people are reminded."""
BATCH = 500
MOST = 25
"""How many ends of one account a mail names; of the others it tells how many there are."""


@dataclass(frozen=True)
class Written:
    """How many ends were announced, in how many mails."""

    ends: int = 0
    mails: int = 0


@dataclass(frozen=True)
class Line:
    """An end in a mail, `days` before its last day."""

    end: End
    days: int


@dataclass
class Section:
    """The ends that one mail tells about one account, the next first; `count` is that of all."""

    business: BusinessAccount
    side: str
    is_optional: bool
    lines: list[Line] = field(default_factory=list)
    count: int = 0

    @property
    def more(self) -> int:
        """How many ends the mail does not name."""
        return self.count - len(self.lines)

    def add(self, line: Line) -> None:
        """Count an end, and name it unless enough are."""
        self.count += 1
        if len(self.lines) < MOST:
            self.lines.append(line)


type Mails = dict[int, dict[tuple[int, str], Section]]
"""What each person is told, by account and side."""


@transaction.atomic
def write_reminders(*, at: datetime) -> Written:
    """Write the reminders of the day into the outbox, unless they are written.

    All of them or none: the row of the day is held until the end, so that another process waits,
    and then finds that nothing is left to do.
    """
    today = timezone.localdate(at)
    if not _claim(today):
        return Written()
    mails: Mails = defaultdict(dict)
    count = 0
    for batch in batched(_coming(at, today), BATCH):
        fresh = _fresh(batch, today, at)
        _address(fresh, mails, at)
        count += len(fresh)
    return Written(count, _post(mails, today))


def boundary_of(end: End, today: date) -> int | None:
    """The nearest boundary reached by `today` of those that lay ahead when the end was set."""
    left = (end.last_day - today).days
    ahead = (end.last_day - end.since).days
    return min((days for days in BOUNDARIES if left <= days < ahead), default=None)


def reminder_key(end: End, days: int) -> tuple[str, date, int]:
    """What a reminder is about: what ends, its last day, and the boundary."""
    return end.subject, end.last_day, days


def _claim(today: date) -> bool:
    try:
        with transaction.atomic():
            ReminderDay.objects.create(day=today)
    except IntegrityError:
        return False
    return True


def _coming(at: datetime, today: date) -> Iterator[End]:
    """Every end that the widest boundary reaches."""
    until = end_of_day(today + timedelta(days=max(BOUNDARIES)))
    return chain(relationship_ends(ending_terms(at, until)), employee_ends(at, until))


def _fresh(batch: Sequence[End], today: date, at: datetime) -> list[Line]:
    """Those of which nobody has been reminded at their boundary; now they are: 2 queries."""
    due = {
        reminder_key(end, days): Line(end, (end.last_day - today).days)
        for end in batch
        if (days := boundary_of(end, today)) is not None
    }
    subjects = {subject for subject, _last_day, _days in due}
    said = Reminder.objects.filter(subject__in=subjects)
    for key in said.values_list("subject", "last_day", "days_before"):
        due.pop(key, None)
    Reminder.objects.bulk_create(
        Reminder(subject=subject, last_day=last, days_before=days, made_at=at)
        for subject, last, days in due
    )
    return list(due.values())


def _address(lines: Iterable[Line], mails: Mails, at: datetime) -> None:
    """Put each end into the mails of those who are told of it: 3 queries."""
    lines = list(lines)
    pairs = {
        (end.provider.pk, end.business.pk) for end in (one.end for one in lines) if end.provider
    }
    accounts = {line.end.business.pk for line in lines} | {provider for provider, _client in pairs}
    managers = managers_by_business(accounts, at)
    staff = staff_by_pair(pairs, at)
    for line in lines:
        end = line.end
        if end.person:
            _tell({end.person.pk}, line, end.business, "mine", mails)
            _tell(managers[end.business.pk] - {end.person.pk}, line, end.business, "own", mails)
        if end.provider:
            mine = managers[end.provider.pk]
            _tell(managers[end.business.pk], line, end.business, "own", mails)
            _tell(mine, line, end.provider, "clients", mails)
            others = staff[end.provider.pk, end.business.pk] - mine
            _tell(others, line, end.provider, "assigned", mails)


def _tell(
    people: Iterable[int], line: Line, business: BusinessAccount, side: str, mails: Mails
) -> None:
    for person in people:
        new = Section(business, side, is_optional=side == "assigned")
        mails[person].setdefault((business.pk, side), new).add(line)


def _post(mails: Mails, today: date) -> int:
    """Write the mails: whoever asked for no mail gets only what concerns its own accounts."""
    written = 0
    for keys in batched(mails, BATCH):
        people = User.objects.filter(pk__in=keys).select_related("profile")
        letters = [
            letter for person in people if (letter := _letter(person, mails[person.pk], today))
        ]
        notify_all(letters)
        written += len(letters)
    return written


def _letter(person: User, sections: dict[tuple[int, str], Section], today: date) -> Letter | None:
    wanted = [one for one in sections.values() if person.wants_optional_mail or not one.is_optional]
    if not wanted:
        return None
    return Letter(
        key=f"reminder:{person.pk}:{today}",
        template="delegation/email/reminder.txt",
        recipient=person,
        context={"sections": wanted, "relationship": Kind.RELATIONSHIP.value},
    )
