"""Readers of an SQLite file do not wait for its writer: the file remembers this mode.

It is a migration of its own because SQLite does not change the mode inside a transaction. A
database in memory, as the tests use, keeps its own mode.
"""

from django.db import migrations


def keep_write_ahead_log(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("PRAGMA journal_mode=WAL")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(keep_write_ahead_log)]
