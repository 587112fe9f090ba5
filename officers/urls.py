"""Addresses of the officers' desk."""

from django.urls import include, path

from officers import views

recovery = [
    path("", views.recovery_review, name="recovery_review"),
    path("propose/", views.recovery_propose, name="recovery_propose"),
    path("confirm/", views.recovery_confirm, name="recovery_confirm"),
    path("reject/", views.recovery_reject, name="recovery_reject"),
]

urlpatterns = [
    path("", views.officer_desk, name="officer_desk"),
    path("recoveries/<uuid:pk>/", include(recovery)),
]
