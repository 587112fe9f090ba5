"""The addresses of the gallery, beside those that every page leads to."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from ccp import views
from delegation.views.help import help_roles
from pages.paging import Page
from pages.rules import any_person, rule
from tests.pages.gallery import ROLES, EveryWidget, Filters, Grid, Lines

AT = datetime(2026, 11, 23, 20, 5, tzinfo=UTC)
MAPLE = SimpleNamespace(
    legal_name="Maple Imports Ltd.", bn_shown="88831 6171", get_absolute_url="/en-ca/"
)
ATLAS = SimpleNamespace(
    legal_name="Atlas Customs Brokers Inc.", bn_shown="12345 6782", get_absolute_url="/en-ca/"
)


def show(
    request: HttpRequest, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page of the gallery, with an account in use."""
    request.account_in_use = MAPLE  # type: ignore[attr-defined]
    text = (Path(__file__).parent / f"{name}.html").read_text()
    page = engines["django"].from_string(text)
    context["my_businesses"] = [MAPLE, ATLAS]
    return HttpResponse(page.render(context, request), status=status)


@rule(get=any_person, post=any_person)
def form(request: HttpRequest) -> HttpResponse:
    """Every widget, fresh or refused."""
    posted = request.method == "POST"
    data = request.POST if posted else None
    names = ["What you need", "Business number", "Legal entity", "Security", "Terms", "Review"]
    states = ["done", "done", "current", "todo", "todo", "todo"]
    context = {
        "form": EveryWidget(data, request.FILES if posted else None, prefix="ask"),
        "formset": Lines(data if posted and "form-TOTAL_FORMS" in request.POST else None),
        "steps": [
            {"label": label, "state": state, "url": "#content" if state == "done" else ""}
            for label, state in zip(names, states, strict=True)
        ],
    }
    return show(request, "form", context, status=422 if posted else 200)


@rule(get=any_person)
def table(request: HttpRequest) -> HttpResponse:
    """A list with filters, a table, a pager, an empty state and a role grid."""
    states = [("info", "Submitted"), ("success", "Accepted"), ("danger", "Refused")]
    rows = [
        {
            "number": f"13779{place:09}",
            "at": AT,
            "by": "Atlas Customs Brokers Inc." if place % 2 else "Maple Imports Ltd.",
            "amount": Decimal("1234.5") * place,
            "kind": states[place % 3][0],
            "label": states[place % 3][1],
        }
        for place in range(12)
    ]
    context = {
        "page": Page(rows=rows, next_token="next", is_first=False),  # type: ignore[type-var]
        "total": Decimal("-81477.00"),
        "filters": Filters(request.GET or None),
        "grid": Grid(initial={"rm0001": "editor", "rm0002": "none"}),
        "roles": [label for _, label in ROLES],
        "items": [
            {"label": "Home", "url": "#content", "is_current": False},
            {"label": "Employees", "url": "#content", "is_current": False, "count": 3},
            {"label": "Business relationships", "url": "#content", "is_current": False},
            {"label": "Declarations", "url": "#content", "is_current": True},
            {"label": "Activity", "url": "#content", "is_current": False},
        ],
    }
    return show(request, "list", context)


@rule(get=any_person)
def detail(request: HttpRequest) -> HttpResponse:
    """Tiles, facts, tags, notices and a timeline."""
    kinds = ["neutral", "info", "success", "warning", "danger"]
    return show(request, "detail", {"at": AT, "kinds": kinds})


urlpatterns = [
    path("gallery/form/", form, name="gallery_form"),
    path("gallery/list/", table, name="gallery_list"),
    path("gallery/detail/", detail, name="gallery_detail"),
    path("healthz/", views.health, name="health"),
    *i18n_patterns(
        path("", detail, name="home"),
        path("", include("accounts.urls")),
        path("account/", include("allauth.account.urls")),
        path("help/roles/", help_roles, name="help_roles"),
    ),
]

handler400 = "ccp.views.bad_request"
handler403 = "ccp.views.permission_denied"
handler404 = "ccp.views.page_not_found"
handler500 = "ccp.views.server_error"
