"""The lines of the log: JSON, one for each thing that happened, and nobody's name in them.

A line says when (UTC), what, how it ended, where (the name of the page, never its address, which
may hold a secret) and who (a person's number, which says nothing outside the portal). What other
libraries write may hold anything: of theirs only the logger's name, the status and the places in
the code are kept. What the portal's own rooms write is words and numbers of its own.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from audit.request_id import asked

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = frozenset(path.parent.name for path in HOUSE.glob("*/__init__.py"))
DEEPEST = 12
"""How many places in the code a line names: the innermost."""


class JsonLines(logging.Formatter):
    """Writes a record as one line. JSON escapes what could end the line or colour it."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.name,
        }
        if record.name.partition(".")[0] in ROOMS:
            said["said"] = record.getMessage()
        if status := getattr(record, "status_code", None):
            said["status"] = status
        if request := getattr(record, "request", None) or asked.get():
            said |= about(request)
        if record.exc_info and record.exc_info[1]:
            said |= fault(record.exc_info[1])
        return json.dumps(said)


def about(request: object) -> dict[str, Any]:
    """Who asked for which page, and under which id; what nobody knows yet is left out."""
    if not isinstance(request, HttpRequest):
        return {}
    page = request.resolver_match.view_name if request.resolver_match else None
    person = getattr(request, "_cached_user", None)
    told = {
        "method": request.method if request.method in {"GET", "HEAD", "POST"} else "other",
        "page": page,
        "who": getattr(person, "pk", None),
        "request": getattr(request, "log_id", None),
    }
    return {name: value for name, value in told.items() if value is not None}


def fault(error: BaseException) -> dict[str, Any]:
    """What kind of fault, and where in the code: without its words, which may quote somebody."""
    places = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return {
        "error": type(error).__name__,
        "in": [f"{_shown(one.filename)}:{one.lineno} {one.name}" for one in places],
    }


def _shown(filename: str) -> str:
    """A file of the house by its path in it, any other by its last three parts."""
    path = Path(filename)
    ours = path.is_relative_to(HOUSE) and ".venv" not in path.parts
    return str(path.relative_to(HOUSE)) if ours else "/".join(path.parts[-3:])
