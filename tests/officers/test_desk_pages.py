"""The desk as officers read it, and the pages of whoever asks for recovery."""

import pytest
from django.urls import reverse

from accounts.models import OfficerRole
from businesses.models import BusinessAccount
from delegation.models import RecoveryRequest
from delegation.services.mutes import end_mute, mute_firm, mute_person
from officers.services.recovery import confirm_recovery, propose_recovery
from tests.delegation.reading import as_, queries, words
from tests.officers.people import headless, officer, recovery_asked
from tests.registration.claims import draft, submit
from tests.world import World, done, next_bn9

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DESK = "/en-ca/officers/"


def page(name: str, row: RecoveryRequest) -> str:
    return reverse(name, kwargs={"pk": row.pk})


@pytest.fixture
def birch(world: World) -> BusinessAccount:
    return headless(world, "Birch")


def test_an_employee_asks_from_the_continuity_page(world: World, birch: BusinessAccount) -> None:
    browser = as_(world.person("Birch Eve"))
    here = reverse("continuity_detail", kwargs={"bn9": birch.bn9})
    ask = reverse("recovery_request_create", kwargs={"bn9": birch.bn9})
    shown = browser.get(here)
    assert "No manager is left" in words(shown) and ask in shown.content.decode()
    assert browser.post(ask, {"statement": " "}).status_code == 422
    sent = browser.post(ask, {"statement": "Our manager died."}, follow=True)
    assert "Your request has been sent to the agency." in words(sent)
    assert "You asked the agency for recovery." in words(browser.get(here))
    assert browser.post(ask, {"statement": "Once more."}).status_code == 409
    status = page("recovery_request_status", RecoveryRequest.objects.get())
    assert browser.get(ask).headers["Location"] == status
    assert status in browser.get(reverse("home")).content.decode()
    taken = browser.post(page("recovery_request_withdraw", RecoveryRequest.objects.get()))
    assert taken.status_code == 302
    assert RecoveryRequest.objects.get().decision == "withdrawn"


def test_a_refusal_leads_to_recovery_where_nobody_manages(
    world: World, birch: BusinessAccount
) -> None:
    refused = as_(world.person("Birch Eve")).get(
        reverse("employee_list", kwargs={"bn9": birch.bn9})
    )
    assert refused.status_code == 403 and "What you can do now" in words(refused)
    late = world.earlier(days=14)
    waiting = late.access_request("Zoe", next_bn9())
    status = as_(waiting.person).get(page("access_request_status", waiting))
    assert "Ask the agency for recovery" in words(status)


def test_two_officers_decide_at_the_desk(world: World, birch: BusinessAccount) -> None:
    row, eve = recovery_asked(world, birch), world.person("Birch Eve")
    first, second = as_(officer(world, "Olga")), as_(officer(world, "Omar"))
    assert first.get("/en-ca/").url == DESK
    assert "To examine" in words(first.get(DESK))
    review = words(first.get(page("recovery_review", row)))
    assert "Our only manager died." in review and "Employee of the business" in review
    answers = {"version": 1, "email": "nobody@example.test", "finding": "Seen."}
    wrong = first.post(page("recovery_propose", row), answers)
    assert wrong.status_code == 422 and "Nobody has this e-mail address" in words(wrong)
    first.post(page("recovery_propose", row), answers | {"email": eve.email})
    assert "Another officer confirms." in words(first.get(page("recovery_review", row)))
    assert first.post(page("recovery_confirm", row), {"version": 2}).status_code == 403
    assert "To confirm" in words(second.get(DESK))
    assert second.post(page("recovery_confirm", row), {"version": 1}).status_code == 409

    shown = second.post(page("recovery_confirm", row), {"version": 2}, follow=True)

    assert "Your decision is done." in words(shown) and "Approved" in words(shown)
    mine = words(as_(eve).get(page("recovery_request_status", row)))
    assert "You are now Business Account Manager" in mine
    late = second.post(page("recovery_reject", row), {"version": 3, "reason": "Late"})
    assert late.status_code == 409


def test_who_asks_reads_no_more_than_that_it_is_looked_at_and_closed(
    world: World, birch: BusinessAccount
) -> None:
    row, ned = recovery_asked(world, birch), world.member("Ned", birch)
    browser, status = as_(row.person), page("recovery_request_status", row)
    before = words(browser.get(status))
    about = {"recovery_request": row, "at": world.at}
    done(
        propose_recovery(
            actor=officer(world, "Olga"), person=ned, finding="Seen.", expected_version=1, **about
        )
    )
    assert words(browser.get(status)) == before and "look at your request" in before
    done(confirm_recovery(actor=officer(world, "Omar"), expected_version=2, **about))
    closed = words(browser.get(status))
    assert "Closed" in closed and "Nothing changed for you." in closed
    assert "Ned" not in closed and "Approved" not in closed


def test_each_officer_sees_the_part_of_the_desk_that_is_given(
    world: World, birch: BusinessAccount
) -> None:
    row = recovery_asked(world, birch)
    reviewer = as_(officer(world, "Rita", OfficerRole.Kind.REGISTRATIONS))
    assert "Registration reviews" in words(reviewer.get(DESK))
    assert "Recovery of businesses" not in words(reviewer.get(DESK))
    assert reviewer.get(page("recovery_review", row)).status_code == 403
    assert as_(world.person("Zoe")).get(DESK).status_code == 404
    liam = world.person("Liam")
    claim = draft(liam, next_bn9(), world.at)
    assert submit(liam, claim, world.at)


def test_the_desk_costs_the_same_however_much_waits(world: World, birch: BusinessAccount) -> None:
    browser = as_(officer(world, "Olga"))
    recovery_asked(world, birch)
    few = queries(browser, DESK)
    for number in range(4):
        recovery_asked(world, headless(world, f"Elm {number}"))
    assert queries(browser, DESK) == few


def test_officers_read_what_businesses_report(world: World) -> None:
    itn, counted = world.broker("ITN"), list[int]()
    reported = reverse("report_list")
    browser = as_(officer(world, "Rita", OfficerRole.Kind.REGISTRATIONS))
    assert reported in browser.get(DESK).content.decode()
    assert "No business has reported anybody." in words(browser.get(reported))
    for number in range(2):
        maple = world.importer(f"Maple {number}")
        boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
        asked = world.relationship_request(itn, maple)
        mute = done(mute_firm(relationship_request=asked, report=f"Asks {number}.", **boss))
        zoe = world.access_request(f"Zoe {number}", maple)
        done(mute_person(access_request=zoe, report="", **boss))
        counted.append(queries(browser, reported))

    done(end_mute(mute=mute, **boss))

    said = words(browser.get(reported))
    assert f"ITN {itn.bn_shown}" in said and "Asks 0." in said, "Also of who is shown again."
    assert "Asks 1." in said and "Zoe" not in said, "Whom nobody reported is no matter of theirs."
    assert counted[0] == counted[1]
