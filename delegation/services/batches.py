"""Files of relationship requests: kept and checked first, sent once a manager confirmed it.

A file is sent in parts, each one act, so that anybody can go on where a breakdown stopped it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    Ceiling,
    Level,
    RelationshipRequest,
    RequestBatch,
    RequestBatchRow,
    Visibility,
)
from delegation.services import locks
from delegation.services.agreements import Rules
from delegation.services.bulk import Asked, create_relationship_requests
from delegation.services.limits import opens_again_at
from delegation.services.relationships import (
    ALREADY_WAITING,
    OWN_BUSINESS,
    Wish,
    why_not_askable,
)
from pages.formats import day, start_of_day

State = RequestBatchRow.State

A_PART = 250
"""How many rows are sent in one act."""


SENTENCES: dict[str, Promise] = {
    "already_waiting": ALREADY_WAITING,
    "own_business": OWN_BUSINESS,
    "last_day_past": gettext_lazy("The last day cannot be before today."),
}
"""Why a row is not sent, by the code of the refusal."""

OTHERWISE = gettext_lazy("The portal could not send this row.")


@dataclass(frozen=True)
class CheckedRow:
    """A row of a file as it was read: what it asks of which number, or why it cannot be sent."""

    number: int
    cells: dict[str, str]
    asked: Asked | None
    problems: dict[str, list[str]]
    state: State


@transaction.atomic
def create_request_batch(
    *,
    actor: User,
    acting_for: BusinessAccount,
    name: str,
    is_legacy: bool,
    rows: Iterable[CheckedRow],
    at: datetime,
) -> RequestBatch | Refusal:
    """Keep a file and what was found in its rows. Nothing is sent."""
    locks.lock_rights(acting_for)
    at = not_before(at, business_chain(acting_for.bn9))
    problem = why_not_askable(Access(actor, acting_for, at), "")
    about = _about(actor, acting_for, at)
    if problem:
        return refuse(
            code=problem[0],
            message=problem[1],
            verb="request_batch.create",
            object_type="business",
            object_id=acting_for.bn9,
            **about,
        )
    if _has_sent_enough_files(acting_for, at):
        again_on = day(timezone.localdate(opens_again_at(at)))
        message = _("Your firm sent as many files today as it may. Try again on %(day)s.")
        return Refusal("too_many", message % {"day": again_on})
    batch = RequestBatch.objects.create(
        provider=acting_for, name=name, is_legacy=is_legacy, uploaded_at=at, uploaded_by=actor
    )
    kept = RequestBatchRow.objects.bulk_create([_kept(batch, row) for row in rows], batch_size=500)
    record(
        verb="request_batch.create",
        object_type="request_batch",
        object_id=str(batch.pk),
        object_label=name,
        after={"rows": len(kept), "ready": sum(row.state == State.READY for row in kept)},
        path="own:bam",
        **about,
    )
    return batch


@transaction.atomic
def send_request_batch(
    *, actor: User, acting_for: BusinessAccount, batch: RequestBatch, at: datetime
) -> RequestBatch | Refusal:
    """Send the next part of a file; the first time confirms it. Each row is judged anew.

    What the day's limit leaves stays ready, and is sent another day.
    """
    locks.lock_rights(used=[acting_for])
    locked = RequestBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    at = not_before(at, business_chain(acting_for.bn9))
    problem = why_not_askable(Access(actor, acting_for, at), "")
    if locked.provider_id != acting_for.pk:
        problem = "not_allowed", _("Only a manager of the firm that sent the file can go on.")
    if problem:
        code, message = problem
        return refuse(
            code=code,
            message=message,
            verb="request_batch.send",
            object_type="request_batch",
            object_id=str(locked.pk),
            **_about(actor, acting_for, at),
        )
    rows = list(locked.rows.filter(state=State.READY).order_by("number")[:A_PART])
    if not rows:
        return locked
    ready, is_first = locked.rows.filter(state=State.READY).count(), locked.confirmed_at is None
    answer = _send(locked, rows, actor, acting_for, at)
    if is_first:
        _confirm(locked, ready, actor, acting_for, at)
    return answer


def _has_sent_enough_files(firm: BusinessAccount, at: datetime) -> bool:
    """Whether the firm may send no more files today; asked while it is locked."""
    today = start_of_day(timezone.localdate(at))
    sent = RequestBatch.objects.filter(provider=firm, uploaded_at__gte=today).count()
    return sent >= settings.REQUEST_FILES_A_DAY


def _confirm(
    batch: RequestBatch, ready: int, actor: User, acting_for: BusinessAccount, at: datetime
) -> None:
    """Keep who confirmed the file; after what is sent, whose count and histories come in order."""
    batch.confirmed_at, batch.confirmed_by = at, actor
    batch.save(update_fields=["confirmed_at", "confirmed_by"])
    record(
        verb="request_batch.send",
        object_type="request_batch",
        object_id=str(batch.pk),
        object_label=batch.name,
        after={"ready": ready},
        path="own:bam",
        **_about(actor, acting_for, at),
    )


def _send(
    batch: RequestBatch,
    rows: list[RequestBatchRow],
    actor: User,
    acting_for: BusinessAccount,
    at: datetime,
) -> RequestBatch | Refusal:
    """Ask what the rows ask, and write on each what became of it."""
    today = timezone.localdate(at)
    asked = [(row, _asked(row)) for row in rows]
    late = [row for row, one in asked if one.wish.last_day and one.wish.last_day < today]
    going = [(row, one) for row, one in asked if row not in late]
    for row in late:
        _refuse(row, "last_day_past")
    answers = create_relationship_requests(
        actor=actor, acting_for=acting_for, asked=[one for _row, one in going], at=at
    )
    limit = None
    for (row, _one), answer in zip(going, answers, strict=True):
        if isinstance(answer, RelationshipRequest):
            row.state, row.request = State.SENT, answer
        elif answer.code == "too_many":
            limit = answer
        else:
            _refuse(row, answer.code)
    # The rows exist: this writes them in one plain statement, which a bulk update is not.
    RequestBatchRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["state", "request", "problems"],
    )
    if limit and all(row.state == State.READY for row in rows):
        return limit
    return batch


def _refuse(row: RequestBatchRow, code: str) -> None:
    row.state = State.WAITING if code == "already_waiting" else State.REFUSED
    row.problems = in_each_language(SENTENCES.get(code, OTHERWISE))


def in_each_language(words: str | Promise, **values: object) -> dict[str, list[str]]:
    """A sentence by the language of the page: what is kept with a row is read by anybody."""
    said = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            said[language] = [str(words) % values if values else str(words)]
    return said


def _kept(batch: RequestBatch, row: CheckedRow) -> RequestBatchRow:
    return RequestBatchRow(
        batch=batch,
        number=row.number,
        client_bn9=row.asked.client_bn9 if row.asked else "",
        cells=row.cells,
        wish=_plain(row.asked.wish) if row.asked else None,
        problems=row.problems,
        state=row.state,
    )


def _plain(wish: Wish) -> dict[str, Any]:
    """A wish as it is kept with its row."""
    kept = asdict(wish)
    kept["last_day"] = wish.last_day.isoformat() if wish.last_day else None
    return kept


def _asked(row: RequestBatchRow) -> Asked:
    """What a row asks, as it was read when the file was checked."""
    kept: dict[str, Any] = row.wish or {}
    last = kept["last_day"]
    return Asked(
        row.client_bn9,
        Wish(
            level=Level(kept["level"]),
            extensions=tuple(kept["extensions"]),
            covers_future=kept["covers_future"],
            ceiling=Ceiling(kept["ceiling"]),
            rules=Rules(**{name: Visibility(rule) for name, rule in kept["rules"].items()}),
            last_day=date.fromisoformat(last) if last else None,
            comment=kept["comment"],
        ),
    )


def _about(actor: User, acting_for: BusinessAccount, at: datetime) -> dict[str, Any]:
    """The part of a history event that every act on a file shares: it is the firm's own."""
    return {
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": [business_chain(acting_for.bn9)],
    }
