"""The two addresses of signing in with an identity provider: going there and coming back."""

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import translate_url
from django.utils import translation
from requests import RequestException

from accounts.federation.provider import IdentityProvider, RelyingParty
from accounts.models import Language
from accounts.sign_in import IDENTITY, language_of_page
from pages.rules import anyone, rule

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
    if signed := getattr(party, "id_token", ""):
        request.session[IDENTITY] = {
            "provider": provider,
            "id_token": signed,
            "sid": party.session_id,
        }
    if response.status_code == 302:
        chosen = language_of_page()
        with translation.override(left):
            response["Location"] = translate_url(response["Location"], chosen)
    return response


@rule(get=anyone)
def signed_out(request: HttpRequest) -> HttpResponse:
    """Come back from signing out at the provider, to the first page in the language left."""
    if (left := request.GET.get("state")) in Language.values:
        translation.activate(left)
    return redirect("home")
