"""The world as it grows: its dice, its clock, its firms, what it must tell, and its history."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import batched
from random import Random
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from tqdm import tqdm

from accounts.models import User
from audit.models import Chain
from audit.services import chained
from businesses.models import BusinessAccount, ProgramAccount, RegisterEntity
from ccp.seed.writer import Writer
from delegation.models import EmployeeGroup
from delegation.roles import Role

PASSWORD = "granite-lantern-2026"  # noqa: S105 - told with the world, refused in production
MOST = 900_000
"""How many businesses a world can have: their numbers leave six digits for it."""

SERIES = 80
"""Worlds of seeds that differ by less than this have no business number in common."""


@dataclass
class Firm:
    """A business of the world. `people` are those of its roster, by part: see `people.roster`."""

    place: int
    marker: str
    account: BusinessAccount
    entity: RegisterEntity
    begun_at: datetime
    programs: list[ProgramAccount] = field(default_factory=list)
    people: dict[str, User] = field(default_factory=dict)
    groups: dict[str, EmployeeGroup] = field(default_factory=dict)
    clients: list["Client"] = field(default_factory=list)
    providers: list["Client"] = field(default_factory=list)

    @property
    def bn9(self) -> str:
        return self.account.bn9

    @property
    def founder(self) -> User:
        """The first Business Account Manager."""
        return self.people["founder"]

    def program(self, extension: str) -> ProgramAccount:
        """A program account of the firm."""
        return next(one for one in self.programs if one.extension == extension)

    @property
    def is_provider(self) -> bool:
        return self.account.provider_type != BusinessAccount.ProviderType.NONE

    @property
    def is_broker(self) -> bool:
        return self.account.provider_type == BusinessAccount.ProviderType.BROKER

    @property
    def staff(self) -> list[User]:
        """The people whom a service provider assigns to its clients."""
        return [person for part, person in self.people.items() if part.startswith("staff")]


@dataclass
class Client:
    """A relationship, as far as what follows from it must know."""

    client: Firm
    provider: Firm
    relationship: UUID
    begun_at: datetime


class World:
    """What every part of the seed shares."""

    def __init__(self, *, businesses: int, seed: int, at: datetime) -> None:
        self.businesses = businesses
        self.seed = seed
        self.at = at
        self.dice = Random(seed)  # noqa: S311 - a world is to be the same again, not a secret
        self.series = f"{10 + seed % SERIES}"
        self.password = make_password(PASSWORD)
        self.firms: list[Firm] = []
        self.on_file: list[RegisterEntity] = []
        self.history: list[dict[str, Any]] = []
        self.told: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[str, dict[str, str]] = {}
        self.writer = Writer()
        self.turns = 0
        self.declared = 0

    def uuid(self) -> UUID:
        """A key that is the same for the same seed."""
        return UUID(int=self.dice.getrandbits(128), version=4)

    def some_time(self, *, after: datetime, before: datetime) -> datetime:
        """An instant between two others, to the minute."""
        minutes = max(1, int((before - after) / timedelta(minutes=1)))
        return after + timedelta(minutes=self.dice.randrange(minutes))

    def add[Row: models.Model](self, row: Row) -> Row:
        """Take a row to be written with the others of its table; it has its key at once."""
        return self.writer.add(row)

    def tell(self, kind: str, **facts: Any) -> None:
        """Keep what an outside script must know."""
        self.told.setdefault(kind, []).append(facts)

    def exists(self) -> bool:
        """Whether the world was made already, or another with its business numbers."""
        return RegisterEntity.objects.filter(bn9__startswith=f"{self.series}000").exists()

    def next_declaration(self) -> int:
        """The serial number of one more declaration."""
        self.declared += 1
        return self.declared

    def record(self, **act: Any) -> None:
        """Keep an act for the history: the arguments of `audit.services.record`."""
        self.history.append(act)

    def write_history(self) -> None:
        """Write the history of everybody and every firm, in the order of time."""
        acts = sorted(self.history, key=lambda act: act["at"])
        heads: dict[str, Chain] = {}
        for some in batched(tqdm(acts, desc="history", unit=" acts", disable=None), 5000):
            for event in chained(some, heads):
                self.add(event)
            self.writer.write()
        for head in heads.values():
            self.add(head)
        self.writer.write()
        self.writer.finish()

    def batches(self, firms: Iterable[Firm], what: str) -> Iterable[tuple[Firm, ...]]:
        """The firms, some at a time; what is taken of them is written before the next ones.

        Shows a progress bar where there is a terminal.
        """
        every = list(firms)
        with tqdm(total=len(every), desc=what, unit=" firms", disable=None) as bar:
            for some in batched(every, 500, strict=False):
                yield some
                self.writer.write()
                bar.update(len(some))

    @property
    def importers(self) -> list[Firm]:
        return [firm for firm in self.firms if not firm.is_provider]

    @property
    def providers(self) -> list[Firm]:
        return [firm for firm in self.firms if firm.is_provider]


@cache
def permission(kind: type[models.Model], role: Role) -> Permission:
    """The permission that stands for a role on a kind of scope."""
    content_type = ContentType.objects.get_for_model(kind)
    return Permission.objects.get(content_type=content_type, codename=role.value)
