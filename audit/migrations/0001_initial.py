"""The tables of the history, and the triggers that make it insert-only.

Whoever rebuilds `audit_event` on SQLite in a later migration must create the triggers again: they
go with the table.
"""

import django.db.models.deletion
from django.db import migrations, models

INSERT_ONLY = {
    "sqlite": [
        """
        CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'history is insert-only'); END
        """,
        """
        CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'history is insert-only'); END
        """,
        # INSERT OR REPLACE deletes without waking the trigger on DELETE.
        """
        CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
        WHEN EXISTS (
            SELECT 1 FROM audit_event
            WHERE id = NEW.id OR (chain_id = NEW.chain_id AND seq = NEW.seq)
        )
        BEGIN SELECT RAISE(ABORT, 'history is insert-only'); END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_event_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'history is insert-only'
                USING ERRCODE = 'integrity_constraint_violation';
        END
        $$
        """,
        """
        CREATE TRIGGER audit_event_insert_only BEFORE UPDATE OR DELETE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION audit_event_insert_only()
        """,
    ],
}


def make_insert_only(apps, schema_editor):
    for statement in INSERT_ONLY[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Chain',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('head', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
                ('length', models.PositiveBigIntegerField(default=0)),
                ('newest_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField()),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('actor_name', models.CharField(blank=True, max_length=255)),
                ('acting_for', models.CharField(blank=True, max_length=9)),
                ('verb', models.CharField(max_length=64)),
                ('object_type', models.CharField(max_length=64)),
                ('object_id', models.CharField(max_length=64)),
                ('object_label', models.TextField(blank=True)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('path', models.TextField(blank=True)),
                ('request_id', models.CharField(blank=True, max_length=36)),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('chain', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='audit.chain')),
            ],
            options={
                'indexes': [models.Index(fields=['actor_id', 'at'], name='audit_event_by_actor'), models.Index(fields=['object_type', 'object_id', 'at'], name='audit_event_by_object')],
                'constraints': [models.UniqueConstraint(fields=('chain', 'seq'), name='audit_event_once_per_chain')],
            },
        ),
        migrations.RunPython(make_insert_only),
    ]
