"""Who may do each act on declarations. Each answer asks the one decision, again under lock."""

from delegation.access import Access, Decision
from delegation.reasons import Reason
from delegation.roles import Action
from transactions.models import Declaration, DeclarationVersion


def can_list_declarations(access: Access) -> bool:
    """Whoever belongs to the business sees what an own role, or a relationship, lets them see.

    Which declarations they are is answered by `Access.visible`; any other does not exist.
    """
    return access.own.membership is Reason.ALLOWED


def can_create_correction(
    access: Access, declaration: Declaration, latest: DeclarationVersion
) -> Decision:
    """Whoever may edit the latest version corrects it; a hidden one takes no correction.

    `latest` is the newest version that the caller can see.
    """
    decision = access.decide(Action.EDIT_TRANSACTIONS, latest)
    is_hidden = decision.allowed and latest.number < declaration.latest_number
    return Decision(Reason.HIDDEN) if is_hidden else decision
