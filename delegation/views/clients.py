"""The provider's pages of one client: the request sent to it, and who of the firm works for it."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.clients import (
    assigned_to,
    assignments_to,
    clients_of,
    sent_requests,
)
from delegation.entry import client_of, enter_firm
from delegation.forms.clients import (
    RelationshipRequestCreateForm,
    StaffAssignmentCreateForm,
)
from delegation.models import (
    Ceiling,
    RelationshipRequest,
    StaffAssignment,
)
from delegation.navigation import section_nav
from delegation.permissions import (
    can_assign_staff,
    can_end_staff_assignment,
    can_leave_relationship,
    can_list_clients,
    can_list_relationship_requests,
    can_request_relationship,
    can_withdraw_relationship_request,
)
from delegation.reasons import Reason
from delegation.relationships import lines_of
from delegation.request_file import wish_of
from delegation.requests import Titles, is_approved, request_state, request_tag, steps_of
from delegation.services.clients import (
    assignable_people,
    create_staff_assignment,
    end_staff_assignment,
)
from delegation.services.relationships import (
    create_relationship_request,
    withdraw_relationship_request,
)
from delegation.terms import PROVIDER_LABELS, agreed, live_terms, rules_in_words
from delegation.views.employees import status_of
from delegation.views.limits import with_retry
from pages.formats import end_of_day
from pages.once import once
from pages.rules import rule
from pages.steady import steady


@rule(get=can_list_clients)
def client_detail(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """What the firm may do for a client, and who of the firm works for it."""
    access = enter_firm(request, bn9)
    return _client_page(request, access, client_of(access, client_bn9))


@rule(get=can_request_relationship, post=can_request_relationship)
@steady
@once
def relationship_request_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Ask a business number for authority, whether or not it is registered."""
    access = enter_firm(request, bn9)
    form = RelationshipRequestCreateForm(
        request.POST if request.method == "POST" else None,
        today=_today(access),
        initial={"client_bn9": request.GET.get("client_bn9", "")},
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


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def staff_assignment_create(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """Let an employee of the firm work for a client."""
    access = enter_firm(request, bn9)
    client = client_of(access, client_bn9)
    people = {str(person.pk): person for person in _not_assigned_yet(access, client)}
    form = StaffAssignmentCreateForm(
        request.POST if request.method == "POST" else None,
        people=[(key, f"{one.get_full_name()} ({one.email})") for key, one in people.items()],
        today=_today(access),
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        last = form.cleaned_data["last_day"]
        person = people[form.cleaned_data["person"]]
        answer = create_staff_assignment(
            actor=access.person,
            acting_for=access.acting_for,
            assignee=person,
            target=client,
            role=Ceiling(form.cleaned_data["role"]),
            at=access.at,
            ends_at=end_of_day(last) if last else None,
        )
        if not isinstance(answer, Refusal):
            said = _("%(person)s now works for %(client)s, %(bn)s.")
            messages.success(request, said % _who(person.get_full_name(), client))
            return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    context = {
        "business": access.acting_for,
        "client": client,
        "form": form,
        "are_people": bool(people),
        "sections": section_nav(access, "client_list"),
    }
    return render(request, "delegation/staff_assignment_create.html", context, status=status)


@rule(post=can_end_staff_assignment)
@once
def staff_assignment_end(request: HttpRequest, bn9: str, client_bn9: str, pk: UUID) -> HttpResponse:
    """End the work of an employee for a client, at once."""
    access = enter_firm(request, bn9)
    client = client_of(access, client_bn9)
    ours = StaffAssignment.objects.filter(provider=access.acting_for, client=client)
    assignment = get_object_or_404(ours.select_related("person", "employee_group"), pk=pk)
    answer = end_staff_assignment(
        actor=access.person, acting_for=access.acting_for, assignment=assignment, at=access.at
    )
    if isinstance(answer, Refusal):
        return _client_page(
            request, access, client, problem=str(answer.message), status=status_of(answer)
        )
    name = str(assignment.person or assignment.employee_group)
    said = _("%(person)s no longer works for %(client)s, %(bn)s.")
    messages.success(request, said % _who(name, client))
    return redirect("client_detail", bn9=bn9, client_bn9=client_bn9)


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


def _client_page(
    request: HttpRequest,
    access: Access,
    client: BusinessAccount,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    [known] = clients_of(access, [client])
    terms = agreed(known.terms, access.at, PROVIDER_LABELS)
    may_unassign = can_end_staff_assignment(access).allowed
    context = {
        "business": access.acting_for,
        "client": known,
        "in_force": [one for one in terms if one.is_in_force and access.is_provider],
        "history": [one for one in terms if not one.is_in_force],
        "assigned": assigned_to(access, client) if may_unassign else [],
        "may_assign": can_assign_staff(access).allowed,
        "may_unassign": may_unassign,
        "only_past": "" if access.is_provider else Reason.NOT_A_PROVIDER.label,
        "may_leave": can_leave_relationship(access).allowed and live_terms(known.terms, access.at),
        "problem": problem,
        "sections": section_nav(access, "client_list"),
    }
    return render(request, "delegation/client_detail.html", context, status=status)


def _not_assigned_yet(access: Access, client: BusinessAccount) -> list[User]:
    """The firm's people that can still be assigned: not those who are, nor the person itself."""
    taken = {row.person_id for row in assignments_to(access, client) if row.client_id}
    return [
        person
        for person in assignable_people(access.acting_for, access.at)
        if person.pk not in taken and person != access.person
    ]


def _who(name: str, client: BusinessAccount) -> dict[str, str]:
    """Who works for whom, for the message after an act."""
    return {"person": name, "client": client.name, "bn": client.bn_shown}
