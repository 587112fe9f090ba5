"""An identity provider: what the portal asks of it and what it believes.

django-allauth speaks the protocol. Where it would trust the connection, or the visitor, the two
classes here check instead: each method below closes one such gap.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, override
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation

from accounts.federation.tokens import Issuer, id_claims, identity, nonce_of
from accounts.models import Language
from accounts.requests import PersonRequest
from accounts.sign_in import AnswerRefused
from notices.links import absolute
from pages.cipher import cipher

METADATA_SECONDS, METADATA_FAILED_SECONDS = 5 * 60, 30
BEGAN = "sign_in_began"
"""When the sign-in under way began, in seconds of the epoch, as the session keeps it."""

SEALED = "accounts.federation.id_token"
"""What seals the ID token that a session keeps: it says who somebody is, and must not be read."""
LINKED_BY = "linked_by"
"""Who linked an identity, by key, as the state of the way to the provider keeps it."""

ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@contextmanager
def readable() -> Iterator[None]:
    """What a provider answers is read here: what cannot be is refused, and is no fault of ours."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError) as error:
        raise AnswerRefused(f"unreadable: {type(error).__name__}") from error


def metadata(published: Any, issuer: str) -> dict[str, Any]:
    """What a provider publishes of itself, if it has all that it must and speaks for itself."""
    found: dict[str, Any] = {name: published[name] for name in ENDPOINTS}
    scheme = "https://" if settings.IS_PRODUCTION else "http"
    if not all(one.startswith(scheme) for one in found.values()):
        raise AnswerRefused("metadata")
    if found["issuer"] != issuer:
        raise AnswerRefused("metadata of another issuer")
    found["end_session_endpoint"] = str(published.get("end_session_endpoint", ""))
    methods = published.get("token_endpoint_auth_methods_supported", [])
    return found | {"token_endpoint_auth_methods_supported": [str(one) for one in methods]}


class RelyingParty(OpenIDConnectOAuth2Adapter):
    """The portal's side of one sign-in."""

    nonce: str = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider publishes of itself, asked once in five minutes.

        It must be the issuer that the portal was configured with: an address that answers in
        another's name is not believed (OpenID Connect Discovery 1.0, section 4.3).
        """
        provider = self.get_provider()
        key = f"metadata:{provider.server_url}"
        known = cache.get(key)
        if known is None:
            # Where it cannot be had, nobody makes the portal ask again at once.
            cache.set(key, {}, METADATA_FAILED_SECONDS)
            with get_adapter().get_requests_session() as session, readable():
                response = session.get(provider.server_url)
                response.raise_for_status()
                known = metadata(response.json(), provider.issuer_url)
            cache.set(key, known, METADATA_SECONDS)
        if not known:
            raise AnswerRefused("metadata could not be had a moment ago")
        found: dict[str, Any] = known
        return found

    @property
    def issuer(self) -> Issuer:
        """Who signs, as the settings and the metadata say."""
        app = self.get_provider().app
        return Issuer(
            url=self.openid_config["issuer"],
            client_id=app.client_id,
            keys_url=self.openid_config["jwks_uri"],
            acr=tuple(app.settings.get("acr", ())),
        )

    @override
    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Back to the portal's own address, whatever host the request named."""
        return absolute(reverse("identity_provider_callback", args=[self.provider_id]))

    @override
    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """The provider's tokens, and with them what the ID token must answer to."""
        if not pkce_code_verifier:
            raise AnswerRefused("no code verifier")
        answered_by = request.GET.get("iss", self.openid_config["issuer"])
        if answered_by != self.openid_config["issuer"]:
            raise AnswerRefused("answer of another issuer")  # RFC 9207
        self.nonce = nonce_of(pkce_code_verifier)
        with readable():
            found: dict[str, Any] = super().get_access_token_data(
                request, app, client, pkce_code_verifier=pkce_code_verifier
            )
        return found

    @override
    def parse_token(self, data: Any) -> SocialToken:
        with readable():
            return super().parse_token({"access_token": data["access_token"]})

    @override
    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Who signed in: the ID token's claims, and what the provider tells of the same person."""
        with readable():
            claims = id_claims(
                kwargs["response"]["id_token"],
                self.issuer,
                nonce=self.nonce,
                since=datetime.fromtimestamp(request.session[BEGAN], UTC),
            )
            told = self._fetch_user_info(token.token)
            if told["sub"] != claims["sub"]:
                raise AnswerRefused("userinfo of somebody else")
            told = {"locale": claims.get("locale")} | told | {"iss": claims["iss"]}
            if language := language_of_claim(told["locale"]):
                translation.activate(language)
            login = self.get_provider().sociallogin_from_response(request, {"userinfo": told})
        known = SocialAccount.objects.filter(provider=login.account.provider, uid=login.account.uid)
        request.identity_used_at = (  # type: ignore[attr-defined]
            known.values_list("last_login", flat=True).first()
        )
        request.signed_in_with = {  # type: ignore[attr-defined]
            "provider": self.provider_id,
            "id_token": cipher(SEALED).encrypt(kwargs["response"]["id_token"].encode()).decode(),
            "sid": str(claims.get("sid", "")),
        }
        return login


class IdentityProvider(OpenIDConnectProvider):
    """What the portal asks of a provider: the same for all, whatever a visitor's link says."""

    oauth2_adapter_class = RelyingParty

    @property
    def issuer_url(self) -> str:
        """The issuer as it is configured."""
        return str(self.app.settings["server_url"])

    @property
    def server_url(self) -> str:
        return self.wk_server_url(self.issuer_url.rstrip("/"))

    @override
    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("identity_provider_sign_in", args=[self.app.provider_id])

    @override
    def serialize(self) -> dict[str, Any]:
        """Which provider a sign-in that waits is with: by its name, which is its own.

        What the portal is called there may be the same at two providers.
        """
        found: dict[str, Any] = super().serialize()
        return found | {"id": self.app.provider_id}

    @override
    def get_pkce_params(self) -> dict[str, str]:
        """A proof that whoever began the sign-in ends it, and the nonce that goes with it."""
        drawn: dict[str, str] = generate_code_challenge()
        return drawn | {"nonce": nonce_of(drawn["code_verifier"])}

    @override
    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """To sign in, and nothing else that a link could ask for."""
        asked: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        return asked | {"process": AuthProcess.LOGIN}

    def redirect_to_link(self, request: PersonRequest) -> HttpResponse:
        """To prove an identity that this person links: the one way that is not a sign-in.

        Who goes is kept with the state of the way, in the session, and compared on the way back.
        """
        asked = self.get_redirect_from_request_kwargs(request)
        way = {"process": AuthProcess.CONNECT, "data": {LINKED_BY: request.user.pk}}
        response: HttpResponse = self.redirect(request, **asked | way)
        return response

    @override
    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_default_scope())

    @override
    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, str]:
        """Prove anew who you are, at a level that is enough, in the language of the page.

        Without that, a session that lasts at the provider would sign in whoever sits down after
        the portal's own session has ended.
        """
        asked = {"prompt": "login", "max_age": "0", "ui_locales": ui_locales()}
        if levels := self.app.settings.get("acr"):
            asked["acr_values"] = " ".join(levels)
        return asked

    @override
    def extract_uid(self, data: dict[str, Any]) -> str:
        return identity(data["userinfo"]["iss"], data["userinfo"]["sub"])

    @override
    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing: what a provider tells of a person beyond the profile is not kept."""
        return {}

    @override
    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, str]:
        """The address and the names, as text that can be kept."""
        told = {"email": "email", "first_name": "given_name", "last_name": "family_name"}
        said = {name: data["userinfo"].get(claim) for name, claim in told.items()}
        return {
            name: one for name, one in said.items() if isinstance(one, str) and one.isprintable()
        }

    @override
    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """The address that the provider names, proved only where it says so outright."""
        email = self.extract_common_fields(data).get("email")
        is_proved = data["userinfo"].get("email_verified") is True
        return [EmailAddress(email=email, verified=is_proved, primary=True)] if email else []

    def end_session_url(self, request: HttpRequest, sealed: str) -> str | None:
        """Where a person is sent to sign out of the provider too; None where it has no such page.

        `sealed` is the ID token of the sign-in as the session keeps it.

        Source: OpenID Connect RP-Initiated Logout 1.0.
        """
        page = self.get_oauth2_adapter(request).openid_config["end_session_endpoint"]
        if not page:
            return None
        asked = {
            "id_token_hint": cipher(SEALED).decrypt(sealed.encode()).decode(),
            "client_id": self.app.client_id,
            "post_logout_redirect_uri": absolute(reverse("signed_out")),
            "state": str(translation.get_language()),
            "ui_locales": ui_locales(),
        }
        return f"{page}?{urlencode(asked)}"


def ui_locales() -> str:
    """The languages that a person reads here, the best first, as a provider is told them."""
    return "fr-CA fr en" if translation.get_language() == Language.FRENCH else "en-CA en fr"


def language_of_claim(locale: object) -> Language | None:
    """The portal's language for what a provider says a person reads: `fr`, `fr-CA`, `fr_CA`."""
    tongue = locale.replace("_", "-").partition("-")[0].lower() if isinstance(locale, str) else ""
    return {"fr": Language.FRENCH, "en": Language.ENGLISH}.get(tongue)
