"""Identity providers for a demonstration: whoever comes there says who they are, and is believed.

They stand in for GCKey and a Sign-In Partner on this machine, in threads of the portal's one
process. Production never starts them.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from oidc_provider_mock import User as Subject
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ccp import demo

type Application = Callable[..., Any]

log = logging.getLogger(__name__)


def serve() -> None:
    """Serve every provider of the settings, each at the port of its issuer."""
    if settings.IS_PRODUCTION:
        raise ImproperlyConfigured("The sandbox of identity providers has no place in production.")
    for known in settings.SIGN_IN_WITH:
        address = urlsplit(known["settings"]["server_url"])
        try:
            started(oidc_provider_mock.app(user_claims=[*subjects()]), address.port or 0)
        except SystemExit:  # what the server does where the port is taken
            log.error("Port %s is taken: %s does not answer.", address.port, known["name"])


def subjects() -> Iterator[Subject]:
    """The demo people, and somebody whom the portal has never seen."""
    level = {"acr": settings.SANDBOX_ACR}
    for person in demo.PEOPLE:
        claims = {
            "given_name": person.given,
            "family_name": person.family,
            "email": person.email,
            "email_verified": True,
            "locale": person.language,
        }
        yield Subject(sub=person.subject, claims=claims | level)
    yield Subject(sub="somebody.new", claims=dict(level))


class Quiet(WSGIRequestHandler):
    """Answers without a line on the console for each request."""

    def log(self, *args: Any, **named: Any) -> None:
        pass


def started(application: Application, port: int) -> BaseWSGIServer:
    """The application at `http://localhost:<port>`, in a thread; at any free port for 0."""
    server = make_server("localhost", port, application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    return server


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """The application for a while, and the address that it has."""
    server = started(application, 0)
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
