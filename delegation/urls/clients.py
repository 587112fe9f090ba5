"""Addresses of the work for clients: the provider's side."""

from django.urls import URLPattern, URLResolver, include, path

from delegation.views import board, clients, endings, narrowing, request_batches

request_files = [
    path("", request_batches.request_batch_create, name="request_batch_create"),
    path("template.csv", request_batches.request_batch_template, name="request_batch_template"),
    path("<uuid:pk>/", request_batches.request_batch_detail, name="request_batch_detail"),
    path("<uuid:pk>/send/", request_batches.request_batch_send, name="request_batch_send"),
    path("<uuid:pk>/errors.csv", request_batches.request_batch_errors, name="request_batch_errors"),
]

provider_side: list[URLPattern | URLResolver] = [
    path("", board.client_list, name="client_list"),
    path("download/", board.client_export, name="client_export"),
    path("requests/", board.relationship_request_list, name="relationship_request_list"),
    path(
        "requests/download/",
        request_batches.relationship_request_export,
        name="relationship_request_export",
    ),
    path("request-files/", include(request_files)),
    path("request/", clients.relationship_request_create, name="relationship_request_create"),
    path(
        "requests/<uuid:pk>/",
        clients.relationship_request_status,
        name="relationship_request_status",
    ),
    path(
        "requests/<uuid:pk>/withdraw/",
        clients.relationship_request_withdraw,
        name="relationship_request_withdraw",
    ),
    path("<bn9:client_bn9>/", clients.client_detail, name="client_detail"),
    path("<bn9:client_bn9>/narrow/", narrowing.relationship_narrow, name="relationship_narrow"),
    path("<bn9:client_bn9>/leave/", endings.relationship_leave, name="relationship_leave"),
    path(
        "<bn9:client_bn9>/assign/",
        clients.staff_assignment_create,
        name="staff_assignment_create",
    ),
    path(
        "<bn9:client_bn9>/assignments/<uuid:pk>/end/",
        clients.staff_assignment_end,
        name="staff_assignment_end",
    ),
]

urlpatterns = [path("businesses/<bn9:bn9>/clients/", include(provider_side))]
