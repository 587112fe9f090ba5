"""Who may open a page: every view states its rule, and one without a rule opens for nobody.

A rule is a function that answers whether somebody may: a predicate of a room's permissions, or one
of the two below. Its name is what the code asks, its docstring what people read. A rule about the
account acted for (its one argument is `access`) is asked by `delegation.entry.enter` itself; a rule
about an object is asked by the view, once it has found the object.
"""

from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase

type Rule = Callable[..., object]
type Rules = Mapping[str, Rule]


def anyone() -> bool:
    """Anyone, signed in or not."""
    return True


def any_person() -> bool:
    """Whoever is signed in."""
    return True


def rule[View: Callable[..., HttpResponseBase]](
    *, get: Rule | None = None, post: Rule | None = None
) -> Callable[[View], View]:
    """State who may read a page and who may post to it; a method without a rule answers 405."""
    rules = {method: asked for method, asked in (("GET", get), ("POST", post)) if asked}
    if anyone in rules.values() and set(rules.values()) != {anyone}:
        raise TypeError("What anyone may read, anyone may post: sign-in is asked for whole pages.")

    def state(view: View) -> View:
        view.rules = rules  # type: ignore[attr-defined]
        return login_not_required(view) if anyone in rules.values() else view

    return state


def rules_of(view: Callable[..., object]) -> Rules:
    """The rule of each method that a view states; nothing where it states none."""
    rules: Rules = getattr(view, "rules", {})
    return rules


def rule_of(request: HttpRequest) -> Rule:
    """The rule that the view of a request states for its method. HEAD asks what GET asks."""
    if request.resolver_match is None:
        raise LookupError("A request that was not routed has no rule.")
    method = "GET" if request.method == "HEAD" else str(request.method)
    return rules_of(request.resolver_match.func)[method]


@cache
def is_about_account(asked: Rule) -> bool:
    """Whether the account acted for is all that the rule must know."""
    return [*signature(asked).parameters] == ["access"]
