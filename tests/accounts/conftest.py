from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.people import give_profile, sign_up
from tests.accounts.sandbox import LEVEL, PEOPLE, Lies, Provider, running
from tests.conftest import by_night


@pytest.fixture(autouse=True)
def fresh_rate_limits(db: None) -> None:
    """The cache table keeps the rate limits of signing in from one test to the next."""
    cache.clear()


@pytest.fixture
def newcomer() -> User:
    """A person who has signed up and has no profile yet."""
    return sign_up()


@pytest.fixture
def person(newcomer: User, at: datetime) -> User:
    """A person with a profile."""
    return give_profile(newcomer, at)


@pytest.fixture
def newcomer_client(client: Client, newcomer: User) -> Client:
    client.force_login(newcomer)
    return client


@pytest.fixture
def person_client(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


# ---------------------------------------------------------------- identity providers


@pytest.fixture(scope="session")
def live_providers() -> Iterator[list[Provider]]:
    """GCKey and a Sign-In Partner, each at a port of its own."""
    with (
        running(Provider("gckey", PEOPLE)) as gckey,
        running(Provider("sign-in-partner", PEOPLE)) as partner,
    ):
        yield [gckey, partner]


@pytest.fixture
def providers(live_providers: list[Provider], settings: Any) -> list[Provider]:
    """The portal knows both, and both tell the truth until a test makes them lie."""
    for provider in live_providers:
        provider.lies = Lies()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "provider_class": "accounts.federation.provider.IdentityProvider",
            "APPS": [
                {
                    "provider_id": provider.id,
                    "name": provider.id,
                    "client_id": "portal",
                    "secret": "kept",
                    "settings": {"server_url": provider.issuer, "acr": [LEVEL]},
                }
                for provider in live_providers
            ],
        }
    }
    return live_providers


@pytest.fixture(params=[0, by_night(1)], ids=["gckey", "sign-in-partner"])
def provider(request: pytest.FixtureRequest, providers: list[Provider]) -> Provider:
    """Either of them."""
    return providers[request.param]


@pytest.fixture
def gckey(providers: list[Provider]) -> Provider:
    return providers[0]
