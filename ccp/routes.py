"""Every route of the portal: its address, who may do what there, and the fields of its form.

The portal denies by default. A view states its rule with `pages.rules.rule`; the pages of sign-in,
whose views are a package's, have theirs in `OF_PACKAGES`. A route with neither is an error of
`manage.py check` and opens for nobody.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from django import forms
from django.conf import settings
from django.core import checks
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import get_resolver
from django.urls.resolvers import LocalePrefixPattern, URLPattern, URLResolver
from django.utils.deprecation import MiddlewareMixin

from pages.rules import Rule, Rules, any_person, anyone, rules_of

_ANYONE: Rules = {"GET": anyone, "POST": anyone}
_ANY_PERSON: Rules = {"GET": any_person, "POST": any_person}

OF_PACKAGES: dict[str, Rules] = {
    "account_login": _ANYONE,
    "account_signup": _ANYONE,
    "account_logout": _ANYONE,
    "account_inactive": {"GET": anyone},
    "account_email": _ANY_PERSON,
    "account_change_password": _ANY_PERSON,
    "account_set_password": _ANY_PERSON,
    "account_reset_password": _ANYONE,
    "account_confirm_login_code": _ANYONE,
    "account_confirm_password_reset_code": _ANYONE,
    "account_complete_password_reset": _ANYONE,
    "account_password_reset_completed": {"GET": anyone},
    "usersessions_list": _ANY_PERSON,
    "socialaccount_login_cancelled": {"GET": anyone},
}
"""The rules of the pages of allauth, by the name of the route: they know a person, no business."""

WITH_PASSWORD = {
    "account_signup",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_password_reset_completed",
}
"""The pages of accounts of the portal's own: where it has none, these do not exist."""

WORDS: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.MultipleChoiceField, "some of a list"),
    (forms.ChoiceField, "one of a list"),
    (forms.BooleanField, "yes or no"),
    (forms.DateField, "day"),
    (forms.DecimalField, "amount"),
    (forms.IntegerField, "whole number"),
    (forms.EmailField, "e-mail address"),
)
"""What is entered into a field, by its class; anything else is text."""


@dataclass(frozen=True)
class Field:
    """A field of a form as its reader knows it."""

    name: str
    label: str
    type: str
    is_required: bool


@dataclass(frozen=True)
class Route:
    """One address of the portal, in both languages, and what can be asked of it."""

    name: str
    path: str
    view: Callable[..., Any]
    rules: Rules

    @property
    def fields(self) -> list[Field]:
        """The fields of the forms posted here; of a page that is only read, those of its filter."""
        is_posted = "POST" in self.rules
        made = [form for form in forms_of(self.view) if _is_filter(form) is not is_posted]
        fields = {name: field for form in made for name, field in _fields(form)}
        return [
            Field(name, str(field.label or ""), in_words(field), field.required)
            for name, field in fields.items()
        ]


def every_route() -> list[Route]:
    """Every route in the order in which addresses are tried."""
    return list(_routes(get_resolver().url_patterns, "/"))


def who(rule: Rule) -> str:
    """Who may, in words: the first sentence or two of the rule's own description."""
    return " ".join(inspect.cleandoc(rule.__doc__ or "").split("\n\n")[0].split())


def _routes(patterns: Iterable[URLPattern | URLResolver], before: str) -> Iterator[Route]:
    for found in patterns:
        is_language = isinstance(found.pattern, LocalePrefixPattern)
        path = before + ("<language>/" if is_language else str(found.pattern))
        if isinstance(found, URLResolver):
            yield from _routes(found.url_patterns, path)
        else:
            shown, name = re.sub(r"<\w+:(\w+)>", r"<\1>", path), str(found.name)
            yield Route(name, shown, found.callback, _rules(found.callback, name))


def _rules(view: Callable[..., Any], name: str) -> Rules:
    return rules_of(view) or OF_PACKAGES.get(name, {})


# ---------------------------------------------------------------- deny by default


def every_route_has_a_rule(**kwargs: Any) -> list[checks.CheckMessage]:
    """A route without a rule is an error."""
    return [
        checks.Error(f"{route.path} ({route.name}) states no rule.", id="ccp.E001")
        for route in every_route()
        if not route.rules
    ]


class RuleRequiredMiddleware(MiddlewareMixin):
    """Lets nobody into a view without a rule, and no method in that has none."""

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        rules = _rules(view, name)
        if not rules:
            raise PermissionDenied
        if not settings.LOCAL_ACCOUNTS:
            if name in WITH_PASSWORD:
                raise Http404
            if name == "account_login":
                rules = {"GET": anyone}
        if ("GET" if request.method == "HEAD" else request.method) in rules:
            return None
        return HttpResponseNotAllowed([*rules, *(["HEAD"] if "GET" in rules else [])])


# ---------------------------------------------------------------- what is entered


def forms_of(view: Callable[..., Any]) -> list[type[forms.BaseForm]]:
    """The forms that a view makes, itself or by the functions of its own module."""
    if hasattr(view, "view_class"):
        form = getattr(view.view_class, "form_class", None)
        return [form] if form else []
    function = inspect.unwrap(view)
    return [
        found
        for found in _reached(function, function.__module__, set())
        if isinstance(found, type) and issubclass(found, forms.BaseForm)
    ]


def _reached(function: Any, module: str, seen: set[int]) -> Iterator[Any]:
    """What a function names of its module's globals, and what the functions among it name."""
    for name in sorted(_names(function.__code__)):
        found = function.__globals__.get(name)
        if id(found) in seen or found is None:
            continue
        seen.add(id(found))
        yield found
        for following in found.values() if isinstance(found, dict) else [found]:
            if inspect.isfunction(following) and following.__module__ == module:
                yield from _reached(following, module, seen)


def _names(code: CodeType) -> set[str]:
    """The names that code reads, also inside its comprehensions."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names}.union(*map(_names, inner))


def _is_filter(form: type[forms.BaseForm]) -> bool:
    return form.__name__.endswith("FilterForm")


def _fields(form: type[forms.BaseForm]) -> Iterable[tuple[str, forms.Field]]:
    """The fields of a blank form; where it cannot be made blank, those that each one has."""
    try:
        return form().fields.items()
    except (TypeError, KeyError):  # it must be told about whom it is
        return form.base_fields.items()  # type: ignore[attr-defined]


def in_words(field: forms.Field) -> str:
    """What is entered into a field."""
    if isinstance(field.widget, forms.HiddenInput):
        return "hidden: as the page has it"
    if isinstance(field.widget, forms.PasswordInput):
        return "password"
    if isinstance(field.widget, forms.Textarea):
        return "text of several lines"
    return next((words for kind, words in WORDS if isinstance(field, kind)), "text")
