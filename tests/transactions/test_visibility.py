"""Who sees which version: per version, by the business that submitted it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Ceiling, EmployeeGroup, Visibility
from delegation.reasons import Reason
from delegation.roles import Action, Role
from delegation.services.agreements import Rules
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from tests.transactions.factories import change, declare
from tests.world import World, done
from transactions.declarations import (
    Wanted,
    is_newer_hidden,
    list_declarations,
    newest_visible,
    visible_declarations,
    visible_versions,
)
from transactions.models import Declaration
from transactions.permissions import can_create_correction
from transactions.rows import declaration_rows

NONE, VIEW, EDIT = Visibility.NONE, Visibility.VIEW, Visibility.EDIT


@dataclass
class Trade:
    """Maple's declarations, each first submitted by another business; ITN acts for Maple."""

    world: World
    maple: BusinessAccount
    itn: BusinessAccount
    harbour: BusinessAccount
    by_importer: Declaration
    by_itn: Declaration
    by_harbour: Declaration

    def access(self, name: str, acting_for: BusinessAccount | None = None) -> Access:
        return self.world.access(self.world.person(name), acting_for or self.itn)

    def relate(self, rules: Rules, **options: Any) -> None:
        self.world.relationship(self.maple, self.itn, rules=rules, **options)
        self.world.assign("Ben", self.itn, self.maple)


@pytest.fixture
def trade(world: World) -> Trade:
    maple, itn, harbour = world.importer("Maple"), world.broker("ITN"), world.broker("Harbour")
    program = world.program(maple)
    return Trade(
        world,
        maple,
        itn,
        harbour,
        by_importer=declare(program, world.at),
        by_itn=declare(program, world.at, submitter=itn),
        by_harbour=declare(program, world.at, submitter=harbour),
    )


def seen(access: Access) -> dict[str, int]:
    """The number of the newest visible version of each declaration that is listed."""
    rows = list(visible_declarations(access))
    newest = newest_visible(access, rows)
    assert set(newest) == {row.pk for row in rows}
    return {row.number: newest[row.pk].number for row in rows}


def decided(access: Access) -> dict[str, int]:
    """The same, by asking about every version there is."""
    return {
        declaration.number: max(numbers)
        for declaration in Declaration.objects.all()
        if (
            numbers := [
                version.number
                for version in declaration.versions.all()
                if access.decide(Action.VIEW_TRANSACTIONS, version).allowed
            ]
        )
    }


def all_of(*declarations: Declaration) -> dict[str, int]:
    return {declaration.number: 1 for declaration in declarations}


# ---------------------------------------------------------------- in the own business


def test_a_role_on_the_program_opens_every_version_whoever_submitted_it(trade: Trade) -> None:
    trade.world.employee("Rita", trade.maple, RM0001="reader")
    everything = all_of(trade.by_importer, trade.by_itn, trade.by_harbour)

    assert seen(trade.access("Rita", trade.maple)) == everything
    assert seen(trade.access("Maple manager", trade.maple)) == everything


def test_a_role_on_another_program_opens_nothing(trade: Trade) -> None:
    trade.world.employee("Otto", trade.maple, RM0002="pam")

    assert seen(trade.access("Otto", trade.maple)) == {}


def test_an_employee_group_opens_what_its_role_opens(trade: Trade) -> None:
    manager, at = trade.world.manager(trade.maple), trade.world.at
    person = trade.world.member("Gina", trade.maple)
    about = {"actor": manager, "acting_for": trade.maple, "at": at}
    group: EmployeeGroup = done(create_employee_group(name="Imports", **about))
    done(add_employees_to_group(group=group, people=[person], **about))
    scope = trade.world.program(trade.maple)

    assert seen(trade.access("Gina", trade.maple)) == {}
    done(grant_employee_group_role(group=group, scope=scope, role=Role.READER, **about))

    access = trade.access("Gina", trade.maple)
    assert set(seen(access)) == {
        trade.by_importer.number,
        trade.by_itn.number,
        trade.by_harbour.number,
    }
    assert not can_create_correction(
        access, trade.by_importer, trade.by_importer.versions.get()
    ).allowed


def test_a_stranger_and_a_disabled_person_see_nothing(trade: Trade) -> None:
    trade.world.importer("Elsewhere")
    manager = trade.world.manager(trade.maple)

    assert seen(trade.access("Elsewhere manager", trade.maple)) == {}
    assert seen(trade.access("Maple manager", trade.itn)) == {}
    manager.is_active = False
    assert seen(trade.access("Maple manager", trade.maple)) == {}


# ---------------------------------------------------------------- through a relationship


@pytest.mark.parametrize("other", [NONE, VIEW, EDIT])
@pytest.mark.parametrize("importer", [NONE, VIEW, EDIT])
@pytest.mark.parametrize("broker", [VIEW, EDIT])
def test_each_rule_opens_the_versions_of_its_submitters(
    trade: Trade, broker: Visibility, importer: Visibility, other: Visibility
) -> None:
    trade.relate(Rules(broker=broker, importer=importer, other=other))
    rules = {trade.by_itn: broker, trade.by_importer: importer, trade.by_harbour: other}

    for name in ("Ben", "ITN manager"):
        access = trade.access(name)
        assert seen(access) == decided(access)
        assert set(seen(access)) == {one.number for one, rule in rules.items() if rule != NONE}
        correctable = {
            one.number: can_create_correction(access, one, one.versions.get()).allowed
            for one in rules
        }
        assert correctable == {one.number: rule == EDIT for one, rule in rules.items()}


def test_an_employee_without_an_assignment_sees_nothing(trade: Trade) -> None:
    trade.relate(Rules(EDIT, EDIT, EDIT))
    trade.world.member("Hana", trade.itn)

    assert seen(trade.access("Hana")) == {}


def test_a_consultant_views_but_never_corrects(trade: Trade) -> None:
    adviser = trade.world.consultant("Adviser")
    trade.world.relationship(trade.maple, adviser, rules=Rules(EDIT, EDIT, EDIT))
    access = trade.access("Adviser manager", adviser)

    assert len(seen(access)) == 3
    version = trade.by_importer.versions.get()
    decision = can_create_correction(access, trade.by_importer, version)
    assert decision.reason is Reason.PROVIDER_TYPE


def test_a_program_out_of_scope_is_not_shown(trade: Trade) -> None:
    trade.relate(Rules(EDIT, EDIT, EDIT), programs=("RM0002",))

    assert seen(trade.access("Ben")) == {}


def test_a_firm_sees_its_own_declarations_beside_those_of_its_clients(trade: Trade) -> None:
    trade.relate(Rules())
    own = declare(trade.world.program(trade.itn), trade.world.at)

    assert seen(trade.access("ITN manager")) == all_of(trade.by_itn, own)
    assert seen(trade.access("Ben")) == all_of(trade.by_itn)


# ---------------------------------------------------------------- once it is over


def expired(trade: Trade) -> Trade:
    """Six months on: the relationship of one month is over, and ITN submitted once more."""
    trade.world.at += timedelta(days=183)
    return trade


def test_an_expired_user_reads_what_the_own_firm_submitted_while_it_lasted(trade: Trade) -> None:
    trade.relate(Rules(EDIT, EDIT, EDIT))
    change(trade.by_itn, trade.maple, trade.world.at)
    change(trade.by_importer, trade.itn, trade.world.at)
    later = expired(trade)
    afterwards = declare(trade.world.program(trade.maple), later.world.at, submitter=trade.itn)
    change(trade.by_importer, trade.itn, later.world.at)

    for name in ("Ben", "ITN manager"):
        access = trade.access(name)
        assert (
            seen(access)
            == decided(access)
            == {
                trade.by_itn.number: 1,
                trade.by_importer.number: 2,
            }
        )
        assert afterwards.number not in seen(access)
        newest = visible_versions(access, trade.by_importer)[0]
        decision = access.decide(Action.EDIT_TRANSACTIONS, newest)
        assert decision.reason is Reason.RELATIONSHIP_OVER


def test_an_expired_user_learns_nothing_of_what_comes_after(trade: Trade) -> None:
    trade.relate(Rules(EDIT, EDIT, EDIT))
    expired(trade)
    change(trade.by_itn, trade.maple, trade.world.at)
    access = trade.access("Ben")
    declaration = visible_declarations(access).get()
    [shown] = visible_versions(access, declaration)

    assert (shown.number, declaration.latest_number) == (1, 2)
    assert not is_newer_hidden(access, declaration, shown)
    [row] = declaration_rows(access, list_declarations(access, Wanted()))
    assert not row.is_newer_hidden
    decision = can_create_correction(access, declaration, shown)
    assert decision.reason is Reason.RELATIONSHIP_OVER


def test_an_expired_user_without_an_assignment_reads_nothing(trade: Trade) -> None:
    trade.relate(Rules(EDIT, EDIT, EDIT))
    trade.world.member("Hana", trade.itn)
    expired(trade)

    assert seen(trade.access("Hana")) == {}


# ---------------------------------------------------------------- versions of one declaration


def test_the_newest_visible_version_stands_for_a_declaration(trade: Trade) -> None:
    trade.relate(Rules(broker=EDIT))
    change(trade.by_itn, trade.harbour, trade.world.at)
    access = trade.access("Ben")
    declaration = visible_declarations(access).get()
    shown = visible_versions(access, declaration)

    assert [version.number for version in shown] == [1]
    assert is_newer_hidden(access, declaration, shown[0])
    [row] = declaration_rows(access, list_declarations(access, Wanted()))
    assert row.is_newer_hidden
    assert can_create_correction(access, declaration, shown[0]).reason is Reason.HIDDEN
    latest = declaration.versions.get(number=2)
    assert can_create_correction(access, declaration, latest).reason is Reason.HIDDEN


def test_the_command_that_explains_says_what_the_page_says(
    trade: Trade, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(action: str, number: str) -> str:
        about = {"acting_for": trade.itn.bn9, "at": trade.world.at.isoformat()}
        with suppress(SystemExit):
            call_command("explain", "ben@example.test", action, number, **about)
        return re.findall(r"reason: (\w+)", capsys.readouterr().out)[0]

    trade.relate(Rules(broker=EDIT))
    number = trade.by_itn.number
    assert said("edit_transactions", number) == "allowed"
    change(trade.by_itn, trade.harbour, trade.world.at)
    assert said("view_transactions", number) == "allowed"
    assert said("view_transactions", f"{number}00002") == "hidden"
    for asked in (number, f"{number}00001", f"{number}00002"):
        assert said("edit_transactions", asked) == "hidden"


def test_an_older_version_can_be_the_hidden_one(trade: Trade) -> None:
    trade.relate(Rules(broker=EDIT))
    change(trade.by_importer, trade.itn, trade.world.at)
    access = trade.access("Ben")
    declaration = visible_declarations(access).get(number=trade.by_importer.number)
    shown = visible_versions(access, declaration)

    assert [version.number for version in shown] == [2]
    assert not is_newer_hidden(access, declaration, shown[0])
    assert can_create_correction(access, declaration, shown[0]).allowed


def test_lists_and_decisions_agree_for_everybody(trade: Trade) -> None:
    """A small matrix; the property test of random worlds goes further."""
    trade.relate(Rules(VIEW, VIEW, NONE), ceiling=Ceiling.READER)
    trade.world.relationship(trade.maple, trade.harbour, programs=("RM0001", "RM0002"))
    trade.world.employee("Rita", trade.maple, RM0001="reader")
    trade.world.employee("Otto", trade.maple, RM0002="editor")
    second = declare(trade.world.program(trade.maple, "RM0002"), trade.world.at)
    for submitter in (trade.itn, trade.maple, trade.harbour):
        for declaration in (trade.by_importer, trade.by_harbour, second):
            change(declaration, submitter, trade.world.at)
    everybody = [
        ("Rita", trade.maple),
        ("Otto", trade.maple),
        ("Maple manager", trade.maple),
        ("Ben", trade.itn),
        ("ITN manager", trade.itn),
        ("Harbour manager", trade.harbour),
        ("Ben", trade.maple),
    ]
    found = []
    for _when in range(2):
        for name, business in everybody:
            access = trade.access(name, business)
            assert seen(access) == decided(access), name
            found.append(len(seen(access)))
        expired(trade)
    assert 0 in found and max(found) == 4
