"""No page before the personal profile, and no sensitive act before a proof of who acts.

Source of the first: the CARM Client Portal asks for the personal profile on the first sign-in,
before anything else can be done.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from accounts.requests import PersonRequest
from accounts.second_factor.proof import ProofWanted
from accounts.second_factor.proving import to_prove

OPEN_WITHOUT_PROFILE = {
    "profile_create",
    "account_logout",
    "account_email",
    "account_email_verification_sent",
    "account_reauthenticate",
    "account_change_password",
    "second_factor_help",
    "usersessions_list",
    "session_extend",
    "session_status",
    "kept_form_create",
    "kept_form_detail",
    "health",
    "calendar_feed_read",
    "help_roles",
    "invitation_open",
}
"""The pages, by name, that a signed-in person without a profile can open."""


class ProfileRequiredMiddleware(MiddlewareMixin):
    """Sends a signed-in person without a profile to create one, and remembers where they went."""

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        if not request.user.is_authenticated or request.user.has_profile:
            return None
        if request.resolver_match and request.resolver_match.view_name in OPEN_WITHOUT_PROFILE:
            return None
        address = reverse("profile_create")
        if request.method == "GET":
            address += "?" + urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(address)


class ProofMiddleware(MiddlewareMixin):
    """Asks whoever is about to do something sensitive to prove who they are, then lets it be done.

    The view has said so (`require_proof`) before it did anything: it runs again once that is
    proved, and what it had begun is undone.
    """

    def process_exception(
        self, request: PersonRequest, exception: Exception
    ) -> HttpResponse | None:
        found = request.resolver_match
        if not isinstance(exception, ProofWanted) or found is None:
            return None
        if asked := to_prove(request):
            return asked
        # The view asks its rule, the state and the key of its form again: nothing is let through
        # here that a first post would not be.
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        return answer
