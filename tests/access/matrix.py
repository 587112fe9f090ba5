"""Who gets what from each address: the answers, written by hand from the contract.

A row is a route, an address of it, a method with what is posted, and the personas by the status
they get. Whoever is not named gets 404, and a visitor who is not signed in is sent to sign in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import (
    BusinessRole,
    CalendarFeed,
    GroupProgramGroupRole,
    GroupProgramRole,
    Membership,
    ProgramRole,
    StaffAssignment,
    ViewAs,
    Visibility,
)
from delegation.request_file import check
from delegation.roles import Role
from delegation.services.agreements import Rules
from delegation.services.batches import create_request_batch
from delegation.services.clients import create_client_group
from delegation.services.continuity import nominate_successor
from delegation.services.feeds import token_hash
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.reviews import create_access_review
from officers.services.lookups import open_lookup
from pages.csv_file import Line
from tests.officers.people import (
    account_recovery_proposed,
    headless,
    officer,
    recovery_asked,
)
from tests.registration.claims import claim
from tests.transactions.factories import declare
from tests.world import World, done, next_bn9

EVERYTHING = Rules(broker=Visibility.EDIT, importer=Visibility.EDIT, other=Visibility.EDIT)
MAPLE_STAFF = "reader editor group pam bam"
EVERYBODY = (
    "orphan requester reader editor group pam bam bam_b own_only sees_all unassigned expired "
    "ex_employee suspended superuser bam_itn officer stranded"
)


@dataclass
class Cast:
    """Two of everything: Maple and Cedar, the brokers ITN, Wide and Past, and their people."""

    world: World
    people: dict[str, User] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=dict)

    def build(self) -> "Cast":
        world = self.world
        before = world.earlier(days=100)
        maple, cedar = before.importer("Maple Zebrawood"), before.importer("Cedar Quillon")
        itn, wide, past = (before.broker(name) for name in ("ITN Ostrich", "Wide", "Past"))
        self.ids = {"maple": maple.bn9, "itn": itn.bn9, "wide": wide.bn9, "past": past.bn9}
        self._relate(before, maple, itn, wide, past, cedar)
        self._hire(before, maple, cedar, itn, past)
        self._ask(maple, cedar, itn)
        self._declare(maple, cedar, itn, wide, past)
        return self

    def _relate(
        self, before: World, maple: BusinessAccount, itn: BusinessAccount, wide: BusinessAccount,
        past: BusinessAccount, cedar: BusinessAccount,
    ) -> None:  # fmt: skip
        far = (self.world.at + timedelta(days=200)).date()
        self.ids["relationship"] = before.relationship(maple, itn, last_day=far).pk
        before.relationship(maple, wide, rules=EVERYTHING, last_day=far)
        before.relationship(maple, past, rules=EVERYTHING)  # over for 70 days
        before.relationship(cedar, wide, rules=EVERYTHING, last_day=far)
        self.people["own_only"] = before.assign("Ben", itn, maple).person
        self.people["sees_all"] = before.assign("Una", wide, maple).person
        self.people["expired"] = before.assign("Julie", past, maple).person
        self.ids["assignment"] = StaffAssignment.objects.get(person=self.people["own_only"]).pk
        by_itn = {"actor": before.manager(itn), "acting_for": itn, "at": before.at}
        self.ids["client_group"] = done(create_client_group(name="Ours", **by_itn)).pk
        self.ids["ben"] = Membership.objects.get(person=self.people["own_only"]).pk

    def _hire(
        self, before: World, maple: BusinessAccount, cedar: BusinessAccount,
        itn: BusinessAccount, past: BusinessAccount,
    ) -> None:  # fmt: skip
        people = self.people
        people["bam"], people["bam_b"] = before.manager(maple), before.manager(cedar)
        people["bam_itn"] = before.manager(itn)
        people["unassigned"] = before.member("Hana", itn)
        people["reader"] = before.employee("Rea", maple, RM0001="reader")
        people["editor"] = before.employee("Ed", maple, RM0001="editor")
        people["pam"] = before.employee("Pam", maple, RM0001="pam")
        people["suspended"] = before.employee("Sue", maple, RM0001="pam")
        Membership.objects.filter(person=people["suspended"]).update(suspended_at=before.at)
        people["ex_employee"] = before.employee("Rex", maple, RM0001="pam")
        Membership.objects.filter(person=people["ex_employee"]).update(ends_at=self.world.at)
        self.ids["left"] = Membership.objects.get(person=people["ex_employee"]).pk
        people["group"] = before.member("Gwen", maple)
        common = {"actor": people["bam"], "acting_for": maple, "at": before.at}
        group = done(create_employee_group(name="Readers", **common))
        program = before.program(maple)
        done(grant_employee_group_role(group=group, scope=program, role=Role.READER, **common))
        named = done(nominate_successor(person=people["reader"], **common))
        self.ids["succession"] = named.pk
        self.ids["opening"] = ViewAs.objects.create(
            relationship_id=self.ids["relationship"], opened_by=people["bam"],
            opened_at=self.world.at, seen_at=self.world.at,
        ).pk  # fmt: skip
        for name, person in (("feed", "bam"), ("feed_of_who_left", "ex_employee")):
            self.ids[name] = f"secret{name}"
            CalendarFeed.objects.create(
                person=people[person], business=maple, starts_at=before.at,
                token_hash=token_hash(self.ids[name]),
            )  # fmt: skip
        [place] = done(add_employees_to_group(group=group, people=[people["group"]], **common))
        bundle = before.program_group("Imports", maple, "RM0001")
        done(grant_employee_group_role(group=group, scope=bundle, role=Role.READER, **common))
        self.ids |= {"employee_group": group.pk, "program_group": bundle.pk, "place": place.pk}
        self.ids["group_role"] = GroupProgramRole.objects.get().pk
        self.ids["wide_role"] = GroupProgramGroupRole.objects.get().pk
        self.ids["grouped"] = bundle.members.get().pk
        for name, person in (("editors", "editor"), ("managers", "bam"), ("foreign", "bam_b")):
            self.ids[name] = Membership.objects.get(person=people[person]).pk
        self.ids["role"] = ProgramRole.objects.get(user=people["editor"]).pk
        self.ids["manager"] = BusinessRole.objects.get(user=people["bam"]).pk
        people["orphan"] = before.person("Liam")
        people["superuser"] = before.person("Root")
        people["superuser"].is_superuser = people["superuser"].is_staff = True
        people["superuser"].save()
        people["officer"] = officer(before, "Olga")

    def _ask(self, maple: BusinessAccount, cedar: BusinessAccount, itn: BusinessAccount) -> None:
        world = self.world
        nadia = world.access_request("Nadia", maple, RM0001="editor", RM0002="reader")
        self.people["requester"] = nadia.person
        self.ids["access_request"] = nadia.pk
        newcomer = world.earlier(days=1).broker("Newcomer")
        asked = world.relationship_request(newcomer, maple, level="program", extensions=("RM0001",))
        self.ids["asked"] = asked.pk
        self.ids["sent"] = world.relationship_request(itn, next_bn9()).pk
        # RM0001 is the PAM's, RM0002 is not: only the manager withdraws what is on both.
        self.ids["offered"] = world.offer(maple, next_bn9(), programs=("RM0001", "RM0002")).pk
        self.ids["received"] = world.offer(cedar, itn).pk
        self.ids["review"] = done(
            create_access_review(actor=self.people["bam"], acting_for=maple, at=world.at)
        ).pk
        self.ids["invitation"] = world.invitation(
            world.owns(self.people["orphan"]).email, maple, RM0001="editor"
        ).pk
        lead = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
        rows = check([Line(2, {"client_bn9": "12"})], itn, world.at)
        self.ids["file"] = done(
            create_request_batch(name="clients.csv", is_legacy=False, rows=rows, **lead)
        ).pk
        birch = headless(world.earlier(days=2), "Birch")
        self.people["stranded"] = world.person("Birch Eve")
        self.ids["birch"], self.ids["recovery"] = birch.bn9, recovery_asked(world, birch).pk
        proposed = account_recovery_proposed(world, self.people["officer"], world.person("Sid"))
        self.ids["account_recovery"] = proposed.pk
        about = {"bn9": maple.bn9, "purpose": "Audit", "at": world.at}
        self.ids["lookup"] = done(open_lookup(actor=self.people["officer"], **about)).pk
        self.ids["registration"] = claim(self.people["orphan"], next_bn9(), world.at).pk

    def _declare(
        self, maple: BusinessAccount, cedar: BusinessAccount, itn: BusinessAccount,
        wide: BusinessAccount, past: BusinessAccount,
    ) -> None:  # fmt: skip
        world = self.world
        program, during = world.program(maple), world.at - timedelta(days=90)
        for name, submitter in (("own", maple), ("by_itn", itn), ("by_past", past)):
            self.ids[name] = declare(program, during, submitter=submitter).number
        self.ids["late"] = declare(program, world.at, submitter=past).number
        self.ids["second"] = declare(world.program(maple, "RM0002"), during).number
        self.ids["cedar"] = declare(world.program(cedar), during).number


@dataclass(frozen=True)
class Row:
    """One address with one method, and who gets which status."""

    route: str
    kwargs: Mapping[str, Any]
    expected: Mapping[int, str]
    method: str = "GET"
    data: Mapping[str, str] = field(default_factory=dict)
    anonymous: int = 302

    def url(self) -> str:
        return reverse(self.route, kwargs=dict(self.kwargs))

    def status(self, persona: str) -> int:
        """What the persona gets."""
        for status, names in self.expected.items():
            if persona in names.split():
                return status
        return 404


PUBLIC = {
    "account_login",
    "account_signup",
    "account_logout",
    "account_inactive",
    "account_reauthenticate",
    "account_email",
    "account_email_verification_sent",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_confirm_login_code",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_password_reset_completed",
    "identity_provider_sign_in",
    "identity_provider_callback",
    "signed_out",
    "identity_provider_signed_out",
    "usersessions_list",
    "identity_list",
    "identity_add",
    "identity_remove",
    "factor_list",
    "passkey_add",
    "passkey_rename",
    "app_add",
    "factor_remove",
    "recovery_codes",
    "recovery_codes_make",
    "mfa_authenticate",
    "second_factor_help",
    "kept_form_create",
    "socialaccount_signup",
    "socialaccount_login_cancelled",
}
"""Pages of one's own sign-in: they know no business. Their rules are tested with sign-in."""


def rows(cast: Cast) -> Iterator[Row]:
    """The whole matrix."""
    yield from _own_pages(cast)
    yield from _people_pages(cast)
    yield from _relationship_pages(cast)
    yield from _client_pages(cast)
    yield from _transaction_pages(cast)
    yield from _officer_pages(cast)


def _officer_pages(cast: Cast) -> Iterator[Row]:
    """The desk, which is there for officers alone, and what an employee asks of them."""
    ids = cast.ids
    yield Row("officer_desk", {}, {200: "officer"})
    yield Row("report_list", {}, {200: "officer"})
    one = {"pk": ids["recovery"]}
    yield Row("recovery_review", one, {200: "officer"})
    for route in ("recovery_propose", "recovery_confirm", "recovery_reject"):
        yield Row(route, one, {405: EVERYBODY})
        yield Row(route, one, {422: "officer"}, "POST")
    yield Row("account_recovery_propose", {}, {200: "officer"})
    yield Row("account_recovery_propose", {}, {422: "officer"}, "POST")
    account = {"pk": ids["account_recovery"]}
    yield Row("account_recovery_review", account, {200: "officer"})
    for route in ("account_recovery_confirm", "account_recovery_reject"):
        yield Row(route, account, {405: EVERYBODY})
        yield Row(route, account, {422: "officer"}, "POST")
    look = {"pk": ids["lookup"]}
    yield Row("lookup_open", {}, {200: "officer"})
    yield Row("lookup_open", {}, {422: "officer"}, "POST")
    yield Row("lookup_detail", look, {200: "officer"})
    yield Row("lookup_declaration_list", look, {200: "officer"})
    own = look | {"extension": "RM0001", "number": ids["own"]}
    yield Row("lookup_declaration_detail", own, {200: "officer"})
    foreign = look | {"extension": "RM0001", "number": ids["cedar"]}
    yield Row("lookup_declaration_detail", foreign, {})
    yield Row("lookup_end", look, {405: EVERYBODY})
    staff, birch = f"{MAPLE_STAFF}", {"bn9": ids["birch"]}
    yield Row("recovery_request_create", {"bn9": ids["maple"]}, {200: staff})
    yield Row("recovery_request_create", {"bn9": ids["maple"]}, {422: staff}, "POST")
    yield Row("recovery_request_create", birch, {302: "stranded"})
    yield Row("recovery_request_status", one, {200: "stranded"})
    yield Row("recovery_request_withdraw", one, {405: EVERYBODY})


def _own_pages(cast: Cast) -> Iterator[Row]:
    ids = cast.ids
    everybody = {200: EVERYBODY}
    belongs = {
        200: f"{MAPLE_STAFF} stranded bam_b own_only sees_all unassigned expired bam_itn suspended"
    }
    yield Row("health", {}, everybody, anonymous=200)
    yield Row("help_roles", {}, everybody, anonymous=200)
    feed = "calendar_feed_read"
    yield Row(feed, {"token": ids["feed"]}, everybody, anonymous=200)
    yield Row(feed, {"token": "guessed"}, {}, anonymous=404)
    yield Row(feed, {"token": ids["feed_of_who_left"]}, {}, anonymous=404)
    yield Row(
        "home", {}, belongs | {302: "orphan requester superuser ex_employee officer"}, anonymous=200
    )
    for route in ("first_time_setup", "profile_detail", "profile_edit", "registration_start"):
        yield Row(route, {}, everybody)
    yield Row("profile_create", {}, {302: EVERYBODY})
    yield Row("session_status", {}, everybody, anonymous=200)
    for route, status in (("session_extend", 302), ("kept_form_detail", 200)):
        yield Row(route, {}, everybody)
        yield Row(route, {}, {status: EVERYBODY}, "POST")
    yield Row("registration_step", {"step": "business-number"}, {302: EVERYBODY})
    yield Row("registration_review", {}, {302: EVERYBODY})
    failed = {"pk": ids["registration"]}
    yield Row("registration_outcome", failed, {200: "orphan"})
    yield Row("registration_review_request", failed, {200: "orphan"})
    yield Row("registration_review_request", failed, {422: "orphan"}, "POST")
    yield Row("registration_receipt", failed, {302: "orphan"})
    yield Row("access_request_create", {}, everybody)
    yield Row("access_request_create", {}, {422: EVERYBODY}, "POST")
    sent = {"pk": ids["access_request"]}
    yield Row("access_request_status", sent, {200: "requester"})
    yield Row("access_request_withdraw", sent, {302: "requester"})
    yield from _invited_pages(cast)


def _invited_pages(cast: Cast) -> Iterator[Row]:
    """The pages of whoever has an invitation: only the person whose address was invited."""
    mine = {"pk": cast.ids["invitation"]}
    yield Row("invitation_find", {}, {200: EVERYBODY})
    yield Row("invitation_find", {}, {422: EVERYBODY}, "POST")
    # A link is taken from anybody and leads on; without a right one, to the page for all others.
    yield Row("invitation_open", {"token": "x" * 43}, {302: EVERYBODY})
    yield Row("invitation_follow", {}, {})
    yield Row("invitation_answer", mine, {200: "orphan"})
    yield Row("invitation_accept", mine, {405: EVERYBODY})
    yield Row("invitation_accept", mine, {422: "orphan"}, "POST")
    yield Row("invitation_decline", mine, {422: "orphan"}, "POST")


def _people_pages(cast: Cast) -> Iterator[Row]:
    maple = {"bn9": cast.ids["maple"]}
    one = maple | {"pk": cast.ids["access_request"]}
    low = "reader editor group suspended"
    yield Row("business_home", maple, {200: MAPLE_STAFF, 403: "suspended"})
    yield Row("employee_list", maple, {200: "bam pam", 403: low})
    yield Row("access_request_detail", one, {200: "bam pam", 403: low})
    yield Row("access_request_approve", one, {302: "bam pam", 403: low})
    yield Row("access_request_approve", one, {422: "bam pam", 403: low}, "POST")
    yield Row("access_request_reject", one, {200: "bam pam", 403: low})
    yield Row("access_request_reject", one, {422: "bam pam", 403: low}, "POST")
    yield Row("employee_grid", maple, {200: "bam pam", 403: low})
    yield Row("access_request_list", maple, {200: "bam pam", 403: low})
    for route in ("access_requests_approve", "access_requests_reject"):
        yield Row(route, maple, {302: "bam pam", 403: low})
        yield Row(route, maple, {422: "bam pam", 403: low}, "POST")
    yield Row("access_request_results", one, {403: low})
    first, second = (maple | {"extension": one} for one in ("RM0001", "RM0002"))
    yield Row("program_detail", first, {200: MAPLE_STAFF, 403: "suspended"})
    low_here = "reader editor group pam suspended"
    yield Row("program_detail", second, {200: "bam", 403: low_here})
    yield Row("program_detail", maple | {"extension": "RM0009"}, {403: "suspended"})
    yield Row("activity_list", maple, {200: "bam", 403: f"pam {low}"})
    yield Row("person_mute", one, {200: "bam", 403: f"pam {low}"})
    yield Row("mute_list", maple, {200: "bam", 403: f"pam {low}"})
    yield Row("mute_end", one, {405: EVERYBODY})
    yield from _member_pages(cast)
    yield from _continuity_pages(cast)
    yield from _group_pages(cast)


def _continuity_pages(cast: Cast) -> Iterator[Row]:
    """The Reader is named as successor: others but the BAM do not learn who it is."""
    maple = {"bn9": cast.ids["maple"]}
    one, editor = maple | {"pk": cast.ids["succession"]}, maple | {"pk": cast.ids["editors"]}
    low = "reader editor group suspended"
    yield Row("continuity_detail", maple, {200: MAPLE_STAFF, 403: "suspended"})
    yield Row("successor_nominate", editor, {200: "bam", 403: f"pam {low}"})
    # A successor is named already.
    yield Row("successor_nominate", editor, {409: "bam", 403: f"pam {low}"}, "POST")
    for route in ("successor_remove", "succession_claim", "succession_stop"):
        yield Row(route, one, {405: EVERYBODY})
    yield Row("succession_take_over", one, {405: EVERYBODY})
    yield Row("successor_remove", one, {422: "bam reader", 403: "suspended"}, "POST")
    yield Row("succession_stop", one, {422: "bam", 403: f"pam {low}"}, "POST")
    for route in ("succession_claim", "succession_take_over"):
        yield Row(route, one, {422: "reader", 403: "bam suspended"}, "POST")
    yield from _invitation_pages(cast)
    yield from _review_pages(cast)


def _review_pages(cast: Cast) -> Iterator[Row]:
    """The access reviews of the business, one of them open: its BAMs alone."""
    maple = {"bn9": cast.ids["maple"]}
    one = maple | {"pk": cast.ids["review"]}
    low = "reader editor group suspended pam"
    yield Row("access_review_list", maple, {200: "bam", 403: low})
    yield Row("access_review_create", maple, {405: EVERYBODY})
    yield Row("access_review_create", maple, {409: "bam", 403: low}, "POST")
    yield Row("access_review_detail", one, {200: "bam", 403: low})
    yield Row("access_review_answer", one, {405: EVERYBODY})
    yield Row("access_review_answer", one, {302: "bam", 403: low}, "POST")
    for route in ("access_review_apply", "access_review_sign"):
        yield Row(route, one, {200: "bam", 403: low})
        yield Row(route, one, {200: "bam", 403: low}, "POST")


def _invitation_pages(cast: Cast) -> Iterator[Row]:
    """Invitations of the business: one to an Editor of the first program account waits."""
    maple = {"bn9": cast.ids["maple"]}
    one = maple | {"pk": cast.ids["invitation"]}
    low = "reader editor group suspended"
    yield Row("invitation_list", maple, {200: "bam pam", 403: low})
    yield Row("invitation_create", maple, {200: "bam pam", 403: low})
    yield Row("invitation_create", maple, {422: "bam pam", 403: low}, "POST")
    yield Row("invitation_detail", one, {200: "bam pam", 403: low})
    for route in ("invitation_resend", "invitation_revoke"):
        yield Row(route, one, {405: EVERYBODY})
        yield Row(route, one, {422: "bam pam", 403: low}, "POST")


def _group_pages(cast: Cast) -> Iterator[Row]:
    """The groups of Maple are its manager's; Gwen, who is in one, finds the way out alone."""
    ids = cast.ids
    maple = {"bn9": ids["maple"]}
    only = {200: "bam", 403: "reader editor group pam suspended"}
    empty = {422: "bam", 403: "reader editor group pam suspended"}
    for kind in ("employee_group", "program_group"):
        one = maple | {"pk": ids[kind]}
        yield Row(f"{kind}_list", maple, only)
        yield Row(f"{kind}_create", maple, only)
        yield Row(f"{kind}_create", maple, empty, "POST")
        yield Row(f"{kind}_detail", one, only)
        for act in ("rename", "add"):
            yield Row(f"{kind}_{act}", one, only)
            yield Row(f"{kind}_{act}", one, empty, "POST")
        # Posted without its confirmation, an act is only shown.
        yield Row(f"{kind}_archive", one, only)
        yield Row(f"{kind}_archive", one, only, "POST")
        foreign = {"bn9": ids["itn"], "pk": ids[kind]}
        yield Row(f"{kind}_detail", foreign, {403: "own_only unassigned"})
        yield Row(f"{kind}_archive", foreign, {403: "own_only unassigned"}, "POST")
    yield from _group_changes(cast, only, empty)


def _group_changes(cast: Cast, only: Mapping[int, str], empty: Mapping[int, str]) -> Iterator[Row]:
    ids, maple = cast.ids, {"bn9": cast.ids["maple"]}
    one, bundle = (maple | {"pk": ids[kind]} for kind in ("employee_group", "program_group"))
    yield Row("employee_group_grant", one, only)
    yield Row("employee_group_grant", one, empty, "POST")
    leaves = {200: "bam group", 403: "reader editor pam suspended"}
    for route, kwargs, expected in [
        ("employee_group_remove", one | {"member": ids["place"]}, leaves),
        ("employee_group_role_end", one | {"role": ids["group_role"]}, only),
        ("employee_group_wide_role_end", one | {"role": ids["wide_role"]}, only),
        ("program_group_remove", bundle | {"member": ids["grouped"]}, only),
    ]:
        yield Row(route, kwargs, expected)
        yield Row(route, kwargs, expected, "POST")


def _member_pages(cast: Cast) -> Iterator[Row]:
    """The pages of one employee, an Editor; a PAM reaches them, and takes that role alone."""
    maple = {"bn9": cast.ids["maple"]}
    one = maple | {"pk": cast.ids["editors"]}
    role, manager = one | {"role": cast.ids["role"]}, one | {"role": cast.ids["manager"]}
    low = "reader group suspended"
    yield Row("employee_detail", one, {200: "bam pam editor", 403: low})
    yield Row("membership_end", one, {200: "bam editor", 403: f"pam {low}"})
    yield Row("membership_end", one, {422: "bam editor", 403: f"pam {low}"}, "POST")
    left = maple | {"pk": cast.ids["left"]}
    yield Row("membership_departure", left, {200: "bam", 403: "pam editor reader group suspended"})
    yield Row("membership_departure", one, {302: "bam", 403: f"pam editor {low}"})
    yield Row("membership_suspend", one, {200: "bam", 403: f"pam editor {low}"})
    yield Row("membership_suspend", one, {422: "bam", 403: f"pam editor {low}"}, "POST")
    yield Row("role_change", one, {200: "bam pam", 403: f"editor {low}"})
    yield Row("role_change", one, {422: "bam pam", 403: f"editor {low}"}, "POST")
    yield Row("membership_resume", one, {405: EVERYBODY})
    yield Row("program_role_end", role, {200: "bam pam editor", 403: low})
    yield Row("program_role_end", role, {422: "bam pam editor", 403: low}, "POST")
    # The role of a manager, of whom the Editor is none.
    yield Row("business_role_end", manager, {403: low})
    yield Row("business_role_end", manager, {403: low}, "POST")
    other = maple | {"pk": cast.ids["managers"]}
    its = other | {"role": cast.ids["manager"]}
    low = "reader editor group suspended"
    yield Row("employee_detail", other, {200: "bam pam", 403: low})
    yield Row("business_role_end", its, {200: "bam", 403: f"pam {low}"})
    yield Row("business_role_end", its, {422: "bam", 403: f"pam {low}"}, "POST")
    foreign = maple | {"pk": cast.ids["foreign"]}
    yield Row("employee_detail", foreign, {403: low})
    yield Row("membership_end", foreign, {403: low})


def _relationship_pages(cast: Cast) -> Iterator[Row]:
    maple = {"bn9": cast.ids["maple"]}
    one, relationship = maple | {"pk": cast.ids["asked"]}, {"pk": cast.ids["relationship"]}
    low = "reader editor group suspended"
    for route in (
        "relationship_list",
        "relationship_ending_list",
        "relationship_ended_list",
        "received_request_list",
    ):
        yield Row(route, maple, {200: "bam pam", 403: low})
    yield Row("relationship_detail", maple | relationship, {200: "bam pam", 403: low})
    low_here = "reader editor group pam suspended"
    yield Row("relationship_authority", maple | relationship, {200: "bam", 403: low_here})
    look = maple | relationship
    yield Row("view_as_create", look, {200: "bam", 403: low_here})
    yield Row("view_as_create", look, {422: "bam", 403: low_here}, "POST")
    opened = look | {"opening": cast.ids["opening"]}
    yield Row("view_as_detail", opened, {200: "bam", 403: low_here})
    yield Row("view_as_detail", opened, {405: EVERYBODY}, "POST")
    of_itn = opened | {"extension": "RM0001", "number": cast.ids["by_itn"]}
    yield Row("view_as_declaration", of_itn, {200: "bam", 403: low_here})
    unseen = of_itn | {"number": cast.ids["own"]}
    yield Row("view_as_declaration", unseen, {403: low_here})
    yield Row("relationship_calendar", maple, {200: "bam pam", 403: low})
    yield Row("calendar_feed", maple, {200: "bam pam", 403: low})
    yield Row("calendar_feed_end", maple, {405: EVERYBODY})
    end = maple | relationship
    yield Row("relationship_change", end, {200: "bam pam", 403: low})
    yield Row("relationship_change", end, {422: "bam pam", 403: low}, "POST")
    yield Row("relationship_suspend", end, {200: "bam", 403: f"pam {low}"})
    yield Row("relationship_suspend", end, {422: "bam", 403: f"pam {low}"}, "POST")
    yield Row("relationship_resume", end, {405: EVERYBODY})
    yield Row("relationship_renew", end, {200: "bam pam", 403: low})
    yield Row("relationship_renew", end, {422: "bam pam", 403: low}, "POST")
    yield Row("relationship_renew_several", maple, {405: EVERYBODY})
    yield Row("relationship_renew_several", maple, {302: "bam pam", 403: low}, "POST")
    yield Row("relationship_end", end, {200: "bam pam", 403: low})
    yield Row("relationship_end", end, {422: "bam pam", 403: low}, "POST")
    offered = maple | {"pk": cast.ids["offered"]}
    yield Row("relationship_offer_list", maple, {200: "bam pam", 403: low})
    yield Row("relationship_offer_create", maple, {200: "bam pam", 403: low})
    yield Row("relationship_offer_create", maple, {422: "bam pam", 403: low}, "POST")
    yield Row("relationship_offer_status", offered, {200: "bam pam", 403: low})
    yield Row("relationship_offer_withdraw", offered, {405: EVERYBODY})
    foreign = maple | {"pk": cast.ids["received"]}
    yield Row("relationship_offer_status", foreign, {403: low})
    yield Row("relationship_offer_withdraw", foreign, {403: low}, "POST")
    yield Row("firm_mute", one, {200: "bam", 403: f"pam {low}"})
    yield Row("relationship_request_detail", one, {200: "bam pam", 403: low})
    yield Row("relationship_request_approve", one, {302: "bam pam", 403: low})
    yield Row("relationship_request_approve", one, {422: "bam pam", 403: low}, "POST")
    yield Row("relationship_request_reject", one, {200: "bam pam", 403: low})
    yield Row("relationship_request_reject", one, {422: "bam pam", 403: low}, "POST")


def _client_pages(cast: Cast) -> Iterator[Row]:
    itn = {"bn9": cast.ids["itn"]}
    client, sent = itn | {"client_bn9": cast.ids["maple"]}, itn | {"pk": cast.ids["sent"]}
    staff = "own_only unassigned"
    yield Row("client_list", itn, {200: f"bam_itn {staff}"})
    yield Row("client_export", itn, {200: f"bam_itn {staff}"})
    yield Row("relationship_request_list", itn, {200: "bam_itn", 403: staff})
    yield Row("client_authority", client, {200: "bam_itn own_only"})
    yield Row("client_calendar", itn, {200: f"bam_itn {staff}"})
    yield Row("calendar_feed", itn, {200: f"bam_itn {staff}"})
    yield Row("relationship_request_create", itn, {200: "bam_itn", 403: staff})
    yield Row("relationship_request_create", itn, {422: "bam_itn", 403: staff}, "POST")
    yield Row("relationship_request_status", sent, {200: "bam_itn", 403: staff})
    yield Row("relationship_request_withdraw", sent, {405: EVERYBODY})
    yield Row("relationship_request_nudge", sent, {405: EVERYBODY})
    received = itn | {"pk": cast.ids["received"]}
    yield Row("relationship_offer_received_list", itn, {200: "bam_itn", 403: staff})
    yield Row("relationship_offer_detail", received, {200: "bam_itn", 403: staff})
    yield Row("relationship_offer_accept", received, {302: "bam_itn", 403: staff})
    yield Row("relationship_offer_accept", received, {422: "bam_itn", 403: staff}, "POST")
    yield Row("client_mute", received, {200: "bam_itn", 403: staff})
    yield Row("relationship_offer_decline", received, {200: "bam_itn", 403: staff})
    yield Row("relationship_offer_decline", received, {422: "bam_itn", 403: staff}, "POST")
    elsewhere = itn | {"pk": cast.ids["offered"]}
    yield Row("relationship_offer_detail", elsewhere, {403: staff})
    yield from _request_file_pages(cast, staff)
    yield Row("client_detail", client, {200: "bam_itn own_only"})
    # Who assigns nobody is told so before any client is looked for: the answer names none.
    yield Row("staff_assignment_create", client, {200: "bam_itn", 403: staff})
    yield Row("staff_assignment_create", client, {422: "bam_itn", 403: staff}, "POST")
    yield Row("relationship_narrow", client, {200: "bam_itn", 403: staff})
    yield Row("relationship_narrow", client, {422: "bam_itn", 403: staff}, "POST")
    yield Row("relationship_leave", client, {200: "bam_itn", 403: staff})
    yield Row("relationship_leave", client, {422: "bam_itn", 403: staff}, "POST")
    yield from _order_pages(cast)
    foreign = itn | {"client_bn9": next_bn9()}
    yield Row("client_detail", foreign, {})
    yield Row("staff_assignment_create", foreign, {403: staff})


def _request_file_pages(cast: Cast, staff: str) -> Iterator[Row]:
    itn = {"bn9": cast.ids["itn"]}
    file = itn | {"pk": cast.ids["file"]}
    yield Row("relationship_request_export", itn, {200: "bam_itn", 403: staff})
    yield Row("request_batch_create", itn, {200: "bam_itn", 403: staff})
    yield Row("request_batch_create", itn, {422: "bam_itn", 403: staff}, "POST")
    yield Row("request_batch_template", itn, {200: "bam_itn", 403: staff})
    yield Row("request_batch_detail", file, {200: "bam_itn", 403: staff})
    yield Row("request_batch_errors", file, {200: "bam_itn", 403: staff})
    yield Row("request_batch_send", file, {405: EVERYBODY})
    foreign = {"bn9": cast.ids["wide"], "pk": cast.ids["file"]}
    yield Row("request_batch_detail", foreign, {403: "sees_all"})


def _order_pages(cast: Cast) -> Iterator[Row]:
    """A provider's own order is its managers' alone."""
    itn = {"bn9": cast.ids["itn"]}
    managers = {200: "bam_itn", 403: "own_only unassigned"}
    refused = {422: "bam_itn", 403: "own_only unassigned"}
    group = itn | {"pk": cast.ids["client_group"]}
    assignment = itn | {"pk": cast.ids["assignment"]}
    for name in ("client_group_list", "staff_list"):
        yield Row(name, itn, managers)
    for name in ("client_group_create", "staff_assignment_bulk"):
        yield Row(name, itn, managers)
        yield Row(name, itn, refused, "POST")
    yield Row("client_results", itn | {"key": uuid4()}, {403: "own_only unassigned"})
    yield Row("client_group_detail", group, managers)
    for name in ("client_group_rename", "client_group_archive", "client_group_assign"):
        yield Row(name, group, managers)
        yield Row(name, group, refused, "POST")
    yield Row("client_group_add", group, refused, "POST")
    removed = group | {"client_bn9": cast.ids["maple"]}
    yield Row("client_group_remove", removed, {405: EVERYBODY})
    yield Row("staff_detail", itn | {"pk": cast.ids["ben"]}, managers)
    yield Row("staff_group_detail", itn | {"pk": uuid4()}, {403: "own_only unassigned"})
    yield Row("staff_assignment_change", assignment, managers)
    yield Row("staff_assignment_change", assignment, refused, "POST")
    yield Row("staff_assignment_end", assignment, {405: EVERYBODY})


def _transaction_pages(cast: Cast) -> Iterator[Row]:
    ids = cast.ids
    maple = {"bn9": ids["maple"]}
    yield Row("declaration_list", maple, {200: MAPLE_STAFF, 403: "suspended"})
    yield Row("declaration_list", {"bn9": ids["itn"]}, {200: "bam_itn own_only unassigned"})
    own = maple | {"extension": "RM0001", "number": ids["own"]}
    yield Row("declaration_detail", own, {200: MAPLE_STAFF, 403: "suspended"})
    yield Row("correction_create", own, {200: "editor pam bam", 403: "reader group suspended"})
    yield Row(
        "correction_create",
        own,
        {422: "editor pam bam", 403: "reader group suspended"},
        "POST",
    )
    second = maple | {"extension": "RM0002", "number": ids["second"]}
    yield Row("declaration_detail", second, {200: "bam", 403: "suspended"})
    misfiled = maple | {"extension": "RM0002", "number": ids["own"]}
    yield Row("declaration_detail", misfiled, {403: "suspended"})
    foreign = maple | {"extension": "RM0001", "number": ids["cedar"]}
    yield Row("declaration_detail", foreign, {403: "suspended"})

    def through(firm: str, number: str) -> dict[str, str]:
        return {
            "bn9": ids[firm],
            "client_bn9": ids["maple"],
            "extension": "RM0001",
            "number": ids[number],
        }

    detail, correct = "client_declaration_detail", "client_correction_create"
    yield Row(detail, through("itn", "by_itn"), {200: "bam_itn own_only"})
    yield Row(correct, through("itn", "by_itn"), {403: "bam_itn own_only"})
    yield Row(correct, through("itn", "by_itn"), {403: "bam_itn own_only"}, "POST")
    yield Row(detail, through("itn", "own"), {})
    yield Row(correct, through("itn", "own"), {})
    yield Row(detail, through("wide", "own"), {200: "sees_all"})
    yield Row(correct, through("wide", "own"), {200: "sees_all"})
    yield Row(correct, through("wide", "own"), {422: "sees_all"}, "POST")
    yield Row(detail, through("wide", "by_itn"), {200: "sees_all"})
    yield Row(detail, through("past", "by_past"), {200: "expired"})
    yield Row(correct, through("past", "by_past"), {403: "expired"})
    yield Row(detail, through("past", "late"), {})
    yield Row(detail, through("past", "own"), {})
