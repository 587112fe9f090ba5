"""Messages that are written later than their occasion, about several things at once.

Each room registers what writes its digests when it is ready; `send_due_notices` asks them all.
"""

from datetime import datetime
from typing import Protocol


class Writer(Protocol):
    """Writes the digests that are due at an instant and tells how many."""

    def __call__(self, *, at: datetime) -> int: ...


_writers: list[Writer] = []


def register(writer: Writer) -> None:
    """Add a writer of digests, once."""
    if writer not in _writers:
        _writers.append(writer)


def write_due(at: datetime) -> int:
    """Write every digest that is due and tell how many."""
    return sum(writer(at=at) for writer in _writers)
