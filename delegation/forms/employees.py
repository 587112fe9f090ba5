"""Forms about the people of a business: ask for access, approve, reject, find an employee."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from businesses.forms import BN9Field, ProgramExtensionField
from businesses.models import ProgramAccount
from delegation.models import AccessRequestLine
from delegation.roles import PROGRAM_ROLES, Role
from delegation.terms import extension_label, program_label
from pages.forms import PortalForm

WISHES = 5
"""How many program accounts a request can name: the manager can always give more."""


class Wish(NamedTuple):
    """One row of the wish: a program account and a role on it."""

    extension: BoundField
    role: BoundField


class AccessRequestCreateForm(PortalForm):
    """What a person tells the employer: who to ask, why, and if known which access."""

    bn9 = BN9Field(
        label=_("Business number of my employer"),
        help_text=_("The 9 digits, for example 88831 6171. Your manager can tell you."),
        widget=forms.TextInput({"size": 20, "inputmode": "numeric"}),
    )
    note = forms.CharField(
        label=_("Justification note"),
        help_text=_(
            "Say who you are and what you need access for. At most 500 characters. "
            "The managers of the business read it."
        ),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write why you need access.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(1, WISHES + 1):
            self.fields[f"extension_{number}"] = ProgramExtensionField(
                label=_("Program account %(number)d") % {"number": number},
                required=False,
                widget=forms.TextInput({"size": 10}),
            )
            self.fields[f"role_{number}"] = forms.ChoiceField(
                label=_("Role on program account %(number)d") % {"number": number},
                choices=[("", _("Choose a role")), *((role, role.label) for role in PROGRAM_ROLES)],
                required=False,
            )

    def rows(self) -> Iterator[Wish]:
        """The rows of the wish, for the page."""
        for number in range(1, WISHES + 1):
            yield Wish(self[f"extension_{number}"], self[f"role_{number}"])

    def names_wish(self) -> bool:
        """Whether any row is filled in, so that the page shows the rows."""
        return any(field.value() for row in self.rows() for field in row)

    def clean(self) -> dict[str, Any]:
        """Let each row be whole or empty, and name each program account once."""
        seen: set[str] = set()
        for number in range(1, WISHES + 1):
            extension = self.cleaned_data.get(f"extension_{number}")
            role = self.cleaned_data.get(f"role_{number}")
            if extension is None or role is None:
                continue
            named = extension_label(extension)
            if extension and not role:
                self.add_error(
                    f"role_{number}",
                    _("Choose the role that you want on %(program)s.") % {"program": named},
                )
            if role and not extension:
                self.add_error(f"extension_{number}", _("Enter the program account for this role."))
            if extension and extension in seen:
                self.add_error(
                    f"extension_{number}",
                    _("You named %(program)s twice. Keep one row.") % {"program": named},
                )
            seen.add(extension)
        return self.cleaned_data

    def wishes(self) -> dict[str, Role]:
        """The wished role by program account; empty to let the managers choose."""
        rows = range(1, WISHES + 1)
        return {
            self.cleaned_data[f"extension_{number}"]: Role(self.cleaned_data[f"role_{number}"])
            for number in rows
            if self.cleaned_data[f"extension_{number}"]
        }


OUT_OF_DATE = _("This page is out of date. Read the request again, then decide.")


class DecisionForm(PortalForm):
    """A decision on a request in the state in which its reader saw it.

    The page writes the version that it shows; the field reads it.
    """

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=2**31 - 1,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), OUT_OF_DATE
        ),
    )


class AccessRequestRejectForm(DecisionForm):
    """Why a request is rejected."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write why you reject the request.")},
    )


class GridRow(NamedTuple):
    """One program account of the approval: what was wished, what is held, what is given."""

    program: ProgramAccount
    label: str
    wished: str
    held: str
    field: BoundField


class AccessRequestApproveForm(DecisionForm):
    """Which access a request is answered with.

    `programs` are the program accounts that the reader may grant, with the roles in reach;
    `may_make_bam` adds the choice of the whole business above them.
    """

    WHOLE, SOME = "business", "programs"

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
        lines: Iterable[AccessRequestLine],
        held: Mapping[int, Role],
        may_make_bam: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.programs = programs
        self.may_make_bam = may_make_bam
        self.wished = {line.extension: line.wished_role for line in lines}
        self.held = held
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
        """An approval gives something."""
        given = any(self.cleaned_data.get(program.extension) for program in self.programs)
        if not self.errors and not self.makes_bam() and not given:
            self.add_error(
                None, _("Choose a role on at least one program account, or reject the request.")
            )
        return self.cleaned_data

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


class EmployeeFilterForm(PortalForm):
    """Find an employee."""

    name = forms.CharField(label=_("Name or e-mail"), max_length=100, required=False)


def _nearest(wished: str, roles: Collection[Role]) -> str:
    """The wished role, or the best one below it that can be given; nothing without a wish."""
    if not wished:
        return ""
    below = [role for role in roles if role.rank <= Role(wished).rank]
    return max(below, key=lambda role: role.rank).value if below else ""
