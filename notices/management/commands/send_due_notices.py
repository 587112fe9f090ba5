from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from notices.digests import write_due
from notices.services import send_due


class Command(BaseCommand):
    help = (
        "Writes the digests that are due and sends the notices that are not sent yet. It may be "
        "run at any time, late or twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        write_due(timezone.now())
        tried, remaining = send_due(progress=partial(tqdm, disable=None))
        if remaining:
            raise CommandError(f"{remaining} of {tried} notices could not be sent.")
        self.stdout.write(f"{tried} notices sent.")
