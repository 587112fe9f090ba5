"""Client groups: clients under one name, so that who works for them is said once."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.entry import client_of, enter_firm
from delegation.forms.endings import ConfirmedForm
from delegation.forms.staff import ClientGroupAddForm, ClientGroupForm
from delegation.models import ClientGroup
from delegation.navigation import client_nav, section_nav
from delegation.permissions import can_assign_staff, can_end_staff_assignment
from delegation.services.clients import (
    add_client_to_group,
    archive_client_group,
    create_client_group,
    remove_client_from_group,
    rename_client_group,
)
from delegation.staff import client_groups, clients_in, in_words, live_assignments
from delegation.views.employees import status_of
from pages.once import once
from pages.paging import page_by_key
from pages.results import Result, keep
from pages.rules import rule


@rule(get=can_end_staff_assignment)
def client_group_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The client groups of the firm."""
    access = enter_firm(request, bn9)
    context = {"groups": client_groups(access), "may_change": can_assign_staff(access).allowed}
    return _render(request, access, "client_group_list", context)


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def client_group_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Make an empty client group."""
    access = enter_firm(request, bn9)
    form = ClientGroupForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = create_client_group(
            actor=access.person,
            acting_for=access.acting_for,
            name=form.cleaned_data["name"],
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            said = _("The client group %(name)s has been created. Now add clients.")
            messages.success(request, said % {"name": answer.name})
            return redirect("client_group_detail", bn9=bn9, pk=answer.pk)
        form.add_error("name", str(answer.message))
        status = status_of(answer)
    return _render(request, access, "client_group_create", {"form": form}, status)


@rule(get=can_end_staff_assignment)
def client_group_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """A client group: who works for it, and which clients are in it."""
    access, group = _enter(request, bn9, pk)
    return _group_page(request, access, group, ClientGroupAddForm())


@rule(get=can_assign_staff, post=can_assign_staff)
@once
def client_group_rename(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Give a client group another name."""
    access, group = _enter(request, bn9, pk)
    form = ClientGroupForm(
        request.POST if request.method == "POST" else None, initial={"name": group.name}
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = rename_client_group(
            actor=access.person,
            acting_for=access.acting_for,
            group=group,
            name=form.cleaned_data["name"],
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            messages.success(request, _("The client group has a new name."))
            return redirect("client_group_detail", bn9=bn9, pk=pk)
        form.add_error("name", str(answer.message))
        status = status_of(answer)
    return _render(request, access, "client_group_rename", {"form": form, "group": group}, status)


@rule(get=can_end_staff_assignment, post=can_end_staff_assignment)
@once
def client_group_archive(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what ends with a client group, and once that is confirmed, archive it."""
    access, group = _enter(request, bn9, pk)
    form = ConfirmedForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = archive_client_group(
            actor=access.person, acting_for=access.acting_for, group=group, at=access.at
        )
        if not isinstance(answer, Refusal):
            said = _("The client group %(name)s has been archived.")
            messages.success(request, said % {"name": group.name})
            return redirect("client_group_list", bn9=bn9)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    context = {
        "form": form,
        "group": group,
        "clients": clients_in(access, group).count(),
        "assigned": in_words(access, live_assignments(access).filter(client_group=group)),
    }
    return _render(request, access, "client_group_archive", context, status)


@rule(post=can_assign_staff)
@once
def client_group_add(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Put several clients into a group, each by itself."""
    access, group = _enter(request, bn9, pk)
    form = ClientGroupAddForm(request.POST)
    if not form.is_valid():
        return _group_page(request, access, group, form, status=422)
    known = {one.bn9: one for one in access.clients().filter(bn9__in=form.cleaned_data["clients"])}
    results = [
        _add_one(access, group, number, known.get(number))
        for number in form.cleaned_data["clients"]
    ]
    return redirect("client_results", bn9=bn9, key=keep(request, results))


@rule(post=can_end_staff_assignment)
@once
def client_group_remove(request: HttpRequest, bn9: str, pk: UUID, client_bn9: str) -> HttpResponse:
    """Take a client out of a group."""
    access, group = _enter(request, bn9, pk)
    client = client_of(access, client_bn9)
    answer = remove_client_from_group(
        actor=access.person, acting_for=access.acting_for, group=group, client=client, at=access.at
    )
    if isinstance(answer, Refusal):
        form, status = ClientGroupAddForm(), status_of(answer)
        problem = str(answer.message)
        return _group_page(request, access, group, form, problem=problem, status=status)
    said = _("%(client)s is no longer in the group %(name)s.")
    messages.success(request, said % {"client": client, "name": group.name})
    return redirect("client_group_detail", bn9=bn9, pk=pk)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, ClientGroup]:
    """The access of a manager of the firm, and a client group of it that is not archived."""
    access = enter_firm(request, bn9)
    ours = ClientGroup.objects.filter(provider=access.acting_for, archived_at=None)
    return access, get_object_or_404(ours, pk=pk)


def _add_one(
    access: Access, group: ClientGroup, number: str, client: BusinessAccount | None
) -> Result:
    if client is None:
        return Result(show_bn9(number), False, _("This is no client of your firm."))
    answer = add_client_to_group(
        actor=access.person, acting_for=access.acting_for, group=group, client=client, at=access.at
    )
    if isinstance(answer, Refusal):
        return Result(str(client), False, str(answer.message))
    return Result(str(client), True, _("It is in the group %(name)s.") % {"name": group.name})


def _group_page(
    request: HttpRequest,
    access: Access,
    group: ClientGroup,
    form: ClientGroupAddForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    page = page_by_key(
        clients_in(access, group), key=("starts_at", "id"), after=request.GET.get("after", "")
    )
    assigned = live_assignments(access).filter(client_group=group).order_by("starts_at", "id")
    context = {
        "group": group,
        "form": form,
        "page": page,
        "clients": [member.client for member in page.rows],
        "assigned": in_words(access, assigned),
        "may_change": can_assign_staff(access).allowed,
        "problem": problem,
    }
    return _render(request, access, "client_group_detail", context, status)


def _render(
    request: HttpRequest, access: Access, name: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    about = {
        "business": access.acting_for,
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "client_group_list"),
    }
    return render(request, f"delegation/{name}.html", about | context, status=status)
