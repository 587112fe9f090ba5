"""The form that gives a person another role, and says from when and until when."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.models import ProgramAccount
from delegation.forms.programs import ProgramsField, ProgramsForm
from delegation.roles import Role
from delegation.terms import program_label
from pages.forms import DayField


class RoleChangeForm(ProgramsForm):
    """Which role, on what, from when, until when.

    `programs` are those that the reader may grant roles on.
    """

    OPEN, DAY = "open", "day"

    role = forms.ChoiceField(
        label=_("New role"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role.")},
    )
    programs = ProgramsField(
        label=_("On which program accounts"),
        required=False,
        help_text=_("A Business Account Manager reaches every program account: tick none."),
    )
    first_day = DayField(
        label=_("First day"),
        help_text=_("Without a first day the role begins at once."),
        required=False,
    )
    ending = forms.ChoiceField(
        label=_("How long"),
        widget=forms.RadioSelect,
        choices=[(OPEN, _("Without an end date")), (DAY, _("Until the end of a day"))],
        error_messages={"required": _("Choose how long the role lasts.")},
    )
    last_day = DayField(
        label=_("Last day"),
        help_text=_("The role ends at the end of this day, Eastern time."),
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        roles: Collection[Role],
        programs: Collection[ProgramAccount],
        today: date,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.today = today
        self.may_make_bam = Role.BAM in roles
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, role.label) for role in roles
        ]
        self.by_extension = {one.extension: one for one in programs}
        if not self.may_make_bam:
            self.fields["programs"].help_text = ""
        self.offer({one.extension: program_label(one) for one in programs})

    def clean(self) -> dict[str, Any]:
        """A role on program accounts names some; days come in their order."""
        cleaned = self.cleaned_data
        role, first, last = (cleaned.get(name) for name in ("role", "first_day", "last_day"))
        if role == Role.BAM and cleaned.get("programs"):
            self.add_error(
                "programs", _("Tick none: a Business Account Manager reaches all of them.")
            )
        if role and role != Role.BAM and not cleaned.get("programs"):
            self.add_error("programs", _("Choose at least one program account."))
        if first and first < self.today:
            self.add_error("first_day", _("The first day cannot be before today."))
        if cleaned.get("ending") == self.DAY and not last and "last_day" not in self.errors:
            self.add_error("last_day", _("Enter the last day."))
        if cleaned.get("ending") == self.OPEN and last:
            self.add_error("last_day", _("Leave this empty, or choose “Until the end of a day”."))
        if last and last < max(first or self.today, self.today):
            self.add_error("last_day", _("The last day cannot be before the first day."))
        return cleaned

    def chosen(self) -> list[ProgramAccount]:
        """The program accounts that were ticked."""
        return [self.by_extension[one] for one in self.cleaned_data["programs"]]
