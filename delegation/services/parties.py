"""What every act on a relationship shares: its rows are held, and both sides are told of it.

An act that was taken stands in the histories of both businesses. A refused attempt stands in that
of the own business alone: it would tell the other one too much.
"""

from datetime import datetime
from typing import Any

from django.db.models import F

from accounts.models import User
from audit.services import Refusal, business_chain, not_before, record, refuse
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import Relationship, RelationshipRequest
from delegation.services import locks
from delegation.services import roles as role_service
from delegation.services.agreements import lock_relationships
from delegation.services.decisions import Problem, own_path
from notices.services import notify


def lock_relationship(relationship: Relationship) -> Relationship:
    """The relationship as it is now, held; before it what else an approval changes, in its order.

    Whoever has the form of a waiting request of the firm open decides it on what is true then.
    """
    client, provider = relationship.client, relationship.provider
    locks.lock_rights(client, used=[provider])
    waiting = RelationshipRequest.objects.filter(
        provider=provider, client_bn9=client.bn9, decision=""
    )
    list(waiting.select_for_update(no_key=True).order_by("pk"))
    [row] = [row for row in lock_relationships(client, provider) if row.pk == relationship.pk]
    return row


def access_to(
    relationship: Relationship, actor: User, acting_for: BusinessAccount, at: datetime
) -> Access:
    """What the actor may do once the rows are held, no earlier than what the histories tell."""
    return Access(actor, acting_for, not_before(at, *_chains(relationship)))


def show_again(relationship: Relationship, at: datetime) -> None:
    """Let whoever decides a waiting request of the firm read first what has changed meanwhile."""
    waiting = RelationshipRequest.objects.pending_at(at).filter(
        provider=relationship.provider, client_bn9=relationship.client.bn9
    )
    waiting.update(version=F("version") + 1)


def record_act(verb: str, access: Access, relationship: Relationship, **told: Any) -> None:
    """Write what was done into both histories."""
    record(
        chains=_chains(relationship),
        path=own_path(access),
        **_about(verb, access, relationship) | told,
    )


def refuse_act(verb: str, problem: Problem, access: Access, relationship: Relationship) -> Refusal:
    """The refusal, kept in the own history."""
    code, message = problem
    return refuse(
        code=code,
        message=message,
        chains=[business_chain(access.acting_for.bn9)],
        **_about(verb, access, relationship),
    )


def tell_both(
    verb: str, access: Access, relationship: Relationship, template: str, **told: Any
) -> None:
    """Tell the managers of both sides. Who of the other side acted is its own."""
    client, provider = relationship.client, relationship.provider
    for business in (client, provider):
        for manager in role_service.managers_of(business.bn9, access.at):
            notify(
                key=f"{verb}:{relationship.pk}:{access.at.isoformat()}:{business.bn9}:{manager.pk}",
                template=f"delegation/email/{template}.txt",
                recipient=manager,
                context={
                    "client": client,
                    "provider": provider,
                    "relationship": relationship,
                    "is_client": business == client,
                    **told,
                },
            )


def _chains(relationship: Relationship) -> list[str]:
    return [business_chain(one.bn9) for one in (relationship.client, relationship.provider)]


def _about(verb: str, access: Access, relationship: Relationship) -> dict[str, Any]:
    """The part of a history event that an act and a refused one share."""
    return {
        "verb": verb,
        "at": access.at,
        "actor": access.person,
        "acting_for": access.acting_for.bn9,
        "object_type": "relationship",
        "object_id": str(relationship.pk),
        "object_label": relationship.provider.name,
    }
