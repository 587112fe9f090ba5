"""Addresses of continuity: who manages a business, and who steps in."""

from django.urls import include, path

from delegation.views import continuity

succession = [
    path("remove/", continuity.successor_remove, name="successor_remove"),
    path("claim/", continuity.succession_claim, name="succession_claim"),
    path("stop/", continuity.succession_stop, name="succession_stop"),
    path("take-over/", continuity.succession_take_over, name="succession_take_over"),
]

urlpatterns = [
    path(
        "businesses/<bn9:bn9>/continuity/", continuity.continuity_detail, name="continuity_detail"
    ),
    path("businesses/<bn9:bn9>/continuity/<uuid:pk>/", include(succession)),
    path(
        "businesses/<bn9:bn9>/employees/<uuid:pk>/successor/",
        continuity.successor_nominate,
        name="successor_nominate",
    ),
]
