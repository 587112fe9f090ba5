"""Form fields that read business and program account numbers however people type them."""

from abc import ABC, abstractmethod
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from businesses.bn import LONGEST_INPUT, InvalidBN, parse_extension, split_bn


class _NumberField(forms.CharField, ABC):
    """A short text of which only the compact reading is kept."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", LONGEST_INPUT)
        super().__init__(**options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Browsers fill in an old number where they may, and correct the spelling of letters."""
        return super().widget_attrs(widget) | {"autocomplete": "off", "spellcheck": "false"}

    def to_python(self, value: Any) -> str:
        text = "" if value in self.empty_values else str(value)
        if not text[:LONGEST_INPUT].strip():
            return ""
        try:
            return self.read(text)
        except InvalidBN as wrong:
            raise ValidationError(self.error_messages[wrong.code], code=wrong.code) from wrong

    @abstractmethod
    def read(self, text: str) -> str:
        """The number in `text` in its compact form; raise `InvalidBN`."""


class BN9Field(_NumberField):
    """A business number; the cleaned value is its nine digits.

    A pasted program account number is understood: the cleaned value is its business number, and
    `businesses.bn.split_bn` gives the program as well.
    """

    default_error_messages = {
        "required": _("Enter the business number."),
        "digits": _("Enter a business number of 9 digits, such as 88831 6171."),
        "check_digit": _("This is not a valid business number. Check each digit."),
        "extension": _("After the business number, enter RM and 4 digits, or nothing."),
        "letters": _(
            "This is an account of another program. Enter an import-export program account (RM), "
            "or the 9 digits alone."
        ),
    }

    def read(self, text: str) -> str:
        bn9, _extension = split_bn(text)
        return bn9


class ProgramExtensionField(_NumberField):
    """The letters and digits of an import-export program account; cleaned to `RM0001`."""

    default_error_messages = {
        "required": _("Enter the program account."),
        "extension": _("Enter the program account as RM and 4 digits, such as RM 0001."),
        "letters": _(
            "This is an account of another program. Enter an import-export program account, "
            "which begins with RM."
        ),
    }

    def read(self, text: str) -> str:
        return parse_extension(text)
