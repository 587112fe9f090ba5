"""Who signs in, and who is about to do something sensitive, has just proved who they are.

A sign-in ends with a second factor, so it is such a proof; so is the page that asks for it again.
The session keeps the instant, and only for its own person: it ends with the session.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

type View = Callable[..., HttpResponse]

PROVEN = "proven_at"
"""When the person of a session proved who they are, in seconds of the epoch."""


def remember_proof(request: HttpRequest, at: datetime) -> None:
    """Note that whoever sits at this browser has proved who they are."""
    request.session[PROVEN] = at.timestamp()


def is_proven(request: HttpRequest, at: datetime) -> bool:
    """Whether the person proved who they are in the last minutes (`PROOF_MINUTES`)."""
    since = request.session.get(PROVEN)
    if since is None:
        return False
    return timedelta(0) <= at - datetime.fromtimestamp(since, at.tzinfo) < proof_lasts()


def proof_lasts() -> timedelta:
    """For how long a proof holds; at its end it holds no more."""
    return timedelta(minutes=settings.PROOF_MINUTES)


def proven_anew(view: View) -> View:
    """Open a page, and take what it posts, only from somebody who has just proved who they are.

    Others prove it first and come back. It is asked before the page is shown, so that nothing
    is lost that somebody has filled in.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if is_proven(request, timezone.now()):
            return view(request, *args, **kwargs)
        return to_prove(request)

    return guarded


def to_prove(request: HttpRequest) -> HttpResponse:
    """Send somebody to prove who they are, and from there back to this page."""
    asked = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{asked}")
