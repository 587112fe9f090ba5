"""A form posted twice (double click, refresh, back, retry) has one effect."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from pages.models import Submission

type View = Callable[..., HttpResponse]

ONE_TIME = frozenset({"csrfmiddlewaretoken", "otp", "passkey", "send_code"})
"""The fields that say who sends a form, now, and nothing of what was entered: its protection
against forgery, and the proof that a sensitive act asks for in its place. A form that is sent with
another of them is the same form, and none of them is sent twice or kept."""


def drawn_key(person: object) -> UUID:
    """A new key for a page that `person`, a primary key, reads; its second half says for whom."""
    drawn = secrets.token_bytes(8)
    return UUID(bytes=drawn + _mark(drawn, person))


def is_key_of(key: str, person: object) -> bool:
    """Whether the key was drawn for a page of this person, and of nobody else."""
    try:
        said = UUID(key).bytes
    except ValueError:
        return False
    return constant_time_compare(said[8:], _mark(said[:8], person))


def _mark(drawn: bytes, person: object) -> bytes:
    return salted_hmac("pages.once", drawn + str(person).encode(), algorithm="sha256").digest()[:8]


def once(view: View) -> View:
    """Let each form that `{% form_key %}` marked act once through `view`.

    A post claims its key (for this person, this page in any language, what was entered and the
    files) in the transaction in which the view acts, so that two posts at the same time wait for
    one another.
    The outcome is the page that the view redirects to; the same post again answers with it and
    does not run the view. Who goes back and changes the form posts something else, which acts.
    Any other answer releases the key: a form that was refused is corrected and posted again. An
    anonymous post, and one without a well-formed key, claims nothing and the view runs.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        key = _posted_key(request)
        if key is None or request.user.pk is None:
            return view(request, *args, **kwargs)
        with transaction.atomic():
            submission, is_claimed = Submission.objects.get_or_create(
                key=key,
                user_id=request.user.pk,
                digest=_digest(request, kwargs),
                defaults={"created_at": timezone.now()},
            )
            if not is_claimed:
                return HttpResponseRedirect(submission.outcome)
            response = view(request, *args, **kwargs)
            if isinstance(response, HttpResponseRedirect):
                submission.outcome = response.url
                submission.save(update_fields=["outcome"])
            else:
                submission.delete()
        return response

    return guarded


def once_each(view: View) -> View:
    """Let a form that does several acts, each a transaction of its own, lead to one page.

    In one transaction, as under `once`, two people who do such acts in another order would wait
    for one another for ever. Each act must have one effect by itself: two posts at the same time
    both run the view, a later one answers with the outcome of the first.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        key = _posted_key(request)
        if key is None or request.user.pk is None:
            return view(request, *args, **kwargs)
        claim: dict[str, Any] = {
            "key": key,
            "user_id": request.user.pk,
            "digest": _digest(request, kwargs),
        }
        before = Submission.objects.filter(**claim).first()
        if before and before.outcome:
            return HttpResponseRedirect(before.outcome)
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect):
            Submission.objects.update_or_create(
                **claim, defaults={"outcome": response.url, "created_at": timezone.now()}
            )
        return response

    return guarded


def _digest(request: HttpRequest, kwargs: Mapping[str, object]) -> str:
    """SHA-256 of the page and of what was entered, in hexadecimal."""
    page = request.resolver_match.view_name if request.resolver_match else request.path
    entered = sorted(
        (name, values) for name, values in request.POST.lists() if name not in ONE_TIME
    )
    place = sorted((name, str(value)) for name, value in kwargs.items())
    files = [
        [name, file.name, _file_digest(file)]
        for name, posted in sorted(request.FILES.lists())
        for file in posted
    ]
    return hashlib.sha256(json.dumps([page, place, entered, files]).encode()).hexdigest()


def _file_digest(file: UploadedFile) -> str:
    """SHA-256 of what a posted file holds, which is then read from its beginning again."""
    found = hashlib.sha256()
    for chunk in file.chunks():
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


def _posted_key(request: HttpRequest) -> UUID | None:
    """The key of the form in a post; None where there is none or it is malformed."""
    if request.method != "POST":
        return None
    try:
        return UUID(request.POST.get("form_key", ""))
    except ValueError:
        return None
