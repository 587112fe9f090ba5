"""The pages about the session itself, and of a form that outlived it."""

from allauth.account.adapter import get_adapter
from allauth.account.views import LogoutView
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.requests import PersonRequest
from accounts.sessions import kept
from accounts.sessions.endings import forget_over
from accounts.sessions.limits import Times, by_itself, write
from accounts.sessions.middleware import sign_in_first
from accounts.sign_in import IDENTITY
from pages.rules import any_person, anyone, rule


@rule(get=any_person, post=any_person)
def session_extend(request: PersonRequest) -> HttpResponse:
    """Stay signed in: for those without a script the page does it, with one its button."""
    if request.method == "POST":
        times: Times = request.session_times  # type: ignore[attr-defined]
        write(request.session, Times(times.began, timezone.now()))
        return redirect("session_extend")
    return render(request, "accounts/session_extend.html")


@by_itself
@rule(get=anyone)
def session_status(request: HttpRequest) -> JsonResponse:
    """How long this session lasts. Open pages ask it by themselves, before they warn or leave."""
    times: Times | None = getattr(request, "session_times", None)
    left = times.left(timezone.now()) if times else {"seconds": 0}
    return JsonResponse(left)


@rule(get=any_person, post=any_person)
def kept_form_detail(request: PersonRequest) -> HttpResponse:
    """What was sent when the session was over: open its page filled in, or forget it."""
    form = kept.kept_form(request)
    if request.method == "GET" or form is None:
        return render(request, "accounts/kept_form_detail.html", {"kept": form})
    if "discard" in request.POST:
        kept.drop(request)
        messages.success(request, _("What you had written is forgotten."))
        return redirect("home")
    kept.open_it(request)
    messages.info(request, _("Filled in with what you wrote. Check it, then send it."))
    return redirect(form.address)


@rule(post=anyone)
def kept_form_create(request: HttpRequest) -> HttpResponse:
    """What stands on a page whose time is over, sent by its script: kept, and never acted on."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    page = kept.page_of(request) or "home"
    return redirect("kept_form_detail" if kept.keep(request) else page)


class Sessions(ListUserSessionsView):
    """Where the person is signed in: sessions whose time is over are not."""

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        forget_over(self.request.user)
        context: dict[str, object] = super().get_context_data(**kwargs)
        return context


class SignOut(LogoutView):
    """Out of the portal, and of the provider who vouched for the person: `next` waits for that.

    Who was asked for a code and cancels is not signed in here, and leaves the provider too.
    """

    def get_redirect_url(self) -> str:
        home = get_adapter(self.request).get_logout_redirect_url(self.request)
        is_elsewhere = home.startswith(("http://", "https://"))
        return home if is_elsewhere else str(self.get_next_url() or home)

    def logout(self) -> None:
        super().logout()
        self.request.session.pop(IDENTITY, None)


session_list = Sessions.as_view()
sign_out = SignOut.as_view()
