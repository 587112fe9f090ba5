"""Addresses of help."""

from django.urls import path

from delegation.views import help as views

urlpatterns = [path("help/roles/", views.help_roles, name="help_roles")]
