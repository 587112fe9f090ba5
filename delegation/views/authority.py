"""The written authority of a relationship, for both sides: a page to print, or a PDF."""

from pathlib import Path
from uuid import UUID

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

from delegation.access import Access
from delegation.authority import written_authority
from delegation.clients import clients_of
from delegation.entry import client_of, enter
from delegation.models import RelationshipTerms
from delegation.navigation import section_nav
from delegation.permissions import can_list_clients, can_view_relationship_authority
from delegation.relationships import relationship_of
from pages import pdf
from pages.rules import rule


@rule(get=can_view_relationship_authority)
def relationship_authority(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What the business signed for a firm; a manager of the business reads the whole of it."""
    access = enter(request, bn9)
    given = relationship_of(access, pk)
    if given is None:
        raise Http404
    return _document(request, access, list(given.terms), "relationship_list")


@rule(get=can_list_clients)
def client_authority(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """What a client signed for the firm, for whoever works for that client and may show it."""
    access = enter(request, bn9)
    [known] = clients_of(access, [client_of(access, client_bn9)])
    return _document(request, access, list(known.terms), "client_list")


def _document(
    request: HttpRequest, access: Access, terms: list[RelationshipTerms], section: str
) -> HttpResponse:
    """The page, or where asked for the PDF; 404 where nothing is in force."""
    in_force = [row for row in terms if row.in_force_at(access.at)]
    if not in_force:
        raise Http404
    relationship = in_force[0].relationship
    authority = written_authority(relationship, in_force, access.at)
    context = {
        "authority": authority,
        "business": access.acting_for,
        "other": (
            relationship.provider
            if relationship.client_id == access.acting_for.pk
            else relationship.client
        ),
        "relationship": relationship,
        "is_client": relationship.client_id == access.acting_for.pk,
        "language": get_language(),
        "has_pdf": pdf.is_available(),
        "at": access.at,
        "sections": section_nav(access, section),
    }
    if request.GET.get("as") == "pdf":
        return _pdf(context, authority.number)
    return render(request, "delegation/authority.html", context)


def _pdf(context: dict[str, object], number: str) -> HttpResponse:
    if not pdf.is_available():
        raise Http404
    style = Path(str(finders.find("document.css"))).read_text("utf-8")
    page = render_to_string("delegation/authority_pdf.html", context)
    response = HttpResponse(pdf.pdf_of(page, style=style), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    return response
