"""The businesses that submitted versions of a declaration, as lists look for it.

A trigger writes the rows, so that no writer of versions can forget them. Whoever rebuilds the
table of versions on SQLite in a later migration must create the trigger again: it goes with the
table.
"""

import django.db.models.deletion
from django.db import migrations, models

COLUMNS = "declaration_id, program_id, submitter_id, declared_at, side"


def select(version, where):
    """The row of a version whose submitter is not among the parties yet."""
    return f"""
        SELECT {version}.declaration_id, {version}.program_id, {version}.submitter_id,
               declared.declared_at,
               CASE WHEN {version}.submitter_id = {version}.owner_id THEN 'importer'
                    WHEN EXISTS (SELECT 1 FROM transactions_declarationparty known
                                 WHERE known.declaration_id = {version}.declaration_id
                                   AND known.side = 'other') THEN 'again'
                    ELSE 'other' END
        FROM transactions_declaration declared WHERE declared.id = {where}
    """  # noqa: S608


def write_parties(apps, schema_editor):
    """Those of the versions there are: all at once."""
    schema_editor.execute(
        f"""
        INSERT INTO transactions_declarationparty ({COLUMNS})
        SELECT found.declaration_id, found.program_id, found.submitter_id, declared.declared_at,
               CASE WHEN found.is_owners = 1 THEN 'importer'
                    WHEN found.place = 1 THEN 'other' ELSE 'again' END
        FROM (
            SELECT declaration_id, program_id, submitter_id,
                   CASE WHEN submitter_id = owner_id THEN 1 ELSE 0 END AS is_owners,
                   ROW_NUMBER() OVER (
                       PARTITION BY declaration_id,
                                    CASE WHEN submitter_id = owner_id THEN 1 ELSE 0 END
                       ORDER BY MIN(number)
                   ) AS place
            FROM transactions_declarationversion
            GROUP BY declaration_id, program_id, submitter_id, owner_id
        ) found
        JOIN transactions_declaration declared ON declared.id = found.declaration_id
        """  # noqa: S608
    )


def keep_parties(apps, schema_editor):
    """Every version that is added later adds its submitter."""
    row = select("NEW", "NEW.declaration_id")
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE TRIGGER transactions_declarationversion_party "
            "AFTER INSERT ON transactions_declarationversion BEGIN "
            f"INSERT OR IGNORE INTO transactions_declarationparty ({COLUMNS}) {row}; END"
        )
        return
    schema_editor.execute(
        f"""
        CREATE FUNCTION transactions_declarationversion_party() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO transactions_declarationparty ({COLUMNS}) {row}
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END
        $$
        """
    )
    schema_editor.execute(
        "CREATE TRIGGER transactions_declarationversion_party "
        "AFTER INSERT ON transactions_declarationversion "
        "FOR EACH ROW EXECUTE FUNCTION transactions_declarationversion_party()"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('businesses', '0002_program_group_members'),
        ('transactions', '0002_versions_by_submitter'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeclarationParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('declared_at', models.DateTimeField()),
                ('side', models.CharField(choices=[('importer', 'Importer'), ('other', 'Other'), ('again', 'Again')], max_length=8)),
                ('declaration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parties', to='transactions.declaration')),
                ('program', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.programaccount')),
                ('submitter', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.businessaccount')),
            ],
            options={
                'default_permissions': (),
                'indexes': [
                    models.Index(models.F('program'), models.F('side'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('declaration'), descending=True), name='decl_party_side_new'),
                    models.Index(models.F('program'), models.F('submitter'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('declaration'), descending=True), name='decl_party_program_new'),
                    models.Index(models.F('submitter'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('declaration'), descending=True), name='decl_party_submitter_new'),
                    models.Index(models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('declaration'), descending=True), name='decl_party_new'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('declaration', 'submitter'), name='declaration_party_once'),
                ],
            },
        ),
        migrations.RunPython(write_parties, migrations.RunPython.noop),
        migrations.RunPython(keep_parties, migrations.RunPython.noop),
    ]
