"""Addresses of the written authority, on both sides."""

from django.urls import path

from delegation.views import authority

urlpatterns = [
    path(
        "businesses/<bn9:bn9>/relationships/<uuid:pk>/authority/",
        authority.relationship_authority,
        name="relationship_authority",
    ),
    path(
        "businesses/<bn9:bn9>/clients/<bn9:client_bn9>/authority/",
        authority.client_authority,
        name="client_authority",
    ),
]
