"""The yearly access review: what everybody holds, what shall become of it, and who signed that."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.services import Refusal
from delegation.access import Access
from delegation.entry import enter
from delegation.forms.reviews import AccessReviewAnswerForm, AccessReviewFilterForm, positions_in
from delegation.models import AccessReview, AccessReviewLine, ReviewAnswer, ReviewResult
from delegation.navigation import employee_nav, section_nav
from delegation.permissions import can_list_access_reviews, can_review_access
from delegation.reviews import (
    answered,
    answers_digest,
    begun_since,
    counts,
    in_words,
    is_intact,
    is_review_due,
    kept,
    lines_of,
    newest_first,
    next_changes,
)
from delegation.roles import Role
from delegation.services.reviews import (
    Outcome,
    answer_access_review,
    apply_access_review,
    create_access_review,
    sign_access_review,
)
from delegation.views.employees import status_of
from pages import results
from pages.once import once
from pages.paging import page_by_key
from pages.preview import is_confirmed, previewed
from pages.results import Result
from pages.rules import rule

LINES = 50
"""How many lines of a review one page asks about."""

MOST_NEW = 20
"""How many grants that began meanwhile a page names."""


@rule(get=can_list_access_reviews)
def access_review_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The reviews of the business: the open one, and those that were signed."""
    return _list_page(request, enter(request, bn9))


@rule(post=can_review_access)
@once
def access_review_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Open a review of every grant that lives now."""
    access = enter(request, bn9)
    answer = create_access_review(actor=access.person, acting_for=access.acting_for, at=access.at)
    if isinstance(answer, Refusal):
        return _list_page(request, access, answer)
    return redirect("access_review_detail", bn9=bn9, pk=answer.pk)


@rule(get=can_list_access_reviews)
def access_review_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """The lines of a review, page by page: to answer, or as they were signed."""
    access, review = _enter(request, bn9, pk)
    if review.signed_at:
        return _signed_page(request, access, review)
    return _lines_page(request, access, review)


@rule(post=can_review_access)
@once
def access_review_answer(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Keep the answers of a page as drafts, and go on to the next page."""
    access, review = _enter(request, bn9, pk)
    posted = lines_of(review).filter(position__in=positions_in(request.POST)[:LINES])
    form = _form(access, list(posted), request.POST)
    if not form.is_valid():
        return _lines_page(request, access, review, form=form, status=422)
    answer = answer_access_review(
        actor=access.person,
        acting_for=access.acting_for,
        review=review,
        choices=form.choices(keep_the_rest="keep_the_rest" in request.POST),
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _lines_page(request, access, review, refusal=answer)
    if answer:
        messages.success(request, _("Your answers are kept. Nothing has changed yet."))
    else:
        messages.info(request, _("No answer was changed."))
    query = request.GET.copy()
    query.pop("results", None)
    query["after"] = request.POST.get("next", "")
    here = reverse("access_review_detail", kwargs={"bn9": bn9, "pk": pk})
    return redirect(f"{here}?{query.urlencode()}")


@rule(get=can_review_access, post=can_review_access)
@once
def access_review_apply(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what will be done, and once that is confirmed, do it line by line."""
    access, review = _enter(request, bn9, pk)
    if review.signed_at:
        return redirect("access_review_detail", bn9=bn9, pk=pk)
    preview = _to_apply(access, review)
    if request.method != "POST" or not is_confirmed(request, preview):
        return _apply_page(request, access, review, preview)
    answer = apply_access_review(
        actor=access.person,
        acting_for=access.acting_for,
        review=review,
        expected=preview["digest"],
        at=access.at,
    )
    if isinstance(answer, Refusal) and answer.code == "changed":
        return _apply_page(request, access, review, _to_apply(access, review))
    if isinstance(answer, Refusal):
        return _lines_page(request, access, review, refusal=answer)
    key = results.keep(request, [_result(one) for one in answer if _is_telling(one)])
    done = sum(one.refusal is None for one in answer)
    said = ngettext("%(number)d answer was applied.", "%(number)d answers were applied.", done)
    messages.success(request, said % {"number": done})
    here = reverse("access_review_detail", kwargs={"bn9": bn9, "pk": pk})
    return redirect(f"{here}?results={key}")


@rule(get=can_review_access, post=can_review_access)
@once
def access_review_sign(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Say what is signed, and once that is confirmed, close the review for good."""
    access, review = _enter(request, bn9, pk)
    if review.signed_at:
        return redirect("access_review_detail", bn9=bn9, pk=pk)
    found = counts(review)
    if request.method != "POST" or not is_confirmed(request, found):
        context = {**previewed(request, found), "counts": _counted(found), "unanswered": found[""]}
        status = 409 if context["has_changed"] else 200
        return _page(request, "sign", access, review, context, status)
    answer = sign_access_review(
        actor=access.person,
        acting_for=access.acting_for,
        review=review,
        expected=found,
        at=access.at,
    )
    if isinstance(answer, Refusal):
        return _lines_page(request, access, review, refusal=answer)
    messages.success(request, _("The access review is signed."))
    return redirect("access_review_detail", bn9=bn9, pk=pk)


# ---------------------------------------------------------------- what is read


def _enter(request: HttpRequest, bn9: str, pk: UUID) -> tuple[Access, AccessReview]:
    """The access of the reader and a review of the business; another's does not exist."""
    access = enter(request, bn9)
    every = AccessReview.objects.select_related("business", "opened_by", "signed_by")
    review = every.filter(business=access.acting_for, pk=pk).first()
    if review is None:
        raise Http404
    return access, review


def _found(
    request: HttpRequest, review: AccessReview
) -> tuple[QuerySet[AccessReviewLine], AccessReviewFilterForm]:
    """The lines that are looked for."""
    search = AccessReviewFilterForm(request.GET)
    lines = lines_of(review)
    if not search.is_valid():
        return lines, search
    for word in search.cleaned_data["name"].split():
        lines = lines.filter(person_name__icontains=word)
    match search.cleaned_data["state"]:
        case "open":
            lines = lines.filter(answer="", result="")
        case "answered":
            lines = lines.filter(result="").exclude(answer="")
        case "applied":
            lines = lines.exclude(result="")
    return lines, search


def _form(
    access: Access, lines: list[AccessReviewLine], data: QueryDict | None = None
) -> AccessReviewAnswerForm:
    over = {line.pk for line in lines if not line.grant.active_at(access.at)}
    return AccessReviewAnswerForm(data, lines=lines, own=access.person.pk, over=over)


def _to_apply(access: Access, review: AccessReview) -> dict[str, Any]:
    """What the next answers will do in words: each change; how many are kept, and come later."""
    changes, are_kept = next_changes(review), kept(review).count()
    return {
        "digest": answers_digest(review, access.at),
        "changes": [
            [line.person_name, in_words(line), _answered(line, access.at)] for line in changes
        ],
        "kept": are_kept,
        "later": answered(review).count() - are_kept - len(changes),
    }


def _answered(line: AccessReviewLine, at: datetime) -> str:
    """What becomes of a grant; one that is over by now is left alone."""
    if not line.grant.active_at(at):
        return str(ReviewResult.CHANGED.label)
    if line.reduce_to:
        return _("Reduce to %(role)s") % {"role": Role(line.reduce_to).label}
    return str(ReviewAnswer(line.answer).label)


def _is_telling(one: Outcome) -> bool:
    """Whether the result of a line is told by itself: what was kept as it was is only counted."""
    return one.refusal is not None or one.line.result != ReviewResult.KEPT


def _result(one: Outcome) -> Result:
    label = f"{one.line.person_name} – {in_words(one.line)}"
    if one.refusal:
        return Result(label, False, str(one.refusal.message))
    return Result(label, True, str(ReviewResult(one.line.result).label))


def _counted(found: dict[str, int]) -> list[tuple[str, int]]:
    return [(str(result.label), found[result]) for result in ReviewResult]


# ---------------------------------------------------------------- pages


def _list_page(
    request: HttpRequest, access: Access, refusal: Refusal | None = None
) -> HttpResponse:
    signed = newest_first(access.acting_for)
    page = page_by_key(signed, key=("signed_at", "id"), after=request.GET.get("after", ""))
    opened = AccessReview.objects.filter(business=access.acting_for, signed_at=None)
    context = {
        "page": page,
        "open": opened.select_related("opened_by").first(),
        "is_due": is_review_due(access.acting_for, access.at),
        "may_review": can_review_access(access).allowed,
        "problem": str(refusal.message) if refusal else "",
    }
    status = status_of(refusal) if refusal else 200
    return _page(request, "list", access, None, context, status)


def _apply_page(
    request: HttpRequest, access: Access, review: AccessReview, preview: dict[str, Any]
) -> HttpResponse:
    """What will be done; where a reader confirmed something else, with a word on that."""
    context = previewed(request, preview)
    status = 409 if context["has_changed"] else 200
    return _page(request, "apply", access, review, context, status)


def _lines_page(
    request: HttpRequest,
    access: Access,
    review: AccessReview,
    *,
    form: AccessReviewAnswerForm | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    found, search = _found(request, review)
    after = request.GET.get("after", "")
    page = page_by_key(found, key=("position",), after=after, size=LINES, is_ascending=True)
    begun = begun_since(review, access.at)
    numbers = counts(review)
    context = {
        "page": page,
        "form": form or _form(access, page.rows),
        "search": search,
        "is_filtered": any(search.data.get(name) for name in search.fields),
        "query": request.GET.urlencode(),
        "open": numbers[""],
        "answered": answered(review).count(),
        "all": sum(numbers.values()),
        "begun": [f"{line.person_name} – {in_words(line)}" for line in begun[:MOST_NEW]],
        "more_begun": max(0, len(begun) - MOST_NEW),
        "results": results.kept(request, request.GET.get("results", "")),
        "may_review": can_review_access(access).allowed,
        "problem": str(refusal.message) if refusal else "",
    }
    status = status_of(refusal) if refusal else status
    return _page(request, "detail", access, review, context, status)


def _signed_page(request: HttpRequest, access: Access, review: AccessReview) -> HttpResponse:
    """A signed review; whether it is what was signed is asked each time."""
    page = page_by_key(
        lines_of(review).select_related("applied_by"),
        key=("position",),
        after=request.GET.get("after", ""),
        size=10 * LINES,
        is_ascending=True,
    )
    context = {"page": page, "counts": _counted(counts(review)), "is_intact": is_intact(review)}
    return _page(request, "signed", access, review, context)


def _page(
    request: HttpRequest,
    name: str,
    access: Access,
    review: AccessReview | None,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    context |= {
        "review": review,
        "business": access.acting_for,
        "sections": section_nav(access, "employee_list"),
        "parts": employee_nav(access, "access_review_list"),
    }
    return render(request, f"delegation/access_review_{name}.html", context, status=status)
