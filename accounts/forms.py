"""The forms of the personal profile."""

import re
from typing import Any

from allauth.account.forms import (
    BaseConfirmCodeForm,
    ConfirmEmailVerificationCodeForm,
    ConfirmLoginCodeForm,
    ConfirmPasswordResetCodeForm,
    ResetPasswordForm,
)
from allauth.socialaccount.forms import SignupForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.consent import Statement
from accounts.mailed_codes import digest_of
from accounts.models import Language, User
from accounts.profile import ProfileDetails
from accounts.sign_in import free_address, verified_addresses
from pages.forms import PortalForm

TELEPHONE = re.compile(r"\+?[0-9 ().-]+")
FEWEST_DIGITS, MOST_DIGITS = 7, 15
"""The shortest national numbers have 7 digits; ITU-T E.164 ends at 15."""


class TelephoneField(forms.CharField):
    """A telephone number as people write it, in Canada or anywhere: digits, spaces, ( ) . - +."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, **kwargs)
        self.widget.input_type = "tel"
        self.widget.attrs |= {"autocomplete": "tel-national", "size": "20"}

    def clean(self, value: object) -> str:
        text = " ".join(super().clean(value).split())
        digits = sum(character.isdigit() for character in text)
        if text and not (TELEPHONE.fullmatch(text) and FEWEST_DIGITS <= digits <= MOST_DIGITS):
            raise ValidationError(
                _("Enter a telephone number, such as 613-555-0123 or +44 20 7946 0123."),
                code="telephone",
            )
        return text


class NameField(forms.CharField):
    """A name in any script: something of it must be a letter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, **kwargs)
        self.widget.attrs |= {"spellcheck": "false"}

    def clean(self, value: object) -> str:
        name = super().clean(value)
        if name and not any(character.isalpha() for character in name):
            raise ValidationError(_("Enter a name with at least one letter."), code="name")
        return name


class FirstSignInForm(SignupForm):
    """The work e-mail address of somebody whom an identity provider brings for the first time."""

    def validate_unique_email(self, value: str) -> str:
        free_address(value)
        address: str = super().validate_unique_email(value)
        return address


class CodeCheck(BaseConfirmCodeForm):
    """Compares what is typed with what is kept of the code that was mailed: its digest."""

    def clean_code(self) -> str:
        self.cleaned_data["code"] = digest_of(self.cleaned_data["code"])
        digest: str = super().clean_code()
        return digest


class LoginCodeForm(CodeCheck, ConfirmLoginCodeForm):
    """The code that ends a sign-in."""


class EmailCodeForm(CodeCheck, ConfirmEmailVerificationCodeForm):
    """The code that proves an e-mail address."""


class PasswordResetForm(ResetPasswordForm):
    """Whose password is forgotten, by an address that they have proved.

    An address that is only claimed, or proposed in place of another, may be anybody’s: it is
    answered, and written to, as one that nobody has.
    """

    users: list[User]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [one for one in self.users if email.lower() in verified_addresses(one)]
        return email


class PasswordCodeForm(CodeCheck, ConfirmPasswordResetCodeForm):
    """The code that lets somebody choose another password."""


class ProfileForm(PortalForm):
    """What a person states in the personal profile and can change at any time."""

    given_name = NameField(
        label=_("Given name"),
        widget=forms.TextInput({"autocomplete": "given-name"}),
        error_messages={"required": _("Enter your given name.")},
    )
    family_name = NameField(
        label=_("Family name"),
        widget=forms.TextInput({"autocomplete": "family-name"}),
        error_messages={"required": _("Enter your family name.")},
    )
    telephone = TelephoneField(
        label=_("Telephone at work"),
        error_messages={"required": _("Enter your telephone number at work.")},
    )
    telephone_extension = forms.CharField(
        label=_("Extension"),
        required=False,
        max_length=10,
        validators=[RegexValidator(r"^[0-9]*$", _("Enter the extension in digits only."))],
        widget=forms.TextInput({"inputmode": "numeric", "size": "5", "autocomplete": "off"}),
    )
    language = forms.TypedChoiceField(
        label=_("Preferred language"),
        choices=Language,
        coerce=Language,
        widget=forms.RadioSelect,
        help_text=_("We write to you in this language."),
        error_messages={"required": _("Choose a language.")},
    )
    notify_by_email = forms.BooleanField(
        label=_("Send me an e-mail when something waits for me or changes"),
        required=False,
        help_text=_("E-mails about your security or your legal responsibilities are always sent."),
    )

    def details(self) -> ProfileDetails:
        """The profile that a valid form states."""
        return ProfileDetails(**{name: self.cleaned_data[name] for name in ProfileForm.base_fields})


class ProfileCreateForm(ProfileForm):
    """The first profile, with the consent that it needs.

    The page sends back the hash of the statement it showed, so that nobody agrees to a text that
    changed while the page was open.
    """

    consent = forms.BooleanField(
        label=_("I have read the privacy and consent statement and I agree to it"),
        error_messages={
            "required": _("To create a profile, agree to the privacy and consent statement.")
        },
    )
    statement = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, shown: Statement, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown = shown

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("consent") and cleaned.get("statement") != self.shown.text_hash:
            self.add_error(
                "consent",
                ValidationError(
                    _(
                        "The statement has changed since you opened this page."
                        " Read it again before you agree."
                    ),
                    code="statement_changed",
                ),
            )
        return cleaned
