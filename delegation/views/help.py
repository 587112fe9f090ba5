"""Help that everybody can read, signed in or not."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from delegation.abilities import ceiling_rows, granted_by, role_rows
from delegation.employees import roles_in_words
from pages.rules import anyone, rule


@rule(get=anyone)
def help_roles(request: HttpRequest) -> HttpResponse:
    """What each role can do, and what a service provider can do for a client."""
    context = {
        "roles": roles_in_words(),
        "rows": role_rows(),
        "ceilings": ceiling_rows(),
        "granted_by": granted_by(),
    }
    return render(request, "delegation/help_roles.html", context)
