"""The second factor: what is asked at sign-in, and how factors are added, used and removed."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import CodeTries, User
from accounts.second_factor.factors import app_code
from accounts.second_factor.proof import PROVEN
from accounts.second_factor.services import prove_by_passkey
from accounts.services import replace_ways_to_prove
from audit.models import Event
from audit.services import Refusal
from notices.services import send_due
from tests.accounts.factors import (
    ADD_APP,
    ADD_PASSKEY,
    CODES,
    LIST,
    STEP,
    Device,
    add_app,
    add_passkey,
    codes_on,
    now,
)
from tests.accounts.people import PASSWORD, code_in, give_profile, sign_up
from tests.accounts.sandbox import Provider

pytestmark = pytest.mark.usefixtures("clock")

NEW_CODES = f"{CODES}make/"
SIGN_IN, BY_FACTOR = "/en-ca/account/login/", "/en-ca/account/prove/"
PROVE = "/en-ca/account/reauthenticate/"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def begin(person: User) -> Client:
    """A browser in which the password was right."""
    client = Client()
    client.post(SIGN_IN, {"login": person.email, "password": PASSWORD})
    return client


def mailed() -> list[EmailMessage]:
    """Every mail until now; a test never commits, so the outbox is sent here."""
    send_due()
    return mail.outbox


def verbs(person: User) -> list[str]:
    chain = Event.objects.filter(chain=f"person:{person.pk}").order_by("seq")
    return [verb for verb in chain.values_list("verb", flat=True) if not verb.startswith("profile")]


# ---------------------------------------------------------------- one rule for every sign-in


@pytest.mark.asvs("6.3.3")
def test_whoever_comes_from_a_provider_gives_a_code_too(
    gckey: Provider, client: Client, mailoutbox: list[EmailMessage]
) -> None:
    """The first time, with an address that the provider vouches for, and every time after."""
    for _ in range(2):
        visitor = Client()
        response = visitor.get(gckey.agree(gckey.begin(visitor)))
        assert response["Location"] == "/en-ca/account/login/code/confirm/"
        assert not is_signed_in(visitor)
        assert mailoutbox[-1].to == ["alice@example.ca"]
        visitor.post(response["Location"], {"code": code_in(mailoutbox)})
        assert is_signed_in(visitor)


@pytest.mark.asvs("6.3.3")
def test_an_app_takes_the_place_of_the_mailed_code(
    gckey: Provider, clock: Any, mailoutbox: list[EmailMessage], at: datetime
) -> None:
    client = Client()
    gckey.sign_in(client)
    give_profile(User.objects.get(), at)
    secret = add_app(client, clock)
    told = len(mailoutbox)

    visitor = Client()
    response = visitor.get(gckey.agree(gckey.begin(visitor, "/en-ca/profile/")))

    assert response["Location"] == BY_FACTOR
    assert not is_signed_in(visitor) and visitor.get("/en-ca/profile/").status_code == 302
    response = visitor.post(BY_FACTOR, {"otp": app_code(secret, now())})
    assert response["Location"] == "/en-ca/profile/"
    assert is_signed_in(visitor) and len(mailoutbox) == told


# ---------------------------------------------------------------- codes


def full_width(code: str) -> str:
    return code.translate({ord(digit): ord(digit) - ord("0") + ord("０") for digit in "0123456789"})


@pytest.mark.asvs("6.5.1")
@pytest.mark.parametrize(
    "typed",
    [
        str,
        full_width,
        lambda code: f" {code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}-{code[3:]}",
    ],
)
def test_a_code_is_taken_once_however_it_is_typed(
    person_client: Client, person: User, clock: Any, typed: Any
) -> None:
    secret = add_app(person_client, clock)
    code = app_code(secret, now())
    first = begin(person)
    first.post(BY_FACTOR, {"otp": typed(code)})
    assert is_signed_in(first)
    for again in (code, full_width(code), f"{code[:3]} {code[3:]}", f"{code}\u200b"):
        second = begin(person)
        assert second.post(BY_FACTOR, {"otp": again}).status_code == 422
        assert not is_signed_in(second)


@pytest.mark.asvs("6.6.2")
def test_a_code_of_another_time_or_person_is_wrong(
    person_client: Client, person: User, clock: Any, at: datetime
) -> None:
    secret = add_app(person_client, clock)
    other = give_profile(sign_up("eve@example.ca"), at)
    others = Client()
    others.force_login(other)
    theirs = add_app(others, clock)
    visitor = begin(person)
    moment = now()
    for wrong in (
        app_code(secret, moment - STEP),
        app_code(secret, moment + STEP),
        app_code(theirs, moment),
        "",
        "x" * 500,
        "\x00",
        "١٢٣٤٥٦",
    ):
        assert visitor.post(BY_FACTOR, {"otp": wrong}).status_code == 422
        assert not is_signed_in(visitor)
    visitor.post(BY_FACTOR, {"otp": app_code(secret, moment)})
    assert is_signed_in(visitor)
    assert not CodeTries.objects.exists(), "A right code ends the counting."


@pytest.mark.asvs("6.6.3")
def test_ten_wrong_codes_lock_every_code_for_an_hour(
    person_client: Client, person: User, clock: Any
) -> None:
    secret = add_app(person_client, clock)
    recovery = codes_on(person_client.get(CODES))
    visitor = begin(person)
    for _ in range(10):
        assert "not right" in visitor.post(BY_FACTOR, {"otp": "x"}).content.decode()
    assert "Ten wrong codes" in str(mailed()[-1].body)

    def tried(code: str) -> Client:
        client = begin(person)
        client.post(BY_FACTOR, {"otp": code})
        return client

    assert not is_signed_in(tried(app_code(secret, now())))
    assert not is_signed_in(tried(recovery[0]))
    clock.shift(timedelta(minutes=60, seconds=-1))
    assert not is_signed_in(tried(app_code(secret, now())))
    clock.shift(timedelta(seconds=1))
    assert is_signed_in(tried(app_code(secret, now())))
    assert verbs(person).count("second_factor.prove.refused") == 10


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "forgotten"])
def test_an_app_outlives_the_secret_that_sealed_it_where_that_is_known(
    person_client: Client, person: User, clock: Any, settings: Any, is_known: bool
) -> None:
    secret = add_app(person_client, clock)
    codes = codes_on(person_client.get(CODES))
    former, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 50
    settings.SECRET_KEY_FALLBACKS = [former] if is_known else []
    visitor = begin(person)
    visitor.post(BY_FACTOR, {"otp": app_code(secret, now())})
    assert is_signed_in(visitor) is is_known
    # Sealed anew where it was used; without it, a recovery code still leads to the page of factors.
    settings.SECRET_KEY_FALLBACKS = []
    clock.shift(STEP)
    again = begin(person)
    again.post(BY_FACTOR, {"otp": app_code(secret, now()) if is_known else codes[0]})
    assert is_signed_in(again)
    assert again.get(LIST).status_code == again.get(CODES).status_code == 200


@pytest.mark.asvs("6.5.2")
def test_recovery_codes_are_kept_as_hashes(person_client: Client, person: User, clock: Any) -> None:
    add_app(person_client, clock)
    kept = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    assert len(kept.data["unseen"]) == 10, "sealed, until the page shows them"
    codes = [code.replace(" ", "") for code in codes_on(person_client.get(CODES))]
    kept.refresh_from_db()
    assert kept.data == {"hashes": kept.data["hashes"], "unseen": []}
    assert [*kept.data["hashes"]] == [code[0] for code in codes] == [*"0123456789"]
    for code, hashed in zip(codes, kept.data["hashes"].values(), strict=True):
        assert check_password(code, hashed)
        assert code not in str(kept.data)
    guess = f"{codes[0][0]}{codes[1][1:]}"
    assert not check_password(guess, kept.data["hashes"]["0"]), "the control"


def test_recovery_codes_are_shown_once_and_used_once(
    person_client: Client, person: User, clock: Any
) -> None:
    add_app(person_client, clock)
    codes = codes_on(person_client.get(CODES))
    assert len(set(codes)) == 10
    assert codes_on(person_client.get(CODES)) == []

    first = begin(person)
    first.post(BY_FACTOR, {"otp": f" {codes[3].replace(' ', '-')}"})
    assert is_signed_in(first)
    assert "9 codes are left" in first.get(LIST).content.decode()
    second = begin(person)
    second.post(BY_FACTOR, {"otp": codes[3]})
    assert not is_signed_in(second)

    first.post(NEW_CODES)
    fresh = codes_on(first.get(CODES))
    assert len(fresh) == 10 and not set(fresh) & set(codes)
    second.post(BY_FACTOR, {"otp": codes[4]})
    assert not is_signed_in(second)
    second.post(BY_FACTOR, {"otp": fresh[4]})
    assert is_signed_in(second)


# ---------------------------------------------------------------- what is kept and told


def test_the_key_of_an_app_is_sealed_and_its_dates_are_told(
    person_client: Client, person: User, clock: Any
) -> None:
    secret = add_app(person_client, clock)
    kept = Authenticator.objects.get(type="totp")
    assert secret not in str(kept.data)
    assert "Not used yet" in person_client.get(LIST).content.decode()
    begin(person).post(BY_FACTOR, {"otp": app_code(secret, now())})
    assert "Not used yet" not in person_client.get(LIST).content.decode()


def test_each_change_is_told_by_mail_and_in_the_history(
    person_client: Client, person: User, clock: Any
) -> None:
    add_app(person_client, clock)
    person_client.post(NEW_CODES)
    app = Authenticator.objects.get(type="totp")
    remove = f"{LIST}{app.pk}/remove/"
    assert "your last one" in person_client.get(remove).content.decode()
    person_client.post(remove)

    assert not Authenticator.objects.exists(), "The recovery codes go with the last factor."
    assert verbs(person) == [
        "second_factor.add",
        "recovery_codes.make",
        "recovery_codes.make",
        "second_factor.remove",
    ]
    assert [one.to for one in mailed()] == [["ada@example.ca"]] * 3
    assert all("If this was not you" in str(one.body) for one in mailed())
    visitor = begin(person)
    assert visitor.get("/en-ca/account/login/code/confirm/").status_code == 200


def test_nobody_sees_a_page_of_factors_without_signing_in(client: Client) -> None:
    for path in (
        LIST,
        ADD_APP,
        ADD_PASSKEY,
        CODES,
        NEW_CODES,
        BY_FACTOR,
        PROVE,
        f"{LIST}1/remove/",
    ):
        for answer in (client.get(path), client.post(path)):
            assert answer["Location"].startswith(SIGN_IN)


def test_somebody_else_s_factor_is_as_absent_as_none(
    person_client: Client, person: User, clock: Any, at: datetime
) -> None:
    others = Client()
    others.force_login(give_profile(sign_up("eve@example.ca"), at))
    add_app(others, clock)
    theirs = Authenticator.objects.get(type="totp").pk
    for path in (f"{LIST}{theirs}/remove/", f"{LIST}{theirs}/rename/", f"{LIST}0/remove/"):
        assert (person_client.get(path).status_code, person_client.post(path).status_code) == (
            404,
            404,
        )
    assert Authenticator.objects.filter(type="totp").exists()


EMPTY = dict.fromkeys(
    ("clientDataJSON", "attestationObject", "authenticatorData", "signature"), "oA"
)
ANSWERS = ["{}", "[]", "null", "1", '{"id": 1}', "x" * 30_000] + [
    json.dumps({"id": "YQ", "rawId": "YQ", "type": "public-key", "response": EMPTY})
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_that_no_browser_gives_adds_nothing_and_proves_nothing(
    person_client: Client, person: User, clock: Any, answer: str
) -> None:
    response = person_client.post(ADD_PASSKEY, {"name": "Key", "credential": answer})
    assert response.status_code == 422
    add_app(person_client, clock)
    visitor = begin(person)
    assert visitor.post(BY_FACTOR, {"passkey": answer}).status_code == 422
    assert not is_signed_in(visitor)
    assert Authenticator.objects.filter(type="webauthn").count() == 0


# ---------------------------------------------------------------- proving it again

SENSITIVE = [ADD_APP, ADD_PASSKEY, NEW_CODES, CODES, "/en-ca/account/email/"]


@pytest.mark.asvs("7.5.1")
@pytest.mark.parametrize(
    ("minutes", "seconds", "is_asked"),
    [(0, 0, False), (15, -1, False), (15, 0, True), (15, 1, True), (-1, 0, True)],
)
def test_a_proof_holds_for_a_quarter_of_an_hour(
    person_client: Client, person: User, clock: Any, minutes: int, seconds: int, is_asked: bool
) -> None:
    add_app(person_client, clock)
    person_client.force_login(person)
    clock.shift(timedelta(minutes=minutes, seconds=seconds))
    app = Authenticator.objects.get(type="totp").pk
    asked = [
        person_client.get(path).headers.get("Location", "").startswith(PROVE)
        for path in (*SENSITIVE, f"{LIST}{app}/remove/")
        if path != ADD_APP
    ]
    assert set(asked) == {is_asked}
    if is_asked:
        person_client.post(f"{LIST}{app}/remove/")
        person_client.post("/en-ca/account/email/", {"email": "x@y.example", "action_add": ""})
        assert Authenticator.objects.filter(pk=app).exists()


@pytest.mark.asvs("7.5.1")
def test_whoever_has_no_factor_proves_it_by_a_mailed_code(
    person_client: Client, person: User, clock: Any
) -> None:
    clock.shift(timedelta(hours=1))
    asked = person_client.get(ADD_APP)["Location"]
    page = person_client.get(asked).content.decode()
    assert "Send me a code" in page and not mailed(), "To look sends nothing."
    person_client.post(asked, {"send_code": "yes"})
    code = code_in(mailed())
    assert mailed()[-1].to == ["ada@example.ca"]
    assert code not in str(dict(person_client.session))
    assert person_client.post(asked, {"otp": "BBBB-BBBB"}).status_code == 422
    stranger = Client()
    stranger.force_login(person)
    stranger.post(PROVE, {"otp": code})
    clock.shift(timedelta(minutes=10))
    assert person_client.post(asked, {"otp": code}).status_code == 422, "Ten minutes are over."
    person_client.post(asked, {"send_code": "yes"})
    response = person_client.post(asked, {"otp": code_in(mailed()).lower()})
    assert response["Location"] == ADD_APP
    assert person_client.get(ADD_APP).status_code == 200
    assert person_client.get(asked)["Location"] == ADD_APP, "Nobody is asked twice."
    session = person_client.session
    session.pop(PROVEN)
    session.save()
    again = person_client.post(asked, {"otp": code_in(mailed())})
    assert again.status_code == 422, "A code is used once."


@pytest.mark.asvs("6.4.3")
def test_whoever_has_a_factor_is_not_let_through_by_mail(
    person_client: Client, person: User, clock: Any
) -> None:
    secret = add_app(person_client, clock)
    clock.shift(timedelta(hours=1))
    told = len(mailed())
    asked = f"{PROVE}?next=//evil.example/"
    person_client.post(asked, {"send_code": "yes"})
    assert len(mailed()) == told
    response = person_client.post(asked, {"otp": app_code(secret, now())})
    assert response["Location"] == "/en-ca/", "Nobody is sent elsewhere."
    assert person_client.get(CODES).status_code == 200


def test_a_passkey_made_when_the_proof_was_over_is_added_once_that_is_given(
    person_client: Client, person: User, clock: Any
) -> None:
    """What proves the person, wrong answers too, leaves the new passkey alone."""
    blue, spare = add_passkey(person_client), Device()
    made = spare.make(person_client.get(ADD_PASSKEY).context["options"])
    clock.shift(timedelta(minutes=15))
    posted = {"name": "Spare key", "credential": made}

    asked = person_client.post(ADD_PASSKEY, posted)
    assert "Confirm that it is you" in asked.content.decode()
    for wrong in ({"otp": "1"}, {"passkey": spare.use(asked.context["options"])}):
        asked = person_client.post(ADD_PASSKEY, posted | wrong)
        assert asked.status_code == 422
    answer = {"passkey": blue.use(asked.context["options"])}
    added = person_client.post(ADD_PASSKEY, posted | answer, follow=True)

    assert added.redirect_chain == [(LIST, 302)]
    assert "The passkey has been added." in added.content.decode()
    assert [one["name"] for one in added.context["rows"]] == ["Blue key", "Spare key"]


@pytest.mark.asvs("7.2.4")
def test_a_cookie_that_was_copied_before_has_nothing_of_a_proof(
    person_client: Client, person: User, clock: Any
) -> None:
    secret = add_app(person_client, clock)
    session = {"user": person, "ip": "127.0.0.1", "user_agent": ""}
    UserSession.objects.create(session_key=person_client.session.session_key, **session)
    clock.shift(timedelta(minutes=15))
    thief = Client()
    thief.cookies["sessionid"] = person_client.cookies["sessionid"].value
    assert "reauthenticate" in thief.get(CODES)["Location"]

    person_client.post(PROVE, {"otp": app_code(secret, now())})

    assert person_client.get(CODES).status_code == 200
    assert "login" in thief.get(CODES)["Location"]
    assert UserSession.objects.get().session_key == person_client.session.session_key


def test_wrong_answers_of_a_passkey_fill_no_history(person: User, clock: Any) -> None:
    """Of somebody without any, none is noted; with one, as many as of wrong codes."""

    def refused() -> int:
        outcome = prove_by_passkey(person=person, passkey=None, at=now())
        assert isinstance(outcome, Refusal)
        return verbs(person).count("second_factor.prove.refused")

    assert [refused() for _ in range(12)] == [0] * 12
    data = {"name": "Key", "credential": {}}
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=data)
    assert [refused() for _ in range(12)] == [*range(1, 11), 10, 10]


def test_a_passkey_taken_away_while_it_answered_proves_nothing(person: User, clock: Any) -> None:
    data = {"name": "Key", "credential": {}}
    kind = Authenticator.Type.WEBAUTHN
    passkey = Authenticator.objects.create(user=person, type=kind, data=data)
    replace_ways_to_prove(person=person, email=person.email)
    outcome = prove_by_passkey(person=person, passkey=passkey, at=now())
    assert isinstance(outcome, Refusal) and outcome.code == "not_proved"
