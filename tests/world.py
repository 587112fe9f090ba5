"""A small world in domain words, built through the services that people use.

`world.person("Ana")` is Ana wherever the test names her; `world.importer("Maple")` registers a
business whose manager is `world.person("Maple manager")`. Everything happens at `world.at`, and
`world.earlier(days=...)` and `world.later(days=...)` are the same world at another instant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from stdnum import luhn

from accounts.models import PersonalProfile, User
from audit.services import Refusal
from businesses.models import BusinessAccount, ProgramAccount, ProgramGroup
from businesses.register import EntityProgram, LegalEntity
from businesses.services import open_business
from delegation.access import Access
from delegation.consent import OFFER_VERSION
from delegation.models import (
    AccessRequest,
    Ceiling,
    EmployeeGroup,
    Invitation,
    Level,
    Membership,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    StaffAssignment,
)
from delegation.roles import Role
from delegation.services.agreements import Agreement, Rules
from delegation.services.clients import create_staff_assignment
from delegation.services.employees import Grants, approve_access_request, create_access_request
from delegation.services.invitations import Offer, create_invitation
from delegation.services.offers import create_relationship_offer
from delegation.services.program_groups import add_programs_to_group, create_program_group
from delegation.services.registrations import found_business
from delegation.services.relationships import (
    Wish,
    approve_relationship_request,
    create_relationship_request,
)

PROVIDER = BusinessAccount.ProviderType
OWN_SUBMISSIONS = Rules()
_serial = count(10_000_000)


def next_bn9() -> str:
    """A business number with a right check digit that no other business of the run has."""
    body = str(next(_serial))
    return body + luhn.calc_check_digit(body)


def done[Result](result: Result | Refusal) -> Result:
    """The result of a service, which must not be a refusal."""
    assert not isinstance(result, Refusal), f"{result.code}: {result.message}"
    return result


@dataclass
class World:
    """Businesses, people and what they allow each other, at one instant."""

    at: datetime
    people: dict[str, User] = field(default_factory=dict)

    def earlier(self, **delta: int) -> "World":
        """The same world, some time before."""
        return replace(self, at=self.at - timedelta(**delta))

    def later(self, **delta: int) -> "World":
        """The same world, some time after."""
        return replace(self, at=self.at + timedelta(**delta))

    def person(self, name: str, language: str = "en-ca") -> User:
        """The person of that name, with a personal profile."""
        if name not in self.people:
            given, _, family = name.partition(" ")
            address = name.lower().replace(" ", ".").replace("é", "e")
            user = User.objects.create(
                email=f"{address}@example.test",
                first_name=given,
                last_name=family,
                language=language,
            )
            PersonalProfile.objects.create(user=user, telephone="613-555-0100", created_at=self.at)
            self.people[name] = user
        return self.people[name]

    def importer(
        self,
        name: str,
        *,
        programs: int = 2,
        provider_type: str = PROVIDER.NONE,
        bn9: str | None = None,
    ) -> BusinessAccount:
        """A registered business with RM0001, RM0002, ... whose BAM is `<name> manager`."""
        entity = LegalEntity(
            bn9=bn9 or next_bn9(),
            legal_name=name,
            operating_name="",
            street="1 Wharf Street",
            city="Halifax",
            region="NS",
            postal_code="B3H 1A1",
            country="CA",
            emails=(),
            provider_type=provider_type,
            programs=tuple(
                EntityProgram(f"RM{number:04}", f"{name} {number}", "importer", True)
                for number in range(1, programs + 1)
            ),
            transactions=(),
            payments=(),
            statements=(),
        )
        business = open_business(entity=entity, at=self.at)
        found_business(person=self.person(f"{name} manager"), business=business, at=self.at)
        return business

    def broker(self, name: str, **options: Any) -> BusinessAccount:
        """A registered business that is a licensed customs broker."""
        return self.importer(name, provider_type=PROVIDER.BROKER, programs=1, **options)

    def consultant(self, name: str, **options: Any) -> BusinessAccount:
        """A registered business that is a trade consultant."""
        return self.importer(name, provider_type=PROVIDER.CONSULTANT, programs=1, **options)

    def manager(self, business: BusinessAccount) -> User:
        """The person who registered the business."""
        return self.person(f"{business.legal_name} manager")

    def program(self, business: BusinessAccount, extension: str = "RM0001") -> ProgramAccount:
        """A program account of the business."""
        return business.programs.get(extension=extension)

    def access(self, person: User, acting_for: BusinessAccount) -> Access:
        """What the person may do now, acting for the business."""
        return Access(person, acting_for, self.at)

    def access_request(
        self, name: str, employer: BusinessAccount | str, **wishes: str
    ) -> AccessRequest:
        """The waiting request of a person: `access_request("Eve", maple, RM0001="editor")`."""
        bn9 = employer if isinstance(employer, str) else employer.bn9
        return done(
            create_access_request(
                actor=self.person(name),
                bn9=bn9,
                note="I work on the declarations.",
                wishes={extension: Role(role) for extension, role in wishes.items()},
                at=self.at,
            )
        )

    def employee(self, name: str, employer: BusinessAccount, **roles: str) -> User:
        """A person who asked and was approved: with roles by program, or as BAM where none."""
        waiting = self.access_request(name, employer)
        programs = {self.program(employer, ext).pk: Role(role) for ext, role in roles.items()}
        done(
            approve_access_request(
                actor=self.manager(employer),
                acting_for=employer,
                access_request=waiting,
                grants=Grants(make_bam=not roles, programs=programs),
                expected_version=waiting.version,
                at=self.at,
            )
        )
        return self.person(name)

    def member(self, name: str, business: BusinessAccount) -> User:
        """A person who belongs to the business and holds no role in it."""
        person = self.person(name)
        Membership.objects.create(person=person, business=business, starts_at=self.at)
        return person

    def program_group(self, name: str, business: BusinessAccount, *extensions: str) -> ProgramGroup:
        """A program-account group that holds the program accounts."""
        boss = {"actor": self.manager(business), "acting_for": business, "at": self.at}
        group = done(create_program_group(name=name, **boss))
        programs = [self.program(business, extension) for extension in extensions]
        done(add_programs_to_group(group=group, programs=programs, **boss))
        return group

    def owns(self, person: User, email: str = "") -> User:
        """The person has proved to own the address, by default that of the profile."""
        EmailAddress.objects.create(user=person, email=email or person.email, verified=True)
        return person

    def invitation(
        self,
        email: str,
        business: BusinessAccount,
        by: User | None = None,
        groups: tuple[EmployeeGroup, ...] = (),
        **roles: str,
    ) -> Invitation:
        """A waiting invitation: with roles by program, into groups, or as BAM where neither."""
        programs = {self.program(business, ext).pk: Role(role) for ext, role in roles.items()}
        return done(
            create_invitation(
                actor=by or self.manager(business),
                acting_for=business,
                offer=Offer(
                    email,
                    "en-ca",
                    "",
                    Grants(make_bam=not roles and not groups, programs=programs),
                    groups,
                ),
                at=self.at,
            )
        )

    def relationship_request(
        self, provider: BusinessAccount, client: BusinessAccount | str, **wish: Any
    ) -> RelationshipRequest:
        """The waiting request of a provider to a client or to a BN9."""
        bn9 = client if isinstance(client, str) else client.bn9
        return done(
            create_relationship_request(
                actor=self.manager(provider),
                acting_for=provider,
                client_bn9=bn9,
                wish=Wish(level=wish.pop("level", Level.BUSINESS), **wish),
                at=self.at,
            )
        )

    def relationship(
        self,
        client: BusinessAccount,
        provider: BusinessAccount,
        *,
        programs: tuple[str, ...] = ("RM0001",),
        rules: Rules = OWN_SUBMISSIONS,
        ceiling: Ceiling = Ceiling.EDITOR,
        last_day: date | None = None,
        **more: Any,
    ) -> Relationship:
        """An approved relationship; by default one program, own submissions, for 30 days."""
        waiting = self.relationship_request(provider, client)
        agreement = Agreement(
            level=more.pop("level", Level.PROGRAM),
            programs=frozenset(self.program(client, extension).pk for extension in programs),
            ceiling=ceiling,
            rules=rules,
            last_day=last_day or (self.at + timedelta(days=30)).date(),
            **more,
        )
        return done(
            approve_relationship_request(
                actor=self.manager(client),
                acting_for=client,
                relationship_request=waiting,
                agreement=agreement,
                expected_version=waiting.version,
                at=self.at,
            )
        )

    def offer(
        self,
        client: BusinessAccount,
        provider: BusinessAccount | str,
        *,
        by: User | None = None,
        programs: tuple[str, ...] = ("RM0001",),
        **terms: Any,
    ) -> RelationshipOffer:
        """A waiting offer to a firm or a BN9; by default one program, own submissions, 30 days."""
        filled: dict[str, Any] = {
            "level": Level.PROGRAM,
            "ceiling": Ceiling.EDITOR,
            "rules": OWN_SUBMISSIONS,
            "last_day": (self.at + timedelta(days=30)).date(),
            "consent_version": OFFER_VERSION,
            **terms,
        }
        chosen = frozenset(self.program(client, extension).pk for extension in programs)
        return done(
            create_relationship_offer(
                actor=by or self.manager(client),
                acting_for=client,
                provider_bn9=provider if isinstance(provider, str) else provider.bn9,
                agreement=Agreement(programs=chosen, **filled),
                comment="",
                at=self.at,
            )
        )

    def assign(
        self,
        name: str,
        provider: BusinessAccount,
        client: BusinessAccount,
        role: Ceiling = Ceiling.EDITOR,
    ) -> StaffAssignment:
        """Let a person of the provider, made a member where needed, work for a client."""
        person = self.person(name)
        if not person.memberships.filter(business=provider).exists():
            self.member(name, provider)
        return done(
            create_staff_assignment(
                actor=self.manager(provider),
                acting_for=provider,
                assignee=person,
                target=client,
                role=role,
                at=self.at,
            )
        )


def roles_of(business: BusinessAccount, person: User, at: datetime) -> Mapping[str, Role | None]:
    """The best own role of a person on each program account of a business."""
    access = Access(person, business, at)
    return {program.extension: access.role_on(program) for program in business.programs.all()}
