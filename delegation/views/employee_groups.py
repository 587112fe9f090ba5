"""Employee groups: the list, one of them, and its name from the beginning to the end."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from delegation.access import Access
from delegation.entry import enter
from delegation.forms.employees import EmployeeFilterForm
from delegation.forms.groups import GroupFilterForm, GroupNameForm
from delegation.groups import (
    MOST,
    by_person,
    employee_groups,
    given,
    members_of,
    people_in,
    places,
    roles_on_programs,
    roles_over_groups,
    work_in_words,
    work_of,
)
from delegation.models import EmployeeGroup
from delegation.permissions import can_list_groups, can_manage_groups, can_reduce_groups
from delegation.services.groups import (
    archive_employee_group,
    create_employee_group,
    rename_employee_group,
)
from delegation.services.locks import lock_group
from delegation.views.group_preview import (
    FormPage,
    Place,
    Proposal,
    account,
    by,
    group_page,
    settle_at_once,
    settle_form,
)
from pages.once import once
from pages.paging import page_by_key
from pages.rules import rule

PART = "employee_group_list"


@rule(get=can_list_groups)
def employee_group_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The employee groups in use, or those that are archived."""
    access = enter(request, bn9)
    search = GroupFilterForm(request.GET if "name" in request.GET else None)
    named = search.cleaned_data["name"] if search.is_valid() else ""
    archived = "archived" in request.GET
    page = page_by_key(
        employee_groups(access, archived=archived, named=named),
        key=("name", "id"),
        after=request.GET.get("after", ""),
        is_ascending=True,
    )
    context = {
        "page": page,
        "search": search,
        "named": named,
        "archived": archived,
        "may_give": can_manage_groups(access).allowed,
    }
    template, status = "delegation/employee_group_list.html", 422 if search.errors else 200
    return group_page(request, template, access, place(access), context, status)


@rule(get=can_list_groups)
def employee_group_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """One employee group: its people, its roles, and whom it works for."""
    access, group = enter_group(request, bn9, pk)
    search = EmployeeFilterForm(request.GET if "name" in request.GET else None)
    named = search.cleaned_data["name"] if search.is_valid() else ""
    found = members_of(group, access.at).filter(by_person(named))
    page = page_by_key(found, key=("starts_at", "id"), after=request.GET.get("after", ""))
    token = request.GET.get("roles", "")
    held = roles_on_programs(group, access.at)
    roles = page_by_key(held, key=("id",), after=token, size=MOST, is_ascending=True)
    over = roles_over_groups(group, access.at)[:MOST] if roles.is_first else []
    work = work_of(group, access.at)
    people, is_live = people_in(group, access.at), group.archived_at is None
    context = {
        "group": group,
        "page": page,
        "places": places(page.rows, access),
        "people": len(people),
        "search": search,
        "named": named,
        "roles": roles,
        "given": given([*over, *roles.rows]),
        "work": work_in_words(work[:MOST]),
        "works": work.count(),
        "serves": access.serves_clients,
        "is_inside": access.person.pk in people,
        "may_give": is_live and can_manage_groups(access).allowed,
        "may_take": is_live and can_reduce_groups(access).allowed,
    }
    template, status = "delegation/employee_group_detail.html", 422 if search.errors else 200
    return group_page(request, template, access, place(access), context, status)


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def employee_group_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Make an employee group."""
    access = enter(request, bn9)
    form = GroupNameForm(request.POST if request.method == "POST" else None)
    page = FormPage(
        title=_("Create an employee group"),
        cancel_url=reverse(PART, kwargs={"bn9": bn9}),
        lead=_("Everybody in the group has its roles. You add people and roles afterwards."),
    )

    def propose(form: GroupNameForm) -> Proposal:
        name = form.cleaned_data["name"]
        about = {**account(access), "group": name}
        said = _("Acting for %(business)s, %(bn)s, you create the employee group %(group)s.")
        done = _("The employee group %(group)s is created. Now add people and give it a role.")
        return Proposal(
            title=page.title,
            sentence=said % about,
            button=_("Create the group"),
            success=done % about,
            act=lambda: create_employee_group(name=name, **by(access)),
            concerned=tuple,
            then=group_url,
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, place(access), form, page, propose)


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def employee_group_rename(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Give an employee group another name."""
    access, group = enter_group(request, bn9, pk)
    form = GroupNameForm(
        request.POST if request.method == "POST" else None, initial={"name": group.name}
    )
    title = _("Rename the group %(group)s") % {"group": group.name}
    page = FormPage(title=title, cancel_url=group_url(group))

    def propose(form: GroupNameForm) -> Proposal:
        name = form.cleaned_data["name"]
        about = {**account(access), "group": group.name, "name": name}
        said = _("Acting for %(business)s, %(bn)s, you rename the group %(group)s to %(name)s.")
        return Proposal(
            title=title,
            sentence=said % about,
            button=_("Rename the group"),
            success=_("The group is now called %(name)s.") % about,
            act=lambda: rename_employee_group(group=group, name=name, **by(access)),
            concerned=held(group, access),
            then=back_to(group),
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, place(access, group), form, page, propose)


@rule(get=can_reduce_groups, post=can_reduce_groups)
@once
def employee_group_archive(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what ends with a group, and once that is confirmed, archive it."""
    access, group = enter_group(request, bn9, pk)
    if request.method != "POST" and group.archived_at is not None:
        return redirect(group_url(group))
    about = {**account(access), "group": group.name}
    said = _(
        "Acting for %(business)s, %(bn)s, you archive the employee group %(group)s. Everything "
        "that came through it ends at once, for everybody in it. It cannot be brought back."
    )
    proposal = Proposal(
        title=_("Archive the group %(group)s") % about,
        sentence=said % about,
        button=_("Archive the group"),
        success=_("The group %(group)s is archived. Nothing comes through it any more.") % about,
        act=lambda: archive_employee_group(group=group, **by(access)),
        concerned=held(group, access),
        then=back_to(group),
        cancel_url=group_url(group),
        is_taking=True,
    )
    return settle_at_once(request, access, place(access, group), proposal)


# What the other pages of an employee group share


def enter_group(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, EmployeeGroup]:
    """The access of the reader, and a group of the business."""
    access = enter(request, bn9)
    ours = EmployeeGroup.objects.filter(business=access.acting_for).select_related("business")
    return access, get_object_or_404(ours, pk=pk)


def held(group: EmployeeGroup, access: Access) -> Callable[[], set[int]]:
    """What gives the people in a group and holds the group meanwhile."""
    return lambda: people_in(lock_group(group), access.at)


def group_url(group: EmployeeGroup) -> str:
    """The page of an employee group."""
    return reverse("employee_group_detail", kwargs={"bn9": group.business.bn9, "pk": group.pk})


def back_to(group: EmployeeGroup) -> Callable[[object], str]:
    """Go on with the page of the group, whatever the act answered."""
    return lambda _answer: group_url(group)


def place(access: Access, group: EmployeeGroup | None = None) -> Place:
    """Where a page of employee groups stands, and one of a group."""
    crumbs = [(_("Employee groups"), reverse(PART, kwargs={"bn9": access.acting_for.bn9}))]
    if group:
        crumbs.append((group.name, group_url(group)))
    return Place(PART, tuple(crumbs))
