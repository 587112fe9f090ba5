"""Forms that take something away. Each says on its page what goes, and the button confirms it."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from delegation.forms.programs import ProgramsField, ProgramsForm
from delegation.models import Visibility
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


class RelationshipNarrowForm(ProgramsForm, ConfirmedForm):
    """What a firm keeps of what a client gave it.

    `programs` are what it has, as value and label, and `rules` by name what is said and what can
    be kept of each visibility rule.
    """

    terms = RelationshipEndForm.base_fields["terms"]
    programs = ProgramsField(
        label=_("Program accounts that your firm keeps"),
        error_messages={
            "required": _("Keep at least one program account, or leave the client."),
            "invalid_choice": _("Choose only program accounts of this list."),
        },
    )

    def __init__(
        self,
        *args: Any,
        programs: Collection[tuple[str, str]],
        rules: Mapping[str, tuple[str, Collection[Visibility]]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer(dict(programs))
        for name, (label, choices) in rules.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                widget=forms.RadioSelect,
                choices=[(rule.value, rule.label) for rule in choices],
                error_messages={"required": _("Choose a rule.")},
            )
