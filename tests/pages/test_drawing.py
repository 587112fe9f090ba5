"""Fields, error summaries, tags and the pages for what went wrong, as markup."""

import re
from typing import Any
from uuid import uuid4

import html5lib
import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.utils.translation import override

from accounts.models import User
from ccp import views
from pages.context import other_language
from pages.once import is_key_of
from pages.results import Result
from tests.pages.gallery import EveryWidget, Line, Lines

pytestmark = pytest.mark.urls("tests.pages.gallery.urls")


def parsed(markup: str) -> Any:
    """The tree of a piece of a page, which must be sound HTML."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(markup)


def named(tree: Any, id_: str) -> Any:
    """The element of that id; exactly one has it."""
    (found,) = [element for element in tree.iter() if element.get("id") == id_]
    return found


def text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def draw(source: str, **context: Any) -> str:
    return Template("{% load pages %}" + source).render(Context(context))


FRESH = EveryWidget()
REFUSED = EveryWidget({"bn9": "12\x07"}, {})
SINGLE = ["bn9", "email", "password", "note", "amount", "last_day", "region", "document", "agreed"]


@pytest.mark.parametrize("name", SINGLE)
def test_an_input_has_its_label_hint_and_mark(name: str) -> None:
    field = FRESH[name]
    tree = parsed(field.as_field_group())
    control = named(tree, f"id_{name}")
    (label,) = [element for element in tree.iter("label") if element.get("for") == f"id_{name}"]

    mark = "(required)" if field.field.required else "(optional)"
    assert text(label) == f"{field.label} {mark}"
    assert control.get("required") == ("" if field.field.required else None)
    assert control.get("aria-invalid") is None
    if field.help_text:
        assert text(named(tree, control.get("aria-describedby"))) == field.help_text


@pytest.mark.parametrize("name", ["bn9", "email", "note", "region", "agreed"])
def test_a_refused_input_is_described_by_its_error(name: str) -> None:
    tree = parsed(REFUSED[name].as_field_group())
    control = named(tree, f"id_{name}")
    described = [named(tree, id_) for id_ in control.get("aria-describedby").split()]

    assert control.get("aria-invalid") == "true"
    assert text(described[-1]) == f"Error: {REFUSED[name].errors[0]}"


@pytest.mark.parametrize("name", ["role", "programs"])
def test_a_group_of_choices_is_a_fieldset(name: str) -> None:
    tree = parsed(REFUSED[name].as_field_group())
    (group,) = tree.iter("fieldset")
    (legend,) = tree.iter("legend")

    assert text(legend) == f"{REFUSED[name].label} (required)"
    assert f"id_{name}_error" in group.get("aria-describedby").split()
    labels = {label.get("for") for label in tree.iter("label")}
    assert labels == {control.get("id") for control in tree.iter("input")}


def test_attributes_of_a_widget_reach_the_page() -> None:
    control = named(parsed(str(FRESH["bn9"])), "id_bn9")

    assert (control.get("inputmode"), control.get("autocomplete")) == ("numeric", "off")
    assert control.get("maxlength") == "20"


def test_a_form_draws_every_field_once_and_hidden_ones_bare() -> None:
    tree = parsed(str(FRESH))

    assert len({name for name in FRESH.fields if name in str(FRESH)}) == len(FRESH.fields)
    assert named(tree, "id_seen").get("type") == "hidden"
    assert not [label for label in tree.iter("label") if label.get("for") == "id_seen"]


@pytest.mark.asvs("1.1.2", "1.2.1")
def test_what_was_typed_is_escaped() -> None:
    form = EveryWidget({"bn9": '"><script>', "note": "</textarea><script>"}, {})

    assert "<script" not in str(form)


def test_the_summary_leads_to_each_problem() -> None:
    form = EveryWidget({"ask-bn9": "12\x07"}, {}, prefix="ask")
    form.add_error(None, "The request was changed meanwhile.")
    tree = parsed(draw("{% error_summary form %}", form=form))
    links = {link.get("href"): text(link) for link in tree.iter("a")}

    assert links["#id_ask-bn9"].startswith("Employer’s business number (BN): The text held")
    assert "#id_ask-role_0" in links
    assert "#id_ask-programs_0" in links
    assert set(re.findall(r'id="([^"]+)"', str(form))) >= {target[1:] for target in links}
    assert "The request was changed meanwhile." in text(tree)
    (section,) = tree.iter("section")
    assert section.get("tabindex") == "-1"
    assert section.get("autofocus") is not None


def test_the_summary_knows_form_sets_and_several_forms() -> None:
    lines = Lines({"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-1-program": "x" * 16})
    tree = parsed(draw("{% error_summary form lines %}", form=Line({}), lines=lines))

    assert [link.get("href") for link in tree.iter("a")] == ["#id_program", "#id_form-1-program"]
    assert text(next(tree.iter("h2"))) == "There are 2 problems"


def test_the_summary_of_a_broken_form_set_says_so() -> None:
    assert "There is a problem" in draw("{% error_summary lines %}", lines=Lines({}))


@pytest.mark.parametrize("form", [FRESH, EveryWidget()])
def test_without_problems_there_is_no_summary(form: forms.Form) -> None:
    assert draw("{% error_summary form %}", form=form).strip() == ""


def test_a_hidden_field_is_no_place_to_go_and_has_no_name() -> None:
    class Hidden(forms.Form):
        version = forms.IntegerField(widget=forms.HiddenInput)

    tree = parsed(draw("{% error_summary form %}", form=Hidden({})))

    assert not list(tree.iter("a"))
    assert text(next(tree.iter("li"))) == "This field is required."


def test_each_page_has_its_own_form_key_for_its_reader(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User(pk=7)
    first, second = (draw("{% form_key %}", request=request) for _ in range(2))
    assert first != second
    key = first.split('"')[-2]
    assert is_key_of(key, 7) and not is_key_of(key, 8) and not is_key_of(key, None)
    assert not is_key_of("", 7) and not is_key_of(str(uuid4()), 7)


def test_a_status_is_a_word_with_a_colour() -> None:
    assert draw('{% status_tag "danger" label %}', label="<Ended>") == (
        '<span class="tag tag--danger">&lt;Ended&gt;</span>'
    )
    with pytest.raises(TemplateSyntaxError):
        draw('{% status_tag "purple" "x" %}')


@pytest.mark.parametrize(
    ("language", "address", "other"),
    [
        ("en-ca", "/en-ca/account/login/?next=/x", "/fr-ca/account/login/?next=/x"),
        ("fr-ca", "/fr-ca/account/login/", "/en-ca/account/login/"),
        ("en-ca", "/en-ca/nowhere/?a=1", "/fr-ca/nowhere/?a=1"),
        ("en-ca", "/nowhere/", "/fr-ca/"),
        ("en-ca", "//evil.example/en-ca/", "/fr-ca/"),
    ],
)
def test_the_same_page_in_the_other_language(language: str, address: str, other: str) -> None:
    request = RequestFactory().get(address)
    with override(language):
        assert other_language(request)["url"] == other


@pytest.mark.django_db
class TestPages:
    def test_a_missing_page(self, client: Client, person: User) -> None:
        client.force_login(person)
        answer = client.get("/en-ca/nowhere/")

        assert answer.status_code == 404
        html5lib.HTMLParser(strict=True).parse(answer.content.decode())
        assert "Sign out" in answer.content.decode()

    def test_the_monitor_is_answered(self, client: Client) -> None:
        answer = client.get("/healthz/")

        assert (answer.status_code, answer.content) == (200, b"ok")

    def test_a_form_without_its_token(self, person: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person)
        answer = client.post("/en-ca/account/logout/")

        assert answer.status_code == 403
        assert "This form has expired" in answer.content.decode()

    def test_the_operator_takes_the_place_of_the_banner(
        self, client: Client, settings: Any
    ) -> None:
        address = "/en-ca/account/login/"
        assert "not a Government of Canada site" in client.get(address).content.decode()

        settings.PORTAL_OPERATOR = "Run by the Agency"
        page = client.get(address).content.decode()
        assert "not a Government of Canada site" not in page
        assert "Run by the Agency" in page


def page_request() -> HttpRequest:
    return RequestFactory().get("/en-ca/x/")


@pytest.mark.asvs("16.5.1")
def test_a_fault_answers_without_person_and_database() -> None:
    answer = views.server_error(page_request())

    assert answer.status_code == 500
    html5lib.HTMLParser(strict=True).parse(answer.content.decode())


@pytest.mark.django_db
def test_a_refusal_gives_its_reason(client: Client) -> None:
    request = page_request()
    request.user = User(email="ana@example.com")
    request.session = client.session

    refused = views.permission_denied(request, PermissionDenied("Only a manager may do this."))
    unreadable = views.bad_request(request, ValueError())

    assert refused.status_code == 403
    assert "Only a manager may do this." in refused.content.decode()
    assert unreadable.status_code == 400


def test_several_acts_tell_what_became_of_each() -> None:
    results = [Result("Eve <b>", True, "Editor"), Result("Ian", False, "Ana rejected it.")]
    markup = draw('{% result_list results "Person" "What became" %}', results=results)

    assert "Done: 1 of 2" in markup and "notice--warning" in markup
    rows = [text(row) for row in parsed(markup).iter("tr")]
    assert rows[1:] == ["Eve <b> Done Editor", "Ian Not done Ana rejected it."]
    with override("fr-ca"):
        # As in “done”; the last step of the registration is the end of it.
        assert "Fait</span>" in draw('{% result_list results "a" "b" %}', results=results)
    # The control: where all was done, nothing is said of what was not.
    whole = draw('{% result_list results "Person" "What became" %}', results=results[:1])
    assert "notice--success" in whole and "as it was before" not in whole
