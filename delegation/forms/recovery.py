"""The form by which somebody asks the agency for recovery."""

from django import forms
from django.utils.translation import gettext_lazy as _

from pages.forms import PortalForm


class RecoveryRequestForm(PortalForm):
    """What happened to the managers."""

    statement = forms.CharField(
        label=_("What happened to the managers of the business, and who should manage it"),
        help_text=_(
            "Officers of the agency, the managers and every address on file read it. At most "
            "1,000 characters."
        ),
        max_length=1000,
        widget=forms.Textarea({"rows": 6}),
        error_messages={"required": _("Write what happened.")},
    )
