"""How a session ends other than by the person’s own sign-out, and what is known of it then.

The browser that comes next with its cookie is nobody, and is told why. Who it was is kept for as
long as the row of the session would be: a form that is still on its way belongs to that person
alone (decision 55).
"""

from datetime import timedelta

from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from accounts.sessions.limits import Why, times_of

WAS = "was"
"""Who was signed in, as the session of a browser that is nobody’s any more keeps it."""

KEPT = "kept_form"
"""Where a session keeps a form that was on its way (`kept`)."""


def end(request: HttpRequest, person: str, why: Why) -> None:
    """Let the browser of this request be nobody’s from now on.

    Two tabs may find the end at the same time: both go on in the one session, which a sign-in
    gives another key.
    """
    session = request.session
    cookie = request.COOKIES[settings.SESSION_COOKIE_NAME]
    UserSession.objects.filter(session_key=cookie).delete()
    kept = session.get(KEPT)
    session.clear()
    session[WAS] = person
    if kept is not None:
        session[KEPT] = kept
    messages.info(request, why.said)


def end_elsewhere(session: UserSession) -> None:
    """End a session of another browser at once. Its row is deleted, so that no request under way
    writes it back; a note that only the next holder of its cookie finds says whose it was."""
    Session.objects.update_or_create(
        session_key=_note_key(session.session_key),
        defaults={
            "session_data": SessionStore().encode({WAS: str(session.user_id)}),
            "expire_date": timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        },
    )
    session.end()


def ended_elsewhere(session_key: str) -> str | None:
    """Who was signed in with this key until the session was ended elsewhere."""
    person: str | None = SessionStore(_note_key(session_key)).get(WAS)
    return person


def _note_key(session_key: str) -> str:
    return salted_hmac("accounts.sessions.note", session_key, algorithm="sha256").hexdigest()[:40]


def forget_over(person: User) -> None:
    """Forget where the person was signed in for sessions whose time is over.

    Their own rows stay for a while: a browser that comes back is told why it is nobody’s.
    """
    for one in UserSession.objects.filter(user=person):
        session = SessionStore(one.session_key)
        times = times_of(session) if SESSION_KEY in session else None
        if times and times.over(timezone.now()):
            one.delete()


class SessionsAdapter(DefaultUserSessionsAdapter):
    """How the page of sessions ends those of other browsers."""

    def end_sessions(self, sessions: list[UserSession]) -> None:
        for session in sessions:
            end_elsewhere(session)
