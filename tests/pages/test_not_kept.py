"""Pages leave no copy behind; files may be kept."""

import pytest
from django.test import Client

from tests.world import World


@pytest.mark.asvs("14.2.2", "14.3.2")
@pytest.mark.parametrize("path", ["/en-ca/", "/en-ca/profile/", "/en-ca/absent/", "/healthz/"])
def test_no_page_is_kept(world: World, client: Client, path: str) -> None:
    client.force_login(world.person("Eve"))
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_file_may_be_kept(client: Client) -> None:
    response = client.get("/static/portal.css")
    response.close()
    assert "no-store" not in response.headers.get("Cache-Control", "")
