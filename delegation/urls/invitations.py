"""Addresses of invitations: those of a business, and those of the person who was invited."""

from django.urls import include, path

from delegation.views import invitations, invited

of_business = [
    path("", invitations.invitation_list, name="invitation_list"),
    path("new/", invitations.invitation_create, name="invitation_create"),
    path("<uuid:pk>/", invitations.invitation_detail, name="invitation_detail"),
    path("<uuid:pk>/resend/", invitations.invitation_resend, name="invitation_resend"),
    path("<uuid:pk>/revoke/", invitations.invitation_revoke, name="invitation_revoke"),
]

of_person = [
    path("", invited.invitation_find, name="invitation_find"),
    path("open/<str:token>/", invited.invitation_open, name="invitation_open"),
    path("follow/", invited.invitation_follow, name="invitation_follow"),
    path("<uuid:pk>/", invited.invitation_answer, name="invitation_answer"),
    path("<uuid:pk>/accept/", invited.invitation_accept, name="invitation_accept"),
    path("<uuid:pk>/decline/", invited.invitation_decline, name="invitation_decline"),
]

urlpatterns = [
    path("businesses/<bn9:bn9>/employees/invitations/", include(of_business)),
    path("invitations/", include(of_person)),
]
