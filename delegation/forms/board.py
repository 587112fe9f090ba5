"""Find clients on the readiness board."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from delegation.access import Access
from delegation.board import View, Wanted, views_for
from delegation.models import ClientGroup, Level
from pages.forms import PortalForm


class NameFilterForm(PortalForm):
    """Find the rows of a list by a name or by the beginning of a business number."""

    name = forms.CharField(label=_("Name or business number"), max_length=100, required=False)

    @classmethod
    def of(cls, data: QueryDict) -> "NameFilterForm":
        """The form as it was asked, if it was."""
        return cls(data if "name" in data else None)

    @property
    def text(self) -> str:
        """What is looked for; nothing where the form is wrong."""
        return self.cleaned_data["name"] if self.is_valid() else ""


class ClientFilterForm(PortalForm):
    """Which part of the clients, by name or number, by level, and for managers by client group."""

    view = forms.ChoiceField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(
        label=_("Name, business number or program account"), max_length=175, required=False
    )
    level = forms.ChoiceField(
        label=_("Level"), choices=[("", _("Any")), *Level.choices], required=False
    )
    group = forms.ChoiceField(label=_("Client group"), required=False)

    def __init__(self, *args: Any, access: Access, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        views = views_for(access)
        groups = []
        if View.WAITING in views:
            rows = ClientGroup.objects.filter(provider=access.acting_for, archived_at=None)
            groups = [(str(one.pk), one.name) for one in rows.order_by("name")]
        cast(forms.ChoiceField, self.fields["view"]).choices = [(one, one.label) for one in views]
        if groups:
            cast(forms.ChoiceField, self.fields["group"]).choices = [("", _("Any")), *groups]
        else:
            del self.fields["group"]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the view is asked for."""
        asked = ("name", "level", "group")
        return self.is_valid() and any(self.cleaned_data.get(name) for name in asked)

    def wanted(self) -> Wanted:
        """What is asked for, of a form that is valid."""
        group = self.cleaned_data.get("group")
        return Wanted(
            view=View(self.cleaned_data["view"] or View.ALL),
            text=self.cleaned_data["name"],
            level=self.cleaned_data["level"],
            group=UUID(group) if group else None,
        )
