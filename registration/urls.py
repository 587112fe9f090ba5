"""The addresses of Register My Business."""

from django.urls import path

from registration import views

urlpatterns = [
    path("", views.registration_start, name="registration_start"),
    path("steps/<slug:step>/", views.registration_step, name="registration_step"),
    path("review/", views.registration_review, name="registration_review"),
    path("<uuid:pk>/", views.registration_outcome, name="registration_outcome"),
    path("<uuid:pk>/receipt/", views.registration_receipt, name="registration_receipt"),
    path(
        "<uuid:pk>/review-request/",
        views.registration_review_request,
        name="registration_review_request",
    ),
]
