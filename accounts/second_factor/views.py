"""The pages of second factors: what somebody has, and adding, renaming and removing one."""

import base64

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.requests import PersonRequest
from accounts.second_factor import passkeys, services
from accounts.second_factor.factors import Held, held, name_of
from accounts.second_factor.forms import CodeForm, PasskeyForm, PasskeyNameForm
from accounts.second_factor.proof import proven_anew
from accounts.templatetags.accounts import device
from audit.services import Refusal
from pages.once import once
from pages.rules import any_person, rule


@rule(get=any_person)
def factor_list(request: PersonRequest) -> HttpResponse:
    """What I prove who I am with, beside the way I sign in."""
    mine = held(request.user)
    rows = [{"factor": one, "name": name_of(one)} for one in mine.listed]
    return render(request, "accounts/factor_list.html", {"held": mine, "rows": rows})


@rule(get=any_person, post=any_person)
@proven_anew
def passkey_add(request: PersonRequest) -> HttpResponse:
    """Add a passkey: a key that a device keeps and opens by finger, face or PIN."""
    named = {"name": device(request.headers.get("user-agent", ""))}
    form = PasskeyForm(request.POST or None, initial=named)
    if form.is_valid():
        at, before = timezone.now(), held(request.user)
        try:
            credential = passkeys.added(request.user, form.cleaned_data["credential"])
        except passkeys.WrongAnswer:
            form.add_error(None, _("The passkey could not be added. Please try again."))
        else:
            outcome = services.add_passkey(
                actor=request.user, name=form.cleaned_data["name"], credential=credential, at=at
            )
            if not isinstance(outcome, Refusal):
                messages.success(request, _("The passkey has been added."))
                return _onward(before)
            form.add_error(None, str(outcome.message))
    options = passkeys.to_add(request.user)
    status = 422 if form.is_bound else 200
    return render(
        request, "accounts/passkey_add.html", {"form": form, "options": options}, status=status
    )


@rule(get=any_person, post=any_person)
@proven_anew
def app_add(request: PersonRequest) -> HttpResponse:
    """Add an authenticator app: it shows a new code every 30 seconds."""
    before = held(request.user)
    if before.app:
        return redirect("factor_list")
    form = CodeForm(request.POST or None, help_text=_("The six digits that the app shows now."))
    secret = get_totp_secret(regenerate=not form.is_bound)
    if form.is_valid():
        outcome = services.add_app(
            actor=request.user, secret=secret, code=form.cleaned_data["code"], at=timezone.now()
        )
        if not isinstance(outcome, Refusal):
            clear_totp_secret(context.request)
            messages.success(request, _("The authenticator app has been added."))
            return _onward(before)
        form.add_error("code", str(outcome.message))
    status = 422 if form.is_bound else 200
    return render(
        request,
        "accounts/app_add.html",
        {"form": form, **_shown(request.user, secret)},
        status=status,
    )


@rule(get=any_person, post=any_person)
@proven_anew
@once
def passkey_rename(request: PersonRequest, pk: int) -> HttpResponse:
    """Call a passkey by another name."""
    passkey = _mine(held(request.user).passkeys, pk)
    form = PasskeyNameForm(request.POST or None, initial={"name": name_of(passkey)})
    if form.is_valid():
        services.rename_passkey(
            actor=request.user, passkey=passkey, name=form.cleaned_data["name"], at=timezone.now()
        )
        messages.success(request, _("The passkey has a new name."))
        return redirect("factor_list")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/passkey_rename.html", {"form": form}, status=status)


@rule(get=any_person, post=any_person)
@proven_anew
@once
def factor_remove(request: PersonRequest, pk: int) -> HttpResponse:
    """Remove a passkey or the authenticator app."""
    mine = held(request.user)
    factor = _mine(mine.listed, pk)
    if request.method == "POST":
        services.remove_factor(actor=request.user, factor=factor, at=timezone.now())
        messages.success(request, _("It has been removed and works no more."))
        return redirect("factor_list")
    shown = {"name": name_of(factor), "is_last": len(mine.listed) == 1}
    return render(request, "accounts/factor_remove.html", shown)


@rule(get=any_person, post=any_person)
@proven_anew
@once
def recovery_codes_make(request: PersonRequest) -> HttpResponse:
    """Make ten new recovery codes in place of the old ones."""
    mine = held(request.user)
    if not mine.any:
        return redirect("factor_list")
    if request.method == "POST":
        services.make_recovery_codes(actor=request.user, at=timezone.now())
        return redirect("recovery_codes")
    return render(request, "accounts/recovery_codes_make.html", {"held": mine})


@rule(get=any_person)
@proven_anew
def recovery_codes(request: PersonRequest) -> HttpResponse:
    """My new recovery codes: this page shows them once."""
    shown = services.show_recovery_codes(actor=request.user)
    if shown is None:
        raise Http404
    left = held(request.user).codes_left
    return render(request, "accounts/recovery_codes.html", {"codes": shown, "left": left})


def _onward(before: Held) -> HttpResponse:
    """With the first factor come recovery codes, which are shown at once."""
    return redirect("factor_list" if before.codes else "recovery_codes")


def _mine(factors: tuple[Authenticator, ...] | list[Authenticator], pk: int) -> Authenticator:
    """One of the person's own; somebody else's is as absent as none."""
    for factor in factors:
        if factor.pk == pk:
            return factor
    raise Http404


def _shown(person: User, secret: str) -> dict[str, str]:
    """The secret of an app: as a picture to scan, and in groups of four to type."""
    adapter = get_adapter()
    address = adapter.build_totp_url(person, secret)
    picture = base64.b64encode(adapter.build_totp_svg(address).encode()).decode()
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    return {"picture": f"data:image/svg+xml;base64,{picture}", "secret": " ".join(groups)}
