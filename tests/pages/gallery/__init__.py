"""Every component on three pages, for the tests and for whoever looks after the look."""

from django import forms

from pages.forms import DayField, PortalForm

ROLES = [("pam", "PAM"), ("editor", "Editor"), ("reader", "Reader"), ("none", "None")]


class EveryWidget(PortalForm):
    """One field of each kind."""

    bn9 = forms.CharField(
        label="Employer’s business number (BN)",
        help_text="The first 9 digits, for example 88831 6171.",
        max_length=20,
        widget=forms.TextInput(attrs={"size": 14, "inputmode": "numeric", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="Work e-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    note = forms.CharField(
        label="Justification note",
        help_text="Say why you need access. Your manager reads it.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    amount = forms.DecimalField(label="Amount", max_digits=14, decimal_places=2, required=False)
    last_day = DayField(label="Last day", required=False)
    region = forms.ChoiceField(
        label="Province", choices=[("", "Choose"), ("ON", "Ontario"), ("QC", "Québec")]
    )
    role = forms.ChoiceField(
        label="Role wished", choices=ROLES[:3], widget=forms.RadioSelect, help_text="One role."
    )
    programs = forms.MultipleChoiceField(
        label="Program accounts",
        choices=[("RM0001", "RM 0001 Main"), ("RM0002", "RM 0002 Western warehouse")],
        widget=forms.CheckboxSelectMultiple,
    )
    document = forms.FileField(label="Letter", required=False, widget=forms.FileInput)
    agreed = forms.BooleanField(label="I agree to the terms", help_text="Version 3.")
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class Line(PortalForm):
    """A member of a form set."""

    program = forms.CharField(label="Program account", max_length=15)


Lines = forms.formset_factory(Line, extra=2)


class Filters(PortalForm):
    """A row of filters above a table."""

    q = forms.CharField(label="Number", required=False, widget=forms.TextInput(attrs={"size": 20}))
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "All"), ("a", "Accepted")]
    )
    since = DayField(label="Since", required=False)


class Grid(PortalForm):
    """Program accounts by role."""

    rm0001 = forms.ChoiceField(label="RM 0001 Main", choices=ROLES, widget=forms.RadioSelect)
    rm0002 = forms.ChoiceField(label="RM 0002 West", choices=ROLES, widget=forms.RadioSelect)
