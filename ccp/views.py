"""The answer for monitors, and the pages for what went wrong."""

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.sessions.kept import is_from_portal, keep
from accounts.sessions.limits import by_itself
from ccp.refusals import record_denied
from delegation.entry import Denied
from delegation.remedies import Refused, remedy
from pages.context import portal
from pages.rules import anyone, rule


@by_itself
@rule(get=anyone)
def health(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read, and say so where it is only too long."""
    is_too_long = isinstance(exception, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent))
    status = 413 if is_too_long else 400
    return render(request, "400.html", {"is_too_long": is_too_long}, status=status)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what a person can see and not do: the reason, what would help, and where to ask.

    What was posted is recorded as refused.
    """
    access = getattr(request, "access", None)
    reason, help_ = str(exception.args[0]) if exception.args else "", None
    if isinstance(exception, Denied):
        record_denied(request, exception)
        reason = str(exception.decision.reason.label)
        if access:
            named = request.resolver_match.kwargs if request.resolver_match else {}
            help_ = remedy(Refused(exception.decision.reason, access, named))
    context = {"reason": reason, "remedy": help_}
    return render(request, "403.html", context, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what does not exist, and alike for what is somebody else's."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of the portal with a page that asks neither the person nor the database."""
    return HttpResponse(render_to_string("500.html", portal(request)), status=500)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer whoever signs in, signs up or asks for a code too often."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = "300"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose protection against forgery has lapsed or is missing.

    A page of the portal that was opened before a sign-in in another tab has lost nothing.
    """
    context = {"is_kept": is_from_portal(request) and keep(request)}
    return render(request, "403_csrf.html", context, status=403)
