"""Program accounts stand in a program-account group from an instant to another."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def carry(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What stands in a group stands in it since it was opened: no roles are older."""
    group = apps.get_model("businesses", "ProgramGroup")
    member = apps.get_model("businesses", "ProgramGroupMember")
    for row in group.programs.through.objects.select_related("programaccount"):
        member.objects.create(
            group_id=row.programgroup_id,
            program_id=row.programaccount_id,
            starts_at=row.programaccount.opened_at,
        )


class Migration(migrations.Migration):
    dependencies = [("businesses", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ProgramGroupMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="businesses.programgroup",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="program_groups",
                        to="businesses.programaccount",
                    ),
                ),
            ],
            options={"default_permissions": (),
                'constraints': [
                    models.UniqueConstraint(
                fields=("group", "program"),
                condition=models.Q(ends_at=None),
                name="program_once_in_a_group_while_live",
            ),
                    models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("starts_at")),
                name="program_group_member_period_ordered",
            ),
                ],
            },
        ),
        migrations.RunPython(carry, migrations.RunPython.noop),
        migrations.RemoveField(model_name="programgroup", name="programs"),
    ]
