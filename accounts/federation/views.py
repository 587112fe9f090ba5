"""The addresses of signing in with an identity provider: going there, coming back, and leaving."""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from allauth.account.internal.flows.email_verification_by_code import (
    EMAIL_VERIFICATION_CODE_SESSION_KEY,
)
from allauth.account.internal.stagekit import clear_login
from allauth.account.internal.userkit import str_to_user_id
from allauth.account.views import email_verification_sent
from allauth.decorators import rate_limit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.views import SignupView
from allauth.usersessions.models import UserSession
from django.core.exceptions import MultipleObjectsReturned
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse, translate_url
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from requests import RequestException

from accounts.federation.linking import linked
from accounts.federation.provider import BEGAN, IdentityProvider, RelyingParty
from accounts.federation.tokens import identity, logout_claims
from accounts.models import Language, User
from accounts.requests import PersonRequest
from accounts.second_factor.proof import proven_anew
from accounts.sessions.endings import end_elsewhere
from accounts.sign_in import IDENTITY, IdentityProved, language_of_page
from pages.rules import any_person, anyone, rule

log = logging.getLogger(__name__)

LANGUAGE = "sign_in_language"
"""What a session keeps while its visitor is at a provider: the language of the page left."""


def provider_of(request: HttpRequest, provider_id: str) -> IdentityProvider:
    """The provider that is configured by this name; the answer is 404 for any other."""
    try:
        provider: IdentityProvider = get_adapter(request).get_provider(request, provider_id)
    except (SocialApp.DoesNotExist, MultipleObjectsReturned):
        raise Http404 from None
    if provider.app.provider_id != provider_id:
        raise Http404
    return provider


@rule(post=anyone)
@rate_limit(action="login")
def identity_provider_sign_in(request: HttpRequest, provider: str) -> HttpResponse:
    """Go to the provider; `next` says where on the portal to come back to."""
    found = provider_of(request, provider)
    clear_login(request)  # an earlier sign-in that waits for a code is over
    return _gone(request, found, found.redirect_from_request)


@rule(post=any_person)
@proven_anew
def identity_add(request: PersonRequest, provider: str) -> HttpResponse:
    """Go to the provider and prove who I am there, to sign in that way too from then on."""
    found = provider_of(request, provider)
    return _gone(request, found, found.redirect_to_link)


def _gone(
    request: HttpRequest, provider: IdentityProvider, go: Callable[[Any], HttpResponse]
) -> HttpResponse:
    """The way to the provider, and what the session keeps until somebody comes back."""
    request.session[LANGUAGE] = language_of_page()
    request.session[BEGAN] = timezone.now().timestamp()
    try:
        return go(request)
    except (OAuth2Error, RequestException) as error:
        return render_authentication_error(request, provider, exception=error)


@rule(get=anyone)
def identity_provider_callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Come back from the provider: signed in, or with a page that says why not.

    The address carries no language, since the provider knows it by heart; what is shown is in the
    language of the page the person left, or in the one chosen at the provider.
    """
    found = provider_of(request, provider)
    left = request.session.get(LANGUAGE) or language_of_page()
    translation.activate(left)
    party = RelyingParty(request, provider)
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(party)(request)
    except (OAuth2Error, RequestException) as error:
        response = render_authentication_error(request, found, exception=error)
    except IdentityProved as proved:
        # The session stays vouched for by whoever vouched for it, and in the language left.
        translation.activate(left)
        request.signed_in_with = None  # type: ignore[attr-defined]
        response = linked(request, *proved.args)
    if known := getattr(request, "signed_in_with", None):
        request.session[IDENTITY] = known
    if response.status_code == 302:
        chosen = language_of_page()
        with translation.override(left):
            response["Location"] = translate_url(response["Location"], chosen)
    return response


@rule(get=anyone, post=anyone)
def confirm_address(request: HttpRequest) -> HttpResponse:
    """The code that was mailed; there is none where the person started again elsewhere.

    The person's row is held meanwhile, so that nobody else frees the address that is being proved.
    """
    waiting = request.session.get(EMAIL_VERIFICATION_CODE_SESSION_KEY, {})
    with transaction.atomic() if request.method == "POST" else nullcontext():
        if waiting.get("user_id") and not _is_there(request, waiting):
            clear_login(request)
            return redirect("account_login")
        response: HttpResponse = email_verification_sent(request)
    return response


def _is_there(request: HttpRequest, waiting: Mapping[str, str]) -> bool:
    """Whether the person is, and at a sign-in the address is still theirs: a recovery takes it."""
    people = User.objects.filter(pk=str_to_user_id(waiting["user_id"]), is_active=True)
    found = people.select_for_update() if request.method == "POST" else people
    if not found or request.user.is_authenticated:
        return bool(found)
    return str(found[0].email).lower() == waiting["email"].lower()


class FirstSignIn(SignupView):
    """Where somebody new gives an e-mail address; whoever is signed in already goes home."""

    def get_authenticated_redirect_url(self) -> str:
        return reverse("home")


first_sign_in = rule(get=anyone, post=anyone)(rate_limit(action="signup")(FirstSignIn.as_view()))


@csrf_exempt
@rule(post=anyone)
def identity_provider_signed_out(request: HttpRequest, provider: str) -> HttpResponse:
    """A provider says that a person left it: the sessions that it vouched for end here too.

    It asks without a browser, and is believed by its signature. Source: OpenID Connect
    Back-Channel Logout 1.0.
    """
    found = provider_of(request, provider)
    try:
        issuer = found.get_oauth2_adapter(request).issuer
        with transaction.atomic():
            claims = logout_claims(request.POST.get("logout_token", ""), issuer)
            end_vouched_sessions(provider, issuer.url, claims.get("sub"), claims.get("sid"))
    except (OAuth2Error, RequestException) as error:
        log.warning("Sign-out by %s refused: %s", provider, type(error).__name__)
        response: HttpResponse = JsonResponse({"error": "invalid_request"}, status=400)
    else:
        response = HttpResponse()
    response["Cache-Control"] = "no-store"
    return response


def end_vouched_sessions(
    provider: str, issuer: str, subject: str | None, session: str | None
) -> None:
    """End the sessions that the provider vouched for: of a person, of a session there, or both."""
    vouched = UserSession.objects.filter(data__provider=provider)
    if subject is not None:
        known = SocialAccount.objects.filter(provider=provider, uid=identity(issuer, subject))
        vouched = vouched.filter(user__in=known.values("user"))
    if session is not None:
        vouched = vouched.filter(data__sid=session)
    for one in vouched:
        end_elsewhere(one)


@rule(get=anyone)
def signed_out(request: HttpRequest) -> HttpResponse:
    """Come back from signing out at the provider, to the first page in the language left."""
    if (left := request.GET.get("state")) in Language.values:
        translation.activate(left)
    return redirect("home")
