from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit.chain import verify
from audit.models import Chain


class Command(BaseCommand):
    help = "Computes the hash chain of every business and person again; names each first break."

    def handle(self, *args: Any, **options: Any) -> None:
        keys = list(Chain.objects.order_by("pk").values_list("pk", flat=True))
        breaks = [broken for key in tqdm(keys, disable=None) if (broken := verify(key))]
        for broken in breaks:
            self.stderr.write(f"{broken.chain}: event {broken.seq}: {broken.problem}")
        if breaks:
            raise CommandError(f"{len(breaks)} of {len(keys)} chains are broken.")
        self.stdout.write(f"{len(keys)} chains are whole.")
