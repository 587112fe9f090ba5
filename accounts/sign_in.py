"""How the portal differs from django-allauth's way of signing people in."""

import logging
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress, Login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.usersessions.models import UserSession
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import translate_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import (
    get_language,
    get_language_from_path,
    gettext,
    gettext_noop,
    override,
)
from django.utils.translation import gettext_lazy as _
from requests import RequestException, Session

from accounts.mailed_codes import MailedCode
from accounts.models import Language, User, opaque_username
from accounts.second_factor.proof import remember_proof
from accounts.sessions.endings import WAS
from accounts.sessions.limits import Times, write
from accounts.unused import is_unused, reactivate_profile
from audit.services import person_chain, record
from notices.links import absolute

log = logging.getLogger(__name__)

FORGOTTEN = gettext_noop("Forgot your password?")
"""What django-allauth's form says; it stands here so that the French is the portal's own."""


TIME_TO_PROVE = timedelta(minutes=15)
"""How long an address waits for the code that was mailed to it: as long as a sign-in lasts."""


REFUSED = {
    "email_password_mismatch",
    "enter_current_password",
    "incorrect_code",
    "incorrect_password",
    "rate_limited",
    "too_many_login_attempts",
}
"""What goes wrong where somebody proves who they are, as django-allauth names it."""
FACTORS = [Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP]
"""What somebody can set up who wants more than a mailed code at sign-in."""


class AnswerRefused(OAuth2Error):
    """What an identity provider says is not believed; its one argument says why, for the log.

    The argument is a word of the portal's own and never of the provider's: it names nobody.
    """


class IdentityProved(Exception):
    """Somebody who is signed in proved an identity that they want to link.

    Its one argument is the sign-in at the provider, which signs nobody in here.
    """


class Site(NamedTuple):
    """What mails about signing in say of the portal."""

    name: str
    domain: str


class Backend(AuthenticationBackend):
    """Fetches a person together with the profile, which every page asks for."""

    def get_user(self, user_id: int) -> User | None:
        person = User.objects.select_related("profile").filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None


IDENTITY = "identity_provider"
"""What a session keeps of a sign-in with an identity provider: which one, its token (to sign out
there too), and the provider's own session."""


class AccountAdapter(DefaultAccountAdapter):
    """People are known by e-mail, written to in their language, and led by links of a setting."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is disabled."),
        "duplicate_email": _("Your account uses this e-mail address already."),
        "email_password_mismatch": _("The e-mail address or the password is not right."),
        "email_taken": _("Another account uses this e-mail address."),
        "enter_current_password": _("Enter the password that you use now."),
        "incorrect_code": _("The code is not right."),
        "incorrect_password": _("The password is not right."),
        "rate_limited": _("That was too often. Wait a few minutes, then try again."),
        "same_as_current": _("You use this e-mail address already. Enter another one."),
        "too_many_login_attempts": _("You tried too often. Wait a few minutes, then try again."),
    }

    def new_user(self, request: HttpRequest) -> User:
        return User(language=language_of_page())

    def populate_username(self, request: HttpRequest, user: User) -> None:
        user.username = opaque_username()

    def generate_login_code(self) -> MailedCode:
        return MailedCode.of(super().generate_login_code())

    def generate_email_verification_code(self) -> MailedCode:
        return MailedCode.of(super().generate_email_verification_code())

    def generate_password_reset_code(self) -> MailedCode:
        return MailedCode.of(super().generate_password_reset_code())

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts of the portal's own are for demonstrations and tests."""
        return bool(settings.LOCAL_ACCOUNTS)

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session’s time with the sign-in, whichever steps it took.

        The last of them was a second factor: a profile that was unused is active again.
        """
        at = timezone.now()
        was_unused = user.has_profile and is_unused(user, at)
        super().login(request, user)
        write(request.session, Times.starting(at))
        request.session.pop(WAS, None)
        if was_unused:
            reactivate_profile(actor=user, at=at)
            said = gettext("Your profile was unused for %(days)d days. It is active again.")
            messages.success(request, said % {"days": settings.UNUSED_DAYS})

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Out of the identity provider too, where the person signed in with one."""
        known = request.session.get(IDENTITY, {})
        home = super().get_logout_redirect_url(request)
        try:
            provider = get_social_adapter(request).get_provider(request, known["provider"])
            return provider.end_session_url(request, known["id_token"]) or home
        except (KeyError, InvalidToken, SocialApp.DoesNotExist):
            return home
        except (OAuth2Error, RequestException) as error:
            log.warning("Sign-out at the provider failed: %s", type(error).__name__)
            return home

    def post_login(self, request: HttpRequest, user: User, **named: Any) -> HttpResponse:
        """Note on the session's row who proved the person, so that a provider can end it."""
        response: HttpResponse = super().post_login(request, user, **named)
        remember_proof(request, timezone.now())
        response["Location"] = in_language_of_page(response["Location"])
        known: dict[str, str] = {}
        if "sociallogin" in (named.get("signal_kwargs") or {}):
            known = getattr(request, "signed_in_with", request.session.get(IDENTITY, {}))
        request.session[IDENTITY] = known
        log.info("Signed in: %s by %s", user.pk, known.get("provider", "password"))
        told = {name: known[name] for name in ("provider", "sid") if name in known}
        UserSession.objects.filter(session_key=request.session.session_key).update(data=told)
        return response

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """What is refused at sign-in leaves a line in the log, in a word that names nobody."""
        if code in REFUSED:
            log.warning("Refused at sign-in: %s", code)
        error: ValidationError = super().validation_error(code, *args)
        return error

    def logout(self, request: HttpRequest) -> None:
        log.info("Signed out: %s", request.user.pk)
        super().logout(request)

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        """Saves a new person. Of two sign-ups with one address in one instant, the second goes on
        to the page that asks for the code."""
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:
            raise ImmediateHttpResponse(redirect("account_email_verification_sent")) from None

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Where a confirmed address takes the place of another, the history says so."""
        person = email_address.user
        with transaction.atomic():
            before = ", ".join(verified_addresses(person))
            is_confirmed = bool(super().confirm_email(request, email_address))
            if is_confirmed and before:
                record(
                    verb="profile.change_email",
                    at=timezone.now(),
                    actor=person,
                    chains=[person_chain(person)],
                    object_type="person",
                    object_id=person.pk,
                    object_label=person.get_full_name(),
                    before={"email": before},
                    after={"email": email_address.email},
                    path="own",
                )
        return is_confirmed

    def is_login_by_code_required(self, login: Login) -> bool:
        """Every sign-in ends with one second factor, whoever proved the first.

        Whoever has set up a factor is asked for it. Everybody else gets a code by mail; where the
        address waits to be confirmed, the code that confirms it.
        """
        is_confirmed = verified_addresses(login.user).exists()
        return is_confirmed and not is_mfa_enabled(login.user, FACTORS)

    def is_safe_url(self, url: str) -> bool:
        return is_of_portal(self.request, url)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Writes in the language of the reader; a mail that fails leaves the page standing."""
        language = language_of(email)
        written = {
            name: on_portal(link, language)
            for name, link in context.items()
            if name.endswith("_url")
        }
        if "code" in context:
            written["code"] = context["code"].plain
        try:
            with override(language):
                super().send_mail(
                    template_prefix,
                    email,
                    {
                        **context,
                        **written,
                        "current_site": site(),
                        "local_accounts": settings.LOCAL_ACCOUNTS,
                    },
                )
        except OSError as error:
            log.error("Mail %s was not sent: %s", template_prefix, type(error).__name__)
            messages.error(
                self.request,
                gettext("We could not send you an e-mail. Please try again in a few minutes."),
            )


class IdentityAdapter(DefaultSocialAccountAdapter):
    """People who come from an identity provider are known by it alone, never by an address."""

    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "email_taken": _("Another account uses this e-mail address."),
    }

    def new_user(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        return User(language=language_of_page())

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> User:
        """The names that the provider tells are a first draft of the profile."""
        person = sociallogin.user
        person.username = opaque_username()
        person.email = data.get("email") or ""
        person.first_name = str(data.get("first_name") or "")[:100]
        person.last_name = str(data.get("last_name") or "")[:100]
        return person

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Nobody is kept out by an address that was claimed and never proved, by another or by
        themselves: whoever mistyped it starts again."""
        told = sociallogin.email_addresses
        if sociallogin.is_existing and forgotten(sociallogin.user):
            sociallogin.user = self.new_user(request, sociallogin)
            sociallogin.user.username = opaque_username()
            sociallogin.user.email = told[0].email if told else ""
            sociallogin.account.pk = None
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise IdentityProved(sociallogin)
        if not sociallogin.is_existing:
            for address in told:
                free_address(address.email)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None
    ) -> User:
        """Saves a new person. Of two of one identity or address in one instant, the second is asked
        to sign in again, and is then known."""
        try:
            with transaction.atomic():
                return super().save_user(request, sociallogin, form)
        except IntegrityError:
            raise ImmediateHttpResponse(redirect("account_login")) from None

    def get_requests_session(self) -> Session:
        """Asks a provider at the addresses that it published, and follows it nowhere else."""
        session: Session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Says in the log why nobody was signed in, in words that name nobody."""
        if error == AuthError.CANCELLED:
            return
        reason = type(exception).__name__ if exception else "not begun here"
        if isinstance(exception, AnswerRefused):
            reason = str(exception)
        log.warning("Sign-in with %s failed: %s", provider.app.provider_id, reason)


def has_come(person: User) -> bool:
    """Whether a person ever signed in, or proved an address."""
    return person.last_login is not None or verified_addresses(person).exists()


def forgotten(person: User) -> bool:
    """Forget a person who never came in; False for everybody else, by the row as it is now."""
    with transaction.atomic():
        locked = User.objects.select_for_update().filter(pk=person.pk).first()
        if locked and has_come(locked):
            return False
        forget(person)
        return True


def forget(person: User) -> None:
    """Leave a number and nothing else of a person who never came.

    The row stays: the role that the site runs as deletes no person (`ccp/site_role.py`).
    """
    EmailAddress.objects.filter(user=person).delete()
    SocialAccount.objects.filter(user=person).delete()
    User.objects.filter(pk=person.pk).update(
        email=f"{person.username}@forgotten.invalid",
        first_name="",
        last_name="",
        password=make_password(None),
        is_active=False,
    )


def free_address(email: str) -> None:
    """Take an address from whoever claimed it and never proved it, once the time to do so is over.

    A claim gives nothing, and must not keep out the person whose address it is: whoever signed up
    with it and never came in is forgotten.
    """
    claims = EmailAddress.objects.filter(email=email.lower(), verified=False)
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    never_came = User.objects.filter(
        ~Exists(proved),
        pk__in=claims.values("user"),
        last_login=None,
        date_joined__lt=timezone.now() - TIME_TO_PROVE,
    )
    with transaction.atomic():
        # Whoever proves it in this instant holds the row, and is looked at again afterwards.
        rows = [*never_came.select_for_update().values_list("pk", flat=True)]
        for person in never_came.filter(pk__in=rows):
            forget(person)


def site() -> Site:
    """The portal by name and address, in the active language and from the settings."""
    return Site(gettext("CARM Client Portal"), urlsplit(settings.PORTAL_URL).netloc)


def display(person: User) -> str:
    """How messages about signing in name a person."""
    return str(person)


def language_of_page() -> Language:
    """The language of the page that is being answered."""
    active = get_language()
    return Language(active) if active in Language.values else Language.ENGLISH


def in_language_of_page(address: str) -> str:
    """The same page in the language of the page that is being answered."""
    chosen = language_of_page()
    with override(get_language_from_path(address) or chosen):
        return str(translate_url(address, chosen))


def language_of(email: str) -> str:
    """The language of the person with this address; for a stranger, that of the page."""
    address = EmailAddress.objects.filter(email=email.lower()).select_related("user").first()
    return address.user.language if address else language_of_page()


def verified_addresses(person: User) -> QuerySet[EmailAddress, str]:
    """The addresses, in lower case, that a person has proved to own."""
    proved = EmailAddress.objects.filter(user=person, verified=True)
    return proved.values_list(Lower("email"), flat=True)


def on_portal(link: str, language: str) -> str:
    """The same page in `language` at the portal's own address, whatever host the request named."""
    path = urlsplit(link)._replace(scheme="", netloc="").geturl()
    return absolute(translate_url(path, language))


def is_of_portal(request: HttpRequest, url: str) -> bool:
    """Whether `url` stays on this portal, so that a person may be sent there."""
    return url_has_allowed_host_and_scheme(
        url, allowed_hosts={urlsplit(settings.PORTAL_URL).netloc}, require_https=request.is_secure()
    )
