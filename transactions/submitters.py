"""Who of a firm submitted for a client: the names that the versions of its declarations carry."""

from datetime import datetime, timedelta

from delegation.models import Relationship
from transactions.models import DeclarationVersion

LATELY = timedelta(days=730)
"""How far back names are looked for: a range of the index, whatever was submitted before."""
NEWEST = 1000
"""How many of the newest versions are read."""


def submitters_of(relationship: Relationship, at: datetime) -> set[int]:
    """The people who submitted for the firm, in the newest versions of two years: 1 query."""
    versions = DeclarationVersion.objects.filter(
        program__business=relationship.client_id,
        submitter=relationship.provider_id,
        submitted_at__gt=at - LATELY,
        submitted_at__lte=at,
    )
    newest = versions.order_by("-submitted_at").values_list("submitted_by", flat=True)
    return {pk for pk in newest[:NEWEST] if pk is not None}
