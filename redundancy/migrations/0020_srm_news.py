from django.db import migrations, models


class RemoveIndexIfThere(migrations.RemoveIndex):
    """Removes an index that PostgreSQL has lost in 0010."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0019_watched_cluster'),
    ]

    operations = [
        migrations.CreateModel(
            name='SrmNews',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('looks', models.PositiveBigIntegerField(default=0, verbose_name='looks')),
                ('late', models.PositiveBigIntegerField(default=0, verbose_name='late')),
                ('late_nodes', models.PositiveBigIntegerField(default=0, verbose_name='late nodes')),
            ],
            options={
                'verbose_name': 'news of SRM',
                'verbose_name_plural': 'news of SRM',
            },
        ),
        RemoveIndexIfThere(
            model_name='noderuntime',
            name='runtime_looks',
        ),
        migrations.RemoveField(
            model_name='noderuntime',
            name='looks',
        ),
    ]
