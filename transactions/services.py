"""What happens to declarations: a correction adds a version to what was declared."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access, Decision
from delegation.reasons import Reason
from delegation.services import locks
from pages.formats import moment
from transactions.amounts import Totals
from transactions.corrections import (
    MOST_LINES,
    Correction,
    Difference,
    by_line,
    cells,
    differences,
)
from transactions.models import Declaration, DeclarationLine, DeclarationVersion, build_version
from transactions.permissions import can_create_correction

KEPT = ("released_on", "office", "vendor", "currency")
"""What a correction takes over from the version before it."""

type Problem = tuple[str, str]


@transaction.atomic
def create_correction(
    *,
    actor: User,
    acting_for: BusinessAccount,
    declaration: Declaration,
    change: Correction,
    expected_version: int,
    at: datetime,
) -> DeclarationVersion | Refusal:
    """Add a version with the lines as corrected, submitted by the business acted for.

    `expected_version` is the version that the form showed: another one since then is refused, and
    so is a correction that changes nothing. Amounts are taken as given; totals are added up here.
    """
    locks.lock_rights(used=[declaration.owner, acting_for])
    locked = Declaration.objects.select_for_update(no_key=True).get(pk=declaration.pk)
    at = not_before(at, business_chain(locked.owner.bn9), business_chain(acting_for.bn9))
    latest = locked.versions.select_related("submitter").get(number=locked.latest_number)
    decision = can_create_correction(Access(actor, acting_for, at), locked, latest)
    before = list(latest.lines.order_by("number"))
    after = _corrected(before, change)
    changed = differences(before, after)
    about = _about(actor, acting_for, locked, at)
    problem = (
        _why_not_allowed(decision)
        or _why_stale(latest, expected_version)
        or _why_not_sound(after, changed, change)
    )
    if problem:
        return _refuse(problem, acting_for, about)
    version = build_version(
        locked,
        number=latest.number + 1,
        submitter=acting_for,
        submitted_at=at,
        submitted_by=actor,
        acting_under=str(decision.path),
        reason_code=change.reason_code,
        remarks=change.remarks,
        **{name: getattr(latest, name) for name in KEPT},
        **Totals.of(after).columns(),
    )
    _write(version, after)
    _record(latest, version, changed, about)
    return version


def _corrected(before: list[DeclarationLine], change: Correction) -> list[DeclarationLine]:
    """The lines of the next version, not yet written: the old ones with what was corrected."""
    corrections = {line.number: line for line in change.lines}
    return [
        DeclarationLine(
            number=line.number,
            description=line.description,
            tariff_treatment=line.tariff_treatment,
            quantity=line.quantity,
            unit=line.unit,
            **cells(corrections.get(line.number, line)),
        )
        for line in before
    ]


def _why_not_allowed(decision: Decision) -> Problem | None:
    if decision.allowed:
        return None
    if decision.reason is Reason.HIDDEN:
        return "hidden", _(
            "Another party changed this declaration, and your firm cannot see that version. "
            "Nothing was saved. The importer can let your firm view and edit it."
        )
    return "not_allowed", str(decision.reason.label)


def _why_stale(latest: DeclarationVersion, expected_version: int) -> Problem | None:
    if latest.number == expected_version:
        return None
    return "changed", _(
        "%(business)s submitted version %(number)s on %(when)s, after you opened this page. "
        "Nothing was saved."
    ) % {
        "business": latest.submitter.name,
        "number": latest.number,
        "when": moment(latest.submitted_at),
    }


def _why_not_sound(
    after: list[DeclarationLine], changed: list[Difference], change: Correction
) -> Problem | None:
    if {line.number for line in change.lines} != {line.number for line in after}:
        return "lines", _("Give every line of the declaration, changed or not.")
    if len(after) > MOST_LINES:
        return "too_long", _("This declaration has too many lines to correct it on a page.")
    if not changed:
        return "unchanged", _("Change at least one line: nothing differs from the latest version.")
    if not Totals.of(after).are_on_scale:
        return "too_large", _("The amounts add up to more than a declaration can hold.")
    return None


def _refuse(problem: Problem, acting_for: BusinessAccount, about: dict[str, Any]) -> Refusal:
    """Refuse in the history of the own business alone: nothing happened to the other party."""
    code, message = problem
    own = about | {"chains": {business_chain(acting_for.bn9)}}
    return refuse(code=code, message=message, **own)


def _write(version: DeclarationVersion, lines: list[DeclarationLine]) -> None:
    version.save()
    for line in lines:
        line.version = version
    DeclarationLine.objects.bulk_create(lines)
    Declaration.objects.filter(pk=version.declaration_id).update(latest_number=version.number)


def _record(
    before: DeclarationVersion,
    after: DeclarationVersion,
    changed: list[Difference],
    about: dict[str, Any],
) -> None:
    record(
        before={
            "version": before.number,
            "total": before.total,
            "lines": by_line(changed, "was"),
        },
        after={
            "version": after.number,
            "total": after.total,
            "lines": by_line(changed, "becomes"),
            "reason_code": after.reason_code,
        },
        reason=after.remarks,
        path=after.acting_under,
        **about,
    )


def _about(
    actor: User, acting_for: BusinessAccount, declaration: Declaration, at: datetime
) -> dict[str, Any]:
    """The part of a history event that a correction and its refusal share."""
    return {
        "verb": "declaration.correct",
        "at": at,
        "actor": actor,
        "acting_for": acting_for.bn9,
        "chains": {business_chain(declaration.owner.bn9), business_chain(acting_for.bn9)},
        "object_type": "declaration",
        "object_id": declaration.number,
        "object_label": declaration.number,
    }
