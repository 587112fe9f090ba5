"""The demo world: importers, brokers and people in every role, made through the services.

It begins two years ago, so that one relationship is over, and it leaves one business of the
sample register, Prairie Sun Foods Inc., for whoever tries the portal to register.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import override

from accounts.consent import privacy_statement
from accounts.federation.tokens import identity
from accounts.models import Consent, OfficerRole, PersonalProfile, User
from accounts.services import grant_officer_role
from audit.services import Refusal
from businesses.models import BusinessAccount
from businesses.register import get_register
from businesses.services import open_business
from delegation.consent import OFFER_VERSION
from delegation.models import Ceiling, Level, RelationshipOffer, Visibility
from delegation.roles import Role
from delegation.services.agreements import Agreement, Rules
from delegation.services.clients import create_staff_assignment
from delegation.services.employees import Grants, approve_access_request, create_access_request
from delegation.services.offers import (
    accept_relationship_offer,
    create_relationship_offer,
    decline_relationship_offer,
    withdraw_relationship_offer,
)
from delegation.services.recovery import create_recovery_request
from delegation.services.registrations import found_business
from delegation.services.relationships import (
    Wish,
    approve_relationship_request,
    create_relationship_request,
)
from notices.models import Notice

PASSWORD = "maple-harbour-2026"  # noqa: S105 - printed by the demo, refused in production
MAPLE, BOREALES, PRAIRIE = "412703316", "426180543", "439051277"
KELPMARROW = "467319042"
ITN, SAINT_LAURENT = "888316171", "611402835"


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as; `story` says in one line what to look at."""

    given: str
    family: str
    story: str
    language: str = "en-ca"

    @property
    def subject(self) -> str:
        """Who this is at every identity provider of the sandbox."""
        return f"{self.given}.{self.family}".lower().translate(str.maketrans("éèô", "eeo"))

    @property
    def email(self) -> str:
        """The sign-in name."""
        return f"{self.subject}@demo.example"


OLIVIA = DemoPerson("Olivia", "Bennett", "Business Account Manager of Maple Ridge Furniture")
DANIEL = DemoPerson("Daniel", "Kim", "second Business Account Manager of Maple Ridge Furniture")
PRIYA = DemoPerson("Priya", "Sharma", "Program Account Manager of Maple Ridge, RM0001")
TOM = DemoPerson("Tom", "Fraser", "Editor on RM0001 and Reader on RM0002 of Maple Ridge")
SOFIA = DemoPerson("Sofia", "Rossi", "Reader on RM0001 of Maple Ridge")
NADIA = DemoPerson("Nadia", "Haddad", "asked for access to Maple Ridge and waits")
LIAM = DemoPerson("Liam", "Walsh", "Orphan User: can register Prairie Sun Foods Inc.")
CAMILLE = DemoPerson(
    "Camille", "Tremblay", "Business Account Manager of Les Importations Boréales", "fr-ca"
)
ETIENNE = DemoPerson("Étienne", "Roy", "Editor on RM0001 of Les Importations Boréales", "fr-ca")
GRACE = DemoPerson("Grace", "Okafor", "Business Account Manager of the broker ITN Logistics")
BEN = DemoPerson("Ben", "Carter", "employee of ITN, assigned to Maple Ridge")
HANA = DemoPerson("Hana", "Sato", "employee of ITN, assigned to no client")
MATHIEU = DemoPerson(
    "Mathieu", "Gagnon", "Business Account Manager of the broker Courtage Saint-Laurent", "fr-ca"
)
JULIE = DemoPerson(
    "Julie", "Côté", "employee of Courtage Saint-Laurent; its client Boréales has expired", "fr-ca"
)
RUTH = DemoPerson("Ruth", "Leclair", "manager of Kelpmarrow Marine Supply; account disabled")
AMIR = DemoPerson("Amir", "Nazari", "Reader at Kelpmarrow: asked the agency for recovery")
ODILE = DemoPerson("Odile", "Mercier", "officer of the agency: proposes recovery", "fr-ca")
OWEN = DemoPerson("Owen", "Price", "officer of the agency: confirms recovery")
PEOPLE = (
    OLIVIA, DANIEL, PRIYA, TOM, SOFIA, NADIA, LIAM, CAMILLE, ETIENNE, GRACE, BEN, HANA, MATHIEU,
    JULIE, RUTH, AMIR, ODILE, OWEN,
)  # fmt: skip


class DemoRefused(Exception):
    """A service refused a step of the demo: its story no longer fits the rules."""


def exists() -> bool:
    """Say whether the demo people are there already."""
    return User.objects.filter(email=OLIVIA.email).exists()


@transaction.atomic
def build(now: datetime) -> None:
    """Make the whole demo world, or nothing of it. The sample register must be imported."""
    with override("en-ca"), _mails_long_sent(now):
        Story(now).tell()


@transaction.atomic
def introduce() -> None:
    """Make the demo people known to the portal by each identity provider that is configured."""
    for known in settings.SIGN_IN_WITH:
        issuer = known["settings"]["server_url"]
        for person in PEOPLE:
            SocialAccount.objects.get_or_create(
                provider=known["provider_id"],
                uid=identity(issuer, person.subject),
                defaults={"user": User.objects.get(email=person.email)},
            )


@contextmanager
def _mails_long_sent(now: datetime) -> Iterator[None]:
    """What happens in the story is past: its mails are not sent today."""
    yield
    Notice.objects.filter(sent_at=None).update(sent_at=now)


class Story:
    """What happened, in order."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.begun = now - timedelta(days=730)
        self.people: dict[DemoPerson, User] = {}

    def tell(self) -> None:
        """Tell it all."""
        self._people()
        maple = self._register(MAPLE, OLIVIA)
        boreales = self._register(BOREALES, CAMILLE)
        itn = self._register(ITN, GRACE)
        saint_laurent = self._register(SAINT_LAURENT, MATHIEU)
        kelpmarrow = self._register(KELPMARROW, RUTH)
        self._employees(maple, boreales, itn, saint_laurent)
        self._hire(AMIR, kelpmarrow, RUTH, {"RM0001": Role.READER})
        self._expired(boreales, saint_laurent)
        self._offered_long_ago(maple, itn, kelpmarrow)
        self._active(maple, itn, saint_laurent)
        self._offered_lately(maple, saint_laurent)
        self._waiting(maple, boreales, itn)
        self._offer(maple, OLIVIA, saint_laurent.bn9, "Is your new colleague there?", 1)
        self._headless(kelpmarrow)

    def _people(self) -> None:
        password = make_password(PASSWORD)
        statement = privacy_statement()
        for person in PEOPLE:
            user = User.objects.create(
                email=person.email,
                first_name=person.given,
                last_name=person.family,
                language=person.language,
                password=password,
            )
            EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
            PersonalProfile.objects.create(
                user=user, telephone="613-555-0142", created_at=self.begun
            )
            Consent.objects.create(
                user=user,
                kind=Consent.Kind.PRIVACY,
                version=statement.version,
                text_hash=statement.text_hash,
                language=person.language,
                at=self.begun,
            )
            self.people[person] = user

    def _register(self, bn9: str, manager: DemoPerson) -> BusinessAccount:
        entity = get_register().find(bn9)
        if entity is None:
            raise DemoRefused(f"{bn9} is not in the register: import docs/samples/register.csv.")
        business = open_business(entity=entity, at=self.begun)
        found_business(person=self.people[manager], business=business, at=self.begun)
        return business

    def _employees(
        self,
        maple: BusinessAccount,
        boreales: BusinessAccount,
        itn: BusinessAccount,
        saint_laurent: BusinessAccount,
    ) -> None:
        pam, editor, reader = Role.PAM, Role.EDITOR, Role.READER
        self._hire(DANIEL, maple, OLIVIA, {})
        self._hire(PRIYA, maple, OLIVIA, {"RM0001": pam})
        self._hire(TOM, maple, OLIVIA, {"RM0001": editor, "RM0002": reader})
        self._hire(SOFIA, maple, PRIYA, {"RM0001": reader})
        self._hire(ETIENNE, boreales, CAMILLE, {"RM0001": editor})
        self._hire(BEN, itn, GRACE, {"RM0001": reader})
        self._hire(HANA, itn, GRACE, {"RM0001": reader})
        self._hire(JULIE, saint_laurent, MATHIEU, {"RM0001": reader})

    def _hire(
        self,
        person: DemoPerson,
        employer: BusinessAccount,
        manager: DemoPerson,
        roles: dict[str, Role],
    ) -> None:
        """The person asks for the roles, as BAM where there are none, and the manager approves."""
        at = self.begun + timedelta(days=3)
        waiting = _done(
            create_access_request(
                actor=self.people[person],
                bn9=employer.bn9,
                note="I work on our customs declarations.",
                wishes=roles,
                at=at,
            )
        )
        programs = {employer.programs.get(extension=ext).pk: role for ext, role in roles.items()}
        _done(
            approve_access_request(
                actor=self.people[manager],
                acting_for=employer,
                access_request=waiting,
                grants=Grants(make_bam=not roles, programs=programs),
                expected_version=waiting.version,
                at=at + timedelta(hours=2),
            )
        )

    def _expired(self, client: BusinessAccount, provider: BusinessAccount) -> None:
        """A relationship that ended four months ago; its broker still reads what it submitted."""
        began = self.begun + timedelta(days=10)
        ended = (self.now - timedelta(days=120)).date()
        rules = Rules(broker=Visibility.EDIT, importer=Visibility.VIEW)
        self._relate(client, CAMILLE, provider, MATHIEU, began, rules, ended, ("RM0001", "RM0002"))
        self._assign(provider, MATHIEU, JULIE, client)

    def _active(
        self, maple: BusinessAccount, itn: BusinessAccount, saint_laurent: BusinessAccount
    ) -> None:
        began = self.now - timedelta(days=400)
        last_day = (self.now + timedelta(days=310)).date()
        rules = Rules(broker=Visibility.EDIT, importer=Visibility.VIEW)
        self._relate(maple, OLIVIA, itn, GRACE, began, rules, last_day, ("RM0001", "RM0002"))
        self._assign(itn, GRACE, BEN, maple)
        soon = (self.now + timedelta(days=25)).date()
        self._relate(maple, OLIVIA, saint_laurent, MATHIEU, began, Rules(), soon, ("RM0002",))

    def _waiting(
        self, maple: BusinessAccount, boreales: BusinessAccount, itn: BusinessAccount
    ) -> None:
        lately = self.now - timedelta(days=2)
        _done(
            create_access_request(
                actor=self.people[NADIA],
                bn9=maple.bn9,
                note="I started in the import department this week and prepare our corrections.",
                wishes={"RM0001": Role.EDITOR, "RM0002": Role.READER},
                at=lately,
            )
        )
        for bn9 in (boreales.bn9, PRAIRIE):
            _done(
                create_relationship_request(
                    actor=self.people[GRACE],
                    acting_for=itn,
                    client_bn9=bn9,
                    wish=Wish(
                        level=Level.BUSINESS,
                        rules=Rules(broker=Visibility.EDIT, importer=Visibility.VIEW),
                        comment="We account for your shipments. Please let us do so in the portal.",
                    ),
                    at=lately,
                )
            )

    def _offered_long_ago(
        self, maple: BusinessAccount, itn: BusinessAccount, kelpmarrow: BusinessAccount
    ) -> None:
        """An offer that was accepted, and one to a number of no service provider, which lapsed."""
        accepted = self._offer(kelpmarrow, RUTH, itn.bn9, "Please act for us.", 700)
        _done(
            accept_relationship_offer(
                actor=self.people[GRACE],
                acting_for=itn,
                relationship_offer=accepted,
                expected_version=accepted.version,
                at=self.now - timedelta(days=698),
            )
        )
        self._offer(maple, OLIVIA, PRAIRIE, "Please act for us.", 401)

    def _offered_lately(self, maple: BusinessAccount, saint_laurent: BusinessAccount) -> None:
        """An offer to the wrong number, taken back, and one that the second broker declined."""
        more = "You look after our doors. Please take on our windows, too."
        mistaken = self._offer(maple, OLIVIA, PRAIRIE, more, 30)
        _done(
            withdraw_relationship_offer(
                actor=self.people[OLIVIA],
                acting_for=maple,
                relationship_offer=mistaken,
                at=self.now - timedelta(days=29),
            )
        )
        declined = self._offer(maple, OLIVIA, saint_laurent.bn9, more, 28)
        _done(
            decline_relationship_offer(
                actor=self.people[MATHIEU],
                acting_for=saint_laurent,
                relationship_offer=declined,
                reason="Not before our new colleague begins.",
                expected_version=declined.version,
                at=self.now - timedelta(days=20),
            )
        )

    def _offer(
        self, client: BusinessAccount, manager: DemoPerson, bn9: str, comment: str, days: int
    ) -> RelationshipOffer:
        """An offer of RM0001, so many days ago, until a year from now."""
        return _done(
            create_relationship_offer(
                actor=self.people[manager],
                acting_for=client,
                provider_bn9=bn9,
                agreement=Agreement(
                    level=Level.PROGRAM,
                    programs=frozenset({client.programs.get(extension="RM0001").pk}),
                    ceiling=Ceiling.EDITOR,
                    rules=Rules(importer=Visibility.VIEW),
                    last_day=(self.now + timedelta(days=365)).date(),
                    consent_version=OFFER_VERSION,
                ),
                comment=comment,
                at=self.now - timedelta(days=days),
            )
        )

    def _headless(self, kelpmarrow: BusinessAccount) -> None:
        """A business whose only manager is gone, and the officers who can recover it."""
        lately = self.now - timedelta(days=3)
        for person in (ODILE, OWEN):
            for kind in OfficerRole.Kind:
                someone = self.people[person]
                _done(
                    grant_officer_role(
                        person=someone, kind=kind, given_by="Demonstration", at=lately
                    )
                )
        # Only those who run a portal disable an account; no service does.
        User.objects.filter(pk=self.people[RUTH].pk).update(is_active=False)
        _done(
            create_recovery_request(
                actor=self.people[AMIR],
                bn9=kelpmarrow.bn9,
                statement="Ruth Leclair was our only manager and retired. I look after customs.",
                at=lately,
            )
        )

    def _relate(
        self,
        client: BusinessAccount,
        manager: DemoPerson,
        provider: BusinessAccount,
        asker: DemoPerson,
        began: datetime,
        rules: Rules,
        last_day: date,
        extensions: tuple[str, ...],
    ) -> None:
        waiting = _done(
            create_relationship_request(
                actor=self.people[asker],
                acting_for=provider,
                client_bn9=client.bn9,
                wish=Wish(level=Level.PROGRAM, extensions=extensions, rules=rules),
                at=began,
            )
        )
        programs = client.programs.filter(extension__in=extensions)
        _done(
            approve_relationship_request(
                actor=self.people[manager],
                acting_for=client,
                relationship_request=waiting,
                agreement=Agreement(
                    level=Level.PROGRAM,
                    programs=frozenset(programs.values_list("pk", flat=True)),
                    ceiling=Ceiling.EDITOR,
                    rules=rules,
                    last_day=last_day,
                ),
                expected_version=waiting.version,
                at=began + timedelta(hours=5),
            )
        )

    def _assign(
        self,
        provider: BusinessAccount,
        manager: DemoPerson,
        person: DemoPerson,
        client: BusinessAccount,
    ) -> None:
        _done(
            create_staff_assignment(
                actor=self.people[manager],
                acting_for=provider,
                assignee=self.people[person],
                target=client,
                role=Ceiling.EDITOR,
                at=self.now - timedelta(days=390),
            )
        )


def _done[Result](result: Result | Refusal) -> Result:
    if isinstance(result, Refusal):
        raise DemoRefused(f"{result.code}: {result.message}")
    return result
