"""Who is put into an employee group and taken out of it, and which roles it gets and loses."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from delegation.access import Access
from delegation.employees import managed_programs
from delegation.entry import enter, require_any
from delegation.forms.groups import ChooseForm, GroupFilterForm, GroupGrantForm
from delegation.groups import employees_named, members_of, program_groups, scope_in_words
from delegation.models import (
    EmployeeGroup,
    EmployeeGroupMember,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
)
from delegation.models.periods import during
from delegation.permissions import (
    can_list_groups,
    can_manage_groups,
    can_reduce_groups,
    can_remove_employee_from_group,
)
from delegation.roles import Role
from delegation.services.groups import (
    add_employees_to_group,
    end_employee_group_role,
    grant_employee_group_role,
    remove_employee_from_group,
)
from delegation.services.locks import lock_joining
from delegation.views.employee_groups import back_to, enter_group, group_url, held, place
from delegation.views.group_preview import (
    FormPage,
    Proposal,
    account,
    by,
    choice,
    settle_at_once,
    settle_form,
)
from pages.formats import whole
from pages.once import once
from pages.rules import rule

FOUND = 25
"""How many people a search offers."""


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def employee_group_add(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Put employees into a group: find them and tick them, several at once."""
    access, group = enter_group(request, bn9, pk)
    rows, are_more = _employees(request, access, group)
    form = _choice(request, rows)
    title = _("Add people to the group %(group)s") % {"group": group.name}
    page = FormPage(
        title=title,
        cancel_url=group_url(group),
        template="delegation/group_choose.html",
        lead=_("They get all that the group holds, at once."),
        more={"are_more": are_more, "most": FOUND, "nobody": _("No employee has this name.")},
    )

    def propose(form: ChooseForm) -> Proposal:
        people = [rows[key].person for key in form.cleaned_data["chosen"]]
        names = ", ".join(person.get_full_name() for person in people)
        about = {**account(access), "group": group.name, "people": names}
        said = _("Acting for %(business)s, %(bn)s, you add to the group %(group)s: %(people)s.")
        done = ngettext(
            "%(count)s person is now in the group %(group)s.",
            "%(count)s people are now in the group %(group)s.",
            len(people),
        )
        return Proposal(
            title=title,
            sentence=said % about,
            button=_("Add to the group"),
            success=done % {**about, "count": whole(len(people))},
            act=lambda: add_employees_to_group(group=group, people=people, **by(access)),
            concerned=_joining(people, group),
            then=back_to(group),
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, place(access, group), form, page, propose)


def _employees(
    request: HttpRequest, access: Access, group: EmployeeGroup
) -> tuple[dict[str, Membership], bool]:
    """The employees ticked before and those that the search finds, by key; whether more are."""
    search = GroupFilterForm(request.POST or {"name": ""})
    named = search.cleaned_data["name"] if search.is_valid() else ""
    inside = members_of(group, access.at).values("person")
    found = list(employees_named(access, named).exclude(person__in=inside)[: FOUND + 1])
    ticked = [key for text in request.POST.getlist("chosen") if (key := _uuid(text))]
    kept = employees_named(access, "").exclude(person__in=inside).filter(pk__in=ticked[:100])
    rows = {str(row.pk): row for row in [*(kept if ticked else []), *found[:FOUND]]}
    return rows, len(found) > FOUND


def _joining(people: Sequence[User], group: EmployeeGroup) -> Callable[[], list[int]]:
    """What gives those who come into a group or leave it, and holds them and the group."""

    def concerned() -> list[int]:
        lock_joining(people, group)
        return [person.pk for person in people]

    return concerned


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _choice(request: HttpRequest, rows: dict[str, Membership]) -> ChooseForm:
    return choice(
        request,
        [(key, f"{row.person.get_full_name()}, {row.person.email}") for key, row in rows.items()],
        search_label=_("Name or e-mail"),
        label=_("People to add"),
        nothing=_("Choose at least one person."),
    )


@rule(get=can_remove_employee_from_group, post=can_remove_employee_from_group)
@once
def employee_group_remove(request: HttpRequest, bn9: str, pk: UUID, member: int) -> HttpResponse:
    """Say what a person loses, and once that is confirmed, take the person out, or leave."""
    access, row = _member(request, bn9, pk, member)
    group, is_own = row.group, row.person == access.person
    back = _after_leaving(access) if is_own and not can_list_groups(access) else group_url(group)
    if request.method != "POST" and not row.active_at(access.at):
        return redirect(back)
    about = {**account(access), "group": group.name, "person": row.person.get_full_name()}
    said = _("Acting for %(business)s, %(bn)s, you take %(person)s out of the group %(group)s.")
    title, button = _("Take %(person)s out of the group %(group)s"), _("Take out of the group")
    done = _("%(person)s is no longer in the group %(group)s.")
    if is_own:
        said = _("Acting for %(business)s, %(bn)s, you leave the group %(group)s.")
        title, button = _("Leave the group %(group)s"), _("Leave the group")
        done = _("You left the group %(group)s.")
    proposal = Proposal(
        title=title % about,
        sentence=said % about,
        button=button,
        success=done % about,
        act=lambda: remove_employee_from_group(member=row, **by(access)),
        concerned=_joining([row.person], group),
        then=lambda _answer: back,
        cancel_url=back,
        is_taking=True,
    )
    return settle_at_once(request, access, place(access, group), proposal)


def _member(
    request: HttpRequest, bn9: str, pk: UUID, member: int
) -> tuple[Access, EmployeeGroupMember]:
    """Somebody in a group; to whoever manages no group only oneself is there."""
    access = enter(request, bn9)
    rows = EmployeeGroupMember.objects.filter(group__business=access.acting_for, group=pk)
    row = rows.select_related("group__business", "person").filter(pk=member).first()
    if row is None or not can_remove_employee_from_group(access, row.person):
        require_any(can_list_groups(access))
        raise Http404
    return access, row


def _after_leaving(access: Access) -> str:
    """The own page of a person who reads no groups."""
    own = Membership.objects.get(
        during(access.at), person=access.person, business=access.acting_for
    )
    return reverse("employee_detail", kwargs={"bn9": access.acting_for.bn9, "pk": own.pk})


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def employee_group_grant(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Give a group a role on a program account, or over a group of them."""
    access, group = enter_group(request, bn9, pk)
    closed = access.closed_programs(access.acting_for.pk)
    form = GroupGrantForm(
        request.POST if request.method == "POST" else None,
        programs=[one for one in managed_programs(access) if one.pk not in closed],
        program_groups=list(program_groups(access, archived=False).order_by("name")),
    )
    title = _("Give a role to the group %(group)s") % {"group": group.name}
    lead = _("A role that the group has there already is replaced.")
    page = FormPage(title, group_url(group), "delegation/group_grant.html", lead)

    def propose(form: GroupGrantForm) -> Proposal:
        scope, role = form.chosen_scope(), form.chosen_role()
        about = {"group": group.name, "role": role.label, "scope": scope_in_words(scope)}
        about |= account(access)
        said = _(
            "Acting for %(business)s, %(bn)s, you give the group %(group)s the role %(role)s on "
            "%(scope)s."
        )
        return Proposal(
            title=title,
            sentence=said % about,
            button=_("Give the role"),
            success=_("The group %(group)s has the role %(role)s on %(scope)s.") % about,
            act=lambda: grant_employee_group_role(
                group=group, scope=scope, role=role, **by(access)
            ),
            concerned=held(group, access),
            then=back_to(group),
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, place(access, group), form, page, propose)


@rule(get=can_reduce_groups, post=can_reduce_groups)
@once
def employee_group_role_end(request: HttpRequest, bn9: str, pk: UUID, role: int) -> HttpResponse:
    """End the role of a group on a program account."""
    access, group = enter_group(request, bn9, pk)
    rows = GroupProgramRole.objects.filter(group=group.auth_group)
    found = get_object_or_404(rows.select_related("content_object", "group"), pk=role)
    return _role_end(request, access, group, found)


@rule(get=can_reduce_groups, post=can_reduce_groups)
@once
def employee_group_wide_role_end(
    request: HttpRequest, bn9: str, pk: UUID, role: int
) -> HttpResponse:
    """End the role of a group over a program-account group."""
    access, group = enter_group(request, bn9, pk)
    rows = GroupProgramGroupRole.objects.filter(group=group.auth_group)
    found = get_object_or_404(rows.select_related("content_object", "group"), pk=role)
    return _role_end(request, access, group, found)


def _role_end(
    request: HttpRequest,
    access: Access,
    group: EmployeeGroup,
    role: GroupProgramRole | GroupProgramGroupRole,
) -> HttpResponse:
    if request.method != "POST" and not role.active_at(access.at):
        return redirect(group_url(group))
    about: dict[str, Any] = {
        **account(access),
        "group": group.name,
        "role": Role(role.role).label,
        "scope": scope_in_words(role.content_object),
    }
    said = _(
        "Acting for %(business)s, %(bn)s, you end the role %(role)s of the group %(group)s on "
        "%(scope)s."
    )
    proposal = Proposal(
        title=_("End a role of the group %(group)s") % about,
        sentence=said % about,
        button=_("End the role"),
        success=_("The group %(group)s no longer has the role %(role)s on %(scope)s.") % about,
        act=lambda: end_employee_group_role(role=role, **by(access)),
        concerned=held(group, access),
        then=back_to(group),
        cancel_url=group_url(group),
        is_taking=True,
    )
    return settle_at_once(request, access, place(access, group), proposal)
