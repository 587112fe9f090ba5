"""Addresses of the expiry calendar: of the business, of its clients, and as a personal link."""

from django.urls import path

from delegation.views import calendars

urlpatterns = [
    path("businesses/<bn9:bn9>/calendar/", calendars.calendar_feed, name="calendar_feed"),
    path(
        "businesses/<bn9:bn9>/calendar/end/", calendars.calendar_feed_end, name="calendar_feed_end"
    ),
    path(
        "businesses/<bn9:bn9>/relationships/calendar/",
        calendars.relationship_calendar,
        name="relationship_calendar",
    ),
    path(
        "businesses/<bn9:bn9>/clients/calendar/", calendars.client_calendar, name="client_calendar"
    ),
]
