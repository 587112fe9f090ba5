"""Every address of the portal. Pages carry their language: /en-ca/... and /fr-ca/..."""

from allauth.account import urls
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, register_converter

from businesses.converters import BN9Converter, ExtensionConverter
from ccp import dashboard, views
from delegation.views.calendars import calendar_feed_read

OURS = {
    "account_email_verification_sent",
    "account_email",
    "account_set_password",
    "account_reauthenticate",
    "account_logout",
}
of_allauth = [one for one in urls.urlpatterns if one.name not in OURS]
"""The pages of allauth, but those that `accounts.urls` has in their place."""

register_converter(BN9Converter, "bn9")
register_converter(ExtensionConverter, "rm")

urlpatterns = [
    path("healthz/", views.health, name="health"),
    path("", include("accounts.federation.urls")),
    path("calendar/<str:token>.ics", calendar_feed_read, name="calendar_feed_read"),
    *i18n_patterns(
        path("", dashboard.home, name="home"),
        path("setup/", dashboard.first_time_setup, name="first_time_setup"),
        path("businesses/<bn9:bn9>/", dashboard.business_home, name="business_home"),
        path("", include("accounts.urls")),
        path("account/", include(of_allauth)),
        path("register/", include("registration.urls")),
        path("", include("delegation.urls")),
        path("", include("transactions.urls")),
        path("officers/", include("officers.urls")),
    ),
]

handler400 = "ccp.views.bad_request"
handler403 = "ccp.views.permission_denied"
handler404 = "ccp.views.page_not_found"
handler429 = "ccp.views.too_many_requests"
handler500 = "ccp.views.server_error"
