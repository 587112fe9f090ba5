"""What the managers of a business read wherever they begin: that somebody is about to join them."""

from delegation.access import Access
from delegation.models import Succession
from delegation.models.periods import during


def claimed_succession(access: Access) -> Succession | None:
    """A succession whose waiting period has begun, for a BAM, who can stop it."""
    if not access.is_bam:
        return None
    claimed = Succession.objects.filter(
        during(access.at), business=access.acting_for, ready_at__isnull=False
    )
    return claimed.select_related("person").first()
