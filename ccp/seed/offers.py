"""Offers of clients in every state, one of them to a number that nobody registered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from audit.services import business_chain
from businesses.bn import show_bn9
from ccp.seed.relationships import USUAL, Pair, tell
from ccp.seed.world import Client, Firm, World
from delegation.consent import OFFER_VERSION
from delegation.models import Ceiling, Decision, Level, Relationship, RelationshipOffer
from delegation.services.agreements import Agreement, terms_of
from delegation.services.offers import offer_of

STATES = ("waiting", "accepted", "declined", "withdrawn", "lapsed", "unregistered")
ONE_OF = 3
"""Of so many importers one offers."""

TRIES = 8
"""How many firms an importer thinks of, until it finds one that does not act for it."""

ANSWERS = {
    "accepted": (Decision.APPROVED, "accept"),
    "declined": (Decision.REJECTED, "decline"),
    "withdrawn": (Decision.WITHDRAWN, "withdraw"),
}


def build(world: World) -> None:
    """Let some importers offer a relationship to a firm that does not act for them."""
    providers, unregistered = world.providers, world.on_file[world.businesses :]
    turns = count()
    for firms in world.batches(world.importers[::ONE_OF], "offers"):
        for client in firms:
            state = STATES[next(turns) % len(STATES)]
            provider = _stranger(world, client, providers)
            if state == "unregistered" and unregistered:
                bn9 = world.dice.choice(unregistered).bn9
                _make(world, client, bn9, state, client.begun_at + timedelta(days=30))
            elif provider:
                _offer(world, Pair(client, provider, state))


def _stranger(world: World, client: Firm, providers: Sequence[Firm]) -> Firm | None:
    """A firm that never acted for the client."""
    tried = world.dice.sample(providers, min(TRIES, len(providers)))
    known = {one.provider.bn9 for one in client.providers}
    return next((firm for firm in tried if firm.bn9 not in known), None)


def _offer(world: World, pair: Pair) -> None:
    """An offer, and what became of it a day later."""
    offer = _make(world, pair.client, pair.provider.bn9, pair.state, pair.known_since)
    if pair.state not in ANSWERS:
        return
    decision, verb = ANSWERS[pair.state]
    by = pair.client if decision is Decision.WITHDRAWN else pair.provider
    at = offer.starts_at + timedelta(days=1)
    offer.decision, offer.decided_at, offer.decided_by = decision, at, by.founder
    offer.closes_at, offer.version = at, offer.version + 1
    if decision is Decision.REJECTED:
        offer.reason = f"We take on no one else this year ({by.marker})."
    _record(world, pair.client, offer, verb, by, at, reason=offer.reason)
    if decision is Decision.APPROVED:
        _begin(world, pair, offer, at)


def _make(
    world: World, client: Firm, provider_bn9: str, state: str, known_since: datetime
) -> RelationshipOffer:
    """An offer as the service makes it; one that lapsed offered what is over since."""
    days = 60 if state == "lapsed" else 9
    since = max(world.at - timedelta(days=days), known_since)
    agreement = _agreement(world, client, state)
    comment = f"Please act for us ({client.marker})."
    offer = offer_of(client.founder, client.account, provider_bn9, agreement, comment, since)
    offer.id = world.uuid()
    world.add(offer)
    for program in client.programs[:1]:
        world.add(
            RelationshipOffer.programs.through(
                relationshipoffer_id=offer.pk, programaccount_id=program.pk
            )
        )
    told = {"id": str(offer.pk), "client": client.bn9, "provider_bn9": provider_bn9}
    world.tell("relationship_offers", state=state, **told)
    after = agreement.recorded(one.extension for one in client.programs[:1])
    _record(world, client, offer, "create", client, since, after=after)
    return offer


def _agreement(world: World, client: Firm, state: str) -> Agreement:
    days = -10 if state == "lapsed" else 400
    return Agreement(
        level=Level.PROGRAM,
        programs=frozenset(one.pk for one in client.programs[:1]),
        ceiling=Ceiling.EDITOR,
        rules=USUAL,
        last_day=timezone.localdate(world.at) + timedelta(days=days),
        consent_version=OFFER_VERSION,
    )


def _begin(world: World, pair: Pair, offer: RelationshipOffer, at: datetime) -> None:
    """The relationship that an accepted offer begins."""
    agreement = _agreement(world, pair.client, pair.state)
    relationship = world.add(
        Relationship(
            id=world.uuid(),
            client=pair.client.account,
            provider=pair.provider.account,
            starts_at=at,
            ends_at=agreement.ends_at,
            offer=offer,
        )
    )
    programs = pair.client.programs[:1]
    for program in programs:
        world.add(
            terms_of(
                relationship=relationship,
                program=program,
                agreement=agreement,
                agreed_by=offer.offered_by,
                agreed_at=offer.starts_at,
                at=at,
            )
        )
    known = Client(pair.client, pair.provider, relationship.pk, at)
    pair.provider.clients.append(known)
    pair.client.providers.append(known)
    tell(world, pair, relationship, programs, agreement)


def _record(
    world: World,
    client: Firm,
    offer: RelationshipOffer,
    verb: str,
    by: Firm,
    at: datetime,
    **more: Any,
) -> None:
    world.record(
        verb=f"relationship_offer.{verb}",
        at=at,
        actor=by.founder,
        acting_for=by.bn9,
        chains=(business_chain(client.bn9), business_chain(offer.provider_bn9)),
        object_type="relationship_offer",
        object_id=offer.pk,
        object_label=show_bn9(offer.provider_bn9),
        path="own:bam",
        **more,
    )
