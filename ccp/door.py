"""The door between the application server and the portal."""

import codecs
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase
from django.utils.http import parse_header_parameters


class Door(WSGIHandler):
    """Lets a body of no readable kind in as one of no kind.

    The framework reads the kind before any layer that answers for faults: whoever sent one that
    cannot be read would get a fault of the server.
    """

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> HttpResponseBase:
        if not is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        return super().__call__(environ, start_response)


def is_readable(kind: str) -> bool:
    """Whether the framework can take a Content-Type apart."""
    try:
        _, parameters = parse_header_parameters(kind)
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        return True  # an encoding that nobody knows is passed over
    except ValueError:
        return False
    return True
