"""Addresses of the people of a business, and of those who ask to become one."""

from django.urls import include, path

from delegation.views import access_requests, employees, grid, members, requests, roles

one_person = [
    path("", members.employee_detail, name="employee_detail"),
    path("end/", members.membership_end, name="membership_end"),
    path("departure/", members.membership_departure, name="membership_departure"),
    path("suspend/", members.membership_suspend, name="membership_suspend"),
    path("role/", roles.role_change, name="role_change"),
    path("resume/", members.membership_resume, name="membership_resume"),
    path("manager/<int:role>/end/", members.business_role_end, name="business_role_end"),
    path("roles/<int:role>/end/", members.program_role_end, name="program_role_end"),
]

several_requests = [
    path("", access_requests.access_request_list, name="access_request_list"),
    path("approve/", access_requests.access_requests_approve, name="access_requests_approve"),
    path("reject/", access_requests.access_requests_reject, name="access_requests_reject"),
    path(
        "results/<uuid:pk>/",
        access_requests.access_request_results,
        name="access_request_results",
    ),
]

urlpatterns = [
    path("requests/new/", requests.access_request_create, name="access_request_create"),
    path("requests/<uuid:pk>/", requests.access_request_status, name="access_request_status"),
    path(
        "requests/<uuid:pk>/withdraw/",
        requests.access_request_withdraw,
        name="access_request_withdraw",
    ),
    path("businesses/<bn9:bn9>/employees/", employees.employee_list, name="employee_list"),
    path("businesses/<bn9:bn9>/employees/grid/", grid.employee_grid, name="employee_grid"),
    path("businesses/<bn9:bn9>/employees/<uuid:pk>/", include(one_person)),
    path("businesses/<bn9:bn9>/employees/requests/", include(several_requests)),
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
