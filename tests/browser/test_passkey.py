"""A passkey in a real browser, whose authenticator is a made-up one."""

import json
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from accounts.second_factor.factors import held
from tests.accounts.factors import Device
from tests.accounts.people import PASSWORD
from tests.browser.visitor import Visitor, let_sign_in
from tests.world import World

pytestmark = pytest.mark.once

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
ASKED = {"publicKey": {"rp": {"id": "localhost"}, "challenge": "AAAA"}}
"""What a page asks a device that makes a passkey."""


def test_a_passkey_is_added_and_signs_in(world: World, new_page: Callable[..., Page]) -> None:
    page = new_page()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    person = let_sign_in(world.person("Ada"))
    ada = Visitor(page, "en-ca")
    ada.sign_in(person.email)

    ada.visit("passkey_add")
    ada.fill(name="Work laptop")
    ada.press("Add a passkey")
    assert ada.reads("Your recovery codes") and held(person).codes_left == 10
    ada.visit("factor_list")
    assert ada.reads("Work laptop") and ada.reads("Not used yet")

    ada.press("Sign out")
    ada.visit("account_login")
    ada.fill(login=person.email, password=PASSWORD)
    ada.press("Sign in")
    ada.press("Use a passkey")
    ada.visit("factor_list")
    assert not ada.reads("Not used yet")

    ada.press("Sign out")
    device.send("WebAuthn.clearCredentials", {"authenticatorId": made["authenticatorId"]})
    ada.visit("account_login")
    ada.fill(login=person.email, password=PASSWORD)
    ada.press("Sign in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Your device did not answer")).to_be_visible(timeout=60_000)
    assert ada.address("mfa_authenticate") in page.url, "Without the key nobody gets in."


@pytest.mark.nightly
def test_a_page_says_that_a_passkey_needs_scripts(
    world: World, new_page: Callable[..., Page]
) -> None:
    person = let_sign_in(world.person("Ada"))
    ada = Visitor(new_page(javascript=False, width=320), "fr-ca", scripts=False)
    ada.sign_in(person.email)
    ada.visit("passkey_add")
    assert ada.reads(ada.say("A passkey needs JavaScript"))
    data = {"name": "Blue key", "credential": json.loads(Device().make(ASKED))}
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=data)

    ada.press("Sign out")
    ada.visit("account_login")
    ada.fill(login=person.email, password=PASSWORD)
    ada.press("Sign in")
    assert ada.reads(ada.say("Use a code")) and not ada.reads(ada.say("Use a passkey"))
