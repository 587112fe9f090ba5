"""Addresses of the officers’ desk."""

from django.urls import include, path

from officers.views import desk, lookups, people, reports

recovery = [
    path("", desk.recovery_review, name="recovery_review"),
    path("propose/", desk.recovery_propose, name="recovery_propose"),
    path("confirm/", desk.recovery_confirm, name="recovery_confirm"),
    path("reject/", desk.recovery_reject, name="recovery_reject"),
]

account_recovery = [
    path("", people.account_recovery_review, name="account_recovery_review"),
    path("confirm/", people.account_recovery_confirm, name="account_recovery_confirm"),
    path("reject/", people.account_recovery_reject, name="account_recovery_reject"),
]

one_lookup = [
    path("", lookups.lookup_detail, name="lookup_detail"),
    path("end/", lookups.lookup_end, name="lookup_end"),
    path("transactions/", lookups.lookup_declaration_list, name="lookup_declaration_list"),
    path(
        "programs/<rm:extension>/transactions/<str:number>/",
        lookups.lookup_declaration_detail,
        name="lookup_declaration_detail",
    ),
]

urlpatterns = [
    path("", desk.officer_desk, name="officer_desk"),
    path("recoveries/<uuid:pk>/", include(recovery)),
    path("people/", people.account_recovery_propose, name="account_recovery_propose"),
    path("people/<uuid:pk>/", include(account_recovery)),
    path("reports/", reports.report_list, name="report_list"),
    path("lookups/", lookups.lookup_open, name="lookup_open"),
    path("lookups/<uuid:pk>/", include(one_lookup)),
]
