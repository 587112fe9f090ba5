"""The pages of the personal profile."""

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import services
from accounts.consent import privacy_statement
from accounts.forms import ProfileCreateForm, ProfileForm
from accounts.models import Language
from accounts.profile import ProfileDetails
from accounts.requests import PersonRequest
from accounts.sign_in import is_of_portal, language_of_page
from pages.once import once
from pages.rules import any_person, rule


@rule(get=any_person, post=any_person)
@once
def profile_create(request: PersonRequest) -> HttpResponse:
    """Create my personal profile: the first page after the first sign-in."""
    if request.user.has_profile:
        return redirect("profile_detail")
    statement, page_language = privacy_statement(), language_of_page()
    form = ProfileCreateForm(
        request.POST if request.method == "POST" else None,
        shown=statement,
        initial={"language": page_language, "notify_by_email": True},
    )
    if form.is_valid():
        services.create_profile(
            actor=request.user,
            details=form.details(),
            statement=statement,
            read_in=page_language,
            at=timezone.now(),
        )
        messages.success(request, _("Your personal profile has been created."))
        return redirect(_next_page(request, form.details().language))
    context = {
        "form": form,
        "next": _wanted(request),
        "statement_hash": statement.text_hash,
        "statement_title": statement.title(page_language),
        "statement_blocks": statement.blocks(page_language),
    }
    return render(
        request, "accounts/profile_create.html", context, status=422 if form.is_bound else 200
    )


@rule(get=any_person)
def profile_detail(request: PersonRequest) -> HttpResponse:
    """My personal profile."""
    context = {
        "profile": request.user.profile,
        "consents": request.user.consents.order_by("at"),
        "statement_blocks": privacy_statement().blocks(language_of_page()),
    }
    return render(request, "accounts/profile_detail.html", context)


@rule(get=any_person, post=any_person)
@once
def profile_edit(request: PersonRequest) -> HttpResponse:
    """Change my personal profile."""
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        initial=asdict(ProfileDetails.of(request.user)),
    )
    if form.is_valid():
        details = form.details()
        services.edit_profile(actor=request.user, details=details, at=timezone.now())
        messages.success(request, _("Your personal profile has been saved."))
        return redirect(translate_url(reverse("profile_detail"), details.language))
    return render(
        request,
        "accounts/profile_edit.html",
        {"form": form},
        status=422 if form.is_bound else 200,
    )


def _wanted(request: HttpRequest) -> str:
    """The page the person was on the way to, if it is one of the portal's."""
    url = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    return url if is_of_portal(request, url) else ""


def _next_page(request: HttpRequest, language: Language) -> str:
    """Where a new profile leads: onward, or home, in the language the person prefers."""
    return translate_url(_wanted(request) or reverse("home"), language)
