"""The page that asks for a second factor: at the end of a sign-in, and before a sensitive act."""

from datetime import datetime
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.stagekit import get_pending_stage
from allauth.core import ratelimit
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.requests import PersonRequest
from accounts.second_factor import passkeys, services
from accounts.second_factor.factors import Held, held
from accounts.second_factor.forms import ProofForm
from accounts.second_factor.proof import draw_key_anew, is_proven, remember_proof
from accounts.sign_in import is_of_portal
from audit.services import Refusal
from pages.once import ONE_TIME
from pages.rules import any_person, anyone, rule

SENT_CODE = "mailed_proof_code"
"""What a session keeps of a code that was mailed: its digest, and when."""

SEND, ANSWERS = "send_code", {*ProofForm.base_fields}
"""The button that asks for a code by mail, and the fields that answer: each in `ONE_TIME`."""


@rule(get=anyone, post=anyone)
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")
def second_factor(request: HttpRequest) -> HttpResponse:
    """Prove who I am with my second factor: what a sign-in ends with."""
    stage, at = request._login_stage, timezone.now()  # type: ignore[attr-defined]
    person, mine = stage.login.user, held(stage.login.user)
    form = _form(request, mine, is_posted=request.method == "POST")
    if _is_proved(request, person, form, at):
        response: HttpResponse = stage.exit()
        return response
    return _page(request, person, mine, form)


@rule(get=anyone)
def second_factor_help(request: HttpRequest) -> HttpResponse:
    """What I can do where I can use none of what is asked for, up to the agency’s recovery."""
    stage = get_pending_stage(request)
    back = stage.urlname if stage else "home"
    context = {"back_url": reverse(back), "hours": settings.ACCOUNT_RECOVERY_WAITING_HOURS}
    return render(request, "accounts/second_factor_help.html", context)


@rule(get=any_person, post=any_person)
def prove(request: PersonRequest) -> HttpResponse:
    """Prove again who I am, before I change what protects my account or give a right to manage.

    Whoever was sent to sign in from here has just done so, and goes on at once.
    """
    is_asked = request.method == "POST" or not is_proven(request, timezone.now())
    if is_asked and (asked := ask(request)):
        return asked
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    return redirect(wanted if is_of_portal(request, wanted) else "home")


def ask(request: PersonRequest) -> HttpResponse | None:
    """The page that asks the person of a session for a proof; None where the post just gave it."""
    person, at = request.user, timezone.now()
    mine = held(person)
    if request.method == "POST" and SEND in request.POST:
        _mail_code(request, person, mine, at)
    is_answer = request.method == "POST" and bool(ANSWERS & {*request.POST})
    form = _form(request, mine, is_posted=is_answer)
    if is_answer and _is_proved(request, person, form, at):
        draw_key_anew(request)
        remember_proof(request, at)
        return None
    return _page(request, person, mine, form)


def to_prove(request: PersonRequest) -> HttpResponse | None:
    """Ask for a proof in the place of a page or of an act; None where the post just gave it.

    Whoever wanted to read a page comes back to it. What was posted stands on the page that asks,
    and is sent again with the answer: nothing of it is lost, and nothing is kept elsewhere.
    """
    if request.method == "POST":
        return ask(request)
    back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
    return redirect(f"{reverse('account_reauthenticate')}?{back}")


def _form(request: HttpRequest, mine: Held, *, is_posted: bool) -> ProofForm:
    where = (
        _("The six digits of your authenticator app, or one of your recovery codes.")
        if mine.app
        else _("One of your recovery codes.")
    )
    posted = request.POST if is_posted else None
    return ProofForm(posted, help_text=where if mine.any else "")


def _is_proved(request: HttpRequest, person: User, form: ProofForm, at: datetime) -> bool:
    """Whether what was posted proves who the person is; where not, the form says why."""
    if not form.is_valid():
        return False
    if answer := form.cleaned_data["passkey"]:
        try:
            passkey = passkeys.used(person, answer)
        except passkeys.WrongAnswer:
            passkey = None
        outcome = services.prove_by_passkey(person=person, passkey=passkey, at=at)
    else:
        outcome = services.prove_by_code(
            person=person,
            code=form.cleaned_data["otp"],
            mailed=_mailed(request, person, at),
            at=at,
        )
    if isinstance(outcome, Refusal):
        form.add_error(None if answer else "otp", str(outcome.message))
        return False
    request.session.pop(SENT_CODE, None)
    return True


def _page(request: HttpRequest, person: User, mine: Held, form: ProofForm) -> HttpResponse:
    """The page that asks, with what the person can answer with."""
    is_signed_in = request.user.is_authenticated
    context = {
        "carried": [(name, texts) for name, texts in request.POST.lists() if name not in ONE_TIME],
        "form": form,
        "held": mine,
        "email": person.email,
        "is_signed_in": is_signed_in,
        "takes_code": mine.any or bool(_mailed(request, person, timezone.now())),
        "options": passkeys.to_use(person) if mine.passkeys else None,
    }
    return render(request, "accounts/prove.html", context, status=422 if form.is_bound else 200)


# ---------------------------------------------------------------- the mailed code


def _mailed(request: HttpRequest, person: User, at: datetime) -> str:
    """The digest of the code that was mailed to this person in the last minutes."""
    known = request.session.get(SENT_CODE)
    if known is None or known["person"] != person.pk:
        return ""
    age = at.timestamp() - known["at"]
    return str(known["digest"]) if 0 <= age < settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT else ""


def _mail_code(request: HttpRequest, person: User, mine: Held, at: datetime) -> None:
    """Mail a code to somebody without a factor; the code that was mailed before is over."""
    if mine.any:
        return
    if not ratelimit.consume(request, action="request_login_code", key=f"proof:{person.pk}"):
        messages.error(request, _("That was too often. Wait a few minutes, then try again."))
        return
    code = get_adapter(request).generate_login_code()
    request.session[SENT_CODE] = {
        "digest": code,
        "at": at.timestamp(),
        "person": person.pk,
    }
    services.mail_code(person=person, code=code.plain, at=at)
    messages.success(request, _("We sent a code to %(email)s.") % {"email": person.email})
