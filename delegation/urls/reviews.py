"""Addresses of the access reviews of a business."""

from django.urls import include, path

from delegation.views import reviews

of_business = [
    path("", reviews.access_review_list, name="access_review_list"),
    path("new/", reviews.access_review_create, name="access_review_create"),
    path("<uuid:pk>/", reviews.access_review_detail, name="access_review_detail"),
    path("<uuid:pk>/answer/", reviews.access_review_answer, name="access_review_answer"),
    path("<uuid:pk>/apply/", reviews.access_review_apply, name="access_review_apply"),
    path("<uuid:pk>/sign/", reviews.access_review_sign, name="access_review_sign"),
]

urlpatterns = [path("businesses/<bn9:bn9>/employees/reviews/", include(of_business))]
