"""The declarations of its clients in the order of a firm's list, written by triggers.

One adds a declaration to the lists of the firms of its owner, another the declarations of a client
to the list of a firm whose relationship begins. Whoever rebuilds one of the two tables on SQLite
in a later migration must create its trigger again: it goes with the table.
"""

import django.db.models.deletion
from django.db import migrations, models

COLUMNS = "provider_id, declared_at, declaration_id"
OF_A_DECLARATION = """
    SELECT DISTINCT held.provider_id, NEW.declared_at, NEW.id
    FROM delegation_relationship held WHERE held.client_id = NEW.owner_id
"""
# A firm that acts for the client again has its declarations already.
OF_A_RELATIONSHIP = """
    SELECT NEW.provider_id, declared.declared_at, declared.id
    FROM transactions_declaration declared
    WHERE declared.owner_id = NEW.client_id AND NOT EXISTS (
        SELECT 1 FROM delegation_relationship held
        WHERE held.client_id = NEW.client_id AND held.provider_id = NEW.provider_id
          AND held.id <> NEW.id
    )
"""
TRIGGERS = (
    ("transactions_declaration", "transactions_declaration_clients", OF_A_DECLARATION, ""),
    (
        "delegation_relationship",
        "delegation_relationship_declarations",
        OF_A_RELATIONSHIP,
        # Whoever brings declarations of this client at the same time waits, or is waited for:
        # `transactions.declaration_import`.
        # Relationships that begin do not wait for one another: the lock is shared among them.
        "PERFORM pg_advisory_xact_lock_shared("
        "hashtextextended('declarations of ' || NEW.client_id, 0));",
    ),
)


def write_rows(apps, schema_editor):
    """Those of the declarations and relationships there are: all at once."""
    schema_editor.execute(
        f"""
        INSERT INTO transactions_clientdeclaration ({COLUMNS})
        SELECT DISTINCT held.provider_id, declared.declared_at, declared.id
        FROM delegation_relationship held
        JOIN transactions_declaration declared ON declared.owner_id = held.client_id
        """  # noqa: S608
    )


def keep_rows(apps, schema_editor):
    """Every declaration and every relationship that is added later adds its rows."""
    for table, name, rows, first in TRIGGERS:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(
                f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN "
                f"INSERT OR IGNORE INTO transactions_clientdeclaration ({COLUMNS}) {rows}; END"
            )
            continue
        schema_editor.execute(
            f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {first}
                INSERT INTO transactions_clientdeclaration ({COLUMNS}) {rows}
                ON CONFLICT DO NOTHING;
                RETURN NULL;
            END
            $$
            """
        )
        schema_editor.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


class Migration(migrations.Migration):

    dependencies = [
        ('businesses', '0002_program_group_members'),
        ('delegation', '0022_invitation_groups'),
        ('transactions', '0004_parties_for_others'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClientDeclaration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('declared_at', models.DateTimeField()),
                ('declaration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='transactions.declaration')),
                ('provider', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.businessaccount')),
            ],
            options={
                'default_permissions': (),
                'constraints': [
                    models.UniqueConstraint(fields=('provider', 'declared_at', 'declaration'), name='client_declaration_once'),
                ],
            },
        ),
        migrations.RunPython(write_rows, migrations.RunPython.noop),
        migrations.RunPython(keep_rows, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name='declarationparty',
            name='decl_party_new',
        ),
    ]
