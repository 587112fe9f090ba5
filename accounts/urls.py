"""The addresses of the personal profile."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("profile/", views.profile_detail, name="profile_detail"),
    path("profile/create/", views.profile_create, name="profile_create"),
    path("profile/edit/", views.profile_edit, name="profile_edit"),
]
