"""Several things done at once: what became of each, one by one.

The results of a post are kept in the session until a few later ones took their place: they are read
once, after the redirect, by the person who acted, and what they tell of is in the history.
"""

from dataclasses import asdict, dataclass
from uuid import uuid4

from django.http import HttpRequest

KEPT = "results"
MOST_KEPT = 3


@dataclass(frozen=True)
class Result:
    """One of several acts: what it was about, whether it was done, and what happened or why not."""

    label: str
    is_done: bool
    message: str


def keep(request: HttpRequest, results: list[Result]) -> str:
    """Keep the results for the page after the redirect; gives the key that they are found by."""
    key = str(uuid4())
    before: dict[str, object] = request.session.get(KEPT, {})
    later = list(before.items())[1 - MOST_KEPT :]
    request.session[KEPT] = dict(later) | {key: [asdict(one) for one in results]}
    return key


def kept(request: HttpRequest, key: str) -> list[Result]:
    """The results kept by that key in this session; nothing where there are none any more."""
    return [Result(**one) for one in request.session.get(KEPT, {}).get(key, [])]
