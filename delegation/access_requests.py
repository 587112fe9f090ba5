"""Access requests in a list, and what it gives to approve one as it was wished."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.employees import managed_programs, readable_requests, requests_to_decide
from delegation.models import AccessRequest, AccessRequestLine, Decision, Membership, ProgramRole
from delegation.models.periods import during, not_suspended
from delegation.permissions import (
    can_approve_access_request,
    can_end_role,
    can_grant_role,
    why_undecidable,
)
from delegation.requests import Stage, not_givable
from delegation.roles import SENTENCES, Action, Role
from delegation.services.decisions import why_not_decidable
from delegation.services.employees import Grants, why_barred
from delegation.services.roles import replaced_among
from delegation.terms import extension_label, program_label


class Given(NamedTuple):
    """A role about to be granted, in words, and the direct ones that it takes the place of.

    `replaced` is another one held today, `later` are those that would begin after it.
    """

    program: str
    role: str
    sentence: str
    replaced: str
    later: tuple[str, ...]


@dataclass(frozen=True)
class AsWished:
    """What approving a request as it was wished gives; `why_not` where that cannot be."""

    access_request: AccessRequest
    given: tuple[Given, ...]
    grants: Grants
    why_not: str
    rest_waits: bool

    @property
    def name(self) -> str:
        return self.access_request.person.get_full_name()

    def shown(self) -> dict[str, Any]:
        """What a preview shows of it, and what it seals."""
        waiting = self.access_request
        return {
            "pk": str(waiting.pk),
            "version": waiting.version,
            "name": self.name,
            "email": waiting.person.email,
            "note": waiting.note,
            "given": [one._asdict() for one in self.given],
            "why_not": self.why_not,
            "rest_waits": self.rest_waits,
        }


def requests_in(
    access: Access, stage: Stage, *, named: str = "", extension: str = "", role: str = ""
) -> QuerySet[AccessRequest]:
    """The requests of a stage that the reader may know of, with what was looked for in them."""
    programs = None if access.is_bam else [one.extension for one in managed_programs(access)]
    lines = AccessRequestLine.objects.filter(request=OuterRef("pk"))
    mine = lines if programs is None else lines.filter(extension__in=programs)
    if stage is Stage.WAITING:
        found = requests_to_decide(access).select_related("person")
    elif stage is Stage.LAPSED:
        lapsed = Q(decision="", closes_at__lte=access.at) & Exists(mine.filter(decision=""))
        found = readable_requests(access).filter(lapsed)
    else:
        found = readable_requests(access).exclude(Exists(mine.filter(decision="")))
    if extension:
        mine = mine.filter(extension=extension)
    if role:
        mine = mine.filter(wished_role=role)
    if extension or role:
        found = found.filter(Exists(mine))
    for word in named.split():
        found = found.filter(
            Q(person__first_name__icontains=word)
            | Q(person__last_name__icontains=word)
            | Q(person__email__icontains=word)
        )
    return found


def as_wished(access: Access, waiting: Sequence[AccessRequest]) -> list[AsWished]:
    """What approving each request as it was wished would give: the same few queries for many."""
    people = [one.person_id for one in waiting]
    suspended = set(
        Membership.objects.filter(during(access.at), business=access.acting_for, person__in=people)
        .exclude(not_suspended(access.at))
        .values_list("person", flat=True)
    )
    programs = {one.extension: one for one in access.overseen(Action.MANAGE_EMPLOYEES)}
    held = replaced_among(people, programs.values(), access.at)
    return [
        _as_wished(access, one, programs, held, is_suspended=one.person_id in suspended)
        for one in waiting
    ]


def given_in_words(
    program: ProgramAccount, role: Role, beyond: Iterable[ProgramRole], at: datetime
) -> Given:
    """What granting a role on a program account gives, and what of `beyond` it ends."""
    today, later = "", []
    for row in beyond:
        before = Role(row.role)
        if row.starts_at > at:
            later.append(str(before.label))
        elif before is not role:
            today = str(before.label)
    return Given(program_label(program), str(role.label), str(SENTENCES[role]), today, tuple(later))


def _as_wished(
    access: Access,
    waiting: AccessRequest,
    programs: Mapping[str, ProgramAccount],
    held: Mapping[tuple[int, int], Sequence[ProgramRole]],
    *,
    is_suspended: bool,
) -> AsWished:
    lines = can_approve_access_request(access, waiting)
    closed = why_not_decidable(waiting, Decision.APPROVED, None, access.at)
    if closed or not lines:
        words = closed[1] if closed else why_undecidable(access, waiting, Action.MANAGE_EMPLOYEES)
        return AsWished(waiting, (), Grants(), words, rest_waits=False)
    undecided = [line for line in waiting.lines.all() if not line.decision]
    wished = {
        programs[line.extension]: Role(line.wished_role)
        for line in lines
        if line.extension in programs and line.wished_role
    }
    barred = why_barred(waiting.person, is_suspended=is_suspended)
    why_not = (barred[1] if barred else "") or _why_not(access, waiting, lines, wished, held)
    given = [
        given_in_words(program, role, held.get((waiting.person_id, program.pk), ()), access.at)
        for program, role in sorted(wished.items(), key=lambda item: item[0].extension)
    ]
    grants = Grants(programs={program.pk: role for program, role in wished.items()})
    return AsWished(waiting, tuple(given), grants, why_not, rest_waits=len(lines) < len(undecided))


def _why_not(
    access: Access,
    waiting: AccessRequest,
    lines: Collection[AccessRequestLine],
    wished: Mapping[ProgramAccount, Role],
    held: Mapping[tuple[int, int], Sequence[ProgramRole]],
) -> str:
    """Why not all that is wished can be given as it stands, in words; "" where it can."""
    if any(not line.wished_role for line in lines):
        return _("The request names no role. Open it and choose one.")
    missing = not_givable(waiting, access, Action.MANAGE_EMPLOYEES)
    if missing:
        return " ".join(missing)
    for program, role in wished.items():
        may_replace = all(
            can_end_role(access, waiting.person, program, Role(row.role))
            for row in held.get((waiting.person_id, program.pk), ())
        )
        if not may_replace or not can_grant_role(access, program, role):
            return _("You cannot grant more than your own role allows: %(program)s.") % {
                "program": extension_label(program.extension)
            }
    return ""
