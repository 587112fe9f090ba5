"""Business accounts and the import-export program accounts under them."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from businesses.bn import BN9_PATTERN, EXTENSION_PATTERN, show_bn9, show_bn15


class BusinessAccount(models.Model):
    """A legal entity registered in the portal: an importer, a broker, a consultant, or several.

    Legal name, number and address come from the CRA register and are not edited here.
    """

    class ProviderType(models.TextChoices):
        NONE = "none", _("Not a service provider")
        BROKER = "broker", _("Licensed customs broker")
        CONSULTANT = "consultant", _("Trade consultant")
        OTHER = "other", _("Other service provider")

    class Status(models.TextChoices):
        UNVERIFIED = "unverified", _("Unverified")
        ACTIVE = "active", pgettext_lazy("business account", "Active")
        SUSPENDED = "suspended", pgettext_lazy("business account", "Suspended")
        CLOSED = "closed", _("Closed")

    bn9 = models.CharField(_("Business number"), max_length=9, unique=True)
    legal_name = models.CharField(_("Legal name"), max_length=175)
    operating_name = models.CharField(_("Operating name"), max_length=175, blank=True)
    street = models.CharField(_("Street address"), max_length=200)
    city = models.CharField(_("City"), max_length=100)
    region = models.CharField(_("Province, territory or state"), max_length=100, blank=True)
    postal_code = models.CharField(_("Postal code"), max_length=20, blank=True)
    country = models.CharField(_("Country"), max_length=2, default="CA")
    email = models.EmailField(_("Email address"), blank=True)
    provider_type = models.CharField(
        _("Service provider"),
        max_length=20,
        choices=ProviderType,
        default=ProviderType.NONE,
    )
    status = models.CharField(_("Status"), max_length=20, choices=Status, default=Status.UNVERIFIED)

    class Meta:
        verbose_name = _("business account")
        verbose_name_plural = _("business accounts")
        default_permissions = ()
        permissions = [("bam", "Business Account Manager")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bn9__regex=BN9_PATTERN), name="business_bn9_is_nine_digits"
            ),
            models.CheckConstraint(
                condition=~models.Q(legal_name=""), name="business_has_a_legal_name"
            ),
            models.CheckConstraint(
                condition=models.Q(provider_type__in=["none", "broker", "consultant", "other"]),
                name="business_provider_type_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["unverified", "active", "suspended", "closed"]),
                name="business_status_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.bn_shown})"

    @property
    def name(self) -> str:
        """The legal name: what pages call the business."""
        return self.legal_name

    @property
    def bn_shown(self) -> str:
        """The business number as people read it: `88831 6171`."""
        return show_bn9(self.bn9)


class ProgramAccount(models.Model):
    """An import-export program account (RM extension) of a business.

    It is open in `[opened_at, closed_at)`, counted from when the portal linked it. One that the
    register already held as closed has an empty period: never open here, its past still readable.
    """

    class Kind(models.TextChoices):
        IMPORTER = "importer", _("Importer")
        EXPORTER = "exporter", _("Exporter")

    business = models.ForeignKey(
        BusinessAccount,
        on_delete=models.PROTECT,
        related_name="programs",
        verbose_name=_("Business account"),
    )
    extension = models.CharField(_("Program account"), max_length=6)
    name = models.CharField(_("Name"), max_length=175, blank=True)
    kind = models.CharField(_("Kind"), max_length=20, choices=Kind, default=Kind.IMPORTER)
    opened_at = models.DateTimeField(_("Opened"))
    closed_at = models.DateTimeField(_("Closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("program account")
        verbose_name_plural = _("program accounts")
        default_permissions = ()
        permissions = [
            ("pam", "Program Account Manager"),
            ("editor", "Editor"),
            ("reader", "Reader"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "extension"], name="program_extension_once_per_business"
            ),
            models.CheckConstraint(
                condition=models.Q(extension__regex=EXTENSION_PATTERN),
                name="program_extension_is_rm_and_four_digits",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["importer", "exporter"]),
                name="program_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(closed_at__gte=models.F("opened_at")),
                name="program_closes_after_it_opens",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bn15_shown} {self.name}".strip()

    @property
    def bn15(self) -> str:
        """The program account number as stored and compared: `888316171RM0001`."""
        return f"{self.business.bn9}{self.extension}"

    @property
    def bn15_shown(self) -> str:
        """The program account number as people read it: `88831 6171 RM 0001`."""
        return show_bn15(self.business.bn9, self.extension)

    def is_open_at(self, at: datetime) -> bool:
        """Whether the account is open at that instant."""
        return self.opened_at <= at and (self.closed_at is None or at < self.closed_at)


class ProgramGroup(models.Model):
    """Program accounts of one business under one name, to grant roles over all of them."""

    business = models.ForeignKey(
        BusinessAccount,
        on_delete=models.PROTECT,
        related_name="program_groups",
        verbose_name=_("Business account"),
    )
    name = models.CharField(_("Name"), max_length=100)
    archived_at = models.DateTimeField(_("Archived"), null=True, blank=True)

    class Meta:
        verbose_name = _("program account group")
        verbose_name_plural = _("program account groups")
        default_permissions = ()
        permissions = [
            ("pam", "Program Account Manager"),
            ("editor", "Editor"),
            ("reader", "Reader"),
        ]
        constraints = [
            models.UniqueConstraint(
                "business",
                Lower("name"),
                condition=models.Q(archived_at=None),
                name="program_group_name_once_while_live",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProgramGroupMember(models.Model):
    """A program account in a group, `[starts_at, ends_at)`. Rows that ended stay."""

    group = models.ForeignKey(ProgramGroup, on_delete=models.PROTECT, related_name="members")
    program = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="program_groups"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["group", "program"],
                condition=models.Q(ends_at=None),
                name="program_once_in_a_group_while_live",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("starts_at")),
                name="program_group_member_period_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.program}"
