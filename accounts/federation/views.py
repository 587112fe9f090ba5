"""The addresses of signing in with an identity provider: going there, coming back, and leaving."""

import logging

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.usersessions.models import UserSession
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import translate_url
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from requests import RequestException

from accounts.federation.provider import IdentityProvider, RelyingParty
from accounts.federation.tokens import identity, logout_claims
from accounts.models import Language
from accounts.sign_in import IDENTITY, language_of_page
from pages.rules import anyone, rule

log = logging.getLogger(__name__)

LANGUAGE = "sign_in_language"
"""What a session keeps while its visitor is at a provider: the language of the page left."""


def provider_of(request: HttpRequest, provider_id: str) -> IdentityProvider:
    """The provider that is configured by this name; the answer is 404 for any other."""
    try:
        provider: IdentityProvider = get_adapter(request).get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return provider


@rule(post=anyone)
def identity_provider_sign_in(request: HttpRequest, provider: str) -> HttpResponse:
    """Go to the provider; `next` says where on the portal to come back to."""
    found = provider_of(request, provider)
    request.session[LANGUAGE] = language_of_page()
    try:
        response: HttpResponse = found.redirect_from_request(request)
    except (OAuth2Error, RequestException) as error:
        return render_authentication_error(request, found, exception=error)
    return response


@rule(get=anyone)
def identity_provider_callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Come back from the provider: signed in, or with a page that says why not.

    The address carries no language, since the provider knows it by heart; what is shown is in the
    language of the page the person left, or in the one chosen at the provider.
    """
    provider_of(request, provider)
    left = request.session.get(LANGUAGE) or language_of_page()
    translation.activate(left)
    party = RelyingParty(request, provider)
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(party)(request)
    except ImmediateHttpResponse as answer:
        response = answer.response
    if known := getattr(request, "signed_in_with", None):
        request.session[IDENTITY] = known
    if response.status_code == 302:
        chosen = language_of_page()
        with translation.override(left):
            response["Location"] = translate_url(response["Location"], chosen)
    return response


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
        claims = logout_claims(request.POST.get("logout_token", ""), issuer)
    except (OAuth2Error, RequestException) as error:
        log.warning("Sign-out by %s refused: %s", provider, type(error).__name__)
        response: HttpResponse = JsonResponse({"error": "invalid_request"}, status=400)
    else:
        end_sessions(provider, issuer.url, claims.get("sub"), claims.get("sid"))
        response = HttpResponse()
    response["Cache-Control"] = "no-store"
    return response


def end_sessions(provider: str, issuer: str, subject: str | None, session: str | None) -> None:
    """End the sessions that the provider vouched for: of a person, of a session there, or both."""
    vouched = UserSession.objects.filter(data__provider=provider)
    if subject is not None:
        known = SocialAccount.objects.filter(provider=provider, uid=identity(issuer, subject))
        vouched = vouched.filter(user__in=known.values("user"))
    if session is not None:
        vouched = vouched.filter(data__sid=session)
    for one in vouched:
        one.end()


@rule(get=anyone)
def signed_out(request: HttpRequest) -> HttpResponse:
    """Come back from signing out at the provider, to the first page in the language left."""
    if (left := request.GET.get("state")) in Language.values:
        translation.activate(left)
    return redirect("home")
