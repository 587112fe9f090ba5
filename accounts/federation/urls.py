"""The addresses that identity providers know. They carry no language: a provider knows each one by
heart, and a person who comes back reads the language of the page left, or chosen there."""

from django.urls import path

from accounts.federation import views

urlpatterns = [
    path(
        "sign-in/<slug:provider>/callback/",
        views.identity_provider_callback,
        name="identity_provider_callback",
    ),
    path(
        "sign-in/<slug:provider>/signed-out/",
        views.identity_provider_signed_out,
        name="identity_provider_signed_out",
    ),
    path("signed-out/", views.signed_out, name="signed_out"),
]
