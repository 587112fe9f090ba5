"""A form that was on its way when its session ended, kept for whoever wrote it (decision 55).

It is kept sealed, in the session of the browser that sent it, for an hour, and opened for one
person. Nothing is done with it: its page is shown again, filled in, and sent by the person anew.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import get_language_from_path, override

from accounts.models import User
from accounts.sessions.endings import KEPT, WAS
from accounts.sign_in import in_language_of_page, is_of_portal
from pages.cipher import cipher
from pages.once import ONE_TIME, is_key_of
from pages.preview import SEAL
from pages.rules import rules_of

MOST_CHARACTERS = 256 * 1024
"""What a kept form may hold, its page, names and values: the largest of the portal has a third."""

PAGE = "kept_page"
"""The field by which a page whose time is over says where it stands, beside what was written."""

NEVER_KEPT = re.compile(
    rf"{'|'.join(ONE_TIME)}|form_key|{SEAL}|{PAGE}|code|credential|link|.*(password|secret|token|otp).*"
    r"|accept(ed)?|confirm|consent"
    r"|transaction_(number|total)|payment_(on|amount)|statement_(on|balance)",
    re.I,
)
"""The names of what is never kept: secrets (answers to security questions too), what holds for one
page and one session, and what somebody agrees to, which is read again first."""


@dataclass(frozen=True)
class KeptForm:
    """What a person wrote, and the page of the portal on which its form stands."""

    person: str
    at: float
    page: str
    fields: dict[str, list[str]]
    has_files: bool

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def ends_at(self) -> datetime:
        """When it is forgotten."""
        return self.sent_at + timedelta(minutes=settings.KEPT_FORM_MINUTES)

    @property
    def texts(self) -> list[str]:
        """What was written in more than one word, to be read and copied."""
        return [text for texts in self.fields.values() for text in texts if len(text.split()) > 1]

    @property
    def address(self) -> str:
        """Its page in the language that is read now."""
        return in_language_of_page(self.page)


def keep(request: HttpRequest) -> bool:
    """Keep the form that this request posts, for whoever is or was signed in.

    The caller has made sure that a page of the portal sent it; the key of the form says for whom
    that page was made. False where that is somebody else or nobody was signed in, and for what is
    not kept: too long a form, the forms of signing in, a button with no page.
    """
    person, page = _whose(request), page_of(request)
    if not is_key_of(request.POST.get("form_key", ""), person):
        return False
    fields = _fields(request.POST)
    size = sum(len(name) + sum(map(len, texts)) for name, texts in fields.items())
    if person is None or page is None or size + len(page) > MOST_CHARACTERS:
        return False
    form = KeptForm(person, timezone.now().timestamp(), page, fields, bool(request.FILES))
    sealed = _cipher().encrypt(json.dumps(asdict(form)).encode())
    request.session[KEPT] = {"person": person, "sealed": sealed.decode(), "is_open": False}
    return True


def is_from_portal(request: HttpRequest) -> bool:
    """Whether the browser itself says that a page of the portal sent this request.

    No other site can say so: `Origin` is out of the reach of scripts and forms.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    return request.headers.get("origin") == settings.PORTAL_URL and site == "same-origin"


def kept_form(request: HttpRequest) -> KeptForm | None:
    """The form that is kept for the signed-in person; whatever else the session has is dropped."""
    held = request.session.get(KEPT)
    if held is None:
        return None
    try:
        form = KeptForm(**json.loads(_cipher().decrypt(held["sealed"].encode())))
    except (InvalidToken, TypeError, ValueError, LookupError, AttributeError):
        form = None
    if form is None or form.person != str(request.user.pk) or form.ends_at <= timezone.now():
        drop(request)
        return None
    return form


def drop_another_s(request: HttpRequest, person: str) -> None:
    """Forget what is kept for anybody else: asked at each request, without opening it."""
    if request.session.get(KEPT, {}).get("person", person) != person:
        drop(request)


def open_it(request: HttpRequest) -> None:
    """Let its page be filled in from now on, until it is sent."""
    request.session[KEPT] = {**request.session[KEPT], "is_open": True}


def opened(request: HttpRequest) -> KeptForm | None:
    """The kept form that the page of this request is filled in with; None for another page."""
    if not request.session.get(KEPT, {}).get("is_open"):
        return None
    form = kept_form(request)
    return form if form and form.address == request.get_full_path() else None


def drop(request: HttpRequest) -> None:
    """Forget it."""
    request.session.pop(KEPT, None)


def page_of(request: HttpRequest) -> str | None:
    """The page of the portal on which the form of this request stands.

    It is the address that was posted to where that can be read, as forms come back with errors
    there; else the page that sent it.
    """
    said = [request.POST.get(PAGE, ""), request.get_full_path(), request.headers.get("referer", "")]
    return next((page for one in said if (page := _readable(request, one))), None)


def _readable(request: HttpRequest, address: str) -> str | None:
    """The path of a page of this portal that a signed-in person opens; None for anything else."""
    if not address or not is_of_portal(request, address):
        return None
    path = urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl()
    try:
        with override(get_language_from_path(path)):
            view = resolve(urlsplit(path).path).func
    except Resolver404:
        return None
    return path if is_of_portal(request, path) and _is_ours(view) else None


def _is_ours(view: Callable[..., Any]) -> bool:
    """Whether a page is read behind the sign-in and is no page about signing in itself."""
    return getattr(view, "login_required", True) and "GET" in rules_of(view)


def _whose(request: HttpRequest) -> str | None:
    """Whose form it is: of whoever is signed in, or was in this browser."""
    if isinstance(request.user, User):
        return str(request.user.pk)
    person: str | None = request.session.get(WAS)
    return person


def _fields(posted: QueryDict) -> dict[str, list[str]]:
    entered: Mapping[str, Any] = dict(posted.lists())
    return {name: texts for name, texts in entered.items() if not NEVER_KEPT.fullmatch(name)}


def _cipher() -> Any:
    return cipher("accounts.sessions.kept")
