"""As of which day somebody looks at what a firm sees."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pages.formats import end_of_day
from pages.forms import DayField, PortalForm


class When(models.TextChoices):
    NOW = "now", gettext_lazy("Today")
    PAST = "past", gettext_lazy("On a day before today")


class ViewAsForm(PortalForm):
    """Today, or a day before it."""

    when = forms.ChoiceField(
        label=gettext_lazy("As of which day"), choices=When.choices, widget=forms.RadioSelect
    )
    on = DayField(
        label=gettext_lazy("The day"),
        required=False,
        help_text=gettext_lazy("You see what the firm saw at the end of that day, Eastern time."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        if answers.get("when") == When.PAST and "on" not in self.errors:
            on = answers.get("on")
            if on is None or on >= self.today:
                self.add_error("on", _("Choose a day before today."))
        return answers

    def seen_at(self) -> datetime | None:
        """The last instant of the day that was chosen; none for today."""
        if self.cleaned_data["when"] == When.NOW:
            return None
        return end_of_day(self.cleaned_data["on"]) - timedelta(microseconds=1)
