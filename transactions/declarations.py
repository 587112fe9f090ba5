"""Which declarations, and which versions of them, a person may see.

Visibility is per version, by the business that submitted it: `Access.visible` decides. A list
shows the newest version that the reader may see; where a newer one is hidden, the page says that
another party changed the declaration, and nothing of what it says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from businesses.models import BusinessAccount
from delegation.access import Access
from pages.formats import end_of_day, start_of_day
from transactions.models import Declaration, DeclarationVersion

JOINED = ("program", "owner", "latest__submitter")


class Submitter(models.TextChoices):
    """Who submitted a version, as the visibility rules tell submitters apart."""

    ACTING_FOR = "acting_for", _("Your firm")
    IMPORTER = "importer", _("The importer")
    OTHER = "other", _("Other business")


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; whatever is empty narrows nothing.

    `number` has 14 digits, or 19 with those of a visible version. `client_bn9` is any owner.
    `submitter` is that of the version which the list shows. Days are local, both included.
    """

    number: str = ""
    client_bn9: str = ""
    extension: str = ""
    submitter: str = ""
    first_day: date | None = None
    last_day: date | None = None


def visible_declarations(access: Access) -> QuerySet[Declaration]:
    """The declarations of which the person may see a version, each with its latest joined.

    In the own business a role on the program opens every version, so that its list is a range of
    one index. What is joined as `latest` may be hidden: `newest_visible` says what may be shown.
    """
    return (
        Declaration.objects.filter(_seen(access))
        .annotate(
            latest=FilteredRelation("versions", condition=Q(versions__number=F("latest_number")))
        )
        .select_related(*JOINED)
    )


def _seen(access: Access) -> Q:
    if not access.person.is_active:
        return Q(pk__in=[])
    if access.acting_for.provider_type == BusinessAccount.ProviderType.NONE:
        return access.own_records()
    # Whose records can be seen at all comes first: without it PostgreSQL looks at every version
    # there is (10 s among 400,000, against 0.15 s for a firm of 50 clients).
    of_whom = Q(owner_id=access.acting_for.pk) | Q(owner_id__in=access.clients().values("pk"))
    return of_whom & _with_a_visible_version(access)


def find_declarations(access: Access, wanted: Wanted) -> QuerySet[Declaration]:
    """The visible declarations that are wanted. A condition on a version asks a visible one."""
    conditions = Q()
    if wanted.client_bn9:
        conditions &= Q(owner__bn9=wanted.client_bn9)
    if wanted.extension:
        conditions &= Q(program__extension=wanted.extension)
    if wanted.first_day:
        conditions &= Q(declared_at__gte=start_of_day(wanted.first_day))
    if wanted.last_day:
        conditions &= Q(declared_at__lt=end_of_day(wanted.last_day))
    if wanted.number:
        conditions &= Q(number=wanted.number[:14])
    if wanted.number[14:]:
        conditions &= _with_a_visible_version(access, Q(number=int(wanted.number[14:])))
    if wanted.submitter:
        newer = _visible_of(access, OuterRef("declaration"), number__gt=OuterRef("number"))
        by_wanted = _submitted_by(access, Submitter(wanted.submitter))
        conditions &= _with_a_visible_version(access, by_wanted, Q(~Exists(newer)))
    return visible_declarations(access).filter(conditions)


def _submitted_by(access: Access, submitter: Submitter) -> Q:
    by_us = Q(submitter_id=access.acting_for.pk)
    by_importer = Q(submitter_id=F("owner_id"))
    return {
        Submitter.ACTING_FOR: by_us,
        Submitter.IMPORTER: by_importer,
        Submitter.OTHER: ~by_us & ~by_importer,
    }[submitter]


def _with_a_visible_version(access: Access, *conditions: Q) -> Q:
    return Q(Exists(_visible_of(access, OuterRef("pk"), *conditions)))


def _visible_of(
    access: Access, declaration: OuterRef, *conditions: Q, **columns: Any
) -> QuerySet[DeclarationVersion]:
    """The visible versions of the declaration of an outer query."""
    of_it = DeclarationVersion.objects.filter(*conditions, declaration=declaration, **columns)
    return access.visible(of_it)


def newest_visible(
    access: Access, declarations: Iterable[Declaration]
) -> dict[int, DeclarationVersion]:
    """The newest version of each that may be shown, by the key of the declaration.

    `declarations` are rows of `visible_declarations`. Those of the own business need no query:
    their latest version is joined, and it is visible. All others need one.
    """
    rows = list(declarations)
    own = [row for row in rows if row.owner_id == access.acting_for.pk]
    found = {row.pk: row.latest for row in own}  # type: ignore[attr-defined]  # joined
    others = [row.pk for row in rows if row.pk not in found]
    if others:
        shown = access.visible(DeclarationVersion.objects.filter(declaration__in=others))
        for version in shown.select_related("submitter").order_by("number"):
            found[version.declaration_id] = version
    return found


def visible_versions(access: Access, declaration: Declaration) -> list[DeclarationVersion]:
    """The versions of a declaration that may be shown, newest first."""
    shown = access.visible(declaration.versions.all()).select_related("submitter", "submitted_by")
    return list(shown.order_by("-number"))


def is_newer_hidden(declaration: Declaration, newest: DeclarationVersion) -> bool:
    """Whether another party changed the declaration after the newest version that is shown."""
    return newest.number < declaration.latest_number
