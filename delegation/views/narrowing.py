"""A firm gives back a part of what a client gave it: it narrows, and never widens."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from audit.services import Refusal
from delegation.access import Access
from delegation.clients import Client, clients_of
from delegation.entry import client_of, enter
from delegation.forms.endings import RelationshipNarrowForm
from delegation.forms.renewals import WHOLE
from delegation.models import RelationshipTerms, Visibility
from delegation.navigation import section_nav
from delegation.permissions import can_leave_relationship
from delegation.services.agreements import Rules
from delegation.services.changes import ORDER, Narrowing, narrow_relationship
from delegation.terms import PROVIDER_LABELS, fingerprint, live_terms, programs_in_words
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule

Terms = list[RelationshipTerms]


@rule(get=can_leave_relationship, post=can_leave_relationship)
@once
def relationship_narrow(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """Say what the firm may do, and once less of it is confirmed, give back the rest."""
    access = enter(request, bn9)
    client, mine = _find(access, client_bn9)
    if not mine:
        return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)
    form = _form(request, mine)
    status = 422 if form.is_bound and not form.is_finding else 200
    if form.is_finding:
        form.unjudged()
    elif form.is_valid():
        answer = narrow_relationship(
            actor=access.person,
            acting_for=access.acting_for,
            relationship=mine[0].relationship,
            narrowing=_narrowing(form),
            expected_terms=form.cleaned_data["terms"],
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            said = _("%(firm)s gave back a part of what it may do for %(business)s, %(bn)s.")
            messages.success(request, said % _names(access, client))
            return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
        client, mine = _find(access, client_bn9)
    context = {
        "business": access.acting_for,
        "client": client.business,
        "form": form,
        "rules": [form[name] for name in PROVIDER_LABELS],
        "fingerprint": fingerprint(mine),
        "sections": section_nav(access, "client_list"),
    }
    return render(request, "delegation/relationship_narrow.html", context, status=status)


def _find(access: Access, client_bn9: str) -> tuple[Client, Terms]:
    """A client of the firm, and what the firm holds there."""
    [known] = clients_of(access, [client_of(access, client_bn9)])
    return known, live_terms(known.terms, access.at)


def _form(request: HttpRequest, mine: Terms) -> RelationshipNarrowForm:
    """The form, filled with all that the firm may do."""
    programs = sorted(
        (row.program.extension if row.program else WHOLE, programs_in_words([row])[0])
        for row in mine
    )
    most = {
        name: max((Visibility(getattr(row, name)) for row in mine), key=ORDER.index)
        for name in PROVIDER_LABELS
    }
    least = {name: int(name == "visibility_broker") for name in most}
    return RelationshipNarrowForm(
        request.POST if request.method == "POST" else None,
        programs=programs,
        rules={
            name: (str(label), ORDER[least[name] : ORDER.index(most[name]) + 1])
            for name, label in PROVIDER_LABELS.items()
        },
        initial={"programs": [value for value, _label in programs], **most},
    )


def _narrowing(form: RelationshipNarrowForm) -> Narrowing:
    answers = form.cleaned_data
    kept = frozenset("" if value == WHOLE else value for value in answers["programs"])
    rules = (Visibility(answers[name]) for name in PROVIDER_LABELS)
    return Narrowing(kept, Rules(*rules))


def _names(access: Access, client: Client) -> dict[str, str]:
    business = client.business
    return {"firm": access.acting_for.name, "business": business.name, "bn": business.bn_shown}
