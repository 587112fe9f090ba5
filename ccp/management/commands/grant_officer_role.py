"""Makes somebody an officer of the agency, or ends it: `grant_officer_role EMAIL KIND --by N`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import OfficerRole, User
from accounts.services import end_officer_role, grant_officer_role
from audit.services import Refusal


class Command(BaseCommand):
    help = (
        "Give a person a role at the agency, or end it. The person must have an account; whoever "
        "runs the command is named with --by and stands in the history."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="e-mail address of the person")
        parser.add_argument("kind", choices=OfficerRole.Kind.values)
        parser.add_argument("--by", required=True, help="who decided it, by name")
        parser.add_argument("--end", action="store_true", help="end the role instead")

    def handle(self, *, email: str, kind: str, by: str, end: bool, **options: Any) -> None:
        person = User.objects.filter(email__iexact=email).first()
        if person is None:
            raise CommandError("There is no such person.")
        act = end_officer_role if end else grant_officer_role
        answer = act(person=person, kind=OfficerRole.Kind(kind), given_by=by, at=timezone.now())
        if isinstance(answer, Refusal):
            raise CommandError(str(answer.message))
        self.stdout.write(f"{person}: {kind} {'ended' if end else 'given'}.")
