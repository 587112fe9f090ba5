"""No copy of a page is kept: not by a browser on a shared desk, not by a proxy."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

KEPT_BY_ITS_READER = "private, no-cache"
"""What an answer says that its reader keeps, and asks about before using it again."""


class NotKeptMiddleware:
    """Says `no-store` on every page, but for feeds; static files are answered before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Cache-Control") != KEPT_BY_ITS_READER:
            response.headers["Cache-Control"] = "no-store"
        return response
