"""The way of every act on a group: said in words with all that it changes, then confirmed, done."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from audit.services import Refusal
from delegation.access import Access
from delegation.effects import Outcome, try_out
from delegation.effects_in_words import effect_of
from delegation.forms.groups import ChooseForm
from delegation.forms.programs import FindsPrograms
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import can_list_groups
from delegation.views.employees import status_of
from pages.forms import PortalForm
from pages.preview import is_confirmed, is_confirming, previewed

PREVIEW = "delegation/group_preview.html"


@dataclass(frozen=True)
class Place:
    """Where a page of groups stands: its part of the account; label and address of each crumb."""

    part: str
    crumbs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Proposal:
    """An act on a group, as its page puts it before it is done.

    `concerned` gives the keys of the people whom it may touch, and holds what it changes; `then`
    is where the page goes on with what the act answers.
    """

    title: str
    sentence: str
    button: str
    success: str
    act: Callable[[], object]
    concerned: Callable[[], Collection[int]]
    then: Callable[[Any], str]
    cancel_url: str
    is_taking: bool = False


@dataclass(frozen=True)
class FormPage:
    """The page on which an act is described."""

    title: str
    cancel_url: str
    template: str = "delegation/group_form.html"
    lead: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def settle_form[Form: PortalForm](
    request: HttpRequest,
    access: Access,
    place: Place,
    form: Form,
    page: FormPage,
    propose: Callable[[Form], Proposal],
) -> HttpResponse:
    """Ask for what an act needs, show what it would change, and do what was confirmed.

    An act that is refused brings the form back with the reason.
    """

    def draw(status: int) -> HttpResponse:
        context = {"form": form, "page": page, **page.more}
        return group_page(request, page.template, access, place, context, status)

    if isinstance(form, FindsPrograms) and form.is_finding:
        form.unjudged()
        return draw(200)
    if not form.is_bound or "change" in request.POST:
        return draw(200)
    if not form.is_valid():
        return draw(422)
    answer = _settle(request, access, place, propose(form), form)
    if isinstance(answer, Refusal):
        form.add_error("name" if answer.code == "name_taken" else None, str(answer.message))
        return draw(status_of(answer))
    return answer


def settle_at_once(
    request: HttpRequest, access: Access, place: Place, proposal: Proposal
) -> HttpResponse:
    """The same of an act that needs no form; one that is refused says why in its place."""
    answer = _settle(request, access, place, proposal, None)
    if isinstance(answer, Refusal):
        context = {"proposal": proposal, "problem": str(answer.message)}
        return group_page(request, PREVIEW, access, place, context, status_of(answer))
    return answer


def _settle(
    request: HttpRequest,
    access: Access,
    place: Place,
    proposal: Proposal,
    form: PortalForm | None,
) -> HttpResponse | Refusal:
    """Show what an act would change, or do it where just that was confirmed."""
    shown: dict[str, Any] = {"title": proposal.title, "sentence": proposal.sentence}

    def keep(answer: object, outcome: Outcome) -> bool:
        shown["effect"] = effect_of(outcome, access.acting_for)
        # That a confirmed act was refused stays in the history.
        if isinstance(answer, Refusal):
            return is_confirming(request)
        return is_confirmed(request, shown)

    answer, _outcome = try_out(access, proposal.act, concerned=proposal.concerned, keep=keep)
    if isinstance(answer, Refusal):
        return answer
    if is_confirmed(request, shown):
        messages.success(request, proposal.success)
        return redirect(proposal.then(answer))
    context = {"proposal": proposal, "form": form, "problem": "", **previewed(request, shown)}
    status = 409 if context["has_changed"] else 200
    return group_page(request, PREVIEW, access, place, context, status)


def choice(request: HttpRequest, choices: Sequence[tuple[str, str]], **words: Any) -> ChooseForm:
    """The form as it is posted; while somebody still searches, as it is filled in so far."""
    is_searching = request.method != "POST" or "find" in request.POST
    initial = {"name": request.POST.get("name", ""), "chosen": request.POST.getlist("chosen")}
    return ChooseForm(
        None if is_searching else request.POST, initial=initial, choices=choices, **words
    )


def group_page(
    request: HttpRequest,
    template: str,
    access: Access,
    place: Place,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """A page of groups, with what each of them shows."""
    context |= {
        "business": access.acting_for,
        "crumbs": place.crumbs,
        "lists_groups": can_list_groups(access),
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, place.part),
    }
    return render(request, template, context, status=status)


def by(access: Access) -> dict[str, Any]:
    """Who acts, for whom and when, as every service is told."""
    return {"actor": access.person, "acting_for": access.acting_for, "at": access.at}


def account(access: Access) -> dict[str, str]:
    """The account in use, as every sentence names it."""
    return {"business": access.acting_for.name, "bn": access.acting_for.bn_shown}
