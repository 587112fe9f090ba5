"""The answer to whoever asks too often: the page that was filled in, and when to try again."""

from datetime import datetime

from django.http import HttpResponse

from delegation.services.limits import opens_again_at


def with_retry[Answer: HttpResponse](response: Answer, at: datetime) -> Answer:
    """The response; one of too many (429) says in seconds when the next request can be sent."""
    if response.status_code == 429:
        response["Retry-After"] = str(int((opens_again_at(at) - at).total_seconds()) + 1)
    return response
