"""Forms of the provider's side: ask a client for authority."""

from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from businesses.bn import InvalidBN, parse_extension
from businesses.forms import BN9Field
from delegation.forms.relationships import RULES, TermsForm
from delegation.models import Level
from pages.formats import day
from pages.forms import DayField


class RelationshipRequestCreateForm(TermsForm):
    """What a provider asks of a business number. `today` is the local day."""

    field_order = (
        "client_bn9",
        "level",
        "extensions",
        "covers_future",
        "ceiling",
        "last_day",
        *RULES,
        "comment",
    )

    client_bn9 = BN9Field(
        label=_("Business number of the client"),
        help_text=_("The 9 digits, for example 88831 6171."),
        widget=forms.TextInput({"size": 20, "inputmode": "numeric"}),
    )
    extensions = forms.CharField(
        label=_("Program accounts"),
        help_text=_(
            "For program management: name each one, separated by commas, for example RM 0001, "
            "RM 0002. Leave it empty for business management."
        ),
        max_length=300,
        widget=forms.TextInput({"spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": _("Name at least one program account.")},
    )
    last_day = DayField(
        label=_("Last day that you ask for"),
        help_text=_("The client decides it. Leave it empty to let the client choose."),
        required=False,
    )
    comment = forms.CharField(
        label=_("Comment"),
        help_text=_("The client reads it. At most 500 characters."),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 4}),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["extensions"].required = self["level"].value() == Level.PROGRAM
        self.fields["visibility_broker"].help_text = _("What your firm submits for the client.")
        self.fields["visibility_importer"].label = _("Submitted by the importer (your client)")
        self.fields["visibility_importer"].help_text = _("What the client’s employees submit.")
        self.fields["visibility_other"].help_text = _("What any other firm submits for the client.")

    def clean_extensions(self) -> tuple[str, ...]:
        """The extensions named, each once, in their own order."""
        named = [part.strip() for part in self.cleaned_data["extensions"].split(",")]
        extensions: list[str] = []
        for text in filter(None, named):
            try:
                extensions.append(parse_extension(text))
            except InvalidBN as wrong:
                message = _("“%(text)s” is no import-export account. Enter RM and 4 digits.")
                raise forms.ValidationError(message, params={"text": text[:20]}) from wrong
        return tuple(dict.fromkeys(extensions))

    def clean_last_day(self) -> date | None:
        """A day from today to the longest that a client can agree to."""
        last: date | None = self.cleaned_data["last_day"]
        cap = self.today + relativedelta(years=settings.RELATIONSHIP_CAP_YEARS)
        if last and last < self.today:
            raise forms.ValidationError(_("The last day cannot be before today."))
        if last and last > cap:
            message = _("The last day can be %(cap)s at the latest.")
            raise forms.ValidationError(message, params={"cap": lazy(day, str)(cap)})
        return last

    def clean(self) -> dict[str, Any]:
        """Business management names no program accounts, program management some."""
        answers = super().clean()
        if answers.get("level") == Level.BUSINESS and answers.get("extensions"):
            self.add_error(
                "extensions",
                _("Business management covers every program account: leave this empty."),
            )
        if answers.get("level") == Level.PROGRAM and answers.get("extensions") == ():
            self.add_error("extensions", self.fields["extensions"].error_messages["required"])
        return answers
