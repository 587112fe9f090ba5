"""Addresses of transactions: those of a business, and those of its clients."""

from django.urls import include, path

from transactions import views

own = [
    path("", views.declaration_detail, name="declaration_detail"),
    path("correct/", views.correction_create, name="correction_create"),
]

of_a_client = [
    path("", views.client_declaration_detail, name="client_declaration_detail"),
    path("correct/", views.client_correction_create, name="client_correction_create"),
]

urlpatterns = [
    path("businesses/<bn9:bn9>/transactions/", views.declaration_list, name="declaration_list"),
    path("businesses/<bn9:bn9>/programs/<rm:extension>/transactions/<str:number>/", include(own)),
    path(
        "businesses/<bn9:bn9>/clients/<bn9:client_bn9>/programs/<rm:extension>/transactions/"
        "<str:number>/",
        include(of_a_client),
    ),
]
