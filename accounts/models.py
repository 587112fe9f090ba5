"""People: who signs in, how they are reached, and what they agreed to."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """The languages in which the portal speaks and writes to a person."""

    ENGLISH = "en-ca", _("English")
    FRENCH = "fr-ca", _("French")


def opaque_username() -> str:
    """A name that says nothing about the person, for the column that Django insists on."""
    return uuid.uuid4().hex


class People(BaseUserManager["User"]):
    """Creates people by e-mail. Nobody is created with more rights than another."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new person with this address; without a password the person cannot use one."""
        person = self.model(email=email.lower(), **fields)
        person.set_password(password)
        person.save()
        return person


class User(AbstractUser):
    """A person who can sign in: known to people by name and e-mail, never by user name.

    Rights are roles and only `delegation` answers for them. Django's own permissions are not used:
    they answer no to everybody, and the superuser flag opens nothing.
    """

    username = models.CharField(max_length=32, unique=True, default=opaque_username, editable=False)
    first_name = models.CharField(_("Given name"), max_length=100, blank=True)
    last_name = models.CharField(_("Family name"), max_length=100, blank=True)
    email = models.EmailField(_("Work e-mail"), max_length=254)
    language = models.CharField(
        _("Preferred language"), max_length=5, choices=Language, default=Language.ENGLISH
    )
    sessions_ended = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[People] = People()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_one_per_email"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What each session carries and each request compares (decision 26).

        It changes with the password, and whenever all sessions of the person are ended.
        """
        known = f"{self.sessions_ended}:{self.password}"
        return salted_hmac(
            "accounts.sessions", known, secret=secret, algorithm="sha256"
        ).hexdigest()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Says no: a right is a role, and `delegation` answers for roles."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Says no, as `has_perm` does."""
        return False

    @property
    def has_profile(self) -> bool:
        """Whether the person has created the personal profile: no page opens before it."""
        return hasattr(self, "profile")

    @property
    def wants_optional_mail(self) -> bool:
        """Whether a notice that nobody must receive may be mailed to this person."""
        return self.has_profile and self.profile.notify_by_email


class PersonalProfile(models.Model):
    """How a person is reached at work, and whether by e-mail too."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="profile")
    telephone = models.CharField(_("Telephone"), max_length=30)
    telephone_extension = models.CharField(_("Extension"), max_length=10, blank=True)
    notify_by_email = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.user)


class Consent(models.Model):
    """What a person agreed to: the version and hash of the text, and the language it was read in.

    Rows are never changed: a new version of the text asks for a new row.
    """

    class Kind(models.TextChoices):
        PRIVACY = "privacy", _("Privacy and consent statement")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=20, choices=Kind)
    version = models.CharField(max_length=10)
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=5, choices=Language)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "version"], name="accounts_consent_once_per_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


class CodeTries(models.Model):
    """The wrong codes that somebody entered in a row; there is no row after a right one."""

    person = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="code_tries"
    )
    wrong = models.PositiveSmallIntegerField()
    newest_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person} {self.wrong}"

    def bar(self, at: datetime) -> bool:
        """Whether no code is taken, because too many were wrong a short while ago."""
        return self.wrong >= settings.WRONG_CODES and not self._is_over(at)

    def count(self, at: datetime) -> None:
        """Count a wrong code; after a time without codes, counting begins anew."""
        self.wrong = 1 if self.newest_at and self._is_over(at) else self.wrong + 1
        self.newest_at = at

    def _is_over(self, at: datetime) -> bool:
        return at >= self.newest_at + timedelta(minutes=settings.WRONG_CODES_LOCK_MINUTES)


class SpentToken(models.Model):
    """An identity provider's token that has done its one service, until nobody takes it any more.

    `digest` stands for the token: nothing of the person is kept.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest


class OfficerRole(models.Model):
    """What a person does for the agency, in `[starts_at, ends_at)`. It is no role in a business.

    Those who run the portal give it, by a command; `given_by` is who decided that.
    """

    class Kind(models.TextChoices):
        RECOVERY = "recovery", _("Recovery of businesses")
        LOOKUPS = "lookups", _("Look-ups with a purpose")
        REGISTRATIONS = "registrations", _("Registration reviews")

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="officer_roles")
    kind = models.CharField(max_length=20, choices=Kind)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    given_by = models.CharField(max_length=150)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=models.Q(ends_at=None),
                name="accounts_officer_role_once_while_live",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at=None, ended_by="")
                | models.Q(ends_at__isnull=False, ends_at__gte=models.F("starts_at")),
                name="accounts_officer_role_period_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.kind}"
