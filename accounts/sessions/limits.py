"""How long a session lasts: decided on the server, at each request, from what its row holds.

Source: 20 minutes without a page, 12 hours since the sign-in (decision 54). Neither the age of a
cookie nor the expiry of the row decides: both are longer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pages.formats import time_of_day

TIMES = "times"
"""What a session keeps of its life: when it began and when its last page was, in seconds."""

NOTED_AGAIN = timedelta(minutes=1)
"""A page within a minute of the moment that is kept writes nothing; the session then ends up to a
minute before 20 minutes are over, never after."""


class Why(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    LONGEST = "longest"
    ENDED = "ended"

    @property
    def said(self) -> str:
        """The reason as the person reads it on the next page."""
        minutes, hours = settings.SESSION_IDLE_MINUTES, settings.SESSION_LONGEST_HOURS
        if self is Why.IDLE:
            return ngettext(
                "You were signed out because you opened no page for %(number)d minute.",
                "You were signed out because you opened no page for %(number)d minutes.",
                minutes,
            ) % {"number": minutes}
        if self is Why.LONGEST:
            return ngettext(
                "You were signed out because a sign-in lasts %(number)d hour at most.",
                "You were signed out because a sign-in lasts %(number)d hours at most.",
                hours,
            ) % {"number": hours}
        return _(
            "You were signed out because this sign-in was ended: in another browser, by your "
            "sign-in provider, or because your access changed."
        )


@dataclass(frozen=True)
class Times:
    """When a session began and when its last page was; it lasts in `[began, ends_at)`."""

    began: datetime
    seen: datetime

    @classmethod
    def starting(cls, at: datetime) -> Self:
        """Of a session that begins now."""
        return cls(at, at)

    @property
    def ends_idle_at(self) -> datetime:
        """When it ends unless another page is opened."""
        return self.seen + timedelta(minutes=settings.SESSION_IDLE_MINUTES)

    @property
    def ends_anyhow_at(self) -> datetime:
        """When it ends whatever is done."""
        return self.began + timedelta(hours=settings.SESSION_LONGEST_HOURS)

    @property
    def ends_at(self) -> datetime:
        """When it ends if nothing more happens."""
        return min(self.ends_idle_at, self.ends_anyhow_at)

    @property
    def can_be_extended(self) -> bool:
        """Whether another page makes it longer."""
        return self.ends_idle_at < self.ends_anyhow_at

    def over(self, at: datetime) -> Why | None:
        """Why it is over at this moment; None while it lasts."""
        if at < self.ends_at:
            return None
        return Why.IDLE if self.ends_idle_at <= self.ends_anyhow_at else Why.LONGEST

    def left(self, at: datetime) -> dict[str, Any]:
        """What a page tells of the end: in how many seconds, and in words when it is."""
        return {
            "can_be_extended": self.can_be_extended,
            "seconds": max(0.0, round((self.ends_at - at).total_seconds(), 3)),
            "said": self._said(),
        }

    def _said(self) -> str:
        if self.can_be_extended:
            said = _("If you open no other page, you are signed out at %(time)s.")
            return said % {"time": time_of_day(self.ends_at)}
        hours = settings.SESSION_LONGEST_HOURS
        return ngettext(
            "You are signed out at %(time)s: a sign-in lasts %(number)d hour at most.",
            "You are signed out at %(time)s: a sign-in lasts %(number)d hours at most.",
            hours,
        ) % {"time": time_of_day(self.ends_at), "number": hours}


def times_of(session: SessionBase) -> Times | None:
    """The times of a session; None where it has none. What cannot be read was long ago."""
    kept = session.get(TIMES)
    if kept is None:
        return None
    try:
        began, seen = (datetime.fromtimestamp(one, UTC) for one in kept)
    except (TypeError, ValueError, OverflowError, OSError):
        return Times.starting(datetime.fromtimestamp(0, UTC))
    return Times(began, seen)


def write(session: SessionBase, times: Times) -> Times:
    """Keep the times in the session."""
    session[TIMES] = [times.began.timestamp(), times.seen.timestamp()]
    return times


def note(session: SessionBase, times: Times, at: datetime) -> Times:
    """Note that a page was opened, where the moment kept is a minute old (or still to come)."""
    if timedelta() <= at - times.seen < NOTED_AGAIN:
        return times
    return write(session, Times(times.began, at))


def by_itself[View: Callable[..., Any]](view: View) -> View:
    """Mark a view that a browser asks by itself: that makes no session longer."""
    view.by_itself = True  # type: ignore[attr-defined]
    return view


def is_by_itself(view: Callable[..., Any]) -> bool:
    """Whether a browser asks this view by itself."""
    return getattr(view, "by_itself", False)
