"""Addresses of relationships: the client's side, and the activity of every business."""

from django.urls import include, path

from delegation.views import (
    activity,
    changes,
    endings,
    offers,
    relationship_lists,
    relationships,
    renewals,
)

client_side = [
    path("", relationship_lists.relationship_list, name="relationship_list"),
    path("ending/", relationship_lists.relationship_ending_list, name="relationship_ending_list"),
    path("ended/", relationship_lists.relationship_ended_list, name="relationship_ended_list"),
    path("requests/", relationship_lists.received_request_list, name="received_request_list"),
    path("offers/", offers.relationship_offer_list, name="relationship_offer_list"),
    path("offers/new/", offers.relationship_offer_create, name="relationship_offer_create"),
    path("offers/<uuid:pk>/", offers.relationship_offer_status, name="relationship_offer_status"),
    path(
        "offers/<uuid:pk>/withdraw/",
        offers.relationship_offer_withdraw,
        name="relationship_offer_withdraw",
    ),
    path("<uuid:pk>/", relationship_lists.relationship_detail, name="relationship_detail"),
    path("renew/", renewals.relationship_renew_several, name="relationship_renew_several"),
    path("<uuid:pk>/renew/", renewals.relationship_renew, name="relationship_renew"),
    path("<uuid:pk>/change/", changes.relationship_change, name="relationship_change"),
    path("<uuid:pk>/suspend/", changes.relationship_suspend, name="relationship_suspend"),
    path("<uuid:pk>/resume/", changes.relationship_resume, name="relationship_resume"),
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

urlpatterns = [
    path("businesses/<bn9:bn9>/relationships/", include(client_side)),
    path("businesses/<bn9:bn9>/activity/", activity.activity_list, name="activity_list"),
]
