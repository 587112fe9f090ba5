"""Who can see this, in words: each person and firm, why, until when, and where it is changed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access, Submission
from delegation.models import Ceiling, Level, Membership, RelationshipTerms, Visibility
from delegation.models.periods import during
from delegation.roles import Role
from delegation.standing import Assignment, Path, PathKind
from delegation.terms import CLIENT_LABELS, PROVIDER_LABELS, Words, rules_in_words, until
from delegation.who_can_see import FIRST, Firm, Places, Someone, who_can_see
from pages.formats import end_of_day


@dataclass(frozen=True)
class Way:
    """One path: what gives it, how, and until when."""

    title: str
    details: tuple[str, ...]
    until: str


@dataclass(frozen=True)
class Entry:
    """A person or a firm that can see it; `url` is where the reader may change that."""

    name: str
    ways: tuple[Way, ...]
    url: str
    business: BusinessAccount | None = None
    is_me: bool = False


@dataclass(frozen=True)
class Panel:
    """Everybody, for one reader: people page by page, and firms beside the first page of people."""

    people: tuple[Entry, ...]
    firms: tuple[Entry, ...]
    is_client: bool
    is_first: bool
    next_token: str
    are_first_firms: bool = True
    next_firms: str = ""
    is_officer: bool = False
    on: date | None = None
    existed: bool = True
    """Whether there was anything to see on the day that was asked about."""


def panel(
    access: Access,
    program: ProgramAccount,
    submission: Submission | None = None,
    *,
    after: Places = FIRST,
    on: date | None = None,
) -> Panel:
    """Who can see what was submitted, or a program account, as its reader may know.

    With a past day `on`: who could at the end of that day, by the same decision. Nothing can be
    changed about the past, so nothing leads to where it would be.
    """
    if on:
        then = end_of_day(on) - timedelta(microseconds=1)
        past = Access(access.person, access.acting_for, then)
        if then < (submission.submitted_at if submission else program.opened_at):
            is_client = program.business_id != access.acting_for.pk
            return Panel((), (), is_client, is_first=True, next_token="", on=on, existed=False)
        return _unchangeable(panel(past, program, submission, after=after), on)
    found = who_can_see(access, program, submission, after=after)
    is_own = program.business_id == access.acting_for.pk
    changeable = [one.person.pk for one in found.people if one.may_change and is_own]
    words = _Words(access, program, submission, _pages_of(access, changeable))
    return Panel(
        people=tuple(words.person(one) for one in found.people),
        firms=tuple(words.firm(one) for one in found.firms) if found.page.is_first else (),
        is_client=words.is_client,
        is_officer=access.lookup is not None,
        is_first=found.page.is_first,
        next_token=found.page.next_token,
        are_first_firms=found.firm_page.is_first,
        next_firms=found.firm_page.next_token if found.page.is_first else "",
    )


def _unchangeable(shown: Panel, on: date) -> Panel:
    people = tuple(replace(one, url="") for one in shown.people)
    return replace(
        shown, people=people, firms=tuple(replace(one, url="") for one in shown.firms), on=on
    )


def _pages_of(access: Access, people: Collection[int]) -> dict[int, str]:
    """The page of each of these people of the business acted for: 1 query where there are any."""
    if not people:
        return {}
    bn9 = access.acting_for.bn9
    memberships = Membership.objects.filter(
        during(access.at), business=access.acting_for, person__in=people
    )
    return {
        person: reverse("employee_detail", kwargs={"bn9": bn9, "pk": pk})
        for person, pk in memberships.values_list("person_id", "pk")
    }


@dataclass(frozen=True)
class _Words:
    access: Access
    program: ProgramAccount
    submission: Submission | None
    pages: Mapping[int, str]

    @property
    def is_client(self) -> bool:
        """Whether it is a client's, and the reader of a firm."""
        return self.program.business_id != self.access.acting_for.pk

    def person(self, one: Someone) -> Entry:
        ways = tuple(self._staff_way(path) if path.terms else _own_way(path) for path in one.paths)
        url = self._where(one) if one.may_change else ""
        is_me = one.person == self.access.person
        return Entry(one.person.get_full_name(), ways, url, is_me=is_me)

    def firm(self, one: Firm) -> Entry:
        acting_for = {"bn9": self.access.acting_for.bn9, "pk": one.paths[0].source}
        url = reverse("relationship_detail", kwargs=acting_for) if one.may_change else ""
        ways = tuple(self._firm_way(path) for path in one.paths)
        return Entry(one.business.legal_name, ways, url, business=one.business)

    def _where(self, one: Someone) -> str:
        """The page on which the right of a person is changed."""
        if self.is_client:
            firm, client = self.access.acting_for.bn9, self.program.business.bn9
            return reverse("client_detail", kwargs={"bn9": firm, "client_bn9": client})
        return self.pages[one.person.pk]

    def _firm_way(self, path: Path) -> Way:
        """What a client gave a firm."""
        if path.terms is None or path.kind is PathKind.RESIDUAL:
            said = _("Only what the firm submitted itself while the relationship lasted")
            return Way(_("Expired User"), (said,), _ends(path))
        level = str(Level(path.terms.level).label)
        return Way(level, tuple(self._terms(path.terms, CLIENT_LABELS)), _ends(path))

    def _staff_way(self, path: Path) -> Way:
        """What a firm lets one of its people do, and what of the client opens this."""
        title, how = _assigned(path.assignment) if path.assignment else ("", "")
        if path.kind is PathKind.RESIDUAL:
            said = _("The relationship is over: only what your firm submitted while it lasted")
            return Way(title, (how, said), _ends(path))
        opened = self._terms(path.terms, PROVIDER_LABELS) if path.terms else ()
        return Way(title, (how, *opened), _ends(path))

    def _terms(self, terms: RelationshipTerms, labels: dict[str, Words]) -> Iterator[str]:
        """The ceiling, and the rule for what was submitted: every rule where it is a program's."""
        yield _("At most: %(ceiling)s") % {"ceiling": Ceiling(terms.ceiling).label}
        rules = rules_in_words(terms, labels)
        if self.submission:
            rule = terms.rule_for(
                self.submission.submitter_id,
                provider_id=terms.relationship.provider_id,
                client_id=self.program.business_id,
            )
            rules = ((labels[rule], str(Visibility(getattr(terms, rule)).label)),)
        for label, value in rules:
            yield _("%(label)s: %(rule)s") % {"label": label, "rule": value}


def _ends(path: Path) -> str:
    return capfirst(until(path.until))


def _own_way(path: Path) -> Way:
    """A role in the own business."""
    how = _("Direct")
    if path.group:
        how = _("Through the group %(group)s") % {"group": path.group}
    reach = (_("Every program account, present and future"),) if path.role is Role.BAM else ()
    return Way(str(path.role.label), (*reach, how), _ends(path))


def _assigned(assignment: Assignment) -> tuple[str, str]:
    """As what a firm lets one of its people work for a client, and how that came about."""
    if assignment.is_managers:
        return str(Role.BAM.label), _("The managers of the firm reach every client")
    groups = {"employees": assignment.employee_group, "clients": assignment.client_group}
    sentences = {
        (False, False): _("Assigned to the client in person"),
        (True, False): _("Assigned through the group %(employees)s"),
        (False, True): _("Assigned to the client group %(clients)s"),
        (True, True): _("Assigned through the group %(employees)s to the clients %(clients)s"),
    }
    how = sentences[bool(assignment.employee_group), bool(assignment.client_group)] % groups
    return str(Ceiling(assignment.role).label), how
