"""Forms of the client's side of business relationships: approve and reject what a firm asked."""

from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from delegation.consent import VERSION
from delegation.forms.employees import DecisionForm
from delegation.forms.programs import ProgramsField, ProgramsForm
from delegation.models import Ceiling, Level, Visibility
from delegation.terms import RIGHTS
from pages.forms import DayField, PortalForm

RULES = ("visibility_broker", "visibility_importer", "visibility_other")
"""The fields of the three visibility rules."""


class TermsForm(PortalForm):
    """The part of an authority that is asked for and agreed to in the same words."""

    level = forms.ChoiceField(
        label=_("Level of the relationship"),
        help_text=_(
            "Business management covers the business and every program account it has. Program "
            "management covers only the program accounts that are named."
        ),
        widget=forms.RadioSelect,
        choices=Level,
        error_messages={"required": _("Choose the level of the relationship.")},
    )
    covers_future = forms.BooleanField(
        label=_("Also program accounts opened later"),
        help_text=_(
            "For business management only. Those that are closed come with them: what was "
            "submitted there can be read as the rules below say."
        ),
        required=False,
    )
    ceiling = forms.ChoiceField(
        label=_("The most that the firm can do"),
        help_text=_(
            "A Reader views. An Editor and a Program Account Manager also change what the rules "
            "below let them edit. No firm ever manages the client’s employees or relationships."
        ),
        widget=forms.RadioSelect,
        choices=Ceiling,
        initial=Ceiling.EDITOR,
        error_messages={"required": _("Choose the most that the firm can do.")},
    )
    visibility_broker = forms.ChoiceField(
        label=_("Submitted by the customs broker"),
        help_text=_("What the firm itself submits. It can always view that."),
        widget=forms.RadioSelect,
        choices=[(rule.value, rule.label) for rule in (Visibility.VIEW, Visibility.EDIT)],
        initial=Visibility.VIEW,
        error_messages={"required": _("Choose a rule for what the customs broker submits.")},
    )
    visibility_importer = forms.ChoiceField(
        label=_("Submitted by you (the importer)"),
        help_text=_("What your own employees submit."),
        widget=forms.RadioSelect,
        choices=Visibility,
        initial=Visibility.NONE,
        error_messages={"required": _("Choose a rule for what the importer submits.")},
    )
    visibility_other = forms.ChoiceField(
        label=_("Submitted by other business"),
        help_text=_("What any other customs broker or service provider submits."),
        widget=forms.RadioSelect,
        choices=Visibility,
        initial=Visibility.NONE,
        error_messages={"required": _("Choose a rule for what other businesses submit.")},
    )

    def clean(self) -> dict[str, Any]:
        """Refuse what contradicts itself: future accounts of a part, editing as a Reader."""
        answers = self.cleaned_data
        if answers.get("level") == Level.PROGRAM and answers.get("covers_future"):
            self.add_error(
                "covers_future",
                _("Only business management can include program accounts opened later."),
            )
        for rule in RULES:
            if answers.get("ceiling") == Ceiling.READER and answers.get(rule) == Visibility.EDIT:
                self.add_error(
                    rule,
                    _("A Reader cannot edit. Choose View here, or As an Editor above."),
                )
        return answers


class AgreedForm(PortalForm):
    """What is agreed to under the consent text that the page showed."""

    TEXT = VERSION
    consent_version = forms.CharField(widget=forms.HiddenInput, max_length=20)

    def clean_consent_version(self) -> str:
        """The consent that the person read must be the one in force."""
        version: str = self.cleaned_data["consent_version"]
        if version != self.TEXT:
            raise forms.ValidationError(
                _("The text that you agree to changed while you had the page open. Read it again.")
            )
        return version


class AgreementForm(ProgramsForm, AgreedForm, TermsForm):
    """What a client's manager agrees to.

    `programs` are the program accounts that the person may include, as extension and label, and
    `ceilings` the highest rights that it may give. A Program Account Manager decides program
    accounts alone: without `may_give_whole` there is no choice of level.
    """

    DATE, OPEN = "date", "open"
    UNAGREED = _("Agree to the text to go on.")
    field_order: tuple[str, ...] = (
        "level",
        "programs",
        "covers_future",
        "ceiling",
        "rights",
        "end",
        "last_day",
        "open_end_reason",
        *RULES,
        "consent",
    )

    programs = ProgramsField(
        label=_("Program accounts"),
        help_text=_("For program management. Business management covers all of them."),
        error_messages={
            "required": _("Choose at least one program account."),
            "invalid_choice": _("Choose only program accounts of this list."),
        },
    )
    rights = forms.MultipleChoiceField(
        label=_("The firm can also"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        choices=list(RIGHTS.items()),
    )
    end = forms.ChoiceField(
        label=_("End of the relationship"),
        widget=forms.RadioSelect,
        choices=[(DATE, _("On an expiry date")), (OPEN, _("No expiry date"))],
        initial=DATE,
        error_messages={"required": _("Choose how the relationship ends.")},
    )
    last_day = DayField(
        label=_("Expiry date"),
        help_text=_("The last day of access, until midnight Eastern time."),
        error_messages={"required": _("Enter the expiry date.")},
    )
    open_end_reason = forms.CharField(
        label=_("Why there is no expiry date"),
        help_text=_("Only if you choose no expiry date. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write why this relationship needs no expiry date.")},
    )
    consent = forms.BooleanField(
        label=_("I have read this text and agree to it for the account in use"),
    )

    def __init__(
        self,
        *args: Any,
        programs: Collection[tuple[str, str]],
        ceilings: Collection[Ceiling],
        may_give_whole: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer(dict(programs))
        self.fields["consent"].error_messages["required"] = self.UNAGREED
        cast(forms.ChoiceField, self.fields["ceiling"]).choices = [
            (one.value, one.label) for one in ceilings
        ]
        if not may_give_whole:
            del self.fields["level"], self.fields["covers_future"]
            self.fields["programs"].help_text = ""
        self._ask_only_what_applies()

    def _ask_only_what_applies(self) -> None:
        """Of two ways to answer, only the one chosen is required."""
        is_open = self["end"].value() == self.OPEN
        self.fields["last_day"].required = not is_open
        self.fields["open_end_reason"].required = is_open
        if "level" in self.fields:
            self.fields["programs"].required = self["level"].value() == Level.PROGRAM


class RelationshipRequestApproveForm(DecisionForm, AgreementForm):
    """What a client's manager agrees to of what a firm asked for."""

    UNAGREED = _("Agree to the text, or reject the request.")


class RelationshipChangeForm(AgreementForm):
    """What a client's manager agrees to in place of what the firm may do today."""

    KEEP, LOSE = "keep", "lose"
    field_order = (
        *AgreementForm.field_order[:2],
        "others",
        *AgreementForm.field_order[2:],
    )

    others = forms.ChoiceField(
        label=_("Program accounts that you leave out"),
        widget=forms.RadioSelect,
        choices=[
            (LOSE, _("The firm can no longer act on them")),
            (KEEP, _("The firm keeps what it may do there today")),
        ],
        initial=LOSE,
        error_messages={"required": _("Choose what becomes of the other program accounts.")},
    )


class RelationshipFilterForm(PortalForm):
    """Find a firm in a list of relationships or of requests."""

    name = forms.CharField(
        label=_("Firm, business number or program account"), max_length=100, required=False
    )
    level = forms.ChoiceField(
        label=_("Level"), choices=[("", _("Any level")), *Level.choices], required=False
    )


class RelationshipRequestRejectForm(DecisionForm):
    """Why a firm's request is rejected."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The firm that asked reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write the reason: the firm reads it.")},
    )
