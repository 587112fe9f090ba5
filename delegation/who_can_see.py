"""Who can see this: everybody who can, by which path, until when.

`Access.decide` is asked about every candidate; the queries here only find candidates. Firms are
found by what their terms show, so that a page of firms that others follow is full. A business
reads about its own people and about firms, each firm as one: whom of its people a firm lets work
for a client is the firm's own matter. A firm reads about its own people alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access, Client, Submission
from delegation.clients import people_who_work_for
from delegation.employees import people_with_a_role
from delegation.models import RelationshipTerms, Visibility
from delegation.models.periods import during, not_suspended
from delegation.permissions import can_end_role, can_end_staff_assignment, can_manage_groups
from delegation.reasons import Reason
from delegation.roles import Action, Role, may
from delegation.standing import (
    OwnRoles,
    Path,
    PathKind,
    assignments,
    managers_assignment,
    own_roles,
)
from pages.paging import Page, page_by_key

VIEW = Action.VIEW_TRANSACTIONS
BY_NAME = ("last_name", "first_name", "id")
PEOPLE, FIRMS = 25, 25
"""How many people and how many firms one page of the list shows."""


@dataclass(frozen=True)
class Someone:
    """A person who can see it, by every path, and whether the reader may change that."""

    person: User
    paths: tuple[Path, ...]
    may_change: bool


@dataclass(frozen=True)
class Firm:
    """A firm that can see it, by every path, and whether the reader may change that."""

    business: BusinessAccount
    paths: tuple[Path, ...]
    may_change: bool


@dataclass(frozen=True)
class WhoCanSee:
    """A page of the people and one of the firms, both by name; the pages lead to the others."""

    people: tuple[Someone, ...]
    firms: tuple[Firm, ...]
    page: Page[User]
    firm_page: Page[BusinessAccount]


@dataclass(frozen=True)
class Places:
    """Below whom the page of people begins, and that of firms."""

    people: str = ""
    firms: str = ""


FIRST = Places()


@dataclass
class AnySubmission:
    """What a firm may have submitted at an instant: it shows what remains when all is over."""

    program_id: int
    owner_id: int
    submitter_id: int
    submitted_at: datetime


def who_can_see(
    access: Access,
    program: ProgramAccount,
    submission: Submission | None = None,
    *,
    after: Places = FIRST,
) -> WhoCanSee:
    """Who can see what was submitted, or a program account, for a reader who can see it too.

    The same number of queries for any number of people and firms: 4, and what the reader's own
    standing costs.
    """
    if program.business_id != access.acting_for.pk:
        page = _page(people_who_work_for(access, program.business), after.people)
        people = _own_staff(access, program, submission, page.rows)
        return WhoCanSee(tuple(people), (), page, Page([], ""))
    page = _page(people_with_a_role(program, access.at), after.people)
    people = _own_people(access, program, submission, page.rows)
    showing = _ever(access, program).filter(_shows(access, submission))
    firm_page = page_by_key(
        BusinessAccount.objects.filter(pk__in=showing.values("relationship__provider")),
        key=("legal_name", "id"),
        after=after.firms,
        size=FIRMS,
        is_ascending=True,
    )
    firms = _firms(access, program, submission, firm_page.rows)
    return WhoCanSee(tuple(people), tuple(firms), page, firm_page)


def _page(candidates: QuerySet[User], after: str) -> Page[User]:
    return page_by_key(candidates, key=BY_NAME, after=after, size=PEOPLE, is_ascending=True)


def _own_people(
    access: Access, program: ProgramAccount, submission: Submission | None, people: list[User]
) -> Iterator[Someone]:
    """People of the business that owns it."""
    business = access.acting_for
    held = own_roles([one.pk for one in people], [business.pk], access.at)
    for person in people:
        own = held[person.pk, business.pk]
        theirs = Access(person, business, access.at, own=own)
        decision = theirs.decide(VIEW, submission or program)
        if decision.allowed:
            may_change = any(_may_end(access, person, program, path) for path in decision.paths)
            yield Someone(person, decision.paths, may_change)


def _may_end(access: Access, person: User, program: ProgramAccount, path: Path) -> bool:
    """Whether the reader may take the role away; one by a group is the group's."""
    if path.group:
        return can_manage_groups(access).allowed
    scope = access.acting_for if path.role is Role.BAM else program
    return can_end_role(access, person, scope, path.role)


def _own_staff(
    access: Access, program: ProgramAccount, submission: Submission | None, people: list[User]
) -> Iterator[Someone]:
    """People of a firm who work for the client that owns it."""
    firm, client_id = access.acting_for, program.business_id
    keys = [one.pk for one in people]
    held = own_roles(keys, [firm.pk], access.at)
    assigned = assignments(keys, firm.pk, client_id, access.at)
    terms = access.client(client_id).terms
    may_unassign = can_end_staff_assignment(access).allowed
    for person in people:
        own = held[person.pk, firm.pk]
        client = Client(managers_assignment(own) or assigned.get(person.pk, ()), terms)
        theirs = Access(person, firm, access.at, own=own, clients={client_id: client})
        decision = theirs.decide(VIEW, submission or program)
        if decision.allowed:
            yield Someone(person, decision.paths, may_unassign and not own.bam)


def _firms(
    access: Access,
    program: ProgramAccount,
    submission: Submission | None,
    among: list[BusinessAccount],
) -> Iterator[Firm]:
    """The firms that can see it. A firm can what its best manager can."""
    may_change = may(access.role_on(program), Action.MANAGE_RELATIONSHIPS)
    by_firm = _terms_by_firm(access, program, among)
    for firm in among:
        terms = by_firm[firm.pk]
        best = Path(PathKind.OWN, Role.BAM, None, "direct")
        own = OwnRoles(Reason.ALLOWED, best, {})
        client = Client(managers_assignment(own), terms)
        theirs = Access(User(), firm, access.at, own=own, clients={program.business_id: client})
        paths = _paths_of_firm(theirs, program, submission, terms)
        if paths:
            yield Firm(firm, paths, may_change)


def _ever(access: Access, program: ProgramAccount) -> QuerySet[RelationshipTerms]:
    """What was agreed over the program account so far."""
    return RelationshipTerms.objects.filter(
        Q(program=program) | Q(program=None),
        relationship__client=program.business_id,
        starts_at__lte=access.at,
        relationship__starts_at__lte=access.at,
    )


def _shows(access: Access, submission: Submission | None) -> Q:
    """The condition on terms that have begun that their firm can see it, as `decide` says.

    A program account: whoever ever had a part of it. What was submitted: the submitter, while its
    terms last and where they held then, and by terms in force whoever their rule shows it to.
    """
    if submission is None:
        return _lasted()
    in_force = during(access.at) & during(access.at, "relationship__")
    in_force &= not_suspended(access.at, "relationship__")
    in_force &= ~Q(relationship__provider__provider_type=BusinessAccount.ProviderType.NONE)
    then = submission.submitted_at
    remains = during(then) & during(then, "relationship__")
    is_own = submission.submitter_id == submission.owner_id
    rule = "visibility_importer" if is_own else "visibility_other"
    by_them = Q(relationship__provider=submission.submitter_id)
    return (by_them & (in_force | remains)) | (~by_them & in_force & ~Q((rule, Visibility.NONE)))


def _lasted() -> Q:
    """The condition that terms and their relationship have an instant in common."""
    lasted = Q()
    for start in ("", "relationship__"):
        for end in ("", "relationship__"):
            lasted &= Q((f"{end}ends_at", None)) | Q((f"{end}ends_at__gt", F(f"{start}starts_at")))
    return lasted


def _terms_by_firm(
    access: Access, program: ProgramAccount, among: list[BusinessAccount]
) -> dict[int, tuple[RelationshipTerms, ...]]:
    """The same with each of these firms, by its key."""
    agreed = _ever(access, program).filter(relationship__provider__in=among)
    by_firm: dict[int, list[RelationshipTerms]] = defaultdict(list)
    for terms in agreed.select_related("relationship__client").order_by("starts_at", "pk"):
        by_firm[terms.relationship.provider_id].append(terms)
    return {firm: tuple(terms) for firm, terms in by_firm.items()}


def _paths_of_firm(
    theirs: Access,
    program: ProgramAccount,
    submission: Submission | None,
    terms: tuple[RelationshipTerms, ...],
) -> tuple[Path, ...]:
    """The paths to what was submitted; to a program account also what remains after the end."""
    decision = theirs.decide(VIEW, submission or program)
    if decision.allowed or submission:
        return decision.paths
    client_id, firm_id = program.business_id, theirs.acting_for.pk
    remaining = {
        path.source: path
        for one in terms
        for path in theirs.decide(
            VIEW, AnySubmission(program.pk, client_id, firm_id, one.effective_start)
        ).paths
    }
    return tuple(remaining.values())
