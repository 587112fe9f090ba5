"""The one decision: may this person, acting for this business, do this, on this, now, and why.

Every list, count, export, e-mail and panel asks here. Three kinds of path are collected and the
best one wins: *own* (a role in the business that owns the record), *provider* (membership, staff
assignment, relationship and terms, visibility rule, provider type: the weakest link decides) and
*residual* (the Expired User: what the own firm submitted while a scope that is over was open).
Whoever does not belong to the business may have a fourth one, *officer*: agency staff, who read
with a purpose recorded, and for whom the business acted for is the one that is looked up.

`Access` holds what one person may do through one business at one instant: it lives as long as a
request and answers every question from at most one query, two more for each client met, and one
more for each owner of what somebody wants to change.
`Access.decide` is the predicate, `Access.visible` the queryset; a property test keeps them equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models.clients import ClientGroupMember, StaffAssignment
from delegation.models.employees import EmployeeGroupMember
from delegation.models.lookups import Lookup
from delegation.models.periods import during, in_use, not_suspended
from delegation.models.relationships import RelationshipTerms, Visibility
from delegation.reasons import Reason
from delegation.roles import (
    READ_ONLY,
    THROUGH_A_RELATIONSHIP,
    Action,
    Role,
    may,
    strongest,
    weakest,
)
from delegation.standing import (
    Assignment,
    OwnRoles,
    Path,
    PathKind,
    assignments,
    earliest,
    live_lookup,
    lookup_until,
    managers_assignment,
    own_roles,
)

NEVER = Q(pk__in=())


class Submission(Protocol):
    """One version of a record, as far as authority is concerned. Any model with these columns."""

    program_id: int
    owner_id: int
    submitter_id: int
    submitted_at: datetime


@dataclass(frozen=True)
class Decision:
    """Allowed or not, the most telling reason, and every path that allows it."""

    reason: Reason
    paths: tuple[Path, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.ALLOWED

    @property
    def path(self) -> Path:
        """The best path of an allowed decision: what the history event names."""
        return max(self.paths, key=lambda path: path.role.rank)


@dataclass(frozen=True)
class Scope:
    """What a decision is about: a program account, and a submission where there is one."""

    program_id: int
    owner_id: int
    submission: Submission | None


@dataclass(frozen=True)
class Client:
    """A client as one person of a provider stands to it: the best assignment comes first."""

    assignments: tuple[Assignment, ...]
    terms: tuple[RelationshipTerms, ...]


class Access:
    """What `person` may do, acting for `acting_for`, at the instant `at`.

    Whoever asks about many people reads what they hold for all at once, and tells it.
    """

    def __init__(
        self,
        person: User,
        acting_for: BusinessAccount,
        at: datetime,
        *,
        own: OwnRoles | None = None,
        clients: Mapping[int, Client] | None = None,
    ) -> None:
        self.person = person
        self.acting_for = acting_for
        self.at = at
        if own:
            self.own = own
            self.lookup = None
        self._clients = dict(clients or {})
        self._closed: dict[int, frozenset[int]] = {}

    # What is known

    @cached_property
    def own(self) -> OwnRoles:
        """Membership and roles in the business acted for, direct and by employee group: 1 query."""
        return own_roles([self.person.pk], [self.acting_for.pk], self.at)[
            self.person.pk, self.acting_for.pk
        ]

    @cached_property
    def lookup(self) -> Lookup | None:
        """By what an officer reads the business: 1 query, and none for whoever belongs to it."""
        if self.own.membership is not Reason.NO_MEMBERSHIP or not self.person.is_active:
            return None
        return live_lookup(self.person.pk, self.acting_for.pk, self.at)

    @cached_property
    def _lookup_until(self) -> datetime | None:
        return lookup_until(self.lookup, self.at) if self.lookup else None

    def client(self, client_id: int) -> Client:
        """The client `client_id` as this person stands to it: at most 2 queries, once."""
        if client_id not in self._clients:
            terms = RelationshipTerms.objects.filter(
                relationship__client_id=client_id, relationship__provider=self.acting_for
            ).select_related("relationship__client")
            held = managers_assignment(self.own)
            if not held and self.own.membership is Reason.ALLOWED:
                me, firm = self.person.pk, self.acting_for.pk
                held = assignments([me], firm, client_id, self.at).get(me, ())
            self._clients[client_id] = Client(held, tuple(terms))
        return self._clients[client_id]

    @cached_property
    def _programs(self) -> tuple[ProgramAccount, ...]:
        """The program accounts of the business acted for, by extension: 1 query."""
        return tuple(self.acting_for.programs.order_by("extension"))

    def closed_programs(self, owner_id: int) -> frozenset[int]:
        """The program accounts of a business that are closed by now: 1 query, once."""
        if owner_id not in self._closed:
            closed = ProgramAccount.objects.filter(business=owner_id, closed_at__lte=self.at)
            self._closed[owner_id] = frozenset(closed.values_list("pk", flat=True))
        return self._closed[owner_id]

    def _assigned_to_me(self) -> Q:
        """Live assignments of this person, in person or by employee group."""
        groups = EmployeeGroupMember.objects.filter(
            during(self.at), in_use(self.at, "group__"), person=self.person
        )
        mine = Q(person=self.person) | Q(employee_group__in=groups.values("group"))
        return during(self.at) & mine & Q(provider=self.acting_for)

    # The predicate

    def decide(
        self, action: Action, target: BusinessAccount | ProgramAccount | Submission
    ) -> Decision:
        """Decide one action on a business, a program account or one version of a record."""
        if not self.person.is_active:
            return Decision(Reason.PERSON_DISABLED)
        if self.own.membership is not Reason.ALLOWED:
            return self._as_officer(action, target)
        if isinstance(target, BusinessAccount):
            return self._on_business(action, target)
        scope = _scope(target)
        if scope.owner_id == self.acting_for.pk:
            return self._by_own_role(action, scope)
        return self._for_client(action, scope)

    def _as_officer(
        self, action: Action, target: BusinessAccount | ProgramAccount | Submission
    ) -> Decision:
        """An officer reads what the business owns while the look-up lasts, and does nothing."""
        if isinstance(target, BusinessAccount):
            owner_id = target.pk
        else:
            owner_id = _scope(target).owner_id
        if self.lookup is None or action not in READ_ONLY or owner_id != self.acting_for.pk:
            return Decision(self.own.membership)
        source = str(self.lookup.pk)
        path = Path(PathKind.OFFICER, Role.READER, self._lookup_until, source)
        return Decision(Reason.ALLOWED, (path,))

    def _active(self, business: BusinessAccount, action: Action) -> bool:
        """A business that is not active is read only."""
        return business.status == BusinessAccount.Status.ACTIVE or action in READ_ONLY

    def _open(self, scope: Scope, action: Action) -> bool:
        """A program account that is closed is read only."""
        return action in READ_ONLY or scope.program_id not in self.closed_programs(scope.owner_id)

    def in_force(self, terms: RelationshipTerms) -> bool:
        """Terms give authority to a service provider alone, while they last."""
        return self.is_provider and terms.in_force_at(self.at)

    def _on_business(self, action: Action, business: BusinessAccount) -> Decision:
        """What concerns a business as a whole is its own BAMs' alone."""
        if business.pk != self.acting_for.pk:
            return Decision(Reason.NO_MEMBERSHIP)
        if not self._active(business, action):
            return Decision(Reason.BUSINESS_NOT_ACTIVE)
        if self.own.bam is None:
            return Decision(Reason.ROLE_TOO_LOW)
        return Decision(Reason.ALLOWED, (self.own.bam,))

    def _by_own_role(self, action: Action, scope: Scope) -> Decision:
        paths = self.own.on(scope.program_id)
        if not paths:
            return Decision(Reason.NO_ROLE)
        if not self._active(self.acting_for, action):
            return Decision(Reason.BUSINESS_NOT_ACTIVE)
        if not self._open(scope, action):
            return Decision(Reason.PROGRAM_CLOSED)
        able = tuple(path for path in paths if may(path.role, action))
        if not able:
            return Decision(Reason.ROLE_TOO_LOW)
        return Decision(Reason.ALLOWED, able)

    def _for_client(self, action: Action, scope: Scope) -> Decision:
        """The provider chain, and where it is broken by time or type, the residual right."""
        client = self.client(scope.owner_id)
        if not client.terms:
            return Decision(Reason.NO_RELATIONSHIP)
        if not client.assignments:
            return Decision(Reason.NOT_ASSIGNED)
        covering = [terms for terms in client.terms if terms.covers(scope.program_id)]
        in_force = [terms for terms in covering if self.in_force(terms)]
        outcomes = [
            self._through(terms, assignment, action, scope)
            for assignment in client.assignments
            for terms in in_force
        ]
        paths = [outcome for outcome in outcomes if isinstance(outcome, Path)]
        paths += self._residual(covering, client.assignments, action, scope)
        if paths:
            return Decision(Reason.ALLOWED, tuple(paths))
        reasons = [outcome for outcome in outcomes if isinstance(outcome, Reason)]
        return Decision(reasons[0] if reasons else self._why_not_in_force(client, covering))

    def _through(
        self, terms: RelationshipTerms, assignment: Assignment, action: Action, scope: Scope
    ) -> Path | Reason:
        """One chain through terms in force: a path, or the link that breaks it."""
        role = weakest(terms.ceiling_role, assignment.role)
        broken = self._beyond_asking(terms, action, scope)
        broken = broken or self._first_broken_link(terms, assignment, action, scope)
        if broken:
            return broken
        return self._path(PathKind.PROVIDER, role, terms, assignment, terms.effective_end)

    def _path(
        self,
        kind: PathKind,
        role: Role,
        terms: RelationshipTerms,
        assignment: Assignment,
        ends_at: datetime | None,
    ) -> Path:
        """A path through a relationship. It lasts as long as the shortest link of its chain."""
        until = earliest(ends_at, assignment.until, self.own.until)
        source = str(terms.relationship_id)
        return Path(kind, role, until, source, terms=terms, assignment=assignment)

    def _beyond_asking(
        self, terms: RelationshipTerms, action: Action, scope: Scope
    ) -> Reason | None:
        """The links that nothing the client or the firm could give would mend: asked first."""
        if not self._active(self.acting_for, action):
            return Reason.BUSINESS_NOT_ACTIVE
        if not self._active(terms.relationship.client, action):
            return Reason.BUSINESS_NOT_ACTIVE
        if not self._open(scope, action):
            return Reason.PROGRAM_CLOSED
        is_broker = self.acting_for.provider_type == BusinessAccount.ProviderType.BROKER
        if action is Action.EDIT_TRANSACTIONS and not is_broker:
            return Reason.PROVIDER_TYPE
        return None

    def _first_broken_link(
        self, terms: RelationshipTerms, assignment: Assignment, action: Action, scope: Scope
    ) -> Reason | None:
        if action not in THROUGH_A_RELATIONSHIP or not may(terms.ceiling_role, action):
            return Reason.CEILING
        if not may(assignment.role, action):
            return Reason.ASSIGNMENT_TOO_LOW
        if scope.submission is not None:
            rule = terms.visibility_of(
                scope.submission.submitter_id,
                provider_id=self.acting_for.pk,
                client_id=scope.owner_id,
            )
            if rule == Visibility.NONE:
                return Reason.HIDDEN
            if action is Action.EDIT_TRANSACTIONS and rule != Visibility.EDIT:
                return Reason.VIEW_ONLY
        is_unpaid = action is Action.PAY and not terms.may_pay
        is_unsent = action is Action.EDIT_TRANSACTIONS and not terms.may_submit
        return Reason.CEILING if is_unpaid or is_unsent else None

    def _residual(
        self,
        covering: list[RelationshipTerms],
        held: tuple[Assignment, ...],
        action: Action,
        scope: Scope,
    ) -> list[Path]:
        """Expired User: read what the own firm submitted while the program was in scope."""
        submission = scope.submission
        if action is not Action.VIEW_TRANSACTIONS or submission is None:
            return []
        if submission.submitter_id != self.acting_for.pk:
            return []
        return [
            self._path(PathKind.RESIDUAL, Role.READER, terms, assignment, None)
            for assignment in held
            for terms in covering
            if not self.in_force(terms)
            and terms.effective_start <= submission.submitted_at
            and terms.effective_start <= self.at
            and (terms.effective_end is None or submission.submitted_at < terms.effective_end)
        ]

    def _why_not_in_force(self, client: Client, covering: list[RelationshipTerms]) -> Reason:
        """Why no terms give authority now, as exactly as the firm may know."""
        if any(terms.in_force_at(self.at) and not self.in_force(terms) for terms in client.terms):
            return Reason.NOT_A_PROVIDER
        if any(terms.relationship.is_suspended_at(self.at) for terms in covering):
            return Reason.RELATIONSHIP_SUSPENDED
        if any(terms.starts_at <= self.at for terms in covering):
            return Reason.RELATIONSHIP_OVER
        if any(self.in_force(terms) for terms in client.terms):
            return Reason.NOT_IN_SCOPE
        return Reason.NO_RELATIONSHIP

    # The querysets

    def visible[ModelT: models.Model](self, submissions: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """The versions that `decide(VIEW_TRANSACTIONS, version)` allows, among `submissions`.

        The model has the columns of `Submission`. Nothing here may grow with the data of others:
        each condition is an index range or a semi-join on the pair's own rows.
        """
        if not self.person.is_active:
            return submissions.none()
        if self.own.membership is not Reason.ALLOWED and self.lookup is None:
            return submissions.none()
        seen = self.own_records()
        if self.serves_clients:
            seen |= self._provided() & self._of_assigned_clients()
        return submissions.filter(seen)

    def followed[ModelT: models.Model](self, visible: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """Those of the versions that are visible by more than the residual right: by an own role,
        or by terms that are in force on their program account.
        """
        in_force = self._terms_on().filter(self._holding)
        return visible.filter(self.own_records() | Q(Exists(in_force)))

    def own_records(self) -> Q:
        """The records of the business acted for that the own roles, or a look-up, open."""
        if self.own.bam or self.lookup:
            return Q(owner_id=self.acting_for.pk)
        return Q(owner_id=self.acting_for.pk, program_id__in=self.own.programs)

    def _of_assigned_clients(self) -> Q:
        return ~Q(owner_id=self.acting_for.pk) & self.assigned("owner_id")

    def assigned(self, column: str) -> Q:
        """The condition that a column holds a client for whom the person works, alone or by groups.

        A manager works for all: there it is none. Each part reads one table: with one join of all,
        PostgreSQL guesses so many clients that it asks again for every row.
        """
        if self.own.membership is not Reason.ALLOWED:
            return NEVER
        if self.own.bam:
            return Q()
        mine = StaffAssignment.objects.filter(self._assigned_to_me())
        inside = ClientGroupMember.objects.filter(
            during(self.at),
            in_use(self.at, "group__"),
            group__in=mine.filter(client_group__isnull=False).values("client_group"),
        )
        direct = mine.filter(client__isnull=False).values("client")
        return Q(**{f"{column}__in": direct.union(inside.values("client"), all=True)})

    @property
    def _holding(self) -> Q:
        """Terms that give authority now: those in force, to a service provider alone."""
        in_force = during(self.at) & during(self.at, "relationship__")
        in_force &= not_suspended(self.at, "relationship__")
        return in_force if self.is_provider else NEVER

    def terms(self, rule: str = "") -> QuerySet[RelationshipTerms]:
        """The terms of the firm under which a record may be seen: those in force that show what
        falls under a visibility rule, or without one all that have begun.
        """
        found = RelationshipTerms.objects.filter(relationship__provider=self.acting_for)
        if rule:
            return found.filter(self._holding).exclude(**{rule: Visibility.NONE})
        return found.filter(starts_at__lte=self.at, relationship__starts_at__lte=self.at)

    def _terms_on(self) -> QuerySet[RelationshipTerms]:
        """The terms of the firm, whenever they hold, on the program account of the outer row."""
        return RelationshipTerms.objects.filter(
            Q(program_id=OuterRef("program_id")) | Q(program_id__isnull=True),
            relationship__client_id=OuterRef("owner_id"),
            relationship__provider=self.acting_for,
        )

    def _provided(self) -> Q:
        """In force and shown by the rule for the submitter, or residual."""
        terms = self._terms_on()
        in_force = self._holding
        while_open = Q(starts_at__lte=self.at, relationship__starts_at__lte=self.at) & (
            during_column("submitted_at") & during_column("submitted_at", "relationship__")
        )
        by_us = Q(submitter_id=self.acting_for.pk)
        by_client = Q(submitter_id=F("owner_id"))
        shown_client = terms.filter(in_force).exclude(visibility_importer=Visibility.NONE)
        shown_other = terms.filter(in_force).exclude(visibility_other=Visibility.NONE)
        return (
            (by_us & Q(Exists(terms.filter(in_force | while_open))))
            | (by_client & Q(Exists(shown_client)))
            | (~by_us & ~by_client & Q(Exists(shown_other)))
        )

    def clients(self) -> QuerySet[BusinessAccount]:
        """The clients, present and past, that the person may know of: those it is assigned to."""
        if self.own.membership is not Reason.ALLOWED:
            return BusinessAccount.objects.none()
        ours = BusinessAccount.objects.filter(
            Exists(
                RelationshipTerms.objects.filter(
                    relationship__client=OuterRef("pk"),
                    relationship__provider=self.acting_for,
                    starts_at__lte=self.at,
                )
            )
        )
        return ours.filter(self.assigned("pk"))

    # Shortcuts that pages need

    @property
    def is_provider(self) -> bool:
        """Whether the business is a service provider today."""
        return self.acting_for.provider_type != BusinessAccount.ProviderType.NONE

    @property
    def serves_clients(self) -> bool:
        """Whether the business acts for others, or did: its people then read about clients."""
        return self.lookup is None and (self.is_provider or self.own.has_clients)

    @property
    def is_bam(self) -> bool:
        return self.own.bam is not None

    def role_on(self, program: ProgramAccount) -> Role | None:
        """The best own role on a program account of the business acted for."""
        if program.business_id != self.acting_for.pk:
            return None
        return strongest(*(path.role for path in self.own.on(program.pk)))

    def programs(self, action: Action) -> list[ProgramAccount]:
        """The program accounts of the business acted for on which the person may do it."""
        return [one for one in self._programs if self.decide(action, one).allowed]

    def overseen(self, action: Action) -> list[ProgramAccount]:
        """Those on which the role of the person includes it, though nothing may change there now:
        in a business that is not active, and in a program account that is closed.
        """
        return [one for one in self._programs if may(self.role_on(one), action)]


def decide(
    person: User,
    acting_for: BusinessAccount,
    action: Action,
    target: BusinessAccount | ProgramAccount | Submission,
    at: datetime,
) -> Decision:
    """Decide one action; `Access` answers many about the same person, business and instant."""
    return Access(person, acting_for, at).decide(action, target)


def visible_to[ModelT: models.Model](
    person: User, acting_for: BusinessAccount, submissions: QuerySet[ModelT], at: datetime
) -> QuerySet[ModelT]:
    """The versions among `submissions` that the person may see, acting for a business."""
    return Access(person, acting_for, at).visible(submissions)


def during_column(column: str, prefix: str = "") -> Q:
    """The condition that a period holds the instant in a column of the outer query."""
    return Q(**{f"{prefix}starts_at__lte": OuterRef(column)}) & (
        Q(**{f"{prefix}ends_at__isnull": True}) | Q(**{f"{prefix}ends_at__gt": OuterRef(column)})
    )


def _scope(target: ProgramAccount | Submission) -> Scope:
    if isinstance(target, ProgramAccount):
        return Scope(target.pk, target.business_id, None)
    return Scope(target.program_id, target.owner_id, target)
