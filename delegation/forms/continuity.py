"""Forms about who steps in. Each decides on the succession that its page showed."""

from django import forms
from django.utils.translation import gettext_lazy as _

from delegation.forms.employees import DecisionForm


class SuccessionClaimForm(DecisionForm):
    """Why the successor is needed."""

    reason = forms.CharField(
        label=_("Why the business needs you as its manager now"),
        help_text=_("Every manager and every address on file reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write why the business needs you now.")},
    )


class SuccessionStopForm(DecisionForm):
    """Why a succession is stopped, where there is something to say."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The successor reads it. At most 500 characters."),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )
