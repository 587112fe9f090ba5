"""What a provider's list looks at: declarations newest first, none of which it may not show.

What a person of a provider may see of clients is made of streams: of each program account what the
importer submitted, what others did, what the own firm did. Each stream that is open, and no other,
is read in the order of an index: what a rule hides is never met, so that no page tells by its
length what others submitted. Before that, the newest declarations of the clients are glanced at,
in one order that the database keeps for each firm: most firms find a page there, and nobody meets
what strangers declare. What is found is judged by `Access.visible` all the same: here is no
decision.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.sql.compiler import SQLCompiler

from businesses.models import ProgramAccount
from delegation.access import NEVER, Access
from delegation.models import RelationshipTerms, Visibility
from delegation.reach import works_for
from pages.paging import Page, page_by_key, place_of
from transactions.models import ClientDeclaration, Declaration, DeclarationParty

Side = DeclarationParty.Side
STREAMS = 3
"""In how many streams of one program account the same declaration can stand."""
NEWEST = ("-declared_at", "-declaration_id")
GLANCES = (100, 500)
"""How many of the newest declarations of a firm and its clients are looked at, step by step."""
BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)
"""When the newest declaration of a stream without any was declared."""


class Keys(Subquery):
    """The declarations of a subquery as one list."""

    output_field = models.JSONField()

    def as_sql(
        self, compiler: SQLCompiler, connection: Any, template: str | None = None, **extra: Any
    ) -> Any:
        """A list made by the database, in the words of PostgreSQL or of SQLite."""
        listing = "json_group_array" if connection.vendor == "sqlite" else "jsonb_agg"
        made = f"(SELECT {listing}(found.declaration_id) FROM (%(subquery)s) found)"  # noqa: S608
        return super().as_sql(compiler, connection, template or made, **extra)


@dataclass(frozen=True)
class Stream:
    """One kind of submission on program accounts; `name` tells the streams of one apart."""

    name: str
    programs: QuerySet[ProgramAccount]
    rows: Q

    def newest(self, below: Q) -> QuerySet[DeclarationParty]:
        """What it holds of the program account of the outer query, newest first."""
        rows = DeclarationParty.objects.filter(self.rows, below, program=OuterRef("pk"))
        return rows.order_by(*NEWEST)


@dataclass(frozen=True)
class Seen:
    """What a list of a provider is narrowed to: program accounts, days, submitters.

    `names` are those of the streams that are read. Whatever is empty narrows nothing. `works_for`
    is the condition that somebody works for the client of terms.
    """

    client_bn9: str
    extension: str
    days: Q
    names: frozenset[str]
    works_for: Q = NEVER

    @property
    def programs(self) -> Q:
        """The condition on program accounts."""
        wanted = Q(business__bn9=self.client_bn9) if self.client_bn9 else Q()
        return wanted & Q(extension=self.extension) if self.extension else wanted


def newest_seen(access: Access, seen: Seen, *, after: str, size: int) -> Page[Declaration]:
    """The newest declarations of the open streams below the row of a token."""
    below = seen.days & _below(after)
    seen = replace(seen, works_for=works_for(access, "relationship__client"))
    keys, is_whole = _at_a_glance(access, seen, after, size)
    if len(keys) <= size and not is_whole:
        keys |= _looked_for(access, seen, below, size + 1)
    rows = Declaration.objects.filter(pk__in=keys).select_related("program", "owner")
    return page_by_key(rows, after=after, size=size)


def _at_a_glance(access: Access, seen: Seen, after: str, size: int) -> tuple[set[int], bool]:
    """What is open among the newest of the firm and its clients, and whether there are no others.

    Whoever may see a good part of them finds a page here, however many clients there are.
    """
    keys = set[int]()
    for most in GLANCES:
        if seen.client_bn9 or most <= size:
            continue
        newest = _newest(access, seen, after, most)
        keys = _open_among(access, seen, newest)
        if len(keys) > size:
            return set([key for key in newest if key in keys][: size + 1]), False
        if len(newest) < most:
            return keys, True
    return keys, False


def _open_among(access: Access, seen: Seen, newest: list[int]) -> set[int]:
    """Those of the declarations that stand in a stream that is open and wanted: 2 queries."""
    parties = DeclarationParty.objects.filter(declaration__in=newest).values_list(
        "program_id", "program__business", "program__extension", "side", "submitter", "declaration"
    )
    # Here and not in the question: PostgreSQL might begin with everybody's accounts of that name.
    rows = [row for row in parties if row[2] == (seen.extension or row[2])]
    open_to = _open_streams(access, seen, {program: owner for program, owner, *_rest in rows})
    keys = set()
    for program, _owner, _extension, side, submitter, key in rows:
        names = {side, "ours"} if submitter == access.acting_for.pk else {side}
        if names & open_to[program] & (seen.names or names):
            keys.add(key)
    return keys


def _newest(access: Access, seen: Seen, after: str, most: int) -> list[int]:
    """The newest declarations of the firm and of all its clients: 2 queries.

    Each is cut off by itself: of a union PostgreSQL reads all before it sorts.
    """
    of_clients = ClientDeclaration.objects.filter(
        seen.days, _below(after), provider=access.acting_for
    )
    own = Declaration.objects.filter(seen.days, _below(after, "pk"), owner=access.acting_for)
    found = [
        *of_clients.order_by(*NEWEST).values_list("declared_at", "declaration_id")[:most],
        *own.order_by("-declared_at", "-pk").values_list("declared_at", "pk")[:most],
    ]
    return [key for _at, key in sorted(found, reverse=True)[:most]]


def _open_streams(
    access: Access, seen: Seen, owners: Mapping[int, int]
) -> defaultdict[int, set[str]]:
    """The streams, by name, that are open on each program account of an owner: 1 query."""
    of_business: defaultdict[int, list[int]] = defaultdict(list)
    for pk, business in owners.items():
        of_business[business].append(pk)
    found: defaultdict[int, set[str]] = defaultdict(set)
    for pk in of_business[access.acting_for.pk]:
        if access.is_bam or pk in access.own.programs:
            found[pk] |= {Side.IMPORTER, Side.OTHER}
    begun = access.terms().filter(seen.works_for, relationship__client__in=[*of_business])
    for terms in begun.select_related("relationship"):
        for pk in of_business[terms.relationship.client_id]:
            if terms.covers(pk):
                found[pk] |= {"ours", *(_shown(terms) if access.in_force(terms) else ())}
    return found


def _shown(terms: RelationshipTerms) -> set[str]:
    """The sides that terms in force show."""
    sides = {Side.IMPORTER: terms.visibility_importer, Side.OTHER: terms.visibility_other}
    return {side for side, rule in sides.items() if rule != Visibility.NONE}


def _looked_for(access: Access, seen: Seen, below: Q, most: int) -> set[int]:
    """The newest declarations of each open stream that has any of the newest."""
    names = seen.names
    streams = [one for one in _streams(access, seen) if one.name in (names or {one.name})]
    heads = _heads(streams, below, STREAMS * most)
    keys = _of_heads(streams, heads, below, most)
    if access.is_bam and "ours" in (names or {"ours"}):
        # A manager works for every client: what the firm submitted for them is one range of an
        # index. What it submitted as an importer is another stream.
        ours = DeclarationParty.objects.filter(below, submitter=access.acting_for)
        ours = ours.exclude(side=Side.IMPORTER)
        if seen.programs:
            ours = ours.filter(program__in=ProgramAccount.objects.filter(seen.programs))
        keys |= set(ours.order_by(*NEWEST).values_list("declaration_id", flat=True)[:most])
    return keys


def _streams(access: Access, seen: Seen) -> Iterator[Stream]:
    """The streams that are open to a person, each over the program accounts where it is."""
    own = ProgramAccount.objects.filter(business=access.acting_for)
    if not access.is_bam:
        own = own.filter(pk__in=access.own.programs)
    for name, rule, side in (
        ("importer", "visibility_importer", Side.IMPORTER),
        ("other", "visibility_other", Side.OTHER),
    ):
        yield Stream(name, _among(seen, own, access.terms(rule)), Q(side=side))
    if not access.is_bam:
        theirs = Q(submitter=access.acting_for)
        yield Stream("ours", _among(seen, own.none(), access.terms()), theirs)


def _among(
    seen: Seen, own: QuerySet[ProgramAccount], terms: QuerySet[RelationshipTerms]
) -> QuerySet[ProgramAccount]:
    """Own program accounts and those that terms speak of, as far as they are wanted."""
    terms = terms.filter(seen.works_for)
    named = terms.filter(program__isnull=False).values("program")
    whole = terms.filter(program__isnull=True).values("relationship__client")
    every = ProgramAccount.objects.filter(business__in=whole).values("pk")
    return ProgramAccount.objects.filter(
        seen.programs, pk__in=named.union(every, own.values("pk"), all=True)
    )


def _heads(streams: list[Stream], below: Q, most: int) -> list[tuple[str, int]]:
    """The streams, by name and program account, whose newest declarations are the newest."""
    parts = []
    for stream in streams:
        newest = stream.newest(below)
        parts.append(
            stream.programs.annotate(
                stream=Value(stream.name),
                head_at=Coalesce(Subquery(newest.values("declared_at")[:1]), BEFORE_ALL),
                head=Coalesce(
                    Subquery(newest.values("declaration_id")[:1]),
                    0,
                    output_field=models.BigIntegerField(),
                ),
            ).values_list("stream", "pk", "head_at", "head")
        )
    if not parts:
        return []
    ranked = parts[0].union(*parts[1:], all=True).order_by("-head_at", "-head")
    return [(name, pk) for name, pk, _at, head in ranked[:most] if head]


def _of_heads(streams: list[Stream], heads: list[tuple[str, int]], below: Q, most: int) -> set[int]:
    """The newest declarations of these streams, so many of each."""
    parts = [
        ProgramAccount.objects.filter(pk__in=[pk for name, pk in heads if name == stream.name])
        .annotate(newest=Keys(stream.newest(below).values("declaration_id")[:most]))
        .values_list("newest", flat=True)
        for stream in streams
        if any(name == stream.name for name, _pk in heads)
    ]
    found = parts[0].union(*parts[1:], all=True) if parts else ()
    return {key for keys in found for key in keys}


def _below(after: str, key_column: str = "declaration") -> Q:
    """The condition on rows that their declarations stand below the row of a token."""
    place = place_of(Declaration, after=after)
    if not place:
        return Q()
    at, key = place
    return Q(declared_at__lte=at) & (Q(declared_at__lt=at) | Q((f"{key_column}__lt", key)))
