"""The provider's pages of one client: the request sent to it, and who of the firm works for it."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.asked_changes import asked_of_a_client
from delegation.clients import (
    assigned_to,
    clients_of,
    sent_requests,
)
from delegation.entry import client_of, enter_firm
from delegation.forms.clients import (
    RelationshipRequestCreateForm,
)
from delegation.models import (
    RelationshipRequest,
)
from delegation.navigation import section_nav
from delegation.permissions import (
    can_assign_staff,
    can_end_staff_assignment,
    can_leave_relationship,
    can_list_clients,
    can_list_relationship_requests,
    can_nudge_relationship_request,
    can_request_relationship,
    can_withdraw_relationship_request,
)
from delegation.reasons import Reason
from delegation.relationships import lines_of
from delegation.request_file import wish_of
from delegation.requests import Titles, is_approved, request_state, request_tag, steps_of
from delegation.services.nudges import nudge_relationship_request
from delegation.services.relationships import (
    create_relationship_request,
    withdraw_relationship_request,
)
from delegation.terms import PROVIDER_LABELS, agreed, live_terms, rules_in_words
from delegation.views.employees import status_of
from delegation.views.limits import with_retry
from pages.once import once
from pages.rules import rule
from pages.steady import steady


@rule(get=can_list_clients)
def client_detail(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """What the firm may do for a client, and who of the firm works for it."""
    access = enter_firm(request, bn9)
    return client_page(request, access, client_of(access, client_bn9))


@rule(get=can_request_relationship, post=can_request_relationship)
@steady
@once
def relationship_request_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Ask a business number for authority, whether or not it is registered."""
    access = enter_firm(request, bn9)
    form = RelationshipRequestCreateForm(
        request.POST if request.method == "POST" else None,
        today=_today(access),
        initial=asked_of_a_client(access, request.GET.get("client_bn9", "")),
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = create_relationship_request(
            actor=access.person,
            acting_for=access.acting_for,
            client_bn9=form.cleaned_data["client_bn9"],
            wish=wish_of(form),
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            messages.success(request, _("Your request has been sent."))
            return redirect("relationship_request_status", bn9=bn9, pk=answer.pk)
        status = status_of(answer)
        form.add_error(None if status == 429 else "client_bn9", str(answer.message))
    context = {
        "business": access.acting_for,
        "form": form,
        "sections": section_nav(access, "client_list"),
    }
    page = render(request, "delegation/relationship_request_create.html", context, status=status)
    return with_retry(page, access.at)


@rule(get=can_list_relationship_requests)
def relationship_request_status(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What the firm asked of a business number, and what became of it."""
    access, waiting = _enter_request(request, bn9, pk)
    return _status_page(request, access, waiting)


@rule(post=can_nudge_relationship_request)
@steady
@once
def relationship_request_nudge(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Remind a client of a request that waits; nothing tells whether anybody reads it."""
    access, waiting = _enter_request(request, bn9, pk)
    answer = nudge_relationship_request(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_request=waiting,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        waiting = get_object_or_404(sent_requests(access), pk=pk)
        return _status_page(
            request, access, waiting, problem=str(answer.message), status=status_of(answer)
        )
    said = _("%(bn)s is reminded of your request.")
    messages.success(request, said % {"bn": show_bn9(waiting.client_bn9)})
    return redirect("relationship_request_status", bn9=bn9, pk=pk)


@rule(post=can_withdraw_relationship_request)
@once
def relationship_request_withdraw(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Take back a request that waits."""
    access, waiting = _enter_request(request, bn9, pk)
    answer = withdraw_relationship_request(
        actor=access.person,
        acting_for=access.acting_for,
        relationship_request=waiting,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        waiting = get_object_or_404(sent_requests(access), pk=pk)
        return _status_page(
            request, access, waiting, problem=str(answer.message), status=status_of(answer)
        )
    said = _("The request to %(bn)s has been withdrawn. You can send another one at any time.")
    messages.success(request, said % {"bn": show_bn9(waiting.client_bn9)})
    return redirect("relationship_request_status", bn9=bn9, pk=pk)


def _enter_request(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, RelationshipRequest]:
    """The access of a manager of the firm and a request that the firm sent."""
    access = enter_firm(request, bn9)
    return access, get_object_or_404(sent_requests(access), pk=pk)


def _today(access: Access) -> date:
    return timezone.localdate(access.at)


def _status_page(
    request: HttpRequest,
    access: Access,
    waiting: RelationshipRequest,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    lines = lines_of(waiting, access)
    context = {
        "business": access.acting_for,
        "relationship_request": waiting,
        "client_bn": show_bn9(waiting.client_bn9),
        "lines": [(line.label, request_tag(line.status)) for line in lines],
        "asked_rules": rules_in_words(waiting, PROVIDER_LABELS),
        "status": request_state(waiting, access.at),
        "may_nudge": can_nudge_relationship_request(access).allowed,
        "nudge_from": waiting.nudgeable_from,
        "is_nudgeable": waiting.nudgeable_from <= access.at,
        "is_approved": is_approved(lines),
        "steps": steps_of(waiting, lines, _titles(waiting), access.at),
        "problem": problem,
        "sections": section_nav(access, "client_list"),
    }
    return render(request, "delegation/relationship_request_status.html", context, status=status)


def _titles(waiting: RelationshipRequest) -> Titles:
    """What happens to a request; who of the client decided is the client's own."""
    return Titles(
        sent=_("Sent by %(name)s") % {"name": waiting.requested_by.get_full_name()},
        waiting=_("Waiting for the client"),
        approved=_("Approved by the client"),
        in_part=_("Approved in part by the client"),
        rejected=_("Rejected by the client"),
        withdrawn=_("Withdrawn by your firm"),
        lapsed=_("Lapsed: there was no answer in time"),
    )


def _asked(access: Access, client: BusinessAccount) -> RelationshipRequest | None:
    """The request of the firm that waits for this client, where the person may read it."""
    if not can_list_relationship_requests(access).allowed:
        return None
    waiting = RelationshipRequest.objects.pending_at(access.at)
    return waiting.filter(provider=access.acting_for, client_bn9=client.bn9).first()


def client_page(
    request: HttpRequest,
    access: Access,
    client: BusinessAccount,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of a client, and why an act on it was refused."""
    [known] = clients_of(access, [client])
    terms = agreed(known.terms, access.at, PROVIDER_LABELS)
    may_unassign = can_end_staff_assignment(access).allowed
    asked = _asked(access, client)
    context = {
        "business": access.acting_for,
        "client": known,
        "in_force": [one for one in terms if one.is_in_force and access.is_provider],
        "history": [one for one in terms if not one.is_in_force],
        "assigned": assigned_to(access, client) if may_unassign else [],
        "may_assign": can_assign_staff(access).allowed,
        "may_unassign": may_unassign,
        "only_past": "" if access.is_provider else Reason.NOT_A_PROVIDER.label,
        "asked": asked,
        "may_ask": not asked and can_request_relationship(access).allowed,
        "may_leave": can_leave_relationship(access).allowed and live_terms(known.terms, access.at),
        "problem": problem,
        "sections": section_nav(access, "client_list"),
    }
    return render(request, "delegation/client_detail.html", context, status=status)
