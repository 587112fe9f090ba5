"""The form fields for business and program account numbers."""

import pytest
from django import forms
from django.core.exceptions import ValidationError

from businesses.forms import BN9Field, ProgramExtensionField


class Numbers(forms.Form):
    bn = BN9Field(label="Business number")
    program = ProgramExtensionField(label="Program account", required=False)


def code_of(field: forms.Field, text: str | None) -> str:
    with pytest.raises(ValidationError) as refused:
        field.clean(text)
    [message] = refused.value.messages
    assert message.endswith(".")
    return refused.value.code or ""


@pytest.mark.parametrize(
    "text",
    [
        "888316171",
        " 88831 6171 ",
        "88831\u00a06171",
        "888-316-171",
        "８８８３１６１７１",
        "888316171rm0001",
        "88831 6171 RM 0001",
    ],
)
def test_a_business_number_is_cleaned_to_its_nine_digits(text: str) -> None:
    assert BN9Field().clean(text) == "888316171"


@pytest.mark.parametrize("text", ["RM0001", "rm 0001", "ＲＭ ０００１", "0001", "RM–0001"])
def test_a_program_account_is_cleaned_to_its_compact_form(text: str) -> None:
    assert ProgramExtensionField().clean(text) == "RM0001"


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        (BN9Field(), None, "required"),
        (BN9Field(), "", "required"),
        (BN9Field(), "\u00a0 ", "required"),
        (BN9Field(), "12345678", "digits"),
        (BN9Field(), "888316171 RM", "digits"),
        (BN9Field(), "888316171\x00", "digits"),
        pytest.param(BN9Field(), "8" * 10_000_000, "digits", id="a book"),
        (BN9Field(), "888316172", "check_digit"),
        (BN9Field(), "888316171RM0000", "extension"),
        (BN9Field(), "888316171RT0001", "letters"),
        (ProgramExtensionField(), "", "required"),
        (ProgramExtensionField(), "1", "extension"),
        (ProgramExtensionField(), "RP0001", "letters"),
    ],
)
def test_each_mistake_has_its_own_plain_message(
    field: forms.Field, text: str | None, code: str
) -> None:
    assert code_of(field, text) == code


def test_an_optional_number_may_stay_blank() -> None:
    form = Numbers({"bn": "88831 6171", "program": " "})
    assert form.is_valid()
    assert form.cleaned_data == {"bn": "888316171", "program": ""}


def test_browsers_are_asked_not_to_fill_numbers_in() -> None:
    page = str(Numbers()["bn"])
    assert 'autocomplete="off"' in page
    assert 'maxlength="60"' in page
