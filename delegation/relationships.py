"""What the client's pages about business relationships read: requests received, what was agreed.

A Business Account Manager reads about all of them, a Program Account Manager about those that
touch its program accounts. However many there are, the number of queries stays the same.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from businesses.bn import show_bn9
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.models import (
    Ceiling,
    Decision,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    Status,
    Visibility,
)
from delegation.models.periods import during
from delegation.models.requests import RequestQuerySet
from delegation.roles import Action
from delegation.services.agreements import Agreement
from delegation.terms import (
    State,
    Words,
    extension_label,
    live_terms,
    program_label,
    programs_in_words,
    state_of,
    until,
)
from pages.formats import moment


@dataclass(frozen=True)
class Given:
    """A relationship of the business acted for with a provider, as far as its reader may know."""

    pk: UUID
    provider: BusinessAccount
    state: State
    programs: tuple[str, ...]
    terms: tuple[RelationshipTerms, ...]
    lasts_elsewhere: bool
    """Whether the firm goes on acting under terms that the reader may not know."""
    ends_first: str
    """Which program accounts end before the others, and when."""


@dataclass(frozen=True)
class Line:
    """A program account that a request names, and what became of the wish."""

    label: str
    status: Status
    decision: Decision | None
    decided_at: datetime | None
    decided_by: str
    reason: str


def managed_programs(access: Access) -> list[ProgramAccount]:
    """The program accounts whose relationships the person manages: a BAM's are all of them."""
    return access.overseen(Action.MANAGE_RELATIONSHIPS)


# Requests


def readable_requests(access: Access) -> RequestQuerySet:
    """The requests to the business acted for, of any state: a BAM's all, a PAM's by program."""
    every = RelationshipRequest.objects.filter(client_bn9=access.acting_for.bn9)
    if not access.is_bam:
        mine = [program.extension for program in managed_programs(access)]
        lines = RelationshipRequestLine.objects.filter(request=OuterRef("pk"), extension__in=mine)
        every = every.filter(Exists(lines))
    return every.select_related("provider", "requested_by", "decided_by").prefetch_related(
        "lines__decided_by"
    )


def lines_of(
    waiting: RelationshipRequest, access: Access, programs: Iterable[ProgramAccount] = ()
) -> list[Line]:
    """The lines of a request that the person may know of, named after the `programs` it manages."""
    names = {program.extension: program_label(program) for program in programs}
    status = waiting.status_at(access.at)
    return [
        Line(
            names.get(line.extension) or extension_label(line.extension),
            Status(line.decision) if line.decision else status,
            Decision(line.decision) if line.decision else None,
            line.decided_at,
            _decider(line, access),
            line.reason,
        )
        for line in sorted(waiting.lines.all(), key=lambda line: line.extension)
        if access.is_bam or line.extension in names
    ]


def _decider(line: RelationshipRequestLine, access: Access) -> str:
    """Who decided, by name for the own people; who works in another business is its own."""
    by_the_client = line.decision in {Decision.APPROVED, Decision.REJECTED}
    if not by_the_client or line.request.client_bn9 != access.acting_for.bn9:
        return ""
    return line.decided_by.get_full_name() if line.decided_by else ""


def outcome(waiting: RelationshipRequest, at: datetime) -> str:
    """What became of a request and by whom, for the client; nothing while it waits."""
    status = waiting.status_at(at)
    if status is Status.PENDING:
        return ""
    words = {
        Status.APPROVED: _("Approved by %(name)s on %(when)s."),
        Status.REJECTED: _("Rejected by %(name)s on %(when)s."),
        Status.WITHDRAWN: _("Withdrawn by the firm on %(when)s."),
        Status.LAPSED: _("Lapsed on %(when)s: nobody had answered."),
    }
    name = waiting.decided_by.get_full_name() if waiting.decided_by else ""
    return words[status] % {"name": name, "when": moment(waiting.closes_at)}


# Relationships


def given_of(access: Access, keys: Collection[UUID]) -> list[Given]:
    """These relationships of the business acted for, as far as the reader may know, in no order."""
    terms = sorted(terms_known(access).filter(relationship__in=keys), key=_relationship)
    elsewhere = _lasting_elsewhere(access, keys)
    return [
        _given(tuple(rows), access, elsewhere) for _key, rows in groupby(terms, key=_relationship)
    ]


def relationship_of(access: Access, pk: UUID) -> Given | None:
    """One relationship of the business acted for; nothing where its reader may not know of it."""
    return next(iter(given_of(access, [pk])), None)


def in_flight(access: Access, provider: BusinessAccount) -> QuerySet[RelationshipRequest]:
    """What a firm has open for the business acted for, as far as the reader may know: requests.

    A correction is whole once it is submitted: no other case waits.
    """
    waiting = readable_requests(access).pending_at(access.at).filter(provider=provider)
    return waiting.order_by("starts_at", "id")


def acts(access: Access, provider: BusinessAccount) -> bool:
    """Whether the firm acts for the business acted for today, by whichever relationship."""
    pair = {"client": access.acting_for, "provider": provider}
    return Relationship.objects.filter(during(access.at), **pair).exists()


def terms_in_force_with(access: Access, provider: BusinessAccount) -> list[RelationshipTerms]:
    """What a firm may do now for the business acted for, as far as the reader may know."""
    return [row for row in live_terms_with(access, provider) if row.in_force_at(access.at)]


def live_terms_with(access: Access, provider: BusinessAccount) -> list[RelationshipTerms]:
    """What a firm may do now, or once its suspension ends, as far as the reader may know."""
    return live_terms(terms_known(access).filter(relationship__provider=provider), access.at)


def terms_known(access: Access) -> QuerySet[RelationshipTerms]:
    """The terms, begun by now, that the person may read: a PAM's touch its program accounts."""
    known = RelationshipTerms.objects.filter(
        relationship__client=access.acting_for,
        relationship__starts_at__lte=access.at,
        starts_at__lte=access.at,
    )
    if not access.is_bam:
        known = known.filter(_touches(access))
    return known.select_related("program", "relationship__provider", "agreed_by")


def _touches(access: Access) -> Q:
    return Q(program__in=managed_programs(access)) | Q(program=None)


def _lasting_elsewhere(access: Access, keys: Collection[UUID]) -> frozenset[UUID]:
    """Those that last by terms which the person may not read: a BAM reads all."""
    if access.is_bam:
        return frozenset()
    live = RelationshipTerms.objects.filter(
        during(access.at),
        during(access.at, "relationship__"),
        relationship__in=keys,
    )
    return frozenset(live.exclude(_touches(access)).values_list("relationship", flat=True))


def _relationship(terms: RelationshipTerms) -> UUID:
    return terms.relationship_id


def _given(
    terms: tuple[RelationshipTerms, ...], access: Access, elsewhere: frozenset[UUID]
) -> Given:
    relationship = terms[0].relationship
    lasts_elsewhere = relationship.pk in elsewhere
    in_force = [row for row in terms if row.in_force_at(access.at)]
    return Given(
        pk=relationship.pk,
        provider=relationship.provider,
        state=state_of(terms, access.at, lasts_elsewhere=lasts_elsewhere),
        programs=programs_in_words(in_force or terms),
        terms=terms,
        lasts_elsewhere=lasts_elsewhere,
        ends_first=_ends_first(in_force),
    )


def _ends_first(terms: Collection[RelationshipTerms]) -> str:
    ends = {row.effective_end for row in terms}
    soonest = min((end for end in ends if end), default=None)
    if soonest is None or len(ends) == 1:
        return ""
    programs = programs_in_words(row for row in terms if row.effective_end == soonest)
    said = _("%(programs)s: %(until)s")
    return said % {"programs": ", ".join(programs), "until": until(soonest)}


# An agreement before it is made

_LEVELS: dict[str, Words] = {
    Level.BUSINESS: gettext_lazy("business management"),
    Level.PROGRAM: gettext_lazy("program management"),
}
_CEILINGS: dict[str, Words] = {
    Ceiling.PAM: gettext_lazy("as a Program Account Manager"),
    Ceiling.EDITOR: gettext_lazy("as an Editor"),
    Ceiling.READER: gettext_lazy("as a Reader"),
}
_BROKER: dict[str, Words] = {
    Visibility.VIEW: gettext_lazy("can view what it submits itself"),
    Visibility.EDIT: gettext_lazy("can view and edit what it submits itself"),
}
_IMPORTER: dict[str, Words] = {
    Visibility.NONE: gettext_lazy("cannot see what you submit"),
    Visibility.VIEW: gettext_lazy("can view what you submit"),
    Visibility.EDIT: gettext_lazy("can view and edit what you submit"),
}
_OTHER: dict[str, Words] = {
    Visibility.NONE: gettext_lazy("cannot see what other businesses submit"),
    Visibility.VIEW: gettext_lazy("can view what other businesses submit"),
    Visibility.EDIT: gettext_lazy("can view and edit what other businesses submit"),
}


def agreement_in_words(
    agreement: Agreement,
    *,
    client: BusinessAccount,
    provider: BusinessAccount,
    programs: Iterable[ProgramAccount],
) -> str:
    """The one sentence that a client's manager confirms: who gives whom what, until when."""
    return _(
        "Acting for %(client)s (%(client_bn)s), you give %(firm)s (%(firm_bn)s) %(level)s of "
        "%(scope)s, at most %(ceiling)s, %(until)s: it %(broker)s, %(importer)s and %(other)s."
    ) % {
        "firm": provider.name,
        "firm_bn": provider.bn_shown,
        **_agreed_words(agreement, client, programs),
    }


def offer_in_words(
    agreement: Agreement,
    *,
    client: BusinessAccount,
    provider_bn9: str,
    programs: Iterable[ProgramAccount],
) -> str:
    """The same of an offer: to a number, whoever it is."""
    return _(
        "Acting for %(client)s (%(client_bn)s), you offer the business number %(firm_bn)s "
        "%(level)s of %(scope)s, at most %(ceiling)s, %(until)s. Once it accepts, it %(broker)s, "
        "%(importer)s and %(other)s."
    ) % {"firm_bn": show_bn9(provider_bn9), **_agreed_words(agreement, client, programs)}


def _agreed_words(
    agreement: Agreement, client: BusinessAccount, programs: Iterable[ProgramAccount]
) -> dict[str, object]:
    """The parts of the sentence that are the client's.

    `programs` are all that the manager may give; those that are closed come with all of them.
    """
    every = list(programs)
    named = ", ".join(program_label(one) for one in every if one.pk in agreement.programs)
    closed = ", ".join(program_label(one) for one in every if one.pk not in agreement.programs)
    return {
        "client": client.name,
        "client_bn": client.bn_shown,
        "level": _LEVELS[agreement.level],
        "scope": _scope(agreement, closed) % {"programs": named, "closed": closed},
        "ceiling": _CEILINGS[agreement.ceiling],
        "until": until(agreement.ends_at),
        "broker": _BROKER[agreement.rules.broker],
        "importer": _IMPORTER[agreement.rules.importer],
        "other": _OTHER[agreement.rules.other],
    }


def _scope(agreement: Agreement, closed: str) -> str:
    if agreement.covers_future and closed:
        return _(
            "every program account, those opened later included (today %(programs)s; closed, to "
            "be read only: %(closed)s)"
        )
    if agreement.covers_future:
        return _("every program account, those opened later included (today %(programs)s)")
    if agreement.level == Level.BUSINESS:
        return _("every program account of today (%(programs)s)")
    return _("the program accounts %(programs)s")
