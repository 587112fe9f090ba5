from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from delegation.services.reminders import write_reminders
from notices.services import send_due


class Command(BaseCommand):
    help = (
        "Reminds people of what ends in 90, 30, 7 and 1 days, once for each, and sends the mails. "
        "Meant to run every day; it may be late, missed or run twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        written = write_reminders(at=timezone.now())
        tried, remaining = send_due(progress=partial(tqdm, disable=None))
        self.stdout.write(f"{written.ends} coming ends announced in {written.mails} mails.")
        if remaining:
            raise CommandError(f"{remaining} of {tried} notices could not be sent.")
