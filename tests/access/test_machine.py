"""Random histories of delegation: after every step the portal decides as the plain model does.

Ten thousand take hours; `HISTORIES` says how many, so that they can be tried in parts. Each part
draws histories of its own.
"""

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from dateutil.relativedelta import relativedelta
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from audit.services import Refusal
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup
from businesses.register import EntityProgram, LegalEntity
from businesses.services import link_new_programs
from delegation.access import Access
from delegation.consent import OFFER_VERSION
from delegation.models import (
    AccessRequest,
    BusinessRole,
    Ceiling,
    ClientGroup,
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Level,
    Membership,
    ProgramRole,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipTerms,
    StaffAssignment,
    Visibility,
)
from delegation.models.periods import during
from delegation.permissions import (
    can_change_relationship,
    can_end_relationship,
    can_renew_relationship,
)
from delegation.roles import Action, Role
from delegation.services import (
    agreements,
    changes,
    clients,
    employees,
    endings,
    groups,
    offers,
    program_groups,
    relationships,
    renewals,
    rights,
    suspensions,
)
from delegation.terms import fingerprint, live_terms, renewable_terms
from officers.services.lookups import open_lookup
from tests.access.model import TORONTO, Model, Row, end_of
from tests.access.random_worlds import submission
from tests.conftest import NIGHTLY
from tests.officers.people import officer
from tests.world import World, done
from transactions.models import DeclarationVersion

ACTIONS = {
    "view": Action.VIEW_TRANSACTIONS,
    "edit": Action.EDIT_TRANSACTIONS,
    "pay": Action.PAY,
}
MANAGING = {
    "employees": Action.MANAGE_EMPLOYEES,
    "relationships": Action.MANAGE_RELATIONSHIPS,
}
HISTORIES = int(os.environ.get("HISTORIES", 10_000 if NIGHTLY else 1))
STEPS = 20
FIRED_AT_NIGHT = 100
RULE = "hypothesis_stateful_rule"
"""How Hypothesis marks a rule."""

number = st.integers(0, 10_000)
ANY_TIME = datetime(9000, 1, 1, tzinfo=UTC)
"""Stands for the instant in the SQL of a list, until it is asked."""


@dataclass
class Cast:
    """What the names of the model are called in the portal."""

    model: Model
    people: dict[str, User]
    businesses: dict[str, BusinessAccount]
    programs: dict[str, ProgramAccount]
    groups: dict[str, EmployeeGroup]
    bundles: dict[str, ProgramGroup]
    client_groups: dict[str, ClientGroup]

    def scope(self, name: str) -> Any:
        return self.programs.get(name) or self.bundles.get(name) or self.businesses.get(name)


def people_of(world: World) -> Cast:
    """Two importers, a broker and a consultant, their managers, staff, and somebody without any."""
    model = Model(world.at)
    cast = Cast(model, {}, {}, {}, {}, {}, {})
    kinds = {
        "Maple": ("none", 2),
        "Birch": ("none", 1),
        "North": ("broker", 1),
        "South": ("consultant", 1),
    }
    for name, (kind, programs) in kinds.items():
        business = world.importer(name, provider_type=kind, programs=programs)
        cast.businesses[name], model.kinds[name] = business, kind
        for program in business.programs.order_by("extension"):
            cast.programs[f"{name} {program.extension}"] = program
            model.programs[f"{name} {program.extension}"] = name
        manager = f"{name} manager"
        cast.people[manager] = world.person(manager)
        model.join(manager, name)
        model.grant(manager, name, "bam")
    for person, name in {"Ann": "Maple", "Bob": "Birch", "Nel": "North", "Sid": "South"}.items():
        cast.people[person] = world.member(person, cast.businesses[name])
        model.join(person, name)
    cast.people["Zed"] = world.person("Zed")
    cast.people["Olga"] = officer(world, "Olga")
    model.officers.add("Olga")
    for name in ("Maple", "North"):
        boss = {"actor": cast.people[f"{name} manager"], "acting_for": cast.businesses[name]}
        cast.groups[f"{name} staff"] = done(
            groups.create_employee_group(name="Staff", at=world.at, **boss)
        )
        model.groups[f"{name} staff"] = name
    bundle = world.program_group("First", cast.businesses["Maple"], "RM0001")
    cast.bundles["First"], model.bundles["First"] = bundle, {"Maple RM0001"}
    for name in ("North", "South"):
        lead = {"actor": cast.people[f"{name} manager"], "acting_for": cast.businesses[name]}
        cast.client_groups[f"{name} clients"] = done(
            clients.create_client_group(name="Clients", at=world.at, **lead)
        )
        model.client_groups[f"{name} clients"] = name
    return cast


class Histories(RuleBasedStateMachine):
    """Every rule acts twice, on the portal and on the model, and both give the same answer."""

    cast: ClassVar[Cast]
    begun: ClassVar["Histories"]
    fired: ClassVar[Counter[str]] = Counter()
    taken: ClassVar[Counter[str]] = Counter()
    compared: ClassVar[int] = 0
    lists: ClassVar[dict[Hashable, tuple[str, tuple[Any, ...]] | None]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.model = self.cast.model
        self.programs = dict(self.cast.programs)
        self.requests: list[tuple[Row, Any]] = []
        self.asked: list[tuple[Row, Any]] = []
        self.offers: list[tuple[Row, Any]] = []
        self.versions: list[DeclarationVersion] = []

    @classmethod
    def begin(cls, cast: Cast) -> None:
        """What every history begins with: work for a client, an employee, what waits."""
        cls.cast = cast
        cls.begun = first = cls()
        first.request_relationship(which=0, who=1, where=0, whole=False)
        hidden = ("view", "none", "none")
        first.agree(which=1, who=1, what=1, ceiling="editor", rules=hidden, days=40, may_pay=True)
        first.assign(where=0, who=1, whom=3, what=2, role="editor")
        first.ask(who=0, where=1, wish=1)
        first.approve(which=1, who=1, what=0, role="editor")
        first.ask(who=8, where=1, wish=2)
        for submitter in ("owner", "North", "South"):
            first.submit(what=0, who=submitter)
        first.offer(which=4, who=1, what=1, ceiling="editor", importer="view", days=40)
        assert sum(cls.taken.values()) == 10
        first.undone.__exit__(None, None, None)

    @initialize()
    def go_on(self) -> None:
        """Every history goes on from there."""
        for name, kind in self.begun.model.kinds.items():
            self.cast.businesses[name].provider_type = kind
        begun = self.begun
        kept = (begun.model, begun.requests, begun.asked, begun.offers)
        self.model, self.requests, self.asked, self.offers = deepcopy(kept)
        self.versions = list(self.begun.versions)

    def teardown(self) -> None:
        try:
            self._compare_all(strangers=True)
        finally:
            self._undo()

    def _undo(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    # ------------------------------------------------------------ saying the same

    def same(self, name: str, answer: Any, expected: bool) -> bool:
        self.fired[name] += 1
        self.taken[name] += expected
        refused = isinstance(answer, Refusal)
        code = answer.code if refused else ""
        assert refused is not expected, f"{name}: the model says {expected}, the portal {code}"
        return expected

    def person(self, n: int) -> str:
        """Anybody who is not disabled: only they can sign in and act."""
        able = [name for name in sorted(self.cast.people) if name not in self.model.disabled]
        return able[n % len(able)]

    def actor(self, n: int, business: str) -> str:
        """Mostly somebody who manages the business, at times anybody."""
        managers = [name for name in sorted(self.cast.people) if self.model.is_bam(name, business)]
        if n % 4 and managers:
            return managers[n % len(managers)]
        return self.person(n // 4)

    def by(self, actor: str, business: str) -> dict[str, Any]:
        return {
            "actor": self.cast.people[actor],
            "acting_for": self.cast.businesses[business],
            "at": self.model.at,
        }

    def business(self, n: int) -> str:
        return sorted(self.cast.businesses)[n % len(self.cast.businesses)]

    def programs_of(self, business: str) -> list[str]:
        return sorted(name for name, owner in self.model.programs.items() if owner == business)

    def live(self, table: str) -> list[Row]:
        return list(self.model.find(table))

    # ------------------------------------------------------------ employees

    @rule(who=number, where=number, wish=number)
    def ask(self, who: int, where: int, wish: int) -> None:
        person, business = self.person(who), self.business(where)
        every = self.programs_of(business)
        wishes = tuple(every[: wish % (len(every) + 1)])
        answer = employees.create_access_request(
            actor=self.cast.people[person],
            bn9=self.cast.businesses[business].bn9,
            note="Please",
            wishes={self.programs[name].extension: Role.READER for name in wishes},
            at=self.model.at,
        )
        if self.same("ask", answer, self.model.ask(person, business, wishes)):
            self.requests.append((self.model.rows["request"][-1], answer.pk))

    def _request(self, n: int) -> tuple[Row, AccessRequest]:
        """Mostly one that waits."""
        waiting = [pair for pair in self.requests if self.model.pending(pair[0])]
        pairs = waiting if waiting and n % 5 else self.requests
        row, pk = pairs[n % len(pairs)]
        return row, AccessRequest.objects.get(pk=pk)

    @precondition(lambda self: self.requests)
    @rule(
        which=number,
        who=number,
        what=number,
        role=st.sampled_from(["bam", "pam", "editor", "reader"]),
    )
    def approve(self, which: int, who: int, what: int, role: str) -> None:
        row, waiting = self._request(which)
        every = self.programs_of(row.business)
        program = None if role == "bam" else every[what % len(every)]
        actor = self._approver(who, row, program)
        given = {self.programs[program].pk: Role(role)} if program else {}
        answer = employees.approve_access_request(
            access_request=waiting,
            grants=employees.Grants(make_bam=program is None, programs=given),
            expected_version=waiting.version,
            **self.by(actor, row.business),
        )
        self.same("approve", answer, self.model.approve(actor, row, program, role))

    def _approver(self, n: int, row: Row, program: str | None) -> str:
        pams = [
            p
            for p in sorted(self.cast.people)
            if program and "pam" in self.model.own_roles(p, program)
        ]
        able = [p for p in pams if p not in self.model.disabled]
        return able[n % len(able)] if able and n % 3 == 0 else self.actor(n, row.business)

    @precondition(lambda self: self.requests)
    @rule(which=number, who=number)
    def reject(self, which: int, who: int) -> None:
        row, waiting = self._request(which)
        actor = self.actor(who, row.business)
        answer = employees.reject_access_request(
            access_request=waiting,
            reason="No",
            expected_version=waiting.version,
            **self.by(actor, row.business),
        )
        self.same("reject", answer, self.model.reject(actor, row))

    @precondition(lambda self: self.requests)
    @rule(which=number, who=number)
    def decide_what_changed(self, which: int, who: int) -> None:
        row, waiting = self._request(which)
        answer = employees.reject_access_request(
            access_request=waiting,
            reason="No",
            expected_version=waiting.version + 1,
            **self.by(self.actor(who, row.business), row.business),
        )
        self.same("decide_what_changed", answer, False)

    @precondition(lambda self: self.requests)
    @rule(which=number)
    def withdraw(self, which: int) -> None:
        row, waiting = self._request(which)
        answer = employees.withdraw_access_request(
            actor=self.cast.people[row.asker], access_request=waiting, at=self.model.at
        )
        self.same("withdraw", answer, self.model.withdraw(row))

    @precondition(lambda self: self.live("membership"))
    @rule(which=number, who=number, suspend=st.booleans())
    def leave(self, which: int, who: int, suspend: bool) -> None:
        rows = self.live("membership")
        row = rows[which % len(rows)]
        actor = self.actor(who, row.business)
        membership = Membership.objects.get(
            during(self.model.at),
            person=self.cast.people[row.person],
            business=self.cast.businesses[row.business],
        )
        act = rights.suspend_membership if suspend else rights.end_membership
        answer = act(membership=membership, reason="Left", **self.by(actor, row.business))
        expected = self.model.end_membership(actor, row, suspend=suspend)
        self.same("suspend" if suspend else "leave", answer, expected)

    @precondition(lambda self: self.live("membership"))
    @rule(which=number, who=number)
    def resume(self, which: int, who: int) -> None:
        """Mostly one that is suspended."""
        every = self.live("membership")
        stopped = [row for row in every if (row.person, row.business) in self.model.suspended]
        rows = stopped if stopped and which % 5 else every
        row = rows[which % len(rows)]
        actor = self.actor(who, row.business)
        answer = rights.resume_membership(
            membership=Membership.objects.get(
                during(self.model.at),
                person=self.cast.people[row.person],
                business=self.cast.businesses[row.business],
            ),
            **self.by(actor, row.business),
        )
        self.same("resume", answer, self.model.resume_membership(actor, row))

    @precondition(lambda self: self.live("role"))
    @rule(which=number, who=number, days=st.sampled_from([0, 0, 1, 20]))
    def end_role(self, which: int, who: int, days: int) -> None:
        rows = self.live("role")
        row = rows[which % len(rows)]
        business = self.model.programs.get(row.scope, row.scope)
        actor, end = self.actor(who, business), self.model.at + timedelta(days=days)
        is_bam = row.scope == business
        table = BusinessRole if is_bam else ProgramRole
        act: Callable[..., Any] = rights.end_business_role if is_bam else rights.end_program_role
        held = table.objects.get(
            during(self.model.at),
            user=self.cast.people[row.person],
            content_object=self.cast.businesses[row.scope] if is_bam else self.programs[row.scope],
        )
        answer = act(role=held, ends_at=end if days else None, **self.by(actor, business))
        self.same("end_role", answer, self.model.end_role(actor, row, end))

    @rule(which=number, who=number, whom=number)
    def join_group(self, which: int, who: int, whom: int) -> None:
        group = sorted(self.cast.groups)[which % len(self.cast.groups)]
        business = self.model.groups[group]
        actor = self.actor(who, business)
        members = sorted({row.person for row in self.model.find("membership", business=business)})
        people = members if whom % 4 and members else sorted(self.cast.people)
        person = people[whom % len(people)]
        answer = groups.add_employees_to_group(
            group=self.cast.groups[group],
            people=[self.cast.people[person]],
            **self.by(actor, business),
        )
        self.same("join_group", answer, self.model.join_group(actor, group, person))

    @precondition(lambda self: self.live("group_member"))
    @rule(which=number, who=number)
    def leave_group(self, which: int, who: int) -> None:
        """By oneself at times, else by a manager."""
        rows = self.live("group_member")
        row = rows[which % len(rows)]
        business = self.model.groups[row.group]
        own = who % 3 == 0 and row.person not in self.model.disabled
        actor = row.person if own else self.actor(who, business)
        answer = groups.remove_employee_from_group(
            member=EmployeeGroupMember.objects.get(
                during(self.model.at),
                group=self.cast.groups[row.group],
                person=self.cast.people[row.person],
            ),
            **self.by(actor, business),
        )
        self.same("leave_group", answer, self.model.leave_group(actor, row))

    @rule(which=number, who=number, often=st.integers(0, 3))
    def archive_group(self, which: int, who: int, often: int) -> None:
        """Mostly tried by somebody who may not, so that groups live for a while."""
        names = sorted({**self.cast.groups, **self.cast.bundles})
        name = names[which % len(names)]
        business = self.model.groups.get(name, "Maple")
        actor = self.person(who) if often else self.actor(who, business)
        if name in self.cast.groups:
            answer = groups.archive_employee_group(
                group=self.cast.groups[name], **self.by(actor, business)
            )
        else:
            answer = program_groups.archive_program_group(
                group=self.cast.bundles[name], **self.by(actor, business)
            )
        self.same("archive_group", answer, self.model.archive_group(actor, name, business))

    @precondition(lambda self: self.live("group_role"))
    @rule(which=number, who=number)
    def end_group_role(self, which: int, who: int) -> None:
        rows = self.live("group_role")
        row = rows[which % len(rows)]
        actor = self.actor(who, "Maple")
        is_bundle = row.scope in self.cast.bundles
        table = GroupProgramGroupRole if is_bundle else GroupProgramRole
        held = table.objects.get(
            during(self.model.at),
            group__employee_group=self.cast.groups[row.group],
            content_object=self.cast.scope(row.scope) or self.programs[row.scope],
        )
        answer = groups.end_employee_group_role(role=held, **self.by(actor, "Maple"))
        self.same("end_group_role", answer, self.model.end_group_role(actor, row))

    def _bundle(self, program: str) -> None:
        self.cast.bundles["First"].members.create(
            program=self.programs[program], starts_at=self.model.at
        )
        self.model.bundles["First"].add(program)

    @rule(what=number, who=number)
    def bundle(self, what: int, who: int) -> None:
        """A program account of Maple goes into the program-account group."""
        names = self.programs_of("Maple")
        name, actor = names[what % len(names)], self.actor(who, "Maple")
        answer = program_groups.add_programs_to_group(
            group=self.cast.bundles["First"],
            programs=[self.programs[name]],
            **self.by(actor, "Maple"),
        )
        self.same("bundle", answer, self.model.bundle(actor, "First", name))

    @precondition(lambda self: self.model.bundles["First"])
    @rule(what=number, who=number)
    def unbundle(self, what: int, who: int) -> None:
        """It comes out again, and so does all that was held over the group."""
        names = sorted(self.model.bundles["First"])
        name, actor = names[what % len(names)], self.actor(who, "Maple")
        answer = program_groups.remove_program_from_group(
            member=self.cast.bundles["First"].members.get(
                program=self.programs[name], ends_at=None
            ),
            **self.by(actor, "Maple"),
        )
        self.same("unbundle", answer, self.model.unbundle(actor, "First", name))

    @rule(which=number, who=number, what=number, role=st.sampled_from(["pam", "editor", "reader"]))
    def grant_group(self, which: int, who: int, what: int, role: str) -> None:
        scopes = ["First", *self.programs_of("Maple")]
        scope = scopes[what % len(scopes)]
        actor = self.actor(who, "Maple")
        answer = groups.grant_employee_group_role(
            group=self.cast.groups["Maple staff"],
            scope=self.programs.get(scope) or self.cast.bundles[scope],
            role=Role(role),
            **self.by(actor, "Maple"),
        )
        self.same("grant_group", answer, self.model.grant_group(actor, "Maple staff", scope, role))

    @precondition(lambda self: len(self.model.programs) < 9)
    @rule(where=number, bundled=st.booleans())
    def open_program(self, where: int, bundled: bool) -> None:
        business = self.cast.businesses[name := self.business(where)]
        extension = f"RM{len(self.programs_of(name)) + 1:04}"
        entity = LegalEntity(
            bn9=business.bn9, legal_name=name, operating_name="", street="", city="", region="",
            postal_code="", country="CA", emails=(), provider_type="none",
            programs=(EntityProgram(extension, "New", "importer", True),),
            transactions=(), payments=(), statements=(),
        )  # fmt: skip
        [program] = link_new_programs(business=business, entity=entity, at=self.model.at)
        key = f"{name} {extension}"
        self.programs[key], self.model.programs[key] = program, name
        if bundled and name == "Maple" and "First" not in self.model.archived:
            self._bundle(key)
        self.same("open_program", None, True)

    # ------------------------------------------------------------ relationships

    @rule(which=number, who=number, where=number, whole=st.booleans())
    def request_relationship(self, which: int, who: int, where: int, whole: bool) -> None:
        provider = ["North", "South", "North", "South", "Birch"][which % 5]
        client = ["Maple", "Birch", "Maple", "North"][where % 4]
        actor = self.actor(who, provider)
        programs = () if whole else tuple(self.programs_of(client))
        lapse = self.model.at + relativedelta(months=12)
        wish = relationships.Wish(
            level=Level.BUSINESS if whole else Level.PROGRAM,
            extensions=tuple(self.programs[name].extension for name in programs),
        )
        answer = relationships.create_relationship_request(
            client_bn9=self.cast.businesses[client].bn9, wish=wish, **self.by(actor, provider)
        )
        expected = self.model.request_relationship(actor, provider, client, programs, lapse)
        if self.same("request_relationship", answer, expected):
            self.asked.append((self.model.rows["relationship_request"][-1], answer.pk))

    def _asked(self, n: int) -> tuple[Row, RelationshipRequest]:
        waiting = [pair for pair in self.asked if self.model.pending(pair[0])]
        pairs = waiting if waiting and n % 5 else self.asked
        row, pk = pairs[n % len(pairs)]
        return row, RelationshipRequest.objects.get(pk=pk)

    @precondition(lambda self: self.asked)
    @rule(
        which=number,
        who=number,
        what=number,
        ceiling=st.sampled_from(["pam", "editor", "editor", "reader"]),
        rules=st.tuples(
            st.sampled_from(["view", "edit"]),
            st.sampled_from(["none", "view", "edit"]),
            st.sampled_from(["none", "view", "edit"]),
        ),
        days=st.sampled_from([None, 0, 10, 40]),
        may_pay=st.booleans(),
    )
    def agree(
        self,
        which: int,
        who: int,
        what: int,
        ceiling: str,
        rules: tuple[str, str, str],
        days: int | None,
        may_pay: bool,
    ) -> None:
        row, waiting = self._asked(which)
        every = self.programs_of(row.business)
        programs = tuple(every[: what % (len(every) + 1)])
        actor = self._approver(who, row, programs[0] if programs else None)
        agreement, agreed = self._agreement(programs, ceiling, rules, days, may_pay=may_pay)
        answer = relationships.approve_relationship_request(
            relationship_request=waiting,
            agreement=agreement,
            expected_version=waiting.version,
            **self.by(actor, row.business),
        )
        self.same("agree", answer, self.model.agree(actor, row, agreed))

    def _agreement(
        self,
        programs: tuple[str, ...],
        ceiling: str,
        rules: tuple[str, str, str],
        days: int | None,
        *,
        may_pay: bool,
    ) -> tuple[agreements.Agreement, dict[str, Any]]:
        """What is agreed to, for the portal and for the model."""
        today = self.model.at.astimezone(TORONTO).date()
        last_day = None if days is None else today + timedelta(days=days)
        chosen = dict(zip(("broker", "importer", "other"), rules, strict=True))
        agreement = agreements.Agreement(
            level=Level.PROGRAM if programs else Level.BUSINESS,
            programs=frozenset(self.programs[name].pk for name in programs),
            covers_future=not programs,
            ceiling=Ceiling(ceiling),
            rules=agreements.Rules(**{k: Visibility(v) for k, v in chosen.items()}),
            last_day=last_day,
            open_end_reason="" if last_day else "Standing mandate",
            may_pay=may_pay,
        )
        return agreement, {
            "programs": programs,
            "ceiling": ceiling,
            "rules": chosen,
            "end": end_of(last_day) if last_day else None,
            "may_pay": may_pay,
        }

    @rule(
        which=number,
        who=number,
        what=number,
        ceiling=st.sampled_from(["pam", "editor", "reader"]),
        importer=st.sampled_from(["none", "view", "edit"]),
        days=st.sampled_from([None, 0, 10, 40]),
    )
    def offer(
        self, which: int, who: int, what: int, ceiling: str, importer: str, days: int | None
    ) -> None:
        client = ["Maple", "Maple", "Birch", "North"][which % 4]
        provider = ["North", "South", "Birch"][which // 4 % 3]
        every = self.programs_of(client)
        programs = tuple(every[: what % (len(every) + 1)])
        about = Row(self.model.at, None, {"business": client})
        actor = self._approver(who, about, programs[0] if programs else None)
        rules = ("view", importer, "none")
        agreement, agreed = self._agreement(programs, ceiling, rules, days, may_pay=False)
        answer = offers.create_relationship_offer(
            provider_bn9=self.cast.businesses[provider].bn9,
            agreement=replace(agreement, consent_version=OFFER_VERSION),
            comment="",
            **self.by(actor, client),
        )
        lapse = self.model.at + relativedelta(months=12)
        if self.same("offer", answer, self.model.offer(actor, client, provider, agreed, lapse)):
            self.offers.append((self.model.rows["offer"][-1], answer.pk))

    @precondition(lambda self: self.offers)
    @rule(
        which=number,
        who=number,
        how=st.sampled_from(["accept", "accept", "accept", "decline", "withdraw"]),
    )
    def answer_offer(self, which: int, who: int, how: str) -> None:
        waiting = [pair for pair in self.offers if pair[0].live(self.model.at)]
        pairs = waiting if waiting and which % 5 else self.offers
        row, pk = pairs[which % len(pairs)]
        offer = RelationshipOffer.objects.get(pk=pk)
        about: dict[str, Any] = {"relationship_offer": offer}
        if how == "withdraw":
            actor = self._approver(who, row, next(iter(row.agreed["programs"]), None))
            by = self.by(actor, row.business)
            answer = offers.withdraw_relationship_offer(**about, **by)
            self.same("answer_offer", answer, self.model.withdraw_offer(actor, row))
            return
        actor = self.actor(who, row.provider)
        about |= {"expected_version": offer.version, **self.by(actor, row.provider)}
        if how == "decline":
            answer = offers.decline_relationship_offer(reason="No", **about)
            self.same("answer_offer", answer, self.model.decline_offer(actor, row))
        else:
            answer = offers.accept_relationship_offer(**about)
            self.same("answer_offer", answer, self.model.accept_offer(actor, row))

    @precondition(lambda self: self.asked)
    @rule(which=number, who=number)
    def refuse_relationship(self, which: int, who: int) -> None:
        row, waiting = self._asked(which)
        actor = self.actor(who, row.business)
        answer = relationships.reject_relationship_request(
            relationship_request=waiting,
            reason="No",
            expected_version=waiting.version,
            **self.by(actor, row.business),
        )
        self.same("refuse_relationship", answer, self.model.reject(actor, row, "relationships"))

    @precondition(lambda self: self.asked)
    @rule(which=number, who=number)
    def withdraw_relationship(self, which: int, who: int) -> None:
        row, waiting = self._asked(which)
        actor = self.actor(who, row.provider)
        answer = relationships.withdraw_relationship_request(
            relationship_request=waiting, **self.by(actor, row.provider)
        )
        self.same("withdraw_relationship", answer, self.model.withdraw_relationship(actor, row))

    @precondition(lambda self: self.live("relationship"))
    @rule(which=number, who=number, by_provider=st.booleans())
    def part(self, which: int, who: int, by_provider: bool) -> None:
        """The client ends a relationship, in part where a PAM does, or the provider leaves."""
        rows = self.live("relationship")
        row = rows[which % len(rows)]
        business = row.provider if by_provider else row.client
        programs = self.programs_of(row.client)
        actor = self.actor(who, business)
        if not by_provider:
            actor = self._approver(who, Row(row.start, None, {"business": row.client}), programs[0])
        relationship = Relationship.objects.get(
            during(self.model.at),
            client=self.cast.businesses[row.client],
            provider=self.cast.businesses[row.provider],
        )
        access = Access(self.cast.people[actor], self.cast.businesses[business], self.model.at)
        live = live_terms(relationship.terms.all(), self.model.at)
        shown = live if by_provider else can_end_relationship(access, live)
        act = endings.leave_relationship if by_provider else endings.end_relationship
        answer = act(
            relationship=relationship,
            expected_terms=fingerprint(shown),
            reason="",
            **self.by(actor, business),
        )
        model = self.model
        end = model.leave_relationship if by_provider else model.end_relationship
        self.same("part", answer, end(actor, row))

    def _related(self, which: int) -> tuple[Row, Relationship]:
        """A live relationship of the model, and of the portal."""
        rows = self.live("relationship")
        row = rows[which % len(rows)]
        return row, Relationship.objects.get(
            during(self.model.at),
            client=self.cast.businesses[row.client],
            provider=self.cast.businesses[row.provider],
        )

    def _manager(self, who: int, row: Row, program: str | None) -> tuple[str, Access]:
        """Mostly somebody who manages the client or one of its programs, and the access of it."""
        actor = self._approver(who, Row(row.start, None, {"business": row.client}), program)
        business = self.cast.businesses[row.client]
        return actor, Access(self.cast.people[actor], business, self.model.at)

    @precondition(lambda self: self.live("relationship"))
    @rule(which=number, who=number)
    def suspend_relationship(self, which: int, who: int) -> None:
        """Suspended, or resumed where it was."""
        row, relationship = self._related(which)
        actor = self.actor(who, row.client)
        act = suspensions.suspend_relationship
        about: dict[str, Any] = {"reason": "Late"}
        if row.facts["suspended"]:
            live = live_terms(relationship.terms.select_related("relationship"), self.model.at)
            act, about = suspensions.resume_relationship, {"expected_terms": fingerprint(live)}
        answer = act(relationship=relationship, **about, **self.by(actor, row.client))
        self.same("suspend_relationship", answer, self.model.suspend_relationship(actor, row))

    @precondition(lambda self: self.live("relationship"))
    @rule(which=number, who=number, part=number, days=st.sampled_from([1, 40, 400]))
    def renew_relationship(self, which: int, who: int, part: int, days: int) -> None:
        """The client lets some of what was agreed go on."""
        row, relationship = self._related(which)
        programs = self.programs_of(row.client)
        actor, access = self._manager(who, row, programs[0])
        terms = relationship.terms.select_related("program", "relationship")
        mine = can_renew_relationship(access, renewable_terms(terms, self.model.at))
        chosen = [name for n, name in enumerate([None, *programs]) if part >> n & 1]
        last_day = self.model.at.astimezone(TORONTO).date() + timedelta(days=days)
        extensions = frozenset(self.programs[name].extension if name else "" for name in chosen)
        answer = renewals.renew_relationship(
            relationship=relationship,
            renewal=renewals.Renewal(last_day, extensions),
            expected_terms=fingerprint(mine),
            **self.by(actor, row.client),
        )
        told = self.model.renew_relationship(actor, row, set(chosen), end_of(last_day))
        self.same("renew_relationship", answer, told)

    @precondition(lambda self: self.live("relationship"))
    @rule(
        which=number,
        who=number,
        what=number,
        ceiling=st.sampled_from(["pam", "editor", "reader"]),
        importer=st.sampled_from(["none", "view", "edit"]),
        days=st.sampled_from([0, 40, 400]),
        keeps=st.booleans(),
    )
    def change_relationship(
        self, which: int, who: int, what: int, ceiling: str, importer: str, days: int, keeps: bool
    ) -> None:
        """The client agrees to other terms, on some of its program accounts or on all of them."""
        row, relationship = self._related(which)
        every = self.programs_of(row.client)
        programs = tuple(every[: what % (len(every) + 1)])
        actor, access = self._manager(who, row, programs[0] if programs else None)
        mine = can_change_relationship(access, live_terms(relationship.terms.all(), self.model.at))
        last_day = self.model.at.astimezone(TORONTO).date() + timedelta(days=days)
        answer = changes.change_relationship(
            relationship=relationship,
            agreement=agreements.Agreement(
                level=Level.PROGRAM if programs else Level.BUSINESS,
                programs=frozenset(self.programs[name].pk for name in programs),
                covers_future=not programs,
                ceiling=Ceiling(ceiling),
                rules=agreements.Rules(importer=Visibility(importer)),
                last_day=last_day,
            ),
            keeps_others=keeps,
            expected_terms=fingerprint(mine),
            **self.by(actor, row.client),
        )
        agreed = {
            "programs": programs,
            "ceiling": ceiling,
            "rules": {"broker": "view", "importer": importer, "other": "none"},
            "end": end_of(last_day),
            "may_pay": False,
        }
        told = self.model.change_relationship(actor, row, agreed, keeps=keeps)
        self.same("change_relationship", answer, told)

    @precondition(lambda self: self.live("relationship"))
    @rule(
        which=number,
        who=number,
        part=number,
        most=st.tuples(
            st.sampled_from(["view", "edit"]),
            st.sampled_from(["none", "view", "edit"]),
            st.sampled_from(["none", "view", "edit"]),
        ),
    )
    def narrow_relationship(
        self, which: int, who: int, part: int, most: tuple[str, str, str]
    ) -> None:
        """The firm gives back a part."""
        row, relationship = self._related(which)
        actor = self.actor(who, row.provider)
        kept = [n for i, n in enumerate([None, *self.programs_of(row.client)]) if part >> i & 1]
        answer = changes.narrow_relationship(
            relationship=relationship,
            narrowing=changes.Narrowing(
                frozenset(self.programs[name].extension if name else "" for name in kept),
                agreements.Rules(*map(Visibility, most)),
            ),
            expected_terms=fingerprint(live_terms(relationship.terms.all(), self.model.at)),
            **self.by(actor, row.provider),
        )
        rules = dict(zip(("broker", "importer", "other"), most, strict=True))
        told = self.model.narrow_relationship(actor, row, set(kept), rules)
        self.same("narrow_relationship", answer, told)

    @rule(
        where=number,
        who=number,
        whom=number,
        what=number,
        role=st.sampled_from(["pam", "editor", "reader"]),
    )
    def assign(self, where: int, who: int, whom: int, what: int, role: str) -> None:
        provider = ["North", "North", "South"][where % 3]
        actor = self.actor(who, provider)
        staff = sorted({row.person for row in self.model.find("membership", business=provider)})
        candidates = [*staff, *[g for g, owner in self.model.groups.items() if owner == provider]]
        assignees = candidates if whom % 5 and candidates else sorted(self.cast.people)
        assignee = assignees[whom % len(assignees)]
        known = [name for name in ("Maple", "Birch", "North") if self.model.knows(provider, name)]
        targets = [*(known if what % 5 else ("Maple", "Birch")), f"{provider} clients"]
        target = targets[what % len(targets)]
        answer = clients.create_staff_assignment(
            assignee=self.cast.people.get(assignee) or self.cast.groups[assignee],
            target=self.cast.businesses.get(target) or self.cast.client_groups[target],
            role=Ceiling(role),
            **self.by(actor, provider),
        )
        self.same("assign", answer, self.model.assign(actor, provider, assignee, target, role))

    @precondition(lambda self: self.live("assignment"))
    @rule(which=number, who=number)
    def end_assignment(self, which: int, who: int) -> None:
        rows = self.live("assignment")
        row = rows[which % len(rows)]
        actor = self.actor(who, row.provider)
        to_group = row.target in self.cast.client_groups
        found = StaffAssignment.objects.get(
            during(self.model.at),
            provider=self.cast.businesses[row.provider],
            person=self.cast.people.get(row.who),
            employee_group=self.cast.groups.get(row.who),
            client=None if to_group else self.cast.businesses[row.target],
            client_group=self.cast.client_groups[row.target] if to_group else None,
        )
        answer = clients.end_staff_assignment(assignment=found, **self.by(actor, row.provider))
        self.same("end_assignment", answer, self.model.end_assignment(actor, row))

    @rule(which=number, who=number, what=number)
    def group_client(self, which: int, who: int, what: int) -> None:
        group = sorted(self.cast.client_groups)[which % 2]
        provider = self.model.client_groups[group]
        known = [name for name in ("Maple", "Birch") if self.model.knows(provider, name)]
        client = known[what % len(known)] if known and what % 4 else "Birch"
        actor = self.actor(who, provider)
        answer = clients.add_client_to_group(
            group=self.cast.client_groups[group],
            client=self.cast.businesses[client],
            **self.by(actor, provider),
        )
        self.same("group_client", answer, self.model.group_client(actor, group, client))

    # ------------------------------------------------------------ the rest of the world

    @rule(what=number, who=st.sampled_from(["owner", "North", "South", "North", "Birch"]))
    def submit(self, what: int, who: str) -> None:
        names = (
            self.programs_of("Maple") * 2 + self.programs_of("Birch") + self.programs_of("North")
        )
        program = names[what % len(names)]
        submitter = self.model.programs[program] if who == "owner" else who
        self.versions.append(
            submission(
                program=self.programs[program],
                submitter=self.cast.businesses[submitter],
                at=self.model.at,
            )
        )
        self.model.versions.append(
            {"program": program, "submitter": submitter, "at": self.model.at}
        )
        self.same("submit", None, True)

    @rule(where=st.sampled_from(["Maple", "Maple", "North", "Birch"]), is_officer=st.booleans())
    def look_up(self, where: str, is_officer: bool) -> None:
        """An officer, or somebody who is none, opens a business to the own eyes."""
        name = "Olga" if is_officer else "Zed"
        answer = open_lookup(
            actor=self.cast.people[name],
            bn9=self.cast.businesses[where].bn9,
            purpose="Audit",
            at=self.model.at,
        )
        self.same("look_up", answer, self.model.look_up(name, where))

    @rule(what=number)
    def close_program(self, what: int) -> None:
        """A program account of Maple closes, or opens again where one was closed."""
        names = self.programs_of("Maple")
        name = next(iter(sorted(self.model.closed)), names[what % len(names)])
        self.model.closed ^= {name}
        ProgramAccount.objects.filter(pk=self.programs[name].pk).update(
            closed_at=self.model.at if name in self.model.closed else None
        )
        self.same("close_program", None, True)

    @rule(name=st.sampled_from(["North", "South"]), kind=st.sampled_from(["broker", "none"]))
    def change_kind(self, name: str, kind: str) -> None:
        """The register says that a firm is a customs broker, or no provider any more."""
        self.model.kinds[name] = kind
        self.cast.businesses[name].provider_type = kind
        BusinessAccount.objects.filter(pk=self.cast.businesses[name].pk).update(provider_type=kind)
        self.same("change_kind", None, True)

    @rule(who=number)
    def disable(self, who: int) -> None:
        """The account of a person is disabled, or enabled again where one was."""
        everybody = sorted(self.cast.people)
        name = next(iter(self.model.disabled), everybody[who % len(everybody)])
        self.model.disabled ^= {name}
        User.objects.filter(pk=self.cast.people[name].pk).update(
            is_active=name not in self.model.disabled
        )
        self.same("disable", None, True)

    @rule(how=st.sampled_from(["hour", "day", "month", "boundary", "before", "past"]))
    def let_time_pass(self, how: str) -> None:
        """By some time, or to the very instant of the next end, just before it and just after."""
        model, small = self.model, timedelta(microseconds=1)
        steps = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}
        ends = [row.end for rows in model.rows.values() for row in rows if row.end]
        coming = min((end for end in ends if end > model.at + small), default=None)
        if how in steps or coming is None:
            model.at += steps.get(how, timedelta(hours=1))
        else:
            model.at = coming + {"boundary": 0, "before": -1, "past": 1}[how] * small
        model.at = model.at.astimezone(UTC)
        self.same("let_time_pass", None, True)

    # ------------------------------------------------------------ the comparison

    @invariant()
    def decides_as_the_model(self) -> None:
        """For everybody who ever belonged to the business; strangers and counts at the end."""
        self._compare_all(strangers=False)

    def _compare_all(self, *, strangers: bool) -> None:
        mine = DeclarationVersion.objects.filter(pk__in=[version.pk for version in self.versions])
        active = dict(User.objects.values_list("pk", "is_active"))
        for name, person in self.cast.people.items():
            person.is_active = active[person.pk]
            for business in self.cast.businesses:
                belonged = any(
                    (row.person, row.business) == (name, business)
                    for row in self.model.rows["membership"]
                )
                looked = name in self.model.officers
                if strangers or belonged or looked:
                    self._compare(name, business, mine, counted=strangers)

    def _compare(
        self, name: str, business: str, mine: QuerySet[DeclarationVersion], *, counted: bool
    ) -> None:
        model = self.model
        access = Access(self.cast.people[name], self.cast.businesses[business], model.at)
        expected, decided = set[Any](), set[Any]()
        for version, told in zip(self.versions, model.versions, strict=True):
            for word, action in ACTIONS.items():
                expected |= {(word, version.pk)} if model.may(name, business, word, told) else set()
                decided |= {(word, version.pk)} if access.decide(action, version).allowed else set()
        for program in self.programs_of(business):
            for word, action in MANAGING.items():
                allowed = access.decide(action, self.programs[program]).allowed
                decided |= {(word, program)} if allowed else set()
                allowed = model.own_may(name, word, program)
                expected |= {(word, program)} if allowed else set()
        assert decided == expected, f"{name} for {business} at {model.at}: {decided ^ expected}"
        assert access.is_bam is model.is_bam(name, business) or name in model.disabled
        seen = {pk for word, pk in expected if word == "view"}
        assert set(self._listed(access)) == seen
        if counted:
            listed = access.visible(mine)
            assert set(listed.values_list("pk", flat=True)) == seen
            assert listed.count() == len(seen)
        Histories.compared += len(self.versions)

    def _listed(self, access: Access) -> list[int]:
        """The versions in the list, whose SQL is built once for each standing that it is built of.

        To build it takes far longer than to ask it; at the end of a history it is built anew.
        """
        own, at = access.own, access.at
        standing = (
            *(access.person.pk, access.acting_for.pk, access.person.is_active),
            *(own.membership, own.bam is None, frozenset(own.programs), own.has_clients),
            *(access.lookup is None, access.is_provider),
        )
        if standing not in self.lists:
            access.at = ANY_TIME
            versions = access.visible(DeclarationVersion.objects.values_list("pk"))
            access.at = at
            try:
                self.lists[standing] = versions.query.sql_with_params()
            except EmptyResultSet:
                self.lists[standing] = None
        if (built := self.lists[standing]) is None:
            return []
        sql, params = built
        adapted = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            given = [adapted(at) if one == adapted(ANY_TIME) else one for one in params]
            cursor.execute(sql, given)
            return [pk for (pk,) in cursor.fetchall()]


@pytest.fixture
def histories(world: World) -> Iterator[type[Histories]]:
    Histories.fired.clear()
    Histories.taken.clear()
    Histories.lists.clear()
    Histories.begin(people_of(world))
    Histories.compared = 0
    yield Histories


def run(machine: type[Histories], histories: int = HISTORIES) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine, settings=settings(max_examples=histories, stateful_step_count=STEPS)
    )


@pytest.mark.asvs("8.4.1")
def test_the_portal_decides_as_the_model(histories: type[Histories]) -> None:
    run(histories)
    rules = {name for name, one in vars(Histories).items() if hasattr(one, RULE)}
    print(f"{HISTORIES} histories, {histories.compared} versions compared")
    for name in sorted(rules):
        print(f"  {name:<24}{histories.fired[name]:>8} fired {histories.taken[name]:>8} taken")
    if NIGHTLY:
        assert min(histories.fired[name] for name in rules) >= FIRED_AT_NIGHT
        assert min(histories.taken[name] for name in rules - {"decide_what_changed"}) > 0
    assert sum(histories.fired.values()) > HISTORIES * STEPS // 4


def _always(self: Any, at: Any = None) -> bool:
    return True


BROKEN: Mapping[str, tuple[Any, str, Any]] = {
    "no terms hide a record": (
        RelationshipTerms,
        "visibility_of",
        lambda self, *args, **named: Visibility.EDIT,
    ),
    "terms are always in force": (RelationshipTerms, "in_force_at", _always),
    "an assignment never ends": (
        Access,
        "_assigned_to_me",
        lambda self: Q(provider=self.acting_for, person=self.person),
    ),
}


@pytest.mark.nightly
@pytest.mark.parametrize("link", BROKEN)
def test_a_broken_link_is_caught(
    histories: type[Histories], monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    """The control: with one link of the decision broken, some history shows it."""
    owner, name, broken = BROKEN[link]
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(AssertionError):
        run(histories, 100)
