"""The sandbox copy of the CRA register, filled by `import_register`.

Rows hang on the business number itself, so that an unknown number is looked up by the same
statements as a known one.
"""

from django.db import models

from businesses.bn import BN9_PATTERN, EXTENSION_PATTERN
from businesses.models.accounts import BusinessAccount, ProgramAccount

TRANSACTION_NUMBER_PATTERN = r"^[0-9]{14}\Z"


class RegisterEntity(models.Model):
    """A legal entity as the CRA has it on file."""

    bn9 = models.CharField(max_length=9, primary_key=True)
    legal_name = models.CharField(max_length=175)
    operating_name = models.CharField(max_length=175, blank=True)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, default="CA")
    emails = models.JSONField(default=list, blank=True)
    provider_type = models.CharField(
        max_length=20,
        choices=BusinessAccount.ProviderType,
        default=BusinessAccount.ProviderType.NONE,
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bn9__regex=BN9_PATTERN), name="register_bn9_is_nine_digits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.legal_name} ({self.bn9})"


class RegisterProgram(models.Model):
    """An import-export program account on file."""

    entity = models.ForeignKey(RegisterEntity, on_delete=models.CASCADE, related_name="programs")
    extension = models.CharField(max_length=6)
    name = models.CharField(max_length=175, blank=True)
    kind = models.CharField(
        max_length=20, choices=ProgramAccount.Kind, default=ProgramAccount.Kind.IMPORTER
    )
    is_open = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "extension"], name="register_extension_once_per_entity"
            ),
            models.CheckConstraint(
                condition=models.Q(extension__regex=EXTENSION_PATTERN),
                name="register_extension_is_rm_and_four_digits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id}{self.extension}"


class RegisterTransaction(models.Model):
    """A transaction accounted for, with its total duties and taxes."""

    entity = models.ForeignKey(
        RegisterEntity, on_delete=models.CASCADE, related_name="transactions", db_index=False
    )
    extension = models.CharField(max_length=6)
    number = models.CharField(max_length=14, unique=True)
    accounted_on = models.DateField()
    duties_and_taxes = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        default_permissions = ()
        indexes = [models.Index("entity", models.F("accounted_on").desc(), name="register_tx_new")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__regex=TRANSACTION_NUMBER_PATTERN),
                name="register_transaction_number_is_fourteen_digits",
            ),
            models.CheckConstraint(
                condition=models.Q(duties_and_taxes__gte=0),
                name="register_duties_and_taxes_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class RegisterPayment(models.Model):
    """A payment received."""

    entity = models.ForeignKey(RegisterEntity, on_delete=models.CASCADE, related_name="payments")
    extension = models.CharField(max_length=6)
    paid_on = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "extension", "paid_on", "amount"], name="register_payment_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="register_payment_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id}{self.extension} {self.paid_on} {self.amount}"


class RegisterStatement(models.Model):
    """A statement of account issued; a negative balance is a credit."""

    entity = models.ForeignKey(RegisterEntity, on_delete=models.CASCADE, related_name="statements")
    extension = models.CharField(max_length=6)
    issued_on = models.DateField()
    balance = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "extension", "issued_on"], name="register_statement_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id}{self.extension} {self.issued_on}"
