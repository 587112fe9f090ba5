"""The domain as dictionaries and loops: who may do what, without a database.

Written from the domain page, so that the portal's own decision has something to be compared with.
Everybody and everything is a name. An act answers whether it is taken or refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TORONTO = ZoneInfo("America/Toronto")
WORK = {"view", "edit", "pay"}
RIGHTS = {
    "bam": WORK | {"employees", "relationships"},
    "pam": WORK | {"employees", "relationships"},
    "editor": WORK,
    "reader": {"view"},
}
ORDER = ("reader", "editor", "pam", "bam")
ACCESS_REQUEST_DAYS = 60


def end_of(day: date) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time(), TORONTO)


@dataclass(eq=False)
class Row:
    """Something that holds from an instant to another, or without end: facts by name."""

    start: datetime
    end: datetime | None
    facts: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def live(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)

    def stop(self, at: datetime) -> None:
        """End now what lasts longer than now."""
        if self.end is None or self.end > at:
            self.end = max(self.start, at)


@dataclass
class Model:
    """The state of the world at `at`."""

    at: datetime
    kinds: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    bundles: dict[str, set[str]] = field(default_factory=dict)
    client_groups: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    officers: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    suspended: set[tuple[str, str]] = field(default_factory=set)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    versions: list[dict[str, Any]] = field(default_factory=list)

    # ------------------------------------------------------------ rows

    def add(self, table: str, end: datetime | None = None, **facts: Any) -> Row:
        row = Row(self.at, end, facts)
        self.rows.setdefault(table, []).append(row)
        return row

    def find(self, table: str, **facts: Any) -> Iterator[Row]:
        """The live rows with these facts."""
        for row in self.rows.get(table, []):
            if row.live(self.at) and all(row.facts[name] == fact for name, fact in facts.items()):
                yield row

    # ------------------------------------------------------------ one's own business

    def belongs(self, person: str, business: str) -> bool:
        """A live membership that is not suspended, of a person who is not disabled."""
        if person in self.disabled or (person, business) in self.suspended:
            return False
        return any(self.find("membership", person=person, business=business))

    def is_bam(self, person: str, business: str) -> bool:
        held = any(self.find("role", person=person, scope=business))
        return held and self.belongs(person, business)

    def own_roles(self, person: str, program: str) -> set[str]:
        """Every role on a program account, direct, by group, by group over a bundle, or as BAM."""
        business = self.programs[program]
        if not self.belongs(person, business):
            return set()
        roles = {row.role for row in self.find("role", person=person, scope=program)}
        if self.is_bam(person, business):
            roles.add("bam")
        for place in self.find("group_member", person=person):
            for row in self.find("group_role", group=place.group):
                covered = self.bundles.get(row.scope, {row.scope})
                if program in covered:
                    roles.add(row.role)
        return roles

    def own_may(self, person: str, action: str, program: str) -> bool:
        if program in self.closed and action != "view":
            return False
        return any(action in RIGHTS[role] for role in self.own_roles(person, program))

    def lasting(self, business: str) -> set[str]:
        """The managers on whom the business may rely: no end to role or membership."""
        return {
            row.person
            for row in self.find("role", scope=business)
            if row.end is None
            and self.belongs(row.person, business)
            and any(
                one.end is None
                for one in self.find("membership", person=row.person, business=business)
            )
        }

    # ------------------------------------------------------------ between businesses

    def assigned_as(self, person: str, provider: str, client: str) -> str | None:
        """The best role in which a provider's person works for a client."""
        if self.is_bam(person, provider):
            return "pam"
        best = None
        for row in self.find("assignment", provider=provider):
            who = row.who == person or any(self.find("group_member", group=row.who, person=person))
            to = row.target == client or any(
                self.find("grouped_client", group=row.target, client=client)
            )
            if who and to and (best is None or ORDER.index(row.role) > ORDER.index(best)):
                best = row.role
        return best

    def covering(self, provider: str, program: str) -> list[tuple[Row, Row]]:
        """Terms, past and present, about a program account, each with its relationship."""
        return [
            (terms, terms.relationship)
            for terms in self.rows.get("terms", [])
            if terms.relationship.provider == provider
            and terms.relationship.client == self.programs[program]
            and terms.program in (None, program)
        ]

    def in_force(self, terms: Row, relationship: Row) -> bool:
        stopped = relationship.facts["suspended"]
        return terms.live(self.at) and relationship.live(self.at) and not stopped

    def provider_may(
        self, person: str, provider: str, action: str, version: dict[str, Any]
    ) -> bool:
        """The weakest link of the chain decides; what is over leaves one's own to be read."""
        owner = self.programs[version["program"]]
        role = self.assigned_as(person, provider, owner)
        if role is None or (version["program"] in self.closed and action != "view"):
            return False
        is_provider = self.kinds[provider] != "none"
        ours = version["submitter"] == provider
        for terms, relationship in self.covering(provider, version["program"]):
            if is_provider and self.in_force(terms, relationship):
                which = (
                    "broker" if ours else "importer" if version["submitter"] == owner else "other"
                )
                rule = terms.rules[which]
                able = action in RIGHTS[terms.ceiling] & RIGHTS[role] & WORK and rule != "none"
                if action == "edit":
                    able = able and rule == "edit" and self.kinds[provider] == "broker"
                if action == "pay":
                    able = able and terms.may_pay
                if able:
                    return True
            elif action == "view" and ours:
                then = version["at"]
                if terms.live(then) and relationship.live(then):
                    return True
        return False

    # ------------------------------------------------------------ officers

    def look_up(self, person: str, business: str) -> bool:
        """An officer who never belonged to the business opens it for an hour."""
        rows = self.rows.get("membership", [])
        if person in self.disabled or person not in self.officers:
            return False
        if any((row.person, row.business) == (person, business) for row in rows):
            return False
        for row in self.find("lookup", person=person, business=business):
            row.stop(self.at)
        self.add("lookup", self.at + timedelta(hours=1), person=person, business=business)
        return True

    def looks_at(self, person: str, business: str, version: dict[str, Any]) -> bool:
        """The own records of a business that an officer, and no member, looks at now."""
        if person in self.disabled or self.programs[version["program"]] != business:
            return False
        if any(self.find("membership", person=person, business=business)):
            return False
        return any(self.find("lookup", person=person, business=business))

    # ------------------------------------------------------------ the one decision

    def may(self, person: str, acting_for: str, action: str, version: dict[str, Any]) -> bool:
        if not self.belongs(person, acting_for):
            return action == "view" and self.looks_at(person, acting_for, version)
        if self.programs[version["program"]] == acting_for:
            return self.own_may(person, action, version["program"])
        return self.provider_may(person, acting_for, action, version)

    # ------------------------------------------------------------ requests

    def pending(self, request: Row) -> bool:
        return not request.facts["decision"] and request.live(self.at)

    def decidable(self, actor: str, request: Row, action: str) -> set[str]:
        """The lines that are the actor's to decide: all as BAM, one's programs' as PAM."""
        waiting = {line for line, decision in request.lines.items() if not decision}
        if actor == request.asker:
            return set()
        if self.is_bam(actor, request.business):
            return waiting
        return {line for line in waiting if line and self.own_may(actor, action, line)}

    def decide(self, request: Row, lines: dict[str, str]) -> None:
        request.lines.update(lines)
        if all(request.lines.values()):
            approved = "approved" in request.lines.values()
            self.close(request, "approved" if approved else "rejected")

    def close(self, request: Row, decision: str) -> None:
        request.facts["decision"] = decision
        request.end = self.at

    def ask(self, person: str, business: str, wishes: tuple[str, ...]) -> bool:
        if self.is_bam(person, business):
            return False
        if any(self.pending(one) for one in self.find("request", asker=person, business=business)):
            return False
        end = self.at + timedelta(days=ACCESS_REQUEST_DAYS)
        lines = dict.fromkeys(wishes or ("",), "")
        self.add("request", end, asker=person, business=business, lines=lines, decision="")
        return True

    def approve(self, actor: str, request: Row, program: str | None, role: str) -> bool:
        """Grant one role: BAM where there is no program."""
        lines = self.decidable(actor, request, "employees")
        is_bam = self.is_bam(actor, request.business)
        if not self.pending(request) or not lines or program in self.closed:
            return False
        if not is_bam:
            pam = program is not None and "pam" in self.own_roles(actor, program)
            if not pam or role not in ("editor", "reader") or program not in lines:
                return False
        if request.asker in self.disabled or not self._may_replace(actor, request.asker, program):
            return False
        held = self.find("membership", person=request.asker, business=request.business)
        if any(held) and (request.asker, request.business) in self.suspended:
            return False
        self.join(request.asker, request.business)
        self.grant(request.asker, program or request.business, role)
        taken = {"", program} if program else lines
        decided = {line: "approved" if line in taken else "rejected" for line in lines}
        self.decide(request, decided | ({program: "approved"} if program else {}))
        return True

    def _may_replace(self, actor: str, person: str, program: str | None) -> bool:
        """Granting ends the direct role held there, which must be the actor's to take."""
        held = self.find("role", person=person, scope=program)
        return all(self._may_take(actor, self.programs[row.scope], row) for row in held)

    def reject(self, actor: str, request: Row, action: str = "employees") -> bool:
        lines = self.decidable(actor, request, action)
        if not self.pending(request) or not lines:
            return False
        self.decide(request, dict.fromkeys(lines, "rejected"))
        return True

    def withdraw(self, request: Row) -> bool:
        if not self.pending(request):
            return False
        self.close(request, "withdrawn")
        return True

    def join(self, person: str, business: str) -> None:
        if not any(self.find("membership", person=person, business=business)):
            self.suspended.discard((person, business))
            self.add("membership", person=person, business=business)

    def grant(self, person: str, scope: str, role: str) -> None:
        held = list(self.find("role", person=person, scope=scope))
        if any(row.role == role and row.end is None for row in held):
            return
        for row in held:
            row.stop(self.at)
        self.add("role", person=person, scope=scope, role=role)

    # ------------------------------------------------------------ taking away

    def _takes_the_last(self, person: str, business: str) -> bool:
        return self.lasting(business) == {person}

    def end_membership(self, actor: str, row: Row, *, suspend: bool) -> bool:
        person, business = row.person, row.business
        if not self.is_bam(actor, business) if actor != person else suspend:
            return False
        if self._takes_the_last(person, business):
            return False
        if suspend:
            is_new = (person, business) not in self.suspended
            self.suspended.add((person, business))
            return is_new
        row.stop(self.at)
        for role in self.rows.get("role", []):
            if role.person == person and business in (role.scope, self.programs.get(role.scope)):
                role.stop(self.at)
        for place in self.rows.get("group_member", []):
            if place.person == person and self.groups[place.group] == business:
                place.stop(self.at)
        for assignment in self.rows.get("assignment", []):
            if assignment.who == person and assignment.provider == business:
                assignment.stop(self.at)
        return True

    def resume_membership(self, actor: str, row: Row) -> bool:
        pair = row.person, row.business
        if actor == row.person or not self.is_bam(actor, row.business):
            return False
        is_suspended = pair in self.suspended
        self.suspended.discard(pair)
        return is_suspended

    def end_role(self, actor: str, row: Row, end: datetime) -> bool:
        business = self.programs.get(row.scope, row.scope)
        if actor != row.person and not self._may_take(actor, business, row):
            return False
        if row.end is not None and end > row.end:
            return False
        if row.scope == business and self._takes_the_last(row.person, business):
            return False
        row.end = end
        return True

    def _may_take(self, actor: str, business: str, row: Row) -> bool:
        if self.is_bam(actor, business):
            return True
        lower = row.scope != business and row.role in ("editor", "reader")
        return lower and "pam" in self.own_roles(actor, row.scope)

    # ------------------------------------------------------------ groups

    def join_group(self, actor: str, group: str, person: str) -> bool:
        business = self.groups[group]
        member = any(self.find("membership", person=person, business=business))
        if not self.is_bam(actor, business) or not member or actor == person:
            return False
        if group in self.archived:
            return False
        if not any(self.find("group_member", group=group, person=person)):
            self.add("group_member", group=group, person=person)
        return True

    def grant_group(self, actor: str, group: str, scope: str, role: str) -> bool:
        inside = any(self.find("group_member", group=group, person=actor))
        if not self.is_bam(actor, self.groups[group]) or inside:
            return False
        if scope in self.closed or {group, scope} & self.archived:
            return False
        for row in self.find("group_role", group=group, scope=scope):
            row.stop(self.at)
        self.add("group_role", group=group, scope=scope, role=role)
        return True

    def leave_group(self, actor: str, row: Row) -> bool:
        if actor != row.person and not self.is_bam(actor, self.groups[row.group]):
            return False
        row.stop(self.at)
        return True

    def end_group_role(self, actor: str, row: Row) -> bool:
        if not self.is_bam(actor, self.groups[row.group]):
            return False
        row.stop(self.at)
        return True

    def archive_group(self, actor: str, group: str, business: str) -> bool:
        """Employees or program accounts: nothing that was granted through it goes on."""
        if not self.is_bam(actor, business) or group in self.archived:
            return False
        self.archived.add(group)
        if group in self.bundles:
            self.bundles[group] = set()
        for table, fact in {
            "group_member": "group", "group_role": "group", "assignment": "who",
        }.items():  # fmt: skip
            for row in self.find(table, **{fact: group}):
                row.stop(self.at)
        for row in self.find("group_role", scope=group):
            row.stop(self.at)
        return True

    def bundle(self, actor: str, bundle: str, program: str) -> bool:
        inside = any(
            any(self.find("group_member", group=row.group, person=actor))
            for row in self.find("group_role", scope=bundle)
        )
        if not self.is_bam(actor, self.programs[program]) or inside:
            return False
        if bundle in self.archived or program in self.closed:
            return False
        self.bundles[bundle].add(program)
        return True

    def unbundle(self, actor: str, bundle: str, program: str) -> bool:
        if not self.is_bam(actor, self.programs[program]):
            return False
        self.bundles[bundle].discard(program)
        return True

    # ------------------------------------------------------------ relationships

    def request_relationship(
        self,
        actor: str,
        provider: str,
        client: str,
        programs: tuple[str, ...],
        months_later: datetime,
    ) -> bool:
        if not self.is_bam(actor, provider) or self.kinds[provider] == "none" or provider == client:
            return False
        found = self.find("relationship_request", provider=provider, business=client)
        if any(self.pending(one) for one in found):
            return False
        self.add(
            "relationship_request",
            months_later,
            provider=provider,
            business=client,
            asker=actor,
            lines=dict.fromkeys(programs or ("",), ""),
            decision="",
        )
        return True

    def withdraw_relationship(self, actor: str, request: Row) -> bool:
        return self.is_bam(actor, request.provider) and self.withdraw(request)

    def agree(self, actor: str, request: Row, agreed: dict[str, Any]) -> bool:
        """Approve: `agreed` has programs (none of them: all, with future ones), rules and ends."""
        lines = self.decidable(actor, request, "relationships")
        is_bam = self.is_bam(actor, request.business)
        if not self.pending(request) or not lines:
            return False
        programs = agreed["programs"]
        if self.kinds[request.provider] == "none" or self.closed & set(programs):
            return False
        if not is_bam:
            reach = all(self.own_may(actor, "relationships", one) for one in programs)
            asked = set(programs) <= lines
            if not programs or not reach or not asked or agreed["ceiling"] == "pam":
                return False
            if any(self._business_terms(request, programs)) or self._is_suspended(request):
                return False
        self._relate(request, agreed)
        taken = {"", *programs} if programs else lines
        whole = programs or tuple(p for p, b in self.programs.items() if b == request.business)
        taken |= set(whole)
        self.decide(request, {one: "approved" if one in taken else "rejected" for one in lines})
        return True

    def _business_terms(self, request: Row, programs: tuple[str, ...]) -> Iterator[Row]:
        """What a BAM agreed for the whole business, as far as it is about these programs."""
        for terms in self.find("terms", level="business"):
            pair = (terms.relationship.client, terms.relationship.provider)
            about = terms.program is None or terms.program in programs
            if about and pair == (request.business, request.provider):
                yield terms

    def _is_suspended(self, request: Row) -> bool:
        """Whether the last relationship of the pair is suspended, or was when it ended."""
        pair = (request.business, request.provider)
        every = self.rows.get("relationship", [])
        stopped = [row.facts["suspended"] for row in every if (row.client, row.provider) == pair]
        return bool(stopped and stopped[-1])

    def _relate(self, request: Row, agreed: dict[str, Any]) -> None:
        """On each program exactly the new terms hold; the others keep what they had."""
        pair = {"client": request.business, "provider": request.provider}
        row = next(self.find("relationship", **pair), None)
        if row is None:
            stopped = self._is_suspended(request)
            row = self.add("relationship", agreed["end"], suspended=stopped, **pair)
        for terms in list(self.find("terms", relationship=row)):
            if not agreed["programs"] or terms.program in agreed["programs"]:
                terms.stop(self.at)
            elif terms.program is None:
                end = terms.end
                terms.stop(self.at)
                for program, owner in self.programs.items():
                    if owner == request.business and program not in agreed["programs"]:
                        self.add("terms", end, **(terms.facts | {"program": program}))
        facts = {name: agreed[name] for name in ("ceiling", "rules", "may_pay")}
        level = "program" if agreed["programs"] else "business"
        for program in agreed["programs"] or (None,):
            self.add(
                "terms", agreed["end"], relationship=row, program=program, level=level, **facts
            )
        ends = [terms.end for terms in self.find("terms", relationship=row)]
        row.end = None if None in ends else max(end for end in ends if end)

    def offer(
        self, actor: str, client: str, provider: str, agreed: dict[str, Any], lapse: datetime
    ) -> bool:
        """A client offers what it would agree to; one offer waits at a time."""
        offer = Row(self.at, None, {"business": client, "provider": provider, "agreed": agreed})
        waits = any(self.find("offer", business=client, provider=provider))
        if client == provider or waits or not self._may_give(actor, offer):
            return False
        end = min(lapse, agreed["end"] or lapse)
        self.add("offer", end, **offer.facts, maker=actor)
        return True

    def _may_give(self, actor: str, offer: Row) -> bool:
        """Whether a person may give what is offered now, and nothing of it was in force since."""
        programs, agreed = offer.agreed["programs"], offer.agreed
        if self.closed & set(programs) or self._acted_since(offer):
            return False
        if self.is_bam(actor, offer.business):
            return True
        reach = all(self.own_may(actor, "relationships", one) for one in programs)
        is_part = bool(programs) and reach and agreed["ceiling"] != "pam"
        return is_part and not self._is_suspended(offer)

    def _acted_since(self, offer: Row) -> bool:
        programs = offer.agreed["programs"]
        return any(
            (terms.relationship.client, terms.relationship.provider)
            == (offer.business, offer.provider)
            and (not programs or terms.program is None or terms.program in programs)
            and all(one.end is None or one.end > offer.start for one in (terms, terms.relationship))
            for terms in self.rows.get("terms", [])
        )

    def _rejected_since(self, offer: Row) -> bool:
        """Whether the client rejected a request of the firm after it had made the offer."""
        return any(
            (one.business, one.provider) == (offer.business, offer.provider)
            and one.facts["decision"] == "rejected"
            and (one.end is None or one.end >= offer.start)
            for one in self.rows.get("relationship_request", [])
        )

    def accept_offer(self, actor: str, offer: Row) -> bool:
        """The firm takes what its maker may still give; the terms are as they were offered."""
        able = self.decline_offer(actor, offer, stops=False)
        if not able or self.kinds[offer.provider] == "none":
            return False
        if not self._may_give(offer.maker, offer) or self._rejected_since(offer):
            return False
        self._relate(offer, offer.agreed)
        offer.stop(self.at)
        return True

    def decline_offer(self, actor: str, offer: Row, *, stops: bool = True) -> bool:
        able = self.is_bam(actor, offer.provider) and actor != offer.maker and offer.live(self.at)
        if able and stops:
            offer.stop(self.at)
        return able

    def withdraw_offer(self, actor: str, offer: Row) -> bool:
        programs = offer.agreed["programs"]
        able = self.is_bam(actor, offer.business) or (
            bool(programs)
            and all(
                any("relationships" in RIGHTS[role] for role in self.own_roles(actor, one))
                for one in programs
            )
        )
        if not able or not offer.live(self.at):
            return False
        offer.stop(self.at)
        return True

    def end_relationship(self, actor: str, row: Row) -> bool:
        """The client: a BAM ends all, a PAM what its programs gave at the program level: also where
        the program is closed.
        """
        live = list(self.find("terms", relationship=row))
        if self.is_bam(actor, row.client):
            ending = live
        else:
            ending = [
                terms
                for terms in live
                if terms.level == "program" and "pam" in self.own_roles(actor, terms.program)
            ]
        return bool(ending) and self._stop(row, live, ending)

    def suspend_relationship(self, actor: str, row: Row) -> bool:
        """Suspend, or resume what is suspended: a BAM of the client."""
        if not self.is_bam(actor, row.client):
            return False
        row.facts["suspended"] = not row.facts["suspended"]
        return True

    def renew_relationship(
        self, actor: str, row: Row, chosen: set[str | None], end: datetime
    ) -> bool:
        """What was chosen of the terms that have an end goes on as it is: a PAM's up to Editor."""
        renewed = [
            terms
            for terms in self.find("terms", relationship=row)
            if terms.program in chosen
            and terms.program not in self.closed
            and terms.end
            and terms.end < end
            and (self.is_bam(actor, row.client) or self._is_pams(actor, terms))
            and (self.is_bam(actor, row.client) or terms.ceiling != "pam")
        ]
        if not renewed or self.kinds[row.provider] == "none":
            return False
        for terms in renewed:
            terms.stop(self.at)
            self.add("terms", end, **terms.facts)
        return self._span(row)

    def change_relationship(
        self, actor: str, row: Row, agreed: dict[str, Any], *, keeps: bool
    ) -> bool:
        """Other terms in the place of those that the actor may change."""
        live, programs = list(self.find("terms", relationship=row)), agreed["programs"]
        is_bam = self.is_bam(actor, row.client)
        mine = [terms for terms in live if is_bam or self._is_pams(actor, terms)]
        if not mine or self.kinds[row.provider] == "none" or self.closed & set(programs):
            return False
        about = Row(row.start, None, {"business": row.client, "provider": row.provider})
        if not is_bam:
            own = {terms.program for terms in mine}
            if not programs or not set(programs) <= own or agreed["ceiling"] == "pam":
                return False
            if any(self._business_terms(about, programs)):
                return False
        for terms in mine:
            if not keeps and terms.program not in programs:
                terms.stop(self.at)
        self._relate(about, agreed)
        return True

    def narrow_relationship(
        self, actor: str, row: Row, kept: set[str | None], most: dict[str, str]
    ) -> bool:
        """The firm gives back program accounts and rules, not all of it and not nothing."""
        order, less = ("none", "view", "edit"), []
        live = list(self.find("terms", relationship=row))
        for terms in live:
            rules = {
                name: min(rule, most[name], key=order.index) for name, rule in terms.rules.items()
            }
            if terms.program not in kept or rules != terms.rules:
                less.append((terms, rules))
        if not self.is_bam(actor, row.provider) or not less:
            return False
        if not any(terms.program in kept for terms in live):
            return False
        for terms, rules in less:
            end = terms.end
            terms.stop(self.at)
            if terms.program in kept:
                self.add("terms", end, **(terms.facts | {"rules": rules}))
        return self._span(row)

    def _is_pams(self, actor: str, terms: Row) -> bool:
        is_program = terms.level == "program"
        return is_program and self.own_may(actor, "relationships", terms.program)

    def _span(self, row: Row) -> bool:
        """The relationship lasts as long as the longest of its terms."""
        ends = [terms.end for terms in self.find("terms", relationship=row)]
        row.end = None if None in ends else max(end for end in ends if end)
        return True

    def leave_relationship(self, actor: str, row: Row) -> bool:
        live = list(self.find("terms", relationship=row))
        return bool(live) and self.is_bam(actor, row.provider) and self._stop(row, live, live)

    def _stop(self, row: Row, live: list[Row], ending: list[Row]) -> bool:
        for terms in ending:
            terms.stop(self.at)
        ends = [terms.end for terms in live if terms not in ending]
        if not ends:
            row.end = self.at
        else:
            row.end = None if None in ends else max(end for end in ends if end)
        return True

    def knows(self, provider: str, client: str) -> bool:
        pairs = self.rows.get("relationship", [])
        return any(row.client == client and row.provider == provider for row in pairs)

    def assign(self, actor: str, provider: str, who: str, target: str, role: str) -> bool:
        if who in self.archived:
            return False
        is_own = who == actor or any(self.find("group_member", group=who, person=actor))
        if not self.is_bam(actor, provider) or is_own:
            return False
        if not (self.groups.get(who) == provider or self.belongs(who, provider)):
            return False
        if target in self.kinds and not self.knows(provider, target):
            return False
        if any(self.find("assignment", provider=provider, who=who, target=target)):
            return False
        self.add("assignment", provider=provider, who=who, target=target, role=role)
        return True

    def end_assignment(self, actor: str, row: Row) -> bool:
        if not self.is_bam(actor, row.provider):
            return False
        row.stop(self.at)
        return True

    def group_client(self, actor: str, group: str, client: str) -> bool:
        provider = self.client_groups[group]
        if not self.is_bam(actor, provider) or not self.knows(provider, client):
            return False
        if not any(self.find("grouped_client", group=group, client=client)):
            self.add("grouped_client", group=group, client=client)
        return True
