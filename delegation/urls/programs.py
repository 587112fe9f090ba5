"""Addresses of the program accounts of a business."""

from django.urls import path

from delegation.views import programs

urlpatterns = [
    path(
        "businesses/<bn9:bn9>/programs/<rm:extension>/",
        programs.program_detail,
        name="program_detail",
    ),
]
