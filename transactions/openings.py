"""How many declarations a visibility rule would open: index ranges, read no further than a cap."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Min, OuterRef, Q, QuerySet, Subquery

from businesses.models import BusinessAccount, ProgramAccount
from delegation.openings import MOST, Opening
from transactions.models import DeclarationVersion

AT_ONCE = 4 * MOST
"""How many versions are read to count declarations: mostly one has one of a submitter."""


def count_declarations(
    provider: BusinessAccount | None, programs: Sequence[ProgramAccount]
) -> dict[str, Opening]:
    """The declarations of which each kind of submitter has a version, as `Access.visible` tells
    submitters apart.
    """
    owner = programs[0].business_id
    firm = provider.pk if provider else owner
    low, high = sorted((owner, firm))
    others = (
        Q(submitter_id__lt=low),
        Q(submitter_id__gt=low, submitter_id__lt=high),
        Q(submitter_id__gt=high),
    )
    return {
        "visibility_broker": _count(programs, Q(submitter_id=firm)) if provider else Opening(),
        "visibility_importer": _count(programs, Q(submitter_id=owner)),
        "visibility_other": _count(programs, *others),
    }


def _count(programs: Sequence[ProgramAccount], *ranges: Q) -> Opening:
    """The declarations in these ranges of the index on program, submitter and instant."""
    versions = DeclarationVersion.objects.filter(program__in=programs)
    rows: list[tuple[int, int, datetime]] = []
    for one in ranges:
        found = versions.filter(one).values_list("declaration_id", "submitter_id", "submitted_at")
        rows += found[:AT_ONCE]
        if len(rows) >= AT_ONCE:
            return _many(programs, versions, ranges)
    keys = {declaration for declaration, _submitter, _at in rows}
    if len(keys) > MOST:
        return _many(programs, versions, ranges)
    oldest = min((at for _declaration, _submitter, at in rows), default=None)
    return Opening(len(keys), oldest, len({submitter for _key, submitter, _at in rows}))


def _many(
    programs: Sequence[ProgramAccount],
    versions: QuerySet[DeclarationVersion],
    ranges: Sequence[Q],
) -> Opening:
    """The same where there are many: up to the cap, and the oldest where one firm submitted them.

    What others submitted is no range in the order of time: its oldest is not looked for.
    """
    any_of = reduce(or_, ranges)
    keys = versions.filter(any_of).values_list("declaration_id", flat=True).distinct()
    count = len(keys[: MOST + 1])
    if len(ranges) > 1:
        return Opening(count)
    of_program = DeclarationVersion.objects.filter(any_of, program=OuterRef("pk"))
    first = Subquery(of_program.order_by("submitted_at").values("submitted_at")[:1])
    found = ProgramAccount.objects.filter(pk__in=[one.pk for one in programs])
    oldest = found.annotate(oldest=first).aggregate(Min("oldest"))
    return Opening(count, oldest["oldest__min"])
