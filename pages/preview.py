"""What is confirmed is what its preview showed.

A preview carries a seal: a keyed digest of all that it shows, for this person and this page. The
post that confirms brings it back. Where it differs from the seal of what would be shown now,
because something changed meanwhile or the preview was never seen, the preview is shown again.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

CONFIRM, SEAL = "confirm", "seal"
"""The button that confirms, and the hidden input beside it."""


def seal(request: HttpRequest, shown: object) -> str:
    """The seal, in hexadecimal, of what a preview shows: texts, numbers, lists and mappings."""
    text = json.dumps([request.user.pk, request.path, shown], sort_keys=True)
    return salted_hmac("pages.preview", text, algorithm="sha256").hexdigest()


def is_confirmed(request: HttpRequest, shown: object) -> bool:
    """Whether the post confirms exactly what would be shown now."""
    return is_confirming(request) and constant_time_compare(
        request.POST.get(SEAL, ""), seal(request, shown)
    )


def is_confirming(request: HttpRequest) -> bool:
    """Whether the post confirms something; if not this, the preview says that it changed."""
    return CONFIRM in request.POST


def previewed(request: HttpRequest, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of a preview knows: what it shows, its seal, and whether it has changed."""
    return {**shown, "seal": seal(request, shown), "has_changed": is_confirming(request)}
