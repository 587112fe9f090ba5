"""What a client agrees with a provider: the terms, how they are written, and what bars them.

Every way to an agreement comes here: a request that is approved, an offer that is accepted, terms
that are changed or renewed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access
from delegation.consent import VERSION, relationship_consent
from delegation.models import (
    Ceiling,
    Level,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipTerms,
    Visibility,
)
from delegation.models.periods import during
from delegation.permissions import grantable_ceilings
from delegation.roles import Action
from delegation.services.decisions import Problem, why_closed
from pages.formats import day, end_of_day, last_day


@dataclass(frozen=True)
class Rules:
    """The three visibility rules, by who submitted a record."""

    broker: Visibility = Visibility.VIEW
    importer: Visibility = Visibility.NONE
    other: Visibility = Visibility.NONE

    def columns(self) -> dict[str, Visibility]:
        """The rules as columns of requests and terms."""
        return {
            "visibility_broker": self.broker,
            "visibility_importer": self.importer,
            "visibility_other": self.other,
        }


AGREED = (
    "level",
    "ceiling",
    "may_submit",
    "may_pay",
    "may_see_amounts",
    "open_end_reason",
    "consent_version",
)
"""What history keeps of an agreement besides its programs, its last day and its rules."""


@dataclass(frozen=True)
class Agreement:
    """What a client's manager agrees to.

    `programs` are primary keys of the client's program accounts; at the business level it is
    every one, and `covers_future` includes those opened later. `last_day` is a local day whose
    end is the end of the authority; an open end has none, and a written reason instead.
    """

    level: Level
    programs: frozenset[int]
    ceiling: Ceiling
    rules: Rules
    last_day: date | None
    covers_future: bool = False
    open_end_reason: str = ""
    may_submit: bool = True
    may_pay: bool = False
    may_see_amounts: bool = False
    consent_version: str = VERSION

    @property
    def ends_at(self) -> datetime | None:
        """The first instant after the last day; none for an open end."""
        return end_of_day(self.last_day) if self.last_day else None

    def recorded(self, extensions: Iterable[str]) -> dict[str, Any]:
        """What history keeps of the agreement; `extensions` are those of its programs."""
        return {
            **{name: getattr(self, name) for name in AGREED},
            "programs": sorted(extensions),
            "covers_future": self.covers_future,
            "last_day": self.last_day,
            **self.rules.columns(),
        }


def recorded_terms(terms: Iterable[RelationshipTerms]) -> list[dict[str, Any]]:
    """What history keeps of terms: as of an agreement, once for those that differ by program."""
    alike: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for row in terms:
        agreed = {name: getattr(row, name) for name in (*AGREED, *Rules().columns())}
        agreed["covers_future"] = row.program is None
        agreed["last_day"] = last_day(row.ends_at) if row.ends_at else None
        covered = alike.setdefault(tuple(agreed.items()), [])
        covered += [row.program.extension] if row.program else []
    return [{**dict(agreed), "programs": sorted(covered)} for agreed, covered in alike.items()]


def default_last_day(today: date) -> date:
    """The last day that an approval proposes: two years from today, by settings."""
    return today + relativedelta(years=settings.RELATIONSHIP_DEFAULT_YEARS)


def lock_relationships(client: BusinessAccount, provider: BusinessAccount) -> list[Relationship]:
    """What relationships the pair has or had, held until the transaction ends.

    So none ends while something is agreed in it, nor the other way round.
    """
    rows = Relationship.objects.select_for_update(no_key=True, of=("self",))
    pair = rows.filter(client=client, provider=provider).select_related("client", "provider")
    return list(pair.order_by("pk"))


def conclude(
    *,
    begun_by: RelationshipRequest | RelationshipOffer,
    client: BusinessAccount,
    provider: BusinessAccount,
    agreement: Agreement,
    agreed_by: User,
    agreed_at: datetime,
    at: datetime,
) -> Relationship:
    """Give the provider what a manager of the client agreed to, in the relationship of the pair.

    It begins now. Who offered agreed earlier: when the offer was made.
    """
    programs = [one for one in client.programs.all() if one.pk in agreement.programs]
    relationship = _open_relationship(begun_by, client, provider, agreement, at)
    agree(relationship, agreement, programs, agreed_by, at, agreed_at=agreed_at)
    return relationship


def _open_relationship(
    begun_by: RelationshipRequest | RelationshipOffer,
    client: BusinessAccount,
    provider: BusinessAccount,
    agreement: Agreement,
    at: datetime,
) -> Relationship:
    """The live relationship of the pair, or a new one, suspended where the last one was."""
    pair = {"client": client, "provider": provider}
    live = Relationship.objects.filter(during(at), **pair).first()
    origin = "offer" if isinstance(begun_by, RelationshipOffer) else "request"
    return live or Relationship.objects.create(
        **pair,
        starts_at=at,
        ends_at=agreement.ends_at,
        is_open_ended=agreement.last_day is None,
        suspended_at=at if is_suspended(client, provider.bn9) else None,
        **{origin: begun_by},
    )


def is_suspended(client: BusinessAccount, provider_bn9: str) -> bool:
    """Whether the last relationship of the pair is suspended, or was when it ended."""
    pair = Relationship.objects.filter(client=client, provider__bn9=provider_bn9)
    last = pair.order_by("-starts_at").first()
    return last is not None and last.suspended_at is not None


def agree(
    relationship: Relationship,
    agreement: Agreement,
    programs: list[ProgramAccount],
    actor: User,
    at: datetime,
    *,
    agreed_at: datetime | None = None,
) -> None:
    """Write the terms: one row for all programs with the future ones, else one for each program.

    Terms in force for the same programs end now, so that on each exactly the new ones hold.
    """
    scopes: list[ProgramAccount | None] = [None] if agreement.covers_future else list(programs)
    in_force = relationship.terms.filter(during(at))
    if agreement.covers_future:
        in_force.update(ends_at=at)
    else:
        _take_out(in_force.filter(program=None).first(), programs, at)
        in_force.filter(program__in=programs).update(ends_at=at)
    RelationshipTerms.objects.bulk_create(
        terms_of(
            relationship=relationship,
            program=program,
            agreement=agreement,
            agreed_by=actor,
            agreed_at=agreed_at or at,
            at=at,
        )
        for program in scopes
    )
    span(relationship, at)
    relationship.save()


def terms_of(
    *,
    relationship: Relationship,
    program: ProgramAccount | None,
    agreement: Agreement,
    agreed_by: User,
    agreed_at: datetime,
    at: datetime,
) -> RelationshipTerms:
    """What was agreed on a program account, or on all of them, from `at` on; not saved."""
    consent = relationship_consent(agreement.consent_version)
    return RelationshipTerms(
        relationship=relationship,
        program=program,
        level=agreement.level,
        ceiling=agreement.ceiling,
        may_submit=agreement.may_submit,
        may_pay=agreement.may_pay,
        may_see_amounts=agreement.may_see_amounts,
        consent_version=consent.version,
        consent_hash_en=consent.hash_en,
        consent_hash_fr=consent.hash_fr,
        agreed_by=agreed_by,
        agreed_at=agreed_at,
        open_end_reason=agreement.open_end_reason,
        starts_at=at,
        ends_at=agreement.ends_at,
        **agreement.rules.columns(),
    )


def continued(
    *,
    terms: RelationshipTerms,
    relationship: Relationship,
    agreed_by: User,
    at: datetime,
    ends_at: datetime | None,
) -> RelationshipTerms:
    """The same terms from `at` on, agreed to anew; not saved."""
    consent = relationship_consent()
    kept = {
        field.attname: getattr(terms, field.attname)
        for field in RelationshipTerms._meta.concrete_fields
        if field.attname not in {"id", "ended_by_id"}
    }
    renewed = {
        "relationship_id": relationship.pk,
        "agreed_by_id": agreed_by.pk,
        "agreed_at": at,
        "open_end_reason": "",
        "starts_at": at,
        "ends_at": ends_at,
        "consent_version": consent.version,
        "consent_hash_en": consent.hash_en,
        "consent_hash_fr": consent.hash_fr,
    }
    return RelationshipTerms(**kept | renewed)


def _take_out(
    whole: RelationshipTerms | None, programs: list[ProgramAccount], at: datetime
) -> None:
    """Let terms for all programs go on for the others alone, as they were agreed."""
    if whole is None:
        return
    others = whole.relationship.client.programs.exclude(pk__in=[one.pk for one in programs])
    until = whole.ends_at
    whole.ends_at = at
    whole.save()
    for program in others.order_by("extension"):
        whole.pk, whole._state.adding = None, True
        whole.program, whole.starts_at, whole.ends_at = program, at, until
        whole.save(force_insert=True)


def span(relationship: Relationship, at: datetime) -> None:
    """Let the relationship last as long as the longest of its terms in force."""
    ends = list(relationship.terms.filter(during(at)).values_list("ends_at", flat=True))
    dated = [end for end in ends if end is not None]
    relationship.is_open_ended = len(dated) < len(ends)
    relationship.ends_at = None if relationship.is_open_ended else max(dated)


def why_not_provider(access: Access, provider: BusinessAccount) -> Problem | None:
    """Why nothing can be given to this firm now, whatever is chosen."""
    if provider.status != BusinessAccount.Status.ACTIVE:
        return "provider_not_active", _("The business account of this firm is not active.")
    if provider.provider_type == BusinessAccount.ProviderType.NONE:
        return "not_a_provider", _("This firm is no longer a service provider.")
    if provider.pk == access.acting_for.pk:
        return "own_business", _("A business cannot have a relationship with itself.")
    return None


def why_not_wished(waiting: RelationshipRequest, client: BusinessAccount) -> Problem | None:
    """Refuse what a firm asked for before it left: that it left is the newer word of it."""
    pair = Relationship.objects.filter(client=client, provider=waiting.provider)
    if not pair.filter(is_left=True, ends_at__gt=waiting.starts_at).exists():
        return None
    said = _(
        "%(firm)s left this business after it had sent this request. Reject it; if the firm wants "
        "to act for you again, it sends a new one."
    )
    return "left", said % {"firm": waiting.provider.name}


def why_not_suspended(access: Access, provider_bn9: str) -> Problem | None:
    """A PAM gives nothing to a firm that a BAM suspended, which an end does not undo."""
    if access.is_bam or not is_suspended(access.acting_for, provider_bn9):
        return None
    return "suspended", _(
        "A Business Account Manager suspended this firm. Only a Business Account Manager decides "
        "this."
    )


def why_not_scope(access: Access, asked: Collection[str], agreement: Agreement) -> Problem | None:
    """Refuse what is empty, of another business, or above the actor's own right.

    `asked` are the extensions that a Program Account Manager may give.
    """
    known = {program.pk: program for program in access.overseen(Action.MANAGE_RELATIONSHIPS)}
    if not agreement.programs and not agreement.covers_future:
        return "no_programs", _("Choose at least one program account.")
    if not agreement.programs <= set(known) or agreement.ceiling not in grantable_ceilings(access):
        return "above_own_right", _("You cannot grant more than your own role allows.")
    closed = why_closed(access, [known[pk] for pk in sorted(agreement.programs)])
    if closed:
        return closed
    if agreement.covers_future and agreement.level != Level.BUSINESS:
        return "future_of_a_part", _(
            "Only business management can include program accounts opened later."
        )
    if access.is_bam:
        return None
    if agreement.level == Level.BUSINESS or agreement.covers_future:
        return "above_own_right", _("Only a Business Account Manager grants business management.")
    if not all(known[pk].extension in asked for pk in agreement.programs):
        return "not_asked", _("As a Program Account Manager, grant only what was asked for.")
    return None


def why_not_period(at: datetime, agreement: Agreement) -> Problem | None:
    """Refuse an end that is past or too far, and an open end that nobody gave a reason for."""
    if agreement.last_day is not None:
        return why_not_last_day(at, agreement.last_day)
    if agreement.open_end_reason:
        return None
    return "open_end_reason", _("Write why this relationship needs no expiry date.")


def why_not_last_day(at: datetime, last_day: date) -> Problem | None:
    """Refuse a last day that is past, or later than five years from now, by settings."""
    today = timezone.localdate(at)
    if last_day < today:
        return "expiry_past", _("The expiry date cannot be before today.")
    cap = today + relativedelta(years=settings.RELATIONSHIP_CAP_YEARS)
    if last_day > cap:
        return "expiry_cap", _("The expiry date can be %(cap)s at the latest.") % {"cap": day(cap)}
    return None


def why_not_over_business_terms(
    access: Access, provider: BusinessAccount, agreement: Agreement
) -> Problem | None:
    """A PAM does not touch what a BAM agreed for the whole business (invariant 2)."""
    touched = RelationshipTerms.objects.filter(
        during(access.at),
        Q(program__in=agreement.programs) | Q(program=None),
        relationship__client=access.acting_for,
        relationship__provider=provider,
        level=Level.BUSINESS,
    )
    if access.is_bam or not touched.exists():
        return None
    return "business_terms", _(
        "A Business Account Manager agreed to business management with this service provider. "
        "Only a Business Account Manager changes that."
    )
