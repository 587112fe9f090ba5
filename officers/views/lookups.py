"""Look-ups: an officer reads a business, with the purpose recorded, and changes nothing."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.sign_in import language_of_page
from audit.services import Refusal
from businesses.countries import country_name
from delegation.access import Access
from delegation.models import Lookup
from officers.entry import enter_desk, require_officer
from officers.forms import LookupForm
from officers.lookups import people_of, relationships_of
from officers.permissions import can_open_lookup
from officers.services.lookups import end_lookup, open_lookup
from pages.once import once
from pages.rules import rule
from transactions.views import show_declaration, show_declarations


@rule(get=can_open_lookup, post=can_open_lookup)
@once
def lookup_open(request: HttpRequest) -> HttpResponse:
    """Say why, and read a business for a while."""
    officer = enter_desk(request)
    require_officer(can_open_lookup(officer))
    form = LookupForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = open_lookup(actor=officer.person, at=officer.at, **form.cleaned_data)
        if not isinstance(answer, Refusal):
            return redirect("lookup_detail", pk=answer.pk)
        form.add_error("bn9", str(answer.message))
    return render(request, "officers/lookup_open.html", {"form": form}, status=status)


@rule(get=can_open_lookup)
def lookup_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The business at a glance: details, program accounts, people, relationships."""
    access, lookup = _enter(request, pk)
    business = access.acting_for
    context = {
        "lookup": lookup,
        "business": business,
        "country": country_name(business.country, language_of_page()),
        "programs": business.programs.order_by("extension"),
        "people": people_of(business, access.at),
        "relationships": relationships_of(business, access.at),
    }
    return render(request, "officers/lookup_detail.html", context)


@rule(post=can_open_lookup)
@once
def lookup_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a look-up before its time."""
    access, lookup = _enter(request, pk)
    answer = end_lookup(actor=access.person, lookup=lookup, at=access.at)
    if isinstance(answer, Refusal):
        # Raised, it would take back its own event.
        messages.warning(request, str(answer.message))
    else:
        messages.success(request, _("The look-up is over."))
    return redirect("officer_desk")


@rule(get=can_open_lookup)
def lookup_declaration_list(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The declarations of the business, newest first."""
    access, lookup = _enter(request, pk)
    here = reverse("lookup_declaration_list", kwargs={"pk": pk})
    template = "officers/lookup_declaration_list.html"
    return show_declarations(request, access, here, template, lookup=lookup)


@rule(get=can_open_lookup)
def lookup_declaration_detail(
    request: HttpRequest, pk: UUID, extension: str, number: str
) -> HttpResponse:
    """A declaration of the business."""
    access, lookup = _enter(request, pk)
    template = "officers/lookup_declaration_detail.html"
    return show_declaration(
        request, access, access.acting_for, extension, number, template, lookup=lookup
    )


def _enter(request: HttpRequest, pk: UUID) -> tuple[Access, Lookup]:
    """What the officer may read of the business looked up; 403 once the look-up is over."""
    officer = enter_desk(request)
    require_officer(can_open_lookup(officer))
    mine = Lookup.objects.filter(officer=officer.person).select_related("business")
    lookup = get_object_or_404(mine, pk=pk)
    access = Access(officer.person, lookup.business, officer.at)
    if access.lookup != lookup:
        raise PermissionDenied(_("This look-up is over. Open a new one with its purpose."))
    return access, lookup
