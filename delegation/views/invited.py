"""I have an invitation: the pages of the person who was invited.

The link of the mail stays out of every page: it is taken into the session as a digest, and the
pages behind it have addresses of their own. A link that is wrong, used, lapsed or revoked, and one
that is addressed to somebody else, get one and the same page, which names nobody.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.second_factor.proof import require_proof
from audit.services import Refusal
from delegation.entry import signed_in
from delegation.forms.invitations import InvitationFindForm, InvitationSeenForm
from delegation.invitations import gifts, invitations_for
from delegation.models import Invitation, InvitationStatus
from delegation.models.invitations import digest_of
from delegation.permissions import can_answer_invitation
from delegation.services.invitations import (
    accept_invitation,
    decline_invitation,
    why_not_acceptable,
)
from pages.once import once
from pages.rules import any_person, anyone, rule

FOLLOWED = "invitation"
"""Where a session keeps the digest of the link that was opened last."""

UNKNOWN = {"not_yours", "already_decided", "lapsed"}
"""Refusals that tell nothing of the invitation."""


@rule(get=anyone)
def invitation_open(request: HttpRequest, token: str) -> HttpResponse:
    """Take the link of a mail, and go on without it: to sign in where needed, then to answer."""
    request.session[FOLLOWED] = digest_of(token)
    answer = redirect("invitation_follow")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@rule(get=any_person)
def invitation_follow(request: HttpRequest) -> HttpResponse:
    """Lead to the invitation whose link was opened, if it waits for this person."""
    person, digest = signed_in(request), request.session.get(FOLLOWED, "")
    mine = invitations_for(person, timezone.now()).filter(token_digest=digest).first()
    if mine is None:
        return _unknown_page(request)
    return redirect("invitation_answer", pk=mine.pk)


@rule(get=any_person, post=any_person)
def invitation_find(request: HttpRequest) -> HttpResponse:
    """The invitations that wait for the person, and a place to paste the link of one."""
    form = InvitationFindForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        request.session[FOLLOWED] = digest_of(form.cleaned_data["link"])
        return redirect("invitation_follow")
    waiting = invitations_for(signed_in(request), timezone.now())
    context = {"form": form, "my_invitations": waiting}
    status = 422 if form.is_bound else 200
    return render(request, "delegation/invitation_find.html", context, status=status)


@rule(get=can_answer_invitation)
def invitation_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who invites me, to which business, and what I will be able to do."""
    return _answer_page(request, pk)


@rule(post=can_answer_invitation)
@once
def invitation_accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take what is offered: from now on I work for the business."""
    as_manager = Invitation.objects.filter(pk=pk, makes_bam=True).first()
    if as_manager and can_answer_invitation(signed_in(request), as_manager):
        require_proof(request)
    answer = _decide(request, pk, accept_invitation)
    if isinstance(answer, HttpResponse):
        return answer
    business = answer.business
    said = _("You can now work for %(business)s, %(bn)s.")
    messages.success(request, said % {"business": business.name, "bn": business.bn_shown})
    return redirect("business_home", bn9=business.bn9)


@rule(post=can_answer_invitation)
@once
def invitation_decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Close the invitation without taking anything."""
    answer = _decide(request, pk, decline_invitation)
    if isinstance(answer, HttpResponse):
        return answer
    said = _("You declined the invitation of %(business)s, %(bn)s. The inviter is told.")
    business = answer.business
    messages.success(request, said % {"business": business.name, "bn": business.bn_shown})
    return redirect("home")


def _decide(request: HttpRequest, pk: UUID, act: Callable[..., Any]) -> Invitation | HttpResponse:
    """The invitation as it was answered, or the page that says why it was not."""
    person = signed_in(request)
    invitation = Invitation.objects.select_related("business").filter(pk=pk).first()
    if invitation is None:
        return _unknown_page(request)
    form = InvitationSeenForm(request.POST)
    if not form.is_valid() and can_answer_invitation(person, invitation):
        return _answer_page(request, pk, str(form.errors["version"][0]), 422)
    answer = act(
        actor=person,
        invitation=invitation,
        expected_version=form.cleaned_data.get("version", 0),
        at=timezone.now(),
    )
    if not isinstance(answer, Refusal):
        decided: Invitation = answer
        return decided
    if answer.code in UNKNOWN:
        invitation.refresh_from_db()
        is_mine = invitation.decided_by == person
        if is_mine and invitation.decision == InvitationStatus.ACCEPTED:
            return redirect("business_home", bn9=invitation.business.bn9)
        return _unknown_page(request)
    return _answer_page(request, pk, str(answer.message), 409)


def _answer_page(
    request: HttpRequest, pk: UUID, problem: str = "", status: int = 200
) -> HttpResponse:
    person, at = signed_in(request), timezone.now()
    invitation = invitations_for(person, at).filter(pk=pk).first()
    if invitation is None or not can_answer_invitation(person, invitation):
        return _unknown_page(request)
    barred = why_not_acceptable(invitation, person, at)
    context = {
        "invitation": invitation,
        "business": invitation.business,
        "gifts": gifts(invitation.grants(), invitation.groups.all(), at),
        "barred": barred is not None,
        "problem": barred[1] if barred else problem,
    }
    return render(request, "delegation/invitation_answer.html", context, status=status)


def _unknown_page(request: HttpRequest) -> HttpResponse:
    """The one page for every link that opens nothing for this person."""
    return render(request, "delegation/invitation_unknown.html", status=404)
