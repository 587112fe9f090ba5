from typing import Any

from django.db import migrations, models


def mark_left(apps: Any, schema_editor: Any) -> None:
    """What a provider left until now: that relationship and the earlier ones of the pair."""
    event, relationship = (
        apps.get_model("audit", "Event"),
        apps.get_model("delegation", "Relationship"),
    )
    left = event.objects.filter(verb="relationship.leave", after__is_over=True)
    for key in set(left.values_list("object_id", flat=True)):
        for one in relationship.objects.filter(pk=key):
            earlier = relationship.objects.filter(starts_at__lte=one.starts_at)
            earlier.filter(client=one.client_id, provider=one.provider_id).update(is_left=True)


class Migration(migrations.Migration):
    dependencies = [
        ("delegation", "0016_access_reviews"),
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="relationship",
            name="is_left",
            field=models.BooleanField(
                default=False,
                help_text="The provider left since: it acts again only by a new request or offer.",
            ),
        ),
        migrations.RunPython(mark_left, migrations.RunPython.noop),
    ]
