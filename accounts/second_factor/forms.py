"""The forms of second factors."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.second_factor.passkeys import LONGEST_ANSWER
from pages.forms import PortalForm


class CodeField(forms.CharField):
    """A code as people copy it: spaces and dashes are of no matter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Code"),
            max_length=40,
            widget=forms.TextInput(
                {"autocomplete": "one-time-code", "spellcheck": "false", "size": "12"}
            ),
            error_messages={"required": _("Enter the code.")},
            **kwargs,
        )


class CodeForm(PortalForm):
    """A code, and where it is read."""

    code = CodeField()

    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = help_text


class PasskeyNameForm(PortalForm):
    """What somebody calls a passkey."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("So that you know it again: “Work laptop”, “Blue key”."),
        widget=forms.TextInput({"autocomplete": "off", "size": "30"}),
        error_messages={"required": _("Enter a name.")},
    )


class AnswerField(forms.CharField):
    """What a browser answers that was asked for a passkey; a script of the page fills it in."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=LONGEST_ANSWER,
            widget=forms.HiddenInput({"data-passkey": ""}),
        )


class PasskeyForm(PasskeyNameForm):
    """A new passkey, and what it is called."""

    credential = AnswerField()


class ProofForm(PortalForm):
    """What proves who somebody is: a code, or the answer of a passkey."""

    otp = CodeField()
    passkey = AnswerField()

    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["otp"].help_text = help_text
        self.fields["otp"].required = not (self.data and self.data.get("passkey"))
