"""What a form makes of text before any field sees it, and what it refuses."""

import time
from datetime import date
from typing import Any

import pytest
from django import forms
from django.http import QueryDict
from django.utils.translation import override

from pages.forms import MOST_CHARACTERS, DayField, PortalForm


class Ask(PortalForm):
    number = forms.CharField(max_length=9)
    note = forms.CharField(max_length=500, required=False, widget=forms.Textarea)
    remark = forms.CharField(required=False)
    password = forms.CharField(required=False, strip=False, widget=forms.PasswordInput)
    last_day = DayField(required=False)
    programs = forms.MultipleChoiceField(
        required=False, choices=[("RM0001", "Main"), ("RM0002", "West")]
    )


def ask(**data: Any) -> Ask:
    posted = QueryDict(mutable=True)
    for name, value in ({"number": "888316171"} | data).items():
        posted.setlist(name, value if isinstance(value, list) else [value])
    return Ask(posted)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("  888316171\t", "888316171"),
        ("８８８３１６１７１", "888316171"),
        ("88831\u00a06171", "88831 6171"),
        ("\ufeff888\u200b316\u00ad171\u200e", "888316171"),
        ("e\u0301", "é"),
        ("ﬁn", "fin"),
    ],
)
def test_text_is_made_regular(typed: str, understood: str) -> None:
    form = ask(number=typed)
    form.is_valid()

    assert form["number"].data == understood


@pytest.mark.asvs("1.3.3", "1.3.11")
@pytest.mark.parametrize(
    "text", ["a\x00b", "a\x07b", "a\x1bb", "a\nb", "a\tb", "a\u2028b", "a\u202eb", "a\u2066b"]
)
def test_a_line_refuses_what_cannot_be_seen(text: str) -> None:
    form = ask(number=text)

    assert form.errors["number"] == [
        "The text held characters that cannot be seen. "
        "They are now removed: check it and send it again."
    ]
    assert form["number"].value() == "ab"


@pytest.mark.asvs("1.3.3")
@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "a\u202eb", "a\u2028b"])
def test_a_text_refuses_what_cannot_be_seen(text: str) -> None:
    assert ask(note=text).has_error("note", "control_characters")


def test_a_text_keeps_its_lines() -> None:
    form = ask(note="one\r\ntwo\rthree\n\tfour")

    assert form.is_valid()
    assert form.cleaned_data["note"] == "one\ntwo\nthree\n\tfour"


def test_lines_ended_by_two_characters_count_once() -> None:
    assert ask(note="\r\n".join(["x" * 9] * 50)).is_valid()


@pytest.mark.parametrize("name", ["number", "note", "remark", "last_day"])
@pytest.mark.parametrize("letter", ["a", "１", " ", "\u202e", "\x00"])
def test_ten_megabytes_are_refused_at_once(name: str, letter: str) -> None:
    text = "a" + letter * 10_000_000 + "b"
    began = time.process_time()
    form = ask(**{name: text})

    assert not form.is_valid()
    assert len(form[name].value()) <= MOST_CHARACTERS + 1
    assert time.process_time() - began < 0.5


@pytest.mark.asvs("1.3.3", "2.2.1")
@pytest.mark.parametrize(("name", "most"), [("number", 9), ("note", 500), ("remark", 1000)])
def test_one_character_too_many_is_refused_in_words(name: str, most: int) -> None:
    assert ask(**{name: "x" * most}).is_valid()
    assert ask(**{name: "x" * (most + 1)}).errors[name] == [f"Use at most {most} characters."]


def test_a_password_is_left_as_typed() -> None:
    form = ask(password="  ﬁ\u200b ")

    assert form.is_valid()
    assert form.cleaned_data["password"] == "  ﬁ\u200b "


def test_a_list_of_choices_is_made_regular() -> None:
    form = ask(programs=["ＲＭ０００１", " RM0002 "])

    assert form.is_valid()
    assert form.cleaned_data["programs"] == ["RM0001", "RM0002"]


@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
def test_a_day_is_year_month_day_in_both_languages(language: str) -> None:
    with override(language):
        form = ask(last_day="2027-03-31")

        assert form.is_valid()
        assert form.cleaned_data["last_day"] == date(2027, 3, 31)
        assert 'value="2027-03-31"' in str(Ask(initial={"last_day": date(2027, 3, 31)})["last_day"])


@pytest.mark.parametrize("typed", ["31/03/2027", "2027-02-30", "tomorrow", "2027-3"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    assert ask(last_day=typed).has_error("last_day", "invalid")


@pytest.mark.parametrize("typed", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_a_year_that_cannot_be_is_refused(typed: str) -> None:
    assert ask(last_day=typed).has_error("last_day", "year")


class Choose(PortalForm):
    role = forms.ChoiceField(choices=[("pam", "PAM")], required=False)
    kind = forms.ChoiceField(
        choices=[("a", "A")], required=False, error_messages={"invalid_choice": "A it is."}
    )
    programs = forms.MultipleChoiceField(choices=[("RM0001", "Main")], required=False)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fields["late"] = forms.TypedChoiceField(choices=[("x", "X")], required=False)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("role", "Choose from the answers shown."),
        ("programs", "Choose from the answers shown."),
        ("late", "Choose from the answers shown."),
        ("kind", "A it is."),
    ],
)
def test_an_answer_that_is_not_offered_is_refused_in_the_words_of_the_house(
    name: str, error: str
) -> None:
    assert Choose({name: "owner"}).errors[name] == [error]


class Amount(PortalForm):
    amount = forms.DecimalField(max_digits=14, decimal_places=2)


@pytest.mark.parametrize("language", ["en-ca", "fr-ca"])
def test_a_number_in_an_input_has_no_separators(language: str) -> None:
    with override(language):
        assert 'value="1234567.5"' in str(Amount(initial={"amount": 1234567.5})["amount"])
