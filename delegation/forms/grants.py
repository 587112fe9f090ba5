"""What a form gives: the whole business, or a role for each program account."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from businesses.models import ProgramAccount
from delegation.roles import Role
from delegation.terms import program_label
from pages.forms import PortalForm


class GridRow(NamedTuple):
    """One program account of the grid: what was wished, what is held, what is given."""

    program: ProgramAccount
    label: str
    wished: str
    held: str
    field: BoundField


class GrantForm(PortalForm):
    """Which access is given to a person.

    `programs` are the program accounts that the reader may grant, with the roles in reach;
    `may_make_bam` adds the choice of the whole business above them. `wished` (by extension) and
    `held` (by key of the program account) stand beside each choice.
    """

    WHOLE, SOME = "business", "programs"

    nothing_chosen = _("Choose a role on at least one program account.")

    scope = forms.ChoiceField(
        label=_("Access"),
        help_text=_(
            "A Business Account Manager reaches every program account and needs no role below."
        ),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose which access to give.")},
        choices=[
            (WHOLE, _("Make this person a Business Account Manager")),
            (SOME, _("Choose a role for each program account")),
        ],
    )

    def __init__(
        self,
        *args: Any,
        programs: Mapping[ProgramAccount, Collection[Role]],
        may_make_bam: bool,
        wished: Mapping[str, str] | None = None,
        held: Mapping[int, Role] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.programs = programs
        self.may_make_bam = may_make_bam
        self.wished, self.held = wished or {}, held or {}
        if may_make_bam:
            self.fields["scope"].initial = self.SOME
        else:
            del self.fields["scope"]
        for program, roles in programs.items():
            self.fields[program.extension] = forms.ChoiceField(
                label=program_label(program),
                required=False,
                widget=forms.RadioSelect,
                initial=_nearest(self.wished.get(program.extension, ""), roles),
                choices=[*((role.value, role.label) for role in roles), ("", _("None"))],
            )

    def columns(self) -> list[str]:
        """The roles in reach, and none, as the heads of the grid."""
        fields = [self.fields[program.extension] for program in self.programs]
        choices = fields[0].choices if fields else []  # type: ignore[attr-defined]
        return [str(label) for _value, label in choices]

    def grid(self) -> Iterator[GridRow]:
        """The rows of program accounts, for the page."""
        for program in self.programs:
            wished, held = self.wished.get(program.extension), self.held.get(program.pk)
            yield GridRow(
                program,
                program_label(program),
                str(Role(wished).label) if wished else "",
                str(held.label) if held else "",
                self[program.extension],
            )

    def clean(self) -> dict[str, Any]:
        """Something is given."""
        if not self.errors and not self.makes_bam() and not self.gives():
            self.add_error(None, self.nothing_chosen)
        return self.cleaned_data

    def gives(self) -> bool:
        """Whether anything but the whole business is given."""
        return any(self.cleaned_data.get(program.extension) for program in self.programs)

    def makes_bam(self) -> bool:
        """Whether the whole business is given."""
        return self.cleaned_data.get("scope") == self.WHOLE

    def given(self) -> dict[ProgramAccount, Role]:
        """The roles chosen, by program account."""
        return {
            program: Role(self.cleaned_data[program.extension])
            for program in self.programs
            if not self.makes_bam() and self.cleaned_data[program.extension]
        }


def _nearest(wished: str, roles: Collection[Role]) -> str:
    """The wished role, or the best one below it that can be given; nothing without a wish."""
    if not wished:
        return ""
    below = [role for role in roles if role.rank <= Role(wished).rank]
    return max(below, key=lambda role: role.rank).value if below else ""
