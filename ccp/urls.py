"""Every address of the portal. Pages carry their language: /en-ca/... and /fr-ca/..."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from ccp import views

urlpatterns = [
    path("healthz/", views.health, name="health"),
    *i18n_patterns(
        path("", views.home, name="home"),
        path("", include("accounts.urls")),
        path("account/", include("allauth.account.urls")),
    ),
]

handler400 = "ccp.views.bad_request"
handler403 = "ccp.views.permission_denied"
handler404 = "ccp.views.page_not_found"
handler500 = "ccp.views.server_error"
