from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery


def fill(apps: Any, schema_editor: Any) -> None:
    """Until now one reason stood for all open terms of a relationship."""
    terms = apps.get_model("delegation", "RelationshipTerms")
    relationship = apps.get_model("delegation", "Relationship")
    reason = relationship.objects.filter(pk=OuterRef("relationship")).values("open_end_reason")
    terms.objects.update(agreed_at=F("starts_at"))
    terms.objects.filter(ends_at=None).update(open_end_reason=Subquery(reason[:1]))
    terms.objects.filter(ends_at=None, open_end_reason="").update(open_end_reason="Not recorded.")


class Migration(migrations.Migration):
    dependencies = [("delegation", "0017_left")]

    operations = [
        migrations.AddField(
            model_name="relationshipterms",
            name="agreed_at",
            field=models.DateTimeField(
                default=datetime(2026, 1, 1, tzinfo=UTC),
                help_text="Earlier than they start where they are what is left of wider ones.",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="relationshipterms",
            name="open_end_reason",
            field=models.CharField(
                blank=True,
                help_text="Why they were agreed without an end, if they were.",
                max_length=500,
                default="",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
