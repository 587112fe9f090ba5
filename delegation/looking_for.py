"""How a list of businesses is searched: by a part of a name, or the beginning of a number."""

from django.db.models import Q

from businesses.bn import compact


def named(prefix: str, text: str) -> Q:
    """Businesses by a part of a name."""
    return Q(**{f"{prefix}legal_name__icontains": text}) | Q(
        **{f"{prefix}operating_name__icontains": text}
    )


def numbered(column: str, text: str) -> Q:
    """Numbers that begin with the digits typed; nothing where none were."""
    number = compact(text)
    return Q(**{f"{column}__startswith": number}) if number.isdigit() else Q(pk__in=())
