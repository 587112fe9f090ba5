"""A provider is asked at its own addresses, and followed nowhere."""

from collections.abc import Callable, Iterable
from typing import Any

import jwt
import pytest
from django.test import Client

from accounts.federation.tokens import Keys
from ccp.sandbox import serving
from tests.accounts.sandbox import Provider

pytestmark = pytest.mark.once


@pytest.mark.asvs("1.3.6", "15.3.2")
def test_a_provider_that_leads_elsewhere_is_not_followed(
    client: Client, gckey: Provider, settings: Any
) -> None:
    asked: list[str] = []

    def leads(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        start("302 Found", [("Location", "/secret-of-this-network")])
        return []

    with serving(leads) as address:
        [app] = [
            one
            for one in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
            if one["provider_id"] == "gckey"
        ]
        app["settings"]["server_url"] = address
        assert client.post("/en-ca/account/sign-in/gckey/").status_code == 401
        with pytest.raises(jwt.PyJWKClientError):
            Keys(f"{address}/keys", timeout=5).fetch_data()

    assert asked == ["/.well-known/openid-configuration", "/keys"]
