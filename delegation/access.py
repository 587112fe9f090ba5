"""The one decision: may this person, acting for this business, do this, on this, now, and why.

Every list, count, export, e-mail and panel asks here. Three kinds of path are collected and the
best one wins: *own* (a role in the business that owns the record), *provider* (membership, staff
assignment, relationship and terms, visibility rule, provider type: the weakest link decides) and
*residual* (the Expired User: what the own firm submitted while a scope that is over was open).

`Access` holds what one person may do through one business at one instant: it lives as long as a
request and answers every question from at most one query, and two more for each client met.
`Access.decide` is the predicate, `Access.visible` the queryset; a property test keeps them equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models.clients import StaffAssignment
from delegation.models.employees import Membership
from delegation.models.grants import (
    BusinessRole,
    GroupProgramGroupRole,
    GroupProgramRole,
    ProgramRole,
)
from delegation.models.periods import during
from delegation.models.relationships import RelationshipTerms, Visibility
from delegation.roles import THROUGH_A_RELATIONSHIP, Action, Role, may, strongest, weakest


class Submission(Protocol):
    """One version of a record, as far as authority is concerned. Any model with these columns."""

    program_id: int
    owner_id: int
    submitter_id: int
    submitted_at: datetime


class Reason(models.TextChoices):
    """Why a decision fell. The words are what the person may learn."""

    ALLOWED = "allowed", _("You have access.")
    PERSON_DISABLED = "person_disabled", _("Your user account is disabled.")
    NO_MEMBERSHIP = "no_membership", _("You do not belong to this business.")
    MEMBERSHIP_SUSPENDED = (
        "membership_suspended",
        _("Your access to this business is suspended."),
    )
    BUSINESS_NOT_ACTIVE = (
        "business_not_active",
        _("This business account is not active: you can look, but not change anything."),
    )
    NO_ROLE = "no_role", _("You have no role on this program account.")
    ROLE_TOO_LOW = "role_too_low", _("Your role does not include this.")
    NO_RELATIONSHIP = (
        "no_relationship",
        _("Your firm has no business relationship with this client."),
    )
    NOT_ASSIGNED = "not_assigned", _("Your firm has not assigned you to this client.")
    NOT_IN_SCOPE = (
        "not_in_scope",
        _("The business relationship does not include this program account."),
    )
    RELATIONSHIP_OVER = (
        "relationship_over",
        _(
            "The business relationship is over. You can still read what your firm submitted while "
            "it lasted."
        ),
    )
    RELATIONSHIP_SUSPENDED = (
        "relationship_suspended",
        _("The business relationship is suspended."),
    )
    HIDDEN = "hidden", _("The visibility rules of the client do not show this record to your firm.")
    VIEW_ONLY = (
        "view_only",
        _("The visibility rules of the client let your firm view this record, not change it."),
    )
    CEILING = "ceiling", _("The client did not give your firm this right.")
    ASSIGNMENT_TOO_LOW = (
        "assignment_too_low",
        _("Your firm assigned you to this client with a role that does not include this."),
    )
    PROVIDER_TYPE = (
        "provider_type",
        _("Only the importer or a licensed customs broker can submit or correct declarations."),
    )


class PathKind(StrEnum):
    """How a right comes about."""

    OWN = "own"
    PROVIDER = "provider"
    RESIDUAL = "residual"


@dataclass(frozen=True)
class Path:
    """One way in which a person reaches an object, until an instant (none: no end)."""

    kind: PathKind
    role: Role
    until: datetime | None
    source: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.role}:{self.source}"


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
class OwnRoles:
    """A person's standing in one business: live membership and live roles, each as a path."""

    membership: Reason
    bam: Path | None
    programs: Mapping[int, tuple[Path, ...]]

    def on(self, program_id: int) -> tuple[Path, ...]:
        """The paths to one program account of the business. A BAM reaches every one."""
        own = self.programs.get(program_id, ())
        return (self.bam, *own) if self.bam else own


@dataclass(frozen=True)
class Assignment:
    """What a provider lets one of its people do for a client."""

    role: Role
    until: datetime | None


@dataclass(frozen=True)
class Client:
    """A client as one person of a provider stands to it."""

    assignment: Assignment | None
    terms: tuple[RelationshipTerms, ...]


ROLE_AND_END = (F("permission__codename"), F("ends_at"))
"""The columns that every row of a role shares."""

NO_END = Cast(Value(None), models.DateTimeField())
"""The end of a right that comes by no employee group."""


class Access:
    """What `person` may do, acting for `acting_for`, at the instant `at`."""

    def __init__(self, person: User, acting_for: BusinessAccount, at: datetime) -> None:
        self.person = person
        self.acting_for = acting_for
        self.at = at
        self._clients: dict[int, Client] = {}

    # What is known

    @cached_property
    def own(self) -> OwnRoles:
        """Membership and roles in the business acted for, direct and by employee group: 1 query."""
        membership = Reason.NO_MEMBERSHIP
        bam: Path | None = None
        programs: dict[int, tuple[Path, ...]] = {}
        for kind, scope_id, word, ends_at, group_ends_at in self._own_rows():
            if kind == "member":
                membership = Reason(word)
                continue
            until = earliest(ends_at, group_ends_at)
            path = Path(PathKind.OWN, Role(word), until, "group" if "group" in kind else "direct")
            if kind == "business":
                bam = path
            else:
                programs[scope_id] = (*programs.get(scope_id, ()), path)
        if membership is not Reason.ALLOWED:
            return OwnRoles(membership, None, {})
        return OwnRoles(membership, bam, programs)

    def _own_rows(self) -> Iterable[tuple[str, int, str, datetime | None, datetime | None]]:
        """(kind, scope, role or standing, end, end of the group membership) of each live row."""
        live = during(self.at)
        standing = Case(
            When(suspended_at__isnull=True, then=Value(Reason.ALLOWED.value)),
            default=Value(Reason.MEMBERSHIP_SUSPENDED.value),
        )
        member = Membership.objects.filter(
            live, person=self.person, business=self.acting_for
        ).values_list(Value("member"), F("business_id"), standing, F("ends_at"), NO_END)
        business = BusinessRole.objects.filter(
            live, user=self.person, content_object=self.acting_for
        ).values_list(Value("business"), F("content_object_id"), *ROLE_AND_END, NO_END)
        program = ProgramRole.objects.filter(
            live, user=self.person, content_object__business=self.acting_for
        ).values_list(Value("program"), F("content_object_id"), *ROLE_AND_END, NO_END)
        return member.union(business, program, *self._group_rows(), all=True)

    def _group_rows(self) -> tuple[QuerySet[GroupProgramRole], QuerySet[GroupProgramGroupRole]]:
        """The same of what comes by employee group: on programs, and on groups of programs."""
        mine = during(self.at) & Q(
            content_object__business=self.acting_for,
            group__employee_group__archived_at__isnull=True,
            group__employee_group__business=self.acting_for,
            group__employee_group__members__person=self.person,
        )
        mine &= during(self.at, "group__employee_group__members__")
        end = F("group__employee_group__members__ends_at")
        on_program = GroupProgramRole.objects.filter(mine).values_list(
            Value("group"), F("content_object_id"), *ROLE_AND_END, end
        )
        on_program_group = GroupProgramGroupRole.objects.filter(
            mine,
            content_object__archived_at__isnull=True,
            content_object__programs__isnull=False,
        ).values_list(Value("program group"), F("content_object__programs"), *ROLE_AND_END, end)
        return on_program, on_program_group

    def client(self, client_id: int) -> Client:
        """The client `client_id` as this person stands to it: at most 2 queries, once."""
        if client_id not in self._clients:
            terms = RelationshipTerms.objects.filter(
                relationship__client_id=client_id, relationship__provider=self.acting_for
            ).select_related("relationship__client")
            self._clients[client_id] = Client(self._assignment(client_id), tuple(terms))
        return self._clients[client_id]

    def _assignment(self, client_id: int) -> Assignment | None:
        """The best live assignment. The provider's BAM counts as assigned to every client."""
        if self.own.membership is not Reason.ALLOWED:
            return None
        if self.own.bam:
            return Assignment(Role.PAM, self.own.bam.until)
        rows = StaffAssignment.objects.filter(
            self._assigned_to_me(), _to_client(self.at, client_id)
        )
        found = [Assignment(Role(row.role), row.ends_at) for row in rows]
        return max(found, key=lambda assignment: assignment.role.rank, default=None)

    def _assigned_to_me(self) -> Q:
        """Live assignments of this person, in person or by employee group."""
        by_group = Q(
            employee_group__archived_at__isnull=True, employee_group__members__person=self.person
        ) & during(self.at, "employee_group__members__")
        return (
            Q(provider=self.acting_for)
            & during(self.at)
            & (Q(person=self.person) | (Q(employee_group__isnull=False) & by_group))
        )

    # The predicate

    def decide(
        self, action: Action, target: BusinessAccount | ProgramAccount | Submission
    ) -> Decision:
        """Decide one action on a business, a program account or one version of a record."""
        if not self.person.is_active:
            return Decision(Reason.PERSON_DISABLED)
        if self.own.membership is not Reason.ALLOWED:
            return Decision(self.own.membership)
        if isinstance(target, BusinessAccount):
            return self._on_business(action, target)
        scope = _scope(target)
        if scope.owner_id == self.acting_for.pk:
            return self._by_own_role(action, scope)
        return self._for_client(action, scope)

    def _active(self, business: BusinessAccount, action: Action) -> bool:
        """A business that is not active is read only."""
        return (
            business.status == BusinessAccount.Status.ACTIVE or action is Action.VIEW_TRANSACTIONS
        )

    def _on_business(self, action: Action, business: BusinessAccount) -> Decision:
        """What concerns a business as a whole is its own BAMs' alone."""
        if business.pk != self.acting_for.pk:
            return Decision(Reason.NO_MEMBERSHIP)
        if self.own.bam is None:
            return Decision(Reason.ROLE_TOO_LOW if self.own.programs else Reason.NO_ROLE)
        if not self._active(business, action):
            return Decision(Reason.BUSINESS_NOT_ACTIVE)
        return Decision(Reason.ALLOWED, (self.own.bam,))

    def _by_own_role(self, action: Action, scope: Scope) -> Decision:
        paths = self.own.on(scope.program_id)
        if not paths:
            return Decision(Reason.NO_ROLE)
        able = tuple(path for path in paths if may(path.role, action))
        if not able:
            return Decision(Reason.ROLE_TOO_LOW)
        if not self._active(self.acting_for, action):
            return Decision(Reason.BUSINESS_NOT_ACTIVE)
        return Decision(Reason.ALLOWED, able)

    def _for_client(self, action: Action, scope: Scope) -> Decision:
        """The provider chain, and where it is broken by time, the residual right."""
        if self.acting_for.provider_type == BusinessAccount.ProviderType.NONE:
            return Decision(Reason.NO_RELATIONSHIP)
        client = self.client(scope.owner_id)
        if not client.terms:
            return Decision(Reason.NO_RELATIONSHIP)
        if client.assignment is None:
            return Decision(Reason.NOT_ASSIGNED)
        covering = [terms for terms in client.terms if terms.covers(scope.program_id)]
        in_force = [terms for terms in covering if terms.in_force_at(self.at)]
        outcomes = [self._through(terms, client.assignment, action, scope) for terms in in_force]
        paths = [outcome for outcome in outcomes if isinstance(outcome, Path)]
        paths += self._residual(covering, client.assignment, action, scope)
        if paths:
            return Decision(Reason.ALLOWED, tuple(paths))
        reasons = [outcome for outcome in outcomes if isinstance(outcome, Reason)]
        return Decision(reasons[0] if reasons else self._why_not_in_force(client, covering))

    def _through(
        self, terms: RelationshipTerms, assignment: Assignment, action: Action, scope: Scope
    ) -> Path | Reason:
        """One chain through terms in force: a path, or the link that breaks it."""
        role = weakest(terms.ceiling_role, assignment.role)
        broken = self._first_broken_link(terms, assignment, action, scope)
        if broken:
            return broken
        until = earliest(terms.effective_end, assignment.until)
        return Path(PathKind.PROVIDER, role, until, str(terms.relationship_id))

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
        return self._broken_by_kind(terms, action)

    def _broken_by_kind(self, terms: RelationshipTerms, action: Action) -> Reason | None:
        """The links that depend on what kind of act it is and who acts."""
        if not self._active(self.acting_for, action):
            return Reason.BUSINESS_NOT_ACTIVE
        if not self._active(terms.relationship.client, action):
            return Reason.BUSINESS_NOT_ACTIVE
        if action is Action.PAY and not terms.may_pay:
            return Reason.CEILING
        if action is Action.EDIT_TRANSACTIONS:
            if not terms.may_submit:
                return Reason.CEILING
            if self.acting_for.provider_type != BusinessAccount.ProviderType.BROKER:
                return Reason.PROVIDER_TYPE
        return None

    def _residual(
        self,
        covering: list[RelationshipTerms],
        assignment: Assignment,
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
            Path(PathKind.RESIDUAL, Role.READER, assignment.until, str(terms.relationship_id))
            for terms in covering
            if not terms.in_force_at(self.at)
            and terms.effective_start <= submission.submitted_at
            and terms.effective_start <= self.at
            and (terms.effective_end is None or submission.submitted_at < terms.effective_end)
        ]

    def _why_not_in_force(self, client: Client, covering: list[RelationshipTerms]) -> Reason:
        """Why no terms give authority now, as exactly as the firm may know."""
        if any(terms.relationship.suspended_at for terms in covering):
            return Reason.RELATIONSHIP_SUSPENDED
        if covering and any(terms.starts_at <= self.at for terms in covering):
            return Reason.RELATIONSHIP_OVER
        if any(terms.in_force_at(self.at) for terms in client.terms):
            return Reason.NOT_IN_SCOPE
        return Reason.NO_RELATIONSHIP

    # The querysets

    def visible[ModelT: models.Model](self, submissions: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """The versions that `decide(VIEW_TRANSACTIONS, version)` allows, among `submissions`.

        The model has the columns of `Submission`. Nothing here may grow with the data of others:
        each condition is an index range or a semi-join on the pair's own rows.
        """
        if not self.person.is_active or self.own.membership is not Reason.ALLOWED:
            return submissions.none()
        seen = self.own_records()
        if self.acting_for.provider_type != BusinessAccount.ProviderType.NONE:
            seen |= self._provided() & self._of_assigned_clients()
        return submissions.filter(seen)

    def own_records(self) -> Q:
        """The records of the business acted for that the person's own roles open."""
        if self.own.bam:
            return Q(owner_id=self.acting_for.pk)
        return Q(owner_id=self.acting_for.pk, program_id__in=self.own.programs)

    def _of_assigned_clients(self) -> Q:
        if self.own.bam:
            return ~Q(owner_id=self.acting_for.pk)
        return ~Q(owner_id=self.acting_for.pk) & self._assigned("owner_id")

    def _assigned(self, column: str) -> Q:
        """The condition that a column holds a client of the person, by itself or by a group."""
        mine = StaffAssignment.objects.filter(self._assigned_to_me())
        direct = mine.filter(client__isnull=False).values("client")
        by_group = mine.filter(
            during(self.at, "client_group__members__"), client_group__archived_at__isnull=True
        ).values("client_group__members__client")
        return Q(**{f"{column}__in": Subquery(direct)}) | Q(**{f"{column}__in": Subquery(by_group)})

    def _provided(self) -> Q:
        """In force and shown by the rule for the submitter, or residual."""
        terms = RelationshipTerms.objects.filter(
            Q(program_id=OuterRef("program_id")) | Q(program_id__isnull=True),
            relationship__client_id=OuterRef("owner_id"),
            relationship__provider=self.acting_for,
        )
        in_force = during(self.at) & during(self.at, "relationship__")
        in_force &= Q(relationship__suspended_at__isnull=True)
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
        if self.own.bam:
            return ours
        return ours.filter(self._assigned("pk"))

    # Shortcuts that pages need

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
        every = self.acting_for.programs.order_by("extension")
        return [program for program in every if self.decide(action, program).allowed]


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


def earliest(*ends: datetime | None) -> datetime | None:
    """The first of several ends, where an absent one never comes."""
    return min((end for end in ends if end is not None), default=None)


def during_column(column: str, prefix: str = "") -> Q:
    """The condition that a period holds the instant in a column of the outer query."""
    return Q(**{f"{prefix}starts_at__lte": OuterRef(column)}) & (
        Q(**{f"{prefix}ends_at__isnull": True}) | Q(**{f"{prefix}ends_at__gt": OuterRef(column)})
    )


def _to_client(at: datetime, client_id: int) -> Q:
    """Assignments to one client, by itself or by a client group that holds it now."""
    by_group = Q(
        client_group__archived_at__isnull=True, client_group__members__client=client_id
    ) & during(at, "client_group__members__")
    return Q(client=client_id) | (Q(client_group__isnull=False) & by_group)


def _scope(target: ProgramAccount | Submission) -> Scope:
    if isinstance(target, ProgramAccount):
        return Scope(target.pk, target.business_id, None)
    return Scope(target.program_id, target.owner_id, target)
