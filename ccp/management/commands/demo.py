"""Makes the demo world: `demo`. `./run` calls it before the portal starts."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from businesses.register_import import import_register
from ccp import demo
from transactions.declaration_import import import_declarations

SAMPLES = Path(settings.BASE_DIR) / "docs" / "samples"


class Command(BaseCommand):
    help = (
        "Import the sample register and declarations, and make demo businesses and people through "
        "the services. Changes nothing where they exist. Refused in production."
    )

    def handle(self, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("Demo data have no place in production.")
        if not demo.exists():
            self._build(timezone.now())
        demo.introduce()
        self._introduce()

    @transaction.atomic
    def _build(self, now: datetime) -> None:
        """Everything, or nothing of it."""
        refused = import_register(SAMPLES / "register.csv").errors
        demo.build(now)
        refused += import_declarations(path=SAMPLES / "declarations.csv", at=now).errors
        if refused:
            raise CommandError(f"The samples do not fit: {refused[0]}")

    def _introduce(self) -> None:
        width = max(len(person.email) for person in demo.PEOPLE)
        self.stdout.write(f"\nThe demo people, each with the password {demo.PASSWORD}")
        self.stdout.write("(the code that is mailed at sign-in appears on this console):\n\n")
        for person in demo.PEOPLE:
            self.stdout.write(f"  {person.email:<{width}}  {person.story}")
        self.stdout.write(f"\nThe portal answers at {settings.PORTAL_URL}\n")
