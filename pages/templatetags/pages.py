"""Tags and filters of every template: `{% load pages %}`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.forms.formsets import BaseFormSet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pages import formats
from pages.once import drawn_key
from pages.results import Result

register = template.Library()
register.filter("money", formats.money)
register.filter("day", formats.day)
register.filter("moment", formats.moment)
register.filter("time_of_day", formats.time_of_day)
register.filter("until", formats.until)
register.filter("whole", formats.whole)

STATUS_KINDS = frozenset({"neutral", "info", "success", "warning", "danger"})


@register.simple_tag(takes_context=True)
def form_key(context: template.Context) -> SafeString:
    """The hidden input by which `pages.once` knows a form again; new each time a page is made."""
    key = drawn_key(context["request"].user.pk)
    return format_html('<input type="hidden" name="form_key" value="{}">', key)


@register.simple_tag
def status_tag(kind: str, label: str) -> SafeString:
    """A state in one or two words; the colour repeats what the words say."""
    if kind not in STATUS_KINDS:
        raise template.TemplateSyntaxError(f"status_tag: {kind!r} is not one of {STATUS_KINDS}")
    return format_html('<span class="tag tag--{}">{}</span>', kind, label)


@register.inclusion_tag("components/result_list.html")
def result_list(results: Sequence[Result], head: str, caption: str) -> dict[str, Any]:
    """What became of several acts, row by row; `head` says what the rows are about."""
    done, not_done = (
        status_tag("success", pgettext("result", "Done")),
        status_tag("danger", _("Not done")),
    )
    return {
        "rows": [{"result": one, "tag": done if one.is_done else not_done} for one in results],
        "results": results,
        "done": sum(one.is_done for one in results),
        "head": head,
        "caption": caption,
    }


@dataclass(frozen=True)
class Problem:
    """One line of the error summary: what to do, and the id of the input where ("" for none)."""

    message: str
    target: str = ""


@register.inclusion_tag("components/error_summary.html")
def error_summary(*forms: "BaseForm | BaseFormSet[Any]") -> dict[str, list[Problem]]:
    """Every error of the forms and form sets, each linked to its input; nothing without errors."""
    return {"problems": [problem for form in forms for problem in _problems(form)]}


def _problems(form: "BaseForm | BaseFormSet[Any]") -> Iterator[Problem]:
    if isinstance(form, BaseFormSet):
        yield from (Problem(str(error)) for error in form.non_form_errors())
        for member in form.forms:
            yield from _problems(member)
        return
    yield from (Problem(str(error)) for error in form.non_field_errors())
    for field in form:
        for error in field.errors:
            said = _("%(field)s: %(problem)s") % {"field": field.label, "problem": error}
            # Nobody sees the name of a hidden field.
            yield Problem(str(error) if field.is_hidden else said, _target(field))


def _target(field: BoundField) -> str:
    """The id of the input to go to: of a group its first choice, of a hidden field none."""
    if field.is_hidden:
        return ""
    if field.use_fieldset:
        first = next(iter(field.subwidgets), None)
        return (first and first.id_for_label) or field.auto_id
    return field.id_for_label or ""
