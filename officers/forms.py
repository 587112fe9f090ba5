"""Forms of the officers' desk."""

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.forms import BN9Field
from delegation.forms.employees import DecisionForm
from pages.forms import PortalForm


class LookupForm(PortalForm):
    """Which business an officer looks up, and why."""

    bn9 = BN9Field(
        label=_("Business number"), widget=forms.TextInput({"size": 20, "inputmode": "numeric"})
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        help_text=_("The managers of the business read it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write why you look.")},
    )


class RecoveryProposeForm(DecisionForm):
    """Whom the first officer proposes, and what was examined."""

    email = forms.EmailField(
        label=_("Work e-mail of the person who should manage the business"),
        help_text=_("An employee of the business, or the person who asked."),
        max_length=254,
    )
    finding = forms.CharField(
        label=_("What you examined, and what you found"),
        help_text=_("The second officer reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write what you examined.")},
    )


class AccountRecoveryProposeForm(PortalForm):
    """Whose account is recovered, where codes go from then on, and what was examined."""

    known_email = forms.EmailField(
        label=_("Work e-mail address of the account now"),
        help_text=_("As the person or a manager of the business tells it."),
        max_length=254,
        error_messages={"required": _("Enter the address of the account.")},
    )
    email = forms.EmailField(
        label=_("Address to which codes go from then on"),
        help_text=_("The same one, where the person can still read it."),
        max_length=254,
        error_messages={"required": _("Enter the address to which codes go.")},
    )
    finding = forms.CharField(
        label=_("How you made sure who the person is"),
        help_text=_(
            "And that this address is the person’s own. Officers alone read it. At most 500 "
            "characters."
        ),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write how you made sure who the person is.")},
    )


class AccountRecoveryRejectForm(DecisionForm):
    """Why the recovery of an account is rejected."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write why you reject it.")},
    )


class RecoveryRejectForm(DecisionForm):
    """Why a request for recovery is rejected."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person who asked and everybody around the business read it."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write why you reject the request.")},
    )
