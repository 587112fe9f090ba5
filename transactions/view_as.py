"""The declarations of one client as a firm sees them, or saw them: read only, for that client.

The firm's own list and the firm's own decision answer; only the addresses are others, and what was
submitted later than the instant does not exist.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.bn import show_bn15
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.clients import clients_of
from delegation.entry import enter
from delegation.models import ViewAs
from delegation.navigation import section_nav
from delegation.permissions import can_view_as
from delegation.terms import PROVIDER_LABELS, agreed
from delegation.view_as import access_of_firm, opening_of
from pages.formats import day, moment
from pages.rules import rule
from transactions.declarations import (
    Listing,
    Wanted,
    is_newer_hidden,
    list_declarations,
    visible_declarations,
    visible_versions,
)
from transactions.models import Declaration, DeclarationVersion
from transactions.rows import declaration_rows, line_rows, version_rows


@rule(get=can_view_as)
def view_as_detail(request: HttpRequest, bn9: str, pk: UUID, opening: UUID) -> HttpResponse:
    """What the firm may do for the business, and the declarations that it sees."""
    access = enter(request, bn9)
    look = _look(request, access, pk, opening)
    firm, client = access_of_firm(look), look.relationship.client
    listing = list_seen(firm, client, after=request.GET.get("after", ""))
    rows = [
        replace(row, url=_address(look, declaration))
        for row, declaration in zip(declaration_rows(firm, listing), listing.page.rows, strict=True)
    ]
    terms = [
        one
        for known in clients_of(firm, firm.clients().filter(pk=client.pk))
        for one in agreed(known.terms, firm.at, PROVIDER_LABELS)
        if one.is_in_force
    ]
    context = _about(access, look) | {
        "rows": rows,
        "page": listing.page,
        "in_force": terms,
        "person": look.person.get_full_name() if look.person else "",
    }
    return render(request, "transactions/view_as_detail.html", context)


@rule(get=can_view_as)
def view_as_declaration(
    request: HttpRequest, bn9: str, pk: UUID, opening: UUID, extension: str, number: str
) -> HttpResponse:
    """A declaration of the business as the firm sees it."""
    access = enter(request, bn9)
    look = _look(request, access, pk, opening)
    firm, client = access_of_firm(look), look.relationship.client
    seen = visible_declarations(firm).filter(owner=client, program__extension=extension)
    declaration = seen.filter(number=number).first()
    if declaration is None:
        raise Http404
    _as_of(firm, [declaration])
    versions = visible_versions(firm, declaration)
    asked = request.GET.get("version", "")
    shown = next((one for one in versions if asked in ("", str(one.number))), None)
    if shown is None:
        raise Http404
    return render(
        request,
        "transactions/declaration_detail.html",
        _about(access, look) | _declaration(firm, look, declaration, versions, shown),
    )


def list_seen(firm: Access, client: BusinessAccount, *, after: str = "") -> Listing:
    """The firm's own list at its instant, narrowed to one client."""
    wanted = Wanted(client_bn9=client.bn9, last_day=timezone.localdate(firm.at))
    listing = list_declarations(firm, wanted, after=after)
    _as_of(firm, listing.page.rows)
    return listing


def _as_of(firm: Access, declarations: Iterable[Declaration]) -> None:
    """Let declarations be as they were at the instant: nothing newer has changed them: 1 query."""
    rows = list(declarations)
    existing = DeclarationVersion.objects.filter(declaration__in=rows, submitted_at__lte=firm.at)
    latest = dict(existing.order_by().values_list("declaration").annotate(Max("number")))
    for row in rows:
        row.latest_number = latest[row.pk]


def _look(request: HttpRequest, access: Access, pk: UUID, opening: UUID) -> ViewAs:
    """The opening, said on top of the page: as whom, as of when, and the way out."""
    look = opening_of(access, pk, opening)
    firm, person = look.relationship.provider.legal_name, look.person
    if look.is_past:
        said = _("You see what %(firm)s could see at the end of %(when)s, Eastern time.")
        if person:
            said = _(
                "You see what %(person)s of %(firm)s could see at the end of %(when)s, Eastern "
                "time."
            )
        when = day(timezone.localdate(look.seen_at))
    else:
        said, when = _("You see what %(firm)s can see, as of %(when)s."), moment(look.seen_at)
        if person:
            said = _("You see what %(person)s of %(firm)s can see, as of %(when)s.")
    named = {"firm": firm, "when": when, "person": person.get_full_name() if person else ""}
    request.viewing_as = {  # type: ignore[attr-defined]  # what every page says on top
        "said": said % named,
        "is_past": look.is_past,
        "url": reverse("relationship_detail", kwargs={"bn9": access.acting_for.bn9, "pk": pk}),
    }
    return look


def _where(look: ViewAs) -> dict[str, Any]:
    relationship = look.relationship
    return {"bn9": relationship.client.bn9, "pk": relationship.pk, "opening": look.pk}


def _address(look: ViewAs, declaration: Declaration) -> str:
    where = {"extension": declaration.program.extension, "number": declaration.number}
    return reverse("view_as_declaration", kwargs=_where(look) | where)


def _about(access: Access, look: ViewAs) -> dict[str, Any]:
    return {
        "business": access.acting_for,
        "firm": look.relationship.provider,
        "relationship": look.relationship,
        "list_url": reverse("view_as_detail", kwargs=_where(look)),
        "viewing": look,
        "is_provider": False,
        "sections": section_nav(access, "relationship_list"),
    }


def _declaration(
    firm: Access,
    look: ViewAs,
    declaration: Declaration,
    versions: list[DeclarationVersion],
    shown: DeclarationVersion,
) -> dict[str, Any]:
    """What the page of a declaration shows, without what only the firm’s own people can do."""
    url, owner = _address(look, declaration), declaration.owner
    return {
        "owner": owner,
        "is_client": False,
        "declaration": declaration,
        "program_shown": show_bn15(owner.bn9, declaration.program.extension),
        "url": url,
        "shown": shown,
        "is_newest": shown == versions[0],
        "is_newer_hidden": is_newer_hidden(firm, declaration, versions[0]),
        "lines": line_rows(shown.lines.order_by("number")),
        "versions": [
            replace(row, url=f"{url}?version={version.number}")
            for row, version in zip(
                version_rows(firm, declaration, versions, shown), versions, strict=True
            )
        ],
        "correct_url": "",
        "why_not": "",
        "remedy": None,
    }
