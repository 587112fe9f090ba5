"""The address at which a client begins to look as a firm sees."""

from django.urls import path

from delegation.views import view_as

urlpatterns = [
    path(
        "businesses/<bn9:bn9>/relationships/<uuid:pk>/view-as/",
        view_as.view_as_create,
        name="view_as_create",
    ),
]
