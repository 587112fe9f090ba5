"""One id per request, in the answer's `X-Request-Id`, in every event and every line of the log that
the request wrote.

It is made here and never taken from the visitor.
"""

from collections.abc import Callable
from contextvars import ContextVar
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str] = ContextVar("request_id", default="")
asked: ContextVar[HttpRequest | None] = ContextVar("asked", default=None)
"""The request that is being answered, for whoever writes the log."""


class RequestIdMiddleware:
    """Gives each request its id for as long as it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made = str(uuid4())
        request.log_id = made  # type: ignore[attr-defined]
        token, holds = request_id.set(made), asked.set(request)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = made
            return response
        finally:
            request_id.reset(token)
            asked.reset(holds)
