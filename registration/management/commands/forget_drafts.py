"""Forgets what was entered in registrations that were never submitted: `forget_drafts`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registration.services import forget_drafts


class Command(BaseCommand):
    help = "Forget drafts of registrations that nobody saved for 30 days. Run it every day."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{forget_drafts(at=timezone.now())} forgotten")
