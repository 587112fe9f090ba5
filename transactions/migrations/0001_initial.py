"""The tables of declarations, and the triggers by which their versions and lines never change.

Whoever rebuilds one of these tables on SQLite in a later migration must create its triggers again:
they go with the table.
"""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

# Each table, and the columns that name a row. INSERT OR REPLACE of SQLite deletes the row of the
# same name without waking the trigger on DELETE.
NEVER_CHANGES = {
    "transactions_declarationversion": ("declaration_id", "number"),
    "transactions_declarationline": ("version_id", "number"),
}
REFUSED = "a version of a declaration never changes"


def make_unchangeable(apps, schema_editor):
    for table, (owner, number) in NEVER_CHANGES.items():
        for statement in TRIGGERS[schema_editor.connection.vendor](table, owner, number):
            schema_editor.execute(statement)


def sqlite_triggers(table, owner, number):
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for act in ("UPDATE", "DELETE"):
        yield f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {refuse}"
    same_name = f"id = NEW.id OR ({owner} = NEW.{owner} AND {number} = NEW.{number})"
    yield (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same_name}) {refuse}"
    )


def postgresql_triggers(table, owner, number):
    yield f"""
        CREATE FUNCTION {table}_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
        END
        $$
    """
    yield (
        f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_never_changes()"
    )


TRIGGERS = {"sqlite": sqlite_triggers, "postgresql": postgresql_triggers}


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('businesses', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Declaration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=14, unique=True, verbose_name='Transaction number')),
                ('declared_at', models.DateTimeField(verbose_name='Declared')),
                ('kind', models.CharField(choices=[('AB', 'AB, after release on minimum documentation'), ('C', 'C, release and accounting together'), ('F', 'F, courier low value shipment'), ('TT', 'TT, Customs Self Assessment'), ('V', 'V, voluntary'), ('13', '13, warehouse'), ('20', '20, warehouse')], max_length=2, verbose_name='Type')),
                ('own_reference', models.CharField(blank=True, max_length=50, verbose_name='Own reference')),
                ('latest_number', models.PositiveIntegerField(default=1)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='declarations', to='businesses.businessaccount')),
                ('program', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='declarations', to='businesses.programaccount')),
            ],
            options={
                'default_permissions': (),
                'indexes': [
                    models.Index(models.F('program'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='decl_program_new'),
                    models.Index(models.F('owner'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='decl_owner_new'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('number__regex', '^[0-9]{14}\\Z')), name='declaration_number_is_fourteen_digits'),
                    models.CheckConstraint(condition=models.Q(('kind__in', ['AB', 'C', 'F', 'TT', 'V', '13', '20'])), name='declaration_kind_is_known'),
                    models.CheckConstraint(condition=models.Q(('latest_number__gte', 1), ('latest_number__lte', 99999)), name='declaration_latest_number_has_five_digits'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DeclarationVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='Version')),
                ('acting_under', models.CharField(max_length=100)),
                ('submitted_at', models.DateTimeField(verbose_name='Submitted')),
                ('released_on', models.DateField(verbose_name='Release date')),
                ('office', models.CharField(max_length=4, verbose_name='CBSA office')),
                ('vendor', models.CharField(max_length=175, verbose_name='Vendor')),
                ('currency', models.CharField(max_length=3, verbose_name='Currency of the invoice')),
                ('reason_code', models.CharField(blank=True, choices=[('classification', 'Tariff classification'), ('origin', 'Origin or tariff treatment'), ('value', 'Value for duty'), ('rate', 'Rate of duty or tax'), ('sima', 'Special import measures (SIMA)'), ('quantity', 'Quantity or description'), ('clerical', 'Clerical error')], max_length=14, verbose_name='Reason for the change')),
                ('remarks', models.CharField(blank=True, max_length=1000, verbose_name='Remarks')),
                ('value_for_duty', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Value for duty')),
                ('duties', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Customs duties')),
                ('sima', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='SIMA')),
                ('excise', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Excise')),
                ('gst', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='GST')),
                ('total', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Total duties and taxes')),
                ('declaration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='transactions.declaration')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.businessaccount')),
                ('program', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.programaccount')),
                ('submitted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitter', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='businesses.businessaccount')),
            ],
            options={
                'default_permissions': (),
                'indexes': [
                    models.Index(models.F('submitter'), models.OrderBy(models.F('submitted_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='decl_version_submitter_new'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('declaration', 'number'), name='declaration_version_once'),
                    models.CheckConstraint(condition=models.Q(('number__gte', 1), ('number__lte', 99999)), name='declaration_version_has_five_digits'),
                    models.CheckConstraint(condition=models.Q(('number', 1), models.Q(('reason_code', ''), _negated=True), _connector='OR'), name='declaration_change_has_a_reason'),
                    models.CheckConstraint(condition=models.Q(models.Q(('acting_under', 'file'), ('submitted_by', None)), models.Q(('submitted_by__isnull', False), models.Q(('acting_under__in', ['', 'file']), _negated=True)), _connector='OR'), name='declaration_version_names_its_person_and_path'),
                    models.CheckConstraint(condition=models.Q(('duties__gte', 0), ('excise__gte', 0), ('gst__gte', 0), ('sima__gte', 0), ('value_for_duty__gte', 0)), name='declaration_totals_not_negative'),
                    models.CheckConstraint(condition=models.Q(('total__gt', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('duties'), '+', models.F('sima')), '+', models.F('excise')), '+', models.F('gst')), '-', models.Value(Decimal('0.005')))), ('total__lt', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('duties'), '+', models.F('sima')), '+', models.F('excise')), '+', models.F('gst')), '+', models.Value(Decimal('0.005'))))), name='declaration_total_adds_up'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DeclarationLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='Line')),
                ('hs_code', models.CharField(max_length=10, verbose_name='HS code')),
                ('description', models.CharField(max_length=500, verbose_name='Description')),
                ('origin', models.CharField(max_length=3, verbose_name='Country of origin')),
                ('tariff_treatment', models.CharField(max_length=2, verbose_name='Tariff treatment')),
                ('quantity', models.DecimalField(decimal_places=3, max_digits=14, verbose_name='Quantity')),
                ('unit', models.CharField(max_length=3, verbose_name='Unit')),
                ('value_for_duty', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Value for duty')),
                ('duty', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Customs duty')),
                ('sima', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='SIMA')),
                ('excise', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='Excise')),
                ('gst', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='GST')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='transactions.declarationversion')),
            ],
            options={
                'default_permissions': (),
                'constraints': [
                    models.UniqueConstraint(fields=('version', 'number'), name='declaration_line_once'),
                    models.CheckConstraint(condition=models.Q(('hs_code__regex', '^[0-9]{10}\\Z')), name='declaration_line_hs_code_is_ten_digits'),
                    models.CheckConstraint(condition=models.Q(('origin__regex', '^([A-Z]{2}|U[A-Z]{2})\\Z')), name='declaration_line_origin_is_a_country_or_state'),
                    models.CheckConstraint(condition=models.Q(('duty__gte', 0), ('excise__gte', 0), ('gst__gte', 0), ('number__gte', 1), ('quantity__gte', 0), ('sima__gte', 0), ('value_for_duty__gte', 0)), name='declaration_line_amounts_not_negative'),
                ],
            },
        ),
        migrations.RunPython(make_unchangeable),
    ]
