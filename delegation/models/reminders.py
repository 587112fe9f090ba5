"""What has been said of coming ends, so that each reminder is given once."""

from django.db import models


class ReminderDay(models.Model):
    """A local day on which reminders were written: one mail per person and day, however often the
    job runs, and in however many processes."""

    day = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return self.day.isoformat()


class Reminder(models.Model):
    """A coming end of which people were reminded: what ends, its last day, and how long before.

    `subject` is a kind and a key, as `relationship:<uuid>`. The same end is not announced twice at
    the same boundary; an end that moves to another day is another end.
    """

    subject = models.CharField(max_length=60)
    last_day = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "last_day", "days_before"], name="reminder_once_per_boundary"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.last_day} -{self.days_before}"
