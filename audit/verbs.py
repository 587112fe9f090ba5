"""The sentence of each act, in the language of whoever reads the history.

Each room registers its verbs when it is ready, so that history can be told without knowing them.
"""

from collections.abc import Mapping
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext

REFUSED = ".refused"

_sentences: dict[str, str | Promise] = {}


class Told(Protocol):
    """What a sentence needs to know of an event."""

    @property
    def verb(self) -> str: ...
    @property
    def object_label(self) -> str: ...
    @property
    def actor_name(self) -> str: ...


def register(sentences: Mapping[str, str | Promise]) -> None:
    """Adds sentences by verb, with the names %(object)s and %(actor)s where they are wanted.

    A verb belongs to one room: registering it twice is an error.
    """
    twice = _sentences.keys() & sentences.keys()
    if twice:
        raise ValueError(f"Registered twice: {', '.join(sorted(twice))}")
    _sentences.update(sentences)


def sentence(event: Told) -> str:
    """What happened, in the active language; a verb without a sentence stands for itself.

    A refusal of a sensitive act is told by the sentence of the act.
    """
    if event.verb not in _sentences and event.verb.endswith(REFUSED):
        return gettext("Attempt refused: %(act)s") % {
            "act": _tell(event.verb.removesuffix(REFUSED), event)
        }
    return _tell(event.verb, event)


def _tell(verb: str, event: Told) -> str:
    return str(_sentences.get(verb, verb)) % {
        "object": event.object_label or "…",
        "actor": event.actor_name,
    }
