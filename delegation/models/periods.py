"""Time in authority: half-open periods `[starts_at, ends_at)`, read when asked, never by a job.

A period without an end has `ends_at` empty. Where the end is a choice of people (relationships),
the choice is a column of its own, so that a forgotten date can never become an open end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Q


def during(at: datetime, prefix: str = "") -> Q:
    """The condition that the period at the end of `prefix` (as `"relationship__"`) holds `at`."""
    return Q(**{f"{prefix}starts_at__lte": at}) & (
        Q(**{f"{prefix}ends_at__isnull": True}) | Q(**{f"{prefix}ends_at__gt": at})
    )


def in_use(at: datetime, prefix: str = "") -> Q:
    """The condition that the group at the end of `prefix` was not archived at `at`."""
    return Q(**{f"{prefix}archived_at__isnull": True}) | Q(**{f"{prefix}archived_at__gt": at})


def not_suspended(at: datetime, prefix: str = "") -> Q:
    """The condition that the row at the end of `prefix` was not suspended at `at`."""
    return Q(**{f"{prefix}suspended_at__isnull": True}) | Q(**{f"{prefix}suspended_at__gt": at})


class PeriodQuerySet(models.QuerySet):
    """Rows with a period."""

    def active_at(self, at: datetime) -> "PeriodQuerySet":
        """The rows whose period holds the instant `at`."""
        return self.filter(during(at))


class Period(models.Model):
    """A row that holds from an instant, inclusive, to another, exclusive."""

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        abstract = True

    def active_at(self, at: datetime) -> bool:
        """Say whether the period holds the instant `at`; equal to the query of the same name."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def is_over_at(self, at: datetime) -> bool:
        """Say whether it neither holds the instant nor begins later: an empty one never did."""
        return self.ends_at is not None and self.ends_at <= max(at, self.starts_at)


class Suspendable(Period):
    """A period that can be suspended: it gives nothing from then until it is resumed.

    A suspension that is lifted leaves no dates here: history tells of it.
    """

    suspended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def is_suspended_at(self, at: datetime) -> bool:
        """Say whether it was suspended at the instant `at`; the opposite of `not_suspended`."""
        return self.suspended_at is not None and self.suspended_at <= at


def ordered_period(name: str, end: str = "ends_at") -> models.CheckConstraint:
    """The constraint that a period does not end before it starts. An empty one holds nothing."""
    return models.CheckConstraint(
        condition=Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gte": models.F("starts_at")}),
        name=name,
    )


class NoOverlap(models.BaseConstraint):
    """At any instant at most one row per `keys`: periods of equal keys never overlap.

    PostgreSQL: an exclusion constraint (extension `btree_gist`). SQLite: two triggers, made again
    whenever Django rebuilds the table. An empty key column counts as a value of its own.
    """

    def __init__(self, *, name: str, keys: Sequence[str], end: str = "ends_at") -> None:
        super().__init__(name=name)
        self.keys = tuple(keys)
        self.end = end

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__name__}",
            (),
            {"name": self.name, "keys": self.keys, "end": self.end},
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoOverlap):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.name, self.keys, self.end))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Leave the refusal to the database: only it sees what others write meanwhile."""

    # The stubs know neither the editor nor the statements that Django really passes here.

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str | None:
        if schema_editor.connection.vendor == "postgresql":
            return f"CONSTRAINT {schema_editor.quote_name(self.name)} {self._exclusion(model)}"
        schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))
        return None

    def create_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        return self._statement(
            model, schema_editor, "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s %(exclusion)s"
        )

    def remove_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        return self._statement(
            model, schema_editor, "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"
        )

    def _statement(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, template: str
    ) -> Statement:
        """A statement for PostgreSQL: SQLite never asks, it rebuilds the table instead."""
        return Statement(
            template,
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
            exclusion=self._exclusion(model),
        )

    def _columns(self, model: type[models.Model]) -> list[tuple[str, bool]]:
        """(column, may be empty) of each key."""
        fields = [model._meta.get_field(key) for key in self.keys]
        return [(str(field.column), field.null) for field in fields]  # type: ignore[union-attr]

    def _exclusion(self, model: type[models.Model]) -> str:
        parts = [
            f"COALESCE(\"{column}\"::text, '') WITH =" if nullable else f'"{column}" WITH ='
            for column, nullable in self._columns(model)
        ]
        return (
            f'EXCLUDE USING gist ({", ".join(parts)}, tstzrange("starts_at", "{self.end}") WITH &&)'
        )

    def _triggers(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> list[Statement]:
        same_keys = " AND ".join(f'other."{c}" IS NEW."{c}"' for c, _ in self._columns(model))
        pk = model._meta.pk.column
        # '9999' alone would be compared as a number, and every text is greater than a number.
        # The names in the statement are the model's, never a visitor's.
        template = (
            "CREATE TRIGGER %(trigger)s AFTER %(event)s ON %(table)s WHEN EXISTS ("  # noqa: S608
            f'SELECT 1 FROM %(table)s AS other WHERE other."{pk}" <> NEW."{pk}" AND {same_keys} '
            f'AND other."starts_at" < COALESCE(NEW."{self.end}", \'9999-12-31\') '
            f'AND NEW."starts_at" < COALESCE(other."{self.end}", \'9999-12-31\') '
            f'AND NEW."starts_at" IS NOT NEW."{self.end}" '
            f'AND other."starts_at" IS NOT other."{self.end}") '
            f"BEGIN SELECT RAISE(ABORT, 'constraint failed: {self.name}'); END"
        )
        return [
            Statement(
                template,
                table=Table(model._meta.db_table, schema_editor.quote_name),
                trigger=schema_editor.quote_name(f"{self.name}_{event.lower()}"),
                event=event,
            )
            for event in ("INSERT", "UPDATE")
        ]
