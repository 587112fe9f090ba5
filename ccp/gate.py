"""What is turned away at the gate, before anything of it is read."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.log import log_response

from ccp.views import csrf_failure

log = logging.getLogger("django.security.csrf")  # where the check of the token writes too

METHODS = ("GET", "HEAD", "POST")
FROM_HERE = {"same-origin", "none"}
"""Where a browser says that a form comes from (`Sec-Fetch-Site`): a page of ours, or its user."""


class GateMiddleware:
    """Refuses methods that no page has, bodies that no form sends, and forms of other sites.

    The last is a second wall: the token of each form is the first. What is no browser says nothing
    of where it comes from, and is let on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if length_of(request) > settings.BODY_MAX_BYTES:
            raise RequestDataTooBig
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method == "POST" and site not in FROM_HERE:
            response = csrf_failure(request)
            log_response("Sent from another site", response=response, request=request, logger=log)
            return response
        return self.get_response(request)


def length_of(request: HttpRequest) -> int:
    """How many bytes the body says that it has; what is no number is read as none.

    Of a number without end its first twenty digits are too many already.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said[:20]) if said.isascii() and said.isdecimal() else 0
