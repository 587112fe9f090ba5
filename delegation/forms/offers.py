"""Forms of an offer: what a client offers to a business number, and how the firm answers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.forms import BN9Field
from delegation.consent import OFFER_VERSION
from delegation.forms.employees import DecisionForm
from delegation.forms.relationships import AgreementForm


class RelationshipOfferCreateForm(AgreementForm):
    """What a client's manager offers. The form and its answers know nothing of the number."""

    TEXT = OFFER_VERSION
    UNAGREED = _("Agree to the text to offer this.")
    field_order = ("provider_bn9", *AgreementForm.field_order[:-1], "comment", "consent")

    provider_bn9 = BN9Field(
        label=_("Business number of the firm"),
        help_text=_("The 9 digits, for example 88831 6171."),
        widget=forms.TextInput({"size": 20, "inputmode": "numeric"}),
    )
    comment = forms.CharField(
        label=_("Comment"),
        help_text=_("The firm reads it. At most 500 characters."),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 4}),
    )


class RelationshipOfferAcceptForm(DecisionForm):
    """The firm takes an offer as it was read."""

    accept = forms.BooleanField(
        label=_("I have read this text and accept the relationship for the account in use"),
        error_messages={"required": _("Tick this box to accept, or decline the offer.")},
    )


class RelationshipOfferDeclineForm(DecisionForm):
    """Why a firm declines an offer."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The business that made the offer reads it. At most 500 characters."),
        max_length=500,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write the reason: the client reads it.")},
    )
