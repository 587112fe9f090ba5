"""Forms of invitations: write one, find one, answer one."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Language
from delegation.forms.grants import GrantForm
from delegation.models import EmployeeGroup, InvitationStatus
from pages.forms import PortalForm

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""The secret of a link: 32 bytes, as `secrets.token_urlsafe` writes them."""


class InvitationCreateForm(GrantForm):
    """Whom a manager invites, in which language, and to which access.

    `groups` are the employee groups into which the reader may put the person, by key.
    """

    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_(
            "The work address of the person. Only somebody who signs in with this address can "
            "accept."
        ),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
        error_messages={"required": _("Enter the e-mail address of the person.")},
    )
    language = forms.ChoiceField(
        label=_("Language of the e-mail"),
        choices=Language,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language.")},
    )
    message = forms.CharField(
        label=_("Message"),
        help_text=_("The person reads it in the e-mail. At most 500 characters."),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: Any, groups: Mapping[str, EmployeeGroup], **options: Any) -> None:
        super().__init__(*args, **options)
        self.by_key = groups
        if groups:
            self.nothing_chosen = _(
                "Choose a role on at least one program account, or an employee group."
            )
            self.fields["groups"] = forms.MultipleChoiceField(
                label=_("Employee groups"),
                help_text=_("The person has the roles of a group while in it."),
                widget=forms.CheckboxSelectMultiple,
                required=False,
                choices=[(key, one.name) for key, one in groups.items()],
            )

    def gives(self) -> bool:
        """Whether anything but the whole business is given: roles, or a group."""
        return super().gives() or bool(self.cleaned_data.get("groups"))

    def chosen_groups(self) -> tuple[EmployeeGroup, ...]:
        """The employee groups into which the person comes; none beside the whole business."""
        keys = () if self.makes_bam() else self.cleaned_data.get("groups", ())
        return tuple(self.by_key[key] for key in keys)

    def clean_email(self) -> str:
        """Addresses are compared in lower case."""
        return str(self.cleaned_data["email"]).lower()


class InvitationFilterForm(PortalForm):
    """Find an invitation."""

    email = forms.CharField(label=_("E-mail address"), max_length=254, required=False)
    state = forms.ChoiceField(
        label=_("Status"),
        choices=[("", pgettext_lazy("invitations", "All")), *InvitationStatus.choices],
        required=False,
    )


class InvitationSeenForm(PortalForm):
    """An act on an invitation in the state in which its page showed it."""

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=2**31 - 1,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            _("This page is out of date. Read it again, then choose."),
        ),
    )


class InvitationFindForm(PortalForm):
    """The link of an invitation, pasted from the e-mail."""

    link = forms.CharField(
        label=_("Link in the invitation e-mail"),
        help_text=_("Copy the whole link and paste it here."),
        max_length=500,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Paste the link of your invitation.")},
    )

    def clean_link(self) -> str:
        """The secret at the end of the link."""
        text: Any = self.cleaned_data["link"]
        last = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
        if not TOKEN.fullmatch(last):
            raise forms.ValidationError(
                _("This is not the link of an invitation. Copy it from the e-mail once more."),
                code="link",
            )
        return last
