"""Random worlds of authority: rows written directly, so that states no service makes appear too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from accounts.models import User
from businesses.models import BusinessAccount, ProgramAccount
from delegation.models import (
    BusinessRole,
    Ceiling,
    ClientGroup,
    ClientGroupMember,
    EmployeeGroup,
    EmployeeGroupMember,
    Level,
    Lookup,
    Membership,
    Relationship,
    RelationshipTerms,
    StaffAssignment,
    Visibility,
)
from delegation.roles import PROGRAM_ROLES
from delegation.services.roles import grant_group_role, grant_program_role
from tests.officers.people import officer
from tests.world import World
from transactions.models import BY_FILE, Declaration, DeclarationVersion

_names = count(1)
_numbers = count(70_000_000_000_000)


def submission(
    *, program: ProgramAccount, submitter: BusinessAccount, at: datetime
) -> DeclarationVersion:
    """The first version of a declaration of nothing, submitted by a business."""
    declaration = Declaration.objects.create(
        number=f"{next(_numbers):014}",
        program=program,
        owner=program.business,
        declared_at=at,
        kind=Declaration.Kind.AB,
    )
    nothing = dict.fromkeys(("value_for_duty", "duties", "sima", "excise", "gst", "total"), 0)
    return DeclarationVersion.objects.create(
        declaration=declaration,
        number=1,
        program=program,
        owner=program.business,
        submitter=submitter,
        acting_under=BY_FILE,
        submitted_at=at,
        released_on=at.date(),
        office="0497",
        vendor="Vendor",
        currency="CAD",
        **nothing,
    )


@dataclass
class RandomWorld:
    """Two clients, three providers, their people, and whatever `steps` random steps made of it."""

    world: World
    dice: Random
    steps: int
    clients: list[BusinessAccount] = field(default_factory=list)
    providers: list[BusinessAccount] = field(default_factory=list)
    staff: dict[int, list[User]] = field(default_factory=dict)
    groups: dict[int, EmployeeGroup] = field(default_factory=dict)
    client_groups: dict[int, ClientGroup] = field(default_factory=dict)

    def build(self) -> "RandomWorld":
        """Make the cast, then let the dice act. In worlds of some sizes a provider is none by now,
        which the dice do not decide: they fall alike in every size.
        """
        serial = next(_names)
        long_ago = self.world.earlier(days=60)
        self.clients = [long_ago.importer(f"Client {serial}-{n}") for n in range(2)]
        self.providers = [
            long_ago.broker(f"Broker {serial}-1"),
            long_ago.broker(f"Broker {serial}-2"),
            long_ago.consultant(f"Consultant {serial}"),
        ]
        for business in self.clients + self.providers:
            self._hire(business, serial)
        self.officer = officer(long_ago, f"Officer {serial}")
        for _ in range(self.steps):
            self._perhaps(self.dice.choice(self._acts()))
        if self.steps % 4 == 3:
            former = self.providers[self.steps % len(self.providers)]
            former.provider_type = BusinessAccount.ProviderType.NONE
            former.save()
        return self

    def standings(self) -> list[tuple[User, BusinessAccount]]:
        """Every person with the business that the person may act for, and officers with all."""
        every = self.clients + self.providers
        return [(self.officer, business) for business in every] + [
            (person, business)
            for business in self.clients + self.providers
            for person in (*self.staff[business.pk], self.world.manager(business))
        ]

    def versions(self) -> list[DeclarationVersion]:
        """Every version there is in this world."""
        owners = self.clients + self.providers
        return list(DeclarationVersion.objects.filter(owner__in=owners).order_by("pk"))

    def instant(self) -> datetime:
        """Some instant before, in or after what happened."""
        return self.world.at + timedelta(days=self.dice.randint(-50, 50))

    def _hire(self, business: BusinessAccount, serial: int) -> None:
        start = self.world.at - timedelta(days=55)
        self.groups[business.pk] = EmployeeGroup.objects.create(
            business=business,
            name="Group",
            auth_group=Group.objects.create(name=uuid4().hex),
            created_at=start,
        )
        self.client_groups[business.pk] = ClientGroup.objects.create(
            provider=business, name="Group", created_at=start
        )
        people = [self.world.person(f"Staff {serial}-{business.pk}-{n}") for n in range(2)]
        self.staff[business.pk] = people
        for person in people:
            Membership.objects.create(
                person=person, business=business, starts_at=start, ends_at=self._end(start)
            )

    def _acts(self) -> list[Callable[[], object]]:
        submit = [self._submit] * 5
        relate = [self._relate] * 4
        return [
            *submit, *relate, self._look_up, self._look_up, self._assign, self._assign,
            self._grant, self._grant_group, self._join_group, self._join_client_group,
            self._suspend, self._archive,
        ]  # fmt: skip

    def _perhaps(self, act: Callable[[], object]) -> None:
        """Act, unless the database bars it."""
        try:
            with transaction.atomic():
                act()
        except IntegrityError:
            return

    def _start(self) -> datetime:
        return self.world.at + timedelta(days=self.dice.randint(-45, 20))

    def _end(self, start: datetime) -> datetime | None:
        if self.dice.random() < 0.3:
            return None
        return start + timedelta(days=self.dice.randint(5, 70))

    def _program(self, business: BusinessAccount) -> ProgramAccount:
        return self.dice.choice(list(business.programs.order_by("pk")))

    def _submit(self) -> None:
        owner = self.dice.choice(self.clients + self.providers[:1])
        submission(
            program=self._program(owner),
            submitter=self.dice.choice([owner, *self.providers]),
            at=self._start(),
        )

    def _relate(self) -> None:
        client, provider = self.dice.choice(self.clients), self.dice.choice(self.providers)
        start = self._start()
        end = self._end(start)
        relationship = Relationship.objects.filter(client=client, provider=provider).first()
        if relationship is None:
            relationship = Relationship.objects.create(
                client=client,
                provider=provider,
                starts_at=start,
                ends_at=end,
                is_open_ended=end is None,
                request=self.world.earlier(days=50).relationship_request(provider, client),
            )
        any_rule = self.dice.choice(list(Visibility))
        RelationshipTerms.objects.create(
            relationship=relationship,
            program=self.dice.choice([None, self._program(client), self._program(client)]),
            level=Level.PROGRAM,
            ceiling=self.dice.choice(list(Ceiling)),
            visibility_broker=self.dice.choice([Visibility.VIEW, Visibility.EDIT]),
            visibility_importer=any_rule,
            visibility_other=self.dice.choice(list(Visibility)),
            consent_version="1",
            agreed_by=self.world.manager(client),
            agreed_at=start,
            open_end_reason="Standing mandate",
            starts_at=start,
            ends_at=self._end(start),
        )

    def _assign(self) -> None:
        provider = self.dice.choice(self.providers)
        start = self._start()
        who = self.dice.choice(
            [{"employee_group": self.groups[provider.pk]}]
            + [{"person": person} for person in self.staff[provider.pk]]
        )
        what = self.dice.choice(
            [{"client_group": self.client_groups[provider.pk]}]
            + [{"client": client} for client in self.clients]
        )
        StaffAssignment.objects.create(
            provider=provider,
            role=self.dice.choice(list(Ceiling)),
            assigned_by=self.world.manager(provider),
            starts_at=start,
            ends_at=self._end(start),
            **who,
            **what,
        )

    def _grant(self) -> None:
        business = self.dice.choice(self.clients)
        grant_program_role(
            person=self.dice.choice(self.staff[business.pk]),
            program=self._program(business),
            role=self.dice.choice(PROGRAM_ROLES),
            granted_by=self.world.manager(business),
            at=self._start(),
        )

    def _grant_group(self) -> None:
        business = self.dice.choice(self.clients)
        scope: object = self._program(business)
        if self.dice.random() < 0.5:
            scope = business.program_groups.create(name=f"Programs {next(_names)}")
            scope.members.create(program=self._program(business), starts_at=self._start())
        grant_group_role(
            group=self.groups[business.pk],
            scope=scope,
            role=self.dice.choice(PROGRAM_ROLES),
            granted_by=self.world.manager(business),
            at=self._start(),
        )

    def _join_group(self) -> None:
        business = self.dice.choice(self.clients + self.providers)
        start = self._start()
        EmployeeGroupMember.objects.create(
            group=self.groups[business.pk],
            person=self.dice.choice(self.staff[business.pk]),
            starts_at=start,
            ends_at=self._end(start),
        )

    def _join_client_group(self) -> None:
        provider = self.dice.choice(self.providers)
        start = self._start()
        ClientGroupMember.objects.create(
            group=self.client_groups[provider.pk],
            client=self.dice.choice(self.clients),
            starts_at=start,
            ends_at=self._end(start),
        )

    def _look_up(self) -> None:
        """An officer looks, and sometimes belongs to the business meanwhile."""
        business, start = self.dice.choice(self.clients + self.providers[:1]), self._start()
        who = {"officer": self.officer, "business": business, "purpose": "Audit"}
        Lookup.objects.create(starts_at=start, ends_at=start + timedelta(days=40), **who)
        if self.dice.random() < 0.3:
            start = self._start()
            Membership.objects.create(
                person=self.officer, business=business, starts_at=start, ends_at=self._end(start)
            )

    def _suspend(self) -> None:
        """A relationship or the membership of somebody who is no manager, from some instant on."""
        related = Relationship.objects.filter(client__in=self.clients)
        employed = Membership.objects.filter(business__in=self.clients + self.providers).exclude(
            person__in=BusinessRole.objects.values("user")
        )
        found: list[Relationship] | list[Membership] = self.dice.choice(
            [
                list(related.order_by("client", "provider", "starts_at")),
                list(employed.order_by("business", "person", "starts_at")),
            ]
        )
        if found:
            row = self.dice.choice(found)
            row.suspended_at = self._start()
            row.save()

    def _archive(self) -> None:
        provider = self.dice.choice(self.providers)
        group = self.dice.choice([self.groups[provider.pk], self.client_groups[provider.pk]])
        group.archived_at = self.world.at
        group.save()
