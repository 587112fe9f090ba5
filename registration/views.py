"""The pages of Register My Business."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.requests import PersonRequest
from accounts.sign_in import language_of_page
from audit.services import Refusal
from businesses.countries import country_name
from delegation.entry import enter
from delegation.services.relationships import received_requests
from delegation.services.roles import managers_of
from pages.once import once
from pages.rules import any_person, rule
from pages.steady import steady
from registration import services
from registration.forms import (
    BusinessNumberForm,
    LegalEntityForm,
    ReviewRequestForm,
    SecurityQuestionsForm,
    SubmitForm,
    TermsForm,
    shown_number,
)
from registration.models import ANSWERS, ENTITY, Outcome, Registration
from registration.permissions import can_view_registration
from registration.steps import Step, address, all_done, before, is_open, next_step, progress
from registration.terms import terms_in_force
from registration.tries import tries

MOST_REQUESTS = 25
"""How many waiting requests the receipt lists; the page of relationships has them all."""

JUST_NOW = timedelta(hours=1)
"""For how long the pages of a closed registration lead to how it ended."""

SUPPORT_CODE = "CCP-REG-01"
"""What client support asks for. One code, whatever the reason: it tells nothing."""


@rule(get=any_person, post=any_person)
@once
def registration_start(request: PersonRequest) -> HttpResponse:
    """What you will need; the post begins a draft, or goes on with the open one."""
    if request.method == "POST":
        draft = services.start_registration(
            actor=request.user, at=timezone.now(), again=_again(request)
        )
        return redirect(_page_of(draft))
    open_draft = _open_draft(request)
    in_review = _of(request).filter(outcome=Outcome.IN_REVIEW)
    context = {
        "draft": open_draft,
        "reviews": in_review.order_by("submitted_at"),
        "steps": progress(Step.WHAT_YOU_NEED, open_draft),
    }
    return render(request, "registration/registration_start.html", context)


@rule(get=any_person, post=any_person)
@once
def registration_step(request: PersonRequest, step: str) -> HttpResponse:
    """One step with a form: business number, legal entity, security questions or terms."""
    if step not in FORMS:
        raise Http404
    here, draft = Step(step), _open_draft(request)
    if draft is None or not is_open(here, draft):
        return _elsewhere(request, draft)
    form = FORMS[here](request, draft)
    if form.is_valid():
        return redirect(_page_of(_save(request, here, draft, form)))
    context = {
        "form": form,
        "draft": draft,
        "step": here,
        "steps": progress(here, draft),
        "back": address(before(here)),
    }
    if here is Step.TERMS:
        terms, language = terms_in_force(), language_of_page()
        context |= {
            "terms": terms,
            "terms_title": terms.title(language),
            "terms_sections": terms.sections(language),
        }
    template = f"registration/registration_{here.replace('-', '_')}.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


@rule(get=any_person, post=any_person)
@steady
@once
def registration_review(request: PersonRequest) -> HttpResponse:
    """Every answer once more; the post has them judged."""
    draft, at = _open_draft(request), timezone.now()
    if draft is None or not is_open(Step.REVIEW, draft):
        return _elsewhere(request, draft)
    problem = None
    if request.method == "POST":
        result = services.submit_registration(
            actor=request.user, registration=draft, expected_version=_version(request), at=at
        )
        draft.refresh_from_db()
        if draft.outcome or not isinstance(result, Refusal):
            return redirect(_page_of(draft))
        problem = result.message
    context = {
        "draft": draft,
        "country": country_name(draft.country, language_of_page()),
        "tries": tries(request.user, draft.bn9, at),
        "problem": problem,
        "steps": progress(Step.REVIEW, draft),
        "links": {step.name: address(step) for step in Step},
    }
    return render(
        request, "registration/registration_review.html", context, status=409 if problem else 200
    )


@rule(get=can_view_registration)
def registration_outcome(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The one page of whatever did not succeed, also while it waits for a review."""
    registration = _mine(request, pk)
    if registration.outcome in ("", Outcome.REGISTERED):
        return redirect(_page_of(registration))
    context = {
        "registration": registration,
        "is_in_review": registration.outcome == Outcome.IN_REVIEW,
        "tries": tries(request.user, registration.bn9, timezone.now()),
        "support_code": SUPPORT_CODE,
    }
    return render(request, "registration/registration_outcome.html", context)


@rule(get=can_view_registration, post=can_view_registration)
@once
def registration_review_request(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask for a review of a registration that did not succeed."""
    registration = _mine(request, pk)
    if registration.outcome not in (Outcome.FAILED, Outcome.LOCKED):
        return redirect(_page_of(registration))
    form, status = ReviewRequestForm(_posted(request)), 422
    if form.is_valid():
        result = services.request_review(
            actor=request.user,
            registration=registration,
            note=form.cleaned_data["note"],
            at=timezone.now(),
        )
        if not isinstance(result, Refusal):
            messages.success(request, _("Your request for a review was sent."))
            return redirect("registration_outcome", pk=pk)
        form.add_error(None, str(result.message))
        status = 409
    return render(
        request,
        "registration/registration_review_request.html",
        {"form": form, "registration": registration},
        status=status if form.is_bound else 200,
    )


@rule(get=can_view_registration, post=can_view_registration)
@once
def registration_receipt(request: PersonRequest, pk: UUID) -> HttpResponse:
    """What the registration did and what comes next; the post puts off a second manager."""
    registration = _mine(request, pk)
    if registration.business is None:
        return redirect(_page_of(registration))
    access = enter(request, registration.bn9)
    if request.method == "POST":
        services.decline_second_manager(actor=request.user, registration=registration, at=access.at)
        messages.info(request, _("We will remind you until there is a second manager."))
        return redirect("registration_receipt", pk=pk)
    linked = registration.business.programs.filter(opened_at__lte=registration.submitted_at)
    context = {
        "registration": registration,
        "business": registration.business,
        "programs": linked.order_by("extension"),
        "requests": received_requests(access).select_related("provider")[:MOST_REQUESTS],
        "is_alone": len(managers_of(registration.bn9, access.at)) < 2,
        "steps": all_done(),
    }
    return render(request, "registration/registration_receipt.html", context)


def _posted(request: PersonRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _business_number(request: PersonRequest, draft: Registration) -> Form:
    return BusinessNumberForm(_posted(request), initial=shown_number(draft.bn9, draft.extension))


def _legal_entity(request: PersonRequest, draft: Registration) -> Form:
    stated = {name: getattr(draft, name) for name in ENTITY}
    return LegalEntityForm(_posted(request), initial=stated | {"country": draft.country or "CA"})


def _security_questions(request: PersonRequest, draft: Registration) -> Form:
    answers = {name: getattr(draft, name) for name in (*ANSWERS, "has_no_records")}
    return SecurityQuestionsForm(_posted(request), initial=answers, today=timezone.localdate())


def _terms(request: PersonRequest, draft: Registration) -> Form:
    version = terms_in_force().version
    return TermsForm(
        _posted(request), version=version, initial={"accepted": draft.terms_version == version}
    )


FORMS: dict[str, Callable[[PersonRequest, Registration], Form]] = {
    Step.BUSINESS_NUMBER: _business_number,
    Step.LEGAL_ENTITY: _legal_entity,
    Step.SECURITY_QUESTIONS: _security_questions,
    Step.TERMS: _terms,
}
"""The form of each step that has one."""


def _save(request: PersonRequest, here: Step, draft: Registration, form: Form) -> Registration:
    """Keep a valid step; the draft as it is afterwards."""
    at = timezone.now()
    if here is Step.TERMS:
        return services.accept_terms(
            actor=request.user,
            registration=draft,
            terms=terms_in_force(),
            read_in=language_of_page(),
            at=at,
        )
    return services.save_step(
        actor=request.user, registration=draft, step=here, answers=form.cleaned_data, at=at
    )


def _of(request: PersonRequest) -> QuerySet[Registration]:
    """The person's registrations."""
    return Registration.objects.filter(person=request.user)


def _open_draft(request: PersonRequest) -> Registration | None:
    """The person's draft, as long as it is kept."""
    draft = _of(request).filter(outcome="").first()
    return None if draft is None or draft.is_past(timezone.now()) else draft


def _elsewhere(request: PersonRequest, draft: Registration | None) -> HttpResponse:
    """From a step that is not open to where the person is, and why nothing was saved."""
    there = draft or _just_closed(request)
    if there is None and request.method == "POST":
        messages.warning(
            request,
            _(
                "Nothing was saved: you have no registration under way. One is kept for 30 days "
                "after you last saved it."
            ),
        )
    return redirect(_page_of(there))


def _just_closed(request: PersonRequest) -> Registration | None:
    """What the person submitted a moment ago: who goes back to its pages is led to how it ended."""
    since = timezone.now() - JUST_NOW
    return _of(request).filter(submitted_at__gte=since).order_by("-submitted_at").first()


def _mine(request: PersonRequest, pk: UUID) -> Registration:
    """A registration of the person; anybody else's is no such page."""
    every = Registration.objects.select_related("business", "review_request")
    registration = get_object_or_404(every, pk=pk)
    if not can_view_registration(request.user, registration):
        raise Http404
    return registration


def _again(request: PersonRequest) -> Registration | None:
    """The closed registration that the person wants to try again."""
    try:
        pk = UUID(request.POST.get("again", ""))
    except ValueError:
        return None
    closed = (Outcome.FAILED, Outcome.LOCKED, Outcome.IN_REVIEW)
    return _of(request).filter(pk=pk, outcome__in=closed).first()


def _version(request: PersonRequest) -> int:
    """The version that the review page showed; one that no draft has where it is malformed."""
    form = SubmitForm(request.POST)
    return form.cleaned_data["version"] if form.is_valid() else -1


def _page_of(registration: Registration | None) -> str:
    """Where a registration stands: its next step, its receipt or its outcome."""
    if registration is None:
        return reverse("registration_start")
    if not registration.outcome:
        return address(next_step(registration))
    is_registered = registration.outcome == Outcome.REGISTERED
    name = "registration_receipt" if is_registered else "registration_outcome"
    return reverse(name, kwargs={"pk": registration.pk})
