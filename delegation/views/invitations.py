"""Invite employees: what a manager sends, sends again and takes back."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.models import Language
from accounts.second_factor.proof import require_proof
from accounts.sign_in import language_of_page
from audit.services import Refusal
from delegation.access import Access
from delegation.employees import (
    grantable_programs,
    grantable_roles,
    labels_managed,
    roles_in_words,
)
from delegation.entry import enter, require_any
from delegation.forms.invitations import (
    InvitationCreateForm,
    InvitationFilterForm,
    InvitationSeenForm,
)
from delegation.groups import groups_to_join
from delegation.invitations import gifts, invitation_state, readable_invitations
from delegation.models import Invitation, InvitationStatus
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import (
    can_create_invitation,
    can_list_invitations,
    can_resend_invitation,
    can_revoke_invitation,
)
from delegation.services.employees import Grants
from delegation.services.invitations import (
    Offer,
    create_invitation,
    resend_invitation,
    revoke_invitation,
)
from delegation.views.employees import status_of
from pages.once import once
from pages.paging import page_by_key
from pages.preview import is_confirmed, previewed
from pages.rules import rule

OF_THE_ADDRESS = {"already_waiting", "own_invitation"}
"""Refusals that are about the address."""


@rule(get=can_list_invitations)
def invitation_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The invitations of the business, the newest first, and what became of each."""
    access = enter(request, bn9)
    search = InvitationFilterForm(request.GET)
    found = _found(access, search) if search.is_valid() else Invitation.objects.none()
    page = page_by_key(found, key=("starts_at", "id"), after=request.GET.get("after", ""))
    context = {
        "page": page,
        "rows": [
            (one, invitation_state(one, access.at), gifts(one.grants(), one.groups.all()))
            for one in page.rows
        ],
        "search": search,
        "is_filtered": any(search.data.get(name) for name in search.fields),
        "may_invite": can_create_invitation(access).allowed,
        "programs": labels_managed(access),
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "invitation_list"),
    }
    status = 422 if search.errors else 200
    return render(request, "delegation/invitation_list.html", context, status=status)


@rule(get=can_create_invitation, post=can_create_invitation)
@once
def invitation_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Say in words what the person will be able to do, and once that is confirmed, send it."""
    access = enter(request, bn9)
    form = _form(access, request.POST if request.method == "POST" else None)
    if form.is_finding:
        return _create_page(request, access, form.unjudged(), 200)
    if not form.is_valid() or "change" in request.POST:
        return _create_page(request, access, form, 422 if form.errors else 200)
    offer = _offer(form)
    if offer.grants.make_bam:
        require_proof(request)
    preview = _preview(access, offer)
    if not is_confirmed(request, preview):
        return _preview_page(request, access, form, preview)
    answer = create_invitation(
        actor=access.person, acting_for=access.acting_for, offer=offer, at=access.at
    )
    if isinstance(answer, Refusal):
        form.add_error("email" if answer.code in OF_THE_ADDRESS else None, str(answer.message))
        return _create_page(request, access, form, status_of(answer))
    said = _("The invitation to %(business)s, %(bn)s, was sent to %(email)s.")
    messages.success(request, said % _about(access, answer))
    return redirect("invitation_list", bn9=bn9)


@rule(get=can_list_invitations)
def invitation_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """One invitation: what it gives, what became of it, and how to send it again or revoke it."""
    access = enter(request, bn9)
    return _detail_page(request, access, _read(access, pk))


@rule(post=can_resend_invitation)
@once
def invitation_resend(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Send a new link; the old one is dead."""
    access, invitation = _enter(request, bn9, pk)
    require_any(can_resend_invitation(access, invitation), access)
    if invitation.makes_bam:
        require_proof(request)
    form = InvitationSeenForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, access, invitation, str(form.errors["version"][0]), 422)
    answer = resend_invitation(
        actor=access.person,
        acting_for=access.acting_for,
        invitation=invitation,
        expected_version=form.cleaned_data["version"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused(request, access, pk, answer)
    said = _("A new link was sent to %(email)s. The old one no longer works.")
    messages.success(request, said % _about(access, answer))
    return redirect("invitation_detail", bn9=bn9, pk=pk)


@rule(post=can_revoke_invitation)
@once
def invitation_revoke(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Take an invitation back; its link is dead."""
    access, invitation = _enter(request, bn9, pk)
    require_any(can_revoke_invitation(access, invitation))
    form = InvitationSeenForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, access, invitation, str(form.errors["version"][0]), 422)
    answer = revoke_invitation(
        actor=access.person,
        acting_for=access.acting_for,
        invitation=invitation,
        expected_version=form.cleaned_data["version"],
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _refused(request, access, pk, answer)
    said = _("You revoked the invitation of %(email)s to %(business)s, %(bn)s.")
    messages.success(request, said % _about(access, answer))
    return redirect("invitation_list", bn9=bn9)


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, Invitation]:
    """The access of the person and an invitation that it may read; another's does not exist."""
    access = enter(request, bn9)
    require_any(can_list_invitations(access))
    return access, _read(access, pk)


def _read(access: Access, pk: UUID) -> Invitation:
    return get_object_or_404(readable_invitations(access), pk=pk)


def _found(access: Access, search: InvitationFilterForm) -> QuerySet[Invitation]:
    """The invitations that the reader may know of and looks for."""
    rows: Any = readable_invitations(access)
    state = search.cleaned_data["state"]
    if state == InvitationStatus.WAITING:
        rows = rows.pending_at(access.at)
    elif state == InvitationStatus.LAPSED:
        rows = rows.lapsed_at(access.at)
    elif state:
        rows = rows.filter(decision=state)
    found: QuerySet[Invitation] = rows.filter(email__icontains=search.cleaned_data["email"])
    return found


def _form(access: Access, data: QueryDict | None) -> InvitationCreateForm:
    return InvitationCreateForm(
        data,
        programs=grantable_programs(access),
        roles_on=lambda program: grantable_roles(access, program),
        may_make_bam=access.is_bam,
        groups={str(one.pk): one for one in groups_to_join(access)},
        initial={"language": language_of_page()},
    )


def _offer(form: InvitationCreateForm) -> Offer:
    given = {program.pk: role for program, role in form.given().items()}
    return Offer(
        email=form.cleaned_data["email"],
        language=form.cleaned_data["language"],
        message=form.cleaned_data["message"],
        grants=Grants(make_bam=form.makes_bam(), programs=given),
        groups=form.chosen_groups(),
    )


def _preview(access: Access, offer: Offer) -> dict[str, Any]:
    """What is sent, and what the person will be able to do, in words."""
    return {
        "email": offer.email,
        "mail_language": str(Language(offer.language).label),
        "message": offer.message,
        "gifts": gifts(offer.given(access.acting_for), offer.groups, access.at),
        "lapse_days": settings.INVITATION_LAPSE_DAYS,
    }


def _create_page(
    request: HttpRequest, access: Access, form: InvitationCreateForm, status: int
) -> HttpResponse:
    context = {"form": form, "roles": roles_in_words()}
    return _page(request, "delegation/invitation_create.html", access, context, status)


def _preview_page(
    request: HttpRequest, access: Access, form: InvitationCreateForm, preview: dict[str, Any]
) -> HttpResponse:
    """The preview, and whether it differs from the one that was confirmed."""
    context = {"form": form, **previewed(request, preview)}
    status = 409 if context["has_changed"] else 200
    return _page(request, "delegation/invitation_preview.html", access, context, status)


def _refused(request: HttpRequest, access: Access, pk: UUID, refusal: Refusal) -> HttpResponse:
    """The invitation as it is by now, and why nothing was done."""
    problem = str(refusal.message)
    return _detail_page(request, access, _read(access, pk), problem, status_of(refusal))


def _detail_page(
    request: HttpRequest,
    access: Access,
    invitation: Invitation,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = invitation.status_at(access.at)
    is_open = now in (InvitationStatus.WAITING, InvitationStatus.LAPSED)
    context = {
        "invitation": invitation,
        "state": invitation_state(invitation, access.at),
        "mail_language": Language(invitation.language).label,
        "gifts": gifts(invitation.grants(), invitation.groups.all(), access.at),
        "mails": invitation.mails.select_related("sent_by").order_by("-sent_at", "-id"),
        "may_resend": is_open and can_resend_invitation(access, invitation),
        "may_revoke": now is InvitationStatus.WAITING and can_revoke_invitation(access, invitation),
        "problem": problem,
    }
    return _page(request, "delegation/invitation_detail.html", access, context, status)


def _page(
    request: HttpRequest, template: str, access: Access, context: dict[str, Any], status: int
) -> HttpResponse:
    context |= {
        "business": access.acting_for,
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "invitation_list"),
    }
    return render(request, template, context, status=status)


def _about(access: Access, invitation: Invitation) -> dict[str, str]:
    business = access.acting_for
    return {"email": invitation.email, "business": business.name, "bn": business.bn_shown}
