"""Who can see this is what the one decision says of everybody, in random worlds."""

from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from businesses.models import ProgramAccount
from delegation import who_can_see as module
from delegation.access import Access
from delegation.employees import people_with_a_role
from delegation.models import Membership, Relationship, RelationshipTerms
from delegation.roles import Action
from delegation.who_can_see import Places, WhoCanSee, who_can_see
from tests.access.random_worlds import RandomWorld
from tests.conftest import NIGHTLY, NOW
from tests.world import World
from transactions.models import DeclarationVersion

VIEW = Action.VIEW_TRANSACTIONS


def named(access: Access, program: ProgramAccount, submission: Any) -> tuple[set[int], set[int]]:
    """The people and the firms of the whole list, page after page."""
    people: list[int] = []
    firms: list[int] = []
    places: Places | None = Places()
    while places:
        found = who_can_see(access, program, submission, after=places)
        is_full = len(found.firms) == module.FIRMS
        assert is_full or not found.firm_page.next_token, "A page that others follow is full."
        people += [one.person.pk for one in found.people] if not places.firms else []
        firms += [one.business.pk for one in found.firms] if not places.people else []
        places = _next(found)
    assert len(people) == len(set(people)) and len(firms) == len(set(firms))
    return set(people), set(firms)


def _next(found: WhoCanSee) -> Places | None:
    """First every page of people, then the further ones of firms."""
    if found.page.next_token and found.firm_page.is_first:
        return Places(people=found.page.next_token)
    return Places(firms=found.firm_page.next_token) if found.firm_page.next_token else None


class Differences:
    """Holds the list against what everybody of a random world can do, one by one."""

    def __init__(self, seed: int, steps: int) -> None:
        self.world = RandomWorld(World(NOW), Random(seed), steps).build()
        self.at = self.world.instant()
        self.accesses = [Access(one, firm, self.at) for one, firm in self.world.standings()]
        self.found: list[str] = []
        self.compared = 0

    def run(self) -> "Differences":
        versions = self.world.versions()
        listed = self._listed(versions)
        for version in versions:
            self._compare(version.program, version, listed)
        for business in self.world.clients:
            for program in business.programs.all():
                self._compare(program, None, listed)
        return self

    def _listed(self, versions: list[DeclarationVersion]) -> set[tuple[int, int, int]]:
        """(person, business, version) of everything that lists show."""
        every = DeclarationVersion.objects.filter(pk__in=[one.pk for one in versions])
        return {
            (access.person.pk, access.acting_for.pk, pk)
            for access in self.accesses
            for pk in access.visible(every).values_list("pk", flat=True)
        }

    def _compare(
        self,
        program: ProgramAccount,
        version: DeclarationVersion | None,
        listed: set[tuple[int, int, int]],
    ) -> None:
        able = [one for one in self.accesses if self._may(one, program, version)]
        if version:
            by_list = {(person, firm) for person, firm, pk in listed if pk == version.pk}
            assert by_list == {(one.person.pk, one.acting_for.pk) for one in able}
        # Officers are told of in words, as all who may look with a purpose; none is named.
        able = [one for one in able if one.lookup is None]
        readers = {
            one.acting_for.pk: one for one in able if one.decide(VIEW, version or program).allowed
        }
        for reader in readers.values():
            mine = reader.acting_for
            people = {one.person.pk for one in able if one.acting_for == mine}
            others = {one.acting_for.pk for one in able if one.acting_for != mine}
            firms = others if program.business_id == mine.pk else set()
            self.compared += len(self.accesses)
            if named(reader, program, version) != (people, firms):
                self.found.append(f"{version or program} for {reader.person} of {mine}")

    def _may(self, access: Access, program: ProgramAccount, version: Any) -> bool:
        """May see it; of a program account of a client, also what remains of it to the firm."""
        if version or access.decide(VIEW, program).allowed:
            return access.decide(VIEW, version or program).allowed
        probes = RelationshipTerms.objects.filter(
            Q(program=program) | Q(program=None),
            relationship__client=program.business,
            relationship__provider=access.acting_for,
        ).select_related("relationship")
        return any(
            access.decide(
                VIEW,
                SimpleNamespace(
                    program_id=program.pk,
                    owner_id=program.business_id,
                    submitter_id=access.acting_for.pk,
                    submitted_at=terms.effective_start,
                ),
            ).allowed
            for terms in probes
        )


@pytest.mark.django_db
@settings(max_examples=300 if NIGHTLY else 3)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(20, 70))
def test_the_list_is_the_decision_about_everybody(seed: int, steps: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRMS", 1)
        differences = Differences(seed, steps).run()
    assert not differences.found
    assert differences.compared or steps < 40


@pytest.mark.django_db
@settings(max_examples=100 if NIGHTLY else 2)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_end_that_is_shown_is_the_true_one(seed: int) -> None:
    """A path opens until its last instant, and is gone at its end."""
    random_world = RandomWorld(World(NOW), Random(seed), 60).build()
    for person, business in random_world.standings():
        access = Access(person, business, random_world.instant())
        if access.lookup and person.memberships.filter(business=business).exists():
            continue  # whoever joins the business looks no more: nobody can foresee that
        for version in random_world.versions():
            for path in access.decide(VIEW, version).paths:
                if path.until:
                    last = path.until - timedelta(microseconds=1)
                    is_open = Access(person, business, last).decide(VIEW, version).allowed
                    assert is_open or somebody_was_suspended(access.at, last)
                    then = Access(person, business, path.until)
                    assert path not in then.decide(VIEW, version).paths


def somebody_was_suspended(after: datetime, until: datetime) -> bool:
    """What nobody can foresee: a firm or a person of it, between two instants."""
    begun = Q(suspended_at__gt=after, suspended_at__lte=until)
    return any(table.objects.filter(begun).exists() for table in (Relationship, Membership))


def without_groups(found: dict[int, Any]) -> dict[int, Any]:
    return {
        key: tuple(one for one in held if not one.employee_group) for key, held in found.items()
    }


def in_force_alone(access: Access, found: dict[int, Any]) -> dict[int, Any]:
    return {
        firm: tuple(one for one in terms if one.in_force_at(access.at))
        for firm, terms in found.items()
    }


read_assignments, read_terms = module.assignments, module._terms_by_firm
BROKEN: dict[str, tuple[str, Any]] = {
    "firms are forgotten": (
        "_shows",
        lambda access, submission: Q(relationship__provider=None),
    ),
    "groups are forgotten": ("assignments", lambda *args: without_groups(read_assignments(*args))),
    "managers are forgotten": ("managers_assignment", lambda own: ()),
    "what is over is forgotten": (
        "_terms_by_firm",
        lambda access, *args: in_force_alone(access, read_terms(access, *args)),
    ),
    "a colleague is forgotten": (
        "people_with_a_role",
        lambda program, at: people_with_a_role(program, at).exclude(first_name="Staff"),
    ),
}


@pytest.mark.nightly
@pytest.mark.django_db
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_list_is_caught(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """The control: with one thing forgotten, some world shows a difference."""
    monkeypatch.setattr(module, *BROKEN[broken])
    assert any(Differences(seed, 100).run().found for seed in range(20))
