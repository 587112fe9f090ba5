"""Forms of declarations: find them, and correct one."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses.bn import split_bn
from businesses.forms import BN9Field
from delegation.access import Access
from delegation.roles import Action
from delegation.terms import program_label
from pages.forms import AmountField, DayField, PortalForm
from transactions.corrections import CHANGEABLE, CorrectedLine
from transactions.declarations import Submitter, Wanted
from transactions.models import HS_CODE_PATTERN, DeclarationLine, ReasonCode
from transactions.tariff import is_origin, show_hs_code

type Words = str | Promise

LINE = {"autocomplete": "off", "spellcheck": "false"}
MARKS_IN_NUMBERS = re.compile(r"[\s.\-\u2010-\u2015]+")


# ---------------------------------------------------------------- find


class OwnerField(BN9Field):
    """A business or program account number; cleaned to `412703316` or `412703316RM0001`."""

    def read(self, text: str) -> str:
        bn9, extension = split_bn(text)
        return bn9 + (extension or "")


class DeclarationNumberField(forms.CharField):
    """A transaction number, with or without the five digits of a version."""

    default_error_messages = {
        "digits": _("Enter the 14 digits of a transaction number, or the 19 of one version."),
    }

    def to_python(self, value: Any) -> str:
        number = MARKS_IN_NUMBERS.sub("", super().to_python(value) or "")
        if number and not re.fullmatch(r"[0-9]{14}([0-9]{5})?", number):
            raise ValidationError(self.error_messages["digits"], code="digits")
        return number


class DeclarationFilterForm(PortalForm):
    """Narrow the list of declarations. Providers name a client; others choose a program account."""

    number = DeclarationNumberField(
        label=_("Transaction number"),
        max_length=40,
        required=False,
        widget=forms.TextInput(LINE | {"size": "20", "inputmode": "numeric"}),
    )
    client = OwnerField(
        label=_("Business or program account number"),
        required=False,
        widget=forms.TextInput(LINE | {"size": "20"}),
    )
    program = forms.ChoiceField(
        label=_("Program account"),
        required=False,
        error_messages={"invalid_choice": _("Choose a program account of this list.")},
    )
    submitter = forms.ChoiceField(
        label=_("Submitted by"),
        required=False,
        error_messages={"invalid_choice": _("Choose a submitter of this list.")},
    )
    first_day = DayField(label=_("Declared from"), required=False)
    last_day = DayField(label=_("Declared to"), required=False)

    def __init__(self, data: Any, *, access: Access) -> None:
        super().__init__(data)
        if access.serves_clients:
            del self.fields["program"]
            submitters = list(Submitter)
        else:
            del self.fields["client"]
            submitters = [Submitter.IMPORTER, Submitter.OTHER]
            programs = access.programs(Action.VIEW_TRANSACTIONS)
            self._offer("program", [(one.extension, program_label(one)) for one in programs])
        self._offer("submitter", [(one.value, one.label) for one in submitters])

    def _offer(self, name: str, choices: Sequence[tuple[str, Words]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("Any")), *choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day comes before the first."))
        return cleaned

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked for."""
        return any(self.cleaned_data.values())

    def wanted(self) -> Wanted:
        """What the list is narrowed to."""
        answers = self.cleaned_data
        owner = answers.get("client", "")
        return Wanted(
            number=answers["number"],
            client_bn9=owner[:9],
            extension=owner[9:] or answers.get("program", ""),
            submitter=answers["submitter"],
            first_day=answers["first_day"],
            last_day=answers["last_day"],
        )


# ---------------------------------------------------------------- correct


class HSCodeField(forms.CharField):
    """A ten-digit classification number, with the dots and spaces that people write."""

    def to_python(self, value: Any) -> str:
        code = MARKS_IN_NUMBERS.sub("", super().to_python(value) or "")
        if code and not re.search(HS_CODE_PATTERN, code):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return code

    def prepare_value(self, value: Any) -> Any:
        """With its dots, unless it is something else."""
        return show_hs_code(value) if re.search(HS_CODE_PATTERN, str(value)) else value


class OriginField(forms.CharField):
    """The two letters of a country, or U and the two letters of a state of the United States."""

    def to_python(self, value: Any) -> str:
        origin = (super().to_python(value) or "").upper()
        if origin and not is_origin(origin):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return origin


class Cell(NamedTuple):
    """A field of a line under the head of its column."""

    head: Words
    field: BoundField


class LineFields(NamedTuple):
    """A line of the declaration and the fields that correct it."""

    line: DeclarationLine
    cells: list[Cell]


class CorrectionForm(PortalForm):
    """The lines of a declaration as they should be, why, and the version that the form showed."""

    expected_version = forms.IntegerField(
        label=_("This page"),
        widget=forms.HiddenInput,
        min_value=1,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value"), _("Open it again from the declaration.")
        ),
    )
    reason_code = forms.ChoiceField(
        label=_("Reason for the correction"),
        choices=[("", _("Choose a reason")), *ReasonCode.choices],
        error_messages={
            "required": _("Choose the reason for the correction."),
            "invalid_choice": _("Choose a reason of this list."),
        },
    )
    remarks = forms.CharField(
        label=_("Remarks"),
        help_text=_("What was wrong, and how you know. At most 1,000 characters."),
        max_length=1000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write what was wrong.")},
    )

    def __init__(self, data: Any, *, version: int, lines: Sequence[DeclarationLine]) -> None:
        self.lines = lines
        self.base_fields = {  # type: ignore[misc]  # those of this form alone
            **{_name(name, line): _field(name, line) for line in lines for name in CHANGEABLE},
            **type(self).base_fields,
        }
        super().__init__(data, initial={"expected_version": version})

    def line_fields(self) -> Iterator[LineFields]:
        """Each line with its fields, in the order of `CHANGEABLE`."""
        for line in self.lines:
            cells = [Cell(head, self[_name(name, line)]) for name, head in CHANGEABLE.items()]
            yield LineFields(line, cells)

    def corrected_lines(self) -> tuple[CorrectedLine, ...]:
        """The lines as they should be."""
        return tuple(
            CorrectedLine(
                number=line.number,
                **{name: self.cleaned_data[_name(name, line)] for name in CHANGEABLE},
            )
            for line in self.lines
        )

    def show_version(self, number: int) -> None:
        """Let the form, posted again as it stands, speak of another version."""
        posted = QueryDict(mutable=True)
        posted.update(self.data)
        posted["expected_version"] = str(number)
        self.data = posted


def _name(name: str, line: DeclarationLine) -> str:
    return f"{name}_{line.number}"


def _field(name: str, line: DeclarationLine) -> forms.Field:
    """The field of one cell; its label names the line, since many fields stand on the page."""
    match name:
        case "hs_code":
            wrong = _("Enter 10 digits, such as 9403.60.10.00.")
            field: forms.Field = HSCodeField(max_length=20, widget=_input("numeric", 14))
        case "origin":
            wrong = _("Enter the 2 letters of a country, or U and 2 letters of a state.")
            field = OriginField(max_length=3, widget=_input("text", 5))
        case _:
            wrong = _("Enter an amount, such as 1234.56.")
            field = AmountField(widget=_input("decimal", 10))
    field.label = _("Line %(line)s, %(name)s") % {"line": line.number, "name": CHANGEABLE[name]}
    field.initial = getattr(line, name)
    field.error_messages |= dict.fromkeys(("required", "invalid", "negative", "max_length"), wrong)
    return field


def _input(mode: str, size: int) -> forms.TextInput:
    return forms.TextInput(LINE | {"inputmode": mode, "size": str(size)})
