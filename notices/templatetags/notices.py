"""Tags of the mail templates."""

from django import template
from django.urls import reverse

from notices.links import absolute

register = template.Library()


@register.simple_tag
def portal_url(name: str, *args: object, **kwargs: object) -> str:
    """The full address of a page by its name, in the language the mail is written in."""
    return absolute(reverse(name, args=args, kwargs=kwargs))
