"""Who signs in, and who is about to do something sensitive, has just proved who they are.

A sign-in ends with a second factor, so it is such a proof; so is the page that asks for it again.
The session keeps the instant, and only for its own person: it ends with the session.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

type View = Callable[..., HttpResponse]

PROVEN = "proven_at"
"""When the person of a session proved who they are, in seconds of the epoch."""


def remember_proof(request: HttpRequest, at: datetime) -> None:
    """Note that whoever sits at this browser has proved who they are."""
    request.session[PROVEN] = at.timestamp()


def draw_key_anew(request: HttpRequest) -> None:
    """Give the session another key: whoever copied its cookie before has nothing of a new proof."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def is_proven(request: HttpRequest, at: datetime) -> bool:
    """Whether the person proved who they are in the last minutes (`PROOF_MINUTES`)."""
    since = request.session.get(PROVEN)
    if since is None:
        return False
    return 0 <= at.timestamp() - since < settings.PROOF_MINUTES * 60


class ProofWanted(Exception):
    """Somebody is about to do what they must first prove who they are for.

    Nothing has been done. `accounts.middleware` answers with the page that asks.
    """


def require_proof(request: HttpRequest) -> None:
    """Go on only with somebody who has just proved who they are.

    A view says it where it knows that the act is one of those, before it does anything.
    """
    if not is_proven(request, timezone.now()):
        raise ProofWanted


def proven_anew(view: View) -> View:
    """Open a page, and take what it posts, only from somebody who has just proved who they are."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        require_proof(request)
        return view(request, *args, **kwargs)

    return guarded
