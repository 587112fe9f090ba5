"""The addresses of second factors, and of the page that asks for one."""

from django.urls import path

from accounts.second_factor import proving, views

urlpatterns = [
    path("account/second-factor/", views.factor_list, name="factor_list"),
    path("account/second-factor/passkeys/add/", views.passkey_add, name="passkey_add"),
    path("account/second-factor/<int:pk>/rename/", views.passkey_rename, name="passkey_rename"),
    path("account/second-factor/app/add/", views.app_add, name="app_add"),
    path("account/second-factor/<int:pk>/remove/", views.factor_remove, name="factor_remove"),
    path("account/recovery-codes/", views.recovery_codes, name="recovery_codes"),
    path("account/recovery-codes/make/", views.recovery_codes_make, name="recovery_codes_make"),
    path("account/second-factor/help/", proving.second_factor_help, name="second_factor_help"),
    path("account/prove/", proving.second_factor, name="mfa_authenticate"),
    path("account/reauthenticate/", proving.prove, name="account_reauthenticate"),
]
