"""Forms that take something away. Each says on its page what goes, and the button confirms it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pages.forms import DayField, PortalForm


def _reason(**options: Any) -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        **options,
    )


class ConfirmedForm(PortalForm):
    """What its page says is done by pressing the button that is named `confirm`."""

    confirm = forms.BooleanField(
        widget=forms.HiddenInput,
        error_messages={"required": _("Nothing was changed yet. Read this page, then confirm.")},
    )


class MembershipEndForm(ConfirmedForm):
    """Why the access of a person ends or is suspended, where there is something to say."""

    reason = _reason(help_text=_("The person reads it. At most 500 characters."))


class RelationshipEndForm(ConfirmedForm):
    """Why a relationship ends, where there is something to say, and which terms the page showed.

    The page writes their fingerprint; the field reads it.
    """

    terms = forms.CharField(
        widget=forms.HiddenInput,
        max_length=64,
        error_messages=dict.fromkeys(
            ("required", "max_length"), _("This page is out of date. Read it again, then confirm.")
        ),
    )
    reason = _reason(help_text=_("The managers of both sides read it. At most 500 characters."))


class RoleEndForm(ConfirmedForm):
    """When a role ends: now, or at the end of a day."""

    last_day = DayField(
        label=_("Last day"),
        help_text=_("Without a last day the role ends at once."),
        required=False,
    )
