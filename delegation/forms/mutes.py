"""The form that hides the requests of a firm or a person, and reports them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pages.forms import PortalForm


class MuteForm(PortalForm):
    """Whether to report whoever is muted, and why."""

    is_reported = forms.BooleanField(
        label=_("Also report this to the officers of the agency"), required=False
    )
    report = forms.CharField(
        label=_("What the officers should know"),
        help_text=_("Only if you report it. At most 500 characters."),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 4}),
    )

    def clean(self) -> dict[str, Any]:
        """A report says something; without one, nothing that was written is kept."""
        answers = self.cleaned_data
        if answers.get("is_reported") and not answers.get("report") and "report" not in self.errors:
            self.add_error("report", _("Write what the officers should know."))
        if not answers.get("is_reported"):
            answers["report"] = ""
        return answers
