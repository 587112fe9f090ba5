"""Checks what must hold in the data; names every breach and exits with 1 if there is one."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from delegation.invariants import (
    CHECKS,
    Check,
    Finding,
    guards_exist,
    insert_only,
    look,
    promise,
    together,
)
from delegation.models import BusinessRole, Relationship
from officers.invariants import CHECKS as OF_OFFICERS
from registration.models import Outcome, Registration
from transactions.models import (
    ClientDeclaration,
    Declaration,
    DeclarationLine,
    DeclarationParty,
    DeclarationVersion,
)


def versions_are_of_their_declaration(at: datetime) -> Finding:
    """A version is of its declaration’s program and owner; the newest one has its number (8)."""
    same = Q(program=F("declaration__program"), owner=F("declaration__owner"))
    ours = Q(owner=F("program__business"))
    versions = DeclarationVersion.objects.filter(declaration=OuterRef("pk")).order_by("-number")
    newest = Subquery(versions.values("number")[:1])
    return together(
        look(DeclarationVersion.objects.all(), same & ours),
        look(Declaration.objects.all(), Q(owner=F("program__business"), latest_number=newest)),
    )


def versions_have_their_party(at: datetime) -> Finding:
    """A list finds a version by the row of its submitter: each has one, of a side that is true (8).

    A trigger writes these rows; what it forgot would be missing from the lists of every provider.
    """
    side = DeclarationParty.Side
    theirs = DeclarationParty.objects.filter(
        declaration=OuterRef("declaration"),
        submitter=OuterRef("submitter"),
        program=OuterRef("program"),
    )
    versions = DeclarationVersion.objects.filter(
        declaration=OuterRef("declaration"), submitter=OuterRef("submitter")
    )
    others = DeclarationParty.objects.filter(declaration=OuterRef("declaration"), side=side.OTHER)
    is_importer = Q(submitter=F("declaration__owner"))
    is_first = ~Q(Exists(others.exclude(pk=OuterRef("pk"))))
    of_side = (
        (is_importer & Q(side=side.IMPORTER))
        | (~is_importer & Q(side=side.OTHER) & is_first)
        | (~is_importer & Q(side=side.AGAIN) & Q(Exists(others)))
    )
    same = Q(program=F("declaration__program"), declared_at=F("declaration__declared_at"))
    return together(
        look(DeclarationVersion.objects.all(), Q(Exists(theirs))),
        look(DeclarationParty.objects.all(), Q(Exists(versions)) & of_side & same),
    )


def firms_have_the_declarations_of_their_clients(at: datetime) -> Finding:
    """A declaration stands in the order of each firm that acts or acted for its owner (8).

    Triggers write these rows too.
    """
    held = Relationship.objects.filter(
        client=OuterRef("declaration__owner"), provider=OuterRef("provider")
    )
    row = ClientDeclaration.objects.filter(
        provider=OuterRef(OuterRef("provider")),
        declared_at=OuterRef("declared_at"),
        declaration=OuterRef("pk"),
    )
    missing = Declaration.objects.filter(~Exists(row), owner=OuterRef("client"))
    same = Q(declared_at=F("declaration__declared_at"))
    return together(
        look(ClientDeclaration.objects.all(), Q(Exists(held)) & same),
        look(Relationship.objects.all(), ~Q(Exists(missing))),
    )


def registrations_found_their_business(at: datetime) -> Finding:
    """Whoever registered a business was its first manager, under its own number (1, 15)."""
    founder = BusinessRole.objects.filter(
        user=OuterRef("person"), content_object=OuterRef("business"), granted_by=None
    )
    registered = Registration.objects.filter(outcome=Outcome.REGISTERED)
    return look(registered, Q(Exists(founder)) & Q(bn9=F("business__bn9")))


def declarations_never_change(at: datetime) -> Finding:
    """Versions of declarations and their lines cannot be changed or deleted in the database."""
    return insert_only(DeclarationVersion, DeclarationLine)


EVERY_CHECK: tuple[Check, ...] = (
    *CHECKS,
    *OF_OFFICERS,
    versions_are_of_their_declaration,
    versions_have_their_party,
    firms_have_the_declarations_of_their_clients,
    registrations_found_their_business,
    guards_exist,
    declarations_never_change,
)


class Command(BaseCommand):
    help = "Checks what must hold in the data and its guards; exits with 1 if anything is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        breaches = 0
        for check in EVERY_CHECK:
            looked, broken = check(at)
            self.stdout.write(f"{looked:>9,}  {promise(check)}")
            for line in broken:
                self.stderr.write(f"   broken  {line}")
            breaches += len(broken)
        if breaches:
            raise CommandError(f"{breaches} breaches.")
