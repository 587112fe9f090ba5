"""Fills the sandbox register from a file: `import_register FILE [--dry-run]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from businesses.register_file import RECORDS
from businesses.register_import import Outcome, import_register, link_gained_programs
from businesses.table_file import FileRefused


class Command(BaseCommand):
    help = (
        "Import legal entities, program accounts and their history into the sandbox register. "
        "The columns are described in docs/samples/README.md. One bad row and nothing is imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a UTF-8 CSV file")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what the file would do, and do nothing"
        )

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            with tqdm(total=_rows(file), unit="row", disable=None) as bar:
                outcome = import_register(file, dry_run=dry_run, progress=bar.update)
        except (OSError, FileRefused) as wrong:
            raise CommandError(f"{file}: {wrong}. Nothing was imported.") from wrong
        if outcome.errors:
            for error in outcome.errors:
                self.stderr.write(f"line {error.line}: {error.reason}")
            raise CommandError(f"{len(outcome.errors)} rows refused. Nothing was imported.")
        self._report(outcome, dry_run)
        linked = 0 if dry_run else link_gained_programs(at=timezone.now())
        if linked:
            self.stdout.write(f"{linked} program accounts linked to businesses registered here")

    def _report(self, outcome: Outcome, dry_run: bool) -> None:
        for record in RECORDS:
            self.stdout.write(
                f"{record}: {outcome.created[record]} created, {outcome.changed[record]} changed, "
                f"{outcome.unchanged[record]} unchanged"
            )
        if not (outcome.created or outcome.changed):
            self.stdout.write("The register already holds every row of the file.")
        if dry_run:
            self.stdout.write("Dry run: nothing was imported.")


def _rows(file: Path) -> int:
    """About how many rows the file has, for the progress bar."""
    with file.open("rb") as lines:
        return max(sum(1 for _line in lines) - 1, 0)
