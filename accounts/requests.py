"""The request of a signed-in person, which is what every view gets that is not marked public."""

from django.http import HttpRequest

from accounts.models import User


class PersonRequest(HttpRequest):
    """A request whose user is a person: the middleware has sent everybody else to sign in."""

    user: User
