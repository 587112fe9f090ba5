"""The personal profile: before any page, with consent, in any script, and with its history."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.consent import privacy_statement
from accounts.models import Consent, Language, PersonalProfile, User
from accounts.profile import ProfileDetails
from accounts.services import create_profile, edit_profile
from audit.chain import verify
from audit.models import Event
from audit.services import person_chain
from audit.verbs import sentence
from tests.accounts.people import DETAILS, FIELDS, give_profile, sign_up

CREATE, DETAIL, EDIT = "/en-ca/profile/create/", "/en-ca/profile/", "/en-ca/profile/edit/"


def changed(**fields: str | None) -> dict[str, str]:
    """The fields of the page, with some changed and those that are None left out."""
    return {name: value for name, value in (FIELDS | fields).items() if value is not None}


def test_creating_a_profile_keeps_the_consent(newcomer: User, at: datetime) -> None:
    profile = create_profile(
        actor=newcomer,
        details=DETAILS,
        statement=privacy_statement(),
        read_in=Language.FRENCH,
        at=at,
    )
    person = User.objects.get(pk=newcomer.pk)
    assert ProfileDetails.of(person) == DETAILS
    assert profile.created_at == at
    consent = Consent.objects.get()
    assert (consent.user, consent.kind, consent.version) == (person, "privacy", "1")
    assert (consent.language, consent.at) == ("fr-ca", at)
    assert consent.text_hash == privacy_statement().text_hash
    assert str(consent) == "privacy 1"


def test_creating_and_changing_a_profile_is_history(newcomer: User, at: datetime) -> None:
    person = give_profile(newcomer, at)
    edit_profile(actor=person, details=replace(DETAILS, family_name="Roy"), at=at)
    created, edited = Event.objects.filter(chain=person_chain(person)).order_by("seq")
    assert created.before is None
    assert created.after
    assert created.after["consent"]["text_hash"] == privacy_statement().text_hash
    assert created.actor_name == "Ada Okafor"
    assert (edited.before, edited.after) == ({"family_name": "Okafor"}, {"family_name": "Roy"})
    assert (edited.object_type, edited.object_id) == ("person", str(person.pk))
    assert verify(person_chain(person)) is None
    assert sentence(created) == "Created a personal profile"
    assert sentence(edited) == "Changed the personal profile"


def test_a_second_profile_is_not_made(person: User, at: datetime) -> None:
    again = create_profile(
        actor=person,
        details=replace(DETAILS, given_name="Eve"),
        statement=privacy_statement(),
        read_in=Language.ENGLISH,
        at=at,
    )
    assert again == PersonalProfile.objects.get()
    assert User.objects.get(pk=person.pk).first_name == "Ada"
    assert Consent.objects.count() == Event.objects.count() == 1


def test_an_edit_that_changes_nothing_writes_nothing(person: User, at: datetime) -> None:
    edit_profile(actor=person, details=DETAILS, at=at)
    assert Event.objects.count() == 1


# ---------------------------------------------------------------- no page before the profile


@pytest.mark.parametrize("address", ["/en-ca/", DETAIL, EDIT])
def test_no_page_opens_before_the_profile(newcomer_client: Client, address: str) -> None:
    response = newcomer_client.get(address, {"a": "1"})
    assert response.status_code == 302
    assert response["Location"].startswith(f"{CREATE}?next=%2Fen-ca%2F")
    assert response["Location"].endswith("%3Fa%3D1")


def test_a_post_before_the_profile_does_nothing(newcomer_client: Client) -> None:
    response = newcomer_client.post(EDIT, FIELDS)
    assert (response.status_code, response["Location"]) == (302, CREATE)


@pytest.mark.parametrize(
    "name",
    [
        "profile_create",
        "account_logout",
        "account_email",
        "account_change_password",
        "health",
    ],
)
def test_what_opens_before_the_profile(newcomer_client: Client, name: str) -> None:
    assert newcomer_client.get(reverse(name)).status_code == 200


def test_whoever_has_no_profile_can_be_asked_who_they_are(newcomer_client: Client) -> None:
    assert newcomer_client.post(reverse("account_reauthenticate")).status_code == 200


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    response = client.get(DETAIL)
    assert response["Location"] == f"/en-ca/account/login/?next={DETAIL}"
    assert client.get(CREATE).status_code == 302


# ---------------------------------------------------------------- the pages


def test_the_first_profile_shows_the_statement_and_the_address(newcomer_client: Client) -> None:
    response = newcomer_client.get(CREATE)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Privacy and consent statement" in page
    assert "ada@example.ca" in page
    assert reverse("account_email") in page
    assert "Énoncé de confidentialité" in (
        newcomer_client.get("/fr-ca/profile/create/").content.decode()
    )


def test_a_profile_is_created_and_leads_on(newcomer_client: Client, newcomer: User) -> None:
    response = newcomer_client.post(CREATE, FIELDS | {"next": DETAIL})
    assert (response.status_code, response["Location"]) == (302, DETAIL)
    assert ProfileDetails.of(User.objects.get(pk=newcomer.pk)) == DETAILS
    page = newcomer_client.get(DETAIL).content.decode()
    assert "Your personal profile has been created." in page
    assert "613-555-0123" in page
    assert "version 1" in page


def test_a_new_profile_leads_to_the_preferred_language(newcomer_client: Client) -> None:
    response = newcomer_client.post(CREATE, FIELDS | {"language": "fr-ca", "next": "/en-ca/"})
    assert response["Location"] == "/fr-ca/"
    assert Consent.objects.get().language == "en-ca"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", ""],
)
def test_nobody_is_led_elsewhere(newcomer_client: Client, elsewhere: str) -> None:
    page = newcomer_client.get(CREATE, {"next": elsewhere}).content.decode()
    assert "evil" not in page.partition("<form")[2].partition("</form>")[0]
    response = newcomer_client.post(CREATE, FIELDS | {"next": elsewhere})
    assert response["Location"] == "/en-ca/"


def test_a_profile_is_created_once(newcomer_client: Client) -> None:
    newcomer_client.post(CREATE, FIELDS)
    for method in (newcomer_client.get, newcomer_client.post):
        response = method(CREATE, FIELDS | {"given_name": "Eve"})
        assert (response.status_code, response["Location"]) == (302, DETAIL)
    assert PersonalProfile.objects.count() == 1


BAD: dict[str, tuple[Mapping[str, str | None], str, str]] = {
    "no name": ({"given_name": "  "}, "given_name", "required"),
    "a long name": ({"family_name": "é" * 101}, "family_name", "max_length"),
    "a name of control characters": ({"given_name": "A\x07da"}, "given_name", "control_characters"),
    "a name that turns": ({"given_name": "A\u202eda"}, "given_name", "control_characters"),
    "a name without letters": ({"given_name": "--"}, "given_name", "name"),
    "no telephone": ({"telephone": ""}, "telephone", "required"),
    "too few digits": ({"telephone": "555-12"}, "telephone", "telephone"),
    "too many digits": ({"telephone": "1234567890123456"}, "telephone", "telephone"),
    "letters in a telephone": ({"telephone": "613-555-0123 ext 4"}, "telephone", "telephone"),
    "a plus inside": ({"telephone": "613+5550123"}, "telephone", "telephone"),
    "a long telephone": ({"telephone": "6 " * 20}, "telephone", "max_length"),
    "letters in an extension": ({"telephone_extension": "4a"}, "telephone_extension", "invalid"),
    "an unknown language": ({"language": "de"}, "language", "invalid_choice"),
    "no language": ({"language": None}, "language", "required"),
    "no consent": ({"consent": None}, "consent", "required"),
    "another statement": ({"statement": "0" * 64}, "consent", "statement_changed"),
    "no statement": ({"statement": None}, "consent", "statement_changed"),
}


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(newcomer_client: Client, case: str) -> None:
    fields, field, code = BAD[case]
    response = newcomer_client.post(CREATE, changed(**fields))
    assert response.status_code == 422
    errors = response.context["form"].errors.as_data()
    assert {name: [error.code for error in found] for name, found in errors.items()} == {
        field: [code]
    }
    page = response.content.decode()
    assert privacy_statement().text_hash in page
    assert not PersonalProfile.objects.exists()


GOOD: dict[str, dict[str, str]] = {
    "an apostrophe": {"family_name": "O’Brien-Lévesque"},
    "Inuktitut": {"given_name": "ᓄᓇᕗᑦ"},
    "Chinese": {"given_name": "李", "family_name": "王"},
    "Arabic": {"given_name": "محمد"},
    "combining marks": {"given_name": "Zoe\u0308"},
    "a hundred letters": {"given_name": "é" * 100},
    "the shortest number": {"telephone": "555-0123"},
    "an international number": {"telephone": "+44 (0)20 7946.0123"},
    "full-width digits": {"telephone": "６１３-５５５-０１２３"},
    "no extension": {"telephone_extension": ""},
}


@pytest.mark.parametrize("case", GOOD)
def test_names_and_numbers_of_everywhere_are_accepted(newcomer_client: Client, case: str) -> None:
    response = newcomer_client.post(CREATE, FIELDS | GOOD[case])
    assert response.status_code == 302, response.context["form"].errors


def test_text_is_kept_in_one_form(newcomer_client: Client, newcomer: User) -> None:
    newcomer_client.post(
        CREATE, FIELDS | {"given_name": "  Zoe\u0308 ", "telephone": "６１３  555  0123"}
    )
    person = User.objects.get(pk=newcomer.pk)
    assert (person.first_name, person.profile.telephone) == ("Zoë", "613 555 0123")


def test_a_profile_is_changed(person_client: Client, person: User) -> None:
    page = person_client.get(EDIT).content.decode()
    assert 'value="Okafor"' in page
    response = person_client.post(EDIT, changed(family_name="Roy", notify_by_email=None))
    assert (response.status_code, response["Location"]) == (302, DETAIL)
    found = User.objects.get(pk=person.pk)
    assert (found.last_name, found.profile.notify_by_email) == ("Roy", False)
    assert "Your personal profile has been saved." in person_client.get(DETAIL).content.decode()


def test_a_changed_language_is_the_language_of_the_next_page(person_client: Client) -> None:
    response = person_client.post(EDIT, FIELDS | {"language": "fr-ca"})
    assert response["Location"] == "/fr-ca/profile/"
    assert person_client.get(response["Location"]).status_code == 200


def test_a_bad_change_is_refused(person_client: Client, person: User) -> None:
    response = person_client.post(EDIT, FIELDS | {"telephone": "x"})
    assert response.status_code == 422
    assert User.objects.get(pk=person.pk).profile.telephone == "613-555-0123"


def test_a_profile_is_read_only_where_it_is_shown(person_client: Client) -> None:
    assert person_client.post(DETAIL, FIELDS).status_code == 405


def test_posting_twice_has_one_effect(person_client: Client) -> None:
    fields: dict[str, Any] = FIELDS | {
        "family_name": "Roy",
        "form_key": "6ecd8c99-4036-403d-bf84-cf8400f67836",
    }
    answers = [person_client.post(EDIT, fields) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {DETAIL}
    assert Event.objects.filter(verb="profile.edit").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_first_profiles_at_once_are_one(at: datetime) -> None:
    newcomer = sign_up()

    def create(number: int) -> None:
        try:
            create_profile(
                actor=newcomer,
                details=replace(DETAILS, given_name=f"Ada {'ABCD'[number]}"),
                statement=privacy_statement(),
                read_in=Language.ENGLISH,
                at=at,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(4)))
    assert PersonalProfile.objects.count() == Consent.objects.count() == 1
    event = Event.objects.get()
    assert event.after and event.after["given_name"] == User.objects.get().first_name
