"""The addresses of the personal profile, and of what comes before it."""

from allauth.account.views import email, password_set
from allauth.socialaccount.views import login_cancelled
from django.urls import include, path

from accounts import views
from accounts.federation.linking import identity_list, identity_remove
from accounts.federation.views import (
    confirm_address,
    first_sign_in,
    identity_add,
    identity_provider_sign_in,
)
from accounts.second_factor.proof import proven_anew
from accounts.sessions.views import (
    kept_form_create,
    kept_form_detail,
    session_extend,
    session_list,
    session_status,
    sign_out,
)

urlpatterns = [
    path(
        "account/sign-in/<slug:provider>/",
        identity_provider_sign_in,
        name="identity_provider_sign_in",
    ),
    path("account/identities/", identity_list, name="identity_list"),
    path("account/identities/<slug:provider>/add/", identity_add, name="identity_add"),
    path("account/identities/<int:pk>/remove/", identity_remove, name="identity_remove"),
    path("account/first-sign-in/", first_sign_in, name="socialaccount_signup"),
    path("account/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path("account/confirm-email/", confirm_address, name="account_email_verification_sent"),
    path("account/email/", proven_anew(email), name="account_email"),
    path("account/password/set/", proven_anew(password_set), name="account_set_password"),
    path("", include("accounts.second_factor.urls")),
    path("account/sessions/", session_list, name="usersessions_list"),
    path("account/logout/", sign_out, name="account_logout"),
    path("account/session/", session_extend, name="session_extend"),
    path("account/session/status/", session_status, name="session_status"),
    path("account/kept-form/", kept_form_detail, name="kept_form_detail"),
    path("account/kept-form/create/", kept_form_create, name="kept_form_create"),
    path("profile/", views.profile_detail, name="profile_detail"),
    path("profile/create/", views.profile_create, name="profile_create"),
    path("profile/edit/", views.profile_edit, name="profile_edit"),
]
