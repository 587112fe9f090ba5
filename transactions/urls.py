"""Addresses of transactions: those of a business, and those of its clients."""

from django.urls import include, path

from transactions import view_as, views

own = [
    path("", views.declaration_detail, name="declaration_detail"),
    path("correct/", views.correction_create, name="correction_create"),
]

of_a_client = [
    path("", views.client_declaration_detail, name="client_declaration_detail"),
    path("correct/", views.client_correction_create, name="client_correction_create"),
]

as_a_firm = [
    path("", view_as.view_as_detail, name="view_as_detail"),
    path(
        "programs/<rm:extension>/transactions/<str:number>/",
        view_as.view_as_declaration,
        name="view_as_declaration",
    ),
]

urlpatterns = [
    path(
        "businesses/<bn9:bn9>/relationships/<uuid:pk>/view-as/<uuid:opening>/", include(as_a_firm)
    ),
    path("businesses/<bn9:bn9>/transactions/", views.declaration_list, name="declaration_list"),
    path("businesses/<bn9:bn9>/programs/<rm:extension>/transactions/<str:number>/", include(own)),
    path(
        "businesses/<bn9:bn9>/clients/<bn9:client_bn9>/programs/<rm:extension>/transactions/"
        "<str:number>/",
        include(of_a_client),
    ),
]
