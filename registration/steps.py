"""The seven steps of Register My Business, and which of them a draft has behind it.

Nothing stores where a person is: a step is done when the draft holds what it asks for, so that the
way through is the same after a sign-out, in the other language and in another browser.
"""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registration.models import Registration
from registration.terms import terms_in_force


class Step(models.TextChoices):
    """The steps in order; each value is the step's part of an address."""

    WHAT_YOU_NEED = "what-you-need", _("What you will need")
    BUSINESS_NUMBER = "business-number", _("Business number")
    LEGAL_ENTITY = "legal-entity", _("Legal entity information")
    SECURITY_QUESTIONS = "security-questions", _("Security questions")
    TERMS = "terms", _("Terms and conditions")
    REVIEW = "review", _("Review")
    DONE = "done", _("Done")


def is_done(step: Step, draft: Registration) -> bool:
    """Whether the draft holds what the step asks for. Terms of an older version count as none."""
    return {
        Step.WHAT_YOU_NEED: True,
        Step.BUSINESS_NUMBER: bool(draft.bn9),
        Step.LEGAL_ENTITY: bool(draft.legal_name),
        Step.SECURITY_QUESTIONS: draft.is_answered,
        Step.TERMS: draft.terms_version == terms_in_force().version,
    }.get(step, False)


def next_step(draft: Registration) -> Step:
    """The first step that is not done; with every answer given it is the review."""
    return next(step for step in Step if not is_done(step, draft))


def is_open(step: Step, draft: Registration) -> bool:
    """Whether the person can be on a step: every step before it is done."""
    order = list(Step)
    return order.index(step) <= order.index(next_step(draft))


def before(step: Step) -> Step:
    """The step before."""
    order = list(Step)
    return order[order.index(step) - 1]


def address(step: Step) -> str:
    """The page of a step."""
    if step is Step.WHAT_YOU_NEED:
        return reverse("registration_start")
    if step is Step.REVIEW:
        return reverse("registration_review")
    return reverse("registration_step", kwargs={"step": step.value})


def progress(here: Step, draft: Registration | None = None) -> list[dict[str, object]]:
    """The steps as the page shows them; without a draft none can be gone to."""
    return [
        {
            "label": step.label,
            "state": "current" if step is here else _state(step, draft),
            "url": address(step) if draft and step is not here and is_open(step, draft) else "",
        }
        for step in Step
    ]


def all_done() -> list[dict[str, object]]:
    """The steps as the receipt shows them: each behind, and none to go back to."""
    return [
        {"label": step.label, "state": "current" if step is Step.DONE else "done", "url": ""}
        for step in Step
    ]


def _state(step: Step, draft: Registration | None) -> str:
    return "done" if draft and is_done(step, draft) else "todo"
