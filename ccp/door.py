"""The door between the application server and the portal."""

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase
from django.utils.http import parse_header_parameters


class Door(WSGIHandler):
    """Lets a body in as one of the kind that it says it is of, and never of another encoding.

    The framework reads the kind before any layer that answers for faults, and where it names an
    encoding the address as well: whoever sent what cannot be read would get a fault of the server.
    What comes here is UTF-8, as its pages are.
    """

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> HttpResponseBase:
        environ["CONTENT_TYPE"] = without_encoding(environ.get("CONTENT_TYPE", ""))
        return super().__call__(environ, start_response)


def without_encoding(kind: str) -> str:
    """A Content-Type without its parameters but the one that a file needs; empty if unreadable."""
    try:
        name, parameters = parse_header_parameters(kind)
    except (ValueError, LookupError):
        return ""
    boundary = parameters.get("boundary", "")
    return f'{name}; boundary="{boundary}"' if boundary and '"' not in boundary else name
