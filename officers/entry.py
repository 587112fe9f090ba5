"""The way into the officers' desk: to whoever is no officer it does not exist."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.officers import Officer, officer_of
from delegation.entry import signed_in


def enter_desk(request: HttpRequest) -> Officer:
    """The signed-in person as an officer, now; 404 for anybody else."""
    officer = officer_of(signed_in(request), timezone.now())
    if officer is None:
        raise Http404
    return officer


def require_officer(is_allowed: bool) -> None:
    """Go on if the officer may, else 403 with the reason."""
    if not is_allowed:
        raise PermissionDenied(_("The agency did not give you this part of the desk."))
