"""What somebody can and cannot do, sentence by sentence, from the table of roles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from businesses.models import ProgramAccount
from delegation.access import Access
from delegation.models import Ceiling
from delegation.roles import TABLE, THROUGH_A_RELATIONSHIP, Action, Role, grantable_by, may
from delegation.terms import program_label

OF_A_BUSINESS = TABLE[Role.BAM] - TABLE[Role.PAM]
"""What concerns a business as a whole: no role on a program account includes it."""


@dataclass(frozen=True)
class Ability:
    """One thing that can be done, and where."""

    sentence: str
    where: str


@dataclass(frozen=True)
class Abilities:
    """Every thing that there is to do in a business: what somebody can, and what not.

    In a firm that `serves` clients this is about the firm's own account, and not about theirs.
    """

    can: tuple[Ability, ...]
    cannot: tuple[str, ...]
    serves: bool = False


def abilities_of(
    access: Access, programs: Sequence[ProgramAccount], *, of_business: bool
) -> Abilities:
    """What the person of `access` can do now on the program accounts that a reader may know of.

    With `of_business` also what concerns the business as a whole. The one decision is asked about
    each; what only service providers do is left out elsewhere.
    """
    can, cannot = [], []
    for action in Action:
        is_of_business = action in OF_A_BUSINESS
        if is_of_business and not of_business:
            continue
        if action is Action.MANAGE_CLIENTS and not access.is_provider:
            continue
        where = _of_business(access, action) if is_of_business else _on(access, action, programs)
        if where:
            can.append(Ability(str(action.label), where))
        else:
            cannot.append(str(action.label))
    return Abilities(tuple(can), tuple(cannot), access.serves_clients)


def _of_business(access: Access, action: Action) -> str:
    allowed = access.decide(action, access.acting_for).allowed
    return _("The business account") if allowed else ""


def _on(access: Access, action: Action, programs: Iterable[ProgramAccount]) -> str:
    if access.is_bam and access.decide(action, access.acting_for).allowed:
        return _("Every program account, present and future")
    able = [program for program in programs if access.decide(action, program).allowed]
    return ", ".join(program_label(program) for program in able)


# ---------------------------------------------------------------- the table, for everybody


@dataclass(frozen=True)
class TableRow:
    """One thing to do, and for each column whether it may be done."""

    sentence: str
    cells: tuple[tuple[str, bool], ...]


def role_rows() -> list[TableRow]:
    """Each thing to do, by role."""
    return [
        TableRow(str(action.label), tuple((str(role.label), may(role, action)) for role in Role))
        for action in Action
    ]


def ceiling_rows() -> list[TableRow]:
    """Each thing that a service provider can do for a client, by the most that the client gives."""
    return [
        TableRow(
            str(action.label),
            tuple((str(most.label), may(Role(most.value), action)) for most in Ceiling),
        )
        for action in Action
        if action in THROUGH_A_RELATIONSHIP
    ]


def granted_by() -> list[tuple[str, str]]:
    """The roles that can grant, each with the roles that it grants."""
    return [
        (str(role.label), ", ".join(str(one.label) for one in grantable_by(role)))
        for role in Role
        if grantable_by(role)
    ]
