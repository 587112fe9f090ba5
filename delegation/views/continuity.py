"""Continuity: who manages the business, and who steps in when nobody can."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from delegation.access import Access
from delegation.employees import member_of
from delegation.entry import enter, require_any
from delegation.forms.continuity import SuccessionClaimForm, SuccessionStopForm
from delegation.forms.employees import DecisionForm
from delegation.models import RecoveryRequest, Succession, SuccessionStatus
from delegation.navigation import section_nav
from delegation.permissions import (
    can_claim_succession,
    can_nominate_successor,
    can_remove_successor,
    can_stop_succession,
    can_take_over_succession,
    can_view_continuity,
    can_view_succession,
)
from delegation.services.continuity import (
    claim_succession,
    nominate_successor,
    remove_successor,
    stop_succession,
    take_over_succession,
)
from delegation.services.roles import lasting_managers, managers_of
from delegation.terms import State
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule

TAGS = {
    SuccessionStatus.NAMED: "info",
    SuccessionStatus.CLAIMED: "warning",
    SuccessionStatus.READY: "warning",
    SuccessionStatus.TAKEN_OVER: "success",
}
"""The kind of status tag of a succession; of any other it is neutral."""


@rule(get=can_view_continuity)
def continuity_detail(request: HttpRequest, bn9: str) -> HttpResponse:
    """How many managers a business can rely on, its successor, and what to do without any."""
    return _page(request, enter(request, bn9))


@rule(get=can_nominate_successor, post=can_nominate_successor)
@once
def successor_nominate(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what being successor means, and once that is confirmed, name the employee."""
    access = enter(request, bn9)
    membership = member_of(access, pk)
    if membership is None:
        raise Http404
    problem, status = "", 200
    if request.method == "POST":
        require_proof(request)
        answer = nominate_successor(
            actor=access.person,
            acting_for=access.acting_for,
            person=membership.person,
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            said = _("%(person)s is named as successor of %(business)s, %(bn)s.")
            messages.success(request, said % _about(access, membership.person))
            return redirect("continuity_detail", bn9=bn9)
        problem, status = str(answer.message), status_of(answer)
    context = {
        "membership": membership,
        "person": membership.person,
        "business": access.acting_for,
        "lists_people": True,
        "problem": problem,
        "sections": section_nav(access, "employee_list"),
    }
    return render(request, "delegation/successor_nominate.html", context, status=status)


@rule(post=can_remove_successor)
@once
def successor_remove(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """End a nomination."""
    access, succession = _enter(request, bn9, pk)
    require_any(can_remove_successor(access, succession))
    said = _("%(person)s is no longer named as successor of %(business)s, %(bn)s.")
    return _act(request, access, succession, DecisionForm, remove_successor, said)


@rule(post=can_claim_succession)
@once
def succession_claim(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Ask, as successor, to become manager."""
    access, succession = _enter(request, bn9, pk)
    require_any(can_claim_succession(access, succession), access)
    said = _("The waiting period has begun. Every manager of %(business)s, %(bn)s, has been told.")
    return _act(request, access, succession, SuccessionClaimForm, claim_succession, said)


@rule(post=can_stop_succession)
@once
def succession_stop(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Stop a succession, as a manager."""
    access, succession = _enter(request, bn9, pk)
    said = _("You stopped the succession of %(person)s in %(business)s, %(bn)s.")
    return _act(request, access, succession, SuccessionStopForm, stop_succession, said)


@rule(post=can_take_over_succession)
@once
def succession_take_over(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Become manager after the waiting period."""
    access, succession = _enter(request, bn9, pk)
    require_any(can_take_over_succession(access, succession), access)
    require_proof(request)
    said = _("You are now Business Account Manager of %(business)s, %(bn)s.")
    return _act(request, access, succession, DecisionForm, take_over_succession, said)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, Succession]:
    """The access of the reader and a succession of the business that the reader may know of."""
    access = enter(request, bn9)
    every = Succession.objects.filter(business=access.acting_for).select_related("person")
    succession = get_object_or_404(every, pk=pk)
    if not can_view_succession(access, succession):
        raise Http404
    return access, succession


def _act(
    request: HttpRequest,
    access: Access,
    succession: Succession,
    form_class: type[DecisionForm],
    service: Callable[..., Succession | Refusal],
    said: str,
) -> HttpResponse:
    """Do what a form of the page asks for; where that cannot be, show the page as it is now."""
    form = form_class(request.POST)
    if not form.is_valid():
        return _page(request, access, form=form, status=422)
    entered = dict(form.cleaned_data)
    answer = service(
        actor=access.person,
        acting_for=access.acting_for,
        succession=succession,
        expected_version=entered.pop("version"),
        at=access.at,
        **entered,
    )
    if isinstance(answer, Refusal):
        return _page(request, access, problem=str(answer.message), status=status_of(answer))
    messages.success(request, said % _about(access, succession.person))
    return redirect("continuity_detail", bn9=access.acting_for.bn9)


def _about(access: Access, person: User) -> dict[str, str]:
    business = access.acting_for
    return {
        "person": person.get_full_name(),
        "business": business.name,
        "bn": business.bn_shown,
    }


def _page(
    request: HttpRequest,
    access: Access,
    *,
    form: DecisionForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page as it stands now, with the form that was refused, or why an act was."""
    lasting = User.objects.filter(pk__in=lasting_managers(access.acting_for, access.at))
    context = {
        "business": access.acting_for,
        "has_manager": bool(managers_of(access.acting_for.bn9, access.at)),
        "managers": list(lasting.order_by("last_name", "first_name", "pk")),
        "is_bam": access.is_bam,
        "form": form,
        "problem": problem,
        "sections": section_nav(access, "continuity_detail"),
        "recovery": RecoveryRequest.objects.pending_at(access.at)
        .filter(person=access.person, bn9=access.acting_for.bn9)
        .first(),
        **_succession(access, form),
    }
    return render(request, "delegation/continuity_detail.html", context, status=status)


def _succession(access: Access, form: DecisionForm | None) -> dict[str, Any]:
    """The newest succession that the reader may know of, and what the reader may do with it."""
    every = Succession.objects.filter(business=access.acting_for)
    named = every.select_related("person", "named_by", "closed_by")
    newest = named.order_by("-starts_at", "-pk").first()
    is_named_now = newest is not None and newest.active_at(access.at)
    known = newest if newest and can_view_succession(access, newest) else None
    found: dict[str, Any] = {
        "succession": known,
        "is_named": is_named_now,
        "may_name": not is_named_now and can_nominate_successor(access).allowed,
    }
    if known is None:
        return found
    status = known.status_at(access.at)
    is_mine = known.person_id == access.person.pk
    may_claim = can_claim_succession(access, known) and not access.is_bam
    return found | {
        "state": State(TAGS.get(status, "neutral"), str(status.label), is_over=not is_named_now),
        "is_mine": is_mine,
        # Whoever stops a claim ends the nomination with it.
        "may_remove": is_named_now
        and can_remove_successor(access, known)
        and (is_mine or status is SuccessionStatus.NAMED),
        "claim": _fresh(form, SuccessionClaimForm)
        if may_claim and status is SuccessionStatus.NAMED
        else None,
        "stop": _fresh(form, SuccessionStopForm)
        if status in (SuccessionStatus.CLAIMED, SuccessionStatus.READY)
        and can_stop_succession(access).allowed
        else None,
        "may_take_over": may_claim and status is SuccessionStatus.READY,
    }


def _fresh(form: DecisionForm | None, form_class: type[DecisionForm]) -> DecisionForm:
    """The form that was refused, where it is this one, else a new one."""
    return form if isinstance(form, form_class) else form_class()
