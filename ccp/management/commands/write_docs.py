"""Writes the pages of `docs/` that come from the code, or checks that they are as it is."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ccp.written_docs import DOCS, stale, written


class Command(BaseCommand):
    help = "Write permissions, protection, routes and states of docs/ from the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit with 1 if one is stale"
        )

    def handle(self, **options: Any) -> None:
        found = stale(DOCS)
        if options["check"]:
            for name in found:
                self.stderr.write(f"docs/{name} is stale: run manage.py write_docs")
            if found:
                raise SystemExit(1)
            return
        pages = written()
        for name in found:
            (DOCS / name).write_text(pages[name])
            self.stdout.write(f"docs/{name}")
