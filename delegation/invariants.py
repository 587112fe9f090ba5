"""What holds in the data whatever happened: one function for each promise of the domain.

The first line of each docstring is the promise. A function says how many rows it looked at and
names those that break it. What no row can show (who sees what, what a form decides) is proved by
tests alone. `manage.py check_invariants` asks every function here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from accounts.models import OfficerRole
from audit.chain import verify_every
from audit.models import Event
from audit.services import business_chain
from audit.verbs import REFUSED
from businesses.models import BusinessAccount, ProgramGroupMember
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    BusinessRole,
    Ceiling,
    ClientGroupMember,
    Decision,
    EmployeeGroupMember,
    Grant,
    GroupProgramGroupRole,
    GroupProgramRole,
    Level,
    Lookup,
    Membership,
    ProgramRole,
    RecoveryRequest,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    StaffAssignment,
    Succession,
    SuccessionStatus,
)
from delegation.models.periods import NoOverlap
from delegation.roles import PROGRAM_ROLES, Role

type Finding = tuple[int, list[str]]
"""How many rows were looked at, and what is broken."""

type Check = Callable[[datetime], Finding]

GIVEN_AT = {"given_at": Coalesce("granted_at", "starts_at")}
"""When a role was granted: as it began, or before."""

BY_PAM = (Role.EDITOR, Role.READER)
"""What a Program Account Manager grants at most, to employees and to providers."""


def promise(check: Check) -> str:
    """What the check stands for, in one line."""
    return (check.__doc__ or "").partition("\n")[0]


# ---------------------------------------------------------------- managers and grants


def businesses_keep_a_manager(at: datetime) -> Finding:
    """An active business has a manager whose role and membership have no end (1).

    The user account of the last one may be disabled by those who run the portal: then somebody
    asks for recovery.
    """
    businesses = BusinessAccount.objects.filter(status=BusinessAccount.Status.ACTIVE)
    belongs = Membership.objects.filter(
        person=OuterRef("user"),
        business=OuterRef("content_object"),
        starts_at__lte=at,
        ends_at=None,
        suspended_at=None,
    )
    kept = BusinessRole.objects.filter(
        Exists(belongs), content_object=OuterRef("pk"), starts_at__lte=at, ends_at=None
    )
    asked = RecoveryRequest.objects.pending_at(at).filter(bn9=OuterRef("bn9"))
    lasting = Q(Exists(kept.filter(user__is_active=True)))
    return look(businesses, lasting | (Q(Exists(kept)) & Q(Exists(asked))))


def business_roles_come_from_managers(at: datetime) -> Finding:
    """A manager is made by another manager, but for one founder of each business (2)."""
    granted = BusinessRole.objects.filter(granted_by__isnull=False).annotate(**GIVEN_AT)
    granted = granted.exclude(source=Grant.Source.RECOVERY)
    founders = BusinessRole.objects.filter(granted_by=None, source=Grant.Source.DIRECT)
    earlier = founders.filter(content_object=OuterRef("content_object"), pk__lt=OuterRef("pk"))
    by_manager = _was_bam("granted_by", "given_at", content_object="content_object")
    return together(
        look(granted, by_manager & ~Q(granted_by=F("user"))),
        look(founders, ~Q(Exists(earlier))),
    )


def successors_waited(at: datetime) -> Finding:
    """Who became manager as successor was named by a manager, claimed and waited (1, 2)."""
    named = _was_bam("named_by", "starts_at", content_object="business")
    theirs = Succession.objects.filter(
        business=OuterRef("content_object"), person=OuterRef("user"), ends_at=OuterRef("starts_at")
    )
    waited = theirs.filter(outcome=SuccessionStatus.TAKEN_OVER, ready_at__lte=F("ends_at"))
    roles = BusinessRole.objects.filter(source=Grant.Source.SUCCESSION)
    return together(
        look(Succession.objects.all(), named & ~Q(named_by=F("person"))),
        look(roles, Q(granted_by=None) & Q(Exists(waited))),
    )


def recoveries_come_from_two_officers(at: datetime) -> Finding:
    """Recovery is proposed by one officer and confirmed by another, strangers to it (14)."""
    approved = RecoveryRequest.objects.filter(decision=Decision.APPROVED)
    theirs = approved.filter(
        bn9=OuterRef("content_object__bn9"),
        proposed=OuterRef("user"),
        decided_by=OuterRef("granted_by"),
        decided_at=OuterRef("starts_at"),
    )
    both = was_officer("proposed_by", "proposed_at") & was_officer("decided_by", "decided_at")
    others = (
        ~Q(proposed_by=F("decided_by")) & ~_member_of("proposed_by") & ~_member_of("decided_by")
    )
    return together(
        look(approved, both & others),
        look(BusinessRole.objects.filter(source=Grant.Source.RECOVERY), Q(Exists(theirs))),
    )


def lookups_have_a_purpose(at: datetime) -> Finding:
    """Who looked a business up was an officer, no member of it, and its history says so (14)."""
    entrusted = OfficerRole.objects.filter(
        _held("starts_at"), person=OuterRef("officer"), kind=OfficerRole.Kind.LOOKUPS
    )
    before = Membership.objects.filter(
        person=OuterRef("officer"),
        business=OuterRef("business"),
        starts_at__lte=OuterRef("starts_at"),
    )
    rows = Lookup.objects.all()
    return together(
        look(rows, Q(Exists(entrusted)) & ~Q(Exists(before))),
        _told(rows.values_list("business__bn9", "business__bn9"), "lookup.open"),
    )


def program_roles_come_from_managers(at: datetime) -> Finding:
    """A program role comes from a BAM, or up to Editor from its PAM, never from oneself (2)."""
    by_bam = _was_bam("granted_by", "given_at", content_object="content_object__business")
    by_pam = _was_pam("granted_by", "given_at", pk="content_object")
    right = by_bam | (by_pam & Q(permission__codename__in=BY_PAM))
    tables = (GroupProgramRole, GroupProgramGroupRole)
    groups = [table.objects.annotate(**GIVEN_AT) for table in tables]
    return together(
        look(ProgramRole.objects.annotate(**GIVEN_AT), right & ~Q(granted_by=F("user"))),
        *[look(rows, by_bam) for rows in groups],
    )


def terms_come_from_the_client(at: datetime) -> Finding:
    """What a provider may do was agreed by a BAM of the client, or in part by a PAM (2, 9)."""
    by_bam = _was_bam("agreed_by", "starts_at", content_object="relationship__client")
    by_pam = _was_pam("agreed_by", "starts_at", pk="program")
    in_part = Q(level=Level.PROGRAM, ceiling__in=[Ceiling.EDITOR, Ceiling.READER])
    # Of terms for all programs, those for some go on when others are taken out.
    whole = RelationshipTerms.objects.filter(
        relationship=OuterRef("relationship"),
        agreed_by=OuterRef("agreed_by"),
        program=None,
        ends_at=OuterRef("starts_at"),
    )
    # What a firm gave a part of back goes on as agreed, as far as it is kept.
    narrowed = RelationshipTerms.objects.filter(
        relationship=OuterRef("relationship"),
        agreed_by=OuterRef("agreed_by"),
        ended_by__isnull=False,
        ends_at=OuterRef("starts_at"),
    ).filter(Q(program=OuterRef("program")) | Q(program=None, level=OuterRef("level")))
    goes_on = Q(Exists(whole)) | Q(Exists(narrowed))
    return look(RelationshipTerms.objects.all(), by_bam | (by_pam & in_part) | goes_on)


def assignments_come_from_the_provider(at: datetime) -> Finding:
    """A BAM of the provider assigns its people to clients, and never oneself (2, 8)."""
    by_bam = _was_bam("assigned_by", "starts_at", content_object="provider")
    return look(StaffAssignment.objects.all(), by_bam & ~Q(assigned_by=F("person")))


# ---------------------------------------------------------------- periods and requests


def periods_do_not_overlap(at: datetime) -> Finding:
    """Of memberships, roles, requests, relationships and terms one at a time is live (3, 4, 7)."""
    return together(
        *[
            _overlaps(model, constraint)
            for model in apps.get_models()
            for constraint in model._meta.constraints
            if isinstance(constraint, NoOverlap)
        ]
    )


def requests_agree_with_their_lines(at: datetime) -> Finding:
    """A request waits while a line of it waits, and is decided as its lines are (5)."""
    return together(
        _lines_agree(AccessRequest.objects.all(), AccessRequestLine),
        _lines_agree(RelationshipRequest.objects.all(), RelationshipRequestLine),
        look(
            AccessRequestLine.objects.filter(decision=Decision.APPROVED).exclude(extension=""),
            ~Q(granted_role=""),
        ),
    )


def lines_are_decided_by_managers(at: datetime) -> Finding:
    """A line is decided by a BAM or the PAM of its program, never by the one who asked (2, 5)."""
    decided = [Decision.APPROVED, Decision.REJECTED]
    employees = _may_decide("request__bn9") & ~Q(decided_by=F("request__person"))
    firms = _may_decide("request__client_bn9") & ~Q(decided_by=F("request__requested_by"))
    by_firm = _was_bam("decided_by", "decided_at", content_object="request__provider")
    own, of_firms = AccessRequestLine.objects, RelationshipRequestLine.objects
    return together(
        look(own.filter(decision__in=decided), employees),
        look(own.filter(decision=Decision.WITHDRAWN), Q(decided_by=F("request__person"))),
        look(of_firms.filter(decision__in=decided), firms),
        look(of_firms.filter(decision=Decision.WITHDRAWN), by_firm),
    )


def offers_are_answered_by_the_firm(at: datetime) -> Finding:
    """A manager of the firm answers an offer, never its maker; the client withdraws it (2, 9)."""
    offers = RelationshipOffer.objects
    by_firm = _was_bam("decided_by", "decided_at", content_object__bn9="provider_bn9")
    by_client = _was_bam("decided_by", "decided_at", content_object="client")
    by_pam = _was_pam("decided_by", "decided_at", business="client")
    made = _was_bam("offered_by", "starts_at", content_object="client")
    made_by_pam = _was_pam("offered_by", "starts_at", business="client")
    in_part = Q(level=Level.PROGRAM)
    return together(
        look(
            offers.filter(decision__in=[Decision.APPROVED, Decision.REJECTED]),
            by_firm & ~Q(decided_by=F("offered_by")),
        ),
        look(offers.filter(decision=Decision.WITHDRAWN), by_client | (by_pam & in_part)),
        look(offers.all(), made | (made_by_pam & in_part)),
        look(offers.exclude(decision=""), Q(closes_at=F("decided_at"))),
    )


# ---------------------------------------------------------------- whose rows they are


def roles_are_of_their_business(at: datetime) -> Finding:
    """Roles and groups stay inside one business, and their people have belonged to it (3, 8)."""
    in_business = Q(permission__codename=Role.BAM)
    on_program = Q(permission__codename__in=PROGRAM_ROLES)
    at_home = Q(group__employee_group__business=F("content_object__business"))
    return together(
        look(BusinessRole.objects.all(), in_business & _belonged("user", "content_object")),
        look(
            ProgramRole.objects.all(),
            on_program & _belonged("user", "content_object__business"),
        ),
        look(GroupProgramRole.objects.all(), on_program & at_home),
        look(GroupProgramGroupRole.objects.all(), on_program & at_home),
        look(EmployeeGroupMember.objects.all(), _belonged("person", "group__business")),
        look(ProgramGroupMember.objects.all(), Q(group__business=F("program__business"))),
    )


def archived_groups_hold_nothing(at: datetime) -> Finding:
    """A group that is archived has no member, no role and no work for clients any more (12)."""
    archived = Q(group__archived_at=None) | Q(ends_at__lte=F("group__archived_at"))
    by_role = "group__employee_group__archived_at"
    role = Q(**{by_role: None}) | Q(ends_at__lte=F(by_role))
    scope = Q(content_object__archived_at=None) | Q(ends_at__lte=F("content_object__archived_at"))
    work = Q(employee_group__archived_at=None) | Q(ends_at__lte=F("employee_group__archived_at"))
    return together(
        look(EmployeeGroupMember.objects.all(), archived),
        look(ProgramGroupMember.objects.all(), archived),
        look(GroupProgramRole.objects.all(), role),
        look(GroupProgramGroupRole.objects.all(), role & scope),
        look(StaffAssignment.objects.filter(person=None), work),
    )


def authority_is_of_the_pair(at: datetime) -> Finding:
    """Terms are about the client's own programs, and assignments about the firm's clients (8)."""
    whole = Q(program=None, level=Level.BUSINESS)
    ours = Q(program__business=F("relationship__client"))
    begun = Q(starts_at__gte=F("relationship__starts_at"))
    assignments, related = StaffAssignment.objects, Relationship.objects
    return together(
        look(RelationshipTerms.objects.all(), (whole | ours) & begun),
        look(assignments.filter(employee_group=None), _belonged("person", "provider")),
        look(assignments.filter(person=None), Q(employee_group__business=F("provider"))),
        look(assignments.filter(client=None), Q(client_group__provider=F("provider"))),
        look(
            assignments.filter(client_group=None),
            Q(Exists(related.filter(client=OuterRef("client"), provider=OuterRef("provider")))),
        ),
        look(
            ClientGroupMember.objects.all(),
            Q(
                Exists(
                    related.filter(client=OuterRef("client"), provider=OuterRef("group__provider"))
                )
            ),
        ),
    )


# ---------------------------------------------------------------- history


def histories_are_whole(at: datetime) -> Finding:
    """No event of a chain was changed, lost or slipped in (12)."""
    found = list(verify_every())
    return len(found), [f"{one.chain}: event {one.seq}: {one.problem}" for one in found if one]


def decisions_have_their_event(at: datetime) -> Finding:
    """Every decision of a request stands in the history of each party (12)."""
    employees = AccessRequest.objects.exclude(decision="").values_list("pk", "bn9")
    firms = RelationshipRequest.objects.exclude(decision="")
    offers = RelationshipOffer.objects.exclude(decision="")
    recoveries = RecoveryRequest.objects.exclude(decision="").values_list("pk", "bn9")
    return together(
        _told(
            offers.values_list("pk", "client__bn9", "provider_bn9"),
            "relationship_offer.accept",
            "relationship_offer.decline",
            "relationship_offer.withdraw",
        ),
        _told(
            recoveries,
            "recovery_request.confirm",
            "recovery_request.reject",
            "recovery_request.withdraw",
        ),
        _told(
            employees, "access_request.approve", "access_request.reject", "access_request.withdraw"
        ),
        _told(
            firms.values_list("pk", "client_bn9", "provider__bn9"),
            "relationship_request.approve",
            "relationship_request.reject",
            "relationship_request.withdraw",
        ),
    )


def ends_have_their_event(at: datetime) -> Finding:
    """Every end that somebody put to a membership or a relationship stands there too (12)."""
    members = Membership.objects.exclude(ended_by=None)
    related = Relationship.objects.exclude(ended_by=None)
    return together(
        _told(members.values_list("pk", "business__bn9"), "membership.end"),
        _told(
            related.values_list("pk", "client__bn9", "provider__bn9"),
            "relationship.end",
            "relationship.leave",
        ),
    )


def acts_name_their_path(at: datetime) -> Finding:
    """Whoever acted for a business did so by a path that the history names (13)."""
    acts = Event.objects.exclude(acting_for="").exclude(actor_id="")
    return look(acts.exclude(verb__endswith=REFUSED), ~Q(path=""))


# ---------------------------------------------------------------- guards of the database


def conditions_hold(at: datetime) -> Finding:
    """Every row fulfils the conditions that its table has."""
    return together(
        *[
            look(model._base_manager.all(), Q(constraint.condition))
            for model in apps.get_models()
            for constraint in model._meta.constraints
            if isinstance(constraint, models.CheckConstraint)
        ]
    )


def guards_exist(at: datetime) -> Finding:
    """Every constraint of the models is in the database, and history cannot be changed there."""
    missing, looked = [], 0
    triggers = {(table, name) for table, name, _act in _triggers()}
    for model in apps.get_models():
        table = model._meta.db_table
        with connection.cursor() as cursor:
            there = connection.introspection.get_constraints(cursor, table)
        unique = {
            tuple(one["columns"]) for one in there.values() if one["unique"] or one["primary_key"]
        }
        wanted = [name for guard in model._meta.constraints for name in _names(guard)]
        once = [field.column for field in model._meta.local_concrete_fields if field.unique]
        looked += len(wanted) + len(once)
        missing += [
            f"{table}: {name}"
            for name in wanted
            if name not in there and (table, name) not in triggers
        ]
        missing += [f"{table}: {column} once" for column in once if (column,) not in unique]
    return together((looked, missing), insert_only(Event))


def insert_only(*tables: type[models.Model]) -> Finding:
    """The triggers by which rows of these tables are neither changed nor deleted."""
    there = {(table, act) for table, _name, act in _triggers()}
    wanted = [(model._meta.db_table, act) for model in tables for act in ("UPDATE", "DELETE")]
    return len(wanted), [
        f"{table}: {act} is open" for table, act in wanted if (table, act) not in there
    ]


CHECKS: tuple[Check, ...] = (
    businesses_keep_a_manager,
    business_roles_come_from_managers,
    successors_waited,
    recoveries_come_from_two_officers,
    lookups_have_a_purpose,
    program_roles_come_from_managers,
    terms_come_from_the_client,
    assignments_come_from_the_provider,
    periods_do_not_overlap,
    requests_agree_with_their_lines,
    lines_are_decided_by_managers,
    offers_are_answered_by_the_firm,
    roles_are_of_their_business,
    archived_groups_hold_nothing,
    authority_is_of_the_pair,
    histories_are_whole,
    decisions_have_their_event,
    ends_have_their_event,
    acts_name_their_path,
    conditions_hold,
)
"""What is read from rows. `guards_exist` is read from the schema, which no act changes."""


def look(rows: QuerySet, good: Q) -> Finding:
    """The number of rows, and those for which `good` is not plainly true."""
    told = Case(When(good, then=Value(True)), default=Value(False), output_field=BooleanField())
    broken = rows.annotate(is_good=told).filter(is_good=False).order_by("pk")
    return rows.count(), [f"{row._meta.label} {row.pk}" for row in broken]


def together(*findings: Finding) -> Finding:
    """Several findings as one."""
    return sum(looked for looked, _ in findings), [
        line for _, broken in findings for line in broken
    ]


def _held(when: str, prefix: str = "") -> Q:
    """The period at `prefix` holds the instant in an outer column, or ended in that instant.

    Who grants something and is off-boarded in the same instant had the right to grant it.
    """
    return Q(**{f"{prefix}starts_at__lte": OuterRef(when)}) & (
        Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gte": OuterRef(when)})
    )


def _was_bam(person: str, when: str, **business: str) -> Q:
    """The person in a column was Business Account Manager at the instant in another."""
    scope = {name: OuterRef(column) for name, column in business.items()}
    roles = BusinessRole.objects.filter(_held(when), user=OuterRef(person), **scope)
    return Q(Exists(roles))


def _was_pam(person: str, when: str, **program: str) -> Q:
    """The person in a column was PAM, in person or by group, at the instant in another."""

    def scope(prefix: str) -> Q:
        on = {f"{prefix}__{name}": OuterRef(column) for name, column in program.items()}
        return Q(permission__codename=Role.PAM, **on) & _held(when)

    members = "group__employee_group__members__"
    grouped = Q(**{f"{members}person": OuterRef(person)}) & _held(when, members)
    direct = ProgramRole.objects.filter(scope("content_object"), user=OuterRef(person))
    by_group = GroupProgramRole.objects.filter(scope("content_object"), grouped)
    bundled = _held(when, "content_object__members__")
    by_programs = GroupProgramGroupRole.objects.filter(
        scope("content_object__members__program"), bundled, grouped
    )
    return Q(Exists(direct)) | Q(Exists(by_group)) | Q(Exists(by_programs))


def was_officer(person: str, when: str) -> Q:
    """The person in a column was an officer for recovery at the instant in another."""
    kind = OfficerRole.Kind.RECOVERY
    roles = OfficerRole.objects.filter(_held(when), person=OuterRef(person), kind=kind)
    return Q(Exists(roles))


def _member_of(person: str) -> Q:
    """The person in a column belonged to the business of a request when it was decided."""
    rows = Membership.objects.filter(
        person=OuterRef(person),
        business__bn9=OuterRef("bn9"),
        starts_at__lte=OuterRef("decided_at"),
    )
    return Q(Exists(rows))


def _may_decide(bn9: str) -> Q:
    """The person who decided a line managed the business in a column, or the line's program."""
    return _was_bam("decided_by", "decided_at", content_object__bn9=bn9) | _was_pam(
        "decided_by", "decided_at", business__bn9=bn9, extension="extension"
    )


def _belonged(person: str, business: str) -> Q:
    """The person in a column has been a member of the business in another."""
    rows = Membership.objects.filter(person=OuterRef(person), business=OuterRef(business))
    return Q(Exists(rows))


def _lines_agree(
    requests: QuerySet, lines: type[AccessRequestLine] | type[RelationshipRequestLine]
) -> Finding:
    def has(decision: str) -> Q:
        return Q(Exists(lines.objects.filter(request=OuterRef("pk"), decision=decision)))

    waits, approved = has(""), has(Decision.APPROVED)
    open_, closed = Q(decision="") & waits, Q(closes_at=F("decided_at")) & ~waits
    decided = (
        Q(decision=Decision.APPROVED) & approved
        | Q(decision=Decision.REJECTED) & ~approved
        | Q(decision=Decision.WITHDRAWN) & has(Decision.WITHDRAWN)
    )
    return look(requests, open_ | (closed & decided))


def _told(rows: Iterable[tuple[Any, ...]], *verbs: str) -> Finding:
    """Each row, (its key, the number of each party), has an event of these verbs in every chain."""
    told = set(Event.objects.filter(verb__in=verbs).values_list("chain_id", "object_id"))
    wanted = [(business_chain(bn9), str(pk)) for pk, *parties in rows for bn9 in parties]
    return len(wanted), [
        f"{chain}: nothing about {pk}" for chain, pk in wanted if (chain, pk) not in told
    ]


def _overlaps(model: type[models.Model], constraint: NoOverlap) -> Finding:
    """The rows whose period begins before another of the same keys has ended."""
    keys = len(constraint.keys)
    rows = model._base_manager.order_by(*constraint.keys, "starts_at", constraint.end)
    columns = rows.values_list(*constraint.keys, "starts_at", constraint.end, "pk")
    looked, broken = rows.count(), list[str]()
    for _same, periods in groupby(columns.iterator(), key=lambda row: row[:keys]):
        broken += [
            f"{model._meta.label} {pk} ({constraint.name})" for pk in _meeting(periods, keys)
        ]
    return looked, broken


def _meeting(periods: Iterable[tuple], keys: int) -> Iterator[object]:
    """The rows, ordered by their start, that begin while an earlier one still holds."""
    until: datetime | None = None
    endless = False
    for *_keys, start, end, pk in periods:
        if start == end:
            continue
        if endless or (until is not None and start < until):
            yield pk
        endless = endless or end is None
        until = max(until or start, end or start)


def _names(guard: models.BaseConstraint) -> list[str]:
    """What a constraint is called in the database: on SQLite a NoOverlap is two triggers."""
    if isinstance(guard, NoOverlap) and connection.vendor == "sqlite":
        return [f"{guard.name}_insert", f"{guard.name}_update"]
    return [guard.name]


def _triggers() -> list[tuple[str, str, str]]:
    """(table, name, act) of each trigger that is on."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
            return [
                (table, name, act)
                for table, name, sql in cursor.fetchall()
                for act in re.findall(r"\b(?:BEFORE|AFTER) (INSERT|UPDATE|DELETE)\b", sql)
            ]
        cursor.execute(
            "SELECT c.relname, t.tgname, a.act "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS a(bit, act) "
            "ON t.tgtype & a.bit <> 0 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'"
        )
        return cursor.fetchall()
