"""Forgets forms that nobody will post a second time: `forget_submissions [--days N]`."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from pages.models import Submission

DAYS = 30
"""A form is posted twice within seconds, or by a tab that stayed open for some days."""


class Command(BaseCommand):
    help = "Forget the keys of forms that took effect long ago. The history keeps what they did."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help=f"older than these ({DAYS})")

    def handle(self, *, days: int, **options: Any) -> None:
        before = timezone.now() - timedelta(days=days)
        forgotten, _by_model = Submission.objects.filter(created_at__lt=before).delete()
        self.stdout.write(f"{forgotten} forgotten")
