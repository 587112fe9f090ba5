"""Makes a world of any size: `seed --businesses N --seed S [--out world.json]`."""

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from ccp.seed import assignments, declarations, employees, ground, offers, relationships
from ccp.seed.report import told
from ccp.seed.world import MOST, World
from pages.formats import start_of_day

PARTS = (ground, employees, relationships, offers, assignments, declarations)


class Command(BaseCommand):
    help = (
        "Make businesses, people, roles, relationships of every state and declarations in bulk; "
        "the same again for the same seed and day. Refused in production."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--businesses", type=_count, required=True, metavar="N")
        parser.add_argument("--seed", type=int, required=True, metavar="S")
        parser.add_argument("--out", type=Path, metavar="world.json", help="tell the world here")
        parser.add_argument(
            "--day",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the local day at whose beginning the world stands still; default: today",
        )

    def handle(self, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("A made-up world has no place in production.")
        at = start_of_day(options["day"] or timezone.localdate())
        world = World(businesses=options["businesses"], seed=options["seed"], at=at)
        if world.exists():
            raise CommandError("A world of this seed, or of one like it, is here already.")
        begun = time.monotonic()
        with transaction.atomic():
            for part in PARTS:
                part.build(world)
            world.write_history()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # a planner that knows no sizes plans for an empty house
        if options["out"]:
            options["out"].write_text(json.dumps(told(world), ensure_ascii=False))
        written, seconds = world.writer.written, time.monotonic() - begun
        for table, rows in sorted(written.items()):
            self.stdout.write(f"{rows:>10,}  {table}")
        self.stdout.write(f"{written.total():>10,}  rows in {seconds:.1f} s")


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST:
        return int(text)
    raise ArgumentTypeError(f"a whole number from 1 to {MOST:,}")
