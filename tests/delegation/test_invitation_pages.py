"""The pages of invitations: those of the managers, and those of whoever is invited."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import PersonalProfile, User
from businesses.models import BusinessAccount
from delegation.models import Invitation, Membership
from delegation.models.invitations import digest_of
from delegation.roles import Role
from delegation.services.groups import create_employee_group, grant_employee_group_role
from delegation.services.rights import end_membership
from notices.models import Notice
from tests.delegation.reading import as_, confirm, queries, words
from tests.delegation.test_invitations import accept, become, resend
from tests.world import World, done, roles_of

pytestmark = pytest.mark.usefixtures("clock")

TOKEN = "t" * 43


def url(name: str, business: BusinessAccount, **more: object) -> str:
    return reverse(name, kwargs={"bn9": business.bn9, **more})


def linked(invitation: Invitation, token: str = TOKEN) -> str:
    """The link of an invitation whose secret the test knows."""
    Invitation.objects.filter(pk=invitation.pk).update(token_digest=digest_of(token))
    return reverse("invitation_open", kwargs={"token": token})


@pytest.fixture
def eve(world: World) -> User:
    return world.owns(world.person("Eve"))


def answers(**more: str) -> dict[str, str]:
    return {
        "email": "Zoe@Example.test",
        "language": "fr-ca",
        "message": "Welcome to the team",
        "scope": "programs",
        "RM0001": "editor",
    } | more


# ---------------------------------------------------------------- the managers


def test_a_manager_reads_in_words_what_is_sent_and_sends_it(
    world: World, maple: BusinessAccount
) -> None:
    browser, new = as_(world.manager(maple)), url("invitation_create", maple)
    assert browser.post(new, answers(email="zoe", RM0001="")).status_code == 422
    preview = browser.post(new, answers())
    said = words(preview)
    assert "You invite zoe@example.test to work for Maple" in said
    assert "RM 0001 Maple 1 Editor . Creates, edits and views all transactions" in said
    assert "Language of the e-mail French" in said
    assert "lapses after 14 days" in said and not Invitation.objects.exists()
    assert browser.post(new, answers(change="yes")).context["form"]["email"].value()

    sent = confirm(browser, new, answers())

    assert sent.status_code == 302 and sent.url == url("invitation_list", maple)
    letter = Notice.objects.get(address="zoe@example.test")
    assert letter.language == "fr-ca" and "Welcome to the team" in letter.body
    listed = words(browser.get(sent.url))
    assert "The invitation to Maple" in listed and "was sent to zoe@example.test" in listed
    assert "Editor RM 0001 Maple 1" in listed and "Waiting" in listed
    again = confirm(browser, new, answers())
    assert again.status_code == 409
    assert "An invitation to this address is waiting already." in words(again)


def test_an_invitation_names_groups_instead_of_roles(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    group = done(create_employee_group(name="Customs team", **boss))
    program = world.program(maple)
    done(grant_employee_group_role(group=group, scope=program, role=Role.READER, **boss))
    browser, new = as_(world.manager(maple)), url("invitation_create", maple)
    data = answers(email=eve.email, RM0001="", groups=str(group.pk))

    said = words(browser.post(new, data))
    assert "Employee group Customs team . As long as the person is in it: RM 0001: Reader." in said
    assert confirm(browser, new, data).status_code == 302

    invitation = Invitation.objects.get()
    assert "Customs team" in Notice.objects.get(address=eve.email).body
    assert "Customs team" in words(browser.get(url("invitation_list", maple)))
    answer = reverse("invitation_answer", kwargs={"pk": invitation.pk})
    assert "RM 0001: Reader" in words(as_(eve).get(answer))


def test_a_manager_sends_a_new_link_and_revokes(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    browser = as_(world.manager(maple))
    invitation = world.invitation(eve.email, maple, RM0001="editor")
    old = linked(invitation)
    page = url("invitation_detail", maple, pk=invitation.pk)
    again = browser.post(url("invitation_resend", maple, pk=invitation.pk), {"version": 1})
    assert again.url == page and "The old one no longer works." in words(browser.get(page))
    assert as_(eve).get(old, follow=True).status_code == 404
    revoke = url("invitation_revoke", maple, pk=invitation.pk)
    assert "changed while you had the page open" in words(browser.post(revoke, {"version": 1}))
    assert browser.post(revoke, {"version": 2}).status_code == 302
    assert "Revoked" in words(browser.get(page))
    late = browser.post(revoke, {"version": 3})
    assert late.status_code == 409 and "This invitation was revoked on" in words(late)


def test_a_program_manager_sees_and_offers_the_own_programs(
    world: World, maple: BusinessAccount
) -> None:
    pam = as_(world.employee("Pam", maple, RM0001="pam"))
    world.invitation("mine@example.test", maple, RM0001="editor")
    by_bam = world.invitation("pam2@example.test", maple, RM0001="pam")
    hidden = world.invitation("both@example.test", maple, RM0001="reader", RM0002="reader")
    world.invitation("bam@example.test", maple)
    listed = words(pam.get(url("invitation_list", maple)))
    assert {*re.findall(r"(\w+)@example\.test", listed)} == {"mine", "pam2"}
    assert pam.get(url("invitation_detail", maple, pk=hidden.pk)).status_code == 404
    higher = words(pam.get(url("invitation_detail", maple, pk=by_bam.pk)))
    assert "Revoke the invitation" not in higher
    form = pam.get(url("invitation_create", maple)).context["form"]
    assert "scope" not in form.fields and [one.extension for one in form.programs] == ["RM0001"]
    assert pam.post(url("invitation_create", maple), answers(RM0001="pam")).status_code == 422


def test_the_list_is_found_by_state_and_costs_the_same(
    world: World, maple: BusinessAccount
) -> None:
    browser, every = as_(world.manager(maple)), url("invitation_list", maple)
    world.invitation("a0@example.test", maple, RM0001="editor")
    one = queries(browser, every)
    for number in range(1, 27):
        name = f"a{number}@example.test"
        world.invitation(name, maple, RM0001="editor", RM0002="reader")
    assert queries(browser, every) == one
    assert browser.get(every).context["page"].next_token
    page = browser.get(every, {"email": "A26@", "state": "waiting"})
    assert [one.email for one in page.context["page"].rows] == ["a26@example.test"]
    assert "No invitation fits." in words(browser.get(every, {"state": "revoked"}))


# ---------------------------------------------------------------- whoever is invited


def test_the_link_leads_through_sign_in_and_profile_to_the_answer(
    world: World, maple: BusinessAccount, eve: User, client: Client
) -> None:
    """The secret is in no page and no address behind the link."""
    invitation = world.invitation(eve.email, maple, RM0001="editor")
    link = linked(invitation)
    PersonalProfile.objects.filter(user=eve).delete()
    opened = client.get(link)
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    sign_in = client.get(opened.url)
    assert sign_in.url == "/en-ca/account/login/?next=/en-ca/invitations/follow/"
    client.force_login(eve)
    assert client.get(link).url == opened.url  # before the profile, too
    profile = client.get(opened.url)
    assert profile.url == "/en-ca/profile/create/?next=%2Fen-ca%2Finvitations%2Ffollow%2F"
    page = client.get(profile.url)
    assert 'value="/en-ca/invitations/follow/"' in page.content.decode()
    PersonalProfile.objects.create(user=eve, telephone="1", created_at=world.at)
    answer = client.get(opened.url, follow=True)
    assert answer.redirect_chain == [(f"/en-ca/invitations/{invitation.pk}/", 302)]
    said = words(answer)
    assert "Maple manager invites you to work for Maple" in said and "Editor" in said
    for seen in (opened, sign_in, profile, page, answer):
        assert TOKEN not in f"{seen.content.decode()}{seen.headers}"
    assert TOKEN not in repr(dict(client.session))


def test_accepting_twice_has_one_effect(world: World, maple: BusinessAccount, eve: User) -> None:
    invitation = world.invitation(eve.email, maple, RM0001="editor")
    browser, taken = as_(eve), reverse("invitation_accept", kwargs={"pk": invitation.pk})
    form = {"version": "1", "form_key": str(uuid4())}
    home = url("business_home", maple)
    assert [browser.post(taken, form).url for _ in range(2)] == [home, home]
    # Another window, with a form of its own, leads to the same place and does nothing.
    assert browser.post(taken, {**form, "form_key": str(uuid4())}).url == home
    assert "You can now work for Maple" in words(browser.get(home))
    assert Membership.objects.filter(person=eve).count() == 1
    assert roles_of(maple, eve, world.at)["RM0001"] is Role.EDITOR


def test_declining_takes_nothing_and_tells_the_inviter(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    invitation = world.invitation(eve.email, maple)
    no = reverse("invitation_decline", kwargs={"pk": invitation.pk})
    assert as_(eve).post(no, {"version": "1"}).url == reverse("home")
    assert not Membership.objects.filter(person=eve).exists()
    letter = Notice.objects.get(template="delegation/email/invitation_declined.txt")
    assert letter.recipient == world.manager(maple)


def test_what_cannot_be_given_any_more_says_whom_to_ask(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    ana = world.employee("Ana Ash", maple)
    invitation = world.invitation(eve.email, maple, by=ana)
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_membership(membership=Membership.objects.get(person=ana), reason="", **boss))
    browser, here = as_(eve), {"pk": invitation.pk}
    said = words(browser.get(reverse("invitation_answer", kwargs=here)))
    assert "Ask Ana Ash or another manager of Maple for a new one." in said
    assert 'value="1"><button' not in said and "Decline" in said
    refused = browser.post(reverse("invitation_accept", kwargs=here), {"version": "1"})
    assert refused.status_code == 409 and "Ask Ana Ash" in words(refused)
    assert not Membership.objects.filter(person=eve).exists()


def bare(page: Any) -> tuple[int, str]:
    """The status and the page, without what differs for every answer or names its address."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page.content.decode())
    return page.status_code, re.sub(r"/invitations/[\w-]+/(\w+/)?", "/X/", text)


def test_every_link_that_does_not_open_gets_one_page(world: World, eve: User) -> None:
    """Wrong, used, declined, lapsed, revoked, replaced, somebody else's: by link and by address."""
    pages, maple = {}, world.earlier(days=30).importer("Maple")
    for number, state in enumerate(("lapsed", "revoked", "declined", "replaced", "accepted")):
        then = world.earlier(days=20) if state == "lapsed" else world
        invitation = then.invitation(eve.email, maple, RM0001="reader")
        link = linked(invitation, f"{number}" * 43)
        if state == "replaced":
            done(resend(then, Invitation.objects.get(pk=invitation.pk), eve))
            pages["replaced"] = as_(eve).get(link, follow=True)
            done(accept(then, Invitation.objects.get(pk=invitation.pk), eve))
        elif state != "lapsed":
            become(state, then, Invitation.objects.get(pk=invitation.pk), eve)
        if state != "replaced":
            pages[state] = as_(eve).get(link, follow=True)
        by_address = reverse("invitation_answer", kwargs={"pk": invitation.pk})
        pages[f"{state} by address"] = as_(eve).get(by_address)
    wrong = reverse("invitation_open", kwargs={"token": "w" * 43})
    pages["wrong"] = as_(eve).get(wrong, follow=True)
    pages["wrong address"] = as_(eve).get(reverse("invitation_answer", kwargs={"pk": uuid4()}))
    other = world.invitation("zoe@example.test", maple)
    pages["another’s"] = as_(eve).get(linked(other, "z" * 43), follow=True)
    for verb in ("answer", "accept", "decline"):
        address = reverse(f"invitation_{verb}", kwargs={"pk": other.pk})
        ask = as_(eve).get if verb == "answer" else as_(eve).post
        pages[f"{verb} another’s"] = ask(address)
    assert len(pages) == 16
    [(status, text)] = {bare(page) for page in pages.values()}
    assert status == 404 and "Maple" not in text and "You are signed in with eve@" in text
    # The control: a link that waits for its person opens.
    mine = world.invitation(eve.email, maple)
    assert as_(eve).get(linked(mine), follow=True).status_code == 200


def test_the_third_door_lists_what_waits_and_takes_a_link(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    browser, find = as_(eve), reverse("invitation_find")
    assert f'href="{find}"' in browser.get(reverse("first_time_setup")).content.decode()
    assert "No invitation waits for eve@example.test." in words(browser.get(find))
    invitation = world.invitation(eve.email, maple)
    for page in (find, reverse("first_time_setup")):
        assert "Invitations that wait for me" in words(browser.get(page))
        assert f"/invitations/{invitation.pk}/" in browser.get(page).content.decode()
    link = linked(invitation)
    for typed in ("", "hello", "https://elsewhere.example/"):
        assert browser.post(find, {"link": typed}).status_code == 422
    for typed in (f"http://localhost:8000{link}", f" {TOKEN} ", f"{link}?x=1"):
        led = browser.post(find, {"link": typed}, follow=True)
        assert led.redirect_chain[-1] == (f"/en-ca/invitations/{invitation.pk}/", 302)


@pytest.mark.parametrize("state", ["suspended", "closed"])
def test_a_manager_of_what_nothing_can_change_is_told_so_and_shown_no_way_there(
    world: World, maple: BusinessAccount, state: str
) -> None:
    browser = as_(world.employee("Pam", maple, RM0001="pam"))
    people = reverse("employee_list", kwargs={"bn9": maple.bn9})
    invite = reverse("invitation_create", kwargs={"bn9": maple.bn9})
    assert invite in browser.get(people).content.decode()
    if state == "closed":
        maple.programs.update(closed_at=world.at)
    else:
        BusinessAccount.objects.filter(pk=maple.pk).update(status="suspended")

    assert invite not in browser.get(people).content.decode()
    for name in ("invitation_create", "relationship_offer_create"):
        refused = browser.get(reverse(name, kwargs={"bn9": maple.bn9}))
        said = words(refused)
        assert refused.status_code == 403 and "Request access" not in said
        assert ("is closed" if state == "closed" else "is not active") in said
