"""What a renewal would do, in words, before anything is renewed."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from delegation.access import Access
from delegation.models import RelationshipTerms
from delegation.permissions import can_renew_relationship
from delegation.relationships import Given
from delegation.services.renewals import Renewal, why_not_left
from delegation.terms import (
    extensions,
    fingerprint,
    program_label,
    programs_in_words,
    renewable_terms,
    until,
)


@dataclass(frozen=True)
class Renewable:
    """A relationship, and those of its terms that the person may renew now."""

    given: Given
    terms: list[RelationshipTerms]
    why_not: str = ""
    """Why nothing of it can be renewed, where the firm itself must act first."""

    @property
    def fingerprint(self) -> str:
        """What the page carries of the terms, to know them again."""
        return fingerprint(self.terms) if self.terms else ""

    @property
    def programs(self) -> list[tuple[str, str]]:
        """What can be chosen of it, by extension: "" is every program account."""
        return sorted(
            (
                row.program.extension if row.program else "",
                program_label(row.program) if row.program else programs_in_words([row])[0],
            )
            for row in self.terms
        )

    def whole(self) -> frozenset[str]:
        """Everything that can be renewed."""
        return frozenset(extensions(self.terms))


def renewable(access: Access, given: Given) -> Renewable:
    """What of a relationship the person may renew."""
    terms = can_renew_relationship(access, renewable_terms(given.terms, access.at))
    left = why_not_left(terms[0].relationship) if terms else None
    return Renewable(given, [], left[1]) if left else Renewable(given, terms)


def renewable_keys(access: Access, rows: Iterable[Given]) -> frozenset[UUID]:
    """The relationships of a list of which the person may renew something."""
    return frozenset(one.pk for one in rows if renewable(access, one).terms)


def renewal_in_words(access: Access, one: Renewable, renewal: Renewal) -> str:
    """The one sentence that is confirmed: whose authority goes on, on what, until when."""
    said = _(
        "Acting for %(client)s (%(client_bn)s), you renew the authority of %(firm)s (%(firm_bn)s) "
        "on %(programs)s %(until)s: it may do what it may do today, and no more."
    )
    if one.given.state.is_over:
        said = _(
            "Acting for %(client)s (%(client_bn)s), you give %(firm)s (%(firm_bn)s) again the "
            "authority that is over, on %(programs)s %(until)s: it may do what it could do then, "
            "and no more."
        )
    client, firm = access.acting_for, one.given.provider
    return said % {
        "client": client.name,
        "client_bn": client.bn_shown,
        "firm": firm.name,
        "firm_bn": firm.bn_shown,
        "programs": ", ".join(programs_in_words(renewal.chosen(one.terms))),
        "until": until(renewal.ends_at),
    }
