"""Addresses of delegation: the people of a business, and its relationships with others."""

from django.urls import include, path

urlpatterns = [
    path("", include("delegation.urls.employees")),
    path("", include("delegation.urls.continuity")),
    path("", include("delegation.urls.invitations")),
    path("", include("delegation.urls.groups")),
    path("", include("delegation.urls.recovery")),
    path("", include("delegation.urls.reviews")),
    path("", include("delegation.urls.programs")),
    path("", include("delegation.urls.authority")),
    path("", include("delegation.urls.calendars")),
    path("", include("delegation.urls.view_as")),
    path("", include("delegation.urls.help")),
    path("", include("delegation.urls.relationships")),
    path("", include("delegation.urls.clients")),
    path("", include("delegation.urls.mutes")),
]
