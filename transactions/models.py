"""Commercial accounting declarations. Their versions never change: a correction adds one.

Authority reads a version alone (`delegation.access.Submission`): whose record it is, which
business submitted it, and when. Source: CARM keeps every version, and its number follows the 14
digits of the transaction with five more.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models import InsertOnlyError
from businesses.models import BusinessAccount, ProgramAccount
from businesses.models.register import TRANSACTION_NUMBER_PATTERN

HS_CODE_PATTERN = r"^[0-9]{10}\Z"
ORIGIN_PATTERN = r"^([A-Z]{2}|U[A-Z]{2})\Z"
MOST_VERSIONS = 99_999
BY_FILE = "file"
"""The authority that a version received by file names in place of a path."""


class ReasonCode(models.TextChoices):
    """Why a version differs from the one before it."""

    CLASSIFICATION = "classification", _("Tariff classification")
    ORIGIN = "origin", _("Origin or tariff treatment")
    VALUE = "value", _("Value for duty")
    RATE = "rate", _("Rate of duty or tax")
    SIMA = "sima", _("Special import measures (SIMA)")
    QUANTITY = "quantity", _("Quantity or description")
    CLERICAL = "clerical", _("Clerical error")


class Declaration(models.Model):
    """One transaction of a program account, by its number; what was declared is in its versions.

    `owner` repeats the business of the program, so that a list of either is one range of an
    index. `declared_at` is the instant of the first version and never moves: lists sort by it.
    """

    class Kind(models.TextChoices):
        AB = "AB", _("AB, after release on minimum documentation")
        C = "C", _("C, release and accounting together")
        F = "F", _("F, courier low value shipment")
        TT = "TT", _("TT, Customs Self Assessment")
        V = "V", _("V, voluntary")
        WAREHOUSE_13 = "13", _("13, warehouse")
        WAREHOUSE_20 = "20", _("20, warehouse")

    number = models.CharField(_("Transaction number"), max_length=14, unique=True)
    program = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="declarations", db_index=False
    )
    owner = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="declarations", db_index=False
    )
    declared_at = models.DateTimeField(_("Declared"))
    kind = models.CharField(_("Type"), max_length=2, choices=Kind)
    own_reference = models.CharField(_("Own reference"), max_length=50, blank=True)
    latest_number = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        indexes = [
            # A list is a range of one of these, already in the order of its pages. There is no
            # index on `declared_at` alone: a planner would walk all declarations of all
            # businesses in that order, looking for the few that the reader may see.
            models.Index(
                "program", F("declared_at").desc(), F("id").desc(), name="decl_program_new"
            ),
            models.Index("owner", F("declared_at").desc(), F("id").desc(), name="decl_owner_new"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=TRANSACTION_NUMBER_PATTERN),
                name="declaration_number_is_fourteen_digits",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["AB", "C", "F", "TT", "V", "13", "20"]),
                name="declaration_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(latest_number__gte=1, latest_number__lte=MOST_VERSIONS),
                name="declaration_latest_number_has_five_digits",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class NeverChangesQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Refuses in Python what the database's triggers refuse below it."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise InsertOnlyError("A version of a declaration never changes.")

    def delete(self) -> NoReturn:
        raise InsertOnlyError("A version of a declaration never changes.")


class NeverChanges(models.Model):
    """A row that is written once."""

    objects = NeverChangesQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; a row that exists is refused."""
        if not self._state.adding:
            raise InsertOnlyError("A version of a declaration never changes.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise InsertOnlyError("A version of a declaration never changes.")


class DeclarationVersion(NeverChanges):
    """What one business declared at one instant, by which person and under which authority.

    `acting_under` is the path of the decision that allowed it (`own:editor:direct`), or "file"
    for a version that came by file and names no person. Totals are those of the lines.
    """

    declaration = models.ForeignKey(
        Declaration, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(_("Version"))
    program = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    owner = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    submitter = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    acting_under = models.CharField(max_length=100)
    submitted_at = models.DateTimeField(_("Submitted"))
    released_on = models.DateField(_("Release date"))
    office = models.CharField(_("CBSA office"), max_length=4)
    vendor = models.CharField(_("Vendor"), max_length=175)
    currency = models.CharField(_("Currency of the invoice"), max_length=3)
    reason_code = models.CharField(
        _("Reason for the change"), max_length=14, choices=ReasonCode, blank=True
    )
    remarks = models.CharField(_("Remarks"), max_length=1000, blank=True)
    value_for_duty = models.DecimalField(_("Value for duty"), max_digits=14, decimal_places=2)
    duties = models.DecimalField(_("Customs duties"), max_digits=14, decimal_places=2)
    sima = models.DecimalField(_("SIMA"), max_digits=14, decimal_places=2)
    excise = models.DecimalField(_("Excise"), max_digits=14, decimal_places=2)
    gst = models.DecimalField(_("GST"), max_digits=14, decimal_places=2)
    total = models.DecimalField(_("Total duties and taxes"), max_digits=14, decimal_places=2)

    class Meta:
        default_permissions = ()
        indexes = [
            # What a firm submitted: its own lists, and all that is left to it once a
            # relationship is over.
            models.Index(
                "submitter",
                F("submitted_at").desc(),
                F("id").desc(),
                name="decl_version_submitter_new",
            ),
            # What a visibility rule would open of a program account, by who submitted it.
            models.Index("program", "submitter", "submitted_at", name="decl_version_opened"),
        ]
        constraints = [
            # Also the way from a declaration to its versions, newest at the end.
            models.UniqueConstraint(
                fields=["declaration", "number"], name="declaration_version_once"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=MOST_VERSIONS),
                name="declaration_version_has_five_digits",
            ),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason_code=""),
                name="declaration_change_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(submitted_by=None, acting_under=BY_FILE)
                | (Q(submitted_by__isnull=False) & ~Q(acting_under__in=["", BY_FILE])),
                name="declaration_version_names_its_person_and_path",
            ),
            models.CheckConstraint(
                condition=Q(
                    value_for_duty__gte=0, duties__gte=0, sima__gte=0, excise__gte=0, gst__gte=0
                ),
                name="declaration_totals_not_negative",
            ),
            # SQLite adds decimals as floating point, hence within half a cent.
            models.CheckConstraint(
                condition=Q(
                    total__gt=F("duties") + F("sima") + F("excise") + F("gst") - Decimal("0.005"),
                    total__lt=F("duties") + F("sima") + F("excise") + F("gst") + Decimal("0.005"),
                ),
                name="declaration_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.full_number

    @property
    def full_number(self) -> str:
        """The number that names this version: the 14 digits of the transaction and 5 more."""
        return f"{self.declaration.number}{self.number:05}"


class DeclarationParty(models.Model):
    """A business that submitted a version of a declaration: by this a provider's list finds it.

    The database adds the row with the first such version (migration 0003). It opens nothing: what
    it finds is decided by the versions. `side` is `OTHER` for the first business that is not the
    importer and `AGAIN` for the next ones, so that each side names a declaration once.
    """

    class Side(models.TextChoices):
        IMPORTER = "importer"
        OTHER = "other"
        AGAIN = "again"

    declaration = models.ForeignKey(
        Declaration, on_delete=models.PROTECT, related_name="parties", db_index=False
    )
    program = models.ForeignKey(
        ProgramAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    submitter = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    declared_at = models.DateTimeField()
    side = models.CharField(max_length=8, choices=Side)

    class Meta:
        default_permissions = ()
        indexes = [
            # What one side, or one firm, submitted for a program account; what a firm submitted
            # for others.
            models.Index(
                "program",
                "side",
                F("declared_at").desc(),
                F("declaration").desc(),
                name="decl_party_side_new",
            ),
            models.Index(
                "program",
                "submitter",
                F("declared_at").desc(),
                F("declaration").desc(),
                name="decl_party_program_new",
            ),
            models.Index(
                "submitter",
                F("declared_at").desc(),
                F("declaration").desc(),
                name="decl_party_for_others_new",
                condition=~Q(side="importer"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "submitter"], name="declaration_party_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.declaration_id} {self.submitter_id}"


class ClientDeclaration(models.Model):
    """A declaration of a client, in the order of the list of a firm that acts or acted for it.

    The database adds the row with the declaration or with the relationship, whichever is later
    (migration 0005). It opens nothing: it says where to look, however much others declare.
    """

    provider = models.ForeignKey(
        BusinessAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    declared_at = models.DateTimeField()
    declaration = models.ForeignKey(
        Declaration, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()
        constraints = [
            # Read from its end, it is the list of the firm.
            models.UniqueConstraint(
                fields=["provider", "declared_at", "declaration"], name="client_declaration_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.declaration_id}"


class DeclarationLine(NeverChanges):
    """Goods of one tariff classification, origin and treatment within a version."""

    version = models.ForeignKey(
        DeclarationVersion, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    number = models.PositiveIntegerField(_("Line"))
    hs_code = models.CharField(_("HS code"), max_length=10)
    description = models.CharField(_("Description"), max_length=500)
    origin = models.CharField(_("Country of origin"), max_length=3)
    tariff_treatment = models.CharField(_("Tariff treatment"), max_length=2)
    quantity = models.DecimalField(_("Quantity"), max_digits=14, decimal_places=3)
    unit = models.CharField(_("Unit"), max_length=3)
    value_for_duty = models.DecimalField(_("Value for duty"), max_digits=14, decimal_places=2)
    duty = models.DecimalField(_("Customs duty"), max_digits=14, decimal_places=2)
    sima = models.DecimalField(_("SIMA"), max_digits=14, decimal_places=2)
    excise = models.DecimalField(_("Excise"), max_digits=14, decimal_places=2)
    gst = models.DecimalField(_("GST"), max_digits=14, decimal_places=2)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="declaration_line_once"),
            models.CheckConstraint(
                condition=Q(hs_code__regex=HS_CODE_PATTERN),
                name="declaration_line_hs_code_is_ten_digits",
            ),
            models.CheckConstraint(
                condition=Q(origin__regex=ORIGIN_PATTERN),
                name="declaration_line_origin_is_a_country_or_state",
            ),
            models.CheckConstraint(
                condition=Q(
                    number__gte=1,
                    quantity__gte=0,
                    value_for_duty__gte=0,
                    duty__gte=0,
                    sima__gte=0,
                    excise__gte=0,
                    gst__gte=0,
                ),
                name="declaration_line_amounts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} line {self.number}"


def build_version(
    declaration: Declaration,
    *,
    number: int,
    submitter: BusinessAccount,
    submitted_at: datetime,
    **facts: Any,
) -> DeclarationVersion:
    """A version, not yet written, whose program and owner are those of its declaration.

    Every version is built here: no constraint of the database can see across three tables that
    the owner of a version is the business of its program.
    """
    return DeclarationVersion(
        declaration=declaration,
        number=number,
        program_id=declaration.program_id,
        owner_id=declaration.owner_id,
        submitter=submitter,
        submitted_at=submitted_at,
        **facts,
    )
