"""Recovery codes are kept as hashes: those drawn from a sealed seed go, and new ones are made.

Whoever has a factor makes them on its page; until then the passkey or the app is the way in.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def take_away(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    kept = apps.get_model("mfa", "Authenticator").objects.using(editor.connection.alias)
    kept.filter(type="recovery_codes").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_code_tries"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(take_away, migrations.RunPython.noop)]
