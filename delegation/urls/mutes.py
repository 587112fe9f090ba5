"""Addresses of what a business hides: the firms and people that it does not know."""

from django.urls import include, path

from delegation.views import mutes

one_business = [
    path("muted/", mutes.mute_list, name="mute_list"),
    path("muted/<uuid:pk>/end/", mutes.mute_end, name="mute_end"),
    path("relationships/requests/<uuid:pk>/mute/", mutes.firm_mute, name="firm_mute"),
    path("clients/offers/<uuid:pk>/mute/", mutes.client_mute, name="client_mute"),
    path("employees/requests/<uuid:pk>/mute/", mutes.person_mute, name="person_mute"),
]

urlpatterns = [path("businesses/<bn9:bn9>/", include(one_business))]
