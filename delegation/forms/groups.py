"""Forms about groups: their names, who and what is put into them, which role they get."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.models import ProgramAccount, ProgramGroup
from delegation.forms.programs import KEPT, FindsPrograms
from delegation.roles import PROGRAM_ROLES, Role
from delegation.terms import program_label
from pages.forms import PortalForm

MOST_AT_ONCE = 50
"""How many people or program accounts are put into a group in one act."""


class GroupNameForm(PortalForm):
    """What a group is called."""

    name = forms.CharField(
        label=_("Name of the group"),
        help_text=_("Colleagues read it beside each role that comes through the group."),
        max_length=100,
        error_messages={"required": _("Write a name for the group.")},
    )


class GroupFilterForm(PortalForm):
    """Find a group, or something in one."""

    name = forms.CharField(label=_("Name"), max_length=100, required=False)


class ProgramFilterForm(PortalForm):
    """Find a program account."""

    program = forms.CharField(label=_("Name or number"), max_length=175, required=False)


class ChooseForm(PortalForm):
    """Who, or what, goes into a group: those that the search found, and those chosen before it.

    `choices` are value and label of all of them.
    """

    name = forms.CharField(max_length=175, required=False)
    chosen = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        *args: Any,
        choices: Sequence[tuple[str, str]],
        search_label: str,
        label: str,
        nothing: str,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["name"].label = search_label
        self.fields["chosen"].label = label
        self.fields["chosen"].error_messages["required"] = nothing
        cast(forms.MultipleChoiceField, self.fields["chosen"]).choices = choices

    def clean_chosen(self) -> list[str]:
        """Not more than one act can do."""
        chosen: list[str] = self.cleaned_data["chosen"]
        if len(chosen) > MOST_AT_ONCE:
            said = _("Choose %(most)d at a time at most, then the others.")
            raise forms.ValidationError(said % {"most": MOST_AT_ONCE})
        return chosen


class ScopeRadios(forms.RadioSelect):
    """A radio button for each scope drawn; one chosen elsewhere is in `KEPT`."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """The one chosen, drawn or not."""
        return str(data.get(name) or data.get(f"{name}{KEPT}", ""))


class GroupGrantForm(FindsPrograms):
    """Which role an employee group gets, on a program account or over a group of them."""

    kept_name = f"scope{KEPT}"

    scope = forms.ChoiceField(
        label=_("Program account, or group of them"),
        widget=ScopeRadios,
        error_messages={"required": _("Choose where the group gets the role.")},
    )
    role = forms.ChoiceField(
        label=_("Role"),
        widget=forms.RadioSelect,
        choices=[(role.value, role.label) for role in PROGRAM_ROLES],
        initial=Role.READER,
        error_messages={"required": _("Choose the role.")},
    )

    def __init__(
        self,
        *args: Any,
        programs: Sequence[ProgramAccount],
        program_groups: Sequence[ProgramGroup],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._scopes: dict[str, ProgramAccount | ProgramGroup] = {
            **{f"group-{one.pk}": one for one in program_groups},
            **{one.extension: one for one in programs},
        }
        every = _("Every program account of the group %(name)s")
        self._offer(
            {
                **{f"group-{one.pk}": every % {"name": one.name} for one in program_groups},
                **{one.extension: program_label(one) for one in programs},
            }
        )

    def _offer(self, labels: dict[str, str]) -> None:
        """Let each be chosen, groups before program accounts; draw a part of them."""
        field = cast(forms.ChoiceField, self.fields["scope"])
        chosen = {value: labels[value] for value in [self["scope"].value()] if value in labels}
        shown = self.look(labels, chosen).shown
        field.choices = list(labels.items())
        field.widget.choices = [(value, labels[value]) for value in shown]
        self.kept = " ".join(value for value in chosen if value not in shown)

    def chosen_scope(self) -> ProgramAccount | ProgramGroup:
        """Where the group gets the role."""
        return self._scopes[self.cleaned_data["scope"]]

    def chosen_role(self) -> Role:
        """The role that the group gets."""
        return Role(self.cleaned_data["role"])
