"""Forms about the people of a business: ask for access, approve, reject, find an employee."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from businesses.forms import BN9Field, ProgramExtensionField
from delegation.forms.grants import GrantForm
from delegation.models import AccessRequestLine, EmployeeGroup
from delegation.roles import PROGRAM_ROLES, Role
from delegation.terms import extension_label
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


class AccessRequestApproveForm(GrantForm, DecisionForm):
    """Which access a request is answered with: for each program account near what was wished.

    `groups` are the employee groups into which the reader may put the person, by key.
    """

    nothing_chosen = _("Choose a role on at least one program account, or reject the request.")

    def __init__(
        self,
        *args: Any,
        lines: Iterable[AccessRequestLine],
        groups: Mapping[str, EmployeeGroup],
        **options: Any,
    ) -> None:
        wished = {line.extension: line.wished_role for line in lines}
        super().__init__(*args, wished=wished, **options)
        self.groups = groups
        if groups:
            self.fields["group"] = forms.ChoiceField(
                label=_("Employee group"),
                help_text=_("The person has the roles of the group while in it."),
                required=False,
                choices=[("", _("None")), *((key, one.name) for key, one in groups.items())],
            )

    def gives(self) -> bool:
        """Whether anything but the whole business is given: roles, or a group."""
        return super().gives() or bool(self.cleaned_data.get("group"))

    def chosen_group(self) -> EmployeeGroup | None:
        """The employee group into which the person is put."""
        is_whole = self.makes_bam()
        return None if is_whole else self.groups.get(self.cleaned_data.get("group", ""))


class EmployeeFilterForm(PortalForm):
    """Find an employee."""

    name = forms.CharField(label=_("Name or e-mail"), max_length=100, required=False)


class EmployeeGridForm(EmployeeFilterForm):
    """Find employees and program accounts."""

    program = forms.CharField(
        label=_("Program account, by number or name"), max_length=100, required=False
    )
