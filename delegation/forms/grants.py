"""What a form gives: the whole business, or a role for each program account."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from businesses.models import ProgramAccount
from delegation.forms.programs import KEPT, FindsPrograms, KeptPrograms
from delegation.roles import Role
from delegation.terms import program_label
from pages.forms import NOT_OFFERED


class Choice(NamedTuple):
    """One radio button of the grid."""

    value: str
    label: str
    id: str
    is_chosen: bool


class GridRow(NamedTuple):
    """One program account of the grid: what was wished, what is held, what can be given."""

    program: ProgramAccount
    label: str
    wished: str
    held: str
    choices: list[Choice]


class KeptRoles(KeptPrograms):
    """Roles by program account in one hidden input: `RM0001:editor RM0002:reader`."""

    def format_value(self, value: Any) -> str:
        """The pairs that name a role."""
        return super().format_value(_pairs(value or {}))


class RolesInput(forms.Widget):
    """A radio button for each role, under the extension of each program account drawn.

    The template of the grid draws them; here they are read, with those that are not drawn.
    """

    extensions: Collection[str] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        """The roles chosen, by extension; what is drawn says more than what was kept."""
        pairs = (pair.partition(":") for pair in str(data.get(f"{name}{KEPT}", "")).split())
        kept = {extension: role for extension, _colon, role in pairs}
        found = {one: str(data.get(one, kept.get(one, ""))) for one in self.extensions}
        return {extension: role for extension, role in found.items() if role}


class RolesField(forms.Field):
    """A role for each program account; `in_reach` says which, by extension."""

    widget = RolesInput
    hidden_widget = KeptRoles

    def offer(
        self, extensions: Collection[str], in_reach: Callable[[str], Collection[Role]]
    ) -> None:
        """Let roles be given on these program accounts."""
        self.in_reach = in_reach
        self.widget.extensions = extensions

    def clean(self, value: Any) -> dict[str, Role]:
        """The roles that are given; one that is out of reach is none of the answers shown."""
        for extension, role in value.items():
            if role not in self.in_reach(extension):
                raise ValidationError(NOT_OFFERED, code="invalid_choice")
        return {extension: Role(role) for extension, role in value.items()}


class GrantForm(FindsPrograms):
    """Which access is given to a person.

    `programs` are the program accounts that the reader may grant. `roles_on` says which roles are
    in reach there: it is asked about those alone that are drawn, wished or chosen. `may_make_bam`
    adds the choice of the whole business above them. `wished` (by extension) and `held` (by key of
    the program account) stand beside each choice.
    """

    WHOLE, SOME = "business", "programs"
    kept_name = f"roles{KEPT}"

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

    roles = RolesField(label=_("A role for each program account"), required=False)

    def __init__(
        self,
        *args: Any,
        programs: Collection[ProgramAccount],
        roles_on: Callable[[ProgramAccount], Collection[Role]],
        may_make_bam: bool,
        wished: Mapping[str, str] | None = None,
        held: Mapping[int, Role] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.programs, self.roles_on = programs, roles_on
        self.may_make_bam = may_make_bam
        self.wished, self.held = wished or {}, held or {}
        self.by_extension = {program.extension: program for program in programs}
        if may_make_bam:
            self.fields["scope"].initial = self.SOME
        else:
            del self.fields["scope"]
        self._offer()

    def _offer(self) -> None:
        """Let each be given; draw first what was chosen, what was wished, where a role is held."""
        nearest = {
            value: _nearest(role, self._in_reach(value))
            for value in self.by_extension
            if (role := self.wished.get(value))
        }
        field = cast(RolesField, self.fields["roles"])
        field.offer(self.by_extension.keys(), self._in_reach)
        field.initial = {value: role for value, role in nearest.items() if role}
        self.chosen = self["roles"].value()
        labels = {program.extension: program_label(program) for program in self.programs}
        held = [program.extension for program in self.programs if program.pk in self.held]
        named = {value: self._in_words(value, role) for value, role in self.chosen.items()}
        shown = self.look(labels, named, {*self.wished, *held}).shown
        self.kept = " ".join(
            _pairs({value: role for value, role in self.chosen.items() if value not in shown})
        )

    def _in_reach(self, extension: str) -> Collection[Role]:
        return self.roles_on(self.by_extension[extension])

    def _in_words(self, extension: str, role: str) -> str:
        """A program account that is not drawn, with the role chosen there."""
        label = program_label(self.by_extension[extension])
        return f"{label} ({Role(role).label})" if role in Role else label

    def columns(self) -> list[str]:
        """The roles in reach, and none, as the heads of the grid."""
        for program in self.programs:
            return [*(str(role.label) for role in self.roles_on(program)), str(_("None"))]
        return []

    def grid(self) -> Iterator[GridRow]:
        """The rows of the program accounts that are drawn, for the page."""
        for extension in self.found.shown:
            program = self.by_extension[extension]
            wished, held = self.wished.get(extension), self.held.get(program.pk)
            yield GridRow(
                program,
                program_label(program),
                str(Role(wished).label) if wished else "",
                str(held.label) if held else "",
                self._choices(extension),
            )

    def _choices(self, extension: str) -> list[Choice]:
        roles = self._in_reach(extension)
        answers = [*((role.value, str(role.label)) for role in roles), ("", str(_("None")))]
        chosen = self.chosen.get(extension, "")
        return [
            Choice(value, label, f"id_{extension}_{place}", value == chosen)
            for place, (value, label) in enumerate(answers)
        ]

    def clean(self) -> dict[str, Any]:
        """Something is given."""
        if not self.errors and not self.makes_bam() and not self.gives():
            self.add_error(None, self.nothing_chosen)
        return self.cleaned_data

    def gives(self) -> bool:
        """Whether anything but the whole business is given."""
        return bool(self.cleaned_data.get("roles"))

    def makes_bam(self) -> bool:
        """Whether the whole business is given."""
        return self.cleaned_data.get("scope") == self.WHOLE

    def given(self) -> dict[ProgramAccount, Role]:
        """The roles chosen, by program account."""
        roles = {} if self.makes_bam() else self.cleaned_data["roles"]
        return {self.by_extension[extension]: role for extension, role in roles.items()}

    def not_given(self, reached: Collection[str]) -> list[tuple[str, str]]:
        """What was wished where nothing is given or `reached` otherwise, and as which role."""
        given = self.given()
        return [
            (program_label(program), str(Role(self.wished[extension]).label))
            for extension, program in self.by_extension.items()
            if self.wished.get(extension) and program not in given and extension not in reached
        ]


def _pairs(roles: Mapping[str, str]) -> list[str]:
    """Roles by extension as they are kept."""
    return [f"{extension}:{role}" for extension, role in roles.items()]


def _nearest(wished: str, roles: Collection[Role]) -> str:
    """The wished role, or the best one below it that can be given; nothing without a wish."""
    if not wished:
        return ""
    below = [role for role in roles if role.rank <= Role(wished).rank]
    return max(below, key=lambda role: role.rank).value if below else ""
