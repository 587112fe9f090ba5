"""Addresses of relationships: the client's side, the provider's side, and the activity of both."""

from django.urls import include, path

from delegation.views import activity, clients, endings, relationship_lists, relationships

client_side = [
    path("", relationship_lists.relationship_list, name="relationship_list"),
    path("ending/", relationship_lists.relationship_ending_list, name="relationship_ending_list"),
    path("ended/", relationship_lists.relationship_ended_list, name="relationship_ended_list"),
    path("requests/", relationship_lists.received_request_list, name="received_request_list"),
    path("<uuid:pk>/", relationship_lists.relationship_detail, name="relationship_detail"),
    path("<uuid:pk>/end/", endings.relationship_end, name="relationship_end"),
    path(
        "requests/<uuid:pk>/",
        relationships.relationship_request_detail,
        name="relationship_request_detail",
    ),
    path(
        "requests/<uuid:pk>/approve/",
        relationships.relationship_request_approve,
        name="relationship_request_approve",
    ),
    path(
        "requests/<uuid:pk>/reject/",
        relationships.relationship_request_reject,
        name="relationship_request_reject",
    ),
]

provider_side = [
    path("", clients.client_list, name="client_list"),
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

urlpatterns = [
    path("businesses/<bn9:bn9>/relationships/", include(client_side)),
    path("businesses/<bn9:bn9>/clients/", include(provider_side)),
    path("businesses/<bn9:bn9>/activity/", activity.activity_list, name="activity_list"),
]
