"""Explains one access decision: `explain PERSON ACTION OBJECT [--acting-for BN] [--at T]`."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from businesses.bn import InvalidBN, compact, parse_bn9, split_bn
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access, Decision, Submission
from delegation.roles import Action
from transactions.declarations import visible_versions
from transactions.models import DeclarationVersion
from transactions.permissions import can_create_correction

NUMBER, FULL_NUMBER = 14, 19
"""Digits of a transaction number, and of one with the version."""


class Command(BaseCommand):
    help = (
        "Say whether a person may do something now or at another instant, why, and by which paths. "
        "Exits with 1 if the decision is no."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="PERSON", help="e-mail address of the person")
        parser.add_argument("action", metavar="ACTION", choices=Action.values)
        parser.add_argument(
            "target",
            metavar="OBJECT",
            help="a BN9, a program account (BN15), or a transaction number with or without version",
        )
        parser.add_argument("--acting-for", metavar="BN", help="default: the object’s business")
        parser.add_argument("--at", metavar="T", help="ISO instant with offset; default: now")

    def handle(self, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["person"]).first()
        if person is None:
            raise CommandError("There is no such person.")
        target = _target(options["target"])
        acting_for = _business(options["acting_for"]) if options["acting_for"] else _owner(target)
        at = _instant(options["at"]) if options["at"] else timezone.now()
        access = Access(person, acting_for, at)
        is_of_version = len(compact(options["target"])) == FULL_NUMBER
        decision = _decide(access, Action(options["action"]), target, is_of_version=is_of_version)
        self.stdout.write(f"{person} acting for {acting_for} at {at.isoformat()}")
        self.stdout.write("allowed" if decision.allowed else "refused")
        self.stdout.write(f"reason: {decision.reason.value} ({decision.reason.label})")
        for path in decision.paths:
            until = path.until.isoformat() if path.until else "no end"
            self.stdout.write(f"path: {path.kind} as {path.role.label}, {path.source}, {until}")
        if not decision.allowed:
            raise SystemExit(1)


def _decide(
    access: Access,
    action: Action,
    target: BusinessAccount | ProgramAccount | Submission,
    *,
    is_of_version: bool,
) -> Decision:
    """What the pages ask: a declaration is its newest visible version, and only that is corrected.

    Another version is asked about where one was named, to be read.
    """
    if not isinstance(target, DeclarationVersion):
        return access.decide(action, target)
    declaration, shown = target.declaration, target
    is_corrected = action is Action.EDIT_TRANSACTIONS
    if is_corrected or not is_of_version:
        shown = next(iter(visible_versions(access, declaration)), target)
    if is_corrected:
        return can_create_correction(access, declaration, shown)
    return access.decide(action, shown)


def _target(text: str) -> BusinessAccount | ProgramAccount | Submission:
    digits = compact(text)
    if digits.isdigit() and len(digits) in (NUMBER, FULL_NUMBER):
        return _version(digits)
    try:
        bn9, extension = split_bn(text)
    except InvalidBN as wrong:
        raise CommandError(f"{text} is neither a BN nor a transaction number.") from wrong
    business = _business(bn9)
    if extension is None:
        return business
    program = business.programs.filter(extension=extension).first()
    if program is None:
        raise CommandError(f"{business} has no program account {extension}.")
    return program


def _version(digits: str) -> DeclarationVersion:
    """The version that 19 digits name, or the latest of 14."""
    versions = DeclarationVersion.objects.filter(declaration__number=digits[:NUMBER])
    if len(digits) == FULL_NUMBER:
        versions = versions.filter(number=int(digits[NUMBER:]))
    version = versions.order_by("number").last()
    if version is None:
        raise CommandError("There is no such declaration.")
    return version


def _business(bn: str) -> BusinessAccount:
    try:
        business = BusinessAccount.objects.filter(bn9=parse_bn9(bn)).first()
    except InvalidBN as wrong:
        raise CommandError(f"{bn} is not a business number.") from wrong
    if business is None:
        raise CommandError(f"{bn} is not registered.")
    return business


def _owner(target: BusinessAccount | ProgramAccount | Submission) -> BusinessAccount:
    if isinstance(target, BusinessAccount):
        return target
    if isinstance(target, ProgramAccount):
        return target.business
    return BusinessAccount.objects.get(pk=target.owner_id)


def _instant(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or timezone.is_naive(at):
        raise CommandError(f"{text} is not an instant such as 2027-03-31T23:59:59-04:00.")
    return at
