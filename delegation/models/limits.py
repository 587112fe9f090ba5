"""How often somebody asks: the rows behind the limits on requests."""

from django.db import models


class RequestTally(models.Model):
    """What one asker sent on one local day: the row that is locked while a request is counted.

    `asker` is the key of the asker's own history, a person's or a firm's; of a recovery request it
    names the person and the number. `asked` counts whatever
    became of it, `turned_away` what came after the limit.
    """

    asker = models.CharField(max_length=64)
    on = models.DateField()
    asked = models.PositiveIntegerField(default=0)
    turned_away = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asker", "on"], name="one_request_tally_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.asker} {self.on}"
