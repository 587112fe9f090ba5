"""What every template knows without being told."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

# The name of each language in that language, so that whoever needs it can read it.
OWN_NAMES = {"en-ca": "English", "fr-ca": "Français"}


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's name and operator, this page in the other language, the account in use, and
    when the session ends."""
    times = getattr(request, "session_times", None)
    return {
        "portal": {"name": _("CARM Client Portal"), "operator": settings.PORTAL_OPERATOR},
        "local_accounts": settings.LOCAL_ACCOUNTS,
        "other_language": other_language(request),
        "account_in_use": getattr(request, "account_in_use", None),
        "viewing_as": getattr(request, "viewing_as", None),
        "account_notice": getattr(request, "account_notice", ""),
        "session_end": times.left(timezone.now()) if times else None,
        "session_warning_seconds": settings.SESSION_WARNING_MINUTES * 60,
    }


def other_language(request: HttpRequest) -> dict[str, str]:
    """The language that the page is not in: `code`, `name` and the `url` of the same page.

    An address in another language differs in its beginning alone; one without a language, as a
    provider's way back, leads to the first page.
    """
    here = get_language() or settings.LANGUAGE_CODE
    code = "en-ca" if here.startswith("fr") else "fr-ca"
    address, prefix = request.get_full_path(), f"/{here}/"
    rest = address.removeprefix(prefix) if address.startswith(prefix) else ""
    return {"code": code, "name": OWN_NAMES[code], "url": f"/{code}/{rest}"}
