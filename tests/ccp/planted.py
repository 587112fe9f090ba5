"""The portal's addresses with faults among them, which a check of every answer has to find."""

import time

from django.http import HttpRequest, HttpResponse
from django.urls import path

from ccp.urls import handler400, handler403, handler404, handler429, handler500, urlpatterns
from pages.rules import anyone, rule

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]


@rule(get=anyone, post=anyone)
def breaks(request: HttpRequest) -> HttpResponse:
    """Fails for everybody."""
    raise RuntimeError("planted")


@rule(get=anyone, post=anyone)
def trusts(request: HttpRequest) -> HttpResponse:
    """Takes what it is given for a number."""
    return HttpResponse(f"{int(request.GET.get('page', '1'))}")


@rule(get=anyone, post=anyone)
def dawdles(request: HttpRequest) -> HttpResponse:
    """Works the longer, the more it is given."""
    given = sum(map(len, request.GET.values()))
    until = time.thread_time() + given / 300_000
    while time.thread_time() < until:
        pass
    return HttpResponse()


@rule(get=anyone)
def inline(request: HttpRequest) -> HttpResponse:
    """Carries a script and a style of its own, and a picture from elsewhere."""
    return HttpResponse(
        "<!doctype html><title>x</title><script>document.title = 'ran'</script>"
        "<p style='color: red'>x</p><img src='https://elsewhere.example/x.png' alt=''>"
    )


urlpatterns = [
    path("planted/breaks/", breaks, name="planted_breaks"),
    path("planted/trusts/", trusts, name="planted_trusts"),
    path("planted/dawdles/", dawdles, name="planted_dawdles"),
    path("planted/inline/", inline, name="planted_inline"),
    *urlpatterns,
]
