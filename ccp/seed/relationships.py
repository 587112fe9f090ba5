"""Relationships of every state, and the requests that led to them, or led nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit.services import business_chain
from businesses.models import ProgramAccount
from ccp.seed.world import Client, Firm, World
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    Visibility,
)
from delegation.services.agreements import Agreement, Rules, terms_of

AGREED = (
    "narrow", "wide", "open_ended", "expiring_soon", "expired", "future", "suspended", "ended",
    "left", "narrowed", "renewed",
)  # fmt: skip
"""Whose request was approved."""

UNDECIDED = ("waiting", "lapsed", "rejected", "withdrawn")

WIDE = Rules(Visibility.EDIT, Visibility.EDIT, Visibility.EDIT)
USUAL = Rules(Visibility.EDIT, Visibility.VIEW, Visibility.NONE)
NARROW = Rules(Visibility.VIEW, Visibility.NONE, Visibility.NONE)
SHARE_OF_THE_LARGEST = 0.25


@dataclass(frozen=True)
class Pair:
    """A client and a provider, and how it stands between them."""

    client: Firm
    provider: Firm
    state: str

    @property
    def known_since(self) -> datetime:
        """When the younger of them had settled in."""
        return max(self.client.begun_at, self.provider.begun_at) + timedelta(days=30)


def build(world: World) -> None:
    """Give every importer one service provider or two, in all states by turns."""
    providers = world.providers
    if not providers:
        return
    for firms in world.batches(world.importers, "relationships"):
        for client in firms:
            for pair in _pairs(world, client, providers):
                _relate(world, pair)
    _ask_the_unregistered(world, providers)
    world.writer.write()


def _pairs(world: World, client: Firm, providers: Sequence[Firm]) -> list[Pair]:
    """The providers of a client: the first broker has a share of its own."""
    states = (*AGREED, *UNDECIDED, "partly")
    dice = world.dice
    largest = dice.random() < SHARE_OF_THE_LARGEST
    first = providers[0] if largest else dice.choice(providers)
    turn = world.turns = world.turns + 1
    pairs = [Pair(client, first, states[turn % len(states)])]
    second = dice.choice(providers)
    if second is not first and dice.random() < 0.5:
        pairs.append(Pair(client, second, dice.choice(states)))
    return pairs


def _relate(world: World, pair: Pair) -> None:
    if pair.state in UNDECIDED:
        _leave_undecided(world, pair)
    elif pair.state == "partly" and len(pair.client.programs) > 1:
        _agree(world, pair, agreement_of(world, pair), partly=True)
    elif pair.state == "renewed":
        _agree(world, pair, agreement_of(world, replace(pair, state="expired")))
        _agree(world, pair, agreement_of(world, pair), since=world.at - timedelta(days=60))
    else:
        _agree(world, pair, agreement_of(world, pair))


def agreement_of(world: World, pair: Pair) -> Agreement:
    """What the client gave, by the state that it is in now."""
    today = timezone.localdate(world.at)
    last_day: dict[str, date | None] = {
        "open_ended": None,
        "expiring_soon": today + timedelta(days=12),
        "expired": today - timedelta(days=100),
    }
    is_wide = pair.state in ("wide", "narrowed")
    is_small = pair.state in ("narrow", "partly")
    programs = pair.client.programs[:1] if is_small else pair.client.programs
    return Agreement(
        level=Level.BUSINESS if is_wide else Level.PROGRAM,
        programs=frozenset(program.pk for program in programs),
        ceiling=Ceiling.PAM if is_wide else Ceiling.READER if is_small else Ceiling.EDITOR,
        rules=WIDE if is_wide else NARROW if is_small else USUAL,
        last_day=last_day.get(pair.state, today + timedelta(days=400)),
        covers_future=is_wide,
        open_end_reason=f"Standing mandate ({pair.client.marker})."
        if pair.state == "open_ended"
        else "",
        may_pay=is_wide,
        may_see_amounts=is_wide,
    )


def _agree(
    world: World,
    pair: Pair,
    agreement: Agreement,
    *,
    since: datetime | None = None,
    partly: bool = False,
) -> None:
    """The request, its approval, the relationship with its terms, and what became of it."""
    asked_at = since or world.some_time(
        after=pair.known_since, before=world.at - timedelta(days=200)
    )
    at = asked_at + timedelta(hours=5)
    programs = [one for one in pair.client.programs if one.pk in agreement.programs]
    named = pair.client.programs[:2] if partly else programs
    extensions = [""] if agreement.covers_future else [one.extension for one in named]
    asked = _request(world, pair, agreement, extensions, asked_at)
    agreed = {"", *(program.extension for program in programs)}
    _decide(world, pair, asked, Decision.APPROVED, pair.client.founder, at, only=agreed)
    begins_at = world.at + timedelta(days=30) if pair.state == "future" else at
    relationship = world.add(
        Relationship(
            id=world.uuid(),
            client=pair.client.account,
            provider=pair.provider.account,
            starts_at=begins_at,
            ends_at=agreement.ends_at,
            is_open_ended=agreement.last_day is None,
            request=asked[0],
        )
    )
    scopes: Sequence[ProgramAccount | None] = [None] if agreement.covers_future else programs
    terms = [_terms(world, relationship, agreement, one, begins_at, pair) for one in scopes]
    _afterwards(world, pair, relationship, terms)
    known = Client(pair.client, pair.provider, relationship.pk, begins_at)
    if not any(one.client is pair.client for one in pair.provider.clients):
        pair.provider.clients.append(known)
        pair.client.providers.append(known)
    tell(world, pair, relationship, programs, agreement)


def _terms(
    world: World,
    relationship: Relationship,
    agreement: Agreement,
    program: ProgramAccount | None,
    at: datetime,
    pair: Pair,
) -> RelationshipTerms:
    return world.add(
        terms_of(
            relationship=relationship,
            program=program,
            agreement=agreement,
            agreed_by=pair.client.founder,
            agreed_at=at,
            at=at,
        )
    )


def _afterwards(
    world: World, pair: Pair, relationship: Relationship, terms: list[RelationshipTerms]
) -> None:
    """What happened to some of them since."""
    when = world.at - timedelta(days=40)
    if pair.state == "suspended":
        relationship.suspended_at = when
    if pair.state == "ended":
        _end(world, pair, relationship, terms, pair.client, when)
    if pair.state == "left":
        _end(world, pair, relationship, terms, pair.provider, when)
    if pair.state == "narrowed":
        narrow = replace(
            agreement_of(world, pair),
            level=Level.PROGRAM,
            ceiling=Ceiling.READER,
            rules=NARROW,
            covers_future=False,
            may_pay=False,
            may_see_amounts=False,
        )
        for one in terms:
            one.ends_at = when
        for program in pair.client.programs:
            _terms(world, relationship, narrow, program, when, pair)


def _end(
    world: World,
    pair: Pair,
    relationship: Relationship,
    terms: list[RelationshipTerms],
    by: Firm,
    at: datetime,
) -> None:
    """The client ends the relationship, or the provider leaves it."""
    reason = f"We work with others now ({by.marker})."
    relationship.ends_at, relationship.ended_by = at, by.founder
    relationship.end_reason, relationship.is_left = reason, by is pair.provider
    for one in terms:
        one.ends_at, one.ended_by = at, by.founder
    world.record(
        verb="relationship.end" if by is pair.client else "relationship.leave",
        at=at,
        actor=by.founder,
        acting_for=by.bn9,
        chains=(business_chain(pair.client.bn9), business_chain(pair.provider.bn9)),
        object_type="relationship",
        object_id=relationship.pk,
        object_label=pair.provider.account.legal_name,
        after={"is_over": True},
        reason=reason,
        path="own:bam",
    )


def tell(
    world: World,
    pair: Pair,
    relationship: Relationship,
    programs: list[ProgramAccount],
    agreement: Agreement,
) -> None:
    """Keep what an outside script must know of a relationship."""
    world.tell(
        "relationships",
        id=str(relationship.pk),
        client=pair.client.bn9,
        provider=pair.provider.bn9,
        state=pair.state,
        level=agreement.level.value,
        programs=[program.extension for program in programs],
        covers_future=agreement.covers_future,
        starts_at=relationship.starts_at.isoformat(),
        ends_at=relationship.ends_at.isoformat() if relationship.ends_at else None,
        **{name: rule.value for name, rule in agreement.rules.columns().items()},
    )


# ---------------------------------------------------------------- requests

type Asked = tuple[RelationshipRequest, list[RelationshipRequestLine]]


def _ask_the_unregistered(world: World, providers: Sequence[Firm]) -> None:
    """Requests that wait for a business to register."""
    agreement = Agreement(Level.BUSINESS, frozenset(), Ceiling.EDITOR, USUAL, None)
    for place, entity in enumerate(world.on_file[world.businesses :]):
        if place % 2 == 0:
            provider = world.dice.choice(providers)
            since = world.at - timedelta(days=9, hours=place % 40)
            _ask(world, provider, entity.bn9, agreement, [""], since, "waiting")


def _leave_undecided(world: World, pair: Pair) -> None:
    """A request that waits, has lapsed, was rejected or taken back."""
    since = world.at - timedelta(days=400 if pair.state == "lapsed" else 9)
    since = max(since, pair.known_since)
    asked = _request(world, pair, agreement_of(world, pair), [""], since)
    at = since + timedelta(days=1)
    if pair.state == "rejected":
        _decide(world, pair, asked, Decision.REJECTED, pair.client.founder, at)
    if pair.state == "withdrawn":
        _decide(world, pair, asked, Decision.WITHDRAWN, pair.provider.founder, at)


def _request(
    world: World, pair: Pair, wish: Agreement, extensions: Sequence[str], at: datetime
) -> Asked:
    return _ask(world, pair.provider, pair.client.bn9, wish, extensions, at, pair.state)


def _ask(
    world: World,
    provider: Firm,
    client_bn9: str,
    wish: Agreement,
    extensions: Sequence[str],
    at: datetime,
    state: str,
) -> Asked:
    asked = world.add(
        RelationshipRequest(
            id=world.uuid(),
            provider=provider.account,
            client_bn9=client_bn9,
            level=Level.BUSINESS if list(extensions) == [""] else Level.PROGRAM,
            covers_future=wish.covers_future,
            ceiling=wish.ceiling,
            wished_last_day=wish.last_day,
            comment=f"We account for your shipments ({provider.marker}).",
            requested_by=provider.founder,
            starts_at=at,
            closes_at=at + relativedelta(months=settings.RELATIONSHIP_REQUEST_LAPSE_MONTHS),
            **wish.rules.columns(),
        )
    )
    lines = [world.add(RelationshipRequestLine(request=asked, extension=one)) for one in extensions]
    world.tell(
        "relationship_requests",
        id=str(asked.pk),
        provider=provider.bn9,
        client_bn9=client_bn9,
        state=state if state in (*UNDECIDED, "partly") else "approved",
    )
    after = {"level": asked.level, "programs": list(extensions), **wish.rules.columns()}
    _about(world, provider, asked, "create", provider.founder, provider.bn9, at, after=after)
    return asked, lines


def _decide(
    world: World,
    pair: Pair,
    asked: Asked,
    decision: Decision,
    by: User,
    at: datetime,
    *,
    only: set[str] | None = None,
) -> None:
    """Decide every line, or `only` some of them while the others wait."""
    waiting, lines = asked
    reason = ""
    if decision is Decision.REJECTED:
        reason = f"We have a broker already ({pair.client.marker})."
    decided = [line for line in lines if only is None or line.extension in only]
    for line in decided:
        line.decision, line.decided_at, line.decided_by = decision, at, by
        line.reason = reason
    waiting.version += 1
    if len(decided) == len(lines):
        waiting.decision, waiting.decided_at, waiting.decided_by = decision, at, by
        waiting.closes_at = at
    verb = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}[decision.value]
    acting_for = pair.provider if decision is Decision.WITHDRAWN else pair.client
    after = {"programs": [line.extension for line in decided]}
    _about(world, pair.provider, waiting, verb, by, acting_for.bn9, at, after=after, reason=reason)


def _about(
    world: World,
    provider: Firm,
    asked: RelationshipRequest,
    verb: str,
    by: User,
    acting_for: str,
    at: datetime,
    **more: Any,
) -> None:
    world.record(
        object_id=asked.pk,
        verb=f"relationship_request.{verb}",
        at=at,
        actor=by,
        acting_for=acting_for,
        chains=(business_chain(asked.client_bn9), business_chain(provider.bn9)),
        object_type="relationship_request",
        object_label=provider.account.legal_name,
        path="own:bam",
        **more,
    )
