"""Addresses of those who ask the agency to recover a business."""

from django.urls import path

from delegation.views import recovery

urlpatterns = [
    path("recovery/<bn9:bn9>/", recovery.recovery_request_create, name="recovery_request_create"),
    path(
        "recovery/requests/<uuid:pk>/",
        recovery.recovery_request_status,
        name="recovery_request_status",
    ),
    path(
        "recovery/requests/<uuid:pk>/withdraw/",
        recovery.recovery_request_withdraw,
        name="recovery_request_withdraw",
    ),
]
