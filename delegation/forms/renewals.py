"""Forms of a renewal: until when, and which of the program accounts go on."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _

from delegation.forms.programs import ProgramsField, ProgramsForm
from delegation.forms.relationships import AgreedForm
from pages.forms import DayField

LAST_DAY = DayField(
    label=_("New expiry date"),
    help_text=_("The last day of access, until midnight Eastern time."),
    error_messages={"required": _("Enter the expiry date.")},
)
WHOLE = "all"
"""What the form calls terms that cover every program account."""


class RelationshipRenewForm(ProgramsForm, AgreedForm):
    """What goes on, and until when. `programs` are what can be renewed, as value and label."""

    last_day = LAST_DAY
    programs = ProgramsField(
        label=_("Program accounts"),
        help_text=_("What you leave out ends on its day, as agreed."),
        error_messages={
            "required": _("Choose at least one program account."),
            "invalid_choice": _("Choose only program accounts of this list."),
        },
    )

    def __init__(self, *args: Any, programs: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(dict(programs))


class SeveralRenewForm(AgreedForm):
    """Until when several relationships are renewed."""

    last_day = LAST_DAY
