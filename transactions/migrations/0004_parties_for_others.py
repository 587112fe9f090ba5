"""What a firm submitted for others is a range of its own: its own imports do not stand in it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('transactions', '0003_declaration_parties'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='declarationparty',
            index=models.Index(models.F('submitter'), models.OrderBy(models.F('declared_at'), descending=True), models.OrderBy(models.F('declaration'), descending=True), condition=models.Q(('side', 'importer'), _negated=True), name='decl_party_for_others_new'),
        ),
        migrations.RemoveIndex(
            model_name='declarationparty',
            name='decl_party_submitter_new',
        ),
    ]
