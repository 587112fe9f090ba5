"""Forgets sessions that are over: `forget_sessions`."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Forget the rows of sessions that are over, and where they were. Run it every day."

    def handle(self, **options: Any) -> None:
        SessionStore.clear_expired()
        kept = Session.objects.values("session_key")
        forgotten, _by_model = UserSession.objects.exclude(session_key__in=kept).delete()
        self.stdout.write(f"{forgotten} forgotten")
