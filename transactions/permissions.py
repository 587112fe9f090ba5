"""Who may do each act on declarations. Each answer asks the one decision, again under lock."""

from delegation.access import Access, Decision
from delegation.reasons import Reason
from delegation.roles import Action
from transactions.declarations import is_newer_hidden
from transactions.models import Declaration, DeclarationVersion


def can_create_correction(
    access: Access, declaration: Declaration, latest: DeclarationVersion
) -> Decision:
    """Whoever may edit the latest version corrects it; a hidden one takes no correction.

    `latest` is the newest version that the caller can see.
    """
    if is_newer_hidden(declaration, latest):
        return Decision(Reason.HIDDEN)
    return access.decide(Action.EDIT_TRANSACTIONS, latest)
