"""Makes the demo world: `demo`. `./run` calls it before the portal starts."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ccp import demo

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
            call_command("import_register", SAMPLES / "register.csv", verbosity=0)
            demo.build(timezone.now())
            call_command("import_declarations", SAMPLES / "declarations.csv", verbosity=0)
        self._introduce()

    def _introduce(self) -> None:
        width = max(len(person.email) for person in demo.PEOPLE)
        self.stdout.write(f"\nThe demo people, each with the password {demo.PASSWORD}")
        self.stdout.write("(the code that is mailed at sign-in appears on this console):\n\n")
        for person in demo.PEOPLE:
            self.stdout.write(f"  {person.email:<{width}}  {person.story}")
        self.stdout.write(f"\nThe portal answers at {settings.PORTAL_URL}\n")
