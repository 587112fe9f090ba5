"""Which declarations, and which versions of them, a person may see.

Visibility is per version, by the business that submitted it: `Access.visible` decides. A list
shows the newest version that the reader may see; where a newer one is hidden, the page says that
another party changed the declaration, and nothing of what it says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, repeat

from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from delegation.access import Access
from delegation.reach import known_to
from pages.formats import end_of_day, start_of_day
from pages.paging import Page, page_by_key, place_of, token_of
from transactions.models import Declaration, DeclarationVersion
from transactions.streams import Seen, newest_seen

LATEST = ("latest__submitter",)
PAGE = 25
STEPS = (PAGE + 1, 100, 400)
"""How many declarations one page of a provider's list looks at, step by step, until it is full.

Today all but a few can be shown. Two readers pass over more: who filters by submitter looks for
the newest visible version, and who reads as of a past instant meets what was not there yet.
"""


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


@dataclass(frozen=True)
class Listing:
    """A page of declarations, and by the key of each the version that the list shows."""

    page: Page[Declaration]
    newest: dict[int, DeclarationVersion]


def visible_declarations(access: Access) -> QuerySet[Declaration]:
    """The declarations of which the person may see a version, in no order.

    In the own business a role on the program opens every version: there it is a range of one
    index, and each row comes with its latest version joined as `latest`.
    """
    if not access.person.is_active:
        return Declaration.objects.none()
    if access.serves_clients:
        of_it = DeclarationVersion.objects.filter(declaration=OuterRef("pk"))
        seen = Exists(_visible(access, of_it))
        return Declaration.objects.filter(_of_whom(access), seen).select_related("program", "owner")
    latest = FilteredRelation("versions", condition=Q(versions__number=F("latest_number")))
    own = Declaration.objects.filter(access.own_records()).annotate(latest=latest)
    return own.select_related("program", "owner", *LATEST)


def newest_visible(
    access: Access, declarations: Iterable[Declaration]
) -> dict[int, DeclarationVersion]:
    """The newest version of each that may be shown, by the key of the declaration, in its order.

    `declarations` are rows of `visible_declarations`. A provider costs one query, others none.
    """
    rows = list(declarations)
    if not access.serves_clients:
        return {row.pk: row.latest for row in rows}  # type: ignore[attr-defined]  # joined
    return _newest(_visible(access, DeclarationVersion.objects.filter(declaration__in=rows)), rows)


def visible_versions(access: Access, declaration: Declaration) -> list[DeclarationVersion]:
    """The versions of a declaration that may be shown, newest first."""
    versions = DeclarationVersion.objects.filter(declaration=declaration)
    shown = _visible(access, versions).select_related("submitter", "submitted_by")
    return list(shown.order_by("-number"))


def newer_hidden(
    access: Access, declarations: Iterable[Declaration], newest: Mapping[int, DeclarationVersion]
) -> frozenset[int]:
    """The declarations, by key, that another party changed after the newest version that is shown.

    Whoever reads that version by a residual right alone learns nothing of what came after it.
    """
    shown = [newest[row.pk].pk for row in declarations if newest[row.pk].number < row.latest_number]
    if not shown:
        return frozenset()
    followed = access.followed(DeclarationVersion.objects.filter(pk__in=shown))
    return frozenset(followed.values_list("declaration_id", flat=True))


def is_newer_hidden(access: Access, declaration: Declaration, newest: DeclarationVersion) -> bool:
    """The same of one declaration."""
    return bool(newer_hidden(access, [declaration], {declaration.pk: newest}))


def list_declarations(access: Access, wanted: Wanted, *, after: str = "") -> Listing:
    """The visible declarations that are wanted, newest first, below the row of the token `after`.

    Equal to `visible_declarations` narrowed to what is wanted.
    """
    if access.serves_clients:
        return _walk(access, wanted, after)
    own = visible_declarations(access).filter(_facts(wanted))
    if wanted.number[14:]:
        own = own.filter(latest_number__gte=int(wanted.number[14:]))
    if wanted.submitter:
        is_importer = Q(latest__submitter=F("owner"))
        own = own.filter(is_importer if wanted.submitter == Submitter.IMPORTER else ~is_importer)
    page = page_by_key(own, after=after, size=PAGE)
    return Listing(page, newest_visible(access, page.rows))


def _walk(access: Access, wanted: Wanted, after: str) -> Listing:
    """Look at what is newest of all that can be seen, until the page is full.

    After the last step the page ends, full or not, and the next one goes on from there. An empty
    one would read as the end: it looks on in further steps until something is found.
    """
    found: dict[int, DeclarationVersion] = {}
    rows: list[Declaration] = []
    token = after
    sizes = chain(STEPS, repeat(STEPS[-1])) if access.person.is_active else ()
    for step, size in enumerate(sizes, 1):
        batch = _newest_wanted(access, wanted, after=token, size=size)
        found |= _wanted_versions(access, wanted, batch.rows)
        rows += [row for row in batch.rows if row.pk in found]
        token = batch.next_token
        if len(rows) > PAGE or not token or (rows and step >= len(STEPS)):
            break
    if len(rows) > PAGE:
        token = token_of(rows[PAGE - 1])
    is_first = not place_of(Declaration, after=after)
    return Listing(Page(rows[:PAGE], token, is_first), found)


def _newest_wanted(access: Access, wanted: Wanted, *, after: str, size: int) -> Page[Declaration]:
    """Declarations that can be seen, of those that are wanted; a number names at most one."""
    if wanted.number:
        named = Declaration.objects.filter(_of_whom(access), _facts(wanted))
        return page_by_key(named.select_related("program", "owner"), after=after, size=size)
    names = {
        "": frozenset[str](),
        Submitter.IMPORTER: frozenset({"importer"}),
        Submitter.OTHER: frozenset({"other"}),
        Submitter.ACTING_FOR: frozenset({"ours"}),
    }[wanted.submitter]
    seen = Seen(wanted.client_bn9, wanted.extension, _days(wanted), names)
    return newest_seen(access, seen, after=after, size=size)


def _wanted_versions(
    access: Access, wanted: Wanted, rows: list[Declaration]
) -> dict[int, DeclarationVersion]:
    """The version to show of each row that has a visible and wanted one, in their order."""
    shown = newest_visible(access, rows)
    if wanted.number[14:]:
        asked = DeclarationVersion.objects.filter(
            declaration__in=shown, number=int(wanted.number[14:])
        )
        keys = set(_visible(access, asked).values_list("declaration_id", flat=True))
        shown = {key: version for key, version in shown.items() if key in keys}
    if wanted.submitter:
        shown = {
            key: version
            for key, version in shown.items()
            if submitter_of(access, version) == wanted.submitter
        }
    return shown


def _visible(
    access: Access, versions: QuerySet[DeclarationVersion]
) -> QuerySet[DeclarationVersion]:
    """The versions that may be shown; for a provider, of whom a client may ask about the past,
    those that exist at the instant.
    """
    shown = access.visible(versions)
    return shown.filter(submitted_at__lte=access.at) if access.serves_clients else shown


def submitter_of(access: Access, version: DeclarationVersion) -> Submitter:
    """Who submitted a version, as the business acted for sees it."""
    if version.submitter_id == version.owner_id:
        return Submitter.IMPORTER
    is_ours = version.submitter_id == access.acting_for.pk
    return Submitter.ACTING_FOR if is_ours else Submitter.OTHER


def _newest(
    shown: QuerySet[DeclarationVersion], rows: list[Declaration]
) -> dict[int, DeclarationVersion]:
    newest_last = shown.select_related("submitter").order_by("number")
    by_declaration = {version.declaration_id: version for version in newest_last}
    return {row.pk: by_declaration[row.pk] for row in rows if row.pk in by_declaration}


def _of_whom(access: Access) -> Q:
    """Whose records a provider's person might see a version of: a look at each row's owner."""
    return Q(owner=access.acting_for) | known_to(access, "owner")


def _facts(wanted: Wanted) -> Q:
    """What is wanted of a declaration itself."""
    conditions = Q()
    if wanted.client_bn9:
        conditions &= Q(owner__bn9=wanted.client_bn9)
    if wanted.extension:
        conditions &= Q(program__extension=wanted.extension)
    if wanted.number:
        conditions &= Q(number=wanted.number[:14])
    return conditions & _days(wanted)


def _days(wanted: Wanted) -> Q:
    """The days that are wanted, as instants."""
    conditions = Q()
    if wanted.first_day:
        conditions &= Q(declared_at__gte=start_of_day(wanted.first_day))
    if wanted.last_day:
        conditions &= Q(declared_at__lt=end_of_day(wanted.last_day))
    return conditions
