"""The forms of Register My Business. Fields are named after the columns they fill.

A form says what is malformed, half answered or impossible. What is merely wrong it cannot know:
that is judged once, after the review.
"""

import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from localflavor.ca.forms import CAPostalCodeField

from accounts.sign_in import language_of_page
from businesses.bn import InvalidBN, compact, show_bn9, split_bn
from businesses.countries import countries
from businesses.forms import BN9Field, ProgramExtensionField
from businesses.names import normal_name, normal_region
from pages.forms import AmountField, DayField, PortalForm

LINE = {"autocomplete": "off", "spellcheck": "false"}
"""Browsers fill in and correct what they know; here only what the register says is right."""


class BusinessNumberForm(PortalForm):
    """The business number and one of its program accounts, or both pasted as one."""

    bn9 = BN9Field(
        label=_("Business number"),
        help_text=_("9 digits, such as 88831 6171. You can also paste all 15 characters."),
        widget=forms.TextInput({"size": "20"}),
    )
    extension = ProgramExtensionField(
        label=_("Program account"),
        help_text=_(
            "RM and 4 digits, such as RM 0001. One is enough: the others of the same business "
            "number are linked at the end."
        ),
        widget=forms.TextInput({"size": "10"}),
    )

    def __init__(self, data: QueryDict | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        pasted = self._pasted() if data is not None else None
        if pasted and data is not None and not data.get("extension", "").strip():
            self.data = data.copy()
            self.data["extension"] = pasted

    def _pasted(self) -> str | None:
        """The program account that came with the business number."""
        try:
            return split_bn(self["bn9"].data or "")[1]
        except InvalidBN:
            return None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        pasted, typed = self._pasted(), cleaned.get("extension")
        if pasted and typed and pasted != typed:
            self.add_error(
                "extension",
                ValidationError(
                    _(
                        "The business number above ends in %(pasted)s. Enter the same program "
                        "account here, or only 9 digits above."
                    ),
                    code="two_programs",
                    params={"pasted": pasted},
                ),
            )
        return cleaned


class LegalEntityForm(PortalForm):
    """Name and address as the CRA has them on file; addresses abroad are as good as any."""

    legal_name = forms.CharField(
        label=_("Legal name"),
        max_length=175,
        help_text=_(
            "As registered with the CRA. A numbered company enters its number name, such as "
            "9876543 Canada Inc."
        ),
        widget=forms.TextInput(LINE),
        error_messages={"required": _("Enter the legal name.")},
    )
    operating_name = forms.CharField(
        label=_("Operating name"),
        max_length=175,
        required=False,
        help_text=_("The name the business trades under, if it is another."),
        widget=forms.TextInput(LINE),
    )
    street = forms.CharField(
        label=_("Street address"),
        max_length=200,
        help_text=_("Number, street and unit, or the post office box."),
        widget=forms.TextInput(LINE),
        error_messages={"required": _("Enter the street address.")},
    )
    city = forms.CharField(
        label=_("City"),
        max_length=100,
        widget=forms.TextInput(LINE),
        error_messages={"required": _("Enter the city.")},
    )
    region = forms.CharField(
        label=_("Province, territory or state"),
        max_length=100,
        required=False,
        help_text=_("Needed in Canada and the United States, in full or as two letters."),
        widget=forms.TextInput(LINE | {"size": "20"}),
    )
    postal_code = forms.CharField(
        label=_("Postal code or ZIP code"),
        max_length=20,
        required=False,
        help_text=_("Needed in Canada, such as K1A 0L8."),
        widget=forms.TextInput(LINE | {"size": "10"}),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: countries(language_of_page()),
        widget=forms.Select({"autocomplete": "off"}),
        error_messages={
            "required": _("Select the country."),
            "invalid_choice": _("Select the country."),
        },
    )

    def clean_legal_name(self) -> str:
        return self._said("legal_name", _("Enter the legal name in letters or digits."))

    def clean_street(self) -> str:
        return self._said("street", _("Enter the street address in letters or digits."))

    def clean_city(self) -> str:
        return self._said("city", _("Enter the city in letters or digits."))

    def _said(self, name: str, message: Promise) -> str:
        """The text of a field, which must hold something to compare."""
        text: str = self.cleaned_data[name]
        if not normal_name(text):
            raise ValidationError(str(message), code="nothing_to_compare")
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        country, region = cleaned.get("country", ""), cleaned.get("region", "")
        if country == "CA" and not _is_state(region, country):
            self.add_error("region", _("Enter the Canadian province or territory."))
        if country == "US" and not _is_state(region, country):
            self.add_error("region", _("Enter the state."))
        code = cleaned.get("postal_code", "")
        if country == "CA" and not CAPostalCodeField.postcode_regex.match(code.upper()):
            self.add_error("postal_code", _("Enter a Canadian postal code, such as K1A 0L8."))
        return cleaned


def _is_state(region: str, country: str) -> bool:
    return bool(re.fullmatch(r"[A-Z]{2}", normal_region(region, country)))


class TransactionNumberField(forms.CharField):
    """The 14 digits of a transaction number, with spaces or hyphens as people write them."""

    default_error_messages = {"digits": _("Enter the 14 digits of the transaction number.")}

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        number = compact(text)
        if text and not re.fullmatch(r"[0-9]{14}", number):
            raise ValidationError(self.error_messages["digits"], code="digits")
        return number


QUESTIONS = (
    ("transaction_number", "transaction_total"),
    ("payment_on", "payment_amount"),
    ("statement_on", "statement_balance"),
)
"""The three questions, each by its two fields."""


class SecurityQuestionsForm(PortalForm):
    """Three questions of which two are answered, one where the account holds only one kind."""

    transaction_number = TransactionNumberField(
        label=_("Transaction number"),
        max_length=40,
        required=False,
        help_text=_("14 digits, of any transaction."),
        widget=forms.TextInput(LINE | {"size": "20", "inputmode": "numeric"}),
    )
    transaction_total = AmountField(
        label=_("Total duties and taxes"),
        required=False,
        help_text=_("Of that transaction. 0.00 is accepted."),
    )
    payment_on = DayField(label=_("Payment date"), required=False)
    payment_amount = AmountField(
        label=_("Payment amount"),
        required=False,
        may_be_zero=False,
        error_messages={"zero": _("Enter the amount of a payment of more than 0.00.")},
    )
    statement_on = DayField(label=_("Statement date"), required=False)
    statement_balance = AmountField(
        label=_("Statement balance"),
        required=False,
        may_be_negative=True,
        may_be_zero=False,
        help_text=_("With a minus sign if it is a credit. 0.00 is not accepted."),
        error_messages={
            "zero": _("A statement with a balance of 0.00 cannot be used. Choose another one."),
        },
    )
    has_no_records = forms.BooleanField(
        label=_("This program account has no transactions, payments or statements yet"),
        required=False,
    )

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_payment_on(self) -> date | None:
        return self._not_ahead("payment_on")

    def clean_statement_on(self) -> date | None:
        return self._not_ahead("statement_on")

    def _not_ahead(self, name: str) -> date | None:
        on: date | None = self.cleaned_data[name]
        if on and on > self.today:
            raise ValidationError(_("Enter a day that is not in the future."), code="future")
        return on

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for first, second in QUESTIONS:
            self._refuse_half(first, second)
        if not self.errors:
            answered = sum(self._is_filled(first) for first, _second in QUESTIONS)
            self._refuse_count(answered, has_no_records=cleaned["has_no_records"])
        return cleaned

    def _is_filled(self, name: str) -> bool:
        return name in self.errors or self.cleaned_data[name] not in ("", None)

    def _refuse_half(self, first: str, second: str) -> None:
        """A question is answered by both of its fields or by none."""
        empty = [name for name in (first, second) if not self._is_filled(name)]
        if len(empty) == 1:
            self.add_error(empty[0], str(HALF_ANSWERED[empty[0]]))

    def _refuse_count(self, answered: int, *, has_no_records: bool) -> None:
        if answered and has_no_records:
            self.add_error(
                "has_no_records",
                _("You answered a question. Clear your answers, or clear this box."),
            )
        elif not answered and not has_no_records:
            self.add_error(None, _("Answer two of the three questions."))
        elif answered > 2:
            self.add_error(
                None,
                _("Answer only two of the three questions. Clear the one you are least sure of."),
            )


HALF_ANSWERED: dict[str, Promise] = {
    "transaction_number": _("Enter the transaction number as well, or clear its total."),
    "transaction_total": _("Enter the total duties and taxes as well, or clear its number."),
    "payment_on": _("Enter the payment date as well, or clear its amount."),
    "payment_amount": _("Enter the payment amount as well, or clear its date."),
    "statement_on": _("Enter the statement date as well, or clear its balance."),
    "statement_balance": _("Enter the statement balance as well, or clear its date."),
}
"""What to do about a question of which only the other field is filled in."""


class TermsForm(PortalForm):
    """The acceptance of the terms, of the very version that the page showed."""

    accepted = forms.BooleanField(
        label=_("I have read these terms and conditions and I accept them for the business"),
        error_messages={"required": _("To go on, accept the terms and conditions.")},
    )
    shown = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, *args: Any, version: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.version = version
        self.initial["shown"] = version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("accepted") and cleaned.get("shown") != self.version:
            self.add_error(
                "accepted",
                _("The terms have changed since you opened this page. Read them again."),
            )
        return cleaned


class SubmitForm(PortalForm):
    """What the review page sends: the version of the draft that it showed."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class ReviewRequestForm(PortalForm):
    """Why somebody thinks that the business is theirs to register."""

    note = forms.CharField(
        label=_("What should the reviewer know?"),
        max_length=2000,
        help_text=_(
            "For example who you are in the business, whether its name or address changed, and "
            "why you have no transactions to name. At most 2,000 characters."
        ),
        widget=forms.Textarea({"rows": "6"}),
        error_messages={"required": _("Write what the reviewer should know.")},
    )


def shown_number(bn9: str, extension: str) -> dict[str, str]:
    """A stored number as the form shows it for change."""
    return {
        "bn9": show_bn9(bn9) if bn9 else "",
        "extension": f"{extension[:2]} {extension[2:]}".strip(),
    }
