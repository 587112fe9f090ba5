"""Addresses of the people of a business, and of those who ask to become one."""

from django.urls import path

from delegation.views import employees, requests

urlpatterns = [
    path("requests/new/", requests.access_request_create, name="access_request_create"),
    path("requests/<uuid:pk>/", requests.access_request_status, name="access_request_status"),
    path(
        "requests/<uuid:pk>/withdraw/",
        requests.access_request_withdraw,
        name="access_request_withdraw",
    ),
    path("businesses/<bn9:bn9>/employees/", employees.employee_list, name="employee_list"),
    path(
        "businesses/<bn9:bn9>/employees/requests/<uuid:pk>/",
        employees.access_request_detail,
        name="access_request_detail",
    ),
    path(
        "businesses/<bn9:bn9>/employees/requests/<uuid:pk>/approve/",
        employees.access_request_approve,
        name="access_request_approve",
    ),
    path(
        "businesses/<bn9:bn9>/employees/requests/<uuid:pk>/reject/",
        employees.access_request_reject,
        name="access_request_reject",
    ),
]
