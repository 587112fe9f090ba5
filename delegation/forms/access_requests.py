"""Forms about several access requests: find them, choose some, decide them at once."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from businesses.forms import ProgramExtensionField
from delegation.requests import Stage
from delegation.roles import PROGRAM_ROLES
from pages.forms import PortalForm

AT_ONCE = 25
"""How many requests one page lists, and how many can be decided at once."""


NOT_THERE = _("These requests are not there.")


class AccessRequestFilterForm(PortalForm):
    """Find access requests."""

    stage = forms.ChoiceField(
        label=_("Which requests"), choices=Stage.choices, required=False, initial=Stage.WAITING
    )
    name = forms.CharField(label=_("Name or e-mail"), max_length=100, required=False)
    program = ProgramExtensionField(
        label=_("Program account"), required=False, widget=forms.TextInput({"size": 10})
    )
    role = forms.ChoiceField(
        label=_("Wished role"),
        required=False,
        choices=[("", _("Any")), *((role, role.label) for role in PROGRAM_ROLES)],
    )

    def stage_chosen(self) -> Stage:
        """The stage to list: what waits, unless another was chosen."""
        chosen = self.cleaned_data.get("stage") if self.is_valid() else ""
        return Stage(chosen or Stage.WAITING)


class ChosenForm(PortalForm):
    """The requests that were ticked."""

    chosen = forms.TypedMultipleChoiceField(
        label=_("Access requests"),
        coerce=UUID,
        widget=forms.MultipleHiddenInput,
        error_messages={
            "required": _("Choose at least one request."),
            "invalid_choice": NOT_THERE,
        },
    )

    def __init__(self, data: QueryDict, **options: Any) -> None:
        super().__init__(data, **options)
        named = dict.fromkeys(data.getlist("chosen")[: AT_ONCE + 1])
        self.fields["chosen"].choices = [  # type: ignore[attr-defined]
            (one, one) for one in named if _is_uuid(one)
        ]

    def clean_chosen(self) -> list[UUID]:
        """The keys of the requests, each once."""
        chosen: list[UUID] = list(dict.fromkeys(self.cleaned_data["chosen"]))
        if len(chosen) > AT_ONCE:
            raise forms.ValidationError(
                _("Choose at most %(most)d requests at once.") % {"most": AT_ONCE}
            )
        return chosen


class ReasonForm(PortalForm):
    """Why the requests that were ticked are rejected."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Each of these people reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write why you reject the requests.")},
    )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
