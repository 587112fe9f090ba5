"""What is asked of the session at each request, and where whoever is nobody is sent."""

from collections.abc import Callable
from typing import Any, override

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.sessions import kept
from accounts.sessions.endings import WAS, end, ended_elsewhere
from accounts.sessions.limits import Times, Why, is_by_itself, note, times_of, write
from pages.filled import filled

CLEARED = '"cache", "storage"'
"""What a browser forgets of the portal when a session ends. Its cookies do their work."""


class SessionsMiddleware:
    """Ends the session whose time is over before anything is done in its name.

    A page that a person opens makes it longer, and one that a browser asks by itself does not. A
    page whose form is kept is filled in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        was_somebody = self._somebody(request)
        response = self.get_response(request)
        if was_somebody and SESSION_KEY not in request.session:
            response.headers["Clear-Site-Data"] = CLEARED
        elif isinstance(response, HttpResponse):
            self._fill(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        times: Times | None = getattr(request, "session_times", None)
        if times is None:
            return
        if not is_by_itself(view):
            request.session_times = note(  # type: ignore[attr-defined]
                request.session, times, timezone.now()
            )
        if request.method == "POST" and kept.opened(request):
            kept.drop(request)

    def _somebody(self, request: HttpRequest) -> bool:
        """Whether the cookie is one of somebody who is, or was, signed in."""
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if cookie is None:
            return False
        person = request.session.get(SESSION_KEY)
        if person is not None:
            self._hold_to_time(request, person)
            return True
        if request.session.is_empty() and (person := ended_elsewhere(cookie)):
            end(request, person, Why.ENDED)
            return True
        return False

    def _hold_to_time(self, request: HttpRequest, person: str) -> None:
        at = timezone.now()
        times = times_of(request.session)
        why = times.over(at) if times else None
        if why is None and not request.user.is_authenticated:
            why = Why.ENDED  # disabled, off-boarded, another password
        if why:
            end(request, person, why)
            return
        request.session_times = (  # type: ignore[attr-defined]
            times or write(request.session, Times.starting(at))
        )
        kept.drop_another_s(request, person)  # before any page is made

    def _fill(self, request: HttpRequest, response: HttpResponse) -> None:
        is_page = response.status_code == 200 and response["Content-Type"].startswith("text/html")
        if request.method != "GET" or not is_page or not hasattr(request, "session_times"):
            return
        if form := kept.opened(request):
            response.content = filled(response.content.decode(), form.fields).encode()


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends whoever is nobody to sign in, and a form that they sent waits for them.

    It stands behind the protection against forgery: what comes here was sent by a page of the
    portal.
    """

    @override
    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirect:
        if request.method == "POST":
            return sign_in_first(request)
        return super().handle_no_permission(request, view_func)


def sign_in_first(request: HttpRequest) -> HttpResponseRedirect:
    """To the sign-in, and from there to the form that is kept, or to the page that it stands on."""
    back_to = kept.page_of(request) or reverse("home")
    if kept.keep(request):
        back_to = reverse("kept_form_detail")
        messages.info(
            request,
            _("Nothing was done. What you wrote is kept: sign in as the same person to go on."),
        )
    elif WAS in request.session:
        messages.warning(request, _("Nothing was done. What you wrote could not be kept."))
    return redirect_to_login(back_to, reverse(settings.LOGIN_URL))
