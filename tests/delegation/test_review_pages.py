"""The pages of an access review: answer, apply, sign, read what was signed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import AccessReview, ProgramRole
from delegation.roles import Role
from delegation.services.reviews import apply_access_review, create_access_review
from delegation.services.rights import end_program_role
from tests.delegation.reading import as_, confirm, queries, words
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")


def url(name: str, business: BusinessAccount, **more: object) -> str:
    return reverse(f"access_review_{name}", kwargs={"bn9": business.bn9, **more})


@pytest.fixture
def manager(world: World, maple: BusinessAccount) -> Client:
    return as_(world.manager(maple))


def posted(browser: Client, page: str, **more: str) -> dict[str, Any]:
    """What the page of a review posts: its choices and what it showed, changed by `more`."""
    form = browser.get(page).context["form"]
    shown = {name: str(form[name].value() or "") for name in form.fields}
    before = {f"initial-{name}": value for name, value in shown.items()}
    return {**before, **shown, **more}


def test_a_review_is_opened_answered_applied_and_signed(
    world: World, maple: BusinessAccount, manager: Client
) -> None:
    ed = world.employee("Ed Elm", maple, RM0001="editor", RM0002="pam")
    opened = manager.post(url("create", maple))
    review = AccessReview.objects.get()
    page = url("detail", maple, pk=review.pk)
    assert opened.url == page
    said = words(manager.get(page))
    assert "Ed Elm" in said and "Reduce to Reader" in said and "Last used" in said
    one, two = "line_1", "line_2"

    chosen = posted(manager, page, **{one: "reader"})
    kept = manager.post(url("answer", maple, pk=review.pk), chosen | {"next": ""})
    assert kept.url.startswith(page)
    manager.post(url("answer", maple, pk=review.pk), posted(manager, page, **{two: "remove"}))
    assert "Your answers are kept. Nothing has changed yet." in words(manager.get(page))
    assert "2 of them are answered" in words(manager.get(page))
    assert "Keep the answers" in words(manager.get(page))
    manager.post(url("answer", maple, pk=review.pk), posted(manager, page))
    assert "No answer was changed." in words(manager.get(page))
    # What another manager answered since the page was shown is not written over.
    stale = posted(manager, page)
    manager.post(url("answer", maple, pk=review.pk), posted(manager, page, **{two: "keep"}))
    manager.post(url("answer", maple, pk=review.pk), {**stale, "keep_the_rest": "yes"})
    answers = list(review.lines.order_by("position").values_list("answer", flat=True))
    assert answers == ["reduce", "keep", "keep"]

    preview = words(manager.get(url("apply", maple, pk=review.pk)))
    assert "Ed Elm Editor, RM 0001 Maple 1 Reduce to Reader" in preview
    assert "2 grants are kept as they are." in preview
    applied = confirm(manager, url("apply", maple, pk=review.pk), {})
    shown = words(manager.get(applied.url))
    assert "3 answers were applied." in shown and "Keep the answers" not in shown
    assert roles_of(maple, ed, world.at) == {"RM0001": Role.READER, "RM0002": Role.PAM}

    assert "You sign that you looked" in words(manager.get(url("sign", maple, pk=review.pk)))
    assert confirm(manager, url("sign", maple, pk=review.pk), {}).url == page
    signed = manager.get(page)
    review.refresh_from_db()
    assert review.digest in words(signed) and "Reduced Reader" in words(signed)
    assert manager.get(url("apply", maple, pk=review.pk)).url == page
    review.lines.filter(position=1).update(result="kept")
    assert "This review is not what was signed" in words(manager.get(page))


def test_nothing_is_applied_that_was_not_read(
    world: World, maple: BusinessAccount, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = world.employee("Ed Elm", maple, RM0001="editor")
    review = done(create_access_review(actor=world.manager(maple), acting_for=maple, at=world.at))
    page, way = url("detail", maple, pk=review.pk), url("apply", maple, pk=review.pk)
    manager.post(url("answer", maple, pk=review.pk), posted(manager, page, line_1="reader"))
    seen = manager.get(way).context["seal"]
    manager.post(url("answer", maple, pk=review.pk), posted(manager, page, line_1="remove"))
    again = manager.post(way, {"confirm": "yes", "seal": seen})
    assert again.status_code == 409 and "This changed since you looked" in words(again)
    assert roles_of(maple, ed, world.at)["RM0001"] is Role.EDITOR

    def late(**who: Any) -> Any:
        """Between the page and the act somebody else ends the role."""
        role = ProgramRole.objects.get(user=ed)
        done(end_program_role(actor=world.manager(maple), acting_for=maple, role=role, at=world.at))
        return apply_access_review(**who)

    monkeypatch.setattr("delegation.views.reviews.apply_access_review", late)
    crossed = confirm(manager, way, {})
    assert crossed.status_code == 409 and "This changed since you looked" in words(crossed)
    assert "Ended meanwhile" in words(crossed) and not review.lines.exclude(result="").exists()
    sign = manager.get(url("sign", maple, pk=review.pk))
    assert "Some grants have no result yet." in words(sign)
    wrong = posted(manager, page, line_1="bam")
    assert manager.post(url("answer", maple, pk=review.pk), wrong).status_code == 422


def test_changes_are_applied_so_many_at_once(
    world: World, maple: BusinessAccount, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delegation.reviews.CHANGES", 1)
    ed = world.employee("Ed Elm", maple, RM0001="editor", RM0002="pam")
    review = done(create_access_review(actor=world.manager(maple), acting_for=maple, at=world.at))
    page, way = url("detail", maple, pk=review.pk), url("apply", maple, pk=review.pk)
    answers = posted(manager, page, line_1="remove", line_2="reader", line_3="keep")
    manager.post(url("answer", maple, pk=review.pk), answers)
    assert "1 more answer comes next" in words(manager.get(way))
    confirm(manager, way, {})
    assert roles_of(maple, ed, world.at) == {"RM0001": None, "RM0002": Role.PAM}
    confirm(manager, way, {})
    assert roles_of(maple, ed, world.at)["RM0002"] is Role.READER
    assert not review.lines.filter(result="").exists()


def test_many_lines_cost_as_many_queries_as_few(
    world: World, maple: BusinessAccount, manager: Client
) -> None:
    for number in range(6):
        world.employee(f"Ed {number}", maple, RM0001="editor")
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    review = done(create_access_review(**boss))
    page = url("detail", maple, pk=review.pk)
    few = queries(manager, page)
    role = ProgramRole.objects.filter(user__first_name="Ed").first()
    assert role
    lines = review.lines.filter(program_role__isnull=False)
    first = lines.first()
    assert first
    copies = []
    for position in range(100, 200):
        copy = type(first).objects.get(pk=first.pk)
        copy.pk, copy.position = None, position
        copies.append(copy)
    type(first).objects.bulk_create(copies)
    assert queries(manager, page) == few
    shown = manager.get(page).context["page"]
    assert len(shown.rows) == 50 and shown.next_token
    further = manager.get(page, {"after": shown.next_token}).context["page"].rows
    assert further[0].position > shown.rows[-1].position
    found = manager.get(page, {"name": "ed 3", "state": "open"}).context["page"].rows
    assert {line.person_name for line in found} == {"Ed 3"}


def test_a_review_that_is_due_is_proposed(world: World) -> None:
    maple = world.earlier(days=400).importer("Maple")
    ours = world.employee("Ed", maple, RM0001="pam")
    home = reverse("business_home", kwargs={"bn9": maple.bn9})
    due = "It is time for the yearly access review"
    assert due in words(as_(world.manager(maple)).get(home))
    assert due not in words(as_(ours).get(home))
    assert "more than a year old, or there was none" in words(
        as_(world.manager(maple)).get(url("list", maple))
    )
