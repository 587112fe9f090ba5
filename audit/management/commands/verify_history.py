from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit.chain import verify_every
from audit.models import Chain


class Command(BaseCommand):
    help = "Computes the hash chain of every business and person again; names each first break."

    def handle(self, *args: Any, **options: Any) -> None:
        chains = Chain.objects.count()
        found = tqdm(verify_every(), total=chains, disable=None)
        breaks = [broken for broken in found if broken]
        for broken in breaks:
            self.stderr.write(f"{broken.chain}: event {broken.seq}: {broken.problem}")
        if breaks:
            raise CommandError(f"{len(breaks)} of {chains} chains are broken.")
        self.stdout.write(f"{chains} chains are whole.")
