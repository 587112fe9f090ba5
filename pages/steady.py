"""An answer that comes no sooner for one than for another.

Whether a business number is registered, and how long its history is, must not show in how long an
answer takes: a look-up finds more, a mail goes out. So the answer waits until a moment that is
later than either.
"""

import time
from functools import wraps

from django.http import HttpRequest, HttpResponse

from pages.once import View

ANSWER_AFTER = 0.5
"""Seconds from the arrival of a post to its answer, where the work does not take longer."""


def steady(view: View) -> View:
    """Hold the answer to a post back. Nothing is locked meanwhile: this goes outside of `once`."""

    @wraps(view)
    def steadied(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        begun = time.monotonic()
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            time.sleep(max(0.0, ANSWER_AFTER - (time.monotonic() - begun)))
        return response

    return steadied
