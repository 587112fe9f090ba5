"""The register as tables of this portal, filled by `import_register`."""

from businesses.models import (
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from businesses.register import (
    EVIDENCE_LIMIT,
    EntityProgram,
    LegalEntity,
    Payment,
    Statement,
    Transaction,
)


class SandboxRegister:
    """Answers from the sandbox tables."""

    def find(self, bn9: str) -> LegalEntity | None:
        """Five statements for any number: the entity, its programs, three kinds of evidence."""
        entity = RegisterEntity.objects.filter(bn9=bn9).first()
        programs = self._programs(bn9)
        transactions = self._transactions(bn9)
        payments = self._payments(bn9)
        statements = self._statements(bn9)
        if entity is None:
            return None
        return LegalEntity(
            bn9=entity.bn9,
            legal_name=entity.legal_name,
            operating_name=entity.operating_name,
            street=entity.street,
            city=entity.city,
            region=entity.region,
            postal_code=entity.postal_code,
            country=entity.country,
            emails=tuple(entity.emails),
            provider_type=entity.provider_type,
            programs=programs,
            transactions=transactions,
            payments=payments,
            statements=statements,
        )

    def _programs(self, bn9: str) -> tuple[EntityProgram, ...]:
        rows = RegisterProgram.objects.filter(entity_id=bn9).order_by("extension")
        fields = rows.values_list("extension", "name", "kind", "is_open")
        return tuple(EntityProgram(*row) for row in fields)

    def _transactions(self, bn9: str) -> tuple[Transaction, ...]:
        rows = RegisterTransaction.objects.filter(entity_id=bn9).order_by("-accounted_on")
        fields = rows.values_list("extension", "number", "accounted_on", "duties_and_taxes")
        return tuple(Transaction(*row) for row in fields[:EVIDENCE_LIMIT])

    def _payments(self, bn9: str) -> tuple[Payment, ...]:
        rows = RegisterPayment.objects.filter(entity_id=bn9).order_by("-paid_on")
        fields = rows.values_list("extension", "paid_on", "amount")
        return tuple(Payment(*row) for row in fields[:EVIDENCE_LIMIT])

    def _statements(self, bn9: str) -> tuple[Statement, ...]:
        rows = RegisterStatement.objects.filter(entity_id=bn9).order_by("-issued_on")
        fields = rows.values_list("extension", "issued_on", "balance")
        return tuple(Statement(*row) for row in fields[:EVIDENCE_LIMIT])
