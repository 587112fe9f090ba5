"""One person of a business: what the person holds there, and what takes it away again."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from delegation.abilities import Abilities, abilities_of
from delegation.access import Access
from delegation.departures import possessions
from delegation.employees import (
    clients_worked_for,
    groups_of,
    managed_programs,
    member_of,
    rights_of,
    rights_to_come,
)
from delegation.entry import enter, require_any
from delegation.forms.endings import MembershipEndForm, RoleEndForm
from delegation.groups import groups_joined
from delegation.held_rights import Right
from delegation.models import BusinessRole, Membership, ProgramRole
from delegation.navigation import section_nav
from delegation.permissions import (
    can_change_role,
    can_end_membership,
    can_end_role,
    can_list_access_requests,
    can_list_groups,
    can_nominate_successor,
    can_remove_employee_from_group,
    can_resume_membership,
    can_suspend_membership,
    can_view_departure,
    can_view_employee,
)
from delegation.roles import Role
from delegation.services.rights import (
    end_business_role,
    end_membership,
    end_program_role,
    resume_membership,
    suspend_membership,
)
from delegation.services.roles import lasting_managers
from delegation.terms import State, program_label
from delegation.views.employees import status_of
from pages.formats import day, end_of_day
from pages.once import once
from pages.rules import rule


class Held(NamedTuple):
    """A role in the table of a person; `end_url` and `change_url` where the reader may."""

    right: Right
    end_url: str
    change_url: str
    begins_later: bool


class Joined(NamedTuple):
    """An employee group of a person: its page, and the way out of it, where the reader has them."""

    name: str
    url: str
    leave_url: str


@rule(get=can_view_employee)
def employee_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Who a person of the business is, what the person holds there, and what that allows."""
    access, membership = enter_member(request, bn9, pk)
    return _detail_page(request, access, membership)


@rule(get=can_end_membership, post=can_end_membership)
@once
def membership_end(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what goes, and once that is confirmed, end all access of the person in one act."""
    access, membership = enter_member(request, bn9, pk)
    require_any(can_end_membership(access, membership.person))
    if request.method != "POST" and not membership.active_at(access.at):
        return redirect("employee_detail", bn9=bn9, pk=pk)
    form = MembershipEndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _end_page(request, access, membership, form)
    answer = end_membership(
        actor=access.person,
        acting_for=access.acting_for,
        membership=membership,
        reason=form.cleaned_data["reason"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _detail_page(request, access, membership, answer)
    if membership.person == access.person:
        messages.success(
            request, _("You left %(business)s, %(bn)s.") % about_person(access, membership)
        )
        return redirect("home")
    said = _("%(person)s no longer has access to %(business)s, %(bn)s.")
    messages.success(request, said % about_person(access, membership))
    return redirect("membership_departure", bn9=bn9, pk=pk)


@rule(get=can_view_departure)
def membership_departure(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What somebody held who left, to hand the work over and to keep; one who stays has no list."""
    access, membership = enter_member(request, bn9, pk)
    if membership.active_at(access.at):
        return redirect("employee_detail", bn9=bn9, pk=pk)
    held = possessions(membership)
    context = {
        "to_the_end": [one for one in held if one.was_held_to_the_end],
        "before": [one for one in held if not one.was_held_to_the_end],
        "now": access.at,
    }
    return member_page(request, "delegation/membership_departure.html", access, membership, context)


@rule(get=can_suspend_membership, post=can_suspend_membership)
@once
def membership_suspend(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what stops, and once that is confirmed, stop it until a manager resumes it."""
    access, membership = enter_member(request, bn9, pk)
    require_any(can_suspend_membership(access, membership.person))
    form = MembershipEndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        template, status = "delegation/membership_suspend.html", 422 if form.is_bound else 200
        return member_page(request, template, access, membership, {"form": form}, status)
    answer = suspend_membership(
        actor=access.person,
        acting_for=access.acting_for,
        membership=membership,
        reason=form.cleaned_data["reason"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _detail_page(request, access, membership, answer)
    said = _("The access of %(person)s to %(business)s, %(bn)s, is suspended.")
    messages.success(request, said % about_person(access, membership))
    return redirect("employee_detail", bn9=bn9, pk=pk)


@rule(post=can_resume_membership)
@once
def membership_resume(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Let a person whose access is suspended work again."""
    access, membership = enter_member(request, bn9, pk)
    require_any(can_resume_membership(access, membership.person), access)
    if managing_roles(access, membership.person).exists():
        require_proof(request)
    answer = resume_membership(
        actor=access.person, acting_for=access.acting_for, membership=membership, at=access.at
    )
    if isinstance(answer, Refusal):
        return _detail_page(request, access, membership, answer)
    said = _("%(person)s can work for %(business)s, %(bn)s, again.")
    messages.success(request, said % about_person(access, membership))
    return redirect("employee_detail", bn9=bn9, pk=pk)


def managing_roles(access: Access, person: User) -> QuerySet[BusinessRole]:
    """The person's roles of manager that are not over, whether or not they have begun."""
    held = BusinessRole.objects.filter(user=person, content_object=access.acting_for)
    return held.exclude(ends_at__lte=access.at)


@rule(get=can_end_role, post=can_end_role)
@once
def business_role_end(request: HttpRequest, bn9: str, pk: UUID, role: int) -> HttpResponse:
    """End the role of a Business Account Manager; the person stays an employee."""
    access, membership = enter_member(request, bn9, pk)
    theirs = BusinessRole.objects.filter(user=membership.person, content_object=access.acting_for)
    held = get_object_or_404(theirs, pk=role)
    return _role_end(request, access, membership, held, end_business_role)


@rule(get=can_end_role, post=can_end_role)
@once
def program_role_end(request: HttpRequest, bn9: str, pk: UUID, role: int) -> HttpResponse:
    """End a role that a person holds directly on a program account."""
    access, membership = enter_member(request, bn9, pk)
    theirs = ProgramRole.objects.filter(
        user=membership.person, content_object__business=access.acting_for
    )
    if membership.person != access.person:
        theirs = theirs.filter(content_object__in=managed_programs(access))
    held = get_object_or_404(theirs.select_related("content_object__business"), pk=role)
    return _role_end(request, access, membership, held, end_program_role)


def _role_end(
    request: HttpRequest,
    access: Access,
    membership: Membership,
    held: BusinessRole | ProgramRole,
    end: Callable[..., Any],
) -> HttpResponse:
    require_any(can_end_role(access, membership.person, held.content_object, Role(held.role)))
    if request.method != "POST" and held.is_over_at(access.at):
        return redirect("employee_detail", bn9=access.acting_for.bn9, pk=membership.pk)
    form = RoleEndForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _role_page(request, access, membership, held, form)
    last = form.cleaned_data["last_day"]
    answer = end(
        actor=access.person,
        acting_for=access.acting_for,
        role=held,
        at=access.at,
        ends_at=end_of_day(last) if last else None,
    )
    if isinstance(answer, Refusal) and answer.code in ("ends_in_the_past", "not_sooner"):
        form.add_error("last_day", str(answer.message))
        return _role_page(request, access, membership, held, form)
    if isinstance(answer, Refusal):
        return _detail_page(request, access, membership, answer)
    said = _("The role of %(person)s has ended: %(role)s, %(scope)s.")
    if last:
        said = _("The role of %(person)s ends at the end of %(day)s: %(role)s, %(scope)s.")
    about = {
        **about_person(access, membership),
        **_role_in_words(held),
        "day": day(last) if last else "",
    }
    messages.success(request, said % about)
    return redirect("employee_detail", bn9=access.acting_for.bn9, pk=membership.pk)


def enter_member(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, Membership]:
    """The access of the reader and a person of the business that the reader may know of."""
    access = enter(request, bn9)
    membership = member_of(access, pk)
    if membership is None:
        require_any(can_list_access_requests(access))
        raise Http404
    require_any(can_view_employee(access, membership.person))
    return access, membership


def about_person(access: Access, membership: Membership) -> dict[str, str]:
    """The person and the account, as a message names them."""
    business = access.acting_for
    return {
        "person": membership.person.get_full_name(),
        "business": business.name,
        "bn": business.bn_shown,
    }


def _role_in_words(held: BusinessRole | ProgramRole) -> dict[str, str]:
    if isinstance(held, ProgramRole):
        scope = program_label(held.content_object)
    else:
        scope = str(held.content_object)
    return {"role": str(Role(held.role).label), "scope": scope}


def _detail_page(
    request: HttpRequest, access: Access, membership: Membership, refusal: Refusal | None = None
) -> HttpResponse:
    """The person as it stands now, and where an act was refused, why."""
    membership.refresh_from_db()
    person, is_live = membership.person, membership.active_at(access.at)
    is_working = is_live and membership.suspended_at is None
    rights = [*rights_of(person, access), *rights_to_come(person, access)] if is_live else []
    context = {
        "state": _state(membership, access),
        "rights": [_held(access, membership, right) for right in rights],
        "may_change": is_working and can_change_role(access, person),
        "abilities": _abilities(access, person),
        "joined": _joined(access, person) if is_live else [],
        "may_read_departure": not is_live and can_view_departure(access),
        "may_end": is_live and can_end_membership(access, person),
        "may_name": is_working
        and can_nominate_successor(access).allowed
        and not any(right.role is Role.BAM for right in rights),
        "may_suspend": is_working and can_suspend_membership(access, person),
        "may_resume": is_live and not is_working and can_resume_membership(access, person),
        "problem": str(refusal.message) if refusal else "",
        "needs_second_bam": refusal is not None and refusal.code == "last_manager",
    }
    status = status_of(refusal) if refusal else 200
    return member_page(
        request, "delegation/employee_detail.html", access, membership, context, status
    )


def _joined(access: Access, person: User) -> list[Joined]:
    """The employee groups of a person, as far as the reader may know and leave them."""
    if not access.is_bam and person != access.person:
        return []
    takes, reads = can_remove_employee_from_group(access, person), can_list_groups(access)
    found = []
    for row in groups_joined(person, access):
        parts = {"bn9": access.acting_for.bn9, "pk": row.group_id}
        url = reverse("employee_group_detail", kwargs=parts) if reads else ""
        leave = reverse("employee_group_remove", kwargs={**parts, "member": row.pk})
        found.append(Joined(row.group.name, url, leave if takes else ""))
    return found


def _abilities(access: Access, person: User) -> Abilities:
    """What the person can do, as far as the reader manages it; everything where it is the own."""
    if person == access.person:
        every = list(access.acting_for.programs.order_by("extension"))
        return abilities_of(access, every, of_business=True)
    theirs = Access(person, access.acting_for, access.at)
    return abilities_of(theirs, managed_programs(access), of_business=access.is_bam)


def _held(access: Access, membership: Membership, right: Right) -> Held:
    """A role in the table, with what the reader may do about it."""
    change_url = ""
    is_direct = right.program is not None and not right.group
    if right.program and is_direct and can_change_role(access, membership.person):
        parts = {"bn9": access.acting_for.bn9, "pk": membership.pk}
        change_url = reverse(
            "role_change", kwargs=parts, query={"programs": right.program.extension}
        )
    end_url = _end_url(access, membership, right)
    return Held(right, end_url, change_url if end_url else "", right.since > access.at)


def _end_url(access: Access, membership: Membership, right: Right) -> str:
    """Where the reader ends a role; nothing for a role by a group, or one that is not theirs."""
    scope = right.program or access.acting_for
    if right.group or not can_end_role(access, membership.person, scope, right.role):
        return ""
    name = "program_role_end" if right.program else "business_role_end"
    parts = {"bn9": access.acting_for.bn9, "pk": membership.pk, "role": right.pk}
    return reverse(name, kwargs=parts)


def _state(membership: Membership, access: Access) -> State:
    if not membership.active_at(access.at):
        return State("neutral", pgettext("access", "Ended"), is_over=True)
    if membership.suspended_at:
        return State("warning", _("Suspended"))
    if not membership.person.is_active:
        return State("danger", _("Disabled"))
    return State("success", _("Active"))


def _end_page(
    request: HttpRequest,
    access: Access,
    membership: Membership,
    form: MembershipEndForm,
) -> HttpResponse:
    """What ends with the access, before anything does; the last manager reads what to do first."""
    person = membership.person
    clients, more_clients = clients_worked_for(person, access)
    context = {
        "form": form,
        "rights": rights_of(person, access),
        "groups": groups_of(person, access),
        "clients": clients,
        "more_clients": more_clients,
        "is_last": _is_last_manager(access, person),
    }
    status = 422 if form.is_bound else 200
    return member_page(
        request, "delegation/membership_end.html", access, membership, context, status
    )


def _is_last_manager(access: Access, person: User) -> bool:
    return lasting_managers(access.acting_for, access.at) == {person.pk}


def _role_page(
    request: HttpRequest,
    access: Access,
    membership: Membership,
    held: BusinessRole | ProgramRole,
    form: RoleEndForm,
) -> HttpResponse:
    is_manager = isinstance(held, BusinessRole)
    context = {
        "form": form,
        **_role_in_words(held),
        "ends_at": held.ends_at,
        "is_last": is_manager and _is_last_manager(access, membership.person),
    }
    status = 422 if form.is_bound else 200
    return member_page(request, "delegation/role_end.html", access, membership, context, status)


def member_page(
    request: HttpRequest,
    template: str,
    access: Access,
    membership: Membership,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """A page of one person, with what each of them shows."""
    context |= {
        "membership": membership,
        "person": membership.person,
        "is_own": membership.person == access.person,
        "business": access.acting_for,
        "lists_people": can_list_access_requests(access),
        "sections": section_nav(access, "employee_list"),
    }
    return render(request, template, context, status=status)
