"""The door to look at the portal as a firm sees it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from audit.services import Refusal
from delegation.entry import enter
from delegation.forms.view_as import ViewAsForm, When
from delegation.known_people import people_known
from delegation.models import Relationship
from delegation.navigation import section_nav
from delegation.permissions import can_view_as
from delegation.relationships import relationship_of
from delegation.services.view_as import open_view_as
from delegation.views.employees import status_of
from pages.once import once
from pages.rules import rule


@rule(get=can_view_as, post=can_view_as)
@once
def view_as_create(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Choose as whom and as of which day to look, and begin; the history keeps who looked."""
    access = enter(request, bn9)
    given = relationship_of(access, pk)
    if given is None:
        raise Http404
    between = Relationship.objects.select_related("provider", "request__requested_by")
    relationship = get_object_or_404(between.select_related("offer__decided_by"), pk=pk)
    form = ViewAsForm(
        request.POST if request.method == "POST" else None,
        today=timezone.localdate(access.at),
        people=people_known(relationship, access.at),
        initial={"whom": ViewAsForm.MANAGER, "when": When.NOW},
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = open_view_as(
            actor=access.person,
            acting_for=access.acting_for,
            relationship=relationship,
            person=form.person(),
            seen_at=form.seen_at(),
            at=access.at,
        )
        if not isinstance(answer, Refusal):
            return redirect("view_as_detail", bn9=bn9, pk=pk, opening=answer.pk)
        form.add_error(None, str(answer.message))
        status = status_of(answer)
    context = {
        "business": access.acting_for,
        "relationship": given,
        "form": form,
        "sections": section_nav(access, "relationship_list"),
    }
    return render(request, "delegation/view_as_create.html", context, status=status)
