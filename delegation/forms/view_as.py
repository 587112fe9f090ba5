"""As of which day somebody looks at what a firm sees."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from pages.formats import end_of_day
from pages.forms import DayField, PortalForm


class When(models.TextChoices):
    NOW = "now", gettext_lazy("Today")
    PAST = "past", gettext_lazy("On a day before today")


class ViewAsForm(PortalForm):
    """As whom of the firm, and today or on a day before it."""

    MANAGER = ""
    field_order = ("whom", "when", "on")

    whom = forms.TypedChoiceField(
        label=gettext_lazy("As whom"),
        help_text=gettext_lazy(
            "You can choose people whose names stand on your declarations or in the written "
            "authority. What a manager of the firm sees is the most that anybody of it can see."
        ),
        widget=forms.RadioSelect,
        required=False,
        coerce=int,
        empty_value=None,
    )
    when = forms.ChoiceField(
        label=gettext_lazy("As of which day"), choices=When.choices, widget=forms.RadioSelect
    )
    on = DayField(
        label=gettext_lazy("The day"),
        required=False,
        help_text=gettext_lazy("You see what the firm saw at the end of that day, Eastern time."),
    )

    def __init__(self, *args: Any, today: date, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.people = {one.pk: one for one in people}
        self.fields["whom"].choices = [  # type: ignore[attr-defined]
            (self.MANAGER, _("As a manager of the firm")),
            *((pk, one.get_full_name()) for pk, one in self.people.items()),
        ]

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        if answers.get("when") == When.PAST and "on" not in self.errors:
            on = answers.get("on")
            if on is None or on >= self.today:
                self.add_error("on", _("Choose a day before today."))
        return answers

    def person(self) -> User | None:
        """The person who was chosen; none for a manager of the firm."""
        return self.people.get(self.cleaned_data["whom"])

    def seen_at(self) -> datetime | None:
        """The last instant of the day that was chosen; none for today."""
        if self.cleaned_data["when"] == When.NOW:
            return None
        return end_of_day(self.cleaned_data["on"]) - timedelta(microseconds=1)
