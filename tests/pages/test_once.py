"""A form posted twice has one effect, and one that was refused can be posted again."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from pages.models import Submission
from pages.once import ONE_TIME, once

KEY = "6f1cbe0e-0a5b-4d53-8d4e-3f6f7e0f2f55"


def effects() -> int:
    """How often the form below took effect; a session row is an effect that any app could leave."""
    return Session.objects.count()


@once
def act(request: HttpRequest) -> HttpResponse:
    """A view with an effect that is easily counted."""
    if request.POST.get("refuse"):
        return HttpResponse(status=422)
    Session.objects.create(session_key=uuid4().hex, expire_date=timezone.now())
    if request.POST.get("fail"):
        raise RuntimeError
    return HttpResponseRedirect(f"/done/{effects()}/")


def post(user: object, path: str = "/act/", **data: str) -> HttpResponse:
    request = RequestFactory().post(path, data)
    request.user = user  # type: ignore[assignment]
    return act(request)


@pytest.mark.django_db
class TestOnce:
    def test_the_second_post_answers_with_the_first_outcome(self, person: User) -> None:
        first, second = post(person, form_key=KEY), post(person, form_key=KEY)

        assert effects() == 1
        assert (first.status_code, second.status_code) == (302, 302)
        assert first["Location"] == second["Location"] == "/done/1/"

    def test_another_form_acts(self, person: User) -> None:
        post(person, form_key=KEY)
        post(person, form_key=str(uuid4()))

        assert effects() == 2

    def test_the_key_is_of_one_person_and_one_path(self, person: User) -> None:
        post(person, form_key=KEY)
        post(person, "/other/", form_key=KEY)
        post(User.objects.create(email="ben@example.com"), form_key=KEY)

        assert effects() == 3

    def test_what_was_changed_after_going_back_acts(self, person: User) -> None:
        post(person, form_key=KEY, note="One")
        post(person, form_key=KEY, note="Two")
        for name in ONE_TIME:
            post(person, form_key=KEY, note="Two", **{name: "another"})

        assert effects() == 2

    def test_a_refused_form_is_corrected_and_posted_again(self, person: User) -> None:
        assert post(person, form_key=KEY, refuse="yes").status_code == 422
        assert post(person, form_key=KEY).status_code == 302
        assert effects() == 1

    def test_a_failed_act_leaves_nothing_and_is_posted_again(self, person: User) -> None:
        with pytest.raises(RuntimeError):
            post(person, form_key=KEY, fail="yes")

        assert effects() == Submission.objects.count() == 0
        assert post(person, form_key=KEY).status_code == 302

    @pytest.mark.parametrize("key", ["", "x", "6f1cbe0e", "\x00", "9" * 10_000])
    def test_without_a_sound_key_the_view_just_runs(self, person: User, key: str) -> None:
        post(person, form_key=key)
        post(person, form_key=key)

        assert effects() == 2
        assert not Submission.objects.exists()

    def test_a_visitor_claims_nothing(self) -> None:
        post(AnonymousUser(), form_key=KEY)

        assert effects() == 1
        assert not Submission.objects.exists()

    def test_a_page_is_only_shown(self, person: User) -> None:
        request = RequestFactory().get("/act/", {"form_key": KEY})
        request.user = person
        act(request)

        assert not Submission.objects.exists()

    def test_a_long_path_is_claimed_too(self, person: User) -> None:
        post(person, "/" + "a" * 2000, form_key=KEY)
        post(person, "/" + "a" * 2000, form_key=KEY)

        assert effects() == 1


@pytest.mark.django_db
def test_old_forms_are_forgotten(person: User, clock: time_machine.Traveller) -> None:
    post(person, form_key=KEY)
    clock.shift(timedelta(days=30))
    call_command("forget_submissions", verbosity=0)
    assert Submission.objects.count() == 1

    clock.shift(timedelta(seconds=1))
    call_command("forget_submissions", verbosity=0)
    assert not Submission.objects.exists()
    assert effects() == 1


@pytest.fixture
def rounds() -> Iterator[list[HttpResponse]]:
    """Where the threads of a race leave their answers."""
    yield []


@pytest.mark.asvs("2.3.4")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(10))
def test_two_at_the_same_time_have_one_effect(
    person: User, rounds: list[HttpResponse], round_: int
) -> None:
    start = threading.Barrier(2)

    def click() -> None:
        try:
            start.wait(timeout=10)
            rounds.append(post(person, form_key=KEY))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(timeout=30)

    assert [answer["Location"] for answer in rounds] == ["/done/1/", "/done/1/"]
    assert effects() == 1
