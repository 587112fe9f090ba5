"""One person, two ways to sign in: linked from inside, and never taken from anybody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.socialaccount.internal.statekit import STATES_SESSION_KEY
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.db.models import QuerySet
from django.test import Client

from accounts.federation.services import link_identity
from accounts.federation.tokens import identity
from accounts.models import User
from audit.models import Event
from audit.services import Refusal
from notices.services import send_due
from tests.accounts.people import code_in, give_profile, sign_up
from tests.accounts.sandbox import Provider
from tests.world import done

pytestmark = pytest.mark.usefixtures("providers")

LIST = "/en-ca/account/identities/"


def arrived(provider: Provider, at: datetime, subject: str = "alice") -> Client:
    """A browser in which somebody with a profile came from a provider."""
    client = Client(headers={"user-agent": "Firefox/140.0 (Windows NT 10.0)"})
    provider.sign_in(client, subject)
    give_profile(User.objects.get(pk=client.session["_auth_user_id"]), at)
    return client


def begin(client: Client, provider: Provider) -> str:
    """Press the button that links; the address at the provider that it leads to."""
    response = client.post(f"{LIST}{provider.id}/add/")
    assert response.status_code == 302, response.content
    return str(response["Location"])


def link(client: Client, provider: Provider, subject: str) -> Any:
    """All of it; the page that the person comes back to."""
    return client.get(provider.agree(begin(client, provider), subject), follow=True)


def who(client: Client) -> int:
    return int(client.session["_auth_user_id"])


def linked_to(provider: Provider, subject: str) -> list[int]:
    uid = identity(provider.issuer, subject)
    found = SocialAccount.objects.filter(provider=provider.id, uid=uid)
    return list(found.values_list("user", flat=True))


def verbs(person: int) -> list[str]:
    chain = Event.objects.filter(chain=f"person:{person}", verb__startswith="identity")
    return list(chain.order_by("seq").values_list("verb", flat=True))


def test_a_second_way_is_linked_from_inside_and_leads_to_the_same_person(
    providers: list[Provider], at: datetime
) -> None:
    gckey, partner = providers
    client = arrived(gckey, at)
    person = who(client)
    session = client.session["identity_provider"]["provider"]

    page = link(client, partner, "francoise").content.decode()

    assert "you can sign in with this too: Sign-In Partner" in page
    assert linked_to(partner, "francoise") == [person] and who(client) == person
    assert client.session["identity_provider"]["provider"] == session, "Vouched for as before."
    assert User.objects.get(pk=person).email == "alice@example.ca", "Nothing else is taken over."
    assert verbs(person) == ["identity.link"]
    send_due()
    assert mail.outbox[-1].to == ["alice@example.ca"] and "Sign-In Partner" in mail.outbox[-1].body
    other = Client()
    partner.sign_in(other, "francoise")
    assert who(other) == person and User.objects.count() == 1
    assert "already" in link(client, partner, "francoise").content.decode()


def test_an_identity_is_never_taken_from_somebody(providers: list[Provider], at: datetime) -> None:
    gckey, partner = providers
    theirs = arrived(partner, at, "francoise")
    client = arrived(gckey, at)

    last_week = at - timedelta(days=7)
    SocialAccount.objects.filter(user=who(theirs)).update(last_login=last_week)

    page = link(client, partner, "francoise").content.decode()

    assert "Somebody else signs in to the portal this way" in page
    used = SocialAccount.objects.get(user=who(theirs)).last_login
    assert used == last_week, "To try it is no use of it."
    assert linked_to(partner, "francoise") == [who(theirs)]
    assert verbs(who(client)) == ["identity.link.refused"] and verbs(who(theirs)) == []


def test_of_two_who_link_it_in_one_instant_the_second_is_refused(
    at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looked before the first was there meets the database, and a plain refusal."""
    ada, eve = (give_profile(sign_up(f"{name}@example.ca"), at) for name in ("ada", "eve"))
    way: dict[str, Any] = {"provider": "gckey", "uid": "one of two", "at": at}
    first = done(link_identity(actor=eve, **way))
    looked, get = list[object](), QuerySet.get

    def looks_too_early(rows: Any, *args: Any, **kwargs: Any) -> Any:
        if rows.model is SocialAccount and not looked:
            looked.append(kwargs)
            raise SocialAccount.DoesNotExist
        return get(rows, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "get", looks_too_early)
    answer = link_identity(actor=ada, **way)
    assert looked and isinstance(answer, Refusal) and answer.code == "identity_of_another"
    assert [*SocialAccount.objects.all()] == [first]


# ---------------------------------------------------------------- attacks


def from_another_browser(ada: Client, eve: Client, partner: Provider) -> Client:
    """Eve proves her own identity and has Ada open the way back."""
    ada.get(partner.agree(begin(eve, partner), "francoise"))
    return ada


def after_somebody_else_signed_in(ada: Client, eve: Client, partner: Provider) -> Client:
    """Ada begins, leaves, and Eve comes back in the same browser."""
    back = partner.agree(begin(ada, partner), "francoise")
    ada.post("/en-ca/account/logout/")
    ada.force_login(User.objects.get(pk=who(eve)))
    ada.get(back)
    return ada


def with_the_state_of_another(ada: Client, eve: Client, partner: Provider) -> Client:
    """Even where what Ada's session keeps comes into Eve's, it is Ada's."""
    back = partner.agree(begin(ada, partner), "francoise")
    session = eve.session
    for name in (STATES_SESSION_KEY, "sign_in_began", "sign_in_language"):
        session[name] = ada.session[name]
    session.save()
    page = eve.get(back, follow=True).content.decode()
    assert "somebody else is signed in by now" in page
    return eve


def by_the_way_of_a_sign_in(ada: Client, eve: Client, partner: Provider) -> Client:
    """A link that asks for it in the words of django-allauth signs in, as somebody new."""
    asked = ada.post(
        f"/en-ca/account/sign-in/{partner.id}/?process=connect", {"process": "connect"}
    )
    ada.get(partner.agree(asked["Location"], "francoise"))
    return ada


def by_a_link(ada: Client, eve: Client, partner: Provider) -> Client:
    assert ada.get(f"{LIST}{partner.id}/add/").status_code == 405
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = ada.cookies
    assert forged.post(f"{LIST}{partner.id}/add/").status_code == 403
    return ada


@pytest.mark.parametrize(
    "attack",
    [
        from_another_browser,
        after_somebody_else_signed_in,
        with_the_state_of_another,
        by_the_way_of_a_sign_in,
        by_a_link,
    ],
    ids=lambda attack: attack.__name__,
)
def test_nothing_is_linked_that_its_person_did_not_begin(
    providers: list[Provider],
    at: datetime,
    attack: Callable[[Client, Client, Provider], Client],
) -> None:
    gckey, partner = providers
    ada, eve = arrived(gckey, at), Client()
    eve.force_login(give_profile(sign_up("eve@example.ca"), at))
    known = {who(ada), who(eve)}

    attack(ada, eve, partner)

    assert not known & {*linked_to(partner, "francoise")}


def test_an_attempt_of_somebody_else_is_no_use_of_an_identity(
    providers: list[Provider], at: datetime
) -> None:
    gckey, partner = providers
    owner = who(arrived(partner, at, "francoise"))
    last_week = at - timedelta(days=7)
    SocialAccount.objects.filter(user=owner).update(last_login=last_week)
    ada, eve = arrived(gckey, at), Client()
    eve.force_login(give_profile(sign_up("eve@example.ca"), at))
    with_the_state_of_another(ada, eve, partner)
    assert SocialAccount.objects.get(user=owner).last_login == last_week


def test_linking_and_removing_ask_for_a_proof(
    clock: Any, providers: list[Provider], at: datetime
) -> None:
    gckey, partner = providers
    client = arrived(gckey, at)
    link(client, partner, "francoise")
    mine = SocialAccount.objects.get(provider="gckey")
    clock.shift(timedelta(minutes=15))

    for path in (f"{LIST}{partner.id}/add/", f"{LIST}{mine.pk}/remove/"):
        assert "Confirm that it is you" in client.post(path).content.decode()
    client.post(f"{LIST}{mine.pk}/remove/", {"send_code": "yes"})
    send_due()
    client.post(f"{LIST}{mine.pk}/remove/", {"otp": code_in(mail.outbox)})
    assert not SocialAccount.objects.filter(pk=mine.pk).exists()


# ---------------------------------------------------------------- one less


def test_a_provider_that_is_gone_is_no_way_in(gckey: Provider, at: datetime) -> None:
    client = arrived(gckey, at)
    mine = SocialAccount.objects.get()
    gone = SocialAccount.objects.create(user_id=who(client), provider="old-partner", uid="x")
    page = client.get(LIST).content.decode()
    assert f"{LIST}{mine.pk}/remove/" not in page and f"{LIST}{gone.pk}/remove/" in page
    assert client.post(f"{LIST}{mine.pk}/remove/").status_code == 409
    assert client.post(f"{LIST}{gone.pk}/remove/").status_code == 302


def test_a_way_is_removed_but_never_the_last_and_ends_what_came_by_it(
    providers: list[Provider], at: datetime
) -> None:
    gckey, partner = providers
    here = arrived(gckey, at)
    link(here, partner, "francoise")
    there = Client()
    partner.sign_in(there, "francoise")
    first, second = SocialAccount.objects.order_by("pk")

    here.post(f"{LIST}{second.pk}/remove/")

    assert linked_to(partner, "francoise") == []
    assert there.get(LIST).status_code == 302 and here.get(LIST).status_code == 200
    assert here.post(f"{LIST}{first.pk}/remove/").status_code == 409
    assert "Your only way" in here.get(LIST).content.decode()
    assert verbs(who(here)) == ["identity.link", "identity.unlink", "identity.unlink.refused"]
    assert here.post(f"{LIST}{second.pk}/remove/").status_code == 404
    eve = Client()
    eve.force_login(give_profile(sign_up("eve@example.ca"), at))
    assert eve.post(f"{LIST}{first.pk}/remove/").status_code == 404
