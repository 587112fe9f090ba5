"""Addresses of the work for clients: the provider's side."""

from django.urls import URLPattern, URLResolver, include, path

from delegation.views import (
    board,
    client_groups,
    clients,
    endings,
    narrowing,
    received_offers,
    request_batches,
    staff,
)

one_group = [
    path("", client_groups.client_group_detail, name="client_group_detail"),
    path("rename/", client_groups.client_group_rename, name="client_group_rename"),
    path("archive/", client_groups.client_group_archive, name="client_group_archive"),
    path("add/", client_groups.client_group_add, name="client_group_add"),
    path("assign/", staff.client_group_assign, name="client_group_assign"),
    path(
        "clients/<bn9:client_bn9>/remove/",
        client_groups.client_group_remove,
        name="client_group_remove",
    ),
]

request_files = [
    path("", request_batches.request_batch_create, name="request_batch_create"),
    path("template.csv", request_batches.request_batch_template, name="request_batch_template"),
    path("<uuid:pk>/", request_batches.request_batch_detail, name="request_batch_detail"),
    path("<uuid:pk>/send/", request_batches.request_batch_send, name="request_batch_send"),
    path("<uuid:pk>/errors.csv", request_batches.request_batch_errors, name="request_batch_errors"),
]

offers = [
    path(
        "",
        received_offers.relationship_offer_received_list,
        name="relationship_offer_received_list",
    ),
    path("<uuid:pk>/", received_offers.relationship_offer_detail, name="relationship_offer_detail"),
    path(
        "<uuid:pk>/accept/",
        received_offers.relationship_offer_accept,
        name="relationship_offer_accept",
    ),
    path(
        "<uuid:pk>/decline/",
        received_offers.relationship_offer_decline,
        name="relationship_offer_decline",
    ),
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
    path("offers/", include(offers)),
    path("request-files/", include(request_files)),
    path("request/", clients.relationship_request_create, name="relationship_request_create"),
    path(
        "requests/<uuid:pk>/",
        clients.relationship_request_status,
        name="relationship_request_status",
    ),
    path(
        "requests/<uuid:pk>/nudge/",
        clients.relationship_request_nudge,
        name="relationship_request_nudge",
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
        staff.staff_assignment_create,
        name="staff_assignment_create",
    ),
    path("results/<uuid:key>/", staff.client_results, name="client_results"),
    path("groups/", client_groups.client_group_list, name="client_group_list"),
    path("groups/new/", client_groups.client_group_create, name="client_group_create"),
    path("staff/", staff.staff_list, name="staff_list"),
    path("staff/assign/", staff.staff_assignment_bulk, name="staff_assignment_bulk"),
    path("staff/<uuid:pk>/", staff.staff_detail, name="staff_detail"),
    path("staff/groups/<uuid:pk>/", staff.staff_group_detail, name="staff_group_detail"),
    path(
        "assignments/<uuid:pk>/change/",
        staff.staff_assignment_change,
        name="staff_assignment_change",
    ),
    path("assignments/<uuid:pk>/end/", staff.staff_assignment_end, name="staff_assignment_end"),
]

urlpatterns = [
    path("businesses/<bn9:bn9>/clients/groups/<uuid:pk>/", include(one_group)),
    path("businesses/<bn9:bn9>/clients/", include(provider_side)),
]
