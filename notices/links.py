"""Links that work outside the portal. They come from a setting and never from a request, whose
Host header a stranger may write."""

from django.conf import settings


def absolute(path: str) -> str:
    """The full address of a path of the portal: `/en-ca/` becomes `https://portal.example/en-ca/`."""
    return settings.PORTAL_URL + path
