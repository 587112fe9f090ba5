"""Who of the firm works for whom: assign, change and end, one by one and for several clients."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.entry import client_of, enter_firm
from delegation.forms.staff import (
    StaffAssignmentBulkForm,
    StaffAssignmentChangeForm,
    StaffAssignmentCreateForm,
)
from delegation.models import Ceiling, ClientGroup, EmployeeGroup, Membership, StaffAssignment
from delegation.models.periods import during
from delegation.navigation import client_nav, section_nav
from delegation.permissions import can_assign_staff, can_end_staff_assignment
from delegation.services.clients import (
    change_staff_assignment,
    create_staff_assignment,
    end_staff_assignment,
)
from delegation.staff import (
    Assignee,
    Target,
    assignable,
    groups_working,
    in_words,
    label_of,
    name_of,
    of_worker,
    target_of,
    workers,
)
from delegation.views.employees import status_of
from pages.formats import end_of_day, last_day
from pages.once import once
from pages.paging import page_by_key
from pages.results import Result, keep, kept
from pages.rules import rule


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def staff_assignment_create(request: HttpRequest, bn9: str, client_bn9: str) -> HttpResponse:
    """Let an employee of the firm work for a client."""
    access = enter_firm(request, bn9)
    client = client_of(access, client_bn9)
    return _assign(request, access, client, reverse("client_detail", kwargs=_named(access, client)))


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def client_group_assign(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Let an employee of the firm work for every client of a group."""
    access = enter_firm(request, bn9)
    ours = ClientGroup.objects.filter(provider=access.acting_for, archived_at=None)
    group = get_object_or_404(ours, pk=pk)
    return _assign(request, access, group, reverse("client_group_detail", args=[bn9, pk]))


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def staff_assignment_bulk(request: HttpRequest, bn9: str) -> HttpResponse:
    """Let an employee of the firm work for several clients, each by itself."""
    access = enter_firm(request, bn9)
    people = assignable(access)
    form = StaffAssignmentBulkForm(
        request.POST if request.method == "POST" else None,
        people=[(key, label_of(one)) for key, one in people.items()],
        today=_today(access),
        initial={"clients": "\n".join(map(show_bn9, request.GET.getlist("client")[:200]))},
    )
    if form.is_valid():
        who = people[form.cleaned_data["person"]]
        named = access.clients().filter(bn9__in=form.cleaned_data["clients"])
        known = {one.bn9: one for one in named}
        results = [
            _assign_one(access, form, who, number, known.get(number))
            for number in form.cleaned_data["clients"]
        ]
        return redirect("client_results", bn9=bn9, key=keep(request, results))
    context = _page(access, "staff_list") | {"form": form, "are_people": bool(people)}
    status = 422 if form.is_bound else 200
    return render(request, "delegation/staff_assignment_bulk.html", context, status=status)


@rule(get=can_end_staff_assignment)
def client_results(request: HttpRequest, bn9: str, key: UUID) -> HttpResponse:
    """What became of each client that an act was about, to the person who acted."""
    access = enter_firm(request, bn9)
    results = kept(request, str(key))
    if not results:
        raise Http404
    context = _page(access, "client_list") | {"results": results}
    return render(request, "delegation/client_results.html", context)


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def staff_assignment_change(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Give an assignment another role or another last day."""
    access = enter_firm(request, bn9)
    row = _find(access, pk)
    form = StaffAssignmentChangeForm(
        request.POST if request.method == "POST" else None,
        today=_today(access),
        initial={"role": row.role, "last_day": last_day(row.ends_at) if row.ends_at else None},
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = change_staff_assignment(
            actor=access.person,
            acting_for=access.acting_for,
            assignment=row,
            at=access.at,
            **_wish(form),
        )
        if not isinstance(answer, Refusal):
            said = _("The assignment of %(person)s to %(target)s has been changed.")
            messages.success(request, said % _who(row))
            return redirect(_address_of(access, row))
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    [assigned] = in_words(access, [row])
    context = _page(access, "staff_list") | {"form": form, "assigned": assigned}
    return render(request, "delegation/staff_assignment_change.html", context, status=status)


@rule(post=can_end_staff_assignment)
@once
def staff_assignment_end(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """End the work of an employee for a client or a client group, at once."""
    access = enter_firm(request, bn9)
    row = _find(access, pk)
    answer = end_staff_assignment(
        actor=access.person, acting_for=access.acting_for, assignment=row, at=access.at
    )
    if isinstance(answer, Refusal):
        context = _page(access, "staff_list") | {
            "problem": str(answer.message),
            "assigned": in_words(access, [row])[0],
        }
        template = "delegation/staff_assignment_end.html"
        return render(request, template, context, status=status_of(answer))
    said = _("%(person)s no longer works for %(target)s.")
    messages.success(request, said % _who(row))
    return redirect(_address_of(access, row))


@rule(get=can_end_staff_assignment)
def staff_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The people and employee groups of the firm, and how much is assigned to each."""
    access = enter_firm(request, bn9)
    context = _page(access, "staff_list") | {"workers": workers(access)}
    context["may_assign"] = can_assign_staff(access).allowed
    return render(request, "delegation/staff_list.html", context)


@rule(get=can_end_staff_assignment)
def staff_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What a person of the firm works for, and by which employee groups."""
    access = enter_firm(request, bn9)
    members = Membership.objects.filter(during(access.at), business=access.acting_for)
    person = get_object_or_404(members.select_related("person"), pk=pk).person
    return _worker_page(request, access, person, groups_working(access, person))


@rule(get=can_end_staff_assignment)
def staff_group_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What an employee group of the firm works for."""
    access = enter_firm(request, bn9)
    groups = EmployeeGroup.objects.filter(business=access.acting_for, archived_at=None)
    return _worker_page(request, access, get_object_or_404(groups, pk=pk), [])


def _worker_page(
    request: HttpRequest, access: Access, worker: Assignee, groups: list[EmployeeGroup]
) -> HttpResponse:
    page = page_by_key(
        of_worker(access, worker), key=("starts_at", "id"), after=request.GET.get("after", "")
    )
    context = _page(access, "staff_list") | {
        "name": name_of(worker),
        "groups": groups,
        "page": page,
        "assigned": in_words(access, page.rows),
        "may_assign": can_assign_staff(access).allowed,
    }
    return render(request, "delegation/staff_detail.html", context)


def _assign(request: HttpRequest, access: Access, target: Target, url: str) -> HttpResponse:
    """The form that assigns somebody to a client or to a client group."""
    people = assignable(access, target)
    form = StaffAssignmentCreateForm(
        request.POST if request.method == "POST" else None,
        people=[(key, label_of(one)) for key, one in people.items()],
        today=_today(access),
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = create_staff_assignment(
            actor=access.person,
            acting_for=access.acting_for,
            assignee=people[form.cleaned_data["person"]],
            target=target,
            at=access.at,
            **_wish(form),
        )
        if not isinstance(answer, Refusal):
            messages.success(request, _("%(person)s now works for %(target)s.") % _who(answer))
            return redirect(url)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    is_client = isinstance(target, BusinessAccount)
    context = _page(access, "client_list" if is_client else "client_group_list") | {
        "target": target.name,
        "target_shown": str(target),
        "target_url": url,
        "is_client": is_client,
        "form": form,
        "are_people": bool(people),
    }
    return render(request, "delegation/staff_assignment_create.html", context, status=status)


def _assign_one(
    access: Access,
    form: StaffAssignmentBulkForm,
    who: Assignee,
    number: str,
    client: BusinessAccount | None,
) -> Result:
    """Assign to one of several clients; a number that is no client is told as any other."""
    if client is None:
        return Result(show_bn9(number), False, _("This is no client of your firm."))
    answer = create_staff_assignment(
        actor=access.person,
        acting_for=access.acting_for,
        assignee=who,
        target=client,
        at=access.at,
        **_wish(form),
    )
    if isinstance(answer, Refusal):
        return Result(str(client), False, str(answer.message))
    return Result(str(client), True, _("%(person)s now works for %(target)s.") % _who(answer))


def _wish(form: StaffAssignmentChangeForm) -> dict[str, Any]:
    """The role and the end that a form asks for."""
    last: date | None = form.cleaned_data["last_day"]
    role = Ceiling(form.cleaned_data["role"])
    return {"role": role, "ends_at": end_of_day(last) if last else None}


def _find(access: Access, pk: UUID) -> StaffAssignment:
    """An assignment of the firm, also one that is over."""
    rows = StaffAssignment.objects.filter(provider=access.acting_for)
    related = ("person", "employee_group", "client", "client_group")
    return get_object_or_404(rows.select_related(*related), pk=pk)


def _address_of(access: Access, row: StaffAssignment) -> str:
    """The page of the client, or of the client group, that an assignment is about."""
    if row.client:
        return reverse("client_detail", kwargs=_named(access, row.client))
    return reverse("client_group_detail", args=[access.acting_for.bn9, row.client_group_id])


def _named(access: Access, client: BusinessAccount) -> dict[str, str]:
    return {"bn9": access.acting_for.bn9, "client_bn9": client.bn9}


def _who(row: StaffAssignment) -> dict[str, str]:
    """Who works for what, for the message after an act."""
    return {"person": name_of(row.person or row.employee_group), "target": target_of(row)}


def _today(access: Access) -> date:
    return timezone.localdate(access.at)


def _page(access: Access, current: str) -> dict[str, object]:
    """What every page of the work for clients knows."""
    return {
        "business": access.acting_for,
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, current),
    }
