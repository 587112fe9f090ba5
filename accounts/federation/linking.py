"""The pages of the ways to sign in: each identity that is a person's, one more, one less.

The only way in which one is linked begins here, signed in and after a proof, and ends at the
provider's way back, in the same session and for the same person.
"""

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.federation.provider import LINKED_BY
from accounts.federation.services import (
    configured,
    has_password,
    link_identity,
    name_of,
    unlink_identity,
)
from accounts.requests import PersonRequest
from accounts.second_factor.proof import proven_anew
from accounts.sessions.endings import end_elsewhere
from audit.services import Refusal
from pages.once import once
from pages.rules import any_person, rule


@rule(get=any_person)
def identity_list(request: PersonRequest) -> HttpResponse:
    """The ways in which I sign in."""
    return _page(request)


@rule(get=any_person, post=any_person)
@proven_anew
@once
def identity_remove(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a way to sign in away. Whoever came by it elsewhere is signed out."""
    identity = get_object_or_404(SocialAccount, pk=pk, user=request.user)
    name = name_of(identity.provider)
    if request.method != "POST":
        return render(request, "accounts/identity_remove.html", {"name": name})
    answer = unlink_identity(actor=request.user, identity=identity, at=timezone.now())
    if isinstance(answer, Refusal):
        return _page(request, str(answer.message), 409)
    came_by_it = UserSession.objects.filter(user=request.user, data__provider=identity.provider)
    for session in came_by_it.exclude(session_key=request.session.session_key):
        end_elsewhere(session)
    messages.success(request, _("You no longer sign in with this: %(name)s.") % {"name": name})
    return redirect("identity_list")


def linked(request: HttpRequest, proved: SocialLogin) -> HttpResponse:
    """Somebody came back from a provider, to whom they had gone to link what they proved there."""
    person = request.user
    # Finding it moved the day of its last use, which is its owner's and no matter of this way.
    found = SocialAccount.objects.filter(pk=proved.account.pk)
    found.update(last_login=request.identity_used_at)  # type: ignore[attr-defined]
    if not person.is_authenticated or person.pk != proved.state["data"][LINKED_BY]:
        messages.error(request, _("Nothing was linked: somebody else is signed in by now."))
        return redirect("identity_list")
    provider = proved.account.provider
    answer = link_identity(
        actor=person, provider=provider, uid=proved.account.uid, at=timezone.now()
    )
    if isinstance(answer, Refusal):
        messages.error(request, str(answer.message))
    else:
        said = _(
            "From now on you can sign in with this too: %(name)s. You may still be signed in there:"
            " where others use this device, sign out there as well."
        )
        messages.success(request, said % {"name": name_of(provider)})
    return redirect("identity_list")


def _page(request: PersonRequest, problem: str = "", status: int = 200) -> HttpResponse:
    mine = SocialAccount.objects.filter(user=request.user).order_by("pk")
    is_open, known = has_password(request.user), configured()
    live = {one.pk for one in mine if one.provider in known}
    rows: list[dict[str, Any]] = [
        {
            "identity": one,
            "name": name_of(one.provider),
            "may_remove": is_open or bool(live - {one.pk}),
        }
        for one in mine
    ]
    context = {
        "rows": rows,
        "has_password": is_open,
        "providers": [
            {"id": one.app.provider_id, "name": name_of(one.app.provider_id)}
            for one in get_adapter(request).list_providers(request)
        ],
        "problem": problem,
    }
    return render(request, "accounts/identity_list.html", context, status=status)
