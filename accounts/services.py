"""What a person does with the profile, the end of sessions, and who is an officer."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.consent import Statement
from accounts.models import CodeTries, Consent, Language, OfficerRole, PersonalProfile, User
from accounts.own_acts import locked, own_event
from accounts.profile import ProfileDetails
from audit.services import Refusal, person_chain, record, refuse


@transaction.atomic
def create_profile(
    *,
    actor: User,
    details: ProfileDetails,
    statement: Statement,
    read_in: Language,
    at: datetime,
) -> PersonalProfile:
    """Creates the person's profile and keeps the consent given with it.

    `read_in` is the language the statement was read in. A second profile is not made: the one that
    exists is returned.
    """
    person = locked(actor)
    if person.has_profile:
        return person.profile
    profile = PersonalProfile(user=person, created_at=at)
    _write(profile, details)
    consent = Consent.objects.create(
        user=person,
        kind=statement.kind,
        version=statement.version,
        text_hash=statement.text_hash,
        language=read_in,
        at=at,
    )
    agreed = {
        "kind": consent.kind,
        "version": consent.version,
        "text_hash": consent.text_hash,
        "language": consent.language,
    }
    record(**own_event("profile.create", person, at, after=asdict(details) | {"consent": agreed}))
    return profile


@transaction.atomic
def edit_profile(*, actor: User, details: ProfileDetails, at: datetime) -> PersonalProfile:
    """Changes the person's profile. Where nothing differs, nothing is written."""
    person = locked(actor)
    before, after = details.changes_from(ProfileDetails.of(person))
    if after:
        _write(person.profile, details)
        record(**own_event("profile.edit", person, at, before=before, after=after))
    return person.profile


def end_sessions(*, person: User) -> None:
    """End every session of a person, from its next request on; to sign in again is not barred.

    It belongs to the act of its caller, which history names.
    """
    User.objects.filter(pk=person.pk).update(sessions_ended=F("sessions_ended") + 1)


def replace_ways_to_prove(*, person: User, email: str) -> None:
    """Take every second factor and address from a person who lost them, and end every session.

    Codes go to `email` from now on, which the next sign-in proves. What the person signs in with
    first stays. It belongs to the act of its caller, which history names.
    """
    Authenticator.objects.filter(user=person).delete()
    CodeTries.objects.filter(person=person).delete()
    EmailAddress.objects.filter(user=person).delete()
    EmailAddress.objects.create(user=person, email=email, primary=True, verified=False)
    User.objects.filter(pk=person.pk).update(email=email)
    end_sessions(person=person)


@transaction.atomic
def grant_officer_role(
    *, person: User, kind: OfficerRole.Kind, given_by: str, at: datetime
) -> OfficerRole | Refusal:
    """Makes a person an officer of the agency, without an end in sight; `given_by` decided it."""
    row = locked(person)
    about = _about_officer("officer_role.grant", row, kind, given_by, at)
    if not row.is_active:
        message = _("The user account of this person is disabled.")
        return refuse(code="person_disabled", message=message, **about)
    if row.officer_roles.filter(kind=kind, ends_at=None).exists():
        message = _("This person holds the role already.")
        return refuse(code="already_given", message=message, **about)
    role = OfficerRole.objects.create(person=row, kind=kind, given_by=given_by, starts_at=at)
    record(**about)
    return role


@transaction.atomic
def end_officer_role(
    *, person: User, kind: OfficerRole.Kind, given_by: str, at: datetime
) -> OfficerRole | Refusal:
    """Ends what a person is for the agency, at once; `given_by` decided it."""
    row = locked(person)
    about = _about_officer("officer_role.end", row, kind, given_by, at)
    role = row.officer_roles.filter(kind=kind, ends_at=None).first()
    if role is None:
        return refuse(code="not_given", message=_("This person does not hold the role."), **about)
    role.ends_at, role.ended_by = max(at, role.starts_at), given_by
    role.save()
    record(**about)
    return role


def _about_officer(
    verb: str, person: User, kind: OfficerRole.Kind, given_by: str, at: datetime
) -> dict[str, Any]:
    """The event of an act on an officer role, which those who run the portal do at its console."""
    return {
        "verb": verb,
        "at": at,
        "actor": None,
        "chains": [person_chain(person)],
        "object_type": "person",
        "object_id": person.pk,
        "object_label": person.get_full_name(),
        "after": {"kind": str(kind), "given_by": given_by},
    }


def _write(profile: PersonalProfile, details: ProfileDetails) -> None:
    person = profile.user
    person.first_name, person.last_name = details.given_name, details.family_name
    person.language = details.language
    person.save(update_fields=["first_name", "last_name", "language"])
    profile.telephone = details.telephone
    profile.telephone_extension = details.telephone_extension
    profile.notify_by_email = details.notify_by_email
    profile.save()
