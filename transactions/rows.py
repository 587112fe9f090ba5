"""Declarations as pages show them: each row is formatted once, in Python, into ready strings."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.bn import show_bn15
from delegation.access import Access
from delegation.roles import Role
from delegation.standing import PathKind
from delegation.terms import program_label
from pages.formats import NO_BREAK, day, is_french, moment, money
from transactions.corrections import CHANGEABLE, Difference
from transactions.declarations import Listing, newer_hidden, submitter_of
from transactions.models import BY_FILE, Declaration, DeclarationLine, DeclarationVersion
from transactions.tariff import show_hs_code, show_treatment


@dataclass(frozen=True, slots=True)
class Row:
    """A declaration in a list, as its newest visible version has it."""

    url: str
    number: str
    owner: str
    program: str
    declared: str
    submitter: str
    submitted_as: str
    value_for_duty: str
    total: str
    is_newer_hidden: bool


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a version."""

    number: int
    hs_code: str
    description: str
    origin: str
    treatment: str
    quantity: str
    value_for_duty: str
    duty: str
    sima: str
    excise: str
    gst: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the timeline of its declaration."""

    url: str
    title: str
    iso: str
    when: str
    person: str
    submitter: str
    submitted_as: str
    authority: str
    reason: str
    remarks: str
    total: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One cell that somebody else changed."""

    line: int
    name: str
    was: str
    becomes: str


def declaration_rows(access: Access, listing: Listing) -> list[Row]:
    """The rows of a list, in its order."""
    changed = newer_hidden(access, listing.page.rows, listing.newest)
    return [
        _row(access, declaration, listing.newest[declaration.pk], changed)
        for declaration in listing.page.rows
    ]


def _row(
    access: Access, declaration: Declaration, newest: DeclarationVersion, changed: frozenset[int]
) -> Row:
    owner = declaration.owner
    return Row(
        url=address("declaration_detail", access, declaration),
        number=f"{declaration.number}{newest.number:05}",
        owner=owner.legal_name,
        program=_program(access, declaration),
        declared=day(timezone.localdate(declaration.declared_at)),
        submitter=newest.submitter.legal_name,
        submitted_as=submitted_as(access, newest),
        value_for_duty=money(newest.value_for_duty),
        total=money(newest.total),
        is_newer_hidden=declaration.pk in changed,
    )


def _program(access: Access, declaration: Declaration) -> str:
    """The program account: of the own business by its name, of a client by its whole number."""
    if declaration.owner_id == access.acting_for.pk:
        return program_label(declaration.program)
    return show_bn15(declaration.owner.bn9, declaration.program.extension)


def line_rows(lines: Iterable[DeclarationLine]) -> list[LineRow]:
    """The lines of a version, in its order."""
    return [
        LineRow(
            number=line.number,
            hs_code=show_hs_code(line.hs_code),
            description=line.description,
            origin=line.origin,
            treatment=show_treatment(line.tariff_treatment),
            quantity=f"{_number(line.quantity)}{NO_BREAK}{line.unit}",
            value_for_duty=money(line.value_for_duty),
            duty=money(line.duty),
            sima=money(line.sima),
            excise=money(line.excise),
            gst=money(line.gst),
        )
        for line in lines
    ]


def version_rows(
    access: Access,
    declaration: Declaration,
    versions: Iterable[DeclarationVersion],
    shown: DeclarationVersion,
) -> list[VersionRow]:
    """The timeline of a declaration, in the order of `versions`; `shown` is the one on the page."""
    url = address("declaration_detail", access, declaration)
    return [
        VersionRow(
            url=f"{url}?version={version.number}",
            title=_("Version %(number)s") % {"number": version.number},
            iso=version.submitted_at.isoformat(),
            when=moment(version.submitted_at),
            person=version.submitted_by.get_full_name() if version.submitted_by else "",
            submitter=version.submitter.legal_name,
            submitted_as=submitted_as(access, version),
            authority=authority_in_words(version.acting_under),
            reason=version.get_reason_code_display(),
            remarks=version.remarks,
            total=money(version.total),
            is_shown=version == shown,
        )
        for version in versions
    ]


def difference_rows(found: Iterable[Difference]) -> list[DifferenceRow]:
    """What another version changed, as the page tells it."""
    return [
        DifferenceRow(
            line=difference.line,
            name=str(CHANGEABLE[difference.name]),
            was=_cell(difference.name, difference.was),
            becomes=_cell(difference.name, difference.becomes),
        )
        for difference in found
    ]


def _cell(name: str, value: str | Decimal) -> str:
    if isinstance(value, Decimal):
        return money(value)
    return show_hs_code(value) if name == "hs_code" else value


def submitted_as(access: Access, version: DeclarationVersion) -> str:
    """Who the submitter is to the reader, in the words of the visibility rules."""
    is_own = version.submitter_id == version.owner_id == access.acting_for.pk
    if is_own and access.lookup is None:
        return _("You, the importer")
    return str(submitter_of(access, version).label)


def authority_in_words(acting_under: str) -> str:
    """The path under which a version was submitted (`own:editor:direct`), as a sentence."""
    if acting_under == BY_FILE:
        return _("Received by file.")
    kind, role, source = acting_under.split(":", 2)
    words = {
        (PathKind.OWN, True): _("As %(role)s of the importer, through an employee group."),
        (PathKind.OWN, False): _("As %(role)s of the importer."),
        (PathKind.PROVIDER, False): _("As %(role)s, under the business relationship."),
    }[PathKind(kind), source == "group"]
    return words % {"role": Role(role).label}


def address(name: str, access: Access, declaration: Declaration) -> str:
    """The address of a page of a declaration: in the own business, of a client, in a look-up."""
    owner, acting_for = declaration.owner, access.acting_for
    where = {
        "bn9": acting_for.bn9,
        "extension": declaration.program.extension,
        "number": declaration.number,
    }
    if access.lookup:
        there = {**where, "pk": access.lookup.pk}
        del there["bn9"]
        return reverse(f"lookup_{name}", kwargs=there)
    if owner.pk == acting_for.pk:
        return reverse(name, kwargs=where)
    return reverse(f"client_{name}", kwargs={**where, "client_bn9": owner.bn9})


def _number(amount: Decimal) -> str:
    """A quantity without idle zeros: `1,250.5`, `1 250,5`."""
    digits = f"{amount:,.3f}".rstrip("0").rstrip(".")
    return digits.replace(",", NO_BREAK).replace(".", ",") if is_french() else digits
