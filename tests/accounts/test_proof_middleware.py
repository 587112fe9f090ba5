"""A view that asks for a proof, whatever it does then: what is answered, and what has been done."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from accounts.models import User
from accounts.second_factor.proof import require_proof
from ccp import urls
from pages.rules import any_person, rule
from tests.accounts.factors import add_passkey

ENDS: Mapping[str, type[Exception]] = {
    "absent": Http404,
    "refused": PermissionDenied,
    "broken": RuntimeError,
}
ASKS, RIGHT = "Confirm that it is you", "the answer of the passkey"


@rule(get=any_person, post=any_person)
@transaction.atomic
def act(request: HttpRequest, ends: str) -> HttpResponse:
    """Begins something, then asks for a proof, and ends as its address says."""
    note = request.POST.get("note", "read")
    Session.objects.create(session_key=f"{ends} {note}", expire_date=timezone.now())
    if ends != "harmless":
        require_proof(request)
    if ends in ENDS:
        raise ENDS[ends]
    return HttpResponse(f"{ends} {note}")


handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500
urlpatterns = [path("act/<slug:ends>/", act, name="act"), *urls.urlpatterns]


class Case(NamedTuple):
    """How old the proof is, what is sent where, and what comes of it."""

    minutes: int
    sent: Mapping[str, str] | None
    ends: str
    status: int
    says: str = ""
    is_done: bool = False


NOTE = {"note": "written"}
CASES = {
    "a page, just proved": Case(14, None, "sensitive", 200, "sensitive read", True),
    "a page": Case(15, None, "sensitive", 302, urlencode({"next": "/act/sensitive/?a=1"})),
    "a harmless page": Case(15, None, "harmless", 200, "harmless read", True),
    "an act, just proved": Case(14, NOTE, "sensitive", 200, "sensitive written", True),
    "an act": Case(15, NOTE, "sensitive", 200, ASKS),
    "a harmless act": Case(15, NOTE, "harmless", 200, "harmless written", True),
    "a wrong code": Case(15, NOTE | {"otp": "1"}, "sensitive", 422, ASKS),
    "no code": Case(15, NOTE | {"otp": ""}, "sensitive", 422, ASKS),
    "no code by mail": Case(15, NOTE | {"send_code": "yes"}, "sensitive", 200, ASKS),
    "a proof": Case(15, NOTE | {"passkey": RIGHT}, "sensitive", 200, "sensitive written", True),
    "of what is not there": Case(15, NOTE | {"passkey": RIGHT}, "absent", 404),
    "of what nobody may": Case(15, NOTE | {"passkey": RIGHT}, "refused", 403),
    "of what fails": Case(15, NOTE | {"passkey": RIGHT}, "broken", 500),
    "what fails unasked": Case(14, NOTE, "broken", 500),
}


@pytest.mark.urls(__name__)
def test_nothing_is_done_before_the_proof_and_all_that_the_view_says_after(
    clock: Any, person: User
) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(person)
    device = add_passkey(browser)
    for name, case in CASES.items():
        browser.force_login(person)
        clock.shift(timedelta(minutes=case.minutes))
        address, sent = f"/act/{case.ends}/?a=1", {**(case.sent or {})}
        if sent.get("passkey"):
            asked = browser.post(address, NOTE)
            sent["passkey"] = device.use(asked.context["options"])

        answer = browser.get(address) if case.sent is None else browser.post(address, sent)

        said = answer.headers.get("Location", "") + answer.content.decode()
        done = Session.objects.filter(session_key=f"{case.ends} {sent.get('note', 'read')}")
        assert (name, answer.status_code) == (name, case.status)
        assert case.says in said, name
        assert done.exists() is case.is_done, name
        if case.says == ASKS:
            assert '<input type="hidden" name="note" value="written">' in said, name
        done.delete()
