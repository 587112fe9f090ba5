"""The way into every page of a business: who acts for whom, and what stays hidden.

A business that does not exist and one that the person does not belong to answer the same 404.
What a person may see but not do answers 403 with the reason in words.
"""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest
from django.utils import timezone

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access, Decision
from delegation.models import Membership
from delegation.reasons import Reason
from delegation.services.roles import note_use
from pages.rules import is_about_account, rule_of


class Denied(PermissionDenied):
    """Seen, but not allowed: carries the decision whose reason the page tells."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.decision = decision


def signed_in(request: HttpRequest) -> User:
    """The person of the request; every page behind sign-in has one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def enter(request: HttpRequest, bn9: str, at: datetime | None = None) -> Access:
    """The access of the signed-in person acting for the business `bn9`, now.

    Asks the rule that the view states, where it is about the account, and puts the account in use
    on the page, and that nothing can change where it is not active.
    """
    person = signed_in(request)
    # Whoever never belonged to it costs the same query as a number that nobody registered.
    theirs = Membership.objects.filter(person=person, business__bn9=bn9).select_related("business")
    membership = theirs.order_by(F("ends_at").desc(nulls_first=True)).first()
    if membership is None:
        raise Http404
    business = membership.business
    access = Access(person, business, at or timezone.now())
    request.access = access  # type: ignore[attr-defined]  # what a refusal is explained from
    if access.own.membership is Reason.MEMBERSHIP_SUSPENDED:
        raise Denied(Decision(Reason.MEMBERSHIP_SUSPENDED))
    if access.own.membership is not Reason.ALLOWED:
        raise Http404
    if request.method in ("GET", "HEAD"):
        # Whoever posts has read the form; here no other row is held yet (decision 25).
        note_use(membership=membership, at=access.at)
    request.account_in_use = business  # type: ignore[attr-defined]
    if business.status != BusinessAccount.Status.ACTIVE:
        request.account_notice = Reason.BUSINESS_NOT_ACTIVE.label  # type: ignore[attr-defined]
    stated = rule_of(request)
    if is_about_account(stated):
        answer = stated(access)
        require(answer) if isinstance(answer, Decision) else require_any(answer)
    return access


def enter_firm(request: HttpRequest, bn9: str) -> Access:
    """The access of a person whose business serves clients: another has no such pages."""
    access = enter(request, bn9)
    if not access.serves_clients:
        raise Http404
    return access


def client_of(access: Access, client_bn9: str) -> BusinessAccount:
    """A client of the firm acted for, present or past, that the person is assigned to, or 404."""
    client = access.clients().filter(bn9=client_bn9).first()
    if client is None:
        raise Http404
    return client


def require(decision: Decision) -> None:
    """Go on if the decision allows it, else 403 with its reason."""
    if not decision.allowed:
        raise Denied(decision)


def require_any(found: object, access: Access | None = None) -> None:
    """Go on if there is anything the person may do on this page, else 403.

    With the access of the person, an account that is not active is the reason.
    """
    if found:
        return
    is_active = access is None or access.acting_for.status == BusinessAccount.Status.ACTIVE
    raise Denied(Decision(Reason.ROLE_TOO_LOW if is_active else Reason.BUSINESS_NOT_ACTIVE))
