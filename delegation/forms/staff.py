"""Forms of the firm's own order: who works for which clients, and groups of clients."""

import re
from collections.abc import Collection
from datetime import date
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.bn import InvalidBN, split_bn
from delegation.models import Ceiling
from pages.forms import DayField, PortalForm

MOST_NUMBERS = 200
"""How many clients one act can be about."""


class StaffAssignmentChangeForm(PortalForm):
    """As what an employee works for a client, and until when."""

    role = forms.ChoiceField(
        label=_("The most that the employee can do"),
        help_text=_("Never more than the client gave your firm."),
        widget=forms.RadioSelect,
        choices=Ceiling,
        initial=Ceiling.EDITOR,
        error_messages={"required": _("Choose the most that the employee can do.")},
    )
    last_day = DayField(
        label=_("Last day"),
        help_text=_("Leave it empty to let the assignment last until you end it."),
        required=False,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_last_day(self) -> date | None:
        """A day from today on."""
        last: date | None = self.cleaned_data["last_day"]
        if last and last < self.today:
            raise forms.ValidationError(_("The last day cannot be before today."))
        return last


class StaffAssignmentCreateForm(StaffAssignmentChangeForm):
    """Who works for a client. `people` are those whom the firm can still assign, and groups."""

    field_order: tuple[str, ...] = ("person", "role", "last_day")

    person = forms.ChoiceField(
        label=_("Employee or employee group"),
        error_messages={
            "required": _("Choose an employee."),
            "invalid_choice": _(
                "Choose an employee of this list: one who works for your firm and is not assigned "
                "to this client yet."
            ),
        },
    )

    def __init__(self, *args: Any, people: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["person"]).choices = [
            ("", _("Choose an employee")),
            *people,
        ]


class NumbersField(forms.CharField):
    """Business numbers as people paste them: one on a line, or set apart by commas.

    The cleaned value is each number once, in their order.
    """

    widget = forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_NUMBERS * 20, **options)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        parts = [part for part in re.split(r"[,;\n\r\t]+", text) if part.strip()]
        if len(parts) > MOST_NUMBERS:
            message = _("At most %(most)s numbers at once.") % {"most": MOST_NUMBERS}
            raise forms.ValidationError(message)
        return list(dict.fromkeys(self._number(part) for part in parts))

    def _number(self, text: str) -> str:
        try:
            return split_bn(text)[0]
        except InvalidBN as wrong:
            message = _("“%(text)s” is no business number. Enter 9 digits.")
            raise forms.ValidationError(message % {"text": text.strip()[:20]}) from wrong


class StaffAssignmentBulkForm(StaffAssignmentCreateForm):
    """Who works for several clients at once."""

    field_order = ("clients", "person", "role", "last_day")

    clients = NumbersField(
        label=_("Clients"),
        help_text=_("Business numbers, one on each line."),
        error_messages={"required": _("Name at least one client.")},
    )


class ClientGroupForm(PortalForm):
    """The name of a client group."""

    name = forms.CharField(
        label=_("Name of the group"),
        max_length=100,
        error_messages={"required": _("Enter a name.")},
    )


class ClientGroupAddForm(PortalForm):
    """Which clients come into a group."""

    clients = NumbersField(
        label=_("Add clients"),
        help_text=_("Business numbers, one on each line."),
        error_messages={"required": _("Name at least one client.")},
    )
