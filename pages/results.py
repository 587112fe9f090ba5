"""Several things done at once: what became of each, one by one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One of several acts: what it was about, whether it was done, and what happened or why not."""

    label: str
    is_done: bool
    message: str
