"""The written authority: what a mandate must say, from what was agreed in the portal.

Source: CBSA memorandum D1-6-1, authority to act as an agent. A written authority names the parties
with their business numbers and addresses, the kinds of business, whether it is continuous or for a
period, the right to appoint a sub-agent, the names, titles and signatures, and the effective date.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy

from accounts.models import Language, User
from audit.models import Event
from audit.services import business_chain
from businesses.countries import country_name
from businesses.models import BusinessAccount, ProgramAccount
from delegation.consent import relationship_consent
from delegation.models import (
    Decision,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
)
from delegation.terms import CLIENT_LABELS, Agreed, Words, agreed, until

DECIDING = (
    "relationship_request.approve",
    "relationship_offer.accept",
    "relationship.change",
    "relationship.narrow",
    "relationship.renew",
    "relationship.suspend",
    "relationship.resume",
    "relationship.end",
    "relationship.leave",
)
"""The verbs that agree, end, suspend or resume: no other entry makes another document."""


LABELS: dict[str, Words] = CLIENT_LABELS | {
    "visibility_importer": gettext_lazy("Submitted by the importer")
}
"""The visibility rules as either party reads them."""


@dataclass(frozen=True)
class Party:
    """One of the two firms, as the register has it."""

    name: str
    operating_name: str
    number: str
    address: tuple[str, ...]
    kinds: str


@dataclass(frozen=True)
class Entry:
    """The entry of a history that the document rests on."""

    business: str
    number: int
    hash: str


class Act(StrEnum):
    """What somebody did in the portal that binds a party."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    AGREED = "agreed"


@dataclass(frozen=True)
class Signatory:
    """Somebody who bound a party, by which act and when."""

    person: User
    act: Act
    party: str
    at: datetime


@dataclass(frozen=True)
class Consent:
    """A text that terms were agreed under, with the hashes that they kept of it."""

    version: str
    text: str
    hashes: tuple[str, str]


@dataclass(frozen=True)
class Authority:
    """A written authority in the active language. Its hash is the same in both languages."""

    number: str
    hash: str
    client: Party
    provider: Party
    programs: tuple[str, ...]
    covers_future: bool
    terms: tuple[Agreed, ...]
    effective_at: datetime
    period: str
    consents: tuple[Consent, ...]
    agreed_by: tuple[Signatory, ...]
    entries: tuple[Entry, ...]


def written_authority(
    relationship: Relationship, terms: Sequence[RelationshipTerms], at: datetime
) -> Authority:
    """The document of a relationship: `terms` are those in force, all of them."""
    client, provider = relationship.client, relationship.provider
    programs = _programs(terms, client)
    entries = tuple(_entries(relationship, at))
    number = _number(relationship, at)
    ends = [row.effective_end for row in terms]
    return Authority(
        number=number,
        hash=_digest(number, relationship, terms, programs, entries),
        client=_party(client, ", ".join(sorted({one.get_kind_display() for one in programs}))),
        provider=_party(provider, str(provider.get_provider_type_display())),
        programs=tuple(f"{one.bn15_shown} {one.name}".strip() for one in programs),
        covers_future=any(row.program_id is None for row in terms),
        terms=tuple(agreed(terms, at, LABELS)),
        effective_at=min(row.effective_start for row in terms),
        period=capfirst(until(None if None in ends else max(end for end in ends if end))),
        consents=tuple(_consents(terms)),
        agreed_by=tuple(_signatories(relationship, terms, at)),
        entries=entries,
    )


def _programs(terms: Sequence[RelationshipTerms], client: BusinessAccount) -> list[ProgramAccount]:
    """The program accounts covered today, by extension."""
    named = {row.program_id for row in terms}
    return [
        one for one in client.programs.order_by("extension") if None in named or one.pk in named
    ]


def _party(business: BusinessAccount, kinds: str) -> Party:
    place = " ".join(
        part for part in (business.city, business.region, business.postal_code) if part
    )
    country = country_name(business.country, Language(get_language()))
    address = tuple(line for line in (business.street, place, country) if line)
    return Party(business.legal_name, business.operating_name, business.bn_shown, address, kinds)


def _consents(terms: Iterable[RelationshipTerms]) -> Iterable[Consent]:
    """Each text that any of the terms was agreed under, the newest first."""
    kept = {(row.consent_version, row.consent_hash_en, row.consent_hash_fr) for row in terms}
    for version, *hashes in sorted(kept, reverse=True):
        text = relationship_consent(version).in_language(get_language() or "")
        yield Consent(version, text, (hashes[0], hashes[1]))


def _signatories(
    relationship: Relationship, terms: Iterable[RelationshipTerms], at: datetime
) -> Iterable[Signatory]:
    """Who asked or accepted for the firm, and who agreed for the client: a mandate names both."""
    yield from for_the_firm(relationship, at)
    people: dict[tuple[datetime, int], User] = {
        (row.agreed_at, row.agreed_by_id): row.agreed_by for row in terms
    }
    for (agreed_at, _pk), person in sorted(people.items(), key=lambda one: one[0]):
        yield Signatory(person, Act.AGREED, relationship.client.legal_name, agreed_at)


def for_the_firm(relationship: Relationship, at: datetime) -> list[Signatory]:
    """Who bound the firm: by what began the relationship, and by what was agreed in it since.

    A firm is bound by its request, or by accepting what the client offered: 2 queries.
    """
    since = {"decided_at__gte": relationship.starts_at, "decided_at__lte": at}
    approved = RelationshipRequestLine.objects.filter(
        request=OuterRef("pk"), decision=Decision.APPROVED, **since
    )
    asked = RelationshipRequest.objects.filter(
        Exists(approved) & Q(provider=relationship.provider, client_bn9=relationship.client.bn9)
        | Q(pk=relationship.request_id)
    ).select_related("requested_by")
    accepted = RelationshipOffer.objects.filter(
        Q(
            client=relationship.client,
            provider_bn9=relationship.provider.bn9,
            decision=Decision.APPROVED,
            **since,
        )
        | Q(pk=relationship.offer_id)
    ).select_related("decided_by")
    party = relationship.provider.legal_name
    found = [Signatory(one.requested_by, Act.ASKED, party, one.starts_at) for one in asked]
    for one in accepted:
        if one.decided_by and one.decided_at:
            found.append(Signatory(one.decided_by, Act.ACCEPTED, party, one.decided_at))
    return sorted(found, key=lambda one: one.at)


def _number(relationship: Relationship, at: datetime) -> str:
    """The client’s number, the relationship, and how many terms were agreed in it so far."""
    count = relationship.terms.filter(starts_at__lte=at).count()
    return f"{relationship.client.bn9}-{relationship.pk.hex[:8].upper()}-{count}"


def _entries(relationship: Relationship, at: datetime) -> Iterable[Entry]:
    """The newest entry about the relationship in the history of each party: 1 query each."""
    client, provider = relationship.client, relationship.provider
    asked = RelationshipRequest.objects.filter(provider=provider, client_bn9=client.bn9)
    offered = RelationshipOffer.objects.filter(client=client, provider_bn9=provider.bn9)
    begun = asked.values_list("pk").union(offered.values_list("pk"))
    about = [str(relationship.pk), *(str(pk) for (pk,) in begun)]
    for business in (client, provider):
        told = Event.objects.filter(
            chain=business_chain(business.bn9),
            object_type__startswith="relationship",
            object_id__in=about,
            at__lte=at,
            verb__in=DECIDING,
        )
        newest = told.order_by("-seq").first()
        if newest:
            yield Entry(business.legal_name, newest.seq, newest.hash)


def _digest(
    number: str,
    relationship: Relationship,
    terms: Iterable[RelationshipTerms],
    programs: Iterable[ProgramAccount],
    entries: Iterable[Entry],
) -> str:
    """SHA-256 in hex over every fact of the document, in no language, as canonical JSON."""
    firms = [
        [one.bn9, one.legal_name, one.street, one.city, one.region, one.postal_code, one.country]
        for one in (relationship.client, relationship.provider)
    ]
    rows = sorted(
        [
            row.program.extension if row.program else "",
            row.level,
            row.ceiling,
            *(getattr(row, rule) for rule in CLIENT_LABELS),
            f"{row.may_submit} {row.may_pay} {row.may_see_amounts}",
            row.effective_start.isoformat(),
            row.effective_end.isoformat() if row.effective_end else "",
            f"{row.consent_version} {row.consent_hash_en} {row.consent_hash_fr}",
            f"{row.agreed_by_id} {row.agreed_at.isoformat()}",
        ]
        for row in terms
    )
    facts = [
        number, firms, rows, [one.bn15 for one in programs],
        [[one.number, one.hash] for one in entries],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()
