"""The day about which somebody asks who could see something."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pages.forms import DayField, PortalForm


class WhoCouldSeeFilterForm(PortalForm):
    """A day before today."""

    on = DayField(
        label=gettext_lazy("Who could see this on"),
        required=False,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        if on and on >= self.today:
            raise forms.ValidationError(
                _("Choose a day before today. The list shows today by itself.")
            )
        return on

    def day(self) -> date | None:
        """The day asked about; none for now, and where the form has an error."""
        return self.cleaned_data.get("on") if self.is_valid() else None
