"""Takes in declarations from a file: `import_declarations FILE [--dry-run]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone
from tqdm import tqdm

from businesses.table_file import FileRefused
from transactions.declaration_import import Outcome, import_declarations


class Command(BaseCommand):
    help = (
        "Import declarations and their versions for businesses that are registered here. The "
        "columns are described in docs/samples/README.md. One bad row and nothing is imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a UTF-8 CSV file")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what the file would do, and do nothing"
        )

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            outcome = self._import(file, dry_run)
        except (OSError, FileRefused) as wrong:
            raise CommandError(f"{file}: {wrong}. Nothing was imported.") from wrong
        except IntegrityError as wrong:
            raise CommandError(
                f"{file}: the same declarations were written by somebody else meanwhile. Nothing "
                "was imported. Import the file again."
            ) from wrong
        if outcome.errors:
            for error in outcome.errors:
                self.stderr.write(f"line {error.line}: {error.reason}")
            raise CommandError(f"{len(outcome.errors)} errors. Nothing was imported.")
        self._report(outcome, dry_run)

    def _import(self, file: Path, dry_run: bool) -> Outcome:
        with tqdm(total=_rows(file), unit="row", disable=None) as bar:
            return import_declarations(
                path=file, at=timezone.now(), dry_run=dry_run, progress=bar.update
            )

    def _report(self, outcome: Outcome, dry_run: bool) -> None:
        self.stdout.write(
            f"{outcome.declarations} new declarations, {outcome.versions} new versions, "
            f"{outcome.unchanged} versions already here"
        )
        if dry_run:
            self.stdout.write("Dry run: nothing was imported.")


def _rows(file: Path) -> int:
    """About how many rows the file has, for the progress bar."""
    with file.open("rb") as lines:
        return max(sum(1 for _line in lines) - 1, 0)
